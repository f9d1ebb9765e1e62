"""``ipc firmware``."""
