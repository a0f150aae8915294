"""From FASTA and BigWig to HDF5: every number is the one that plain loops find, and what does not fit is said."""

import gzip
import hashlib
import json
import os
import subprocess
import sys

import h5py
import numpy as np
import pytest
from Bio import bgzf
from small_genome import SIZES, TABLE, letters, small_genome, window_by_loops, write_bigwig, write_fasta
from window_files import example, record

from course_utils import hdf5_making, window_layout
from course_utils.genome_files import GenomeError
from course_utils.hdf5_windows import read_windows, write_windows
from course_utils.tfrecords import read_basenji
from course_utils.window_making import main, make_windows
from course_utils.window_plan import REASONS
from course_utils.windows import Place, WindowError

CHOICES = {"valid": ["chr2"], "test": ["chr3"], "length": 128, "bin_size": 32, "progress": False}


@pytest.fixture
def folder(tmp_path):
    return small_genome(tmp_path / "게놈 ゲノム 1")


def make(folder, fasta="genome.fa", targets="targets.txt", **changes):
    return make_windows(folder / fasta, folder / targets, folder / "seq.h5", **CHOICES | changes)


def check_by_loops(path, length=128, bin_size=32) -> dict[str, tuple[Place, ...]]:
    """Compare every window of a file with the plain loops; returns the places."""
    places = {}
    for split in ("train", "valid", "test"):
        windows = read_windows(path, split)
        for number, place in enumerate(windows.places):
            one_hot, tracks = window_by_loops(place.chromosome, place.start, length, bin_size)
            assert np.array_equal(windows.one_hot[number], one_hot)
            assert np.array_equal(windows.tracks[number], tracks.astype(np.float16).astype(np.float32))
        places[split] = windows.places
    assert windows.swap == (1, 0, 2, 3) and windows.labels == ("C1+ CAGE: heart", "C1- CAGE: heart", "D1 DNase", "D2")
    return places


@pytest.mark.parametrize("packed", [False, True])
def test_every_base_and_every_bin_is_the_one_that_plain_loops_find(folder, packed):
    if packed:
        with bgzf.BgzfWriter(folder / "genome.fa.gz") as file:
            file.write((folder / "genome.fa").read_bytes())
    made = make(folder, "genome.fa.gz" if packed else "genome.fa", max_unknown=0.5)
    places = check_by_loops(folder / "seq.h5")
    # the last window of chr1 ends at 1920 and has 80 N of 128; that of chr3 begins with 10
    assert places["train"] == tuple(Place("chr1", start, start + 128) for start in range(0, 1792, 128))
    assert [place.start for place in places["valid"]] == list(range(0, 1024, 128))
    assert [place.start for place in places["test"]] == list(range(0, 896, 128))
    assert made["left_out"] == dict.fromkeys(REASONS, 0) | {"past the end": 1, "unknown": 1}
    with h5py.File(folder / "seq.h5") as file:
        assert json.loads(file["manifest"][()]) == json.loads(json.dumps(made))


def test_a_blacklist_regions_and_a_stride_choose_the_windows(folder):
    (folder / "black.bed").write_text("chr1\t100\t101\nchr2\t0\t200\tmuch\n")
    (folder / "regions.bed.gz").write_bytes(gzip.compress(b"chr1\t3\t503\nchr2\t150\t1100\nchr3\t400\t420\n"))
    made = make(folder, blacklist=folder / "black.bed", regions=folder / "regions.bed.gz", stride=64, length=64)
    places = check_by_loops(folder / "seq.h5", length=64)
    assert [place.start for place in places["train"]] == [3, *range(131, 440, 64)]
    assert [place.start for place in places["valid"]] == list(range(214, 1037, 64))
    assert places["test"] == (Place("chr3", 378, 442),)
    assert made["left_out"]["blacklisted"] == 2 and made["windows"] == {"train": 6, "valid": 13, "test": 1}


