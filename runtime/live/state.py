"""What strategies and actors keep over a restart, in a file that is replaced in one step: a kill leaves it whole."""

import os
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path

import msgspec
from nautilus_trader.common.actor import Actor

from bad_input import BadInput


class KeptState:
    """
    The file with what each strategy and actor keeps, by its id.

    Parameters
    ----------
    folder : Path
        Where; it need not exist.

    """

    def __init__(self, folder: Path) -> None:
        self.file = folder / "kept.json"
        self._written: bytes | None = None

    def load(self, parts: Iterable[Actor], *, unbroken: bool) -> dict[str, dict[str, str]]:
        """
        Give each part what it has kept, and return it; BadInput as `read`.

        With `unbroken` each is told under that key that the run did not end as it was asked to: this one is the same
        run, on whichever day.
        """
        kept = self.read()
        if unbroken:
            kept = {name: values | {"unbroken": "1"} for name, values in kept.items()}
        give(parts, kept)
        return kept

    def save(self, parts: Iterable[Actor]) -> None:
        """Keep what each part wants to be kept, if that has changed."""
        states = {part.id.value: part.on_save() for part in parts}
        texts = {name: {key: value.decode() for key, value in state.items()} for name, state in states.items() if state}
        content = msgspec.json.format(msgspec.json.encode(texts), indent=2)
        if texts and content != self._written:
            self.file.parent.mkdir(parents=True, exist_ok=True)
            with tempfile.NamedTemporaryFile(dir=self.file.parent, delete=False) as stream:
                stream.write(content)
                stream.flush()
                os.fsync(stream.fileno())
            Path(stream.name).replace(self.file)
            self._written = content

    def forget(self) -> None:
        """Let everything start as if it had never run."""
        self.file.unlink(missing_ok=True)

    def read(self) -> dict[str, dict[str, str]]:
        """
        Return what the file says.

        Raises
        ------
        BadInput
            If it is damaged: nobody knows what inventories and losses were counted from.

        """
        try:
            return msgspec.json.decode(self.file.read_bytes(), type=dict[str, dict[str, str]])
        except FileNotFoundError:
            return {}
        except (OSError, msgspec.DecodeError) as error:
            raise BadInput(f"cannot be read: {error}", file=self.file, hint="--fresh starts without it") from None


def give(parts: Iterable[Actor], values: Mapping[str, Mapping[str, str]]) -> None:
    """Give each part what is meant for it, by its id."""
    for part in parts:
        if mine := values.get(part.id.value):
            part.load({key: value.encode() for key, value in mine.items()})
