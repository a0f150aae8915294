"""A large HDF5 file of windows, made batch by batch: after a break, even a power cut, it is gone on with.

:func:`course_utils.hdf5_windows.write_windows` writes what is in memory. Here the number of windows is known and the
windows come in batches:

1. ``NAME.part`` is made as an HDF5 file in which every array has its place, so that it is a file like any other from
   then on, whose large arrays are not filled yet. HDF5 is not needed any more: its part is never touched again.
2. The disk's room is reserved, so that a disk too small is told at once, not after hours.
3. Each batch is written where it belongs. When it is on the disk, ``NAME.part.done`` says how many windows are there.
4. At the end the file gets its name.

A break leaves the two files. The same call goes on with them; a call with other settings is refused. One who makes a
file holds a lock on it, where the system has such locks, so that no other does the same. Explained in lesson 10.
"""

import errno
import hashlib
import json
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np

from course_utils.checks import partners, said, whole
from course_utils.files import write_whole
from course_utils.hdf5_windows import KeptFile
from course_utils.progress import progress_bar
from course_utils.windows import LIMIT, SPLITS, Place, WindowError, check_bases, check_tracks

try:
    import fcntl
except ImportError:  # Windows has no such locks
    fcntl = None

#: Windows of a batch and bytes of its windows: whichever is reached first.
BATCH, BATCH_BYTES = 64, 64 << 20


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


#: (split, start, stop) -> the windows: "in" ``(N, L, 4)`` bool, "out" ``(N, bins, T)`` of real numbers, the extras.
Batches = Callable[[str, int, int], Mapping[str, np.ndarray]]


def make_file(
    path: str | Path, layout: Layout, batches: Batches, *, manifest: Mapping, progress: bool = True
) -> None:
    """Make an HDF5 file of windows, batch by batch; whole or not at all, and after a break from where it was.

    What was on the disk when a process was killed, or the power went, is not made again. The file is the same, byte
    by byte, whether there was a break or not. It holds the keys of :func:`course_utils.hdf5_windows.write_windows`,
    the extras, and `manifest`, as JSON.

    Args:
        path: of the file; beside it, ``NAME.part`` and ``NAME.part.done`` stand until it is whole.
        layout: what it will hold.
        batches: makes windows `start` to `stop` (not included) of a split, the same ones whenever it is asked.
        manifest: where the windows come from; what JSON can say. A file that was begun with another is refused.
        progress: whether to show a progress bar.

    Raises:
        WindowError: for a file that was begun with another layout or manifest, or that another process is making;
            and for windows that are none, or numbers that float16 cannot hold: the message names the place.
        OSError: if the file cannot be written. On a disk too small nothing stays; if it becomes full later, what is
            done stays for the same call. An earlier file stays as it was (lesson 10).
    """
    work = _Work(Path(path), layout, manifest)
    total = sum(layout.counts.values())
    with work.claimed():
        bar = progress_bar(total, done=work.done, wanted=progress)
        bar.set_description_str("windows", refresh=False)
        with bar:
            for split, start, stop in _steps(layout, work.done):
                windows = batches(split, start, stop)
                _check_batch(windows, layout, split, start, stop)
                work.write(split, start, windows)
                bar.update(stop - start)
        work.finish()


def _steps(layout: Layout, done: int) -> Iterator[tuple[str, int, int]]:
    """Split, first window and the one after the last of each batch; those that are done are left out."""
    before = 0
    for split in SPLITS:
        count = layout.counts.get(split, 0)
        for start in range(0, count, layout.batch):
            if before + start >= done:
                yield split, start, min(start + layout.batch, count)
        before += count


# --- what stands on the disk ---------------------------------------------------------------------


