"""Lesson 06: the mistakes of the report, corrected.

Its networks have test_lesson_06_report.py, and the real peaks test_lesson_06_peaks.py.
"""

import json
import re
from functools import cache, partial
from math import log, sqrt

import numpy as np
import pytest
import reading
import torch
from reading import code, prose, said
from scipy.stats import norm, rankdata, t as student
from test_exercises import run, solution
from torch.nn import functional as F

from course_utils.backgrounds import sample_background
from course_utils.datasets import fetch, shipped
from course_utils.models import seeded
from course_utils.models.binding import ReportCNN
from course_utils.motifs import UNIFORM
from course_utils.regions import Regions, read_regions
from course_utils.sequences import from_codes, one_hot, reverse_complement
from course_utils.shuffles import shuffle_dinucleotides

pytestmark = pytest.mark.usefixtures("one_thread")

NAME = "06_transcription_factor_binding"
PROSE, CODE = prose(NAME), code(NAME)
SITE = "CGACCGAACTCC"
EVERYTHING = {"padded": True, "pool": 5, "outputs": 2, "deep": True, "dropout": 0.2}
claims = partial(reading.claims, NAME)
numbers = partial(reading.numbers, NAME)
found = partial(reading.found, NAME)


def area(positives, negatives) -> float:
    """The AUC by ranks."""
    ranks = rankdata(np.concatenate([positives, negatives]))
    many = len(positives)
    return (ranks[:many].sum() - many * (many + 1) / 2) / (many * len(negatives))


def paired(scores, others) -> tuple[float, float, float]:
    """The mean difference of paired scores and its 95 % interval, by Student's t."""
    gain = np.asarray(scores) - np.asarray(others)
    half = student.ppf(0.975, len(gain) - 1) * gain.std(ddof=1) / sqrt(len(gain))
    return gain.mean(), gain.mean() - half, gain.mean() + half


def by_score(count: int, total: int) -> list[float]:
    """Wilson's interval: the shares p for which the count is 1.96 standard deviations of p away."""
    z2, share = norm.ppf(0.975) ** 2, count / total
    return sorted(np.roots([1 + z2 / total, -2 * share - z2 / total, share**2]).real)


@cache
def read_primer() -> tuple[list[str], np.ndarray]:
    label_file, sequence_file = fetch("primer")
    return sequence_file.read_text().split(), np.array(label_file.read_text().split(), int)


@cache
def read_peaks() -> tuple[Regions, Regions, Regions]:
    """All peaks, those of chromosomes 8 and 9, and the others."""
    peaks = read_regions(fetch("ctcf-peaks")[0])
    others, test = peaks.by_chromosome(test=["chr8", "chr9"])
    return peaks, test, others


@pytest.fixture(scope="module")
def primer() -> tuple[list[str], np.ndarray]:
    if reason := reading.why_unavailable("primer"):
        pytest.skip(reason)
    return read_primer()


@pytest.fixture(scope="module")
def inputs(primer) -> torch.Tensor:
    return torch.from_numpy(one_hot(primer[0])).permute(0, 2, 1).float()


@pytest.fixture(scope="module")
def peaks() -> tuple[Regions, Regions, Regions]:
    if reason := reading.why_unavailable("ctcf-peaks"):
        pytest.skip(reason)
    return read_peaks()


@pytest.fixture(scope="module")
def runs() -> dict:
    return json.loads(shipped("primer_runs.json").read_text("utf-8"))


def never(left: list, epochs: int = 30) -> int:
    """How many runs have not left chance after so many epochs."""
    return sum(epoch is None or epoch > epochs for epoch in left)


# --- the mistakes --------------------------------------------------------------------------------


