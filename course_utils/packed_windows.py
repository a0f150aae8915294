"""Windows packed for training: one byte a base, mapped from the disk, a whole batch read at one go.

In the HDF5 file a base takes four bytes, and as the network wants it sixteen. Here it takes one: 0 to 3 for A, C, G,
T, and 4 for N. The files are *mapped* into memory: the operating system reads what is asked for, and keeps as much as the
memory has room for. On the way to a graphics card a window stays small, and becomes one-hot only there.

A folder of packed windows holds ``train_codes.npy (N, L)`` uint8 and ``train_tracks.npy (N, bins, T)``, likewise for the
other splits, and ``packed.json`` with labels, partners, and the file that they came from. It is a copy: it can be
deleted at any time. Explained in lesson 10.
"""

import json
import operator
import os
import shutil
from contextlib import suppress
from pathlib import Path

import numpy as np
import torch
from torch.utils.data import Dataset

from course_utils.checks import partners
from course_utils.hdf5_windows import HDF5Windows, splits_of
from course_utils.progress import progress_bar
from course_utils.windows import SPLITS, WindowError, share_of

_FORMAT = 1


def pack_windows(source: str | Path, folder: str | Path | None = None, *, progress: bool = True) -> Path:
    """Pack all splits of an HDF5 file of windows, unless that is done already; gives the folder.

    A folder that was packed from another file, or before this one changed, is packed anew. It is made beside its
    place, as ``FOLDER.part``, and renamed when it is whole. It takes L + bins * T * 2 bytes a window: 0.15 MB
    for 131,072 bases and 10 tracks.

    Args:
        source: the HDF5 file.
        folder: for ``seq.h5``, ``seq.packed`` beside it unless given.

    Raises:
        WindowError: for a file that is damaged or of another kind, without a split, or with numbers that are no
            windows or tracks; for a folder that holds something else.
        FileNotFoundError: if there is no such file.
        OSError: if the folder cannot be written, as on a full disk; nothing is left of it (lesson 10).
    """
    source = Path(source)
    folder = source.with_suffix(".packed") if folder is None else Path(folder)
    state = os.stat(source)
    came_from = {"name": source.name, "bytes": state.st_size, "changed": state.st_mtime_ns}
    with suppress(WindowError):
        if _description(folder)["source"] == came_from:
            return folder
    if folder.exists() and not (folder.is_dir() and all(_ours(path) for path in folder.iterdir())):
        raise WindowError(f"{folder} holds something else than packed windows; another folder is expected")
    beside = folder.with_name(folder.name + ".part")
    try:
        shutil.rmtree(beside, ignore_errors=True)  # of a packing that was broken off
        beside.mkdir(parents=True)
        _pack(source, beside, came_from, progress)
        shutil.rmtree(folder, ignore_errors=True)
        os.replace(beside, folder)
    except OSError as error:
        shutil.rmtree(beside, ignore_errors=True)
        raise OSError(
            error.errno, f"{error.strerror}; the windows of {source} were not packed", str(folder)
        ) from None
    except BaseException:  # a file that is wrong, or an interruption
        shutil.rmtree(beside, ignore_errors=True)
        raise
    return folder


def _pack(source: Path, folder: Path, came_from: dict, progress: bool) -> None:
    parts = {split: HDF5Windows(source, split) for split in splits_of(source)}
    bar = progress_bar(sum(map(len, parts.values())), wanted=progress)
    bar.set_description_str("packing", refresh=False)
    with bar:
        for split, windows in parts.items():
            _pack_split(windows, split, folder, bar)
            windows.close()
    first = parts[next(iter(parts))]
    about = {
        "format": _FORMAT,
        "source": came_from,
        "windows": {split: len(windows) for split, windows in parts.items()},
        "labels": first.labels,
        "swap": first.swap,
    }
    (folder / "packed.json").write_text(json.dumps(about, indent=1) + "\n", "utf-8")


def _pack_split(windows: HDF5Windows, split: str, folder: Path, bar) -> None:
    count, length, *shape = windows.shape
    with open(folder / f"{split}_codes.npy", "wb") as codes, open(folder / f"{split}_tracks.npy", "wb") as tracks:
        # Written as a stream: a full disk is an error here, and in a mapped file the end of the program.
        for number, (one_hot, values) in enumerate(windows.blocks()):
            if number == 0:
                _write_head(codes, (count, length), np.dtype(np.uint8))
                _write_head(tracks, (count, *shape), values.dtype)
            for window in one_hot:
                codes.write(_codes(window).tobytes())
            tracks.write(values.tobytes())
            bar.update(len(one_hot))
        for file in (codes, tracks):
            file.flush()
            os.fsync(file.fileno())


