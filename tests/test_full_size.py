"""The program of lesson 10 at full size: what it writes, that it goes on after a break, and whom it refuses."""

import json
import os
import re
from dataclasses import replace

import numpy as np
import pytest
import torch
from torchrun import torchrun
from window_files import h5, some

from course_utils import full_size
from course_utils.checkpoints import load_weights
from course_utils.full_size import Recipe, main, train_full_size
from course_utils.hdf5_windows import HDF5Windows, read_windows, write_windows
from course_utils.models.basenji import Basenji
from course_utils.tracks import pearson_per_track, poisson_loss
from course_utils.training import predict
from course_utils.training_log import read_log

pytestmark = pytest.mark.usefixtures("one_thread")

SMALL = Recipe(epochs=3, batch_size=4, base=4, growth=4, learning_rate=0.01, betas=(0.9, 0.99), clip=1.0, flip=True)
FLAGS = "--epochs 3 --batch-size 4 --base 4 --growth 4 --learning-rate 0.01 --betas 0.9 0.99 --clip 1 --flip".split()


@pytest.fixture
def data(tmp_path):
    """18, 5 and 6 windows of 1,024 bases with two tracks, one for each strand."""
    parts = {
        split: some(count, length=1024, bins=8, seed=seed, swap=(1, 0))
        for seed, (split, count) in enumerate([("train", 18), ("valid", 5), ("test", 6)])
    }
    write_windows(tmp_path / "seq.h5", parts)
    return tmp_path / "seq.h5"


def weights(out) -> dict:
    return torch.load(out / "last.pt", weights_only=True)["model"]


def same(one: dict, other: dict) -> bool:
    return all(torch.equal(one[name], other[name]) for name in one)


def test_a_training_leaves_weights_log_predictions_and_results(data, tmp_path):
    lines, out = [], tmp_path / "out"
    results = train_full_size(data, out, SMALL, say=lines.append)
    assert sorted(path.name for path in out.iterdir()) == [
        "best.pt", "last.pt", "log.csv", "results.json", "settings.json", "test_rates.npy",
    ]  # fmt: skip
    log = read_log(out)
    assert [row["epoch"] for row in log] == [1, 2, 3] and all(row["seconds"] > 0 for row in log)
    assert log[0]["windows_per_second"] == pytest.approx(18 / log[0]["seconds"], rel=1e-3)
    assert log[-1]["train_loss"] < log[0]["train_loss"] and log[-1]["learning_rate"] < log[0]["learning_rate"] < 0.01
    assert lines[0].startswith(f"epoch 1 of 3: loss {log[0]['train_loss']:.3f}, validation {log[0]['valid_loss']:.3f}")
    assert [line.split(",")[1][1:15].strip() for line in lines[3:]] == ["network", "GC and CpG", "constant"]
    assert results == json.loads((out / "results.json").read_text())
    assert results["windows"] == {"train": 18, "valid": 5, "test": 6}


def test_the_results_are_those_of_the_best_weights_on_the_test_windows(data, tmp_path):
    results = train_full_size(data, tmp_path / "out", SMALL, say=len)["test"]
    model, test = Basenji(2, base=4, growth=4), HDF5Windows(data, "test")
    load_weights(model, tmp_path / "out/best.pt")
    rates = predict(model, torch.stack([torch.from_numpy(inputs) for inputs, _ in test])).exp().numpy()
    counts = np.stack([tracks for _, tracks in test])
    np.testing.assert_allclose(np.load(tmp_path / "out/test_rates.npy"), rates, rtol=1e-4)
    assert results["network"]["loss"] == pytest.approx(poisson_loss(counts, rates), rel=1e-4)
    r = pearson_per_track(counts, rates, log1p=True)
    assert results["network"]["r_log1p_per_track"] == pytest.approx(r.tolist(), abs=1e-3)
    assert results["network"]["r_log1p"] == pytest.approx(r.mean(), abs=1e-3)
    assert results["constant"]["r"] is None and results["constant"]["r_per_track"] == [None, None]
    assert results["constant"]["loss"] == pytest.approx(
        poisson_loss(counts, np.broadcast_to(np.mean([tracks for _, tracks in HDF5Windows(data, "train")], (0, 1)), counts.shape))
    )