def test_M14_the_log_is_cross_entropy_s_as_a_squared_error_at_chance_is_a_quarter(primer, inputs):
    text = PROSE
    for line in (
        "loss: 0.6938 - accuracy: 0.4978 - val_loss: 0.6927 - val_accuracy: 0.5133",
        "loss: 0.6935 - accuracy: 0.5111 - val_loss: 0.6940 - val_accuracy: 0.5133",
        "loss='mean_squared_error'",
    ):
        assert line in text, "as the report prints it"
    claims(r"A log that starts at (0\.6938) was made with cross-entropy")
    [squared] = found("M14", r"mean squared error: ([\d.]+)\n")
    [crossed, ln2] = found("M14", r"cross-entropy: +([\d.]+), which is ln 2 = ([\d.]+)\n")
    assert squared == 0.25 and crossed == ln2 == round(log(2), 4)
    labels = torch.from_numpy(primer[1])
    with seeded(3), torch.no_grad():
        logits = ReportCNN(**EVERYTHING).eval()(inputs)
    assert abs(float(F.cross_entropy(logits, labels)) - 0.6938) < 0.02, "the report's first epoch"
    assert abs(float(F.mse_loss(logits.softmax(1), F.one_hot(labels, 2).float())) - 0.25) < 0.01
    loss_at_chance = run(NAME, solution(NAME, "chance_loss"))
    assert [round(value, 3) for value in loss_at_chance(0.1)] == numbers(
        r"With one positive in ten they are (0\.\d+) and (0\.\d+): a loss far below ln 2"
    )


def test_M16_one_change_at_a_time_only_depth_does_harm_and_nothing_over_fits(runs):
    table = runs["changes"]
    first = table["original"]
    many, runs_each = numbers(
        r"leave them out one at a time: (\w+) networks, each with the same (\w+) splits"
    )
    assert len(table) == many == 12 and {len(row["auc"]) for row in table.values()} == {runs_each} == {20}
    printed = re.findall(r"^([a-z5 ]+?) {2,}(.*?)(\d+) of 20 +(\d\.\d) of 9$", said(NAME, "ablation"), re.M)
    assert [row[0].strip() for row in printed] == list(table)
    rises, at_chance, gain = {}, {}, {}
    for name, middle, stuck, up in printed:
        row = table[name.strip()]
        at_chance[name] = sum(auc == 0.5 for auc in row["auc"])
        valid = np.array(row["valid"])
        rises[name] = (valid[:, 1:] > valid[:, :-1]).sum(axis=1).mean()
        assert int(stuck) == at_chance[name] and float(up) == pytest.approx(rises[name], abs=0.051)
        if row is first:
            assert reading.number(re.search(r"0\.\d+", middle)[0]) == pytest.approx(
                np.mean(first["auc"]), abs=0.00051
            )
        else:
            gain[name] = paired(row["auc"], first["auc"])
            said_here = [float(x) for x in re.findall(r"[+-]\d\.\d+", middle)]
            assert said_here == pytest.approx(gain[name], abs=0.00051)
    [most] = numbers(
        r"\*\*Four of the five changes hardly matter alone\.\*\* Their differences are (0\.\d+) or less"
    )
    harmless = [gain[f"{name} alone"][0] for name in ("padding", "pool of 5", "two outputs", "dropout")]
    assert max(round(abs(mean), 3) for mean in harmless) <= most
    assert "its interval leaves 0 out, but only in the fourth decimal, and one of eleven intervals" in PROSE
    assert 0 < gain["padding alone"][1] < 0.001 and len(gain) - ("original" in gain) == 11
    stuck, of = numbers(r"Alone, it leaves (\d+) of (\d+) runs at chance")
    assert at_chance["depth alone"] == stuck == 6 and of == 20 and gain["depth alone"][2] < 0
    assert gain["all but depth"][0] > 0, "as good as the original or a little better"
    claimed = numbers(
        r"All five together leave (\d+) of 20 at chance, and (\d+) without the two outputs: that may be luck"
    )
    few, more = (by_score(at_chance[name], 20) for name in ("all five", "all but two outputs"))
    assert claimed == [at_chance["all five"], at_chance["all but two outputs"]] and more[0] < few[1], (
        "they overlap"
    )
    deep = {name for name in table if name in ("depth alone", "all five") or name.startswith("all but")}
    deep -= {"all but depth"}
    assert min(rises[name] for name in deep) > max(rises[name] for name in set(rises) - deep)
    assert "once or twice in nine steps, and most often in the deep ones" in PROSE
    assert all(1 <= round(mean) <= 2 for mean in rises.values())
    train, valid = np.array(first["train"]), np.array(first["valid"])
    assert found("no-overfitting", r"training loss (\S+), validation loss (\S+)\n") == pytest.approx(
        [train[:, 9].mean(), valid[:, 9].mean()], abs=0.00051
    )
    fell, total = found("no-overfitting", r"after epoch 5: (\d+) of (\d+) runs")
    assert fell == sum(row[9] < row[4] for row in first["valid"]) == total == 20, "it keeps falling"
    assert "The loss of only 150 sequences is noisy" in PROSE
    assert (train[:, 9] < valid[:, 9]).all(), "the network knows its own sequences better"


