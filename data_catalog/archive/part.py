"""A file that is being downloaded."""

from pathlib import Path

import msgspec


class _Mark(msgspec.Struct, frozen=True):
    """Which file the bytes belong to: the checksum it must have, and the server's tag of this version of it."""

    sha256: str
    etag: str


class PartFile:
    """
    The bytes of a file as far as they have arrived, kept from one run to the next.

    They lie next to `target` as `<name>.part`, and `<name>.part.json` says of which version of the file they are.
    Bytes of another version, or of none that is known, are thrown away.

    Parameters
    ----------
    target : Path
        Where the file goes when it is complete.
    sha256 : str
        The checksum that it must have.

    """

    def __init__(self, target: Path, sha256: str) -> None:
        self._target = target
        self._sha256 = sha256
        self.path = target.with_name(f"{target.name}.part")
        self._mark_path = target.with_name(f"{target.name}.part.json")
        self._etag = ""
        mark = self._read_mark()
        if mark is None or mark.sha256 != sha256:
            self.discard()
        else:
            self._etag = mark.etag

    @property
    def size(self) -> int:
        """How many bytes are there."""
        return self.path.stat().st_size if self.path.exists() else 0

    def range_headers(self) -> dict[str, str]:
        """Return the headers that ask for what is missing, on condition that the file has not changed."""
        if self.size == 0:
            return {}
        condition = {"If-Range": self._etag} if self._etag else {}
        return {"Range": f"bytes={self.size}-"} | condition

    def start_over(self, etag: str | None) -> None:
        """Throw away all bytes; those to come are of the version `etag`, if the server says which."""
        self.discard()
        # A weak tag does not promise equal bytes; the checksum has the last word anyway.
        self._etag = etag if etag and not etag.startswith("W/") else ""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self._mark_path.write_bytes(msgspec.json.encode(_Mark(self._sha256, self._etag)))
        self.path.touch()

    def discard(self) -> None:
        """Throw away all bytes."""
        self.path.unlink(missing_ok=True)
        self._mark_path.unlink(missing_ok=True)

    def finish(self) -> Path:
        """Make this the complete file and return its path."""
        self.path.replace(self._target)
        self._mark_path.unlink(missing_ok=True)
        return self._target

    def _read_mark(self) -> _Mark | None:
        try:
            return msgspec.json.decode(self._mark_path.read_bytes(), type=_Mark)
        except (FileNotFoundError, msgspec.DecodeError):
            return None
