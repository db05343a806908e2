"""What a sweep file says of its validation."""

import re
from typing import Annotated, Final, Literal

from msgspec import Meta

from runtime.setup.sections import Part

_LENGTH: Final = re.compile(r"^\s*(\d+(?:\.\d+)?)\s*(s|min|h|d)\s*$")
_SECONDS: Final = {"s": 1, "min": 60, "h": 3600, "d": 86_400}


class ValidationSettings(Part, frozen=True, kw_only=True):
    """
    Where the winner is tried after the search.

    Lengths of time are written with their unit: 90s, 30min, 6h, 2d.

    Parameters
    ----------
    scheme : {"none", "holdout", "walk_forward"}, default "none"
        `none`: the search sees all of the period. `holdout`: it does not see the last part. `walk_forward`: windows
        move through the period; each is searched, and its winner is tried in the window after it.
    test : str, optional
        Length of what the search does not see.
    train : str, optional
        Length of what it sees; for walk_forward.
    step : str, optional
        From one window to the next, at least `test`, which it is where left out.
    anchored : bool, default False
        Whether every search begins at the start of the period, and so sees more and more.
    purge, embargo : str, default "0s"
        What is left out between the two windows, in sum: what the search knows must not reach into the test.
    random_points : int, optional
        How many random points are tried beside the winner; as many as there are trials where left out.
    trials_before : int, default 0
        How many trials you made on these data before, by hand or elsewhere: they were chances to be lucky, too.

    """

    scheme: Literal["none", "holdout", "walk_forward"] = "none"
    test: str | None = None
    train: str | None = None
    step: str | None = None
    anchored: bool = False
    purge: str = "0s"
    embargo: str = "0s"
    random_points: Annotated[int, Meta(ge=0, le=100_000)] | None = None
    trials_before: Annotated[int, Meta(ge=0)] = 0

    def __post_init__(self) -> None:
        wanted = {"none": (), "holdout": ("test",), "walk_forward": ("test", "train")}[self.scheme]
        known = {"walk_forward": ("test", "train", "step"), "holdout": ("test",), "none": ()}[self.scheme]
        for key in ("test", "train", "step"):
            text = getattr(self, key)
            if text is None and key in wanted:
                raise ValueError(f"{key}: is missing, {self.scheme} needs a length of time such as 6h")
            if text is not None and key not in known:
                raise ValueError(f"{key}: does not go with {self.scheme}")
            if text is not None and length_ns(key, text) == 0:
                raise ValueError(f'{key}: was "{text}", expected above 0')
        if self.anchored and self.scheme != "walk_forward":
            raise ValueError(f"anchored: does not go with {self.scheme}")
        self._check_gap()
        if self.step is not None and self.test is not None and self.step_ns < self.test_ns:
            raise ValueError(f"step: was {self.step}, expected at least test, {self.test}: windows count once")

    def _check_gap(self) -> None:
        if self.gap_ns and self.scheme == "none":
            raise ValueError("purge: does not go with none")

    @property
    def test_ns(self) -> int:
        """Length of the test window, ns."""
        return length_ns("test", self.test or "0s")

    @property
    def train_ns(self) -> int:
        """Length of the window that is searched, ns."""
        return length_ns("train", self.train or "0s")

    @property
    def step_ns(self) -> int:
        """From one window to the next, ns."""
        return self.test_ns if self.step is None else length_ns("step", self.step)

    @property
    def gap_ns(self) -> int:
        """What is left out between the windows, ns."""
        return length_ns("purge", self.purge) + length_ns("embargo", self.embargo)


def length_ns(key: str, text: str) -> int:
    """
    Return a length of time in nanoseconds.

    Raises
    ------
    ValueError
        If it is not a number with one of the units s, min, h and d.

    """
    match = _LENGTH.match(text)
    if match is None:
        raise ValueError(f'{key}: was "{text}", expected a length of time such as 90s, 30min, 6h or 2d')
    return round(float(match[1]) * _SECONDS[match[2]] * 1_000_000_000)