def test_tfrecord_bigwig_and_hdf5_give_the_same_windows(folder):
    """Basenji's files hold what plain loops find; they are read, and so are the files that we make."""
    make(folder, length=256, bin_size=128)
    with_places = read_windows(folder / "seq.h5", "train")
    records = []
    for place in with_places.places:
        one_hot, tracks = window_by_loops(place.chromosome, place.start, 256, 128)
        target = tracks.astype(np.float16).astype(np.float32).ravel()
        records.append(record(example({"sequence": one_hot.astype(np.uint8).tobytes(), "target": target})))
    (folder / "train.tfrecord").write_bytes(b"".join(records))
    of_records = read_basenji(folder / "train.tfrecord")
    write_windows(folder / "again.h5", {"train": of_records})
    for windows in (of_records, read_windows(folder / "again.h5", "train")):
        assert np.array_equal(windows.one_hot, with_places.one_hot) and len(windows) == 7
        assert np.array_equal(windows.tracks, with_places.tracks)


def test_a_making_that_was_broken_off_goes_on_and_other_sources_are_refused(folder, monkeypatch):
    make(folder)
    whole = (folder / "seq.h5").read_bytes()
    monkeypatch.setattr(window_layout, "BATCH", 4)
    real, calls = hdf5_making._check_batch, []

    def broken(*arguments):
        calls.append(arguments)
        if len(calls) == 3:
            raise KeyboardInterrupt
        real(*arguments)

    (folder / "seq.h5").unlink()
    monkeypatch.setattr(hdf5_making, "_check_batch", broken)
    with pytest.raises(KeyboardInterrupt):
        make(folder)
    monkeypatch.setattr(hdf5_making, "_check_batch", real)
    (folder / "targets.txt").write_text(TABLE.replace("DNase", "DNase-seq"), "utf-8")
    with pytest.raises(WindowError, match="begun otherwise: targets.txt has changed since; delete it to begin anew"):
        make(folder)
    (folder / "targets.txt").write_text(TABLE, "utf-8")
    with pytest.raises(WindowError, match="settings.max_unknown was 0.05 and is 0.1"):
        make(folder, max_unknown=0.1)
    make(folder)
    assert (folder / "seq.h5").read_bytes() == whole
    assert not list(folder.glob("seq.h5.making*"))


def test_a_file_that_is_there_stays_as_it_is_and_other_sources_are_told(folder):
    made = make(folder)
    before = (folder / "seq.h5").stat()
    assert make(folder) == made and (folder / "seq.h5").stat() == before
    write_bigwig(folder / "plus.bw", [("chr1", 0, 5, 1.0)])
    with pytest.raises(WindowError, match="there and was made otherwise: plus.bw has changed since; give another name"):
        make(folder)
    assert (folder / "seq.h5").stat() == before


def test_other_chromosomes_held_out_are_told(folder):
    make(folder)
    with pytest.raises(WindowError, match="made otherwise: chromosomes.valid.0 was chr2 and is chr3"):
        make(folder, valid=["chr3"], test=["chr2"])


@pytest.mark.parametrize("name", ["genome.fa", "targets.txt", "regions.bed", "black.bed", "plus.bw"])
def test_no_source_is_replaced(folder, name):
    for bed in ("regions.bed", "black.bed"):
        (folder / bed).write_text("chr1\t100\t101\n")
    before = {file: file.read_bytes() for file in folder.iterdir()}
    for out in (folder / name, folder / ".." / folder.name / name):
        with pytest.raises(WindowError, match=f"{name} is one of the files that the windows are made of; another name"):
            make_windows(folder / "genome.fa", folder / "targets.txt", out, **CHOICES, regions=folder / "regions.bed",
                         blacklist=folder / "black.bed")  # fmt: skip
    assert before == {file: file.read_bytes() for file in folder.iterdir()}


def test_a_folder_in_place_of_the_file_is_told_before_anything_is_read(folder):
    with pytest.raises(WindowError, match="is a folder; the name of a file is expected"):
        make_windows(folder / "none.fa", folder / "none.txt", folder, **CHOICES)


def test_files_of_one_name_in_two_folders_are_told_apart(folder):
    for at, value in (("x", 1.0), ("y", 2.0)):
        (folder / at).mkdir()
        write_bigwig(folder / at / "cov.bw", [("chr1", 0, 2000, value)])
    (folder / "two.txt").write_text("identifier\tfile\nA\tx/cov.bw\nB\ty/cov.bw\n")
    made = make(folder, targets="two.txt")
    assert [track["file"] for track in made["tracks"]] == list(made["files"]) == ["x/cov.bw", "y/cov.bw"]
    for name, file in made["files"].items():
        assert file["sha256"] == hashlib.sha256((folder / name).read_bytes()).hexdigest()


