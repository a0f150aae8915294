"""Lesson 07: the network of real peaks, its filters, and how attributions mislead."""

import re

import numpy as np
import pytest
import torch
from reading import said
from test_exercises import run, solution
from test_lesson_07 import (  # noqa: F401  (fixtures among them)
    CODE,
    MOTIFS,
    NAME,
    PROSE,
    RICH,
    SITE,
    WORD,
    area,
    best_window,
    claims,
    detector,
    encoded,
    found,
    fresh,
    held_out,
    logits,
    network,
    numbers,
    peak_inputs,
    planted,
    shuffled_peaks,
)

from course_utils.datasets import shipped
from course_utils.filter_motifs import filter_pfms, without_filter
from course_utils.interpretation import input_x_gradient, mutagenesis, saliency
from course_utils.models import seeded
from course_utils.models.peaks import BothStrandsCNN
from course_utils.motif_matching import best_matches
from course_utils.motifs import pfm_to_ppm, ppm_to_pwm
from course_utils.regions import read_regions
from course_utils.sequences import to_codes
from course_utils.simulation import simulate

# pytest finds a fixture by the name of an argument, which hides the import.
# ruff: noqa: F811

pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture(scope="module")
def filters(network, peak_inputs):
    return [each for each in filter_pfms(network.conv, peak_inputs) if not each.dead]


@pytest.fixture(scope="module")
def hits(filters):
    return {each.number: best_matches(each.ppm, MOTIFS)[0] for each in filters}


def clear(hits, network) -> list:
    """Those that are significant for as many questions as there are filters."""
    return [hit for hit in hits if hit.e_value <= 0.05 / network.conv.out_channels]


# --- 5: the peaks --------------------------------------------------------------------------------


def test_the_peaks_that_the_network_has_never_seen(network, held_out, peak_inputs):
    count, median = found("ctcf", r"([\d,]+) peaks that it has never seen; median logit ([\d.]+)")
    assert count == len(held_out)
    assert median == pytest.approx(logits(network, peak_inputs).median().item(), abs=0.051)
    [size] = numbers(r"the network of lesson 06, which had the twin in section 3: (\d+) filters")
    assert size == network.conv.out_channels


def test_the_place_it_needs_most_is_mostly_that_of_the_matrix(network, held_out, peak_inputs):
    ctcf = next(motif for motif in MOTIFS if motif.accession == "MA0139.1")
    pwm = ppm_to_pwm(pfm_to_ppm(ctcf.pfm, 1.0))
    codes = np.array([to_codes(sequence) for sequence in held_out.sequences])
    scores = np.maximum(
        *(sum(w[row][codes[:, row : row + 82]] for row in range(19)) for w in (pwm, pwm[::-1, ::-1]))
    )
    values = input_x_gradient(network, peak_inputs, centred=True).sum(dim=1).numpy()
    overlap = np.abs(best_window(values, 19) - scores.argmax(axis=1)) < 10
    best = scores.argmax(axis=1)
    by_chance = np.mean([np.abs(best_window(values, 19) - np.roll(best, by)) < 10 for by in range(1, 200)])
    same, other = (
        found("ctcf-places", name + r": .*? in (\d+)%")[0] for name in ("the same peak", "another peak")
    )
    assert same == pytest.approx(100 * overlap.mean(), abs=0.6) and other == pytest.approx(
        100 * by_chance, abs=2
    )
    assert numbers(
        r"In (\d+) percent the network and the matrix point to the same place\. (\d+) percent would"
    ) == [same, other]
    with seeded(1):
        untrained = BothStrandsCNN()
    values = input_x_gradient(untrained, peak_inputs, centred=True).sum(dim=1).numpy()
    share = (np.abs(best_window(values, 19) - best) < 10).mean()
    assert found("untrained", r"in the same peak: .*? in (\d+)%") == [pytest.approx(100 * share, abs=1)]
    assert "The untrained network does no better than chance" in PROSE and share <= by_chance


# --- 6: filters ----------------------------------------------------------------------------------


