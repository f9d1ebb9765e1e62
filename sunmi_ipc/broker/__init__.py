"""Many shops: what travels between stations, hubs and callers through an MQTT broker."""
