"""Bytes to one camera, and whom we trust."""
