"""How the command line says that a sweep is to be run."""

from dataclasses import dataclass
from pathlib import Path

from bad_input import BadInput


@dataclass(frozen=True)
class SweepOptions:
    """
    How a sweep is run; nothing here changes its trials.

    Parameters
    ----------
    workers : int, optional
        Processes of this machine; one per processor where left out.
    cluster : str, optional
        The address of a Dask scheduler that runs the trials instead.
    storage : str, optional
        The URL of a database that several parents share; a file beside the results where left out.
    resume : bool
        Go on with a sweep that was interrupted, or join one that others work on.
    write_best : Path, optional
        Where the setup of the winner is written, besides the results folder.

    """

    workers: int | None = None
    cluster: str | None = None
    storage: str | None = None
    resume: bool = False
    write_best: Path | None = None

    def refuse(self) -> None:
        """
        Refuse what only a sweep has.

        Raises
        ------
        BadInput
            For the first option that was given.

        """
        for name in ("workers", "cluster", "storage", "resume", "write_best"):
            if getattr(self, name):
                only = "a sweep file, --fill-ladder or --check-lookahead" if name == "workers" else "a sweep file alone"
                raise BadInput(f"goes with {only}", key=f"--{name.replace('_', '-')}")
