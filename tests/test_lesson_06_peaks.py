"""Lesson 06: real peaks, the ladder of negatives, baselines and the network."""

import json
import re
from itertools import product

import numpy as np
import pytest
import reading
from reading import ROOT, said
from sklearn.linear_model import LogisticRegression
from test_exercises import run, solution
from test_lesson_06 import CODE, NAME, PROSE, area, claims, found, numbers, paired, peaks  # noqa: F401

from course_utils.datasets import shipped
from course_utils.exercises import _lesson_06_baseline as baseline
from course_utils.models.peaks import BothStrandsCNN
from course_utils.motifs import pfm_to_ppm, ppm_to_pwm, read_motifs
from course_utils.negatives import SOURCES, genomic_windows, match_gc, tiles, without_peaks
from course_utils.schedules import cosine
from course_utils.sequences import reverse_complement, to_codes
from course_utils.shuffles import shuffle_dinucleotides

# pytest finds a fixture by the name of an argument, which hides the import.
# ruff: noqa: F811

RUNGS = ["uniform", "shuffled bases", "dinucleotides", "genomic"]
CTCF = next(motif for motif in read_motifs(shipped("jaspar_motifs.txt")) if motif.accession == "MA0139.1")
PWM = ppm_to_pwm(pfm_to_ppm(CTCF.pfm, 1.0))


@pytest.fixture(scope="module")
def runs() -> list[dict]:
    return json.loads(shipped("ctcf_runs.json").read_text("utf-8"))["runs"]


@pytest.fixture(scope="module")
def real(peaks):
    """The windows, and their clean stretches on chromosomes 8 and 9, and on the others."""
    for name in SOURCES:
        if reason := reading.why_unavailable(name):
            pytest.skip(reason)
    windows = genomic_windows()
    rest, test = tiles(without_peaks(windows, peaks[0]), length=100).by_chromosome(test=["chr8", "chr9"])
    return windows, test, rest


def network(runs, trained: str, tested: str) -> np.ndarray:
    """The AUC of the network, for each seed."""
    return np.array([seed[trained]["network"][tested][0] for seed in runs])


def rival(runs, name: str, rung: str) -> np.ndarray:
    return np.array([seed[rung][name][0] for seed in runs])


def rung_table(tag: str) -> dict[str, list[float]]:
    """What `ladder` printed: rung -> AUC and both ends of its interval."""
    rows = re.findall(r"^([a-z ]+?) +(0\.\d+) \((0\.\d+) to (0\.\d+)\)$", said(NAME, tag), re.M)
    assert [row[0] for row in rows] == RUNGS
    return {name: [float(x) for x in values] for name, *values in rows}


def best(sequences) -> np.ndarray:
    """The best match of CTCF's matrix on either strand, by a table of codes and not by a convolution."""
    codes = np.array([to_codes(sequence) for sequence in sequences])
    strands = (PWM, PWM[::-1, ::-1])
    return np.maximum(
        *(sum(w[row][codes[:, row : row + 82]] for row in range(19)).max(axis=1) for w in strands)
    )


def gc(sequences) -> np.ndarray:
    return np.array([sequence.count("G") + sequence.count("C") for sequence in sequences])


# --- 4: peaks ------------------------------------------------------------------------------------


