"""Lesson 10: the mistakes of the source lecture that it corrects, and the figures of its first parts."""

import json
import re
from math import cos, exp, factorial, log, pi, sqrt

import numpy as np
import pytest
import reading
import torch
from basenji_reader import (
    CODE,
    NAME,
    PLAIN,
    PROSE,
    SEED,
    WINDOW,
    basenji,
    cage,
    claims,
    found,
    parts,
    r_of,
    random_inputs,
    runs,
    test,
    whole,
)
from reading import said, tagged
from scipy.stats import poisson
from sklearn.metrics import r2_score
from test_exercises import run, solution

from course_utils.augmentation import reverse_complement, shift
from course_utils.interpretation import seen_by
from course_utils.losses import log_poisson
from course_utils.models import seeded
from course_utils.models.basenji import Basenji
from course_utils.receptive_fields import receptive_field
from course_utils.schedules import cosine
from course_utils.tracks import SCALES, fit_composition, poisson_loss
from course_utils.training import predict

pytestmark = pytest.mark.usefixtures("one_thread")


# --- 1: what is measured ---------------------------------------------------------------------------


def test_every_large_number_of_the_text_is_one_that_a_test_accounts_for():
    known = {"32,785", "130,172", "131,000", "131,072", "262,144", "81,398", "388,154"}
    assert set(re.findall(r"\d{2,3},\d{3}", PROSE)) <= known
    claims(r"You have a network that can see (32,785) letters")
    assert receptive_field(Basenji().layers) == 32_785


def test_M32_a_window_of_130172_letters_is_no_whole_number_of_bins():
    assert 130_172 % 128 == 124 and 131_072 == 2**17 == 1024 * 128
    assert said(NAME, "M32") == (
        f"130,172 letters are {130_172 / 128:,} bins of 128\n131,072 letters are {131_072 / 128:,} bins of 128\n"
    )
    assert "bins of 128\n" in said(NAME, "M32") and "1,016.96875" in said(NAME, "M32")
    claims(
        r"ChIP-seq.*length of a window as (130,172), where the data have (131,072), which is \$2\^\{17\}\$ \(mistake M32\)"
    )
    with pytest.raises(ValueError):
        Basenji(base=8)(torch.zeros(1, 4, 130_172))


def test_what_three_kinds_of_experiments_count_is_said():
    [assays] = tagged(NAME, "seed:001-assays")
    for name, what in (("ChIP-seq", "binds"), ("DNase-seq", "open"), ("CAGE", r"transcription \*starts\*")):
        assert re.search(rf"- (?:\*\*)?{name}[^\n]*{what}", assays.source), name


