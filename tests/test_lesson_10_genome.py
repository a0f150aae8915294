"""Lesson 10: the simulated genome, and the networks trained on it."""

import re
from math import exp

import numpy as np
import pytest
import torch
from basenji_reader import (
    CODE,
    NAME,
    PLAIN,
    PROSE,
    SEED,
    WINDOW,
    basenji,
    claims,
    found,
    interval,
    parts,
    r_of,
    runs,
    test,
    whole,
)
from reading import said, tagged
from scipy.stats import pearsonr, t as student
from test_exercises import run, solution

from course_utils.hdf5_windows import write_windows
from course_utils.losses import log_poisson
from course_utils.models.basenji import Basenji
from course_utils.receptive_fields import span
from course_utils.sequences import from_codes

pytestmark = pytest.mark.usefixtures("one_thread")


# --- 2: the simulated genome -----------------------------------------------------------------------


def test_the_rates_are_those_that_the_text_describes(parts):
    """Computed from the text's own numbers and the places of the elements."""
    assert "Promoters are bins with four copies of one word of 12 letters" in PROSE
    assert "Enhancers are bins with six copies of one of two other words" in PROSE
    [gap] = map(int, claims(r"at least (\d+) bins away from promoters"))
    base, more, beside = map(
        float, claims(r"expect there: (0\.3), and (4) more at a promoter \((1\.6) beside it\)")
    )
    fold, decay = map(float, claims(r"at a distance of \$d\$ bins by `(\d+) \*\* exp\(-d / (\d+)\)`"))
    [own, thirty, added] = claims(
        r": by (\d+) in its own bin, by (2\.3) thirty bins away\. In its own bin it also adds (\d+)\."
    )
    assert float(own) == fold and float(thirty) == round(fold ** exp(-30 / decay), 1)
    assert claims(r"from (10) at its own bin to (2\.3) at a distance of (30) bins") == [own, thirty, "30"]
    bins, compared = np.arange(128), 0
    for part in parts.values():
        counts, rate, elements = part.windows.tracks, part.rate, part.elements
        assert abs(elements.enhancers[:, :, None] - elements.promoters[:, None]).min() >= gap
        for window in range(30):
            d = abs(np.subtract.outer(bins, elements.promoters[window]))
            alone = (d <= 2).sum(axis=1) <= 1  # where the shoulders of two promoters meet, the text is silent
            promoted = base + more * (d == 0).any(axis=1) + beside * (d == 1).any(axis=1)
            for track, label in enumerate(part.windows.labels):
                assert label == ("A" if track < 5 else "B") + str(track % 5 + 1)
                mine = elements.enhancers[window][elements.groups[window] == int(track > 4)]
                nearest = abs(np.subtract.outer(bins, mine).astype(float)).min(axis=1, initial=np.inf)
                expected = promoted * fold ** np.exp(-nearest / decay) + float(added) * (nearest == 0)
                assert rate[window, alone, track] == pytest.approx(expected[alone], rel=1e-4)
                compared += alone.sum()
        assert ((counts - rate) ** 2).mean() == pytest.approx(rate.mean(), rel=0.03), (
            "Poisson: the variance is the rate"
        )
    assert compared > 0.9 * 3 * 30 * 128 * 10


