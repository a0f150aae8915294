"""A large HDF5 file of windows, made batch by batch: after a break, even a power cut, it is gone on with.

:func:`course_utils.hdf5_windows.write_windows` writes what is in memory. Here the number of windows is known and the
windows come in batches:

1. ``NAME.making`` is made as an HDF5 file in which every array has its place, so that it is a file like any other from
   then on, whose large arrays are not filled yet. HDF5 is not needed any more: its part is never touched again.
2. The disk's room is reserved, so that a disk too small is told at once, not after hours.
3. Each batch is written where it belongs. When it is on the disk, ``NAME.making.done`` says how many windows are there.
4. At the end the file gets its name.

A break leaves the two files. The same call goes on with them, and changes nothing when the file is whole; a call with
other settings or sources is refused in both cases. One who makes a file holds a lock on it, where the system has such
locks, so that no other does the same. Explained in lesson 10.
"""

import errno
import json
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

import numpy as np

from course_utils.files import KeptFile, write_whole
from course_utils.progress import progress_bar
from course_utils.window_layout import Layout, difference, identity, identity_of
from course_utils.windows import LIMIT, SPLITS, WindowError, check_bases, check_tracks

try:
    import fcntl
except ImportError:  # Windows has no such locks
    fcntl = None

#: (split, start, stop) -> the windows: "in" ``(N, L, 4)`` bool, "out" ``(N, bins, T)`` of real numbers, the extras.
Batches = Callable[[str, int, int], Mapping[str, np.ndarray]]


def make_file(
    path: str | Path, layout: Layout, batches: Batches, *, manifest: Mapping, progress: bool = True
) -> dict:
    """Make an HDF5 file of windows, batch by batch; whole or not at all, and after a break from where it was.

    What was on the disk when a process was killed, or the power went, is not made again. The file is the same, byte
    by byte, whether there was a break or not. It holds the keys of :func:`course_utils.hdf5_windows.write_windows`,
    the extras, and `manifest`, as JSON. One that is whole already, with the same of all these, stays as it is.

    Args:
        path: of the file; beside it, ``NAME.making`` and ``NAME.making.done`` stand until it is whole. A missing
            folder is made.
        layout: what it will hold.
        batches: makes windows `start` to `stop` (not included) of a split, the same ones whenever it is asked.
        manifest: where the windows come from; what JSON can say, and for a source its `Path`, in whose place come
            its name, size and checksum. A file that was begun or made with another is refused, except for
            `made_by`: a new version of the program goes on with the work of the old one.
        progress: whether to show a progress bar.

    Returns:
        The manifest as it stands in the file.

    Raises:
        WindowError: for a file that was begun or made with another layout or manifest, that another process is
            making, or that is of another kind; and for windows that are none, or numbers that float16 cannot hold:
            the message names the place.
        FileNotFoundError: if a source is missing.
        OSError: if the file cannot be written. On a disk too small nothing stays; if it becomes full later, what is
            done stays for the same call (lesson 10).
    """
    check_out(path)
    work = _Work(Path(path), layout, manifest, progress)
    if work.is_there():
        return work.identity["manifest"]
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
    return work.identity["manifest"]


def check_out(path: str | Path, sources: Iterable[str | Path] = ()) -> None:
    """Check that a file may be made at a place.

    Raises:
        WindowError: if a folder is there, or one of the `sources`.
        FileNotFoundError: if a source is missing (lesson 10).
    """
    path = Path(path)
    if path.is_dir():
        raise WindowError(f"{path} is a folder; the name of a file is expected")
    if path.exists() and any(path.samefile(source) for source in sources):
        raise WindowError(f"{path} is one of the files that the windows are made of; another name is expected")


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

#: What a journal says. The checksums are those of the sources, so that a long one is not read again.
_JOURNAL = {"windows": int, "bytes": int, "offsets": dict, "checksums": dict, "identity": dict}


