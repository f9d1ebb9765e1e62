"""``ipc events``."""
