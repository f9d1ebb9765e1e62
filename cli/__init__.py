"""The command line ``ipc``; installs as ``sunmi_ipc_cli``."""