def test_the_peaks_are_split_by_chromosome_and_share_nothing(peaks):
    everything, test, others = peaks
    claims(r"Then you turn to (39,184) stretches of the human genome")
    claims(r"The file has (39,184) peaks of CTCF.* the (100) bases around its middle")
    assert len(everything) == 39_184 == len(test) + len(others) and everything.length == 100
    assert [
        int(x)
        for x in re.findall(
            r"\d+", claims(r"Hold out whole chromosomes \(lesson 00\)\. Here (8 and 9) are for the test")[0]
        )
    ] == [8, 9]
    more = claims(r"lesson 00, with (200) peaks only, took (1) and (17) as well")
    assert more[0] == "200" and '["chr1", "chr8", "chr9", "chr17"]' in reading.code("00_start_here")
    assert {place.chromosome for place in test.places} == {"chr8", "chr9"}
    chromosomes = [place.chromosome for place in others.places]
    valid = sum(name in ("chr10", "chr11") for name in chromosomes)
    assert not {"chr8", "chr9"} & set(chromosomes) and "10 and 11 are for validation" in PROSE
    counts = [
        int(x.replace(",", ""))
        for x in re.findall(r"\d+(?:,\d{3})?", said(NAME, "chromosomes").splitlines()[0])
    ]
    assert counts == [len(others) - valid, valid, len(test)]
    known = {*others.sequences, *map(reverse_complement, others.sequences)}
    assert (
        sum(letters in known for letters in test.sequences)
        == found("chromosomes", r"training set: (\d+)\n")[0]
        == 0
    )
    lower = found("M24", r"([\d,]+) peaks have lower-case letters")[0]
    assert 0 < lower < len(everything)
    assert (
        f"`{everything.places[0].chromosome}:{everything.places[0].start}-{everything.places[0].end}`"
        in PROSE
    )


def test_one_stretch_in_a_thousand_is_such_a_peak():
    [peaks_said, millions] = numbers(r"about one in a thousand is such a peak \(([\d,]+) of (\d+) million\)")
    assert millions == round(3.1e9 / 100 / 1e6, -1) and 0.5 < 1000 * peaks_said / (millions * 1e6) < 1.5


# --- 5: negatives --------------------------------------------------------------------------------


def test_the_genomic_negatives_are_counted_and_matched_in_gc(real, peaks):
    windows, test, rest = real
    sets, assemblies = numbers(r"(\w+) data sets, (?:\w+) assemblies") + [
        len({w.assembly for w in windows})
    ]
    assert sets == len(SOURCES) == 4 and assemblies == 2 and "two assemblies" in PROSE
    rng = np.random.default_rng(8)
    pairs = [match_gc(positives, clean, rng) for positives, clean in ((peaks[1], test), (peaks[2], rest))]
    printed = [int(x.replace(",", "")) for x in re.findall(r"\d{1,3}(?:,\d{3})+|\d+", said(NAME, "genomic"))]
    whole_numbers = {len(windows), len(test), len(rest), *(len(chosen) for chosen, _ in pairs)}
    assert whole_numbers <= set(printed)
    chosen, partners = pairs[0]
    matched = gc(np.array(peaks[1].sequences)[chosen])
    assert (matched == gc(np.array(test.sequences)[partners])).all(), "exactly as many G and C"
    assert len(set(partners.tolist())) == len(partners), "each stretch once"
    left_out = np.delete(gc(peaks[1].sequences), chosen)
    assert left_out.mean() > matched.mean() + 5, "the peaks richest in G and C find none"
    assert "the last column has fewer peaks" in PROSE and len(chosen) < len(peaks[1])
    assert "Those richest in G and C find none and are left out." in PROSE
    assert f"from a few places of the genome, {len(windows)} windows in all" in PROSE


def test_what_is_said_of_the_136_stretches_is_what_the_test_of_the_package_counts():
    stretches, more = numbers(
        r"finds all (\d+) stretches that touch a peak, and takes away (\d+) that do not"
    )
    counted = (ROOT / "tests/test_negatives.py").read_text("utf-8")
    assert f"(len(left_out), sum(left_out)) == ({stretches + more:.0f}, {stretches:.0f})" in counted
    share, words = claims(r"At least (half) of the peak's letters must lie in words of (32) that the two share")
    from inspect import signature

    defaults = signature(without_peaks).parameters
    assert (defaults["k"].default, defaults["share"].default) == (int(words), 0.5) and share == "half"


# --- 6: baselines --------------------------------------------------------------------------------


