"""The first steps: demo, configure, doctor, completion."""
