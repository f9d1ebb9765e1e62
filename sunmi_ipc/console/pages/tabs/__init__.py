"""What can be done with a camera, one tab a file; each has ``build(place)``."""