def test_the_matrix_beats_guessing_on_every_rung_without_training(peaks):
    """The scan by another way: scores of all windows from a table of codes, both strands."""
    printed = rung_table("pwm")
    [letters] = numbers(r"Score each window of (\d+) letters on both strands")
    assert len(PWM) == letters == 19
    rng = np.random.default_rng(5)
    test = peaks[1].sequences
    negatives = {
        "uniform": ["".join(row) for row in rng.choice(list("ACGT"), (len(test), 100))],
        "shuffled bases": ["".join(rng.permutation(list(sequence))) for sequence in test],
    }
    positive = best(test)
    for name, sequences in negatives.items():
        assert printed[name][0] == pytest.approx(area(positive, best(sequences)), abs=0.008), name
    means = {name: row[0] for name, row in printed.items()}
    assert means["uniform"] == max(means.values()), "it is highest against uniform letters"


def test_the_words_fall_on_real_dna_where_the_matrix_does_not():
    words, all_words = numbers(
        r"so there are ([\d,]+) and not ([\d,]+)\. A logistic regression gives each a weight"
    )
    names = {"".join(letters) for letters in product("ACGT", repeat=4)}
    palindromes = len(names)  # of 8 letters: the first four decide
    assert words == (4**8 + palindromes) / 2 == 32_896 and all_words == 4**8
    by_words, scan = rung_table("kmers"), rung_table("pwm")
    assert "Against dinucleotide shuffles the words are as good as the matrix." in PROSE
    assert abs(by_words["dinucleotides"][0] - scan["dinucleotides"][0]) < 0.01
    [low] = numbers(r"Against real DNA they fall to (0\.\d\d)")
    assert low == round(by_words["genomic"][0], 2) and by_words["genomic"][2] < scan["genomic"][1]


def test_exercise_5_is_judged_as_its_text_says():
    claimed, letters = numbers(
        r"PWM's best match has an AUC of about (0\.\d+) there\. You pass if yours is higher by more than (0\.\d+)"
    )
    assert letters == baseline.BETTER and claims(r"on the same ([\d,]+) regions") == [
        f"{baseline.TO_JUDGE:,}"
    ]
    assert "regions of 100 letters" in PROSE and baseline.LENGTH == 100
    rng = np.random.default_rng(3)
    learn, judge = (baseline._draw(many, rng) for many in (baseline.TO_LEARN, baseline.TO_JUDGE))

    def auc(scores):
        return area(scores[judge.labels == 1], scores[judge.labels == 0])

    scan = auc(baseline._best_matches(judge.sequences, PWM))
    assert scan == pytest.approx(claimed, abs=0.02)
    answer = run(NAME, solution(NAME, "beat_the_pwm"))
    assert auc(answer(learn.sequences, learn.labels, judge.sequences, PWM)) > scan + letters
    assert baseline.WITH_PARTNER == pytest.approx(0.5, abs=0.1), "in about half of the bound regions"
    assert (
        "a word of seven letters that stands in about half of the bound regions" in PROSE
        and len(baseline._PARTNER) == 7
    )


# --- 7 and 8: the network and the ladder ---------------------------------------------------------


def test_the_network_has_4705_parameters_and_reads_both_strands_alike():
    filters, size = numbers(r"with (\d+) matrices that are learned, .*?: ([\d,]+) parameters")
    [width] = numbers(r"the filters have (\d+)\.")
    first, last = numbers(r"The learning rate falls from (0\.\d+) to (\d) along a cosine")
    factor = cosine(100)
    assert first == 0.01 and last == pytest.approx(factor(100), abs=1e-9) and factor(0) == 1
    assert "A site has about 20 letters" in PROSE and abs(len(PWM) - 20) <= 2 < width - len(PWM)
    assert (
        size
        == filters * (4 * width + 1) + filters + 1
        == sum(p.numel() for p in BothStrandsCNN().parameters())
    )


