"""The HDF5 file of windows, with the keys of the Chainer lecture: written whole, read one window at a time.

For each split (train, valid, test) it holds ``train_in (N, L, 4)`` bool and ``train_out (N, bins, T)`` float16, and
once ``target_labels (T,)`` as bytes. Two keys are ours, and other readers pass over them: ``train_places (N,)``,
written ``chr8:100-228``, and ``target_swap (T,)``. A *block* (HDF5's word is chunk) is what is packed and read at
once: here, one window. Files from elsewhere may be packed across many windows; :func:`rechunk` copies those.

Explained in lesson 10.
"""

import operator
import os
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

import numpy as np

from course_utils.checks import partners
from course_utils.files import KeptFile
from course_utils.progress import progress_bar
from course_utils.windows import (
    LIMIT,
    SPLITS,
    Place,
    WindowError,
    Windows,
    check_bases,
    check_layout,
    check_tracks,
    share_of,
)

#: Bytes that are read at once where all windows are: with its checks, :func:`rechunk` needs less than twice as much.
BLOCK = 48 << 20


def write_windows(path: str | Path, splits: Mapping[str, Windows]) -> None:
    """Write splits ("train", "valid", "test") into an HDF5 file, whole or not at all.

    It is written beside its place, as ``NAME.part``, and renamed when it is whole. The tracks become float16:
    three significant digits from 6e-5 up, fewer below; numbers below 3e-8 become 0, and 65,504 is the largest.

    Raises:
        WindowError: for no or other splits, splits that differ in length, bins, labels or swap, or a number
            that float16 cannot hold.
        OSError: if the file cannot be written; an earlier file stays as it was (lesson 10).
    """
    if not splits or not set(splits) <= set(SPLITS):
        raise WindowError(f"the splits are {sorted(splits)}; some of {', '.join(SPLITS)} are expected")
    first, *others = splits
    for split in others:
        for what in ("length", "bin_size", "labels", "swap"):
            then, now = getattr(splits[first], what), getattr(splits[split], what)
            if then != now:
                raise WindowError(f"the splits differ: the {what} of {first} is {then}, and of {split} {now}")
    for split, windows in splits.items():
        check_tracks(windows.tracks, largest=LIMIT, source=f" of {split}")

    with _written(Path(path)) as (file, disk):
        file["target_labels"] = np.array([label.encode() for label in splits[first].labels])
        if splits[first].swap is not None:
            file["target_swap"] = np.array(splits[first].swap)
        for split, windows in splits.items():
            _write_split(file, split, windows, disk)


@contextmanager
def _written(path: Path) -> Iterator[tuple]:
    """An HDF5 file to fill, and what it is written through; it gets its name when it is whole."""
    import h5py

    beside = path.with_name(path.name + ".part")
    try:
        with KeptFile(beside, "w+b") as disk:
            with h5py.File(disk, "w") as file:
                yield file, disk
            disk.check()
            os.fsync(disk.fileno())
        os.replace(beside, path)
    except OSError as error:
        raise OSError(
            f"{path} could not be written ({error.strerror}); an earlier file of this name is as it was"
        ) from None
    finally:
        with suppress(OSError):
            beside.unlink()


def _write_split(file, split: str, windows: Windows, disk: KeptFile) -> None:
    one_hot, tracks = windows.one_hot, windows.tracks
    inputs = file.create_dataset(f"{split}_in", one_hot.shape, bool, chunks=(1, *one_hot.shape[1:]))
    outputs = file.create_dataset(f"{split}_out", tracks.shape, "float16", chunks=(1, *tracks.shape[1:]))
    for number in range(len(windows)):
        inputs[number] = one_hot[number]
        outputs[number] = tracks[number].astype(np.float16)
        disk.check()
    if windows.places is not None:
        file[f"{split}_places"] = np.array([str(place).encode() for place in windows.places])


