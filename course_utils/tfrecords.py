"""TFRecord files, as Basenji and Baskerville publish their windows, read without TensorFlow.

A TFRecord file is a row of records: the length of the data (8 bytes, little-endian), a checksum of the length, the
data, a checksum of the data; the whole is often compressed with zlib or gzip. The data of a record is a
``tf.train.Example``, which is a dictionary in protocol-buffer form: name -> bytes, floats or whole numbers.

The checksum of each length is checked here: it shows at once that a file is of another kind. That of the data is
not, because computing it in Python takes longer than all the rest; zlib and gzip check what they unpack.

Explained in lesson 10.
"""

import csv
import io
import json
import struct
import zlib
from collections.abc import Iterable, Iterator
from itertools import chain
from pathlib import Path

import numpy as np

from course_utils.checks import whole

from course_utils.windows import Place, WindowError, Windows

#: file -> where its windows lie in **hg19**, as far as that is known: the source does not say. Each was found by CTCF
#: peaks (the dataset "ctcf-peaks") that lie in the window letter by letter, all at one distance from their own place;
#: three windows hold no such peak. tests/test_tfrecords.py finds them again.
BASENJI_PLACES = {
    file: tuple(start and Place(chromosome, start, start + 262_144) for chromosome, start in places)
    for file, places in {
        "cage10-train-00000-of-00100.tfrecord": (
            ("", None), ("chr2", 102_484_041), ("chr2", 61_732_388), ("chr21", 18_800_997), ("chr6", 66_331_655),
            ("chr2", 204_838_614), ("chr4", 37_942_457), ("chr11", 44_323_588), ("chr5", 131_855_662),
            ("chr10", 82_909_477),
        ),
        "cage10-train-00001-of-00100.tfrecord": (
            ("chr8", 100_096_134), ("chr8", 67_087_446), ("", None), ("chr8", 6_107_377), ("chr8", 58_601_305),
            ("chr8", 86_189_634), ("", None), ("chr8", 85_927_490), ("chr8", 24_311_432), ("chr8", 58_077_017),
        ),
    }.items()
}  # fmt: skip

_VARINT, _EIGHT_BYTES, _LENGTH, _FOUR_BYTES = 0, 1, 2, 5  # how a protocol buffer says what follows


class RecordError(ValueError):
    """A file that is not TFRecord, or only the beginning of one, or records that hold something else."""


# --- records -------------------------------------------------------------------------------------


def read_records(path: str | Path) -> Iterator[dict[str, bytes | np.ndarray | list[bytes]]]:
    """The records of a TFRecord file, one by one: name -> value.

    A value is what was stored: bytes (a list of them, if there are several), a float32 array or an int64 array.
    They come one after the other, the first at once, so that a large file needs little memory.

    Raises:
        RecordError: for a truncated or damaged file, or one of another kind; the message names the record.
        FileNotFoundError: if there is no such file (lesson 10).
    """
    records = _records(Path(path))
    return chain([next(records)], records)  # what is no TFRecord file shows here, not later


def _records(path: Path) -> Iterator[dict]:
    with open(path, "rb") as file:
        source = _Bytes(file, path)
        number = 0
        while head := source.take(12, f"the head of record {number}", may_end=True):
            length, checksum = struct.unpack("<QI", head)
            if checksum != _masked_crc(head[:8]):
                what = "is no TFRecord file" if number == 0 else f"is damaged at the head of record {number}"
                raise RecordError(f"{path} {what}: the checksum of the record's length does not fit")
            data = source.take(length, f"record {number}")
            source.take(4, f"the checksum of record {number}")
            try:
                yield _example(memoryview(data))
            except (ValueError, LookupError):
                raise RecordError(f"record {number} of {path} is no tf.train.Example") from None
            number += 1
        if number == 0:
            raise RecordError(f"{path} is empty; a TFRecord file holds at least one record")


