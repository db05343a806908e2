"""What a worker process does: one call after the other, until its parent has no more or is gone."""

import gc
import os
import pickle
import signal
from collections.abc import Callable
from multiprocessing import parent_process
from multiprocessing.connection import Connection
from threading import Thread
from typing import Any

type Call = tuple[Callable[..., Any], tuple[Any, ...], dict[str, Any]]
type Answer = tuple[Any, BaseException | None]
"""A call's result, or what it raised."""


def serve(connection: Connection) -> None:
    """
    Answer the calls that come through `connection` until it is closed.

    Ctrl-C in a terminal reaches every process: the parent hears it and ends this one.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    Thread(target=_end_with_parent, daemon=True).start()
    gc.freeze()
    while True:
        try:
            request = connection.recv_bytes()
        except EOFError:
            return
        connection.send_bytes(_packed(_answer(request)))


def _answer(request: bytes) -> Answer:
    try:
        function, args, kwargs = pickle.loads(request)
        return function(*args, **kwargs), None
    except Exception as error:  # noqa: BLE001 (raised again in the parent)
        return None, error


def _packed(answer: Answer) -> bytes:
    try:
        return pickle.dumps(answer, pickle.HIGHEST_PROTOCOL)
    except Exception as error:  # noqa: BLE001 (what cannot be sent is told)
        told = RuntimeError(f"the answer of a worker could not be sent: {error} ({answer[1] or type(answer[0])})")
        return pickle.dumps((None, told))


def _end_with_parent() -> None:
    parent = parent_process()
    assert parent is not None
    parent.join()
    os._exit(1)