class _Work:
    """A file that is being made: the unfinished file, which is open and locked, and the journal beside it."""

    def __init__(self, path: Path, layout: Layout, manifest: Mapping):
        self.path, self.layout = path, layout
        self.part, self.journal = (path.with_name(path.name + ending) for ending in (".part", ".part.done"))
        self.identity = _identity(layout, manifest)
        self.done, self.offsets = 0, {}

    @contextmanager
    def claimed(self) -> Iterator[None]:
        """Open the unfinished file, alone, and find out what is done; make it first, if there is none."""
        with self._told():
            self.disk = _locked(self.part)
        if self.disk is None:
            raise WindowError(f"{self.path} is being made by another process; wait for it, or give another name")
        with self.disk:
            begun = self._resumed()
            try:
                if not begun:
                    self._begin()
                yield
            except BaseException:
                if not self.done:  # nothing is lost
                    self._drop(self.part, self.journal)
                raise

    def _resumed(self) -> bool:
        """Whether the file was begun, and as it is to be made now; a journal of another file says nothing."""
        try:
            said_then = json.loads(self.journal.read_text("utf-8"))
        except (OSError, ValueError):
            return False
        if self.disk.seek(0, os.SEEK_END) != said_then["bytes"] or not said_then["windows"]:
            return False
        if said_then["identity"] != self.identity:
            raise WindowError(
                f"{self.part} was begun otherwise: {_difference(said_then['identity'], self.identity)}; delete it to "
                "begin anew, or go on as it was begun"
            )
        self.done, self.offsets = said_then["windows"], said_then["offsets"]
        return True

    def _begin(self) -> None:
        """Make the file with a place for everything, and reserve that on the disk."""
        with self._told():
            self._drop(self.journal)
            self.disk.truncate(0)
            self.offsets = _write_header(self.disk, self.layout, self.identity["manifest"])
            self.disk.check()
            size = self.disk.seek(0, os.SEEK_END)
            _reserve(self.disk.fileno(), size)
            self._note()

    def write(self, split: str, start: int, windows: Mapping[str, np.ndarray]) -> None:
        """Write checked windows where they belong, and note it when they are on the disk."""
        with self._told():
            for key, (shape, dtype) in self.layout.arrays().items():
                if key.startswith(f"{split}_"):
                    values = np.ascontiguousarray(windows[key.removeprefix(f"{split}_")], dtype)
                    self.disk.seek(self.offsets[key] + start * dtype.itemsize * int(np.prod(shape[1:])))
                    self.disk.write(values.view(np.uint8))
            self.disk.check()
            self.done += len(windows["in"])
            try:
                self._note()
            except BaseException:
                self.done -= len(windows["in"])
                raise

    def _note(self) -> None:
        """Note what is done, once that is on the disk: should the power go, no window is missing that is noted."""
        _flush(self.disk.fileno())
        size = self.disk.seek(0, os.SEEK_END)
        state = {"windows": self.done, "bytes": size, "offsets": self.offsets, "identity": self.identity}
        write_whole(self.journal, json.dumps(state), "the journal")

    def finish(self) -> None:
        """Give the file its name."""
        with self._told():
            os.fsync(self.disk.fileno())
            if fcntl is None:
                self.disk.close()  # Windows renames no open file
            os.replace(self.part, self.path)
            _flush_folder(self.path.parent)  # the name first, then the journal goes
            self._drop(self.journal)

    def _drop(self, *paths: Path) -> None:
        for path in (*paths, self.journal.with_name(f"{self.journal.name}.part")):
            with suppress(OSError):
                path.unlink()

    @contextmanager
    def _told(self) -> Iterator[None]:
        """One sentence in place of what the system says when something cannot be written."""
        try:
            yield
        except OSError as error:
            kept = f"{self.done} of {sum(self.layout.counts.values())} windows are kept in {self.part}, for the same "
            raise OSError(
                f"{self.path} could not be written ({os.strerror(error.errno) if error.errno else error}); "
                f"{kept + 'call to go on with; ' if self.done else ''}an earlier file of this name is as it was"
            ) from None


def _locked(path: Path) -> KeptFile | None:
    """The file, made if it is not there, and locked; None if another process has the lock."""
    while True:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | getattr(os, "O_BINARY", 0), 0o666)
        file = KeptFile(descriptor, "r+b")
        if fcntl is None:
            return file
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if os.path.samestat(os.fstat(descriptor), os.stat(path)):
                return file
        except FileNotFoundError:  # the other finished it, and it has another name: once more
            pass
        except BlockingIOError:
            file.close()
            return None
        except OSError:  # a file system without locks
            return file
        file.close()