class _Bytes:
    """What a file holds, unpacked if it is compressed, a piece at a time."""

    STEP = 1 << 20

    def __init__(self, file, path: Path):
        self.file, self.path, self.ready = file, path, bytearray()
        start = file.read(12)
        file.seek(0)
        plain = len(start) == 12 and struct.unpack("<I", start[8:])[0] == _masked_crc(start[:8])
        zlib_head = start[:1] == b"\x78" and int.from_bytes(start[:2], "big") % 31 == 0
        packed = zlib_head or start[:2] == b"\x1f\x8b"
        self.unpacker = zlib.decompressobj(47) if packed and not plain else None  # 47: zlib or gzip, as it says

    def take(self, count: int, what: str, may_end: bool = False) -> bytes:
        """The next `count` bytes; none at all where the file may end and does."""
        while len(self.ready) < count and self._more():
            pass
        if len(self.ready) < count and not (may_end and not self.ready):
            raise RecordError(
                f"{self.path} ends within {what}, {len(self.ready):,} of {count:,} bytes in: it was cut short"
            )
        piece = bytes(memoryview(self.ready)[:count])
        del self.ready[:count]
        return piece

    def _more(self) -> bool:
        piece = self.file.read(self.STEP)
        if self.unpacker is None:
            self.ready += piece
            return bool(piece)
        try:
            if self.unpacker.eof:  # gzip files may be joined end to end
                piece = self.unpacker.unused_data + piece
                if not piece:
                    return False
                self.unpacker = zlib.decompressobj(47)
            elif not piece:
                raise RecordError(f"{self.path} is a truncated compressed file; fetch or copy it again")
            self.ready += self.unpacker.decompress(piece)
        except zlib.error as error:
            raise RecordError(f"{self.path} is a damaged compressed file ({error}); fetch or copy it again") from None
        return True


def _crc_table() -> list[int]:
    table = []
    for byte in range(256):
        for _ in range(8):
            byte = byte >> 1 ^ (0x82F63B78 if byte & 1 else 0)
        table.append(byte)
    return table


_CRC = _crc_table()


def _masked_crc(data: bytes) -> int:
    """CRC-32C, turned and shifted as TFRecord wants it."""
    crc = 0xFFFFFFFF
    for byte in data:
        crc = crc >> 8 ^ _CRC[(crc ^ byte) & 0xFF]
    crc ^= 0xFFFFFFFF
    return ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF


# --- protocol buffers ----------------------------------------------------------------------------


def _example(data: memoryview) -> dict:
    """Example { 1: Features { 1: entries { 1: name, 2: Feature { 1: bytes, 2: floats or 3: numbers } } } }."""
    features = {}
    for features_message in _messages(data, 1):
        for entry in _messages(features_message, 1):
            parts = {number: value for number, _, value in _fields(entry, _LENGTH)}
            features[bytes(parts[1]).decode()] = _feature(parts.get(2, memoryview(b"")))
    if not features:
        raise ValueError
    return features


def _feature(data: memoryview):
    for kind, _, values in _fields(data, _LENGTH):
        if kind == 1:
            found = [bytes(value) for value in _messages(values, 1)]
            return found[0] if len(found) == 1 else found
        if kind == 2:  # one after the other in one field, or a field for each
            return np.frombuffer(b"".join(bytes(value) for _, _, value in _fields(values, _LENGTH, _FOUR_BYTES)), "<f4")
        if kind == 3:
            return np.array(list(_numbers(values)), dtype=np.uint64).astype(np.int64)
    return []


def _numbers(data: memoryview) -> Iterator[int]:
    for _, wire, value in _fields(data, _LENGTH, _VARINT):
        if wire == _VARINT:
            yield value
            continue
        at = 0
        while at < len(value):
            number, at = _varint(value, at)
            yield number


def _messages(data: memoryview, wanted: int) -> Iterator[memoryview]:
    for number, wire, value in _fields(data):
        if number == wanted and wire == _LENGTH:
            yield value


def _fields(data: memoryview, *wires: int) -> Iterator[tuple[int, int, memoryview | int]]:
    """The fields of a message: number, how it is written (one of `wires`, if some are given), value."""
    at = 0
    while at < len(data):
        key, at = _varint(data, at)
        wire = key & 7
        if wires and wire not in wires:
            raise ValueError
        if wire == _VARINT:
            value, at = _varint(data, at)
            yield key >> 3, wire, value
            continue
        if wire == _LENGTH:
            size, at = _varint(data, at)
        elif wire in (_EIGHT_BYTES, _FOUR_BYTES):
            size = 8 if wire == _EIGHT_BYTES else 4
        else:
            raise ValueError
        if at + size > len(data):
            raise ValueError
        yield key >> 3, wire, data[at : at + size]
        at += size


