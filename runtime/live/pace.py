"""How fast time passes: as on the machine's clock, or in a rehearsal so many times as fast, for everybody alike."""

import time
from dataclasses import dataclass
from typing import Final

_MAX_WINDOW_MS: Final = 60_000


@dataclass(frozen=True)
class Pace:
    """
    The time of a run. The exchange of a rehearsal, the engine's clocks and every request go by it.

    Parameters
    ----------
    speed : float
        Seconds of the run per second of the machine, above 0.
    begun_ns : int
        When both clocks showed the same, UNIX ns.

    """

    speed: float = 1.0
    begun_ns: int = 0

    @classmethod
    def from_now(cls, speed: float) -> "Pace":
        """Return a time that leaves the machine's now."""
        return cls(speed, time.time_ns())

    @property
    def is_real(self) -> bool:
        """Whether it is the machine's time."""
        return self.speed == 1.0

    def now_ns(self) -> int:
        """Return the time, UNIX ns."""
        return self.of_machine(time.time_ns())

    def of_machine(self, machine_ns: int) -> int:
        """Return the time at a time of the machine's clock."""
        return machine_ns if self.is_real else self.begun_ns + round((machine_ns - self.begun_ns) * self.speed)

    def to_machine(self, time_ns: int) -> int:
        """Return when the machine's clock shows it."""
        return time_ns if self.is_real else self.begun_ns + round((time_ns - self.begun_ns) / self.speed)

    def machine_secs(self, seconds: float) -> float:
        """Return how long a time takes on the machine's clock."""
        return seconds / self.speed

    def window_ms(self, window_ms: int) -> int:
        """Return a window of that many milliseconds of the machine, as long as the venue allows it."""
        return min(_MAX_WINDOW_MS, round(window_ms * max(1.0, self.speed)))


REAL: Final = Pace()
"""The machine's time."""