def test_after_a_break_it_goes_on_as_if_there_had_been_none(data, tmp_path):
    def interrupt(line):
        raise KeyboardInterrupt

    train_full_size(data, tmp_path / "whole", SMALL, say=len)
    with pytest.raises(KeyboardInterrupt):
        train_full_size(data, tmp_path / "broken", SMALL, say=interrupt)
    assert len(read_log(tmp_path / "broken")) == 1
    train_full_size(data, tmp_path / "broken", SMALL, resume=True, say=len)
    whole, broken = read_log(tmp_path / "whole"), read_log(tmp_path / "broken")
    for before, after in zip(whole, broken, strict=True):
        assert all(before[key] == after[key] for key in before if key not in ("seconds", "windows_per_second"))
    assert np.isnan([row["seconds"] for row in broken]).tolist() == [False, True, False], "the second was resumed"
    assert same(weights(tmp_path / "whole"), weights(tmp_path / "broken"))
    results = [json.loads((tmp_path / name / "results.json").read_text()) for name in ("whole", "broken")]
    assert results[0] == results[1]


def test_a_log_that_a_break_kept_from_being_written_is_there_after_a_resume(data, tmp_path):
    out = tmp_path / "out"
    train_full_size(data, out, SMALL, say=len)
    rows = (out / "log.csv").read_text().splitlines()
    (out / "log.csv").write_text("\n".join(rows[:-1]) + "\n")
    train_full_size(data, out, SMALL, resume=True, say=len)
    *log, last = read_log(out)
    assert len(log) == 2 and last["epoch"] == 3 and np.isnan(last["seconds"])


def test_the_random_numbers_of_the_caller_go_on_untouched(data, tmp_path):
    before = torch.get_rng_state()
    train_full_size(data, tmp_path / "out", SMALL, say=len)
    assert torch.equal(torch.get_rng_state(), before)


def test_the_packed_windows_never_take_the_place_of_a_training(data, tmp_path):
    out = tmp_path / "out"
    with pytest.raises(ValueError, match="to hold the training and the packed windows; two folders"):
        train_full_size(data, out, SMALL, packed=out)
    train_full_size(data, out, SMALL, packed=tmp_path / "packed", say=len)
    (tmp_path / "packed/mine.txt").write_text("mine")
    os.utime(data, ns=(1, 1))  # packed anew, were the folder ours alone
    with pytest.raises(ValueError, match="packed holds something else than packed windows"):
        train_full_size(data, out, SMALL, packed=tmp_path / "packed", resume=True)
    assert (tmp_path / "packed/mine.txt").exists() and (out / "last.pt").exists()


def test_threads_that_read_ahead_change_nothing(data, tmp_path):
    for workers in (0, 3):
        train_full_size(data, tmp_path / str(workers), SMALL, workers=workers, say=len)
    assert same(weights(tmp_path / "0"), weights(tmp_path / "3"))


def test_bfloat16_learns_much_the_same_and_keeps_its_weights_in_full_precision(data, tmp_path):
    losses = {}
    for precision in ("float32", "bfloat16"):
        recipe = Recipe(**vars(SMALL) | {"precision": precision})
        train_full_size(data, tmp_path / precision, recipe, say=len)
        losses[precision] = [row["valid_loss"] for row in read_log(tmp_path / precision)]
    assert losses["bfloat16"] != losses["float32"]
    assert losses["bfloat16"] == pytest.approx(losses["float32"], rel=0.03)
    kept = torch.load(tmp_path / "bfloat16/last.pt", weights_only=True)
    assert {tensor.dtype for tensor in kept["model"].values()} == {torch.float32}
    with pytest.raises(ValueError, match="another recipe: the precision was bfloat16, and is float32 now"):
        train_full_size(data, tmp_path / "bfloat16", SMALL, resume=True)


def test_the_network_is_compiled_on_request(data, tmp_path, monkeypatch):
    compiled = []
    monkeypatch.setattr(Basenji, "compile", lambda self: compiled.append(type(self)))
    train_full_size(data, tmp_path / "out", SMALL, compiled=True, say=len)
    assert compiled == [Basenji]


def test_two_processes_write_one_set_of_files_and_learn_from_all_windows(data, tmp_path):
    run = torchrun(2, "-m", "course_utils.full_size", data, tmp_path / "out", *FLAGS)
    assert run.returncode == 0, run.stderr
    assert [line.split(":")[0].split(",")[0] for line in run.stdout.splitlines()] == [
        "epoch 1 of 3", "epoch 2 of 3", "epoch 3 of 3", "test", "test", "test",
    ]  # fmt: skip
    log = read_log(tmp_path / "out")
    train_full_size(data, tmp_path / "alone", SMALL, say=len)
    alone = read_log(tmp_path / "alone")
    # As many steps, at the same rates: the processes shared the batches, and did not each take all of them.
    assert [row["learning_rate"] for row in log] == [row["learning_rate"] for row in alone]
    assert log[-1]["train_loss"] < log[0]["train_loss"]