def test_M17_some_deep_runs_never_learn_six_of_80_is_not_ruled_out_and_the_remedy_never_fails(runs):
    for loss, part in runs["deep"].items():
        assert len(part["left"]) == 80
        stuck = never(part["left"])
        low, high = by_score(stuck, 80)
        assert stuck > 0 and low < 6 / 80 < high, loss
    line = r"(\d+) of 80 at chance after (\d+) epochs \(95 % interval (\d+)% to (\d+)%\)"
    printed = [list(map(int, row)) for row in re.findall(line, said(NAME, "M17"))]
    for stuck, _, *ends in printed:
        assert ends == pytest.approx([100 * share for share in by_score(stuck, 80)], abs=0.51)
    deep = runs["deep"]
    parts = [(deep[loss], epochs) for loss in ("cross_entropy", "squared_error") for epochs in (10, 30)]
    parts += [(part, 20) for part in (deep["cross_entropy"], *runs["remedies"].values())] + [
        (runs["detector"], 15)
    ]
    assert [row[:2] for row in printed] == [[never(part["left"], epochs), epochs] for part, epochs in parts]
    detector = runs["detector"]
    assert never(detector["left"], 15) == 0 == sum(auc < 0.9999 for auc in detector["auc"])
    assert len(detector["auc"]) == 80 and by_score(0, 80)[1] < 0.05
    left = {name: never(part["left"], 20) for name, part in runs["remedies"].items()}
    before = never(deep["cross_entropy"]["left"], 20)
    assert left["leaky ReLU"] == left["batch normalisation"] == left["six layers"] == 0
    claimed = numbers(
        r"made for ReLU, do not visibly help: (\d+) of 80 in place of (\d+)\. "
        r"A smaller step may: (\d+) of 80\. And \*without\* dropout it is worse, (\d+) of 80"
    )
    assert claimed == [left["He's first weights"], before, left["a rate of 0.0001"], left["no dropout"]]
    assert by_score(left["no dropout"], 80)[0] > before / 80, "worse"
    assert by_score(left["a rate of 0.0001"], 80)[1] > before / 80, "may"
    [one_in] = numbers(r"With the five changes of its second network, about one run in (\w+) stays at chance")
    assert 80 / never(deep["cross_entropy"]["left"], 10) == one_in


def test_M18_one_word_planted_without_variation_tells_the_classes_apart(primer):
    sequences, labels = primer
    assert len(sequences) == 2000 and {len(sequence) for sequence in sequences} == {50}
    claims(r"one with (2,000) sequences of (50) bases, one with their labels")
    rule = np.array([SITE in sequence for sequence in sequences])
    assert (rule == labels).all() and labels.sum() == 987
    right, wrong = (float(x) for x in re.findall(r"right for ([\d.]+)%", said(NAME, "M18")))
    assert right == 100 and wrong == pytest.approx(100 * (rule[:-1] == labels[1:]).mean(), abs=0.051)
    claims(r"Shift the labels by a header, and the rule is (a coin); with the right ones, it is (always) right")
    assert abs(wrong - 50) < 1
    starts = [sequence.index(SITE) for sequence in sequences if SITE in sequence]
    assert [min(starts), max(starts)] == found("M18", r"starts at (\d+) to (\d+)")
    other = reverse_complement(SITE)
    assert not any(other in sequence for sequence in sequences) and said(NAME, "M18").rstrip().endswith(
        "True"
    )
    [letters] = numbers(r"planted one word of (\w+) letters, without a single variation")
    assert letters == len(SITE)
    counts = {}
    for sequence, label in zip(sequences, labels):
        for start in range(39 * label):
            word = sequence[start : start + 12]
            counts[word] = counts.get(word, 0) + 1
    best, second = sorted(counts.items(), key=lambda pair: -pair[1])[:2]
    assert best == (SITE, 987) and second[1] < 987 / 3
    assert re.search(r"\[\('(\w+)', (\d+)\), \('\w+', (\d+)\)\]", said(NAME, "M18")).groups() == (
        SITE,
        "987",
        str(second[1]),
    )


