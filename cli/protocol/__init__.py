"""``ipc protocol``."""
