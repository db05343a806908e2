"""Watches the stream of the account's events: a system that does not hear its fills must not quote."""

import asyncio
import time
from collections.abc import Callable
from decimal import Decimal
from typing import Any, Final

from nautilus_trader.common.component import LiveClock, MessageBus

from messages.risk import ACCOUNT, ALARM_TOPIC, RiskAlarm
from models.risk_limits import Breach
from runtime.live.stopping import Ending
from runtime.risk.settings import USER_STREAM_RULE

_LOOK_SECS: Final = 0.5
_PATIENCE_SECS: Final = 3.0
_ATTEMPT_SECS: Final = 15.0


def hears_events(client: Any) -> bool:
    """Return whether events of the account can arrive at a client of the adapter."""
    stream = client._ws_client
    if stream.subscription_id is None:
        return False
    sockets = [stream._client] if not stream._is_futures else [stream._stream_client]
    return all(socket is not None and socket.is_active() for socket in sockets)


class UserStreamWatch:
    """
    Withdraws quotes while the stream is gone, brings it back where the adapter has given up, and stops after a while.

    Parameters
    ----------
    client : BinanceCommonExecutionClient
        Whose stream.
    bus : MessageBus
        Where the kill switch listens.
    ending : Ending
        Ends the session.
    timeout_secs : float
        When to give up.
    say : callable
        Tells the user.

    """

    def __init__(
        self,
        client: Any,
        bus: tuple[MessageBus, LiveClock],
        ending: Ending,
        timeout_secs: float,
        say: Callable[[str], None],
    ) -> None:
        self._client = client
        self._msgbus, self._clock = bus
        self._ending = ending
        self._timeout_secs = timeout_secs
        self._say = say
        self._lost_at: float | None = None

    async def run(self) -> None:
        """Look until the end begins."""
        while self._ending.started is None:
            await self._look()
            await asyncio.sleep(_LOOK_SECS)

    async def _look(self) -> None:
        now = time.monotonic()
        if self.is_alive():
            if self._lost_at is not None:
                self._say(f"the account's events are heard again, after {now - self._lost_at:.1f} s")
                self._alarm(now - self._lost_at, over=True)
                self._lost_at = None
            return
        if self._lost_at is None:
            self._lost_at = now
            self._say("the account's events are not heard: quotes are withdrawn")
            self._alarm(0.0, over=False)
        elif now - self._lost_at > self._timeout_secs:
            self._ending.fail(f"the account's events were not heard for {self._timeout_secs:.0f} s")
        elif now - self._lost_at > _PATIENCE_SECS and self._has_given_up():
            await self._bring_back()

    def is_alive(self) -> bool:
        """Return whether events can arrive."""
        return hears_events(self._client)

    def _has_given_up(self) -> bool:
        """Return whether the adapter does nothing about it any more."""
        stream = self._client._ws_client
        if stream._recovery_lock.locked():
            return False
        return stream._is_recovery_failed or (stream.subscription_id is None and not stream._ws_api_reconnecting())

    async def _bring_back(self) -> None:
        """Connect, log on and subscribe anew, and have everything compared that happened meanwhile."""
        stream = self._client._ws_client
        try:
            async with asyncio.timeout(_ATTEMPT_SECS), stream._recovery_lock:
                await stream.disconnect()
                await stream.connect()
                if not stream._use_rest_listen_key:
                    await stream.session_logon()
                await stream.subscribe_user_data_stream(pre_dispatch_hook=self._client._reconcile_after_resubscribe)
        except Exception as error:  # noqa: BLE001 (the adapter raises whatever; the next look tries again)
            self._say(f"the account's events could not be brought back yet: {error}")

    def _alarm(self, secs: float, *, over: bool) -> None:
        breach = Breach(USER_STREAM_RULE, Decimal(round(secs, 1)), Decimal(0))
        alarm = RiskAlarm(ts_ns=self._clock.timestamp_ns(), scope=ACCOUNT, breach=breach, latched=False, over=over)
        self._msgbus.publish(ALARM_TOPIC, alarm)
