"""Chinese of the command line's rim: language, start, which camera."""

ZH: dict[str, str] = {
    "Language of what is said; default: this computer's.": "界面语言；默认与本机相同。",
}
