"""What is done to a camera, one module a step: reach, wifi, activation, sdcard, configure."""
