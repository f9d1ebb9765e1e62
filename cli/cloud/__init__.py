"""``ipc cloud``."""
