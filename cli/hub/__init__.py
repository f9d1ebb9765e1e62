"""``ipc hub``: what many shops say, in one database."""
