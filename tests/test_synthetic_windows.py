"""A simulated file as large as wanted: the same after a break, and with the best scores that can be reached."""

import hashlib
import subprocess
import sys

import h5py
import numpy as np
import pytest
from window_files import h5

from course_utils import genomes, hdf5_making
from course_utils.backgrounds import SimulationError
from course_utils.genomes import GenomeRules, local_rates, make_genome, mean_boost, simulate_genome
from course_utils.hdf5_windows import HDF5Windows, read_windows
from course_utils.synthetic_windows import ceilings, main, make_synthetic, rules_for, true_rates
from course_utils.windows import WindowError

COUNTS = {"train": 5, "valid": 2, "test": 40}


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    path = tmp_path_factory.mktemp("made") / "seq.h5"
    make_synthetic(path, counts=COUNTS, length=16_384, seed=3, progress=False)
    return path


def test_the_file_holds_windows_of_the_lessons_genome(path):
    assert rules_for(16_384) == GenomeRules()
    rules = rules_for(131_072)
    assert (rules.bins, rules.promoters, rules.enhancers) == (1024, 32, 32)
    for split, count in COUNTS.items():
        windows = read_windows(path, split)
        assert windows.tracks.shape == (count, 128, 10) and windows.labels == GenomeRules().labels
        assert (windows.one_hot.sum(axis=2) == 1).all() and windows.swap == tuple(range(10))
        assert 0.26 < windows.one_hot.mean(axis=(0, 1))[0] < 0.32
    assert len(HDF5Windows(path, "train")) == 5


def test_no_window_is_there_twice(path):
    seen = {windows.one_hot[number].tobytes() for split in COUNTS for windows in [read_windows(path, split)]
            for number in range(len(windows))}  # fmt: skip
    assert len(seen) == sum(COUNTS.values())


def test_the_same_seed_makes_the_same_file_also_after_a_break(path, tmp_path, monkeypatch):
    def made(**changes):
        choices = {"counts": COUNTS, "length": 16_384, "seed": 3, "progress": False} | changes
        make_synthetic(tmp_path / "a.h5", **choices)
        return hashlib.sha256((tmp_path / "a.h5").read_bytes()).digest()

    first, real = hashlib.sha256(path.read_bytes()).digest(), hdf5_making._check_batch

    def broken(windows, layout, split, *where):
        if split == "test":
            raise KeyboardInterrupt
        real(windows, layout, split, *where)

    monkeypatch.setattr(hdf5_making, "_check_batch", broken)
    with pytest.raises(KeyboardInterrupt):
        made()
    with pytest.raises(WindowError, match="begun otherwise: seed was 3 and is 4"):
        made(seed=4)
    monkeypatch.setattr(hdf5_making, "_check_batch", real)
    assert made() == first
    with pytest.raises(WindowError, match="is there and was made otherwise: seed was 3 and is 4"):
        made(seed=4)
    (tmp_path / "a.h5").unlink()
    assert made(seed=4) != first


def test_the_ceilings_are_those_of_the_rates_in_the_file(path):
    found, rates = ceilings(path), true_rates(path)
    counts = read_windows(path, "test").tracks
    for r, name in ((found.r, "true rates"), (found.local_r, "local rates")):
        assert rates[name].shape == counts.shape and rates[name].dtype == np.float32
        for track in range(10):
            expected = np.corrcoef(counts[:, :, track].ravel(), rates[name][:, :, track].ravel())[0, 1]
            assert r[track] == pytest.approx(expected, abs=1e-6)
    assert 0.84 < found.r.mean() < 0.93 and 0.70 < found.local_r.mean() < 0.85  # 0.887 and 0.777 in lesson 10
    assert abs(rates["true rates"].mean() - counts.mean()) < 0.05