def test_the_real_windows_are_twenty_with_ten_tracks_mostly_empty(cage):
    count, length, bins, tracks = (*cage.one_hot.shape[:2], *cage.tracks.shape[1:])
    claims(r"(20) windows of human DNA and their ten CAGE tracks")
    assert (count, tracks, length // bins) == (20, 10, 128)
    claims(r"add up the counts of each (128) letters")
    empty, largest = np.mean(cage.tracks == 0), cage.tracks.max()
    words = said(NAME, "real-windows")
    assert f"one-hot {(count, length, 4)} bool  tracks {(count, bins, tracks)} float32" in words
    assert f"bins at 0: {empty:.0%}; largest number {largest:g}\n" in words
    assert empty > 0.5, "most bins"
    assert [float(*claims(r"The largest is (\d+), which looks like a cut-off"))] == [largest]


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
    assert (
        whole_ones == pytest.approx(100 * np.isin(positive, np.arange(101)).mean(), abs=0.006)
        and whole_ones < 1
    )
    claims(r"one bin in (a hundred) decides any correlation of these numbers. Hardly one of them is whole")


def test_the_picture_of_three_tracks_names_their_highest_bins(cage):
    [cell] = tagged(NAME, "seed:001-bar-plot")
    window = int(re.search(r"axes\.bar\(.*cage\.tracks\[(\d+), :, track\]", cell.source)[1])
    counts = cage.tracks[window, :, :3]
    highest = ", ".join(f"{value:.0f} in {label}" for value, label in zip(counts.max(axis=0), cage.labels))
    assert f"The highest: {highest}, in bins {counts.argmax(axis=0).tolist()}." in said(
        NAME, "seed:001-bar-plot"
    )


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
    assert [lecture.index(base) for base in "CG"] == whole(
        claims(r"In the lecture's order they would be (columns 2 and 3)")[0]
    )
    tests = [
        order for order in ("ACGT", "TCGA", "AGCT", "TGCA") if order.index("C") == 1 and order.index("G") == 2
    ]
    assert tests == ["ACGT", "TCGA"] and "cannot tell A from T" in PROSE


# --- 4: the loss -----------------------------------------------------------------------------------


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
    losses = torch.stack(
        [log_poisson(x[None, None, None], torch.full((1, 1, 1), t, dtype=torch.float64)) for x in s[::50]]
    )
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
    small, expected, large, twice = map(
        int, claims(r": (\d+) where (\d+) was expected is nothing, (\d+) where (\d+) was")
    )
    assert small / expected == large / twice == 2
    assert poisson.sf(small - 1, expected) > 0.1 and poisson.sf(large - 1, twice) < 1e-9
    costs = re.findall(r"count +(\d+) where +(\d+) was expected: loss (\S+)\n", said(NAME, "M26"))
    assert len(costs) == 2
    for t, rate, cost in costs:
        assert int(t) - int(rate) == 4, "four too many"
        gap = -2 * (
            poisson.logpmf(int(t), int(rate)) - poisson.logpmf(int(t), int(t))
        )  # the deviance, twice the loss
        assert float(cost) == pytest.approx(gap / 2, abs=0.0051)
        assert poisson_loss(np.full((1, 1, 1), int(t)), np.full((1, 1, 1), int(rate))) == pytest.approx(
            gap / 2
        )
    named = claims(r"Four too many cost (\S+) where (\d+) was expected, and (\S+) where (\d+) were\.")
    assert named == [costs[0][2], costs[0][1], costs[1][2], costs[1][1]]
    assert "a count can never be expected to be negative" in PROSE and exp(-50) > 0


# --- 5: schedule and clipping ----------------------------------------------------------------------


def test_M30_the_cosine_goes_to_180_degrees_and_to_90_it_would_end_at_half():
    printed = found("M30", r"last factor: (\S+) \(to 180 degrees\), (\S+) \(to 90\)")
    by_hand = [(1 + cos(angle * 99 / 100)) / 2 for angle in (pi, pi / 2)]
    assert printed == pytest.approx(by_hand, abs=5e-5) and cosine(100)(99) == pytest.approx(by_hand[0])
    assert by_hand[0] < 1e-3 and (1 + cos(pi / 2)) / 2 == 0.5
    # The lecture's code: ten epochs without warm-up, a factor for each epoch.
    assert [cosine(10)(epoch) for epoch in range(10)] == pytest.approx(
        [0.5 * (1 + cos(pi * e / 10)) for e in range(10)]
    )
    claims(
        r"runs from 0 to (180) degrees\. \(The lecture's text says (90), its code does (180): mistake M30\."
    )
    claims(r"In this formula, (90) degrees would end at (half) of the learning rate")
    claims(r"\*\*A cosine schedule to (90) degrees\*\* \(M30\)\. It ends at (half) the learning rate")
    words = said(NAME, "M30")
    assert f"falls from 1 to {by_hand[0]:.4f}; with warm-up it first climbs from {1 / 11:.2f} to 1;" in words


def test_the_warm_up_climbs_in_equal_parts():
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
    [limit] = claims(r"The lecture's limit is (0\.01)\. Where every step exceeds that")
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
    shares = re.findall(
        r"gradients longer than 1: (\d+)% of the steps; longer than 0\.01: (\d+)%", said(NAME, "train")
    )
    assert len(shares) == 2 and all(0 < int(here) < 20 for here, _ in shares), "a guard for now and then"
    assert all(theirs == "100" for _, theirs in shares)
    assert "clip=1.0" in CODE and "np.mean(norms > 1)" in CODE


# --- 6: more windows -------------------------------------------------------------------------------


def test_M31_rolling_brings_letters_from_the_far_end_and_shifting_zeros():
    words = said(NAME, "M31")
    rows = dict(re.findall(r"^(window|rolled by 3|shifted by 3): +([ACGT-]+)", words, re.M))
    assert rows["window"] == "ACGTACGT"
    assert rows["rolled by 3"] == rows["window"][-3:] + rows["window"][:-3]
    assert rows["shifted by 3"] == "---" + rows["window"][:-3]
    assert "its start came from the far end" in words and "(mistake M31)" in PROSE
    place = np.roll(np.arange(WINDOW), 5)
    assert place[0] == WINDOW - 5 and abs(np.diff(place)).max() == WINDOW - 1, (
        "two letters that were far apart"
    )
    [distance] = claims(r"letters from (\d+,000) letters away become neighbours")
    assert round(WINDOW - 1, -3) == int(distance.replace(",", ""))
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
    [apart] = claims(r"for the same bin, the two readings are centred on places (\d+) letters apart")
    model, length = Basenji(base=8, growth=16, dilations=PLAIN).eval(), 8192
    x, bins = random_inputs(1, length), length // 128
    turned, _ = reverse_complement(x, torch.zeros(1, bins, 10))

    def middle(positions: np.ndarray) -> float:
        return (positions[0] + positions[-1]) / 2

    forward = middle(np.flatnonzero(seen_by(model, x, 30)))
    backward = length - 1 - middle(np.flatnonzero(seen_by(model, turned, bins - 1 - 30)))
    assert forward == 30 * 128, "centred on the start of its bin"
    assert backward - forward == int(apart) == 127


# --- 7: training -----------------------------------------------------------------------------------


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
    assert best < in_eval + 0.005 < 1.06 * best and in_eval < in_train, (
        "near the best possible without dropout"
    )
    assert found("M28", r"counts of the two differ by (\d+)% on average")[0] >= 1
    # a tenth of the numbers in each dilated layer
    share = []
    hooks = [
        block.dropout.register_forward_hook(
            lambda _, before, after: share.append(float(((after == 0) & (before[0] != 0)).float().mean()))
        )
        for block in model.train().dilated
    ]
    with torch.no_grad(), seeded(0):
        model(x)
    for hook in hooks:
        hook.remove()
    assert len(share) == 7 and share == pytest.approx([0.1] * 7, abs=0.02)
    assert "a tenth of the numbers in each dilated layer are set to zero at random" in PROSE


# --- 9: judging ------------------------------------------------------------------------------------


def test_M27_r2_over_the_windows_of_a_batch_is_another_thing_than_along_the_genome():
    """A rule that knows where peaks usually are, and nothing of a window: worthless by one, good by the other."""
    rng = np.random.default_rng(0)
    usual = rng.gamma(0.3, 10, 200)  # of each bin
    observed = usual * rng.lognormal(0, 0.1, (4, 200))  # four windows of a batch, which hardly differ
    predicted = np.broadcast_to(observed.mean(axis=0), observed.shape)
    across = r2_score(observed, predicted, multioutput="uniform_average")  # axis 0, as Chainer's r2_score
    along = r2_score(observed.ravel(), predicted.ravel())
    assert across == pytest.approx(0, abs=1e-9) and along > 0.95
    by_hand = 1 - ((observed - predicted) ** 2).sum(axis=0) / ((observed - observed.mean(axis=0)) ** 2).sum(
        axis=0
    )
    assert by_hand.mean() == pytest.approx(across)
    claims(
        r"over the wrong axis: for each bin of the window across the few windows of a batch, instead of (along the genome)"
    )


def test_M27_the_table_is_r_per_track_beside_baselines_and_ceilings(parts, test, runs):
    words = said(NAME, "M27")
    rows = {name.strip(): (float(raw), float(logged)) for name, raw, logged in
            re.findall(r"^(dilated|no dilation|GC and CpG|constant) +(\S+) +(\S+)$", words, re.M)}  # fmt: skip
    assert list(rows) == ["dilated", "no dilation", "GC and CpG", "constant"]
    counts = test.windows.tracks
    for name, kind in (("dilated", "dilated"), ("no dilation", "plain")):
        assert rows[name][0] == pytest.approx(np.mean(runs[str(SEED)][kind]["r"]), abs=0.0051)
    assert claims(r"CpGs in a bin, in the (\d+) and in the (\d+) bins around it") == [str(n) for n in SCALES[1:]]
    rates = fit_composition(parts["train"].windows).predict(test.windows.one_hot)
    expected = r_of(counts, rates), r_of(counts, rates, log1p=True)
    assert rows["GC and CpG"] == pytest.approx(expected, abs=0.0051) and expected[0] < 0.3, "says little"
    assert np.isnan(rows["constant"]).all()
    best, local = (found("M27", rf"\n{name} +(\S+)\n")[0] for name in ("ceiling", "local ceiling"))
    assert (best, local) == (round(r_of(counts, test.rate), 2), round(r_of(counts, test.local_rate), 2))
    for log1p, column in ((False, 0), (True, 1)):
        top, middle = (r_of(counts, rate, log1p) for rate in (test.rate, test.local_rate))
        assert rows["no dilation"][column] < middle + 0.005 < rows["dilated"][column] < top + 0.005


# --- 12: at full size ------------------------------------------------------------------------------


def test_no_cell_shows_a_network_by_the_way():
    assert not [cell.source for cell in reading.code_cells(NAME) if "GatedConv(" in reading.output_text(cell)]


def test_no_prose_is_stuck_in_a_code_cell():
    """Markdown without its `# %% [markdown]` line would be read as comments of the cell above it."""
    for cell in reading.code_cells(NAME):
        assert not re.search(r"^# (- |#+ )", cell.source, re.M) and "\n#\n" not in cell.source