class _Work:
    """A file that is being made: the unfinished file, which is open and locked, and the journal beside it."""

    def __init__(self, path: Path, layout: Layout, manifest: Mapping, progress: bool):
        self.path, self.layout, self.manifest, self.progress = path, layout, manifest, progress
        self.part, self.journal = (path.with_name(path.name + ending) for ending in (".making", ".making.done"))
        self.done, self.offsets, self.checksums = 0, {}, {}

    def is_there(self) -> bool:
        """Whether the file is whole already, as it is to be made now."""
        if not self.path.exists():
            return False
        there, remedy = identity_of(self.path), "give another name, or delete it"
        if there is None:
            raise WindowError(f"{self.path} is there and holds no manifest that can be read; {remedy}")
        if differs := difference(there, self._identity()):
            raise WindowError(f"{self.path} is there and was made otherwise: {differs}; {remedy}")
        self.identity = there
        if not self.part.exists():  # a break after the file got its name
            self._drop(self.journal)
        return True

    @contextmanager
    def claimed(self) -> Iterator[None]:
        """Open the unfinished file, alone, and find out what is done; make it first, if there is none."""
        with self._told():
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self.disk = _locked(self.part)
        if self.disk is None:
            raise WindowError(f"{self.path} is being made by another process; wait for it, or give another name")
        with self.disk:
            try:
                if self.path.exists():
                    raise WindowError(f"{self.path} was made by another process meanwhile")
                if not self._resumed():
                    self._begin()
                yield
            except BaseException:
                if not self.done:  # nothing is lost
                    self._drop(self.part, self.journal)
                raise

    def _identity(self) -> dict:
        return identity(self.layout, self.manifest, self.checksums, progress=self.progress)

    def _resumed(self) -> bool:
        """Whether the file was begun, and as it is to be made now; a journal of another file says nothing."""
        then = self._noted()
        if then:  # known first, so that whatever happens it is kept
            self.done, self.offsets, self.checksums = then["windows"], then["offsets"], then["checksums"]
        self.identity = self._identity()
        if not then:
            return False
        if differs := difference(then["identity"], self.identity | self._size_of_batches()):
            raise WindowError(
                f"{self.part} was begun otherwise: {differs}; delete it to begin anew, or go on as it was begun"
            )
        self.identity = {name: then["identity"][name] for name in self.identity}
        return True

    def _noted(self) -> dict | None:
        """What the journal says, if it is one, and of the unfinished file."""
        try:
            then = json.loads(self.journal.read_text("utf-8"))
        except (OSError, ValueError):
            return None
        known = isinstance(then, dict) and all(isinstance(then.get(name), kind) for name, kind in _JOURNAL.items())
        fits = known and then["bytes"] == self.disk.seek(0, os.SEEK_END) and then["windows"] > 0
        return then if fits else None

    def _size_of_batches(self) -> dict:
        """What differs where another version makes more at a time: batches are whole, and may be drawn together."""
        return {"batches": {"windows at a time": self.layout.batch}}

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
        state = {"windows": self.done, "bytes": size, "offsets": self.offsets, "checksums": self.checksums}
        state["identity"] = self.identity | self._size_of_batches()
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
            rest = "nothing of it is left"
            if self.done and self.part.exists():
                windows = f"{self.done} of {sum(self.layout.counts.values())} windows"
                rest = f"{windows} are kept in {self.part}, for the same call to go on with"
            why = os.strerror(error.errno) if error.errno else error
            raise OSError(f"{self.path} could not be written ({why}); {rest}") from None


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
        for key, values in layout.lists().items():
            file[key] = values
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
            hint = ("; a clip, a smaller scale or the mean in place of the sum keeps it smaller; each of them changes "
                    "the windows that are made already, so the file has to be begun anew")  # fmt: skip
            raise WindowError(f"{error}{hint if 'float16' in str(error) else ''}") from None
