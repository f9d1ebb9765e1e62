"""Many cameras: call them all, or bring them to the state that a site file wants."""

from .pool import DEFAULT_JOBS, Fleet, Result

__all__ = ["DEFAULT_JOBS", "Fleet", "Result"]
