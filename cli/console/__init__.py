"""``ipc console``."""