def rechunk(source: str | Path, target: str | Path, *, progress: bool = True) -> None:
    """Copy a file of windows so that each window is a block of its own, not packed, and quick to read.

    Every key is kept, with the same numbers in the same types, and checked on the way; the copy is written
    as :func:`write_windows` writes. It needs less than 100 MB of memory, and on the disk L * 4 + bins * T * 2
    bytes a window: 0.5 MB for 131,072 bases.

    Raises:
        WindowError: for a file that is damaged or of another kind or without a split, numbers that are no
            windows or tracks, or a target that is the source.
        FileNotFoundError: if there is no such file.
        OSError: if the target cannot be written; an earlier file stays as it was (lesson 10).
    """
    source, target = Path(source), Path(target)
    with _opened(source) as old:
        if target.exists() and source.samefile(target):
            raise WindowError(f"{target} is the file that is to be copied; another name is expected")
        counts = {split: _check_file(old, source, split) for split in _splits(old, source)}
        large = [f"{split}_{side}" for split in counts for side in ("in", "out")]
        bar = progress_bar(2 * sum(counts.values()), wanted=progress)
        bar.set_description_str("copying", refresh=False)
        with bar, _written(target) as (new, disk):
            new.attrs.update(old.attrs)
            for key in old:
                if key not in large:
                    _read(source, lambda key=key: old.copy(key, new))
            for key in large:
                _copy_in_blocks(old[key], new, key, source, disk, bar)


def _copy_in_blocks(data, file, key: str, source: Path, disk: "KeptFile", bar) -> None:
    rows = _rows_at_once(data)
    copy = file.create_dataset(key, data.shape, data.dtype, chunks=(1, *data.shape[1:]))
    copy.attrs.update(data.attrs)
    for start in range(0, len(data), rows):
        stop = min(start + rows, len(data))
        block = _read(source, lambda start=start, stop=stop: data[start:stop])
        if key.endswith("_in"):
            for number in range(len(block)):
                check_bases(block[number], f"window {start + number} of {key} in {source}")
        else:
            check_tracks(block, start, source=f" of {key} in {source}")
        copy[start:stop] = block
        del block  # before the next is read
        disk.check()
        bar.update(stop - start)


