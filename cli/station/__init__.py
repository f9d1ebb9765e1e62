"""``ipc serve`` and ``ipc watch``: the station."""