def test_the_network_of_the_lesson_is_above_the_scan_on_every_rung():
    trained, scan = rung_table("network"), rung_table("pwm")
    assert "The network is above the scan on every rung." in PROSE
    assert all(trained[rung][0] > scan[rung][0] for rung in RUNGS)
    assert trained["dinucleotides"][0] > 0.964 > scan["dinucleotides"][2], "the bar of the issue"
    high, low = numbers(r"where only real DNA is compared, it has (0\.\d+) against (0\.\d+)")
    assert [high, low] == [round(rows["genomic"][0], 2) for rows in (trained, scan)]


def test_the_recipe_of_the_lesson_is_that_of_the_stored_runs():
    tool = (ROOT / "tools/ctcf_runs.py").read_text("utf-8")
    assert "EPOCHS, BATCH, RATE = 3, 128, 1e-2" in tool and 'TEST = ("chr8", "chr9")' in tool
    assert (
        "epochs, batch_size = 3, 128\n" in CODE
        and "lr=0.01)" in CODE
        and "schedule=cosine(epochs * math.ceil(" in CODE
    )
    assert (
        "K, STRENGTH = 8, 1e-2" in tool
        and "LogisticRegression(C=0.01" in CODE
        and "kmer_counts(train_set, 8" in CODE
    )
    assert LogisticRegression().get_params()["C"] != 0.01, "so it has to be said"


def test_the_network_of_the_lesson_is_that_of_the_first_seed(runs):
    printed = rung_table("network")
    for rung in RUNGS:
        assert printed[rung][0] == pytest.approx(runs[0]["dinucleotides"]["network"][rung][0], abs=0.01)


def test_the_ladder_is_the_mean_of_the_five_seeds(runs):
    rows = [
        line.rsplit(None, 4)
        for line in said(NAME, "ladder").splitlines()
        if re.search(r"( +\d\.\d{3}){4}$", line)
    ]
    names = [row[0].strip() for row in rows]
    assert names == [f"network, {rung}" for rung in RUNGS] + [
        "words, own rung",
        "motif scan",
        "share of G and C",
    ]
    expected = [[network(runs, trained, tested).mean() for tested in RUNGS] for trained in RUNGS]
    expected += [[rival(runs, name, rung).mean() for rung in RUNGS] for name in ("kmers", "scan", "gc")]
    for row, means in zip(rows, expected):
        assert [float(x) for x in row[1:]] == pytest.approx(means, abs=0.00051)


def test_an_easy_rung_gives_the_best_figure_and_the_worst_network(runs):
    means = {
        (trained, tested): network(runs, trained, tested).mean() for trained, tested in product(RUNGS, RUNGS)
    }
    best, fallen = numbers(
        r"against uniform letters, the network has an AUC of (0\.\d+) there, the best .*? falls to (0\.\d+): \*below"
    )
    assert best == round(means["uniform", "uniform"], 3) == max(round(mean, 3) for mean in means.values())
    assert fallen == round(means["uniform", "dinucleotides"], 2)
    assert paired(network(runs, "uniform", "dinucleotides"), rival(runs, "scan", "dinucleotides"))[2] < 0, (
        "below the scan"
    )
    column = sorted(RUNGS, key=lambda trained: -means[trained, "genomic"])
    assert column[:2] == ["genomic", "dinucleotides"], "best on real DNA, and close"
    assert paired(network(runs, "genomic", "genomic"), network(runs, "dinucleotides", "genomic"))[1] > 0
    assert means["genomic", "genomic"] - means["dinucleotides", "genomic"] < 0.015
    scan = rival(runs, "scan", "genomic")
    for trained in ("uniform", "shuffled bases"):
        assert paired(network(runs, trained, "genomic"), scan)[2] < 0, "the two others lose to the scan"
    diagonal = sorted(RUNGS, key=lambda rung: -means[rung, rung])
    assert diagonal[:2] == ["uniform", "shuffled bases"] and set(column[2:]) == set(diagonal[:2]), (
        "quite another order"
    )
    assert "the network that is worst on real DNA looks best" in PROSE and column[-1] == diagonal[0]


