"""Where received events go: the options and the run that ``events`` and ``cloud events`` share."""
