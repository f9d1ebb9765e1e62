"""What is done with a camera's video beyond the calls: files, live picture, drawings.

``camera.video`` offers it all; the modules here do the work and are imported when they are used. Those that
decode or draw need the extra ``video``.
"""