def _write_header(disk: KeptFile, layout: Layout, manifest: Mapping) -> dict[str, int]:
    """Make an HDF5 file with all but the large arrays; returns where these begin, in bytes."""
    import h5py

    whole_at_once = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    whole_at_once.set_layout(h5py.h5d.CONTIGUOUS)
    whole_at_once.set_alloc_time(h5py.h5d.ALLOC_TIME_EARLY)
    whole_at_once.set_fill_time(h5py.h5d.FILL_TIME_NEVER)
    with h5py.File(disk, "w") as file:
        file["manifest"] = np.bytes_(json.dumps(manifest, indent=1))
        file["target_labels"] = np.array([label.encode() for label in layout.labels])
        if layout.swap is not None:
            file["target_swap"] = np.array(layout.swap)
        for split, places in (layout.places or {}).items():
            file[f"{split}_places"] = np.array([str(place).encode() for place in places])
        offsets = {}
        for key, (shape, dtype) in layout.arrays().items():
            offsets[key] = file.create_dataset(key, shape, dtype, dcpl=whole_at_once.copy()).id.get_offset()
    return offsets


def _reserve(descriptor: int, size: int) -> None:
    """Have the file system set the room aside, where it can."""
    if not hasattr(os, "posix_fallocate"):
        return
    try:
        os.posix_fallocate(descriptor, 0, size)
    except OSError as error:
        if error.errno not in (errno.EOPNOTSUPP, errno.EINVAL, errno.ENOSYS):
            raise


def _flush(descriptor: int) -> None:
    getattr(os, "fdatasync", os.fsync)(descriptor)  # macOS and Windows have but one of them


def _flush_folder(folder: Path) -> None:
    with suppress(OSError):  # Windows opens no folders
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


# --- checks --------------------------------------------------------------------------------------


def _identity(layout: Layout, manifest: Mapping) -> dict:
    """All that makes a file this one, as it is read back from JSON."""
    parts = asdict(layout)
    text = json.dumps({split: list(map(str, places)) for split, places in (layout.places or {}).items()})
    parts["places"] = hashlib.sha256(text.encode()).hexdigest()
    try:
        return json.loads(json.dumps({"manifest": manifest, "layout": parts}))
    except (TypeError, ValueError) as error:
        raise WindowError(f"the manifest cannot be written as JSON: {error}") from None


def _difference(then, now) -> str:
    """The first thing that differs, in words."""
    then, now = dict(_leaves(then)), dict(_leaves(now))
    absent = "not there"
    name = next(name for name in [*now, *then] if then.get(name, absent) != now.get(name, absent))
    before, after = (said(leaves.get(name, absent)) for leaves in (then, now))
    return f"{name.partition('.')[2]} was {before} and is {after}"


def _leaves(value, name: str = "") -> Iterator[tuple[str, object]]:
    parts = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else None
    if parts is None:
        yield name, value
        return
    for key, part in parts:
        yield from _leaves(part, f"{name}.{key}" if name else str(key))


def _check_batch(windows: Mapping[str, np.ndarray], layout: Layout, split: str, start: int, stop: int) -> None:
    for key, (shape, dtype) in layout.arrays().items():
        if not key.startswith(f"{split}_"):
            continue
        values, expected = windows.get(key.removeprefix(f"{split}_")), (stop - start, *shape[1:])
        came = getattr(values, "shape", type(values).__name__)
        if came != expected or (dtype == bool) != (values.dtype == bool) or values.dtype.kind not in "fiub":
            kind = "bool" if dtype == bool else "real numbers"
            raise WindowError(
                f"windows {start} to {stop} of {key} came as {came} {getattr(values, 'dtype', '')}; {expected} of "
                f"{kind} is expected"
            )
    for number in range(stop - start):
        where = f" of {split}"
        if layout.places and split in layout.places:
            where += f" ({layout.places[split][start + number]})"
        check_bases(windows["in"][number], f"window {start + number}{where}")
        try:
            check_tracks(windows["out"][number : number + 1], start + number, largest=LIMIT, source=where)
        except WindowError as error:
            hint = "; a clip, a smaller scale or the mean in place of the sum keeps it smaller"
            raise WindowError(f"{error}{hint if 'float16' in str(error) else ''}") from None
