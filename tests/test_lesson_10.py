"""Lesson 10: its figures, and the mistakes of the source lecture that it corrects."""

import json
import re
from functools import cache, partial
from math import cos, exp, factorial, log, pi, sqrt

import numpy as np
import pytest
import reading
import torch
from reading import code, prose, said, tagged
from scipy.stats import pearsonr, poisson, t as student
from sklearn.metrics import r2_score
from test_exercises import run, solution

from course_utils.augmentation import reverse_complement, shift
from course_utils.datasets import fetch, shipped
from course_utils.exercises import _lesson_10_baseline as baseline
from course_utils.genomes import make_genome, simulate_genome
from course_utils.hdf5_windows import write_windows
from course_utils.interpretation import seen_by
from course_utils.losses import log_poisson
from course_utils.models import seeded
from course_utils.models.basenji import Basenji
from course_utils.receptive_fields import receptive_field, span, tree
from course_utils.schedules import cosine
from course_utils.sequences import from_codes, one_hot, read_fasta
from course_utils.shared_words import shared_kmers
from course_utils.tfrecords import read_basenji
from course_utils.tracks import fit_composition, pearson_per_track, poisson_loss
from course_utils.training import predict
from course_utils.windows import Windows

NAME = "10_basenji"
PROSE, CODE = prose(NAME), code(NAME)
WINDOW = 2**17
PLAIN = (1,) * 7
SEED = int(re.search(r"rng = np\.random\.default_rng\((\d+)\)\ngenome = make_genome", CODE)[1])
claims = partial(reading.claims, NAME)


@pytest.fixture(scope="module", autouse=True)
def one_thread():
    """As in the lessons: small networks gain nothing from a second thread."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def parts() -> dict:
    """The simulated genome, drawn again from the lesson's seed."""
    assert '[("train", 512), ("valid", 64), ("test", 128)]' in CODE
    rng = np.random.default_rng(SEED)
    genome = make_genome(rng)
    return {
        name: simulate_genome(count, genome, rng=rng)
        for name, count in (("train", 512), ("valid", 64), ("test", 128))
    }


@pytest.fixture(scope="module")
def test(parts):
    return parts["test"]


@pytest.fixture(scope="module")
def runs() -> dict:
    return json.loads(shipped("basenji_runs.json").read_text("utf-8"))["runs"]


@pytest.fixture(scope="module")
def folds() -> list[dict]:
    return json.loads(shipped("cage_runs.json").read_text("utf-8"))["folds"]


@pytest.fixture(scope="module")
def cage() -> Windows:
    if reason := reading.why_unavailable("basenji-cage"):
        pytest.skip(reason)
    return read_basenji(fetch("basenji-cage"))


def whole(words: str) -> list[int]:
    """The whole numbers in a text, 1,000 as 1000."""
    return [int(number.replace(",", "")) for number in re.findall(r"\d[\d,]*\d|\d", words)]


def found(tag: str, pattern: str) -> list[float]:
    """The numbers that a pattern's groups match in what a tag's cells printed."""
    match = re.search(pattern, said(NAME, tag))
    assert match, f"the cells tagged {tag} do not print {pattern!r}"
    return [float(number.replace(",", "")) for number in match.groups()]


def r_of(counts: np.ndarray, rates: np.ndarray, log1p: bool = False) -> float:
    """scipy's r of each track over all windows and bins, mean over the tracks."""
    if log1p:
        counts, rates = np.log1p(counts), np.log1p(rates)
    return np.mean([pearsonr(counts[..., t].ravel(), rates[..., t].ravel())[0] for t in range(counts.shape[-1])])


def interval(first, second) -> tuple[float, float, float]:
    """Mean difference of pairs and its 95 % interval, by hand."""
    d = [float(a) - float(b) for a, b in zip(first, second)]
    mean = sum(d) / len(d)
    error = sqrt(sum((x - mean) ** 2 for x in d) / (len(d) - 1) / len(d))
    half = student.ppf(0.975, len(d) - 1) * error
    return mean, mean - half, mean + half


def random_inputs(count: int, length: int, seed: int = 1) -> torch.Tensor:
    codes = torch.randint(4, (count, length), generator=torch.Generator().manual_seed(seed))
    return torch.eye(4)[codes].permute(0, 2, 1).contiguous()


# --- 1: what is measured -------------------------------------------------------------------------


def test_every_large_number_of_the_text_is_one_that_a_test_accounts_for():
    known = {"32,785", "130,172", "131,072", "81,398", "388,154"}
    assert set(re.findall(r"\d{2,3},\d{3}", PROSE)) <= known
    claims(r"You have a network that sees (32,785) letters")
    assert receptive_field(Basenji().layers) == 32_785


def test_M32_a_window_of_130172_letters_is_no_whole_number_of_bins():
    assert 130_172 % 128 == 124 and 131_072 == 2**17 == 1024 * 128
    assert said(NAME, "M32") == (
        f"130,172 letters are {130_172 / 128:,} bins of 128\n131,072 letters are {131_072 / 128:,} bins of 128\n"
    )
    assert "bins of 128\n" in said(NAME, "M32") and "1,016.96875" in said(NAME, "M32")
    claims(r"ChIP-seq.*length of a window as (130,172), where the data have (131,072), which is \$2\^\{17\}\$ \(mistake M32\)")
    with pytest.raises(ValueError):
        Basenji(base=8)(torch.zeros(1, 4, 130_172))


def test_what_three_kinds_of_experiments_count_is_said():
    [assays] = tagged(NAME, "seed:001-assays")
    for name, what in (("ChIP-seq", "binds"), ("DNase-seq", "open"), ("CAGE", r"transcription \*starts\*")):
        assert re.search(rf"- \*\*{name}\*\*[^\n]*{what}", assays.source), name


