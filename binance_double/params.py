"""The parameters of a request."""

from collections.abc import ItemsView, Mapping
from decimal import Decimal, InvalidOperation
from enum import StrEnum

from binance_double.errors import ApiError, missing


class Params:
    """
    Texts by name, read as what they should be.

    Parameters
    ----------
    values : mapping
        The query, or the parameters of a WebSocket request.

    """

    def __init__(self, values: Mapping[str, object]) -> None:
        self._values = {name: str(value) for name, value in values.items() if value is not None}

    def items(self) -> ItemsView[str, str]:
        """Return names and texts."""
        return self._values.items()

    def maybe(self, name: str) -> str | None:
        """Return a text, None if it is not there."""
        return self._values.get(name) or None

    def text(self, name: str) -> str:
        """Return a text; -1102 if it is not there."""
        value = self.maybe(name)
        if value is None:
            raise missing(name)
        return value

    def maybe_integer(self, name: str) -> int | None:
        """Return a whole number, None if it is not there; -1102 if it is none."""
        value = self.maybe(name)
        if value is None:
            return None
        try:
            return int(value)
        except ValueError:
            raise missing(name) from None

    def integer(self, name: str) -> int:
        """Return a whole number; -1102 if it is not there or none."""
        value = self.maybe_integer(name)
        if value is None:
            raise missing(name)
        return value

    def decimal(self, name: str, default: Decimal | None = None) -> Decimal:
        """Return a number; -1102 if it is not there and has no default, or is none."""
        value = self.maybe(name)
        if value is None:
            if default is None:
                raise missing(name)
            return default
        try:
            number = Decimal(value)
        except InvalidOperation:
            raise ApiError(-1100, f"Illegal characters found in parameter '{name}'.") from None
        if not number.is_finite():
            raise ApiError(-1100, f"Illegal characters found in parameter '{name}'.")
        return number.normalize()  # exponents would grow with every product

    def flag(self, name: str) -> bool:
        """Return whether the parameter says true."""
        return (self.maybe(name) or "").lower() == "true"

    def choice[T: StrEnum](self, name: str, choices: type[T], refusal: tuple[int, str]) -> T:
        """Return one of the choices; the refusal if it is another."""
        try:
            return choices(self.text(name))
        except ValueError:
            raise ApiError(*refusal) from None
