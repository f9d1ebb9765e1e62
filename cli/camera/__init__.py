"""The commands on one camera."""
