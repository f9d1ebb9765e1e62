"""``ipc sim``."""