def _rows_at_once(data, *others) -> int:
    """How many windows to read at one go, from one or several arrays."""
    rows = max(1, BLOCK // sum(one.dtype.itemsize * int(np.prod(one.shape[1:])) for one in (data, *others)))
    if data.chunks and rows > data.chunks[0]:
        rows -= rows % data.chunks[0]  # so that nothing is unpacked twice
    return rows


def read_windows(path: str | Path, split: str, start: int = 0, stop: int | None = None) -> Windows:
    """Read the windows `start` to `stop` (not included; None: to the last) of a split into memory.

    Raises:
        WindowError: for a file that is damaged or of another kind, a split that it does not hold, windows that
            it does not hold, or numbers that are no windows or tracks; the message names the window.
        FileNotFoundError: if there is no such file (lesson 10).
    """
    path = Path(path)
    with _opened(path) as file:
        count = _check_file(file, path, split)
        stop = count if stop is None else stop
        if not 0 <= start < stop <= count:
            raise WindowError(f"windows {start} to {stop} of {split} were asked for; {path} holds {count}")
        one_hot = _read(path, lambda: file[f"{split}_in"][start:stop])
        tracks = _read(path, lambda: file[f"{split}_out"][start:stop])
        places = _places(file, split, start, stop, path)
        swap = _swap(file, path)
        labels = _labels(file)
    for number in range(len(one_hot)):
        check_bases(one_hot[number], f"window {start + number} of {split}_in in {path}")
    check_tracks(tracks, start, source=f" of {split} in {path}")
    return Windows(one_hot, tracks, labels, places, swap)


def read_array(path: str | Path, key: str) -> np.ndarray | None:
    """One whole array of an HDF5 file, or None if the file has none of this name.

    Raises:
        WindowError: for a file that is damaged or of another kind.
        FileNotFoundError: if there is no such file (lesson 10).
    """
    path = Path(path)
    with _opened(path) as file:
        return _read(path, lambda: file[key][:]) if key in file else None


def splits_of(path: str | Path) -> tuple[str, ...]:
    """The splits that a file of windows holds, in the order train, valid, test.

    Raises:
        WindowError: for a file that is damaged or of another kind, or without a split.
        FileNotFoundError: if there is no such file (lesson 10).
    """
    path = Path(path)
    with _opened(path) as file:
        return _splits(file, path)


class HDF5Windows:
    """The windows of a split of an HDF5 file, read one at a time: a dataset for :func:`course_utils.training.fit`.

    ``data[i]`` is the pair (inputs ``(4, L)``, tracks ``(bins, T)``), float32 both; `fit` reads whole batches, with
    :meth:`take`, and brings them to the model's device before they become float32. The file is opened when it is
    first needed, in each process for itself, so that a DataLoader may have workers. A window is quick to read from
    what :func:`write_windows` wrote; in a file whose blocks span many windows, as h5py lays them out when it is not
    told, each window costs unpacking them all: :func:`rechunk` copies such a file into a quick one.

    Attributes:
        labels: T names.
        swap: for each track the number of its partner on the other strand, or None where that is not known.

    Args:
        path: the file; it is found again when the working folder changes.
        split: "train", "valid" or "test".
        fraction: how much of the split to use, from its beginning: above 0, up to 1.

    Raises:
        WindowError: for a file that is damaged or of another kind, a split that it does not hold, a fraction
            that leaves no window; and, when a window is read, for numbers that are no window or tracks.
        FileNotFoundError: if there is no such file (lesson 10).
    """

    def __init__(self, path: str | Path, split: str, fraction: float = 1.0):
        self.path, self.split = Path(path), split
        self._absolute = self.path.absolute()  # it is opened later, when the working folder may be another
        self._file, self._process, self._lock = None, None, threading.Lock()
        with _opened(self.path) as file:
            count = _check_file(file, self.path, split)
            self.labels, self.swap = _labels(file), _swap(file, self.path)
            self._shapes = file[f"{split}_in"].shape[1:], file[f"{split}_out"].shape[1:]
        self._count = share_of(count, fraction, split)

    def __len__(self) -> int:
        return self._count

    @property
    def shape(self) -> tuple[int, int, int, int]:
        """Windows, bases of a window, bins, tracks."""
        return self._count, self._shapes[0][0], *self._shapes[1]

    def __repr__(self) -> str:
        return f"{len(self)} windows of {self.shape[1]:,} bp of {self.split} in {self.path}"

    def __getitem__(self, index: int) -> tuple[np.ndarray, np.ndarray]:
        number = operator.index(index)
        number += len(self) if number < 0 else 0
        if not 0 <= number < len(self):
            raise IndexError(f"there is no window {index}: they are numbered 0 to {len(self) - 1}")
        one_hot, tracks = self._window(number)
        return np.ascontiguousarray(one_hot.T, dtype=np.float32), tracks.astype(np.float32)

    def take(self, index) -> tuple[np.ndarray, np.ndarray]:
        """The windows at these positions as they are stored: one-hot ``(N, L, 4)`` and tracks ``(N, bins, T)``."""
        one_hot, tracks = zip(*map(self._window, index.tolist()))
        return np.stack(one_hot), np.stack(tracks)

    def blocks(self) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """All windows, in order, many at a time, as :meth:`take` gives them: the quickest way through any file."""
        file = self._opened_here()
        inputs, outputs = file[f"{self.split}_in"], file[f"{self.split}_out"]
        rows = _rows_at_once(inputs, outputs)
        for start in range(0, len(self), rows):
            part = slice(start, min(start + rows, len(self)))
            one_hot, tracks = (_read(self.path, lambda data=data: data[part]) for data in (inputs, outputs))
            self._check(one_hot, tracks, start)
            yield one_hot, tracks

    @staticmethod
    def unpack(one_hot, tracks):
        """What :meth:`take` gave, as tensors: inputs ``(N, 4, L)`` and tracks, float32 both, on the same device."""
        return one_hot.permute(0, 2, 1).contiguous().float(), tracks.float()

    def _window(self, number: int) -> tuple[np.ndarray, np.ndarray]:
        """One window ``(L, 4)`` and its tracks, as they are stored, checked."""
        file = self._opened_here()
        one_hot = _read(self.path, lambda: file[f"{self.split}_in"][number])
        tracks = _read(self.path, lambda: file[f"{self.split}_out"][number])
        self._check(one_hot[None], tracks[None], number)
        return one_hot, tracks

    def _check(self, one_hot: np.ndarray, tracks: np.ndarray, first: int) -> None:
        for number, window in enumerate(one_hot, first):
            check_bases(window, f"window {number} of {self.split}_in in {self.path}")
        check_tracks(tracks, first, source=f" of {self.split} in {self.path}")

    def _opened_here(self):
        with self._lock:  # of several threads that read, one opens the file
            if self._process != os.getpid():  # what another process had opened is not to be shared
                self.close()
                self._file, self._process = _opened(self._absolute), os.getpid()
            return self._file

    def close(self) -> None:
        """Close the file; reading a window opens it again."""
        if self._file is not None:
            self._file.close()
        self._file, self._process = None, None

    def __getstate__(self) -> dict:
        return self.__dict__ | {"_file": None, "_process": None, "_lock": None}

    def __setstate__(self, state: dict) -> None:
        self.__dict__ |= state | {"_lock": threading.Lock()}


def _opened(path: Path):
    import h5py

    with open(path, "rb"):  # Python's own words for a file that is absent or may not be read
        pass
    return _read(path, lambda: h5py.File(path, "r"))


def _read(path: Path, action: Callable):
    """What `action` reads, with one sentence in place of h5py's errors."""
    try:
        return action()
    except (OSError, RuntimeError, KeyError, ValueError):
        raise WindowError(f"{path} is no whole HDF5 file: it was cut short, or is another kind of file") from None


def _splits(file, path: Path) -> tuple[str, ...]:
    splits = tuple(split for split in SPLITS if {f"{split}_in", f"{split}_out"} & set(file))
    if not splits:
        raise WindowError(f"{path} has no train_in; it holds {', '.join(sorted(file)) or 'nothing'}")
    return splits


def _check_file(file, path: Path, split: str) -> int:
    """How many windows the split holds, once it is known that its parts fit together."""
    import h5py

    if split not in SPLITS:
        raise WindowError(f"the split is {split!r}; one of {', '.join(SPLITS)} is expected")
    keys = (f"{split}_in", f"{split}_out", "target_labels")
    for key in keys:
        if not isinstance(file.get(key), h5py.Dataset):
            raise WindowError(f"{path} has no {key}; it holds {', '.join(sorted(file)) or 'nothing'}")
    inputs, outputs, labels = (file[key] for key in keys)
    check_layout(inputs, outputs, f"{keys[0]} of {path}", keys[1])
    if labels.shape != outputs.shape[2:]:
        raise WindowError(f"{keys[1]} of {path} has {outputs.shape[2]} tracks, and target_labels {labels.shape}")
    if labels.dtype.kind not in "SO":
        raise WindowError(f"target_labels of {path} is of the type {labels.dtype}; names are expected")
    ours = {f"{split}_places": inputs.shape[:1], "target_swap": labels.shape}
    for key, shape in ours.items():
        if key in file and (not isinstance(file[key], h5py.Dataset) or file[key].shape != shape):
            there = f"the shape {file[key].shape}" if isinstance(file[key], h5py.Dataset) else "keys of its own"
            raise WindowError(f"{key} of {path} has {there}; the shape {shape} is expected")
    return inputs.shape[0]


def _swap(file, path: Path) -> tuple[int, ...] | None:
    if "target_swap" not in file:
        return None
    try:
        return partners(file["target_swap"][:].tolist(), len(file["target_labels"]), f"target_swap of {path}")
    except ValueError as error:
        raise WindowError(str(error)) from None


def _labels(file) -> tuple[str, ...]:
    return tuple(bytes(label).decode("utf-8", "replace") for label in file["target_labels"][:].tolist())


def _places(file, split: str, start: int, stop: int, path: Path) -> tuple[Place, ...] | None:
    if f"{split}_places" not in file:
        return None
    places = []
    for text in file[f"{split}_places"][start:stop].tolist():
        try:
            chromosome, span = text.decode().rsplit(":", 1)
            places.append(Place(chromosome, *map(int, span.split("-"))))
        except (ValueError, TypeError, AttributeError):
            raise WindowError(f"{split}_places of {path} holds {text!r}; chr8:100-228 is expected") from None
    return tuple(places)