def _write_head(file, shape: tuple[int, ...], kind: np.dtype) -> None:
    head = {"descr": kind.str, "fortran_order": False, "shape": tuple(map(int, shape))}
    np.lib.format.write_array_header_1_0(file, head)


def _codes(one_hot: np.ndarray) -> np.ndarray:
    """The number of each base of ``(L, 4)``, checked: 0 to 3, and 4 for four zeros."""
    a, c, g, t = one_hot.view(np.uint8).T
    return c + 2 * g + 3 * t + 4 * (1 - (a + c + g + t))


class PackedWindows(Dataset):
    """The windows of a split of a folder that :func:`pack_windows` made: a dataset for :func:`course_utils.training.fit`.

    ``data[i]`` is the pair (inputs ``(4, L)``, tracks ``(bins, T)``), float32 both, as
    :class:`course_utils.hdf5_windows.HDF5Windows` gives it, and `fit` reads whole batches, which is faster.

    Attributes:
        labels: T names.
        swap: for each track the number of its partner on the other strand, or None where that is not known.
        shape: windows, bases of a window, bins, tracks.

    Args:
        folder: the folder.
        split: "train", "valid" or "test".
        fraction: how much of the split to use, from its beginning: above 0, up to 1.

    Raises:
        WindowError: for another folder, one that is damaged, a split that it does not hold, or a fraction that
            leaves no window (lesson 10).
    """

    def __init__(self, folder: str | Path, split: str, fraction: float = 1.0):
        self.folder, self.split, self.fraction = Path(folder), split, fraction
        about = _description(self.folder)
        if split not in about["windows"]:
            raise WindowError(f"{self.folder} has no split {split!r}; it holds {', '.join(about['windows'])}")
        self.labels = tuple(about["labels"])
        self.swap = None if about["swap"] is None else partners(about["swap"], len(self.labels))
        self._codes, self._tracks = (_mapped(self.folder / f"{split}_{part}.npy") for part in ("codes", "tracks"))
        there = self._codes.shape[:1], self._tracks.shape[:1], self._tracks.shape[2:]
        count = about["windows"][split]
        if there != ((count,), (count,), (len(self.labels),)):
            raise WindowError(f"the files of {split} in {self.folder} do not fit together; delete the folder")
        self.shape = (share_of(count, fraction, split), self._codes.shape[1], *self._tracks.shape[1:])

    def __len__(self) -> int:
        return self.shape[0]

    def __repr__(self) -> str:
        return f"{len(self)} windows of {self.shape[1]:,} bp of {self.split} in {self.folder}"

    def __reduce__(self):  # another process maps the files for itself, and is sent none of what they hold
        return PackedWindows, (self.folder.absolute(), self.split, self.fraction)

    def __getitem__(self, index: int) -> tuple[np.ndarray, np.ndarray]:
        number = operator.index(index)
        number += len(self) if number < 0 else 0
        if not 0 <= number < len(self):
            raise IndexError(f"there is no window {index}: they are numbered 0 to {len(self) - 1}")
        inputs, tracks = self.unpack(*self.take(torch.tensor([number])))
        return inputs[0].numpy(), tracks[0].numpy()

    def take(self, index: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """The windows at these positions as they are stored: codes ``(N, L)`` uint8, tracks ``(N, bins, T)``."""
        rows = index.numpy()
        return torch.from_numpy(self._codes[rows]), torch.from_numpy(self._tracks[rows])

    @staticmethod
    def unpack(codes: torch.Tensor, tracks: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """One-hot inputs ``(N, 4, L)`` and tracks, float32 both, on the device where they are."""
        bases = torch.arange(4, dtype=torch.uint8, device=codes.device)
        return (codes[:, None, :] == bases[:, None]).float(), tracks.float()


def _ours(path: Path) -> bool:
    names = {f"{split}_{part}.npy" for split in SPLITS for part in ("codes", "tracks")}
    return path.name in names | {"packed.json"}


def _description(folder: Path) -> dict:
    path = folder / "packed.json"
    try:
        about = json.loads(path.read_text("utf-8"))
        if about["format"] == _FORMAT and about.keys() >= {"source", "windows", "labels", "swap"}:
            return about
    except (OSError, ValueError, KeyError, TypeError):
        pass
    raise WindowError(f"{folder} is no folder of packed windows; pack_windows makes one from an HDF5 file")


def _mapped(path: Path) -> np.ndarray:
    try:
        return np.load(path, mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError):
        raise WindowError(f"{path} is missing or was cut short; delete its folder, and pack the windows again") from None