def _varint(data: memoryview, at: int) -> tuple[int, int]:
    """A whole number written in groups of seven bits, the lowest first, and where it ends."""
    number = shift = 0
    while True:
        byte = data[at]
        at += 1
        number |= (byte & 0x7F) << shift
        if number >= 1 << 64 or shift > 63:
            raise ValueError
        if byte < 0x80:
            return number, at
        shift += 7


# --- windows -------------------------------------------------------------------------------------


def read_basenji(
    paths: str | Path | Iterable[str | Path], *, bin_size: int = 128, only_placed: bool = False
) -> Windows:
    """Windows from Basenji's files: `sequence` as uint8 ``(L, 4)``, `target` as floats ``(L / bin_size, T)``.

    The registered dataset "basenji-cage" has 20 human windows of 262,144 bp and 10 CAGE tracks, clipped at 100. The
    source names neither the experiments nor the places; so labels are "track 1", "track 2", ..., and places None.

    Args:
        paths: a file, or several.
        bin_size: bases in a bin, from 1 up.
        only_placed: only the windows whose place in hg19 we have found (:data:`BASENJI_PLACES`; 17 of the 20),
            with their places, so that they can be split by chromosome.

    Raises:
        RecordError: for a file as in :func:`read_records`, records that are no such windows, or a bin size that is
            no whole number from 1 up.
        FileNotFoundError: if there is no such file (lesson 10).
    """
    if whole(bin_size) is None or bin_size < 1:
        raise RecordError(f"the bin size is {bin_size!r}; a whole number from 1 up is expected")
    paths = [Path(path) for path in ([paths] if isinstance(paths, str | Path) else paths)]
    one_hot, tracks, places = [], [], []
    for path in paths:
        known = BASENJI_PLACES.get(path.name, ())
        for number, record in enumerate(read_records(path)):
            place = known[number] if number < len(known) else None
            if only_placed and place is None:
                continue
            what = f"record {number} of {path}"
            letters = _array(record, "sequence", np.uint8, 4, what).reshape(-1, 4)
            bins, left = divmod(len(letters), bin_size)
            if left or not bins:
                raise RecordError(f"{what} has {len(letters)} bases, which are no bins of {bin_size}")
            values = _array(record, "target", np.dtype("<f4"), bins, what).reshape(bins, -1)
            _check_like(one_hot, letters, tracks, values, what)
            one_hot.append(letters)
            tracks.append(values)
            places.append(place)
    if not one_hot:
        raise RecordError(f"no window was read from {', '.join(map(str, paths)) or 'no file at all'}")
    labels = tuple(f"track {number + 1}" for number in range(tracks[0].shape[1]))
    return _windows(one_hot, tracks, labels, tuple(places) if only_placed else None, None, paths[0].parent)


def read_baskerville(folder: str | Path, split: str = "train") -> Windows:
    """The windows of a split of a folder of Baskerville's: central part, tracks, labels, places, strand pairs.

    The registered dataset "baskerville-tiny" has windows of 131,072 bp, and 74 tracks (CAGE, DNase, RNA) in bins of
    32 bases of the central 65,536; the windows returned are that central part, at the places of ``sequences.bed``.
    The tracks are not counts: they were summed in a bin, square-rooted or the like, and clipped before
    they were stored, and the files do not say by which of the two formulas of the program; so nothing here undoes it.

    Raises:
        RecordError: for a file as in :func:`read_records`, records that are no such windows, a table or a
            split that does not fit.
        FileNotFoundError: if a file is missing (lesson 10).
    """
    folder = Path(folder)
    length, crop, bin_size = _statistics(folder / "statistics.json")
    labels, swap = _targets(folder / "targets.txt")
    places = _bed(folder / "sequences.bed", split)
    bins = (length - 2 * crop) // bin_size
    files = sorted(
        (folder / "tfrecords").glob(f"{split}-*.tfr"), key=lambda path: (len(path.name), path.name)
    )  # 2 before 10
    one_hot, tracks = [], []
    for path in files:
        for number, record in enumerate(read_records(path)):
            what = f"record {number} of {path}"
            codes = _array(record, "sequence", np.uint8, length, what)
            values = _array(record, "target", np.dtype("<f2"), bins * len(labels), what)
            if len(codes) != length or len(values) != bins * len(labels) or codes.max() > 4:
                raise RecordError(f"{what} is no window of {length} bases with {len(labels)} tracks")
            table = np.eye(5, 4, dtype=bool)  # the fifth row, of N, is four zeros
            one_hot.append(table[codes[crop : length - crop]])
            tracks.append(values.reshape(bins, -1).astype(np.float32))
    if len(one_hot) != len(places):
        raise RecordError(
            f"{folder / 'tfrecords'} holds {len(one_hot)} windows of {split}, and sequences.bed names {len(places)}"
        )
    return _windows(one_hot, tracks, labels, places, swap, folder)


