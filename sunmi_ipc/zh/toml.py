"""Chinese of what Python's TOML reader says of a file that people write, and of our own words for it."""

ZH: dict[str, str] = {
    "Invalid statement": "这一行不是“键 = 值”，也不是表头；中文的键要加引号",
    "Expected newline or end of document after a statement": "值之后还有多余的内容；一行只写一项",
    "Cannot overwrite a value": "同一个键出现了两次",
    "Expected ']' at the end of a table declaration": "表头末尾缺少 ]",
    "Expected ']]' at the end of an array declaration": "表头末尾缺少 ]]",
    "Expected '=' after a key in a key/value pair": "键之后缺少 =",
    "Invalid initial character for a key part": "键不能以这个字符开头；中文的键要加引号",
    "Unclosed array": "列表缺少结尾的 ]",
    "Unclosed inline table": "内联表（花括号）没有结尾",
    "Unescaped '\\' in a string": "字符串中的反斜杠要写成两个，或改用单引号",
    "Invalid hex value": "十六进制数有误",
    "Escaped character is not a Unicode scalar value": "转义的字符不存在",
    "Unterminated string": "字符串缺少结尾的引号",
    "Invalid date or datetime": "日期或时间有误",
    "Invalid value": "值有误；文字要加引号",
    "a key or a table stands there twice": "同一个键或表出现了两次",
    "a character that may not stand there": "此处不能有这个字符",
}
