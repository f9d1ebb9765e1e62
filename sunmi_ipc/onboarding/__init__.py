"""From the box to the network: flows that look before they act and say success only when it is seen."""

from .passphrase import check_network
from .wifi import Joined, View, check, follow, look, seen, tell

__all__ = ["Joined", "View", "check", "check_network", "follow", "look", "seen", "tell"]
