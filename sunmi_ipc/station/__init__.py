"""One long-running program in the shop: its cameras watched, shown and connected."""
