"""The refusals of the exchange, with the codes and words of the real one."""

from collections.abc import Mapping


class ApiError(Exception):
    """
    A request that the exchange refuses.

    Parameters
    ----------
    code : int
        Binance's error code, negative.
    message : str
        Binance's words.
    status : int
        The HTTP status.
    headers : mapping, optional
        Further HTTP headers, such as Retry-After.

    """

    def __init__(self, code: int, message: str, status: int = 400, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.status = status
        self.headers = dict(headers or {})

    @property
    def body(self) -> dict[str, object]:
        """The answer's JSON."""
        return {"code": self.code, "msg": self.message}


def missing(parameter: str) -> ApiError:
    """Return the refusal of a request that lacks a parameter or has a malformed one."""
    return ApiError(-1102, f"Mandatory parameter '{parameter}' was not sent, was empty/null, or malformed.")


def filter_failure(name: str) -> ApiError:
    """Return spot's refusal of an order that breaks a filter."""
    return ApiError(-1013, f"Filter failure: {name}")


UNKNOWN_SYMBOL = (-1121, "Invalid symbol.")
INVALID_TYPE = (-1116, "Invalid orderType.")
INVALID_SIDE = (-1117, "Invalid side.")
INVALID_TIME_IN_FORCE = (-1115, "Invalid timeInForce.")
UNKNOWN_ORDER = (-2011, "Unknown order sent.")
NO_SUCH_ORDER = (-2013, "Order does not exist.")
