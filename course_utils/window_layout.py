"""What a file of windows will hold, and what tells it from another: for files that are made over hours.

:class:`Layout` says which arrays there are. :func:`identity` adds where the windows come from, with a checksum of each
source, so that work that was broken off is gone on with only if nothing has changed. Explained in lesson 10.
"""

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from course_utils.checks import partners, said, whole
from course_utils.progress import progress_bar
from course_utils.windows import SPLITS, Place, WindowError

#: Windows of a batch and bytes of its windows: whichever is reached first.
BATCH, BATCH_BYTES = 64, 64 << 20

_BLOCK = 1 << 20  # bytes of a source that are read at once


@dataclass(frozen=True)
class Layout:
    """What a file of windows will hold.

    Attributes:
        counts: "train", "valid", "test" (or some of them) -> how many windows.
        length: bases of a window.
        bins: of a window; they divide the length.
        labels: T names.
        swap: for each track the number of its partner on the other strand, or None.
        places: for each split the places of its windows, or None.
        extras: for each split the names of further arrays ``(N, bins, T)`` float32; "rate" of "test" becomes the
            key ``test_rate``.

    Raises:
        WindowError: for parts that do not fit together (lesson 10).
    """

    counts: Mapping[str, int]
    length: int
    bins: int
    labels: tuple[str, ...]
    swap: tuple[int, ...] | None = None
    places: Mapping[str, tuple[Place, ...]] | None = None
    extras: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def __post_init__(self):
        if not self.counts or not set(self.counts) <= set(SPLITS):
            raise WindowError(f"the splits are {sorted(self.counts)}; some of {', '.join(SPLITS)} are expected")
        numbers = {"length": self.length, "number of bins": self.bins} | {
            f"number of {split} windows": count for split, count in self.counts.items()
        }
        for what, number in numbers.items():
            if whole(number) is None or number < 1:
                raise WindowError(f"the {what} is {said(number)}; a whole number from 1 up is expected")
        if self.length % self.bins:
            raise WindowError(f"a window of {self.length} bases cannot be divided into {self.bins} bins")
        if isinstance(self.labels, str) or not self.labels:
            raise WindowError(f"the labels are {self.labels!r}; a name for each track is expected")
        if self.swap is not None:
            try:
                partners(self.swap, len(self.labels))
            except ValueError as error:
                raise WindowError(str(error)) from None
        for split, places in (self.places or {}).items():
            if len(places) != self.counts.get(split):
                raise WindowError(f"{len(places)} places came for {self.counts.get(split, 0)} windows of {split}")
            for place in places:
                if place.end - place.start != self.length:
                    raise WindowError(f"the place {place} is not of the {self.length} bases of a window")

    @property
    def batch(self) -> int:
        """Windows that are made at a time: they always start at a multiple of it."""
        window = 4 * self.length + 2 * self.bins * len(self.labels)
        return max(1, min(BATCH, BATCH_BYTES // window))

    def arrays(self) -> dict[str, tuple[tuple[int, ...], np.dtype]]:
        """The large arrays: key -> shape and type."""
        found = {}
        for split, count in self.counts.items():
            tracks = (count, self.bins, len(self.labels))
            found[f"{split}_in"] = (count, self.length, 4), np.dtype(bool)
            found[f"{split}_out"] = tracks, np.dtype("<f2")
            for name in self.extras.get(split, ()):
                found[f"{split}_{name}"] = tracks, np.dtype("<f4")
        return found

    def lists(self) -> dict[str, np.ndarray]:
        """The small ones, which are written at once: key -> values."""
        found = {"target_labels": np.array([label.encode() for label in self.labels])}
        if self.swap is not None:
            found["target_swap"] = np.array(self.swap)
        for split, places in (self.places or {}).items():
            found[f"{split}_places"] = np.array([str(place).encode() for place in places])
        return found


# --- what tells a file from another --------------------------------------------------------------


def identity(layout: Layout, manifest: Mapping, checksums: dict[str, str], *, progress: bool = True) -> dict:
    """All that makes a file this one: where its windows come from, and what it holds, as JSON reads it back.

    Args:
        layout: of the file.
        manifest: what JSON can say, and `Path` for sources: in their place come name, size and checksum.
        checksums: of files that were read before; new ones are added, and none is found twice.
        progress: whether to show a progress bar while files are read.

    Raises:
        WindowError: for a manifest that cannot be written as JSON.
        FileNotFoundError: if a source is missing (lesson 10).
    """
    _sum_up({value for _, value in _leaves(manifest) if isinstance(value, Path)}, checksums, progress)

    def source(value):
        if not isinstance(value, Path):
            return json.JSONEncoder().default(value)  # says what it cannot write
        return {"name": value.name, "bytes": value.stat().st_size, "sha256": checksums[_stamp(value)]}

    holds = {key: _held(key, values) for key, values in layout.lists().items()}
    holds |= {key: f"{shape} {dtype}" for key, (shape, dtype) in layout.arrays().items()}
    try:
        return json.loads(json.dumps({"manifest": manifest, "holds": holds}, default=source))
    except (TypeError, ValueError) as error:
        raise WindowError(f"the manifest cannot be written as JSON: {error}") from None


def identity_of(path: Path) -> dict | None:
    """The identity of a file that is whole; None if it is no file of windows with a manifest."""
    import h5py

    try:
        with h5py.File(path, "r") as file:
            holds = {key: _held(key, data) for key, data in file.items() if key != "manifest"}
            return {"manifest": json.loads(file["manifest"][()]), "holds": holds}
    except (OSError, RuntimeError, KeyError, ValueError, TypeError, AttributeError):
        return None


def _held(key: str, data) -> str | list:
    """What a key of a file holds, in short: lists as they are, places as a checksum, a large array by its shape."""
    if data.ndim > 1:
        return f"{data.shape} {data.dtype}"
    values = [value.decode() if isinstance(value, bytes) else value for value in data[:].tolist()]
    if not key.endswith("_places"):
        return values
    return f"{len(values)} places, checksum {hashlib.sha256(' '.join(values).encode()).hexdigest()[:16]}"


def difference(then: Mapping, now: Mapping) -> str | None:
    """The first thing that differs, in words; who made it may differ."""
    then, now = dict(_leaves(then)), dict(_leaves(now))
    absent = "not there"
    for name in [*now, *then]:
        before, after = then.get(name, absent), now.get(name, absent)
        if before == after or name == ("manifest", "made_by"):
            continue
        source = now.get((*name[:-1], "name"))
        if name[-1] in ("bytes", "sha256") and source:
            return f"{source} has changed since"
        return f"{'.'.join(name[1:])} was {said(before)} and is {said(after)}"
    return None


def _leaves(value, name: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], object]]:
    parts = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    if not parts or not value:
        yield name, value
        return
    for key, part in parts:
        yield from _leaves(part, (*name, str(key)))


def _sum_up(paths: Iterable[Path], checksums: dict[str, str], progress: bool) -> None:
    """Find the checksums that are not known yet."""
    new = [path for path in sorted(paths) if _stamp(path) not in checksums]
    bar = progress_bar(sum(-(-path.stat().st_size // _BLOCK) for path in new), wanted=progress)
    bar.set_description_str("checksums", refresh=False)
    with bar:
        for path in new:
            stamp, digest = _stamp(path), hashlib.sha256()
            with open(path, "rb") as file:
                while block := file.read(_BLOCK):
                    digest.update(block)
                    bar.update()
            checksums[stamp] = digest.hexdigest()


def _stamp(path: Path) -> str:
    """Tells a file from another, and from itself before a change, without reading it."""
    status = path.stat()
    return f"{status.st_size} {status.st_mtime_ns} {path.absolute()}"
