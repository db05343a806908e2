"""The `live:` section of a setup: what is done at the start, how long is waited, and where state is kept."""

import re
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

type Seconds = Annotated[int, Meta(ge=1, le=3_600)]

_LOOPBACK = re.compile(r"^http://(127\.0\.0\.1|localhost|\[::1\]):\d{1,5}$")
_REDIS = re.compile(r"^[\w.-]+:\d{1,5}$")


class LiveSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """
    How the setup is traded. Keys come from the environment of the process and never stand in a setup.

    Parameters
    ----------
    account : {"spot", "usdm_futures"}, optional
        The account that it trades on; what the instruments say where left out.
    leverage : int, optional
        Futures: the leverage that the venue must be set to; `backtest.leverage` where left out.
    own_orders_at_start : {"cancel", "refuse"}, default "cancel"
        Open orders that an earlier run of this setup left behind are cancelled, or keep it from starting.
    other_orders_at_start : {"refuse", "ignore"}, default "refuse"
        Open orders of anybody else on the traded symbols keep it from starting, or are left alone.
    positions_at_start : {"refuse", "adopt"}, default "refuse"
        Futures: a position on a traded symbol keeps it from starting, or becomes the position of the strategy.
    max_clock_skew_ms : int, default 1000
        How far this machine's clock may be from the venue's.
    recv_window_ms : int, default 5000
        For how long after its time the venue may accept an order.
    start_timeout_secs : int, default 60
        Strategies must be running by then.
    stop_timeout_secs : int, default 30
        The process ends by then, whatever hangs; what is left on the venue is said.
    sweep_timeout_secs : int, default 20
        For how long own orders are looked for and cancelled at the end.
    heartbeat_timeout_secs : int, default 15
        A trading process that says nothing for so long is killed by its supervisor, which cancels its orders.
    dead_man_secs : int, default 60
        Futures: the venue itself cancels all orders of a symbol, the user's own included, when it has heard nothing for
        so long. 0 leaves that out.
    user_stream_timeout_secs : int, default 60
        Without the account's events no quotes stand; after so long the system stops.
    reconcile_secs : int, default 5
        How often open orders are compared with the venue's.
    books_check_secs : int, default 30
        How often stray orders, balances and positions are compared with the venue's.
    redis : str, optional
        `HOST:PORT` of a Redis that keeps orders and positions as well; its password comes from BALLAST_REDIS_PASSWORD.
    local_url : str, optional
        An exchange on this machine, such as `http://127.0.0.1:9099`, in place of Binance.

    """

    account: Literal["spot", "usdm_futures"] | None = None
    leverage: Annotated[int, Meta(ge=1, le=125)] | None = None
    own_orders_at_start: Literal["cancel", "refuse"] = "cancel"
    other_orders_at_start: Literal["refuse", "ignore"] = "refuse"
    positions_at_start: Literal["refuse", "adopt"] = "refuse"
    max_clock_skew_ms: Annotated[int, Meta(ge=1, le=60_000)] = 1_000
    recv_window_ms: Annotated[int, Meta(ge=100, le=60_000)] = 5_000
    start_timeout_secs: Seconds = 60
    stop_timeout_secs: Seconds = 30
    sweep_timeout_secs: Seconds = 20
    heartbeat_timeout_secs: Seconds = 15
    dead_man_secs: Annotated[int, Meta(ge=0, le=3_600)] = 60
    user_stream_timeout_secs: Seconds = 60
    reconcile_secs: Seconds = 5
    books_check_secs: Seconds = 30
    redis: str | None = None
    local_url: str | None = None

    def __post_init__(self) -> None:
        """
        Check what no single bound can.

        Raises
        ------
        ValueError
            As `key: problem`.

        """
        if self.local_url is not None and not _LOOPBACK.match(self.local_url):
            raise ValueError(f'local_url: was "{self.local_url}", expected an address such as http://127.0.0.1:9099')
        if self.redis is not None and not _REDIS.match(self.redis):
            raise ValueError(f'redis: was "{self.redis}", expected HOST:PORT such as 127.0.0.1:6379')
        if 0 < self.dead_man_secs < 5:
            raise ValueError(f"dead_man_secs: was {self.dead_man_secs}, expected at least 5, or 0 for none")
