"""Lesson 10: real windows, five folds, and the code for the whole data."""

import re
from pathlib import Path

import numpy as np
import pytest
import reading
from basenji_reader import CODE, NAME, PROSE, cage, claims, folds, found, interval, whole
from reading import said, tagged

from course_utils.datasets import fetch
from course_utils.exercises import _lesson_10_baseline as baseline
from course_utils.full_size import Recipe
from course_utils.models.basenji import Basenji
from course_utils.receptive_fields import receptive_field, tree
from course_utils.sequences import from_codes, one_hot, read_fasta
from course_utils.shared_words import shared_kmers

pytestmark = pytest.mark.usefixtures("one_thread")


# --- 11: real windows ------------------------------------------------------------------------------

METHODS = ["constant", "GC and CpG", "no dilation", "dilated", "average"]
IN_FILE = {"GC and CpG": "composition", "no dilation": "plain"}  # the names in cage_runs.json


def loss_of(folds, name: str) -> np.ndarray:
    return np.array([fold[IN_FILE.get(name, name)]["loss"] for fold in folds])


def table_of(printed: str) -> dict[str, list[float]]:
    """The rows of a printed table: a name, which may have spaces, and its numbers."""
    rows = re.findall(r"^([A-Za-z][A-Za-z ]*?) +(\d.*)$", printed.split("\n", 1)[1], re.M)
    return {name: [float(x) for x in numbers.split()] for name, numbers in rows}


def words_of_32(encoded: np.ndarray) -> np.ndarray:
    """The words of 32 letters of a window as numbers, with 0 to 3 for A to T; those with an N are left out."""
    codes, unknown = encoded.argmax(axis=1).astype(np.uint64), ~encoded.any(axis=1)
    words, length = codes, 1
    while length < 32:  # two words of 1, 2, 4, ... letters make one of twice as many
        words = words[:-length] * np.uint64(4**length) + words[length:]
        length *= 2
    return words[np.convolve(unknown, np.ones(32), "valid") == 0]


def test_the_held_out_windows_share_repeats_and_no_overlap(cage):
    rows = [whole(line) for line in said(NAME, "split").splitlines()]
    held_out = [row[0] for row in rows]
    claims(
        r"Hold out (four) of the (twenty) windows, the first of the five folds below\. [^.]* the (sixteen) "
        r"others\? Count the words of (32) letters"
    )
    assert f"held_out = {held_out}" in CODE and all(row[1] > 1_000 for row in rows), "thousands"
    assert max(row[3] for row in rows) < 1_000, "an overlap would be of thousands of letters"
    rest = [n for n in range(20) if n not in held_out]
    shared = shared_kmers(cage.one_hot[rest], cage.one_hot[held_out])
    assert [(row[1], row[3]) for row in rows] == list(zip(shared.count, shared.longest))
    number, count, *_ = rows[1]  # one of them again, by sorting
    others = np.sort(np.concatenate([words_of_32(cage.one_hot[n]) for n in rest]))
    window = cage.one_hot[number]
    as_it_stands, other_strand = words_of_32(window), words_of_32(window[::-1, ::-1])[::-1]
    places = [
        np.searchsorted(others, words).clip(max=len(others) - 1) for words in (as_it_stands, other_strand)
    ]
    assert ((others[places[0]] == as_it_stands) | (others[places[1]] == other_strand)).sum() == count


def test_windows_15_and_17_lie_on_chromosome_8(cage):
    if reason := reading.why_unavailable("ctcf-peaks"):
        pytest.skip(reason)
    assert "15 and 17 lie side by side on chromosome 8, as CTCF peaks in them show" in CODE
    peaks = [record for record in read_fasta(fetch("ctcf-peaks")[0]) if "N" not in record.sequence.upper()]
    starts = np.array([words_of_32(one_hot(peak.sequence[:32].upper()))[0] for peak in peaks])
    order = np.argsort(starts)
    found_on = {}
    for number in (15, 17):
        text = from_codes(cage.one_hot[number].argmax(axis=1)[None])[0]
        for strand in (text, text[::-1].translate(str.maketrans("ACGT", "TGCA"))):
            encoded = one_hot(strand)
            words = words_of_32(encoded)
            where = np.searchsorted(starts[order], words).clip(max=len(starts) - 1)
            for at in np.flatnonzero(starts[order][where] == words):
                peak = peaks[order[where[at]]]
                if strand[at : at + 100] == peak.sequence.upper():
                    found_on.setdefault(number, []).append(peak.name)
    assert found_on.keys() == {15, 17}
    places = {number: [name.split(":") for name in names] for number, names in found_on.items()}
    assert {chromosome for names in places.values() for chromosome, _ in names} == {"chr8"}
    starts = {number: [int(place.split("-")[0]) for _, place in names] for number, names in places.items()}
    assert 0 < min(starts[15]) - max(starts[17]) < cage.one_hot.shape[1], "side by side"