def test_the_scan_and_the_words_are_beaten_on_dinucleotides_over_five_seeds(runs):
    own = network(runs, "dinucleotides", "dinucleotides")
    assert len(own) == 5 and own.min() > 0.964
    for name in ("scan", "kmers"):
        by_hand = paired(own, rival(runs, name, "dinucleotides"))
        assert by_hand[1] > 0.02
        assert found(
            "ladder", rf"network - {name} +on dinucleotides: (\S+) \((\S+) to (\S+)\)"
        ) == pytest.approx(by_hand, abs=0.00051)
    lines = re.findall(
        r"^([a-z ]+?) +(0\.\d+) \((0\.\d+) to (0\.\d+)\);\D+(0\.\d+) to (0\.\d+)$", said(NAME, "ladder"), re.M
    )
    assert [line[0] for line in lines] == RUNGS
    for rung, *printed in lines:
        means = paired(network(runs, "dinucleotides", rung), np.zeros(5))
        assert [float(x) for x in printed] == pytest.approx(
            [*means, *runs[0]["dinucleotides"]["network"][rung][1:]], abs=0.00051
        )


def test_what_each_score_says_of_real_dna_against_its_shuffles(runs):
    rows = re.findall(r"^network, trained on ([a-z ]+?) +(0\.\d\d)$", said(NAME, "sees-shuffles"), re.M)
    means = {rung: rival(runs, "unbound", rung).mean() for rung in RUNGS}
    assert [name for name, _ in rows] == RUNGS
    assert [float(x) for _, x in rows] == pytest.approx(list(means.values()), abs=0.0051)
    assert paired(rival(runs, "unbound", "dinucleotides"), np.full(5, 0.5))[1] > 0, "it sees shuffles"
    assert paired(rival(runs, "unbound", "genomic"), np.full(5, 0.5))[2] < 0
    scan, words = (
        found("sees-shuffles", name + r" +(0\.\d\d)\n")[0] for name in ("motif scan", "words of 8")
    )
    assert [scan, words] == numbers(r"The scan has (0\.\d\d): near 0\.5, .*? The words of 8 have (0\.\d\d)")
    claimed = numbers(r"trained on the same rung has (0\.\d\d): .*? against real DNA has (0\.\d\d)\.")
    assert claimed == [round(means[rung], 2) for rung in ("dinucleotides", "genomic")]
    assert abs(scan - 0.5) < 0.05 < claimed[0] - 0.5 < words - 0.5


def test_the_scan_and_the_words_against_the_shuffles_of_real_dna(real, peaks):
    """Measured with another choice of partners and another shuffle than the lesson's."""
    rng = np.random.default_rng(4)
    _, partners = match_gc(peaks[1], real[1], rng)
    unbound = [real[1].sequences[each] for each in partners]
    printed = found("sees-shuffles", r"motif scan +(0\.\d\d)\n")[0]
    assert area(best(unbound), best(shuffle_dinucleotides(unbound, rng))) == pytest.approx(printed, abs=0.025)


def test_the_explorer_begins_with_the_words_on_shuffled_pairs():
    text = said(NAME, "explorer")
    assert "the explorer does it for one in a hundred" in PROSE and "were 1 of 100 stretches bound" in text
    table = rung_table("kmers")
    assert (
        re.search(r"negatives: dinucleotides.*?AUC (0\.\d+)", text)[1] == f"{table['dinucleotides'][0]:.3f}"
    )
    others = dict(re.findall(r"([a-z ]+): AUC (0\.\d+), ", text.split("Other negatives")[1]))
    assert {name.strip(): float(value) for name, value in others.items()} == {
        rung: table[rung][0] for rung in RUNGS if rung != "dinucleotides"
    }