def test_19_filters_match_CTCF_and_no_other_matrix_is_matched(filters, hits, network):
    """By all twelve shipped matrices; the E-value is weighed for 48 questions."""
    assert len(MOTIFS) == 12 and network.conv.out_channels == 48
    [matching] = numbers(
        r"is CTCF: it is the best match of (\d+) filters \(two of the twelve matrices of the file are CTCF's\), and none"
    )
    assert sum(motif.name == "CTCF" for motif in MOTIFS) == 2
    [unmatched] = numbers(r"(\d+) filters match none of our twelve matrices; .* Most of the 26 have a negative weight")
    significant = clear(hits.values(), network)
    assert {hit.motif.name for hit in significant} == {"CTCF"}
    assert len(significant) == matching and len(hits) - len(significant) == unmatched
    assert found("jaspar-hit", r"\{'CTCF': (\d+), 'no match': (\d+)\}") == [len(significant), unmatched]
    asked, dead, times, most = numbers(
        r"You ask for (\d+) filters \((\w+) have nothing to compare\), so be (\d+) times as strict: "
        r"an E of at most 0\.05 / (\d+)"
    )
    assert asked == times == most == 48 and dead == 48 - len(hits)
    rest = [each for each, hit in hits.items() if hit.e_value > 0.05 / 48]
    negative = sum(network.linear.weight[0, each].item() < 0 for each in rest)
    assert (
        found("jaspar-hit", r"without a match, (\d+) have a negative weight") == [negative]
        and negative > len(rest) / 2
    )
    assert found("filters", r"(\d+) filters, (\d+) of them never fire") == [48, 48 - len(hits)]
    heaviest = max(filters, key=lambda each: network.linear.weight[0, each.number])
    assert hits[heaviest.number].motif.name == "CTCF" and hits[heaviest.number].e_value < 1e-4


def test_a_significant_filter_has_columns_like_CTCF_s(filters, hits):
    """Correlated column by column at the place of the match, by numpy; not by the room that found it."""
    name_filter = run(NAME, solution(NAME, "filter_match"))
    narrow = {f"{motif.name} {motif.accession}": pfm_to_ppm(motif.pfm, 1.0) for motif in MOTIFS}
    best = min(filters, key=lambda each: hits[each.number].e_value)
    start = int(np.argmax([best.ppm[at : at + 9].max(axis=1).sum() for at in range(len(best.ppm) - 8)]))
    core = best.ppm[start : start + 9]
    name, *_ = name_filter(core, {key: ppm for key, ppm in narrow.items() if len(ppm) >= 9})
    assert name.startswith("CTCF")


def test_no_single_filter_is_missed_and_all_of_CTCF_s_together_are(
    filters, hits, network, peak_inputs, shuffled_peaks
):
    both = torch.cat([peak_inputs, shuffled_peaks])

    def auc(model):
        scores = logits(model, both).numpy()
        return area(scores[: len(peak_inputs)], scores[len(peak_inputs) :])

    [full] = found("redundant-filters", r"AUC of the network (\S+)\n")
    assert full == pytest.approx(auc(network), abs=0.00051)
    heaviest = sorted(filters, key=lambda each: -network.linear.weight[0, each.number])[:4]
    rows = re.findall(r"without filter +(\d+): (0\.\d+)", said(NAME, "redundant-filters"))
    assert [int(row[0]) for row in rows] == [each.number for each in heaviest]
    for row in rows[:2]:
        silenced = BothStrandsCNN()
        silenced.load_state_dict(network.state_dict())
        with torch.no_grad():
            silenced.linear.weight[0, int(row[0])] = 0
        assert float(row[1]) == pytest.approx(auc(silenced), abs=0.00051)
        torch.testing.assert_close(
            logits(silenced, both[:50]), logits(without_filter(network, int(row[0])), both[:50])
        )
    assert full - min(float(each) for _, each in rows) < 0.005, "none of the four is missed"
    silenced = BothStrandsCNN()
    silenced.load_state_dict(network.state_dict())
    matching = [each for each, hit in hits.items() if hit.e_value <= 0.05 / 48]
    with torch.no_grad():
        silenced.linear.weight[0, matching] = 0
    many, left = numbers(r"Without all (\d+) that match CTCF it falls to (0\.\d\d)")
    assert many == len(matching) and left == pytest.approx(auc(silenced), abs=0.0051)
    assert found("redundant-filters", r"without all that match CTCF: (0\.\d\d)\n") == [left]
    [full, *without] = found("redundant-filters", r"AUC of the network (\S+)\n" + r"without filter +\d+: (\S+)\n" * 4)
    [most] = numbers(r"None of the four is missed much: the AUC falls by (0\.\d+) at most")
    assert max(full - area for area in without) == pytest.approx(most, abs=1e-9)


