"""Real servers for tests: PostgreSQL from Debian's binaries, and a Dask scheduler with two workers, on the loopback."""

import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

_NOBODY = 65534


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _binaries() -> Path:
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    on_path = shutil.which("initdb")
    if not found and on_path is None:
        pytest.skip("no PostgreSQL server here: neither in /usr/lib/postgresql nor on the PATH")
    return found[-1].parent if found else Path(str(on_path)).parent


def _as_somebody() -> list[str]:
    """PostgreSQL refuses to be run by root."""
    if os.getuid() != 0:
        return []
    return ["setpriv", f"--reuid={_NOBODY}", f"--regid={_NOBODY}", "--clear-groups"]


@contextmanager
def postgres() -> Iterator[str]:
    """Yield the URL of an empty database of a server that lives as long as the block."""
    binaries, port, user = _binaries(), free_port(), _as_somebody()
    with TemporaryDirectory(prefix="postgres-") as folder:
        if user:
            os.chown(folder, _NOBODY, _NOBODY)
        initdb = [*user, str(binaries / "initdb"), "-D", folder, "-U", "sweeper", "-A", "trust", "--no-sync"]
        subprocess.run(initdb, check=True, capture_output=True, cwd="/")
        settings = f"-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories= -c fsync=off"
        control = [*user, str(binaries / "pg_ctl"), "-D", folder, "-w", "-l", f"{folder}/log"]
        subprocess.run([*control, "-o", settings, "start"], check=True, stdout=subprocess.DEVNULL, cwd="/")
        try:
            yield f"postgresql+psycopg://sweeper@127.0.0.1:{port}/postgres"
        finally:
            subprocess.run([*control, "-m", "immediate", "stop"], check=True, stdout=subprocess.DEVNULL, cwd="/")


@contextmanager
def dask_cluster(project: Path) -> Iterator[str]:
    """Yield the address of a scheduler that has two workers of one thread each."""
    address = f"tcp://127.0.0.1:{free_port()}"
    environment = {**os.environ, "PYTHONPATH": str(project)}
    common = [sys.executable, "-m", "distributed.cli"]
    commands = [
        ["dask_scheduler", "--host", address, "--no-dashboard", "--no-show"],
        *[["dask_worker", address, "--nthreads", "1", "--no-nanny", "--no-dashboard", "--memory-limit", "0"]] * 2,
    ]
    processes = [
        subprocess.Popen(
            [*common[:2], f"{common[2]}.{module}", *arguments],
            env=environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        for module, *arguments in commands
    ]
    try:
        yield address
    finally:
        for process in processes:
            process.kill()  # asked to end, a worker waits for its scheduler, and may do so for half a minute
            process.wait()
