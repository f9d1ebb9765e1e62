"""``ipc fleet``."""