def test_fifteen_peaks_of_two_chromosomes_are_explored():
    [count] = numbers(r"(\w+) peaks of chromosomes 8 and 9\. Move along")
    assert count == len(read_regions(shipped("ctcf_peaks_200.fa")).by_chromosome(test=["chr8", "chr9"])[1])


# --- 8: where they mislead -----------------------------------------------------------------------


def test_of_two_sites_neither_is_necessary(planted, fresh):
    empty = fresh.sequences[1003]
    one_site = empty[:5] + SITE + empty[17:]
    two_sites = one_site[:30] + SITE + one_site[42:]
    assert SITE not in empty and two_sites.count(SITE) == 2
    worth = {}
    for name, letters in (("no site", empty), ("one site", one_site), ("two sites", two_sites)):
        mutants = [letters[:at] + base + letters[at + 1 :] for at in range(5, 17) for base in "ACGT"]
        now = logits(planted, encoded([letters])).item()
        loss = (now - logits(planted, encoded(mutants)).numpy().reshape(12, 4)).sum(axis=1) / 3
        worth[name] = loss.max()
        assert found("redundancy", name + r" +logit +(-?[\d.]+); .*? worth: +(-?[\d.]+)") == pytest.approx(
            [now, loss.max()], abs=0.3
        )
    assert worth["two sites"] < worth["one site"] / 3, "the other site steps in"
    two, one, logit = numbers(
        r"the best letter of the first is worth ([\d.]+) in place of ([\d.]+): .*? the logit is still ([\d.]+), without"
    )
    assert (two, one) == pytest.approx((worth["two sites"], worth["one site"]), abs=0.11)
    assert logit == pytest.approx(logits(planted, encoded([one_site])).item(), abs=0.11)
    assert logits(planted, encoded([empty])).item() < -5, "without both it is far below 0"
    spoiled = SITE.translate(str.maketrans("ACGT", "CATG"))
    both_gone = two_sites.replace(SITE, spoiled)
    assert logits(planted, encoded([both_gone])).item() < 0 < logits(planted, encoded([two_sites])).item()


def test_the_gradient_of_a_sure_probability_is_next_to_nothing(planted, fresh):
    empty = fresh.sequences[1003]
    x = encoded([empty[:5] + SITE + empty[17:]])
    slope = saliency(planted, x)
    p = torch.sigmoid(logits(planted, x)).item()
    assert p > 0.99 and p * (1 - p) * slope.abs().max() < 0.02, "the chain rule"
    [probability] = found("saturation", r"probability (0\.\d+|1\.0+)")
    assert probability == pytest.approx(p, abs=0.002)
    [largest] = found("saturation", r"of the logit ([\d.]+)")
    assert largest == pytest.approx(slope.abs().max().item(), abs=0.2)