def test_a_boost_that_is_given_is_used_and_a_wrong_one_is_told():
    rules = rules_for(8192)
    genome = make_genome(np.random.default_rng(1), rules)
    boost = mean_boost(rules, rng=np.random.default_rng(2))
    made = simulate_genome(3, genome, boost=boost, rng=np.random.default_rng(4))
    assert np.array_equal(made.local_rate, local_rates(made.elements, rules, boost))
    assert boost.shape == (9,) and 1 < boost[-1] < rules.fold
    with pytest.raises(SimulationError, match="the boost is no row of numbers above 0"):
        simulate_genome(3, genome, boost=-boost, rng=np.random.default_rng(4))


def test_a_mean_boost_does_not_depend_on_how_many_windows_are_drawn_together(monkeypatch):
    rules = rules_for(16_384)
    at_once = mean_boost(rules, rng=np.random.default_rng(2))
    monkeypatch.setattr(genomes, "_DISTANCES", 300 * rules.enhancers * rules.bins)
    in_parts = mean_boost(rules, rng=np.random.default_rng(2))
    assert abs(in_parts - at_once).max() < 0.1 < at_once.std()


def test_a_file_without_rates_has_no_ceilings(tmp_path):
    (tmp_path / "seq.h5").write_bytes(h5())
    assert true_rates(tmp_path / "seq.h5") == {}
    with pytest.raises(WindowError, match="no test_rate and test_local_rate"):
        ceilings(tmp_path / "seq.h5")
    make_synthetic(tmp_path / "a.h5", counts={"train": 1}, length=4096, progress=False)
    assert true_rates(tmp_path / "a.h5") == {}


def test_a_damaged_file_is_told(path, tmp_path):
    (tmp_path / "cut.h5").write_bytes(path.read_bytes()[:3000])
    for read in (true_rates, ceilings):
        with pytest.raises(WindowError, match="cut.h5 is no whole HDF5 file"):
            read(tmp_path / "cut.h5")
        with pytest.raises(FileNotFoundError):
            read(tmp_path / "none.h5")


@pytest.mark.parametrize(
    "choices, error, words",
    [
        ({"length": 5000}, SimulationError, "the length is 5000; a multiple of 4,096"),
        ({"length": 0}, SimulationError, "the length is 0"),
        ({"seed": -1}, SimulationError, "the seed is -1"),
        ({"counts": {"train": 0}}, WindowError, "number of train windows is 0"),
        ({"counts": {"all": 3}}, WindowError, "some of train, valid, test"),
    ],
)
def test_choices_that_cannot_be_are_told(tmp_path, choices, error, words):
    with pytest.raises(error, match=words):
        make_synthetic(tmp_path / "seq.h5", **{"length": 4096, "progress": False} | choices)
    assert list(tmp_path.iterdir()) == []


def test_the_command_makes_a_file_and_says_the_ceilings(tmp_path, capsys):
    command = [sys.executable, "-m", "course_utils.synthetic_windows", str(tmp_path / "seq.h5"), "--length"]
    small = ["4096", "--train", "2", "--valid", "1", "--test", "8"]
    run = subprocess.run(command + small, capture_output=True, text=True)
    assert (run.returncode, run.stderr) == (0, "")
    assert "2 train, 1 valid, 8 test windows of 4,096 bases; on the test set no network exceeds r = 0." in run.stdout
    before = (tmp_path / "seq.h5").stat()
    assert main([str(tmp_path / "seq.h5"), "--length", *small]) == 0
    assert capsys.readouterr().out == run.stdout.replace("seq.h5: 2", "seq.h5 is there already: 2")
    assert (tmp_path / "seq.h5").stat() == before
    with h5py.File(tmp_path / "seq.h5") as file:
        assert {len(file[f"{split}_in"]) for split in COUNTS} == {1, 2, 8}


def test_the_command_tells_what_cannot_be(tmp_path, capsys):
    assert main([str(tmp_path / "seq.h5"), "--test", "0"]) == 1
    said = capsys.readouterr()
    assert said.out == "" and said.err == "the number of test windows is 0; a whole number from 1 up is expected\n"
