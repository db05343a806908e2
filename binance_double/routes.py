"""What a REST request may ask for."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum, auto

from binance_double.keys import ApiKey
from binance_double.params import Params


class Security(Enum):
    """What a request has to bring."""

    NONE = auto()
    KEY = auto()
    SIGNED = auto()
    TRADE = auto()


@dataclass(frozen=True)
class Asked:
    """A request: its parameters, and the key it came with (None where none is needed)."""

    params: Params
    key: ApiKey | None


@dataclass(frozen=True)
class Route:
    """
    One endpoint.

    Parameters
    ----------
    name : str
        Names it for faults and for the log of requests; the same on spot and on futures.
    method, path : str
        Of the HTTP request.
    weight : int or callable
        What it counts against the request weight; a callable takes the parameters.
    security : Security
        What a request has to bring.
    answer : callable
        Returns the JSON of the answer.

    """

    name: str
    method: str
    path: str
    weight: int | Callable[[Params], int]
    security: Security
    answer: Callable[[Asked], object]

    def weight_of(self, params: Params) -> int:
        """Return the weight of a request with these parameters."""
        return self.weight if isinstance(self.weight, int) else self.weight(params)