def test_a_network_that_learned_the_negatives_has_half_of_its_height_outside_the_word(planted):
    half = simulate(
        WORD, positives=500, negatives=500, length=50, background=RICH, rng=np.random.default_rng(2)
    )
    uniform = simulate(WORD, positives=1, negatives=1000, length=50, rng=np.random.default_rng(3)).sequences[
        1:
    ]
    assert f"{100 * (RICH[1] + RICH[2]):.0f} percent G and C" in CODE
    misled = detector(encoded(half.sequences + uniform))
    new = simulate(
        WORD, positives=1000, negatives=1000, length=50, background=RICH, rng=np.random.default_rng(5)
    )
    others = simulate(WORD, positives=1, negatives=1000, length=50, rng=np.random.default_rng(6)).sequences[
        1:
    ]
    scores = logits(misled, encoded(others)).numpy()
    with_word, without = (
        logits(misled, encoded(part)).numpy() for part in (new.sequences[:1000], new.sequences[1000:])
    )
    areas = [area(with_word, scores), area(without, scores)]
    [high] = numbers(r"The AUC against uniform negatives is (1\.00), and still high where there is no word")
    assert areas[0] == pytest.approx(high, abs=0.01) and areas[1] > 0.8
    printed = [float(x) for x in re.findall(r"against uniform ones: ([\d.]+)", said(NAME, "wrong-negatives"))]
    assert printed == pytest.approx(areas, abs=0.011)
    asked, places = encoded(new.sequences[:1000]), new.starts[:1000, 0]
    near, outside = {}, {}
    for name, model in (("section 1", planted), ("misled", misled)):
        height = (mutagenesis(model, asked).sum(dim=1) / 3).abs().numpy()
        near[name] = (np.abs(best_window(height) - places) <= 2).mean()
        positions = np.arange(50)[None]
        in_it = (positions >= places[:, None]) & (positions < places[:, None] + 12)
        outside[name] = height[~in_it].sum() / height.sum()
        printed = found(
            "wrong-negatives", name + r" +place found within two letters: (\d+)%; height inside it: (\d+)%"
        )
        assert printed == pytest.approx([100 * near[name], 100 - 100 * outside[name]], abs=1.5)
    assert "in nine of ten sequences it is the word" in PROSE and near["misled"] == pytest.approx(
        0.9, abs=0.04
    )
    assert "Nearly half of the height stands outside the word; the network of section 1 has a tenth there" in PROSE
    assert 0.4 < outside["misled"] < 0.5 and outside["section 1"] == pytest.approx(0.1, abs=0.03)


def test_an_untrained_network_draws_a_picture_too_and_its_filters_match_what_they_were_counted_on(
    network, peak_inputs, shuffled_peaks
):
    with seeded(1):
        untrained = BothStrandsCNN()
    table = {}
    for name, model in (("trained", network), ("untrained", untrained)):
        for kind, sequences in (("peaks", peak_inputs), ("shuffled", shuffled_peaks)):
            best = [
                best_matches(each.ppm, MOTIFS)[0]
                for each in filter_pfms(model.conv, sequences)
                if not each.dead
            ]
            table[name, kind] = sum(hit.motif.name == "CTCF" for hit in clear(best, model))
    for name in ("trained", "untrained"):
        printed = found("untrained", rf"(?m)^{name} +(\d+) +(\d+)$")
        assert printed == [table[name, "peaks"], table[name, "shuffled"]], name
    one, kept = numbers(
        r"(one) of the \*untrained\* filters .*? has none and the trained one still has (\d+)\."
    )
    assert one == table["untrained", "peaks"] == 1 and table["untrained", "shuffled"] == 0
    assert kept == table["trained", "shuffled"] > 10
    height = {
        name: input_x_gradient(model, peak_inputs[[7]], centred=True)[0].sum(dim=0).abs()
        for name, model in (("trained", network), ("untrained", untrained))
    }
    assert height["untrained"].max() > 3 * height["untrained"].median() > 0, "tall letters and short ones"
    [logit] = numbers(r"a twentieth of a logit, where the trained network had (\d+)\.")
    assert height["untrained"].max().item() == pytest.approx(1 / 20, abs=0.005)
    assert round(height["trained"].max().item()) == logit


def test_every_decimal_and_every_large_number_of_the_text_is_one_that_a_test_accounts_for():
    decimals = set(re.findall(r"(?<![\w.])0\.\d+|\d{1,3},\d{3}", re.sub(r"```.*?```", "", PROSE)))
    known = {"0.9999", "0.999", "131,072", "393,216", "0.25", "0.05", "0.62", "0.002", "1,000"}
    assert decimals <= known, decimals - known
    assert claims(r"four times (0\.25) is none either") == ["0.25"]
    assert claims(r"so take all (1,000) new positives") == ["1,000"] and "new_inputs[:1000]" in CODE
