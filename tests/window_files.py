"""Small sets of windows, and files of them as bytes: HDF5 as the Chainer lecture has it, and TFRecord, written independently."""

import io
import struct

import h5py
import numpy as np

from course_utils.windows import Place, Windows


def some(count: int = 4, length: int = 16, bins: int = 4, experiments: int = 2, seed: int = 1, **fields) -> Windows:
    """Windows with an N each, on chr1, chr2, ... unless told otherwise."""
    rng = np.random.default_rng(seed)
    bases = np.eye(4, dtype=bool)[rng.integers(0, 4, (count, length))]
    bases[:, 3] = False
    values = rng.poisson(3, (count, bins, experiments)) + 0.25
    places = [Place(f"chr{number + 1}", 100, 100 + length) for number in range(count)]
    parts = {"labels": [f"track {number}" for number in range(experiments)], "places": places} | fields
    return Windows(**{"one_hot": bases, "tracks": values} | parts)


def same(first: Windows, second: Windows) -> bool:
    return (
        np.array_equal(first.one_hot, second.one_hot)
        and np.array_equal(first.tracks, second.tracks)
        and (first.labels, first.places, first.swap) == (second.labels, second.places, second.swap)
    )


def h5(**changes) -> bytes:
    """3 windows of 8 bp, 4 bins, 2 tracks, for train and test; a key that is None is left out."""
    rng = np.random.default_rng(1)
    one_hot = np.eye(4, dtype=bool)[rng.integers(0, 4, (3, 8))]
    tracks = np.arange(24, dtype="float16").reshape(3, 4, 2) / 2
    keys = {
        "train_in": one_hot,
        "train_out": tracks,
        "test_in": one_hot[:2],
        "test_out": tracks[:2],
        "target_labels": np.array([b"CAGE:heart", b"CAGE:liver"]),
    } | changes
    buffer = io.BytesIO()
    with h5py.File(buffer, "w") as file:
        for key, value in keys.items():
            if value is not None:
                file[key] = value
    return buffer.getvalue()


# --- TFRecord, by the definitions of TensorFlow's core/lib/io/record_writer.cc and example.proto ---


def crc32c(data: bytes) -> int:
    """Bit by bit, as a polynomial division."""
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = (crc >> 1) ^ (0x82F63B78 * (crc & 1))
    return crc ^ 0xFFFFFFFF


def masked(data: bytes) -> bytes:
    crc = crc32c(data)
    return struct.pack("<I", (((crc >> 15) | (crc << 17)) + 0xA282EAD8) % 2**32)


def varint(number: int) -> bytes:
    groups = []
    while True:
        groups.append(number % 128)
        number //= 128
        if not number:
            return bytes([group + 128 for group in groups[:-1]] + groups[-1:])


def field(number: int, content: bytes) -> bytes:
    return varint(number * 8 + 2) + varint(len(content)) + content


def feature(value, packed: bool = True) -> bytes:
    """bytes or a list of bytes; floats; whole numbers."""
    if isinstance(value, bytes):
        value = [value]
    if isinstance(value, list) and all(isinstance(one, bytes) for one in value):
        return field(1, b"".join(field(1, one) for one in value))
    if np.asarray(value).dtype.kind == "f":
        numbers, kind, wire = [struct.pack("<f", one) for one in value], 2, 5
    else:
        numbers, kind, wire = [varint(int(one) % 2**64) for one in value], 3, 0
    if packed:
        return field(kind, field(1, b"".join(numbers)))
    return field(kind, b"".join(varint(8 + wire) + one for one in numbers))


def example(features: dict, packed: bool = True) -> bytes:
    entries = [field(1, name.encode()) + field(2, feature(value, packed)) for name, value in features.items()]
    return field(1, b"".join(field(1, entry) for entry in entries))


def record(data: bytes) -> bytes:
    length = struct.pack("<Q", len(data))
    return length + masked(length) + data + masked(data)


def basenji(length: int = 256, tracks: int = 3, value: float = 0.5, **changes) -> bytes:
    """One record as Basenji writes it."""
    one_hot = np.eye(4, dtype=np.uint8)[np.arange(length) % 4]
    features = {
        "sequence": one_hot.tobytes(),
        "target": np.full(length // 128 * tracks, value, dtype=np.float32),
    } | changes
    return record(example({name: content for name, content in features.items() if content is not None}))
