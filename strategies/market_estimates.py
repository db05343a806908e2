"""What a maker knows of its market: volatility and flow, estimated while it runs or fixed by the setup."""

from models.online_intensity import OnlineIntensity
from models.volatility import TimeDecayedVariance

_BPS = 1e-4
_NS = 1e-9


class MarketEstimates:
    """
    Volatility in basis points per square root of a second, and A and k of the flow of market orders.

    Parameters
    ----------
    volatility_window_secs : float
        Memory of the volatility.
    intensity_window_secs : float
        Memory of the flow.
    sigma_bps : float, optional
        Fixes the volatility, in bps per square root of a second.
    intensity_per_s : float, optional
        Fixes A: market orders per second on each side.
    kappa_per_bps : float, optional
        Fixes k: how fast the flow thins out with the distance from the mid.
    min_depth_bps : float, default 0
        Market orders that end nearer to the mid than this are left out of the flow.

    """

    def __init__(
        self,
        *,
        volatility_window_secs: float,
        intensity_window_secs: float,
        sigma_bps: float | None = None,
        intensity_per_s: float | None = None,
        kappa_per_bps: float | None = None,
        min_depth_bps: float = 0.0,
    ) -> None:
        self._fixed_sigma_bps = sigma_bps
        self._fixed_intensity = intensity_per_s
        self._fixed_kappa = kappa_per_bps
        self._variance = TimeDecayedVariance(volatility_window_secs)
        self._intensity_window_secs = intensity_window_secs
        self._min_depth_bps = min_depth_bps
        self._flow = OnlineIntensity(intensity_window_secs, step=1.0)
        self._mid = 0.0

    @property
    def needs_trades(self) -> bool:
        """Whether A or k is estimated."""
        return self._fixed_intensity is None or self._fixed_kappa is None

    def on_mid(self, mid: float, now_ns: int) -> None:
        """Take in a new mid, in ticks."""
        if not self._mid:
            min_depth = self._min_depth_bps * mid * _BPS
            self._flow = OnlineIntensity(self._intensity_window_secs, step=1.0, min_depth=min_depth)
        self._mid = mid
        if self._fixed_sigma_bps is None:
            self._variance.update(mid, now_ns * _NS)

    def on_trade(self, price: float, touch: tuple[int, int], is_buyer: bool, now_ns: int) -> None:
        """Take in a trade and the touch before it, in ticks."""
        self._flow.update(price, touch[0], touch[1], is_buyer, now_ns * _NS)

    @property
    def sigma_bps(self) -> float | None:
        """Volatility in bps per square root of a second; None before it has seen a window."""
        if self._fixed_sigma_bps is not None:
            return self._fixed_sigma_bps
        return self._variance.sigma / (self._mid * _BPS) if self._variance.ready else None

    @property
    def kappa_per_bps(self) -> float | None:
        """The decay of the flow k, per bp; None before enough market orders were seen."""
        if self._fixed_kappa is not None:
            return self._fixed_kappa
        return self._flow.kappa * self._mid * _BPS if self._flow.ready else None

    @property
    def intensity_per_s(self) -> float | None:
        """A, market orders per second on each side; None before enough were seen."""
        if self._fixed_intensity is not None:
            return self._fixed_intensity
        return self._flow.intensity_a if self._flow.ready else None
