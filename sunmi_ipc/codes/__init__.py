"""Return codes, of cameras and of the cloud: numbers, names, meanings, next steps. Below everything that raises them."""