def test_M19_the_labels_have_no_header_and_reading_one_loses_the_first(primer):
    lines = fetch("primer")[0].read_text().splitlines()
    assert len(lines) == 2000 and set(lines) == {"0", "1"}, "labels from the first line on"
    assert f"the first lines of the labels: {lines[:4]}" in said(NAME, "M19")
    assert found("M19", r"(\d+) sequences, (\d+) labels; if the first is taken for a header, (\d+)") == [2000, 2000, 1999]
    with pytest.raises(ValueError):
        np.equal(np.loadtxt(lines, skiprows=1), primer[1])


def test_M24_an_encoder_fitted_to_each_sequence_numbers_the_bases_anew(peaks):
    text, made = re.search(r"letters, as in (\S+)\n.*?: \[([\d ]+)\]", said(NAME, "M24")).groups()
    assert peaks[0].sequences[1].startswith(text.upper()) and text != text.upper()
    kinds = sorted(set(text))
    assert [int(code) for code in made.split()] == [kinds.index(letter) for letter in text]
    assert len(kinds) > 4 and kinds.index("a") != kinds.index("A"), "two bases where there is one"
    encoder = run(NAME, "def fresh():\n    return LabelEncoder()")
    assert (
        list(encoder().fit_transform(list("CGT"))) == list(encoder().fit_transform(list("ACG"))) == [0, 1, 2]
    )
    assert not np.array_equal(one_hot("CGT"), one_hot("ACG")), "the alphabet is fixed"
    count, length = found("M24", r"([\d,]+) regions of (\d+) bp, with places")
    assert [count, length] == [len(peaks[0]), peaks[0].length] == [39_184, 100]


def test_M34_composition_alone_wins_against_naive_negatives(primer, peaks):
    rng = np.random.default_rng(20)
    letters = list(peaks[1].sequences)
    sets = {
        "uniform": from_codes(sample_background(len(letters), 100, UNIFORM, rng)),
        "shuffled bases": ["".join(rng.permutation(list(sequence))) for sequence in letters],
        "dinucleotides": shuffle_dinucleotides(letters, rng),
    }

    def gc(sequences):
        return [(sequence.count("G") + sequence.count("C")) / 100 for sequence in sequences]

    def few_cpgs(sequences):
        return [-sequence.count("CG") for sequence in sequences]

    printed = re.split(r"\n(?=the fewer)", said(NAME, "composition"))
    assert len(printed) == 2
    by_hand = {}
    for text, score in zip(printed, (gc, few_cpgs)):
        rows = dict(re.findall(r"^([a-z ]+?) +(0\.\d{3}) \(", text, re.M))
        assert list(rows) == [*sets, "genomic"]
        for name, negatives in sets.items():
            by_hand[name, score] = area(score(letters), score(negatives))
            assert float(rows[name]) == pytest.approx(by_hand[name, score], abs=0.02), name
    assert (
        by_hand["shuffled bases", gc]
        == by_hand["dinucleotides", gc]
        == by_hand["dinucleotides", few_cpgs]
        == 0.5
    )
    [by_gc] = numbers(r"Against uniform letters, the GC content alone reaches (0\.\d\d)")
    assert by_gc == pytest.approx(by_hand["uniform", gc], abs=0.015)
    assert np.mean(gc(letters)) > 0.5, "in peaks it is above a half"
    [by_cpgs] = numbers(r"against shuffled bases a classifier that only counts CpGs has an AUC of (0\.\d\d)")
    assert by_cpgs == pytest.approx(by_hand["shuffled bases", few_cpgs], abs=0.015)
    both = numbers(r"win much against uniform letters \((0\.\d\d) and (0\.\d\d) alone\) and nothing here")
    assert both == pytest.approx([by_hand["uniform", gc], by_hand["uniform", few_cpgs]], abs=0.015)
    [on_primer] = numbers(r"counting C and T, whatever their order, reaches an AUC of (0\.\d\d) here \(mistake M34\)")
    sequences, labels = primer
    pyrimidines = np.array([sequence.count("C") - sequence.count("T") for sequence in sequences])
    assert on_primer == pytest.approx(area(pyrimidines[labels == 1], pyrimidines[labels == 0]), abs=0.006)
