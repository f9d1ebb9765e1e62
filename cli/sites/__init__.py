"""``ipc sites``: many shops from a folder of site files."""
