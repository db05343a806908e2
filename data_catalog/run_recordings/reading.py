"""Recordings as their reader meets them: complete, cut off by a kill, or stopped by a full disk."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import msgspec

from bad_input import BadInput
from data_catalog.live_recording.raw_file import COMPLETE, OPEN, whole_lines
from data_catalog.run_recordings.rows import FOLDER, FORMAT, Row, Run

_decoder: msgspec.json.Decoder[Row] = msgspec.json.Decoder(Row)


def is_run_folder(path: Path) -> bool:
    """Return whether a path is the folder of a run that was recorded."""
    return (path / FOLDER).is_dir()


@dataclass(frozen=True)
class Recording:
    """
    The recording of a run.

    Parameters
    ----------
    folder : Path
        The run's folder.
    run : Run
        What ran.
    files : tuple of Path
        The files with its rows, in their order.

    """

    folder: Path
    run: Run
    files: tuple[Path, ...]

    def rows(self) -> Iterator[Row]:
        """
        Yield all rows but the first, as far as they can be read.

        Raises
        ------
        BadInput
            If a line is no row of this format; an unfinished last line is left out.

        """
        rows = _rows(self.files)
        next(rows)
        yield from rows


def open_recording(folder: Path) -> Recording:
    """
    Return the recording in a run's folder.

    Raises
    ------
    BadInput
        If there is none, or its first row is missing or of another format.

    """
    place = folder / FOLDER
    files = sorted(path for suffix in (OPEN, COMPLETE) for path in place.glob(f"*{suffix}"))
    if not files:
        raise BadInput(f"no recording: expected {FOLDER}/ with the files that run_live.py writes", file=folder)
    first = next(_rows(files), None)
    if not isinstance(first, Run):
        raise BadInput("the recording has no beginning: nothing was written before the run ended", file=files[0])
    if first.format != FORMAT:
        raise BadInput(f"was written in format {first.format}, this version reads {FORMAT}", file=files[0])
    return Recording(folder, first, tuple(files))


def _rows(files: tuple[Path, ...] | list[Path]) -> Iterator[Row]:
    for file in files:
        for number, line in enumerate(whole_lines(file), 1):
            try:
                yield _decoder.decode(line)
            except msgspec.DecodeError as error:
                raise BadInput(f"no row of a recording: {error}", file=file, line=number) from None
