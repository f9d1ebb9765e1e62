"""Where the single-file program begins."""

from __future__ import annotations

import multiprocessing

from sunmi_ipc_cli.main import main

if __name__ == "__main__":
    # A process that another one starts is this same program.
    multiprocessing.freeze_support()
    main()