# --- what is refused -----------------------------------------------------------------------------


def test_an_earlier_training_is_not_overwritten_and_not_mixed_with_another(data, tmp_path):
    out = tmp_path / "out"
    train_full_size(data, out, SMALL, say=len)
    before = {path.name: path.read_bytes() for path in out.iterdir()}
    with pytest.raises(ValueError, match="holds a training already: resume .--resume. goes on with it"):
        train_full_size(data, out, SMALL)
    with pytest.raises(ValueError, match="another recipe: the learning_rate was 0.01, and is 0.1 now"):
        train_full_size(data, out, Recipe(**vars(SMALL) | {"learning_rate": 0.1}), resume=True)
    parts = {split: read_windows(data, split) for split in ("train", "valid", "test")}
    parts["valid"].tracks[-1, -1, -1] += 1  # a file of the same size
    write_windows(data, parts)
    with pytest.raises(ValueError, match="holds a training on other windows than those of .*seq.h5"):
        train_full_size(data, out, SMALL, resume=True)
    assert {path.name: path.read_bytes() for path in out.iterdir()} == before


def test_windows_that_do_not_fit_the_network_are_refused_before_anything_is_written(tmp_path):
    (tmp_path / "seq.h5").write_bytes(h5())
    with pytest.raises(ValueError, match="no valid_in"):
        train_full_size(tmp_path / "seq.h5", tmp_path / "out", SMALL)
    small = some(4, length=1024, bins=32)
    write_windows(tmp_path / "seq.h5", {split: small for split in ("train", "valid", "test")})
    with pytest.raises(ValueError, match="bins of 32 bases; this network predicts bins of 128"):
        train_full_size(tmp_path / "seq.h5", tmp_path / "out", SMALL)
    assert [path.name for path in tmp_path.iterdir()] == ["seq.h5"]


def test_the_command_says_what_is_wrong_in_one_line(data, tmp_path, capsys):
    assert main([str(data), str(tmp_path / "out"), "--device", "abacus"]) == 1
    assert main([str(tmp_path / "none.h5"), str(tmp_path / "out")]) == 1
    said = capsys.readouterr()
    assert said.out == "" and [line[:32] for line in said.err.splitlines()] == [
        "the device is 'abacus'; cpu, cud", f"there is no file {tmp_path}"[:32],
    ]  # fmt: skip
    assert not (tmp_path / "out").exists()


def test_a_refusal_by_the_first_process_ends_the_others_with_a_line_each(data, tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out/mine.txt").write_text("mine")
    run = torchrun(2, "-m", "course_utils.full_size", data, tmp_path / "out", *FLAGS)
    ours = run.stderr.split("Traceback")[0]
    assert run.returncode == 1 and f"{tmp_path / 'out'} holds something else; a new or an empty folder" in ours
    assert run.stderr.count("Traceback") == 1, "that of torchrun"


def test_a_flip_without_partners_and_a_resume_of_nothing_are_told(data, tmp_path):
    parts = {split: replace(read_windows(data, split), swap=None) for split in ("train", "valid", "test")}
    write_windows(data, parts)
    lines = []
    train_full_size(data, tmp_path / "out", SMALL, resume=True, say=lines.append)
    assert "does not say which tracks swap in a flip" in lines[0] and "no training to go on with: one begins" in lines[1]


def test_the_command_takes_every_part_of_the_recipe(data, tmp_path, monkeypatch):
    taken = {}
    said = re.sub(r"\s+", " ", full_size.command_line().format_help())
    for flag in FLAGS:  # each is explained, with its default
        assert not flag.startswith("--") or re.search(rf"{flag} [A-Z].*?\(default: |--flip read windows", said), flag
    monkeypatch.setattr(full_size, "train_full_size", lambda data, out, recipe, **more: taken.update(recipe=recipe, **more))
    assert main([str(data), str(tmp_path / "out"), *FLAGS, "--workers", "2", "--checkpoint-steps", "7", "--resume"]) == 0
    assert taken.pop("recipe") == SMALL
    assert {name: value for name, value in taken.items() if name != "say"} == {
        "device": "cpu", "packed": None, "workers": 2, "compiled": False, "checkpoint_steps": 7, "resume": True,
    }  # fmt: skip
    assert main([str(data), str(tmp_path / "out")]) == 0 and taken["recipe"] == Recipe()
