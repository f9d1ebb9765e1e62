"""Hubs with real brokers and databases."""
