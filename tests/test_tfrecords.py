"""TFRecord files are read as TensorFlow writes them, and the real windows are where we say they are."""

import gzip
import json
import struct
import zlib

import numpy as np
import pytest
from window_files import basenji, crc32c, example, field, masked, record, varint

from course_utils import datasets
from course_utils.sequences import one_hot, read_fasta
from course_utils.tfrecords import BASENJI_PLACES, RecordError, read_basenji, read_baskerville, read_records

# --- records -------------------------------------------------------------------------------------

FEATURES = {
    "sequence": bytes(range(256)) * 2,
    "several": [b"a", b"", b"c" * 300],
    "floats": np.array([0.5, -2, 1e30], np.float32),
    "numbers": np.array([0, 1, 127, 128, 2**62, -1, -(2**63)]),
}
PACKINGS = {"plain": bytes, "zlib": zlib.compress, "gzip": gzip.compress, "zlib of level 1": lambda b: zlib.compress(b, 1)}


@pytest.mark.parametrize("packed", [True, False])
@pytest.mark.parametrize("packing", PACKINGS)
def test_a_record_is_read_as_it_was_written(tmp_path, packing, packed):
    second = {"other": b"\x00" * 70_000}
    content = record(example(FEATURES, packed)) + record(example(second))
    (tmp_path / "a.tfr").write_bytes(PACKINGS[packing](content))
    first, other = read_records(tmp_path / "a.tfr")
    assert first.keys() == FEATURES.keys() and other == second
    assert first["sequence"] == FEATURES["sequence"] and first["several"] == FEATURES["several"]
    for name, dtype in (("floats", np.float32), ("numbers", np.int64)):
        assert first[name].dtype == dtype and np.array_equal(first[name], FEATURES[name])


def test_gzip_files_joined_end_to_end_are_one(tmp_path):
    parts = [gzip.compress(record(example({"number": np.array([n])}))) for n in range(3)]
    (tmp_path / "a.tfr").write_bytes(b"".join(parts))
    assert [int(one["number"][0]) for one in read_records(tmp_path / "a.tfr")] == [0, 1, 2]


def test_the_checksum_is_crc32c():
    assert crc32c(b"123456789") == 0xE3069283  # RFC 3720 and every catalogue of checksums


def test_a_plain_file_that_begins_like_zlib_is_read_as_plain(tmp_path):
    length = 0x9C78  # its bytes 78 9c are how a zlib file begins
    features = {"a": bytes(length - 30)}
    data = example(features)
    features["a"] += bytes(length - len(data))
    assert len(example(features)) == length
    (tmp_path / "a.tfr").write_bytes(record(example(features)))
    assert list(read_records(tmp_path / "a.tfr")) == [features]


def test_records_come_one_by_one_and_damage_shows_where_it_is_reached(tmp_path):
    content = record(example({"a": bytes(5_000)}))
    (tmp_path / "a.tfr").write_bytes(content + b"what is wrong after the first record")
    records = read_records(tmp_path / "a.tfr")
    assert len(next(records)["a"]) == 5_000
    with pytest.raises(RecordError, match="head of record 1"):
        next(records)