def test_words_have_12_letters_each_kept_with_94_percent(test):
    [kept_claim] = map(float, claims(r"each letter kept with probability (0\.\d+)"))
    kept, copies = [], {"promoter": set(), "enhancer": set()}
    letters = from_codes(test.windows.one_hot.argmax(axis=2))
    for window in range(40):
        for element in test.elements_of(window):
            copies[element.kind].add(len(element.starts))
            for start in element.starts:
                kept += [a == b for a, b in zip(element.word, letters[window][start : start + 12])]
            assert len(element.word) == 12 and all(start // 128 == element.bin for start in element.starts)
    assert copies == {"promoter": {4}, "enhancer": {6}}
    assert np.mean(kept) == pytest.approx(kept_claim, abs=0.01)
    assert len(test.genome.words) == 3, "one word of promoters, two of enhancers"


def test_the_printed_windows_and_elements_are_those_of_the_seed(test):
    words = said(NAME, "simulated-genome")
    assert "one-hot (128, 16384, 4)  tracks (128, 128, 10)\n" in words
    window = int(re.search(r"window=(\d+), track=0, labels=test", CODE)[1])
    assert f"marks=marks_of(test), window={window}," in CODE, "the explorer's, too"
    assert f"for element in test.elements_of({window}):" in CODE
    for element in test.elements_of(window):
        assert f"bin {element.bin:3}: {element.kind:8} {element.word}\n" in words
    counts, rate = test.windows.tracks[window, :, 0], test.rate[window, :, 0]
    r = np.corrcoef(counts, rate)[0, 1]
    for picture in (words, said(NAME, "explorer")):
        assert f"largest {counts.max():.3g} in bin {counts.argmax()}, mean {counts.mean():.3g};" in picture
        for kind, group in (("promoter", None), ("enhancer", 0), ("enhancer", 1)):
            bins = [e.bin for e in test.elements_of(window) if (e.kind, e.group) == (kind, group)]
            name = kind if group is None else f"{kind} of group {'AB'[group]}"
            assert f"{name} at bin {', '.join(map(str, bins))}" in picture
    assert f"the true rate: r = {r:.2f}, largest {rate.max():.3g} here" in words
    [named] = claims(
        r"Window (\d+) has four promoters, each nearer to (?:its|an) enhancer of group A than the one before"
    )
    promoters, group_a = (
        test.elements.promoters[window],
        test.elements.enhancers[window][test.elements.groups[window] == 0],
    )
    distances = abs(np.subtract.outer(promoters, group_a)).min(axis=1)
    assert int(named) == window and len(distances) == 4 and (np.diff(distances) < 0).all()


def test_the_planted_words_stand_on_one_strand(test):
    assert "The planted words stand on one strand only." in PROSE
    letters = "".join(from_codes(test.windows.one_hot.argmax(axis=2)))
    for word in from_codes(test.genome.words):
        turned = word[::-1].translate(str.maketrans("ACGT", "TGCA"))
        assert letters.count(word) > 500 > 5 > letters.count(turned)


def test_both_ceilings_are_correlations_of_what_can_be_known(test, runs):
    counts = test.windows.tracks
    best, local = r_of(counts, test.rate), r_of(counts, test.local_rate)
    assert found("ceilings", r"knowing the rates: +r = (\S+)\n") == [round(best, 3)]
    assert found("ceilings", r"seeing 8 bins each way: +r = (\S+)\n") == [round(local, 3)]
    named = [float(number) for number in claims(r"The ceiling is (0\.\d\d), the local ceiling (0\.\d\d)\.")]
    assert named == [round(best, 2), round(local, 2)]
    assert [np.mean(runs[str(SEED)][name]["r"]) for name in ("ceiling", "local_ceiling")] == pytest.approx(
        [best, local], abs=1e-4
    )
    # Above the ceiling is nobody: other functions of the true rate do not come as far.
    assert all(r_of(counts, test.rate**power) < best for power in (0.5, 0.8, 1.25, 2))


def test_the_local_ceiling_knows_no_more_than_8_bins_around(test):
    """Windows that agree around a bin have the same local rate there, whatever lies farther off."""
    claims(r"sees (8) bins to either side instead of (128)")
    for dilations, bins in (((1,) * 7, 8), (tuple(2**i for i in range(7)), 128)):
        layers = Basenji(base=8, growth=16, dilations=dilations).layers
        start, end = span(layers, 500, WINDOW)
        middle = 500 * 128
        assert round((middle - start) / 128, 1) == round((end - 1 - middle) / 128, 1) == bins + 0.1
    seen = {}
    elements = test.elements
    for window in range(128):
        for b in range(20, 108):
            near = tuple(
                (b - e).tobytes() if len(e) else b""
                for e in (
                    elements.promoters[window][abs(elements.promoters[window] - b) <= 8],
                    elements.enhancers[window][abs(elements.enhancers[window] - b) <= 8],
                    elements.groups[window][abs(elements.enhancers[window] - b) <= 8],
                )
            )
            seen.setdefault(near, []).append((test.local_rate[window, b, 0], test.rate[window, b, 0]))
    groups = [np.array(values) for values in seen.values() if len(values) > 20]
    assert groups and all(np.ptp(values[:, 0]) < 1e-5 for values in groups)
    assert max(np.ptp(values[:, 1]) for values in groups) > 1, "the true rates differ"


# --- 3: files --------------------------------------------------------------------------------------


def test_the_lectures_file_is_2_6_gigabytes_unpacked_and_four_times_that_as_numbers():
    """567 MB and the counts of windows are the lecture's own."""
    megabytes, train, valid, held_out = claims(
        r"one file of (\d+) MB, `seq\.h5`, with ([\d,]+) windows for training, (\d+) for validation and (\d+) for the test"
    )
    assert (megabytes, whole(train), valid, held_out) == ("567", [5_000], "500", "500")
    [size, times] = claims(
        r"training sequences alone are (\S+) GB, and as the 32-bit numbers [^.]*, (four) times that"
    )
    bytes_of = {np.dtype(kind): 5_000 * WINDOW * 4 * np.dtype(kind).itemsize for kind in (bool, "float32")}
    assert float(size) == round(bytes_of[np.dtype(bool)] / 1e9, 1) == 2.6
    assert bytes_of[np.dtype("float32")] == 4 * bytes_of[np.dtype(bool)] and times == "four"


def test_the_written_file_has_the_lectures_schema(parts):
    rows = re.findall(r"^(\w+) +(\(.*?\)) +(\S+)$", said(NAME, "seed:001-h5-keys"), re.M)
    expected = {"target_labels": ("(10,)", "|S2")}
    for name, part in parts.items():
        expected[f"{name}_in"] = (str(part.windows.one_hot.shape), "bool")
        expected[f"{name}_out"] = (str(part.windows.tracks.shape), "float16")
    assert {key: (shape, dtype) for key, shape, dtype in rows} == expected
    assert parts["train"].windows.tracks.max() <= 2048, "whole numbers that float16 holds exactly"
    tenth, fraction = claims(
        r"the lecture offers `ratio=(\d+)` for a tenth of the data; here that is `fraction=(\S+)`"
    )
    assert 1 / int(tenth) == float(fraction) == 0.1
    words = said(NAME, "hdf5")
    assert "a window: (4, 16384) float32  its tracks: (128, 10) float32\n" in words
    assert f"all training windows: 512  a quarter of them: {512 // 4}\n" in words


# --- 7: training -----------------------------------------------------------------------------------


def test_the_networks_have_the_parameters_that_are_named(runs):
    assert all(figure == "81,398" for figure in re.findall(r"81,\d{3}", PROSE)) and PROSE.count("81,398") >= 2
    both = [basenji(1), basenji(1, PLAIN)]
    assert [sum(p.numel() for p in model.parameters()) for model in both] == [81_398] * 2
    assert "Basenji(base=8, growth=16, dilations=dilations)" in CODE
    first, second = (dict(model.named_parameters()) for model in both)
    assert first.keys() == second.keys() and all(torch.equal(first[name], second[name]) for name in first)
    assert [sum(p.numel() for p in model.parameters()) for model in (Basenji(), Basenji(base=24))] == [
        388_154
    ] * 2
    claims(r"`Basenji\(base=24\)` has (388,154) parameters")


def test_the_training_is_that_of_one_of_the_five_seeds(parts, runs):
    """As far as they are printed, the losses of the cell are those that tools/basenji_runs.py kept."""
    assert f"def train_network(dilations, seed={SEED}, epochs=6, batch_size=2):" in CODE
    for name, kind in {"dilated": "dilated", "no dilation": "plain"}.items():
        first, last = found("train", rf"\n?{name} +validation loss (\S+) -> (\S+)\n")
        kept = runs[str(SEED)][kind]["valid_loss"]
        assert [first, last] == pytest.approx([kept[0], kept[-1]], abs=0.051) and last < first
        assert f"{first} to {last}" in said(NAME, "train"), "the picture's text"
        assert len(kept) == 6
    valid = parts["valid"]
    for name, rates in (("true", valid.rate), ("local", valid.local_rate)):
        counts, rates = valid.windows.tracks.astype(float), rates.astype(float)
        best = np.mean(
            rates - counts + np.where(counts > 0, counts * np.log(np.where(counts > 0, counts, 1) / rates), 0)
        )
        assert found("train", rf"{name} rates on the validation windows: loss (\S+)\n") == [
            pytest.approx(best, abs=0.0051)
        ]
        assert best > 0.3, "even the true rates have a loss"
    last = [
        found("train", rf"{name} +validation loss \S+ -> (\S+)\n")[0] for name in ("dilated", "no dilation")
    ]
    assert last[0] < last[1], "with reach the loss is lower"


def test_the_kept_weights_are_of_the_last_epoch_and_of_the_best(runs):
    best = 1 + int(np.argmin(runs[str(SEED)]["dilated"]["valid_loss"]))
    assert said(NAME, "seed:001-checkpoints") == (
        f"kept: ['best.pt', 'last.pt']  best epoch: {best}\nthe restored network predicts the same: True\n"
    )
    assert best == 6, "the last epoch, so that the best weights are those that the network has"
    assert "`fit(checkpoint=...)` keeps two: `last.pt`" in PROSE


def test_a_training_with_a_break_ends_with_the_same_weights_and_repeats_no_step(parts, tmp_path):
    """The lesson's own cell, on a file of short windows. One that started anew would end with the same weights, too."""
    assert said(NAME, "resume").splitlines()[-1] == "every weight the same, to the last bit: True"
    [cell], [imports] = tagged(NAME, "resume"), tagged(NAME, "imports")
    path = tmp_path / "genome.h5"
    write_windows(path, {"train": parts["train"].windows.subset(range(8)).crop(2048)})

    class Folder:
        name = str(tmp_path)

    steps, namespace = [], {"path": path, "folder": Folder}

    def counted(log_rates, counts):
        steps.append(len(counts))
        return log_poisson(log_rates, counts)

    exec(imports.source, namespace)
    namespace["log_poisson"] = counted
    exec(cell.source.replace("1 / 32", "1 / 8"), namespace)
    assert namespace["same"] and len(steps) == (4 + 2 + 2) * len(namespace["few"]) / 2
    assert "fraction=1 / 32" in cell.source and 512 / 32 == 16
    claims(r"a small network and (16) windows: (four) epochs at one go, and (four) with a break after (two)")


# --- 9: judging ------------------------------------------------------------------------------------


def test_the_dilated_network_reaches_97_percent_of_the_ceiling_and_the_plain_one_stops_at_the_local_one():
    """What lesson 10 must show, on what its own networks printed; 0.005 is the rounding."""
    dilated, plain = (found("M27", rf"\n{name} +(\S+) +\S+\n")[0] for name in ("dilated", "no dilation"))
    [best] = found("ceilings", r"knowing the rates: +r = (\S+)\n")
    [local] = found("ceilings", r"seeing 8 bins each way: +r = (\S+)\n")
    assert dilated - 0.005 >= 0.97 * best
    assert abs(plain - local) + 0.005 <= 0.02
    assert "comes close to the ceiling; the one without stops where everyone stops" in PROSE


def test_over_five_seeds_too_and_the_paired_interval_excludes_0(runs):
    table = np.array([line.split() for line in said(NAME, "five-seeds").splitlines()[1:-1]], dtype=float)
    names = ("dilated", "ceiling", "plain", "local_ceiling")
    r = {name: np.array([np.mean(run[name]["r"]) for run in runs.values()]) for name in names}
    assert table[:, 0].tolist() == [1, 2, 3, 4, 5] == [int(seed) for seed in runs]
    assert table[:, 1:] == pytest.approx(np.stack([r[name] for name in names], axis=1), abs=0.00051)
    assert (table[:, 1] >= 0.97 * table[:, 2]).all() and (abs(table[:, 3] - table[:, 4]) <= 0.02).all()
    by_hand = interval(r["dilated"], r["plain"])
    printed = found("five-seeds", r"dilated - no dilation: (\S+), 95 % interval (\S+) to (\S+)\n")
    assert printed == pytest.approx(by_hand, abs=0.00051) and printed[1] > 0.05, "far from 0"
    assert claims(r"on such genomes dilation raises r by (0\.\d\d)") == [f"{by_hand[0]:.2f}"]
    best, reached, gain = claims(
        r"The ceiling of this genome is (\S+), and the network has (0\.\d+): .* have less than (0\.\d+) to gain"
    )
    assert best == f"{r['ceiling'][SEED - 1]:.3f}" and reached == f"{r['dilated'][SEED - 1]:.2f}"
    assert r["ceiling"][SEED - 1] - r["dilated"][SEED - 1] < float(gain) == 0.01
    assert student.ppf(0.975, 4) == pytest.approx(2.776, abs=5e-4)


def test_without_reach_a_network_knows_nothing_of_a_promoters_strength(test, runs):
    means = {kind: np.mean(runs[str(SEED)][kind]["promoter_r"]) for kind in ("dilated", "plain")}
    for name, kind, rounding in (("dilated", "dilated", 0.0051), ("no dilation", "plain", 0.051)):
        printed = found("promoters-only", rf"{name} +r over promoter bins = (\S+)\n")[0]
        assert printed == pytest.approx(means[kind], abs=rounding)
    counts = test.windows.tracks
    at = test.elements.promoters[:, :, None]
    strengths = np.take_along_axis(counts, at, axis=1).reshape(-1, 10)
    known = np.take_along_axis(test.rate, at, axis=1).reshape(-1, 10)
    best = np.mean([pearsonr(strengths[:, t], known[:, t])[0] for t in range(10)])
    names = ("dilated", "no dilation", "local ceiling", "\nceiling")
    dilated, plain, local, top = (
        found("promoters-only", rf"{name} +r over promoter bins = (\S+)\n")[0] for name in names
    )
    assert means["plain"] < 0.2 == plain < 0.9 * best < dilated < best and top == pytest.approx(best, abs=0.0051)
    near = np.take_along_axis(test.local_rate, at, axis=1).reshape(-1, 10)
    assert local == pytest.approx(
        np.mean([pearsonr(strengths[:, t], near[:, t])[0] for t in range(10)]), abs=0.0051
    )


def test_another_way_of_averaging_r_gives_another_figure(test):
    claims(r"and (another way of averaging) gives another figure")
    x, y = test.windows.tracks, test.rate
    per_window = [[pearsonr(x[n, :, t], y[n, :, t])[0] for t in range(10)] for n in range(20)]
    x, y = x[:20], y[:20]
    per_track = r_of(x, y)
    pooled = pearsonr(x.ravel(), y.ravel())[0]
    profile = r_of(x.mean(axis=2, keepdims=True), y.mean(axis=2, keepdims=True))
    values = [np.mean(per_window), per_track, pooled, profile]
    assert np.diff(sorted(values)).min() > 1e-4
    mine = run(NAME, solution(NAME, "pearson_per_track"))
    z = np.concatenate([y, np.zeros_like(y[..., :1])], axis=2)
    both = mine(np.concatenate([x, x[..., :1]], axis=2), z)
    assert np.isnan(both[-1]) and np.nanmean(both) == pytest.approx(per_track)


def test_what_is_said_of_the_training_and_of_the_promoters_is_what_was_printed():
    best, near = claims(r"about that of the true rates, (0\.\d\d) .* near that of the local rates, (0\.\d\d)\.")
    assert found("train", r"true rates on the validation windows: loss (\S+)\n") == [float(best)]
    assert found("train", r"local rates on the validation windows: loss (\S+)\n") == [float(near)]
    shares = re.findall(r"longer than 1: (\d+)% of the steps; longer than 0\.01: (\d+)%", said(NAME, "train"))
    two, three, hundred = claims(r"(\d) or (\d) percent are longer than 1, and (\d+) percent longer")
    assert shares == [(two, hundred), (three, hundred)]
    said_of = claims(r"r is (0\.\d\d) with dilation and (0\.\d) without, beside ceilings of (0\.\d\d) and (0\.\d\d)")
    printed = re.findall(r"r over promoter bins = (\S+)", said(NAME, "promoters-only"))  # network, network, local, ceiling
    assert said_of == [printed[0], printed[1], printed[3], printed[2]]
