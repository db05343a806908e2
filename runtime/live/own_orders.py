"""Which orders on a venue are ours: their client order ids carry the tag of the setup."""

import hashlib
import re
from dataclasses import dataclass
from typing import Final

_BY_THE_VENUE: Final = ("autoclose-", "adl_autoclose", "settlement_autoclose-")
"""How the client order ids begin under which Binance liquidates, deleverages or settles what is held."""


@dataclass(frozen=True)
class Owner:
    """
    The setup in whose name orders are sent.

    Parameters
    ----------
    tag : str
        Stands in every client order id, as the last part of the trader's id.

    """

    tag: str

    @classmethod
    def of(cls, setup_name: str) -> "Owner":
        """Return the owner of a setup's orders: the same in every run, another for every other setup."""
        return cls(hashlib.sha256(setup_name.encode()).hexdigest()[:4])

    @property
    def trader_id(self) -> str:
        """The engine's name of the trader, which leads to client order ids such as O-20260101-120000-1a2b-000-1."""
        return f"BALLAST-{self.tag}"

    def owns(self, client_order_id: str) -> bool:
        """Return whether an order is one of this setup, of this run or an earlier one."""
        return re.match(rf"^O-\d{{8}}-\d{{6}}-{self.tag}-", client_order_id) is not None

    def is_of_others(self, client_order_id: str) -> bool:
        """Return whether an order is neither ours nor one with which the venue closes what is held."""
        return not (self.owns(client_order_id) or client_order_id.startswith(_BY_THE_VENUE))
