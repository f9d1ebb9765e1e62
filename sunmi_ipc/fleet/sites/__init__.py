"""Many shops: a folder of site files, looked at and rolled out shop by shop."""

from .folder import Shop, Shops, read
from .results import ShopResult, Verdict
from .rollout import RolloutState, Wave, rollout, waves

__all__ = ["RolloutState", "Shop", "ShopResult", "Shops", "Verdict", "Wave", "read", "rollout", "waves"]
