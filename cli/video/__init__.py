"""``ipc video``."""