GOOD = basenji()
DATA = example({"a": b"b"})
WRONG = {
    "empty": (b"", ["is empty"]),
    "text": (b">chr1\nACGTACGTACGT\n", ["no TFRecord file"]),
    "short text": (b"ACGT\n", ["head of record 0", "cut short"]),
    "packed text": (zlib.compress(b">chr1\nACGTACGTACGT\n"), ["no TFRecord file"]),
    "cut": (GOOD[:-100], ["record 0", "cut short"]),
    "cut checksum": (GOOD[:-1], ["checksum of record 0", "3 of 4 bytes"]),
    "cut head": (GOOD + GOOD[:5], ["head of record 1", "5 of 12"]),
    "cut zlib": (zlib.compress(GOOD)[:-10], ["truncated compressed"]),
    "cut gzip": (gzip.compress(GOOD)[:-4], ["truncated compressed"]),
    "damaged zlib": (zlib.compress(GOOD)[:-4] + b"\0\0\0\0", ["damaged compressed"]),
    "damaged head": (GOOD + b"\1" + GOOD[1:], ["damaged at the head of record 1"]),
    "huge": (struct.pack("<Q", 2**62) + masked(struct.pack("<Q", 2**62)) + b"abc", ["record 0", "cut short"]),
    "no example": (record(b"\xff" * 40), ["record 0", "no tf.train.Example"]),
    "cut example": (record(DATA[:-1]), ["no tf.train.Example"]),
    "empty example": (record(b""), ["no tf.train.Example"]),
    "old groups": (record(varint(8 * 1 + 3) + DATA), ["no tf.train.Example"]),
    "no name": (record(field(1, field(1, field(2, b"")))), ["no tf.train.Example"]),
    "a number for a feature": (
        record(field(1, field(1, field(1, b"a") + varint(8 * 2) + b"\x05"))),
        ["record 0", "no tf.train.Example"],
    ),
    "a number for a name": (record(field(1, field(1, varint(8) + b"\x05" + field(2, b"")))), ["no tf.train.Example"]),
    "a number for a float": (
        record(field(1, field(1, field(1, b"a") + field(2, field(2, varint(8) + b"\x04"))))),
        ["no tf.train.Example"],
    ),
    "a number of 70 bits": (
        record(field(1, field(1, field(1, b"a") + field(2, field(3, field(1, b"\xff" * 9 + b"\x7f")))))),
        ["record 0", "no tf.train.Example"],
    ),
    "three bytes of a float": (
        record(field(1, field(1, field(1, b"a") + field(2, field(2, field(1, b"abc")))))),
        ["no tf.train.Example"],
    ),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_file_of_another_kind_is_refused_in_one_sentence(tmp_path, name):
    content, words = WRONG[name]
    (tmp_path / "a.tfr").write_bytes(content)
    with pytest.raises(RecordError) as caught:
        list(read_records(tmp_path / "a.tfr"))
    said = str(caught.value)
    assert [word for word in words if word not in said] == [] and "\n" not in said, said
    assert "a.tfr" in said and (caught.value.__context__ is None or caught.value.__suppress_context__)


@pytest.mark.parametrize("packing", ["plain", "zlib"])
def test_a_file_cut_anywhere_is_never_taken_for_whole(tmp_path, packing):
    whole = PACKINGS[packing](basenji(128, 1))
    for length in range(0, len(whole), 7):
        (tmp_path / "a.tfr").write_bytes(whole[:length])
        with pytest.raises(RecordError):
            list(read_records(tmp_path / "a.tfr"))


# --- windows -------------------------------------------------------------------------------------


def test_basenjis_records_become_windows(tmp_path):
    for name, value in (("a", 0.5), ("b", 1.5)):
        (tmp_path / name).write_bytes(zlib.compress(basenji(value=value)))
    windows = read_basenji([tmp_path / "a", tmp_path / "b"])
    assert windows.one_hot.shape == (2, 256, 4) and windows.tracks.shape == (2, 2, 3)
    assert windows.tracks[:, 0, 0].tolist() == [0.5, 1.5]
    assert windows.labels == ("track 1", "track 2", "track 3") and windows.places is None
    assert len(read_basenji(tmp_path / "a")) == len(read_basenji(str(tmp_path / "a"))) == 1


LETTERS = np.zeros((256, 4), np.uint8)
BAD_WINDOWS = {
    "no target": ([basenji(target=None)], ["record 0", "no target", "it has sequence"]),
    "length": ([basenji(sequence=LETTERS[:200].tobytes())], ["200 bases", "no bins of 128"]),
    "half a base": ([basenji(sequence=b"\0" * 1026)], ["sequence", "1026", "multiple of 4"]),
    "half a bin": ([basenji(target=np.zeros(5, np.float32))], ["target", "5 numbers", "multiple of 2"]),
    "no bases": ([basenji(sequence=b"")], ["sequence", "0 numbers"]),
    "numbers": ([basenji(sequence=np.zeros(256, int))], ["no sequence of the type uint8"]),
    "unlike": ([basenji(), basenji(512)], ["record 1", "512 bases", "256 and 3"]),
    "tracks unlike": ([basenji(), basenji(tracks=2)], ["record 1", "2 tracks", "256 and 3"]),
    "two": ([basenji(sequence=b"\2" * 1024)], ["window 0", "has 2", "0 or 1"]),
    "nan": ([basenji(value=np.nan)], ["window 0, bin 0, track 0", "nan"]),
}


@pytest.mark.parametrize("name", BAD_WINDOWS)
def test_records_that_are_no_windows_are_refused_in_one_sentence(tmp_path, name):
    records, words = BAD_WINDOWS[name]
    (tmp_path / "a").write_bytes(b"".join(records))
    with pytest.raises(RecordError) as caught:
        read_basenji([tmp_path / "a"])
    said = str(caught.value)
    assert [word for word in words if word not in said] == [] and "\n" not in said, said
    assert caught.value.__context__ is None or caught.value.__suppress_context__


@pytest.mark.parametrize("bin_size", [0, -4, 2.0, True, None, "128"])
def test_a_bin_size_that_is_none_is_refused(tmp_path, bin_size):
    with pytest.raises(RecordError, match=f"bin size is {bin_size!r}; a whole number from 1 up"):
        read_basenji(tmp_path / "a", bin_size=bin_size)


def test_files_without_a_window_are_refused(tmp_path):
    (tmp_path / "a").write_bytes(basenji())
    with pytest.raises(RecordError, match="no window was read from .*a"):
        read_basenji(tmp_path / "a", only_placed=True)
    with pytest.raises(RecordError, match="no file at all"):
        read_basenji([])


TARGETS = "\tidentifier\tstrand_pair\tdescription\n0\tA+\t1\tCAGE:a\n1\tA-\t0\tCAGE:a\n2\tB\t2\tDNASE:b\n"


@pytest.fixture
def folder(tmp_path):
    """Three windows of 16 bp, bins of 4 in the middle 8, three tracks: two for training, one for testing."""
    (tmp_path / "tfrecords").mkdir()
    (tmp_path / "statistics.json").write_text(json.dumps({"seq_length": 16, "crop_bp": 4, "pool_width": 4}))
    (tmp_path / "targets.txt").write_text(TARGETS)
    (tmp_path / "sequences.bed").write_text("chr1\t4\t12\ttrain\nchr2\t104\t112\ttrain\nchr3\t0\t8\ttest\n")
    for name, codes in (("train-2", 1), ("train-10", 4), ("test-0", 2)):
        features = {
            "sequence": bytes([0] * 4 + [codes] * 8 + [0] * 4),
            "target": np.arange(6, dtype=np.float16).tobytes(),
        }
        (tmp_path / f"tfrecords/{name}.tfr").write_bytes(zlib.compress(record(example(features))))
    return tmp_path


def test_baskervilles_records_become_the_windows_that_have_tracks(folder):
    windows = read_baskerville(folder)
    assert windows.one_hot.shape == (2, 8, 4) and windows.tracks.tolist()[0] == [[0, 1, 2], [3, 4, 5]]
    assert windows.one_hot[0].sum(axis=0).tolist() == [0, 8, 0, 0]  # train-2 comes before train-10
    assert not windows.one_hot[1].any()  # 4 is an N
    assert [str(place) for place in windows.places] == ["chr1:4-12", "chr2:104-112"]
    assert windows.labels == ("A+ CAGE:a", "A- CAGE:a", "B DNASE:b") and windows.swap == (1, 0, 2)
    assert len(read_baskerville(str(folder), "test")) == 1


SPOILED = {
    "statistics.json": [
        ('{"seq_length": 16}', ["no JSON with"]),
        ("[", ["no JSON with"]),
        ('{"seq_length": 1e999, "crop_bp": 4, "pool_width": 4}', ["no JSON with"]),
        (b"\xff", ["no JSON with"]),
        ('{"seq_length": 16, "crop_bp": 8, "pool_width": 4}', ["do not fit"]),
        ('{"seq_length": 32, "crop_bp": 4, "pool_width": 4}', ["record 0", "sequence", "multiple of 32"]),
    ],
    "targets.txt": [
        ("nothing\n1\n", ["no table with"]),
        (TARGETS[: TARGETS.index("0")], ["targets.txt lists no track"]),
        ("", ["targets.txt lists no track"]),
        (TARGETS.encode() + b"\xff", ["targets.txt is no text in UTF-8"]),
        (TARGETS.replace("2\tDNASE", "x\tDNASE"), ["no table with"]),
        (TARGETS.replace("2\tDNASE", "0\tDNASE"), ["swap"]),
        (TARGETS[: TARGETS.rindex("2\tB")], ["target of record 0", "6 numbers", "multiple of 4"]),
    ],
    "sequences.bed": [
        ("chr1\t4\t12\ttest\n", ["no split 'train'", "it has test"]),
        ("chr1\t4\t12\ttrain\n", ["2 windows of train", "names 1"]),
        (b"chr\xff\t4\t12\ttrain\n", ["sequences.bed is no text in UTF-8"]),
        ("chr1\t4\ttrain\n", ["line 1", "chromosome, start, end, split"]),
        ("chr1\t4\t14\ttrain\n" * 2, ["chr1:4-14", "8 bases"]),
    ],
}


@pytest.mark.parametrize("name, content, words", [(n, *case) for n, cases in SPOILED.items() for case in cases])
def test_a_folder_whose_tables_do_not_fit_is_refused_in_one_sentence(folder, name, content, words):
    (folder / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(RecordError) as caught:
        read_baskerville(folder)
    said = str(caught.value)
    assert [word for word in words if word not in said] == [] and "\n" not in said, said


@pytest.mark.parametrize("name", SPOILED)
def test_a_folder_without_a_table_is_refused(folder, name):
    (folder / name).unlink()
    with pytest.raises(FileNotFoundError, match=name):
        read_baskerville(folder)


# --- the real files ------------------------------------------------------------------------------


def fetched(name: str):
    try:
        return datasets.fetch(name)
    except datasets.DataUnavailable as error:
        pytest.skip(str(error))


@pytest.fixture(scope="module")
def real():
    return read_basenji(fetched("basenji-cage"))


def test_the_basenji_windows_are_those_that_the_registry_describes(real):
    assert repr(real) == "20 windows of 262,144 bp, 2048 bins, 10 tracks, without places"
    assert real.one_hot.sum() == 20 * 262_144  # no N
    assert real.tracks.max() == 100 and real.tracks[..., 1].max() == 100
    assert real.crop(32_768).tracks.shape == (160, 256, 10)


def first_words(encoded: np.ndarray) -> np.ndarray:
    """The 32 letters at each position, as a number: along the last axis but one."""
    codes = (encoded @ np.arange(4, dtype=np.uint8)).astype(np.uint64)
    count = codes.shape[-1] - 31
    words = np.zeros((*codes.shape[:-1], count), np.uint64)
    for offset in range(32):
        words = words << np.uint64(2) | codes[..., offset : offset + count]
    return words


@pytest.fixture(scope="module")
def peaks():
    """CTCF peaks of hg19: the words of 32 letters at their start, in order, and chromosome, start and letters."""
    records = read_fasta(fetched("ctcf-peaks")[0])
    encoded = one_hot([peak.sequence for peak in records], ambiguous="zeros", dtype=bool)
    words = first_words(encoded[:, :32])[:, 0]
    order = np.argsort(words)
    return words[order], [records[number].name.split(":") for number in order], encoded[order]


def places_by_peaks(encoded: np.ndarray, peaks) -> set[tuple[str, int]]:
    """Where the window begins in hg19, by each peak that lies in it letter by letter."""
    words, names, letters = peaks
    window = first_words(encoded)
    found = set()
    at = np.searchsorted(words, window).clip(max=len(words) - 1)
    for position in np.flatnonzero(words[at] == window):
        chromosome, span = names[at[position]]
        if np.array_equal(encoded[position : position + 100], letters[at[position]]):
            found.add((chromosome, int(span.split("-")[0]) - int(position)))
    return found


def test_the_places_of_basenjis_windows_are_found_by_ctcf_peaks(real, peaks):
    known = [place for places in BASENJI_PLACES.values() for place in places]
    found = [places_by_peaks(window, peaks) for window in real.one_hot]
    assert found == [{(place.chromosome, place.start)} if place else set() for place in known]
    placed = read_basenji(fetched("basenji-cage"), only_placed=True)
    assert placed.places == tuple(filter(None, known)) and len(placed) == 17
    assert np.array_equal(placed.tracks, real.tracks[[place is not None for place in known]])
    assert sorted({place.chromosome for place in placed.places})[-2:] == ["chr6", "chr8"]


def test_baskervilles_windows_stand_in_the_order_of_the_bed_file(peaks):
    """Peaks of hg19 in windows of hg38: the chromosome is the bed file's, and the shift between the two is that
    between the assemblies, up to 3 Mb (chr1:1.9M 68,561; chr5:81M -704,181: as known for those regions)."""
    folder = fetched("baskerville-tiny")[0].parent
    placed = 0
    for split, count in (("train", 45), ("valid", 10), ("test", 10)):
        windows = read_baskerville(folder, split)
        assert windows.one_hot.shape == (count, 65_536, 4) and windows.tracks.shape == (count, 2048, 74)
        for place, encoded in zip(windows.places, windows.one_hot):
            for chromosome, start in places_by_peaks(encoded, peaks):
                assert chromosome == place.chromosome and abs(start - place.start) < 3_000_000
                if place.chromosome == "chr1" and place.start == 1_896_708:
                    assert place.start - start == 68_561
                placed += 1
    assert placed > 30


def test_the_strand_pairs_of_baskerville_are_pairs():
    windows = read_baskerville(fetched("baskerville-tiny")[0].parent, "test")
    for track, partner in enumerate(windows.swap):
        name, other = (windows.labels[number].split()[0] for number in (track, partner))
        if track == partner:
            assert name[-1] not in "+-"
        else:
            assert name[:-1] == other[:-1] and {name[-1], other[-1]} == {"+", "-"}
