"""Files that are written whole or not at all (lesson 04)."""

import io
import os
from contextlib import suppress
from pathlib import Path


def write_whole(path: str | Path, content: str | bytes | memoryview, what: str = "it") -> None:
    """Write a file beside its place, and rename it when it is whole; a missing folder is made.

    Args:
        content: text, written as UTF-8 with its line ends as they are, or bytes.
        what: the name of the thing in the message of an error.

    Raises:
        OSError: if it cannot be written, as on a full disk; an earlier file stays as it was, and nothing
            beside it (lesson 04).
    """
    path = Path(path)
    beside = path.with_name(f"{path.name}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with open(beside, "wb") as file:
            file.write(content.encode() if isinstance(content, str) else content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(beside, path)
    except OSError as error:
        _remove(beside)
        reason = f"{error.strerror}; {what} was not written, and an earlier one stays as it was"
        raise OSError(error.errno, reason, str(path)) from None
    except BaseException:  # an interruption
        _remove(beside)
        raise


class KeptFile(io.FileIO):
    """A file that keeps the error of a failed writing for later: HDF5 cannot bear one, and crashes Python."""

    error: OSError | None = None

    def write(self, data) -> int:
        rest = memoryview(data).cast("B")
        try:
            while rest and self.error is None:
                rest = rest[super().write(rest) :]
        except OSError as error:
            self.error = error
        return len(memoryview(data).cast("B"))

    def truncate(self, size: int | None = None) -> int:
        try:
            return super().truncate(size) if self.error is None else size
        except OSError as error:
            self.error = error
            return size

    def check(self) -> None:
        if self.error is not None:
            raise self.error


def _remove(path: Path) -> None:
    with suppress(OSError):
        path.unlink()