def test_a_chromosome_of_another_version_does_no_harm_if_it_is_not_used(folder):
    """As chrM: the tracks are refused only for chromosomes of which there are windows."""
    for name in ("plus.bw", "minus.bw", "dnase.bw"):
        write_bigwig(folder / name, [("chr1", 0, 5, 0.0)], SIZES | {"tiny": 51, "chr2": 1100})
    make(folder)
    write_fasta(folder / "more.fa", letters() | {"chrM": letters()["chr2"]})
    write_bigwig(folder / "plus.bw", [("chr1", 0, 5, 0.0)], SIZES | {"chrM": 1101})
    (folder / "seq.h5").unlink()
    make(folder, fasta="more.fa", chromosomes=["chr1", "chr2", "chr3"])
    with pytest.raises(GenomeError, match="plus.bw is of another assembly than .*more.fa: chrM has 1,101"):
        make(folder, fasta="more.fa")


MANY = """
import resource, sys
from pathlib import Path
sys.path.insert(0, {tests!r})
import test_window_making as t
resource.setrlimit(resource.RLIMIT_NOFILE, (40, {most}))
try:
    t.make(Path({folder!r}), targets="many.txt")
except OSError as error:
    print(error)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such limit")
@pytest.mark.parametrize("most, words", [(400, ""), (40, "of 60 BigWig files are open, and the system allows no more")])
def test_more_files_than_may_be_open_are_opened_if_the_system_lets_it(folder, most, words):
    rows = []
    for number in range(60):
        (folder / f"{number}.bw").write_bytes((folder / "plus.bw").read_bytes())
        rows.append(f"T{number}\t{number}.bw\n")
    (folder / "many.txt").write_text("identifier\tfile\n" + "".join(rows))
    code = MANY.format(tests=os.path.dirname(__file__), folder=str(folder), most=most)
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert (run.returncode, run.stderr) == (0, "") and words in run.stdout and run.stdout.count("\n") == bool(words)
    assert (folder / "seq.h5").exists() == (not words)


def rewritten(file, values, sizes=SIZES):
    def change(folder):
        write_bigwig(folder / file, values, sizes)

    return change


def table(old, new):
    return lambda folder: (folder / "targets.txt").write_text(TABLE.replace(old, new), "utf-8")


@pytest.mark.parametrize(
    "change, choices, error, words",
    [
        (rewritten("plus.bw", [("chr1", 0, 5, 1.0)], SIZES | {"chr1": 2001}), {}, GenomeError, "plus.bw is of "
         "another assembly than .*genome.fa: chr1 has 2,001 .* and 2,000"),
        (rewritten("plus.bw", [("1", 0, 5, 1.0)], {"1": 2000}), {}, GenomeError, "no chromosome '1'; it has chr1"),
        (rewritten("plus.bw", [("chr1", 0, 5, 1.0)], {"chr1": 2000}), {}, GenomeError, "plus.bw has no chromosome "
         "'chr2'.* without any number on it lacks it"),
        (rewritten("plus.bw", [("chr1", 7, 9, -2.0)]), {}, GenomeError, "plus.bw has -2 at chr1:7 and the scale 1; "
         "counts from 0 up .* the scale -1"),
        (rewritten("minus.bw", [("chr1", 7, 9, 2.0)]), {}, GenomeError, "minus.bw has 2 at chr1:7 and the scale -1; "
         "counts from 0 up are expected$"),
        (rewritten("plus.bw", [("chr1", 7, 9, np.inf)]), {}, WindowError, r"window 0, bin 0, track 0 of train "
         r"\(chr1:0-128\) is inf"),
        (rewritten("plus.bw", [("chr1", 260, 262, 40000.0)]), {}, WindowError, r"window 2, bin 0, track 0 of train "
         r"\(chr1:256-384\) is 80000; float16.* a clip, a smaller scale or the mean"),
        (table("dnase.bw", "none.bw"), {}, FileNotFoundError, "none.bw"),
        (table("2\t\t3", "2\tsum_sqrt\t3"), {}, GenomeError, "line 5 of .*targets.txt has the sum_stat 'sum_sqrt'"),
        (lambda folder: None, {"bin_size": 48}, WindowError, "bin size is 48; .* divides the length 128"),
        (lambda folder: None, {"bin_size": 0}, WindowError, "bin size is 0"),
        (lambda folder: None, {"length": 96, "bin_size": 96.0}, WindowError, "bin size is 96.0"),
        (lambda folder: None, {"stride": -1}, WindowError, "stride is -1"),
        (lambda folder: None, {"test": ["8"]}, GenomeError, "no chromosome '8'"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_told_and_leaves_nothing(folder, change, choices, error, words):
    change(folder)
    with pytest.raises(error, match=words) as caught:
        make(folder, **choices)
    assert "\n" not in str(caught.value)
    assert not list(folder.glob("seq.h5*"))


def test_a_clip_and_the_mean_keep_large_numbers_below_the_limit(folder):
    write_bigwig(folder / "plus.bw", [("chr1", 0, 2000, 60000.0), ("chr2", 0, 1, 1.0)])
    for head, row, value in (
        ("clip", "9", 9),
        ("sum_stat", "mean", 60000),
        ("scale", "0.001", 1920),
    ):
        (folder / "one.txt").write_text(f"identifier\tfile\t{head}\nA\tplus.bw\t{row}\n")
        make(folder, targets="one.txt")
        assert read_windows(folder / "seq.h5", "train").tracks[3, 2, 0] == value
        (folder / "seq.h5").unlink()


def test_the_clip_is_in_the_units_of_the_file(folder):
    write_bigwig(folder / "plus.bw", [("chr1", 0, 2000, 1.0), ("chr2", 0, 1, 1.0)])
    (folder / "one.txt").write_text("identifier\tfile\tclip\tscale\nA\tplus.bw\t10\t0.5\n")
    make(folder, targets="one.txt")
    assert read_windows(folder / "seq.h5", "train").tracks[3, 2, 0] == 10  # 32 x 0.5 is 16; clipped first, it were 5


# --- the command ---------------------------------------------------------------------------------


def test_the_command_makes_the_file_and_says_what_it_did(folder, capsys):
    arguments = [str(folder / name) for name in ("genome.fa", "targets.txt", "seq.h5")]
    choices = ["--valid", "chr2", "--test", "chr3", "--length", "128", "--bin-size", "32"]
    assert main(arguments + choices) == 0
    said = capsys.readouterr()
    assert said.out == (
        f"{folder / 'seq.h5'}: 14 train, 8 valid, 6 test windows of 128 bases with 4 tracks; "
        "left out: 1 past the end, 2 unknown\n"
    )
    check_by_loops(folder / "seq.h5")
    before = (folder / "seq.h5").stat()
    assert main(arguments + choices) == 0
    again = capsys.readouterr().out
    assert again == said.out.replace("seq.h5:", "seq.h5 is there already:") and (folder / "seq.h5").stat() == before
    assert main(arguments + choices + ["--chromosomes", "chr1"]) == 1
    said = capsys.readouterr()
    assert said.out == "" and said.err.count("\n") == 1
    assert "chr2 was asked for in the valid set, and is not among the chromosomes" in said.err


def test_the_command_explains_itself():
    run = subprocess.run([sys.executable, "-m", "course_utils.window_making", "-h"], capture_output=True, text=True)
    assert run.returncode == 0 and run.stderr == ""
    said = ("--blacklist BED", "strand_pair", "goes on where it was", "131072", "_alt")
    assert all(words in run.stdout for words in said)


def test_a_chromosome_without_numbers_is_all_0(folder):
    write_fasta(folder / "genome.fa", letters())
    write_bigwig(folder / "plus.bw", [("chr1", 0, 5, 1.0), ("chr2", 0, 1, 1.0), ("chr3", 999, 1000, 0.0)])
    make(folder)
    assert read_windows(folder / "seq.h5", "test").tracks[:, :, 0].sum() == 0
