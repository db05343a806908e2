"""Progress bars of a download and of the import that follows it, on stderr."""

from pathlib import Path
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.filesize import decimal
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

from data_catalog.archive.download import Fetched
from data_catalog.archive.index import ArchiveFile


class DownloadProgress:
    """
    A bar for all files and one for each that is on its way; used as a context manager.

    They disappear when they are done, and are not drawn at all where stderr is no terminal.
    """

    def __init__(self) -> None:
        columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.fields[detail]}"))
        console = Console(stderr=True)
        self._bars = Progress(
            *columns, TimeRemainingColumn(), console=console, transient=True, disable=not console.is_terminal
        )
        self._all: TaskID | None = None
        self._files: dict[ArchiveFile, TaskID] = {}
        self._expected = 0
        self._done = 0

    def __enter__(self) -> Self:
        self._bars.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bars.stop()

    def expect(self, files: int) -> None:
        """Add files to those to be downloaded."""
        self._expected += files
        if self._all is None:
            self._all = self._bars.add_task("downloading", detail="")
        self._show_count()

    def on_bytes(self, file: ArchiveFile, done: int, total: int | None) -> None:
        """Show how far a file is."""
        if file not in self._files:
            self._files[file] = self._bars.add_task(f"  {file.name}", total=total, detail="")
        detail = f"{decimal(done)} of {decimal(total)}" if total is not None else decimal(done)
        self._bars.update(self._files[file], completed=done, total=total, detail=detail)

    def on_file(self, fetched: Fetched) -> None:
        """Count a file as done."""
        self._done += 1
        if (task := self._files.pop(fetched.file, None)) is not None:
            self._bars.remove_task(task)
        self._show_count()

    def importing(self, paths: list[Path]) -> None:
        """Go on with importing files."""
        self._expected, self._done = sum(path.stat().st_size for path in paths), 0
        if self._all is not None:
            self._bars.remove_task(self._all)
        self._all = self._bars.add_task("importing", total=self._expected, detail="")

    def on_imported(self, number: int) -> None:
        """Count bytes as imported."""
        assert self._all is not None
        self._bars.advance(self._all, number)

    def _show_count(self) -> None:
        if self._all is not None:
            detail = f"{self._done} of {self._expected} files"
            self._bars.update(self._all, completed=self._done, total=self._expected, detail=detail)
