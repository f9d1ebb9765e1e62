"""Chinese of the command line's rim: language, start, which camera."""

ZH: dict[str, str] = {
    "Language of what is said; default: this computer's.": "界面语言；默认与本机相同。",
    "standard output cannot be written: {reason}": "标准输出无法写入：{reason}",
    "unexpected failure: {kind}: {path}: {reason}": "意外故障：{kind}：{path}：{reason}",
}