def test_the_real_windows_are_twenty_with_ten_tracks_mostly_empty(cage):
    count, length, bins, tracks = (*cage.one_hot.shape[:2], *cage.tracks.shape[1:])
    claims(r"(20) windows of human DNA and their ten CAGE tracks")
    assert (count, tracks, length // bins) == (20, 10, 128)
    claims(r"add up the counts of each (128) letters")
    empty, largest = np.mean(cage.tracks == 0), cage.tracks.max()
    words = said(NAME, "real-windows")
    assert f"one-hot {(count, length, 4)} bool  tracks {(count, bins, tracks)} float32" in words
    assert f"bins without a single read: {empty:.0%}, largest count {largest:g}\n" in words
    assert empty > 0.5, "most bins"
    assert [float(*claims(r"The largest is (\d+) because"))] == [largest]


def test_one_bin_in_a_hundred_decides_and_hardly_a_count_is_whole(cage):
    [share] = found("real-windows", r"one percent of the bins holds (\d+)% of a track's variance\n")
    [whole_ones] = found("real-windows", r"whole numbers among those above 0: (\S+)%\n")
    shares, positive = [], cage.tracks[cage.tracks > 0]
    for track in range(10):
        values = cage.tracks[..., track].ravel().astype(float)
        apart = abs(values - values.mean())
        far = apart > np.quantile(apart, 0.99)
        shares.append((apart[far] ** 2).sum() / (len(values) * values.var()))
    assert share == pytest.approx(100 * np.mean(shares), abs=0.6) and share > 80
    assert whole_ones == pytest.approx(100 * np.isin(positive, np.arange(101)).mean(), abs=0.006) and whole_ones < 1
    claims(r"one bin in (a hundred) decides any correlation of these numbers. Hardly one of them is whole")


def test_the_picture_of_three_tracks_names_their_highest_bins(cage):
    words = said(NAME, "seed:001-bar-plot")
    highest = cage.tracks[0, :, :3].max(axis=0)
    assert ", ".join(f"{value:.0f} in track {t}" for t, value in enumerate(highest)) in words
    assert f"in bins {cage.tracks[0, :, :3].argmax(axis=0).tolist()}" in words
    assert "axes.bar(" in tagged(NAME, "seed:001-bar-plot")[0].source


def test_M05_the_rarest_pair_of_neighbours_says_which_columns_are_C_and_G(cage):
    """Counted over codes; the lesson uses neither names of bases nor codes."""
    row, column, ratio = found("M05", r"rarest: column (\d) before column (\d), (\S+) times")
    assert (row, column) == (1, 2) and "Column 1 before column 2: C and G, as in A, C, G, T" in PROSE
    assert cage.one_hot.any(axis=2).all(), "no N"
    codes = cage.one_hot.argmax(axis=2)
    first, second = codes[:, :-1].ravel(), codes[:, 1:].ravel()
    count = np.bincount(4 * first + second, minlength=16).reshape(4, 4)
    ratios = count * len(first) / np.outer(np.bincount(first), np.bincount(second))
    assert np.divmod(ratios.argmin(), 4) == (1, 2) and ratio == pytest.approx(ratios[1, 2], abs=0.0051)
    printed = [float(x) for x in re.findall(r"\d\.\d*", said(NAME, "M05").split("rarest")[0])]
    assert printed == pytest.approx(ratios.ravel(), abs=0.0051)
    assert np.sort(ratios.ravel())[1] > 3 * ratios[1, 2], "much rarer than any other pair"
    lecture = "ATCG"  # the order that the lecture's text gives
    claims(r"has the columns in the order (A, T, C, G) \(mistake M05")
    assert [lecture.index(base) for base in "CG"] == whole(claims(r"In the lecture's order they would be (columns 2 and 3)")[0])
    tests = [order for order in ("ACGT", "TCGA", "AGCT", "TGCA") if order.index("C") == 1 and order.index("G") == 2]
    assert tests == ["ACGT", "TCGA"] and "cannot tell A from T" in PROSE


# --- 2: the simulated genome ---------------------------------------------------------------------


def test_the_rates_are_those_that_the_text_describes(parts):
    fold, gap = 10, 10
    assert "$10^{e^{-d/30}}$" in PROSE and "by up to ten" in PROSE
    claims(r"at least (10) bins away from promoters")
    assert "**Promoters** are places with four copies of one word of 12 letters" in PROSE
    assert "**Enhancers** are places with six copies of one of two other words" in PROSE
    for part in parts.values():
        counts, rate, elements = part.windows.tracks, part.rate, part.elements
        distance = abs(elements.enhancers[:, :, None] - elements.promoters[:, None])
        assert distance.min() >= gap
        for track in (0, 4, 5, 9):
            assert part.windows.labels[track] == ("A" if track < 5 else "B") + str(track % 5 + 1)
            group, ratios = int(track > 4), []
            for window in range(20):
                mine = elements.enhancers[window][elements.groups[window] == group]
                at = elements.promoters[window]
                lonely = [b for b in at if abs(at - b)[at != b].min() > 1]
                d = abs(np.subtract.outer(lonely, mine).astype(float)).min(axis=1, initial=np.inf)
                expected = fold ** np.exp(-d / 30)
                ratios.append(rate[window, lonely, track] / expected)
                own = rate[window, mine, track].mean() if len(mine) else np.inf
                assert own > 0.3 * fold + 1, "in its own bin an enhancer adds some counts"
            ratios = np.concatenate(ratios)
            assert np.ptp(ratios) < 1e-3 * ratios.mean(), "promoters differ by their enhancers alone"
        excess = (counts - rate) ** 2
        assert excess.mean() == pytest.approx(rate.mean(), rel=0.03), "Poisson: the variance is the rate"


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
    for element in test.elements_of(0)[:4]:
        assert f"bin {element.bin:3}: {element.kind:8} {element.word}\n" in words
    counts, rate = test.windows.tracks[0, :, 0], test.rate[0, :, 0]
    r = np.corrcoef(counts, rate)[0, 1]
    for picture in (words, said(NAME, "explorer")):
        assert f"largest {counts.max():.3g} in bin {counts.argmax()}, mean {counts.mean():.3g};" in picture
        for kind, group in (("promoter", None), ("enhancer", 0), ("enhancer", 1)):
            bins = [e.bin for e in test.elements_of(0) if (e.kind, e.group) == (kind, group)]
            name = kind if group is None else f"{kind} of group {'AB'[group]}"
            assert f"{name} at bin {', '.join(map(str, bins))}" in picture
    assert f"the true rate: r = {r:.2f}, largest {rate.max():.3g} here" in words


def test_both_ceilings_are_correlations_of_what_can_be_known(test, runs):
    counts = test.windows.tracks
    best, local = r_of(counts, test.rate), r_of(counts, test.local_rate)
    assert found("ceilings", r"knowing the rates: +r = (\S+)\n") == [round(best, 3)]
    assert found("ceilings", r"seeing 8 bins each way: +r = (\S+)\n") == [round(local, 3)]
    named = [float(number) for number in claims(r"The ceiling is (0\.\d\d), the local ceiling (0\.\d\d)\.")]
    assert named == [round(best, 2), round(local, 2)]
    assert [np.mean(runs[str(SEED)][name]["r"]) for name in ("ceiling", "local_ceiling")] == pytest.approx([best, local], abs=1e-4)
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


# --- 3: files ------------------------------------------------------------------------------------


def test_the_lectures_file_is_2_6_gigabytes_unpacked_and_four_times_that_as_numbers():
    """567 MB and the counts of windows are the lecture's own."""
    megabytes, train, valid, held_out = claims(
        r"one file of (\d+) MB, `seq\.h5`, with ([\d,]+) windows for training, (\d+) for validation and (\d+) for the test"
    )
    assert (megabytes, whole(train), valid, held_out) == ("567", [5_000], "500", "500")
    [size, times] = claims(r"training sequences alone are (\S+) GB, and as the 32-bit numbers [^.]*, (four) times that")
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
    words = said(NAME, "hdf5")
    assert "a window: (4, 16384) float32  its tracks: (128, 10) float32\n" in words
    assert f"all training windows: 512  a quarter of them: {512 // 4}\n" in words


# --- 4: the loss ---------------------------------------------------------------------------------


def lowest(f, low: float, high: float) -> float:
    """The smallest value of f between low and high, by golden section; no derivative is used."""
    golden = (sqrt(5) - 1) / 2
    for _ in range(100):
        width = golden * (high - low)
        if f(high - width) < f(low + width):
            high = low + width
        else:
            low = high - width
    return f((low + high) / 2)


@pytest.mark.parametrize("t", [0.5, 1, 5, 20, 100])
def test_M26_the_smallest_loss_is_t_minus_t_log_t_and_not_t_log_t(t):
    smallest = lowest(lambda s: exp(s) - t * s, -10, 10)
    assert smallest == pytest.approx(t - t * log(t))
    assert abs(smallest - t * log(t)) > 0.5, "which the lecture's text says"
    assert "it is $t - t \\log t$" in PROSE and "its text says that the minimum is $t \\log t$" in PROSE
    s = torch.linspace(-5, 6, 20_001, dtype=torch.float64)
    losses = torch.stack([log_poisson(x[None, None, None], torch.full((1, 1, 1), t, dtype=torch.float64)) for x in s[::50]])
    assert 0 <= losses.min() < 1e-2 * (1 + t)


def test_M26_the_printed_offsets_are_minima_and_a_loss_is_minus_the_log_of_a_probability():
    rows = re.findall(r"count +(\d+): smallest e\^s - t s = +(\S+); +t log t = +(\S+)", said(NAME, "M26"))
    assert [int(count) for count, *_ in rows] == [0, 1, 5, 20]
    for count, smallest, text in rows:
        t = int(count)
        assert float(smallest) == pytest.approx(lowest(lambda s: exp(s) - t * s, -30, 10), abs=6e-4)
        assert float(text) == pytest.approx(t * log(t) if t else 0, abs=6e-4)
        terms = [exp(s) - t * s + poisson.logpmf(t, exp(s)) for s in (-1.0, 0.0, 2.0)]
        assert terms == pytest.approx([-log(factorial(t))] * 3), "less what does not depend on the network"


def test_M26_masked_arrays_pass_over_the_log_of_0_by_luck():
    t = np.array([0.0, 1.0, 5.0], dtype=np.float32)
    with np.errstate(divide="ignore", invalid="ignore"):
        assert np.isnan(t - t * np.log(t))[0], "plain numpy: 0 times minus infinity"
    offset = t - t * np.ma.log(t)
    assert offset.mask.tolist() == [True, False, False]
    # What the lecture's cp.array() takes is the data under the mask, which happens to be right ...
    assert np.asarray(offset) == pytest.approx([0, 1, 5 - 5 * log(5)], rel=1e-5)
    # ... while the masked mean, a step away, would have been one of two bins instead of three.
    assert offset.mean() == pytest.approx(1.5 * np.asarray(offset).mean(), rel=1e-5)
    loss = run(NAME, solution(NAME, "log_poisson"))
    assert loss(np.log([[[1e-30, 1.0, 5.0]]]), t[None, None]) == pytest.approx(0, abs=1e-6)


def test_large_counts_scatter_more_and_4_for_2_is_nothing():
    small, expected, large, twice = map(int, claims(r": (\d+) where (\d+) was expected is nothing, (\d+) where (\d+) was"))
    assert small / expected == large / twice == 2
    assert poisson.sf(small - 1, expected) > 0.1 and poisson.sf(large - 1, twice) < 1e-9
    pairs = list(map(int, claims(r"expects (\d+) and counts (\d+) is larger than that of one which expects (\d+) and counts (\d+)\.")))
    first, second = (poisson_loss(np.full((1, 1, 1), t), np.full((1, 1, 1), rate)) for rate, t in (pairs[:2], pairs[2:]))
    assert first > 10 * second
    assert "a count can never be expected to be negative" in PROSE and exp(-50) > 0


# --- 5: schedule and clipping --------------------------------------------------------------------


def test_M30_the_cosine_goes_to_180_degrees_and_to_90_it_would_end_at_half():
    printed = found("M30", r"last factor: (\S+) \(to 180 degrees\), (\S+) \(to 90\)")
    by_hand = [(1 + cos(angle * 99 / 100)) / 2 for angle in (pi, pi / 2)]
    assert printed == pytest.approx(by_hand, abs=5e-5) and cosine(100)(99) == pytest.approx(by_hand[0])
    assert by_hand[0] < 1e-3 and (1 + cos(pi / 2)) / 2 == 0.5
    # The lecture's code: ten epochs without warm-up, a factor for each epoch.
    assert [cosine(10)(epoch) for epoch in range(10)] == pytest.approx([0.5 * (1 + cos(pi * e / 10)) for e in range(10)])
    claims(r"runs from 0 to \*\*(180)\*\* degrees\. \(The lecture's text says (90), its code does (180): mistake M30\. With 90 it")
    claims(r"With 90 it would end at (half) of the rate")
    words = said(NAME, "M30")
    assert f"falls from 1 to {by_hand[0]:.4f}; with warm-up it first climbs from {1 / 11:.2f} to 1;" in words


def test_the_warm_up_climbs_in_equal_strides():
    factor = run(NAME, solution(NAME, "cosine_with_warmup"))
    assert [round(factor(step, 5, 1), 4) for step in range(4)] == [0.5, 1.0, 0.8536, 0.5]
    assert "it is 0.5, 1.0,\n        0.8536, 0.5" in CODE
    ours = [factor(step, 100, 10) for step in range(100)]
    assert ours == pytest.approx([cosine(100, warmup=10)(step) for step in range(100)])
    assert np.diff([0, *ours[:11]]) == pytest.approx(np.full(11, 1 / 11)) and ours[10] == 1
    assert 0 < ours[-1] < 1e-3 and factor(100, 100, 10) == pytest.approx(0)


def test_clipping_shortens_and_keeps_the_direction_and_adam_makes_its_own_length():
    weights = torch.nn.Parameter(torch.zeros(3))
    weights.grad = torch.tensor([3.0, 0.0, -4.0])
    torch.nn.utils.clip_grad_norm_([weights], 0.01)
    assert weights.grad.tolist() == pytest.approx([0.006, 0, -0.008], rel=1e-3)
    moved = []
    for scale in (1.0, 0.01):
        weights = torch.nn.Parameter(torch.zeros(3))
        adam = torch.optim.Adam([weights], lr=0.1, eps=1e-12)
        for gradient in ([3.0, 1.0, -4.0], [2.0, 1.0, -1.0]):
            weights.grad = scale * torch.tensor(gradient)
            adam.step()
        moved.append(weights.detach())
    assert torch.allclose(*moved, rtol=1e-4), "a hundredth of the gradient, the same steps"


def test_almost_every_gradient_is_longer_than_the_lectures_limit(parts):
    """On the simulated genome; nobody here has the lecture's own data."""
    [limit] = claims(r"The lecture's limit is (0\.01), which almost every step exceeds")
    model = basenji(0).train()
    norms = []
    windows = parts["train"].windows.subset(range(12))
    with seeded(1):
        for first in range(0, 12, 2):
            batch = windows.subset(range(first, first + 2))
            inputs = torch.from_numpy(batch.one_hot).permute(0, 2, 1).float()
            loss = log_poisson(model(inputs), torch.from_numpy(batch.tracks))
            gradients = torch.autograd.grad(loss, list(model.parameters()))
            norms.append(sqrt(sum(float((g**2).sum()) for g in gradients)))
    assert min(norms) > 10 * float(limit)
    shares = [int(share) for share in re.findall(r"gradients clipped in (\d+)% of the steps", said(NAME, "train"))]
    assert len(shares) == 2 and all(0 < share < 20 for share in shares), "a guard for now and then"
    assert "clip=1.0" in CODE and "np.array(history.gradient_norm) > 1)" in CODE


# --- 6: more windows -----------------------------------------------------------------------------


def test_M31_rolling_brings_letters_from_the_far_end_and_shifting_zeros():
    words = said(NAME, "M31")
    rows = dict(re.findall(r"^(window|rolled by 3|shifted by 3): +([ACGT-]+)", words, re.M))
    assert rows["window"] == "ACGTACGT"
    assert rows["rolled by 3"] == rows["window"][-3:] + rows["window"][:-3]
    assert rows["shifted by 3"] == "---" + rows["window"][:-3]
    assert "its start came from the far end" in words and "(mistake M31)" in PROSE
    place = np.roll(np.arange(WINDOW), 5)
    assert place[0] == WINDOW - 5 and abs(np.diff(place)).max() == WINDOW - 1, "two letters that were far apart"
    [thousand] = claims(r"letters from (\d+) thousand letters away become neighbours")
    assert round((WINDOW - 1) / 1000) == int(thousand)
    x = random_inputs(2, 50)
    shift_window = run(NAME, solution(NAME, "shift_with_padding"))
    for by in (-7, 0, 3):
        moved = shift(x, by)
        assert (moved.sum(dim=1) == 0).sum() == 2 * abs(by), "zeros come in"
        for ours, theirs in zip(x.permute(0, 2, 1).numpy(), moved.permute(0, 2, 1).numpy()):
            assert np.array_equal(shift_window(ours, by), theirs)


def test_M31_a_true_flip_turns_letters_bins_and_strands():
    before, after = said(NAME, "augmentation").splitlines()
    letters, tracks = before.split(" ", 1)
    complement = letters[::-1].translate(str.maketrans("ACGT", "TGCA"))
    turned = [[minus, plus] for plus, minus in json.loads(tracks)[::-1]]
    assert after == f"{complement} {turned}" and complement == "ACGGTT"
    other_strand = run(NAME, solution(NAME, "reverse_complement_window"))
    x, y = random_inputs(3, 64), torch.rand(3, 4, 5)
    ours = reverse_complement(x, y, (1, 0, 3, 2, 4))
    for i in range(3):
        encoded, mine = other_strand(x[i].T.numpy(), y[i].numpy(), [1, 0, 3, 2, 4])
        assert np.array_equal(encoded.T, ours[0][i].numpy()) and np.array_equal(mine, ours[1][i].numpy())


def test_the_two_readings_of_a_window_are_seen_127_letters_apart():
    [apart] = claims(r"the two readings of a window are seen (\d+) letters apart")
    model, length = Basenji(base=8, growth=16, dilations=PLAIN).eval(), 8192
    x, bins = random_inputs(1, length), length // 128
    turned, _ = reverse_complement(x, torch.zeros(1, bins, 10))

    def middle(positions: np.ndarray) -> float:
        return (positions[0] + positions[-1]) / 2

    forward = middle(np.flatnonzero(seen_by(model, x, 30)))
    backward = length - 1 - middle(np.flatnonzero(seen_by(model, turned, bins - 1 - 30)))
    assert forward == 30 * 128, "centred on the start of its bin"
    assert backward - forward == int(apart) == 127


# --- 7 and 8: training and prediction ------------------------------------------------------------


@cache
def basenji(seed: int, dilations: tuple[int, ...] = (1, 2, 4, 8, 16, 32, 64)) -> Basenji:
    with seeded(seed):
        return Basenji(base=8, growth=16, dilations=dilations)


def test_the_networks_have_the_parameters_that_are_named(runs):
    assert all(figure == "81,398" for figure in re.findall(r"81,\d{3}", PROSE)) and PROSE.count("81,398") >= 2
    both = [basenji(1), basenji(1, PLAIN)]
    assert [sum(p.numel() for p in model.parameters()) for model in both] == [81_398] * 2
    assert "Basenji(base=8, growth=16, dilations=dilations)" in CODE
    first, second = (dict(model.named_parameters()) for model in both)
    assert first.keys() == second.keys() and all(torch.equal(first[name], second[name]) for name in first)
    assert [sum(p.numel() for p in model.parameters()) for model in (Basenji(), Basenji(base=24))] == [388_154] * 2
    claims(r"`Basenji\(base=24\)` has (388,154) parameters")


def test_the_training_is_that_of_one_of_the_five_seeds(runs):
    """As far as they are printed, the losses of the cell are those that tools/basenji_runs.py kept."""
    assert f"def train_network(dilations, seed={SEED}, epochs=6, batch_size=2):" in CODE
    for name, kind in {"dilated": "dilated", "no dilation": "plain"}.items():
        first, last = found("train", rf"\n?{name} +validation loss (\S+) -> (\S+);")
        kept = runs[str(SEED)][kind]["valid_loss"]
        assert [first, last] == pytest.approx([kept[0], kept[-1]], abs=0.051) and last < first
        assert f"{first} to {last}" in said(NAME, "train"), "the picture's text"
        assert len(kept) == 6
    last = [found("train", rf"{name} +validation loss \S+ -> (\S+);")[0] for name in ("dilated", "no dilation")]
    assert last[0] < last[1], "with reach the loss is lower"


def test_the_kept_weights_are_of_the_last_epoch_and_of_the_best(runs):
    best = 1 + int(np.argmin(runs[str(SEED)]["dilated"]["valid_loss"]))
    assert said(NAME, "seed:001-checkpoints") == f"kept: ['best.pt', 'last.pt']\nbest epoch: {best}\n"
    assert "`fit(checkpoint=...)` keeps two: `last.pt`" in PROSE


def test_M28_dropout_changes_predictions_in_train_mode_and_not_in_eval_mode(test):
    model, x = Basenji(base=8, growth=16), random_inputs(2, 8192)
    assert model.training, "as a freshly made network is"
    with torch.no_grad(), seeded(0):
        once, again = model(x), model(x)
        assert not torch.equal(once, again)
        model.eval()
        assert torch.equal(model(x), model(x))
        expected = model(x)
    assert torch.equal(predict(model.train(), x), expected), "predict sets eval mode"
    assert "two predictions in train mode are the same: False\n" in said(NAME, "M28")
    in_train, in_eval = (found("M28", rf"{mode} mode +loss (\S+)\n")[0] for mode in ("train", "eval"))
    counts = test.windows.tracks[:32]
    best = poisson_loss(counts, test.rate[:32])
    assert best < in_eval + 0.005 < 1.06 * best and in_eval < in_train, "near the best possible without dropout"
    assert found("M28", r"counts of the two differ by (\d+)% on average")[0] >= 1
    # a tenth of the numbers in each dilated layer
    share = []
    hooks = [
        block.dropout.register_forward_hook(lambda _, before, after: share.append(float(((after == 0) & (before[0] != 0)).float().mean())))
        for block in model.train().dilated
    ]
    with torch.no_grad(), seeded(0):
        model(x)
    for hook in hooks:
        hook.remove()
    assert len(share) == 7 and share == pytest.approx([0.1] * 7, abs=0.02)
    assert "a tenth of the numbers in each dilated layer are set to zero at random" in PROSE


# --- 9: judging ----------------------------------------------------------------------------------


def test_M27_r2_over_the_windows_of_a_batch_is_another_thing_than_along_the_genome():
    """A rule that knows where peaks usually are, and nothing of a window: worthless by one, good by the other."""
    rng = np.random.default_rng(0)
    usual = rng.gamma(0.3, 10, 200)  # of each bin
    observed = usual * rng.lognormal(0, 0.1, (4, 200))  # four windows of a batch, which hardly differ
    predicted = np.broadcast_to(observed.mean(axis=0), observed.shape)
    across = r2_score(observed, predicted, multioutput="uniform_average")  # axis 0, as Chainer's r2_score
    along = r2_score(observed.ravel(), predicted.ravel())
    assert across == pytest.approx(0, abs=1e-9) and along > 0.95
    by_hand = 1 - ((observed - predicted) ** 2).sum(axis=0) / ((observed - observed.mean(axis=0)) ** 2).sum(axis=0)
    assert by_hand.mean() == pytest.approx(across)
    claims(r"over the wrong axis: for each bin of the window across the few windows of a batch, instead of (along the genome)")


def test_M27_the_table_is_r_per_track_beside_baselines_and_ceilings(parts, test, runs):
    words = said(NAME, "M27")
    rows = {name.strip(): (float(raw), float(logged)) for name, raw, logged in
            re.findall(r"^(dilated|no dilation|GC and CpG|constant) +(\S+) +(\S+)$", words, re.M)}  # fmt: skip
    assert list(rows) == ["dilated", "no dilation", "GC and CpG", "constant"]
    counts = test.windows.tracks
    for name, kind in (("dilated", "dilated"), ("no dilation", "plain")):
        assert rows[name][0] == pytest.approx(np.mean(runs[str(SEED)][kind]["r"]), abs=0.0051)
    rates = fit_composition(parts["train"].windows).predict(test.windows.one_hot)
    expected = r_of(counts, rates), r_of(counts, rates, log1p=True)
    assert rows["GC and CpG"] == pytest.approx(expected, abs=0.0051) and expected[0] < 0.3, "says little"
    assert np.isnan(rows["constant"]).all()
    best, local = (found("M27", rf"\n{name} +(\S+)\n")[0] for name in ("ceiling", "local ceiling"))
    assert (best, local) == (round(r_of(counts, test.rate), 2), round(r_of(counts, test.local_rate), 2))
    for log1p, column in ((False, 0), (True, 1)):
        top, middle = (r_of(counts, rate, log1p) for rate in (test.rate, test.local_rate))
        assert rows["no dilation"][column] < middle + 0.005 < rows["dilated"][column] < top + 0.005


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
    names = ("dilated", "plain", "ceiling", "local_ceiling")
    r = {name: np.array([np.mean(run[name]["r"]) for run in runs.values()]) for name in names}
    assert table[:, 0].tolist() == [1, 2, 3, 4, 5] == [int(seed) for seed in runs]
    assert table[:, 1:] == pytest.approx(np.stack([r[name] for name in names], axis=1), abs=0.00051)
    assert (table[:, 1] >= 0.97 * table[:, 3]).all() and (abs(table[:, 2] - table[:, 4]) <= 0.02).all()
    by_hand = interval(r["dilated"], r["plain"])
    printed = found("five-seeds", r"dilated - no dilation: (\S+), 95 % interval (\S+) to (\S+)\n")
    assert printed == pytest.approx(by_hand, abs=0.00051) and printed[1] > 0.05, "far from 0"
    assert "dilation is worth a tenth of a correlation" in PROSE and round(by_hand[0], 1) == 0.1
    assert student.ppf(0.975, 4) == pytest.approx(2.776, abs=5e-4)


def test_without_reach_a_network_knows_nothing_of_a_promoters_strength(test, runs):
    for name, kind in (("dilated", "dilated"), ("no dilation", "plain")):
        assert found("promoters-only", rf"{name} +r over promoter bins = (\S+)\n")[0] == pytest.approx(
            np.mean(runs[str(SEED)][kind]["promoter_r"]), abs=0.0051
        )
    counts = test.windows.tracks
    at = test.elements.promoters[:, :, None]
    strengths = np.take_along_axis(counts, at, axis=1).reshape(-1, 10)
    known = np.take_along_axis(test.rate, at, axis=1).reshape(-1, 10)
    best = np.mean([pearsonr(strengths[:, t], known[:, t])[0] for t in range(10)])
    dilated, plain = (found("promoters-only", rf"{name} +r over promoter bins = (\S+)\n")[0] for name in ("dilated", "no dilation"))
    assert plain < 0.2 < 0.9 * best < dilated < best


def test_four_ways_to_average_r_give_four_figures(test):
    [way] = claims(r"and (four) ways to average it give four figures")
    x, y = test.windows.tracks, test.rate
    per_window = [[pearsonr(x[n, :, t], y[n, :, t])[0] for t in range(10)] for n in range(20)]
    x, y = x[:20], y[:20]
    per_track = r_of(x, y)
    pooled = pearsonr(x.ravel(), y.ravel())[0]
    profile = r_of(x.mean(axis=2, keepdims=True), y.mean(axis=2, keepdims=True))
    values = [np.mean(per_window), per_track, pooled, profile]
    assert np.diff(sorted(values)).min() > 1e-4 and len(values) == 4 and way == "four"
    mine = run(NAME, solution(NAME, "pearson_per_track"))
    z = np.concatenate([y, np.zeros_like(y[..., :1])], axis=2)
    both = mine(np.concatenate([x, x[..., :1]], axis=2), z)
    assert np.isnan(both[-1]) and np.nanmean(both) == pytest.approx(per_track)


# --- 11: real windows ----------------------------------------------------------------------------

METHODS = ["constant", "composition", "plain", "dilated", "average"]


def loss_of(folds, name: str) -> np.ndarray:
    return np.array([fold[name]["loss"] for fold in folds])


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
    assert f"held_out = {held_out}" in CODE and all(row[1] > 1_000 for row in rows), "thousands"
    assert max(row[3] for row in rows) < 1_000, "an overlap would be of thousands of letters"
    rest = [n for n in range(20) if n not in held_out]
    shared = shared_kmers(cage.one_hot[rest], cage.one_hot[held_out])
    assert [(row[1], row[3]) for row in rows] == list(zip(shared.count, shared.longest))
    number, count, *_ = rows[1]  # one of them again, by sorting
    others = np.sort(np.concatenate([words_of_32(cage.one_hot[n]) for n in rest]))
    window = cage.one_hot[number]
    as_it_stands, other_strand = words_of_32(window), words_of_32(window[::-1, ::-1])[::-1]
    places = [np.searchsorted(others, words).clip(max=len(others) - 1) for words in (as_it_stands, other_strand)]
    assert ((others[places[0]] == as_it_stands) | (others[places[1]] == other_strand)).sum() == count


def test_the_baselines_on_real_windows_are_those_of_the_first_fold(cage, folds):
    held_out = folds[0]["held_out"]
    assert f"held_out = {held_out}" in CODE
    rows = {name.strip(): [float(x) for x in numbers.split()] for name, numbers in
            re.findall(r"^(constant|GC and CpG)((?: +\S+){3})$", said(NAME, "real-baselines"), re.M)}  # fmt: skip
    counts = cage.tracks[held_out].astype(float)
    means = cage.tracks[[n for n in range(20) if n not in held_out]].mean(axis=(0, 1))
    with np.errstate(divide="ignore", invalid="ignore"):
        deviance = means - counts + np.where(counts > 0, counts * np.log(counts / means), 0)
    assert rows["constant"][0] == pytest.approx(deviance.mean(), abs=0.0051) and np.isnan(rows["constant"][1:]).all()
    rule = folds[0]["composition"]
    assert rows["GC and CpG"] == pytest.approx([rule["loss"], np.mean(rule["raw"]), np.mean(rule["log1p"])], abs=0.0051)
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
    claims(rf"The windows are cut into pieces of ({int(crop):,}) letters")
    claims(rf"in pieces of ({int(crop):,}) letters there is no far away")
    loss, r, r_log = found("real-training", r"network, held-out windows: loss (\S+), r (\S+), r of log\(1 \+ count\) (\S+)\n")
    assert loss < folds[0]["constant"]["loss"]
    kept = folds[0]["dilated"]
    assert [loss, r, r_log] == pytest.approx([kept["loss"], np.mean(kept["raw"]), np.mean(kept["log1p"])], abs=0.011)


def test_the_picture_of_a_held_out_window_describes_what_was_measured(cage, folds):
    counts = cage.tracks[folds[0]["held_out"][0], :, 0]
    words = said(NAME, "real-training")
    assert f"largest {counts.max():.3g} in bin {counts.argmax()}, mean {counts.mean():.3g}; network: r of log" in words


def test_the_table_of_the_folds_is_that_of_the_file(folds):
    rows = {line.split()[0]: [float(x) for x in line.split()[1:]] for line in said(NAME, "folds").splitlines()
            if line.split()[0] in METHODS and "interval" not in line}  # fmt: skip
    assert list(rows) == METHODS
    for name, row in rows.items():
        losses = loss_of(folds, name)
        assert row[:5] == pytest.approx(losses, abs=0.0051) and row[5] == pytest.approx(losses.mean(), abs=0.00051)
        r, r_log = (np.mean([np.mean(np.array(fold[name][kind], float)) for fold in folds]) for kind in ("raw", "log1p"))
        assert row[6:] == pytest.approx([r, r_log], abs=0.0051, nan_ok=True)
    assert np.isnan(rows["constant"][6:]).all() and not np.isnan(rows["dilated"][6:]).any()


def test_the_intervals_of_the_folds_are_recomputed_by_hand_and_the_prose_says_what_they_hold(folds):
    rows = re.findall(r"^(\w+) - (\w+): (\S+), 95 % interval (\S+) to (\S+)$", said(NAME, "folds"), re.M)
    assert ("plain", "dilated") in [row[:2] for row in rows] and len(rows) >= 3
    for first, second, *printed in rows:
        by_hand = interval(loss_of(folds, first), loss_of(folds, second))
        assert [float(x) for x in printed] == pytest.approx(by_hand, abs=0.00051), (first, second)
    [own] = found("folds", r"on its own training windows: (\S+)\n")
    assert own == pytest.approx(np.mean([fold["dilated"]["train"]["raw"] for fold in folds]), abs=0.0051)


def test_what_is_said_of_the_folds_is_what_they_hold(folds):
    loss = {name: loss_of(folds, name) for name in METHODS}
    assert "Whatever reads it beats the constant, in every fold." in PROSE
    assert all((loss[name] < loss["constant"]).all() for name in METHODS[1:])
    claims(r"better than counting CpGs, (probably)")
    claims(r"In (four) folds of (five) its loss is lower, and yet the interval of the difference (holds 0)")
    assert (loss["dilated"] < loss["composition"]).sum() == 4 and len(folds) == 5
    _, low, high = interval(loss["composition"], loss["dilated"])
    assert low < 0 < high
    claims(r"average of the two is better than the rule alone, and that interval (does not hold 0)")
    assert interval(loss["composition"], loss["average"])[1] > 0
    assert "**Dilation shows nothing here**" in PROSE
    _, low, high = interval(loss["plain"], loss["dilated"])
    assert low < 0 < high
    claims(r"The folds differ (far more) than the methods")
    methods = np.array([loss[name] for name in METHODS[1:]])
    assert np.ptp(methods.mean(axis=0)) > 3 * np.ptp(methods, axis=0).max()
    [r] = claims(r"An r of (0\.\d) on held-out windows")
    assert float(r) == round(np.mean([fold["dilated"]["raw"] for fold in folds]), 1)


def test_sixteen_windows_are_about_a_thousandth_of_the_genome(cage):
    claims(r"The (sixteen) training windows are about (a thousandth) of it")
    share = 16 * cage.one_hot.shape[1] / 3.1e9  # letters of the human genome
    assert 1 / 1500 < share < 1 / 700


def test_the_last_exercise_is_judged_as_its_text_says():
    windows, bins = map(int, claims(r"The check simulates (\d+) windows of (\d+) bins"))
    learn, judge = map(int, claims(r"regression to those of (\d+) windows and judges it on the other (\d+)"))
    [percent] = claims(r"goes (\d+) percent of the way from the baseline's")
    assert (learn, judge) == (baseline.TO_LEARN, baseline.TO_JUDGE) and learn + judge == windows
    assert (bins, int(percent)) == (baseline.BINS, 100 * baseline.FAR_ENOUGH)


# --- 12: at full size ----------------------------------------------------------------------------


def full_size() -> str:
    [cell] = tagged(NAME, "seed:001-log")
    return re.search(r"```python\n(.*?)```", cell.source, re.DOTALL)[1]


def test_the_lectures_figures_are_quoted_as_its_own():
    """1.85512 to 1.62115 in ten epochs and 2,501.51 seconds, as it prints."""
    parameters, windows, epochs, minutes, first, last = claims(
        r"trains the ([\d,]+)-parameter network on ([\d,]+) windows for (\d+) epochs, in (\d+) minutes on a graphics "
        r"card of its time, and prints a validation loss that falls from (\S+) to (\d\.\d+)\. \(These are \*its\* figures"
    )
    assert whole(parameters) == [sum(p.numel() for p in Basenji().parameters())] == [388_154]
    assert (windows, epochs) == ("5,000", "10")
    assert (first, last) == (f"{1.85512:.3f}", f"{1.62115:.3f}") and int(minutes) == round(2501.51 / 60)
    for figure in (first, last):
        assert figure not in "".join(reading.output_text(cell) for cell in reading.code_cells(NAME)), "never ours"


def test_the_code_at_full_size_has_the_lectures_settings():
    block = full_size()
    for setting in (
        "lr=0.001", "betas=(0.97, 0.98)", "epochs=10", "batch_size=8", "clip=0.01", "max_shift=5", "steps = 10 *",
        "model = Basenji()\n", 'device="cuda"', "resume=True",
    ):  # fmt: skip
        assert setting in block, setting


def test_the_code_at_full_size_runs_on_a_small_file(tmp_path, monkeypatch):
    def some(count: int, seed: int) -> Windows:
        rng = np.random.default_rng(seed)
        tracks = rng.poisson(2, (count, 8, 10)).astype(np.float32)
        return Windows(np.eye(4, dtype=bool)[rng.integers(4, size=(count, 1024))], tracks, tuple(f"t{i}" for i in range(10)), None)

    monkeypatch.chdir(tmp_path)
    write_windows("seq.h5", {"train": some(5, 1), "valid": some(2, 2), "test": some(2, 3)})
    block = full_size()
    for words, smaller in (
        ('device="cuda"', 'device="cpu"'),
        ("batch_size=8", "batch_size=2"),
        ("epochs=10", "epochs=2"),
        ("steps = 10 * math.ceil(len(train_set) / 8)", "steps = 2 * math.ceil(len(train_set) / 2)"),
    ):
        assert block.count(words) == 1, words
        block = block.replace(words, smaller)
    [imports] = tagged(NAME, "imports")
    namespace = {}
    exec(imports.source, namespace)
    exec(block, namespace)
    history = namespace["history"]
    assert history.epochs == 2 and len(history.batch_loss) == 6 == namespace["steps"]
    assert np.isfinite(history.valid_loss).all() and min(history.gradient_norm) > 0.01
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["best.pt", "last.pt"]
    exec(block, namespace)  # resume: nothing is left to do
    assert namespace["history"].batch_loss == history.batch_loss


def test_of_the_lectures_suggestions_one_can_say_something_before():
    for words in ("30 to 50 epochs instead of 10", "add layers", "add channels"):
        assert words in PROSE
    claims(r"Add the dilations (128) and (256). The windows have (128) bins")
    layers = Basenji(base=8, dilations=(1, 2, 4, 8, 16, 32, 64, 128)).layers
    bins = 128
    for output in (0, 60, 127):
        above = tree(layers[-1:], output)[-1]
        assert [p for p in above if 0 <= p < bins] == [output], "its other two taps lie outside the window"
    assert abs(exp(-1) - 1 / 3) < 0.05, "the logarithm of an enhancer's effect over 30 bins"


def test_no_cell_shows_a_network_by_the_way():
    assert not [cell.source for cell in reading.code_cells(NAME) if "GatedConv(" in reading.output_text(cell)]


def test_no_prose_is_stuck_in_a_code_cell():
    """Markdown without its `# %% [markdown]` line would be read as comments of the cell above it."""
    for cell in reading.code_cells(NAME):
        assert not re.search(r"^# (- |#+ )", cell.source, re.M) and "\n#\n" not in cell.source
