"""Chinese of adding faces and of their names."""

ZH: dict[str, str] = {
    "Photos of one face each, or folders of them.": "每张一个人脸的照片，或存放照片的文件夹。",
    "Create the group where it does not exist yet.": "分组不存在时先创建。",
    "male, female or unknown.": "male（男）、female（女）或 unknown（未知）。",
    "An attribute of the group; may be repeated.": "分组的属性，可重复使用。",
    "Where the faces' names are kept; default: in the config folder.": "保存人脸姓名的文件；默认在配置文件夹中。",
    "The person's name, kept on this computer.": "人员姓名，只保存在本机。",
    "Add faces by their photos; large ones are made smaller, repeats are left out, each is reported.\n\nA photo's file name is kept as the person's name, on this computer alone.": "用照片添加人脸；过大的自动缩小，重复的跳过，并逐个报告。\n\n照片的文件名作为人员姓名，只保存在本机。",
    "Change a face's group, age, gender, attributes or name.": "更改人脸的分组、年龄、性别、属性或姓名。",
    "Adding faces …": "正在添加人脸……",
    "Adding faces: {count} done": "正在添加人脸：已完成 {count} 张",
    "{count} were there already": "{count} 张原已存在",
    "{path}: there already, {value}": "{path}：原已存在，{value}",
    "'ipc face group list' shows the groups; --create makes a new one.": "'ipc face group list' 可列出人脸分组；加 --create 可新建。",
    "The group {group} was created, for {count} faces.": "已创建人脸分组 {group}，容量 {count} 张。",
    "For example --attribute card=gold.": "例如 --attribute card=gold。",
    "{name}: there is no picture in this folder": "{name}：文件夹中没有图片",
    "{name}: larger than 60 MB": "{name}：超过 60 MB",
    "the names of faces {path} cannot be read: {reason}": "无法读取人脸姓名文件 {path}：{reason}",
    "Put it right or remove it.": "请修正或删除它。",
}
