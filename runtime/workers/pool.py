"""
A pool of spawned processes in which a process that dies costs one call, which is made again elsewhere.

The pools of the standard library lose everything that is queued when one of their processes dies.
"""

import os
import pickle
import signal
from collections.abc import Callable
from concurrent.futures import Executor, Future
from multiprocessing import get_context, resource_tracker
from multiprocessing.connection import Connection
from multiprocessing.context import SpawnProcess
from queue import Empty, SimpleQueue
from threading import Lock, Thread
from types import TracebackType
from typing import Any, Final

from command_line import Failed
from runtime.workers.process import Answer, Call, serve

RETRIES: Final = 2
"""How often a call is made again whose process died."""

_SPAWN = get_context("spawn")  # a forked process could hang in the engine's threads
_ENDS_WITHIN_SECS = 5.0


class WorkerDied(Failed):
    """The process of a call died again and again; the call has no result."""


class WorkerPool(Executor):
    """
    Processes that make calls; an executor of `concurrent.futures`.

    Leaving its `with` block by an exception (Ctrl-C too) ends the processes at once, otherwise when all calls are made.
    Processes start with the first calls; they end when this process ends, however it ends.

    Parameters
    ----------
    workers : int, optional
        How many; one per processor where left out.
    retries : int
        How often a call is made again whose process died, each time by a new process.

    """

    def __init__(self, workers: int | None = None, retries: int = RETRIES) -> None:
        self.workers = workers or os.cpu_count() or 1
        self.deaths = 0
        self._retries = retries
        self._waiting: SimpleQueue[tuple[Future[Any], Call] | None] = SimpleQueue()
        self._lock = Lock()
        self._processes: set[SpawnProcess] = set()
        self._closed = self._ended = False
        resource_tracker.ensure_running()  # here, so that no later start of it lets Ctrl-C through to a new process
        self._threads = [Thread(target=self._attend, daemon=True) for _ in range(self.workers)]
        for thread in self._threads:
            thread.start()

    @property
    def pids(self) -> list[int]:
        """The processes that run now."""
        with self._lock:
            return [process.pid for process in self._processes if process.pid is not None]

    def submit[**P, R](self, fn: Callable[P, R], /, *args: P.args, **kwargs: P.kwargs) -> Future[R]:
        """Make a call in one of the processes; function, arguments and result must be picklable."""
        if self._closed:
            raise RuntimeError("the pool is closed")
        future: Future[R] = Future()
        self._waiting.put((future, (fn, args, kwargs)))
        return future

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Take no more calls, and end the processes when those that are waiting are made (or cancelled)."""
        if cancel_futures:
            self._cancel_waiting()
        if not self._closed:
            self._closed = True
            for _ in self._threads:
                self._waiting.put(None)
        if wait:
            for thread in self._threads:
                thread.join()

    def end(self) -> None:
        """End the processes at once; calls without a result are cancelled or raise `WorkerDied`."""
        with self._lock:
            self._ended = True
            for process in self._processes:
                process.terminate()
        self.shutdown(cancel_futures=True)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is not None:
            self.end()
            return
        try:
            self.shutdown()
        except BaseException:
            self.end()
            raise

    def _cancel_waiting(self) -> None:
        ends = 0
        while True:
            try:
                item = self._waiting.get_nowait()
            except Empty:
                break
            if item is None:
                ends += 1
            else:
                item[0].cancel()
        for _ in range(ends):
            self._waiting.put(None)

    def _attend(self) -> None:
        """Keep one process busy: what each thread of the pool does."""
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})  # for the processes started here, from the first
        worker: _Worker | None = None
        while (item := self._waiting.get()) is not None:
            future, call = item
            if not future.set_running_or_notify_cancel():
                continue
            answer: Answer = None, None
            try:
                worker, packed = self._ask(worker, pickle.dumps(call, pickle.HIGHEST_PROTOCOL))
                answer = pickle.loads(packed)
            except WorkerDied as error:
                worker, answer = None, (None, error)
            except Exception as error:  # noqa: BLE001 (raised where the result is asked for)
                answer = None, error
            result, raised = answer
            if raised is None:
                future.set_result(result)
            else:
                future.set_exception(raised)
        if worker is not None:
            self._dismiss(worker)

    def _ask(self, worker: "_Worker | None", request: bytes) -> "tuple[_Worker, bytes]":
        """Return the answer to a request and the worker that gave it, which is a new one if the first one died."""
        for _ in range(self._retries + 1):
            if worker is None:
                worker = self._start()
            try:
                return worker, worker.ask(request)
            except (EOFError, OSError):
                self._dismiss(worker)
                worker = None
                if self._ended:
                    raise WorkerDied("its process was ended") from None
                self.deaths += 1
        raise WorkerDied(
            f"its process died {self._retries + 1} times; it may have run out of memory: use fewer workers"
        )

    def _start(self) -> "_Worker":
        with self._lock:
            if self._ended:
                raise WorkerDied("its process was ended")
            worker = _Worker()
            self._processes.add(worker.process)
            return worker

    def _dismiss(self, worker: "_Worker") -> None:
        worker.connection.close()
        worker.process.join(_ENDS_WITHIN_SECS)
        if worker.process.is_alive():
            worker.process.kill()
            worker.process.join()
        with self._lock:
            self._processes.discard(worker.process)


class _Worker:
    """One process and the line to it."""

    def __init__(self) -> None:
        self.connection: Connection[bytes, bytes]
        self.connection, theirs = _SPAWN.Pipe()
        self.process = _SPAWN.Process(target=serve, args=(theirs,), daemon=True)
        self.process.start()
        theirs.close()  # or the end of the process would not be the end of the line

    def ask(self, request: bytes) -> bytes:
        self.connection.send_bytes(request)
        return self.connection.recv_bytes()