def test_the_baselines_on_real_windows_are_those_of_the_first_fold(cage, folds):
    held_out = folds[0]["held_out"]
    assert f"held_out = {held_out}" in CODE and claims(r"(first) of the five folds below")
    rows = {name.strip(): [float(x) for x in numbers.split()] for name, numbers in
            re.findall(r"^(constant|GC and CpG)((?: +\S+){3})$", said(NAME, "real-baselines"), re.M)}  # fmt: skip
    counts = cage.tracks[held_out].astype(float)
    means = cage.tracks[[n for n in range(20) if n not in held_out]].mean(axis=(0, 1))
    with np.errstate(divide="ignore", invalid="ignore"):
        deviance = means - counts + np.where(counts > 0, counts * np.log(counts / means), 0)
    assert (
        rows["constant"][0] == pytest.approx(deviance.mean(), abs=0.0051)
        and np.isnan(rows["constant"][1:]).all()
    )
    rule = folds[0]["composition"]
    assert rows["GC and CpG"] == pytest.approx(
        [rule["loss"], np.mean(rule["raw"]), np.mean(rule["log1p"])], abs=0.0051
    )
    assert rows["GC and CpG"][0] < rows["constant"][0], "counting letters takes you some way"


def test_the_network_on_real_windows_has_the_recipe_of_the_folds_and_beats_the_constant(folds):
    [cell] = [cell for cell in tagged(NAME, "real-training") if "fit(" in cell.source]
    tool = (reading.ROOT / "tools/cage_runs.py").read_text("utf-8")
    settings = re.search(r"^CROP, EPOCHS, BATCH, RATE, BETAS, CLIP = (.*)$", tool, re.M)[1]
    crop, epochs, batch, rate, *betas, clip = re.findall(r"[\d._e-]+", settings)
    for part in (
        f"crop({int(crop):_})", f"epochs, batch_size = {epochs}, {batch}\n", f"lr={float(rate):g}",
        f"betas=({', '.join(betas)})", f"clip={clip}", re.search(r"dropout=[\d.]+", tool)[0],
        re.search(r"Augmentation\(.+\)", tool)[0],
    ):  # fmt: skip
        assert part in cell.source, f"the tool's recipe has {part}"
    claims(rf"the windows are cut into pieces of ({int(crop):,}) letters")
    assert claims(r"In training a piece has (\d+) bins") == [str(int(crop) // 128)]
    assert claims(r"there are (\d+) epochs\. \(How this was chosen") == [epochs]
    loss, r, r_log = found(
        "real-training", r"network, held-out windows: loss (\S+), r (\S+), r of log\(1 \+ count\) (\S+)\n"
    )
    assert loss < folds[0]["constant"]["loss"]
    kept = folds[0]["dilated"]
    assert [loss, r, r_log] == pytest.approx(
        [kept["loss"], np.mean(kept["raw"]), np.mean(kept["log1p"])], abs=0.011
    )


def test_the_picture_of_a_held_out_window_describes_what_was_measured(cage, folds):
    counts = cage.tracks[folds[0]["held_out"][0], :, 0]
    words = said(NAME, "real-training")
    assert (
        f"largest {counts.max():.3g} in bin {counts.argmax()}, mean {counts.mean():.3g}; network: r of log"
        in words
    )
    claims(r"(Both) predictions stay far below the high peaks")
    both = re.findall(r"(?:network|GC and CpG): r of log\(1 \+ count\) = \S+, largest (\S+) here", words)
    assert len(both) == 2 and max(map(float, both)) < counts.max() / 3


def test_the_tables_of_the_folds_are_those_of_the_file(folds):
    losses, means = said(NAME, "folds").split("loss of the first")[0].split("mean of the folds")
    rows = table_of(losses)
    assert list(rows) == METHODS
    for name, row in rows.items():
        loss = loss_of(folds, name)
        assert row[:5] == pytest.approx(loss, abs=0.0051) and row[5] == pytest.approx(
            loss.mean(), abs=0.00051
        )
    rows = table_of(means)
    assert list(rows) == METHODS[1:]
    for name, row in rows.items():
        assert row == pytest.approx(
            [np.mean([fold[IN_FILE.get(name, name)][kind] for fold in folds]) for kind in ("raw", "log1p")], abs=0.0051
        )


def test_the_intervals_of_the_folds_are_recomputed_by_hand(folds):
    rows = re.findall(
        r"^(\w[\w ]*?) +- (\w[\w ]*?) +([+-]\S+) \((\S+) to (\S+)\), better in (\d) of 5$", said(NAME, "folds"), re.M
    )
    pairs = {
        ("GC and CpG", "no dilation"),
        ("GC and CpG", "dilated"),
        ("GC and CpG", "average"),
        ("dilated", "no dilation"),
    }
    assert {row[:2] for row in rows} == pairs
    for first, second, *printed, better in rows:
        by_hand = interval(loss_of(folds, first), loss_of(folds, second))
        assert [float(x) for x in printed] == pytest.approx(by_hand, abs=0.00051), (first, second)
        assert int(better) == (loss_of(folds, second) < loss_of(folds, first)).sum()
    assert "above 0, the second is better" in said(NAME, "folds")
    [own] = found("folds", r"on its own training windows: (\S+)\n")
    assert own == pytest.approx(np.mean([fold["dilated"]["train"]["raw"] for fold in folds]), abs=0.0051)


def test_what_is_said_of_the_folds_is_what_they_hold(folds):
    loss = {name: loss_of(folds, name) for name in METHODS}
    assert "Whatever reads it beats the constant, in every fold." in PROSE
    assert all((loss[name] < loss["constant"]).all() for name in METHODS[1:])
    assert "**One network is better than counting CpGs; of the other you cannot be sure.**" in PROSE
    claims(
        r"without dilation beats the rule in (all five) folds, and the interval of the difference lies (above 0)"
    )
    rule, plain = loss["GC and CpG"], loss["no dilation"]
    assert (plain < rule).all() and interval(rule, plain)[1] > 0
    claims(r"The dilated one wins in (four), and its interval (holds 0)")
    _, low, high = interval(rule, loss["dilated"])
    assert (loss["dilated"] < rule).sum() == 4 and low < 0 < high
    assert "**No gain from dilation shows here.** The interval of the difference holds 0." in PROSE
    _, low, high = interval(loss["dilated"], plain)
    assert low < 0 < high
    claims(r"The average of dilated network and rule beats the rule in (four) folds, and that interval lies (above 0)")
    assert (loss["average"] < rule).sum() == 4 and interval(rule, loss["average"])[1] > 0
    [own] = claims(r"On its own training windows the dilated network reaches only (0\.\d\d)")
    assert float(own) == round(np.mean([fold["dilated"]["train"]["raw"] for fold in folds]), 2)
    claims(r"The folds differ (far more) than the methods")
    methods = np.array([loss[name] for name in METHODS[1:]])
    assert np.ptp(methods.mean(axis=0)) > 3 * np.ptp(methods, axis=0).max()
    [r] = claims(r"An r of (0\.\d) is weak")
    assert float(r) == round(np.mean([fold["dilated"]["raw"] for fold in folds]), 1)


def test_sixteen_windows_are_that_share_of_the_genome(cage):
    _, percent = claims(r"The (sixteen) training windows are (0\.\d\d) percent of the genome")
    share = 16 * cage.one_hot.shape[1] / 3.1e9  # letters of the human genome
    assert 100 * share == pytest.approx(float(percent), abs=0.005)


def test_the_last_exercise_is_judged_as_its_text_says():
    windows, bins = map(int, claims(r"The check simulates (\d+) windows of (\d+) bins"))
    learn, judge = map(int, claims(r"regression to those of (\d+) windows and judges it on the other (\d+)"))
    [percent] = claims(r"goes (\d+) percent of the way from the baseline's")
    assert (learn, judge) == (baseline.TO_LEARN, baseline.TO_JUDGE) and learn + judge == windows
    assert (bins, int(percent)) == (baseline.BINS, 100 * baseline.FAR_ENOUGH)


# --- 12: at full size ------------------------------------------------------------------------------


def test_the_lectures_figures_are_quoted_as_its_own():
    """1.85512 to 1.62115 in ten epochs and 2,501.51 seconds, as it prints."""
    parameters, windows, epochs, first, last, minutes = claims(
        r"trains the ([\d,]+)-parameter network on ([\d,]+) windows for (\d+) epochs\. It prints a validation loss of (\S+) "
        r"after the first and (\S+) after the ninth, and (\d+) minutes at its last line.*These are \*its\* figures"
    )
    assert claims(r"Is (1\.\d+) good\?") == [last]
    assert whole(parameters) == [sum(p.numel() for p in Basenji().parameters())] == [388_154]
    assert (windows, epochs) == ("5,000", "10")
    assert (first, last) == (f"{1.85512:.3f}", f"{1.62115:.3f}") and int(minutes) == round(2501.51 / 60)
    for figure in (first, last):
        assert figure not in "".join(reading.output_text(cell) for cell in reading.code_cells(NAME)), (
            "never ours"
        )


def test_the_program_has_the_lectures_settings():
    recipe = Recipe()
    assert (recipe.epochs, recipe.batch_size, recipe.fraction) == (10, 8, 1)
    assert (recipe.learning_rate, recipe.betas, recipe.clip) == (0.001, (0.97, 0.98), 0.01)
    assert (recipe.max_shift, recipe.flip, recipe.warmup, recipe.precision) == (5, False, 0, "float32")
    model = Basenji(base=recipe.base, growth=recipe.growth, dropout=recipe.dropout)
    assert sum(p.numel() for p in model.parameters()) == 388_154
    claims(r"It is `fit` with the lecture's recipe, except that the shift does not wrap, and that the learning "
           r"rate falls in each (step)")  # fmt: skip


def test_two_processes_trained_and_beat_the_rules():
    assert "the folder holds best.pt, last.pt, log.csv, results.json, settings.json, test_rates.npy" in said(NAME, "full-size")
    printed = re.findall(r"test windows, (.+?) +loss (\S+), r (\S+)", said(NAME, "full-size"))
    losses, r = ({row[0]: row[column] for row in printed} for column in (1, 2))
    assert float(losses["network"]) < float(losses["GC and CpG"]) <= float(losses["constant"])
    assert claims(r"After (three) epochs on (half) of the windows, r is (0\.\d);") == ["three", "half", r["network"]]
    assert "both fall in each epoch" in said(NAME, "full-size")


def test_what_is_said_of_several_processes_is_what_their_tests_hold():
    tests = Path(__file__).with_name("test_processes.py").read_text("utf-8")
    [within] = claims(r"the losses of two processes agree with those of one to (0\.0+1), step by step")
    assert f"rtol=0, atol={float(within):.0e}".replace("e-05", "e-5") in tests
    assert "identical(weights, resumed)" in tests and "kill_rank" in tests
    claims(r"after `--resume` every weight is the same, to the last (bit)")


def test_of_the_lectures_suggestions_one_can_say_something_before():
    for words in ("30 to 50 epochs instead of 10", "add layers", "add channels"):
        assert words in PROSE
    claims(r"Add the dilations (128) and (256). The windows have (128) bins")
    layers = Basenji(base=8, dilations=(1, 2, 4, 8, 16, 32, 64, 128)).layers
    bins = 128
    for output in (0, 60, 127):
        above = tree(layers[-1:], output)[-1]
        assert [p for p in above if 0 <= p < bins] == [output], "its other two taps lie outside the window"
    fields = [
        receptive_field(Basenji(base=8, dilations=tuple(2**i for i in range(n))).layers) for n in (5, 6, 7)
    ]
    assert (
        fields[2] / fields[1] == pytest.approx(2, abs=0.02) and "Each layer less halves the reach." in PROSE
    )
    assert claims(r"`HDF5Windows\(path, \"train\", fraction=(0\.25)\)`, with and without") == ["0.25"]


def test_what_is_said_of_the_four_windows_is_what_was_printed():
    network = re.search(r"network, held-out windows: loss (\S+), r (\S+),", said(NAME, "real-training")).groups()
    rule = re.search(r"GC and CpG +(\S+) +(\S+)", said(NAME, "real-baselines")).groups()
    constant = re.search(r"constant +(\S+)", said(NAME, "real-baselines"))[1]
    words = r"the network has a loss of (\S+) and an r of (\S+), the rule (\S+) and (0\.\d\d)\. Is that"
    assert claims(words) == [*network, *rule]
    assert claims(r"it lowers the loss from (\S+) to (0\.\d\d)\.") == [constant, rule[0]]
    longest = max(map(int, re.findall(r"stretch has (\d+) letters", said(NAME, "split"))))
    assert claims(r"but no long stretch: the longest has (\d+) letters") == [str(longest)]
