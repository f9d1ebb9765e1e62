"""Enumerations of the wire's numbers: the public home of :mod:`sunmi_ipc.protocol.values`."""

from .protocol.values import *  # noqa: F403 - its __all__, which a test holds to what is declared there