def _array(record: dict, name: str, dtype, unit: int, what: str) -> np.ndarray:
    """The numbers of a feature, stored as a list or as their bytes; their count is a multiple of `unit`."""
    value, dtype = record.get(name), np.dtype(dtype)
    if isinstance(value, bytes) and len(value) % dtype.itemsize == 0:
        value = np.frombuffer(value, dtype)
    if not isinstance(value, np.ndarray) or value.dtype != dtype:
        raise RecordError(f"{what} has no {name} of the type {dtype}; it has {', '.join(sorted(record))}")
    if not value.size or value.size % unit:
        raise RecordError(f"{name} of {what} has {value.size} numbers; a multiple of {unit} is expected")
    return value


def _check_like(one_hot: list, letters: np.ndarray, tracks: list, values: np.ndarray, what: str) -> None:
    if one_hot and (letters.shape, values.shape) != (one_hot[0].shape, tracks[0].shape):
        raise RecordError(
            f"{what} has {len(letters)} bases and {values.shape[1]} tracks, and the first record "
            f"{len(one_hot[0])} and {tracks[0].shape[1]}"
        )


def _windows(one_hot, tracks, labels, places, swap, folder: Path) -> Windows:
    try:
        return Windows(np.stack(one_hot), np.stack(tracks), labels, places, swap)
    except WindowError as error:
        raise RecordError(f"the records of {folder} are no windows: {error}") from None


def _statistics(path: Path) -> tuple[int, int, int]:
    """Bases of a window, bases without tracks on each side, bases in a bin."""
    try:
        said = json.loads(path.read_text("utf-8"))
        length, crop, bin_size = (int(said[key]) for key in ("seq_length", "crop_bp", "pool_width"))
    except (ValueError, KeyError, TypeError, OverflowError):
        raise RecordError(f"{path} is no JSON with seq_length, crop_bp and pool_width") from None
    if length < 1 or crop < 0 or bin_size < 1 or length <= 2 * crop or (length - 2 * crop) % bin_size:
        raise RecordError(f"{path} says {length} bases, {crop} cropped and bins of {bin_size}, which do not fit")
    return length, crop, bin_size


def _targets(path: Path) -> tuple[tuple[str, ...], tuple[int, ...]]:
    """Label and number of the partner on the other strand, for each track."""
    text = io.StringIO(_text(path))
    try:
        rows = list(csv.DictReader(text, delimiter="\t"))
        labels = tuple(f"{row['identifier']} {row['description']}" for row in rows)
        swap = tuple(int(row["strand_pair"]) for row in rows)
    except (csv.Error, ValueError, KeyError, TypeError):
        raise RecordError(f"{path} is no table with identifier, strand_pair and description") from None
    if not rows:
        raise RecordError(f"{path} lists no track: it is empty, or has only its head")
    return labels, swap


def _text(path: Path) -> str:
    try:
        return path.read_text("utf-8")
    except UnicodeDecodeError:
        raise RecordError(f"{path} is no text in UTF-8") from None


def _bed(path: Path, split: str) -> tuple[Place, ...]:
    """The places of a split, in the order of its records (proved for "baskerville-tiny" in the tests)."""
    places, splits = [], set()
    for number, line in enumerate(_text(path).splitlines(), start=1):
        try:
            chromosome, start, end, name = line.split()
            place = Place(chromosome, int(start), int(end))
        except ValueError:
            raise RecordError(
                f"line {number} of {path} is {line!r}; chromosome, start, end, split are expected"
            ) from None
        splits.add(name)
        if name == split:
            places.append(place)
    if not places:
        raise RecordError(f"{path} has no split {split!r}; it has {', '.join(sorted(splits))}")
    return tuple(places)
