"""The explorers of lesson 02: what they compute, say and draw, at their extremes too."""

import re
from xml.etree import ElementTree

import numpy as np
import pytest
from test_explorer_parts import Reader, part

from course_utils.datasets import shipped
from course_utils.explorers import Explorer, motif, threshold
from course_utils.motifs import (
    background_of,
    information,
    pfm_from_sites,
    pfm_to_ppm,
    ppm_to_pwm,
    read_motifs,
    small_sample_correction,
)
from course_utils.scanning import find_hits, rounded, scan, score_distribution
from course_utils.sequences import one_hot, read_fasta

SVG = "{http://www.w3.org/2000/svg}"
MOTIFS = {f"{m.name} {m.accession}": m for m in read_motifs(shipped("jaspar_motifs.txt"))}
LARGEST = 40_000  # characters of markup that a page takes in at every move
HEADER, SEQUENCE = read_fasta(shipped("gata4_promoter.fa"))[0]
BACKGROUND = background_of(SEQUENCE)


def check_markup(picture: str) -> None:
    """Sound, of finite numbers, with no word smaller than 10 pixels, and small."""
    root = ElementTree.fromstring(picture)
    assert len(picture) < LARGEST
    assert not re.search(r"(?i)(nan|inf)(?![a-z])", picture)
    for element in root.iter(f"{SVG}text"):
        assert float(element.get("font-size")) >= 10
    right = float(root.get("width"))
    for element in root.iter():
        if element.tag in (f"{SVG}text", f"{SVG}tspan") and element.get("x"):
            assert all(0 <= float(x) <= right for x in element.get("x").split())


# --- motif ---------------------------------------------------------------------------------------

SITES = "TACAA TACGA TACAA"


def test_the_motif_explorer_makes_the_matrices_of_the_lesson():
    view = motif.compute(" tacaa TACGA  TACAA ", pseudocount=0.5, gc=40, correct=True)
    ppm = pfm_to_ppm(pfm_from_sites(SITES.split()), 0.5)
    np.testing.assert_array_equal(view.pfm, pfm_from_sites(SITES.split()))
    np.testing.assert_allclose(view.ppm, ppm)
    np.testing.assert_allclose(view.pwm, ppm_to_pwm(ppm, (0.3, 0.2, 0.2, 0.3)))
    bits = information(ppm, (0.3, 0.2, 0.2, 0.3))
    np.testing.assert_allclose(view.information, bits)
    np.testing.assert_allclose(view.corrected, bits - small_sample_correction(3))
    assert motif.compute(SITES, 0.5, 40, correct=False).correction == 0


def test_the_numbers_of_the_motif_explorer_are_those_of_the_lesson():
    words = Reader(motif.motif_explorer().panels.numbers).words
    row = words.index("PWM A")
    assert words[row + 1 : row + 6] == ["−1.32", "1.49", "−1.32", "1.00", "1.49"]
    assert words[-6:] == ["information", "0.64", "0.64", "0.64", "0.31", "0.64"]


def test_without_pseudocount_a_missing_base_weighs_minus_infinity_and_nothing_is_nan():
    view = motif.compute(SITES, pseudocount=0, gc=50, correct=False)
    panels = motif.draw(view)
    check_markup(panels.picture)
    assert "−∞" in panels.picture and "−∞" in panels.numbers and "−∞" in panels.summary
    assert "nan" not in panels.numbers + panels.summary
    np.testing.assert_allclose(view.information[:3], 2)


def test_a_correction_larger_than_the_information_is_said_in_words():
    panels = motif.draw(motif.compute(SITES, pseudocount=0.5, gc=50, correct=True))
    assert "0.72 bits, exceeds even the 0.64 bits of position 0" in panels.summary
    assert "−0.08" in panels.numbers
    assert paths_of_letters(panels.picture) == [], "no information, no letters in the logo"


def paths_of_letters(picture: str) -> list:
    logo = ElementTree.fromstring(picture).findall(f"{SVG}g")[-1]
    return [path for path in logo.iter(f"{SVG}path") if path.get("stroke") is None]


def test_a_correction_that_takes_some_or_little_is_said_too():
    some = motif.draw(motif.compute("GA GA GC GT GG GA GA GC", 0.5, 50, True)).summary
    assert "leaves less than 0 at 1 position." in some
    little = motif.draw(motif.compute(" ".join(["GA"] * 20), 0.5, 50, True)).summary
    assert "is taken off" in little


def test_more_sites_than_fit_are_counted_and_said():
    view = motif.compute(" ".join(["ACGT"] * 15), 0.5, 50, False)
    assert view.pfm[0, 0] == 15
    assert "and 3 more, counted below" in motif.draw(view).picture
    assert "more, counted" not in motif.draw(motif.compute("ACGT " * 12, 0.5, 50, False)).picture


@pytest.mark.parametrize(
    "sites", ["A", "A C G T", "ACGTACGTACGT", " ".join(["ACGTTGCAACGT", "TGCATGCATGCA"] * 8)]
)
@pytest.mark.parametrize("pseudocount", [0, 0.5, 5])
@pytest.mark.parametrize("gc", [10, 90])
def test_the_picture_of_motifs_is_sound_at_its_extremes(sites, pseudocount, gc):
    for correct in (False, True):
        check_markup(motif.draw(motif.compute(sites, pseudocount, gc, correct)).picture)


def test_what_belongs_to_one_position_stands_in_one_column():
    root = ElementTree.fromstring(motif.motif_explorer().panels.picture)
    rows = [
        " ".join(part.get("x", "") for part in row.iter()).split()
        for row in root.iter(f"{SVG}text")
        if row.find(f"{SVG}tspan") is not None or " " in row.get("x")
    ]
    places = [sorted(map(float, row)) for row in rows]
    whole = [row for row in places if len(row) == 5]
    assert len(whole) >= 3 * 4 + 3  # grids, consensus, information, positions of the logo
    assert all(row == whole[0] for row in whole)
    assert set(sum(places, [])) == set(whole[0])  # the letters of the sites too, in two inks


def test_a_site_in_the_middle_of_typing_keeps_the_picture_and_is_told():
    explorer = motif.motif_explorer()
    before = part(explorer, "course-picture")
    explorer.controls["sites"].value = SITES + " TAC"
    assert "unequal length" in part(explorer, "course-message")
    assert part(explorer, "course-picture") == before
    explorer.controls["sites"].value = SITES + " TACCC"
    assert "4 sites" in repr(explorer)


# --- threshold -----------------------------------------------------------------------------------


def scanned(name: str = "GATA4 MA0482.3", sequence: str = SEQUENCE) -> threshold.Scan:
    background = background_of(sequence)
    place = threshold.place_of(HEADER, len(sequence))
    return threshold.scan_motif(threshold.prepare(MOTIFS[name], background), sequence, place)


def shown_bits(explorer: Explorer) -> float:
    """The threshold that the explorer draws, in bits, as its summary says it."""
    return float(re.search(r"threshold (\S+) bits", repr(explorer))[1].replace("−", "-"))


@pytest.mark.parametrize("strands", ["+-", "+", "-"])
@pytest.mark.parametrize("bits", [-20.0, 3.0, 8.914, 10.0965])
def test_what_the_threshold_explorer_counts_is_what_scanning_finds(strands, bits):
    ppm = pfm_to_ppm(MOTIFS["GATA4 MA0482.3"].pfm, 0.5)
    pwm = rounded(ppm_to_pwm(ppm, BACKGROUND))
    found = find_hits(scan(SEQUENCE, pwm), bits - 0.0001)
    view = threshold.compute(scanned(), strands, bits, zoom=0, rank=1)
    assert view.hits == {strand: int((found.strand == strand).sum()) for strand in strands}
    random, sites = score_distribution(pwm, BACKGROUND), score_distribution(pwm, ppm)
    assert view.p_value == random.p_value(bits)
    assert view.sensitivity == sites.p_value(bits)
    windows = len(SEQUENCE) - 8 + 1
    assert view.expected == pytest.approx(len(strands) * windows * view.p_value)


def test_the_best_hits_come_best_first_with_the_word_that_is_read():
    view = threshold.compute(scanned(), "+-", 8.5, zoom=0, rank=7)
    pwm = view.scan.motif.pwm
    scores = np.sort(scan(SEQUENCE, pwm), axis=None)[::-1]
    np.testing.assert_allclose([hit.score for hit in view.best], scores[: threshold.LISTED])
    assert {hit.strand for hit in view.best} == {"+", "-"}
    for hit in (*view.best, view.looked_at):
        assert (one_hot(hit.word) * pwm).sum() == pytest.approx(hit.score, abs=1e-4)
    assert view.looked_at.score == scores[6]


def test_a_hit_is_given_in_the_genome_if_the_header_says_where():
    panels = threshold.draw(threshold.compute(scanned(), "+-", 10.0, zoom=0, rank=1))
    assert "start 9,954 (chr8:11563442-11563450)" in panels.summary
    assert threshold.place_of("chr8:11553488-11569872 a note", 16_384) == ("chr8", 11_553_488)
    assert threshold.place_of("chr8:5-9", 5) is None
    assert threshold.place_of("my sequence", 5) is None


def test_windows_with_n_never_pass_and_are_not_counted():
    sequence = "ACGTTATCTCAN" * 3
    view = threshold.compute(scanned(sequence=sequence), "+-", -1000.0, zoom=0, rank=1)
    windows = 3 * (11 - 8 + 1)
    assert view.hits == {"+": windows, "-": windows}
    assert view.expected == pytest.approx(2 * windows)
    assert len(view.scan.ranking["+-"]) == 2 * windows


@pytest.mark.parametrize("name", MOTIFS)
@pytest.mark.parametrize("sequence", [SEQUENCE, SEQUENCE[:40], "N" * 70 + SEQUENCE[:90] + "N" * 70])
def test_the_picture_of_thresholds_is_sound_at_its_extremes(name, sequence):
    scan = scanned(name, sequence)
    low, high = scan.motif.range
    for bits in (low, (low + high) / 2, high):
        for strands, zoom, rank in (("+-", 0, 1), ("+", 64, 100), ("-", 256, 50), ("+-", 64, 3)):
            panels = threshold.draw(threshold.compute(scan, strands, bits, zoom, rank))
            check_markup(panels.picture)
            assert "nan" not in panels.summary + panels.numbers


def test_few_hits_each_have_a_tip_that_points_the_way_of_their_strand():
    view = threshold.compute(scanned("CTCF MA1929.2"), "+-", 8.7, zoom=0, rank=1)
    picture = threshold.draw(view).picture
    assert picture.count("l8 5l-8 5z") == view.hits["+"] == 5
    assert picture.count("l-8 5l8 5z") == view.hits["-"] == 2
    assert "hits +" in picture and "hits −" in picture


def test_close_up_the_letters_are_written_around_the_window_that_is_looked_at():
    view = threshold.compute(scanned(), "+-", 10.0, zoom=64, rank=1)
    first, end = view.shown
    assert end - first == 64 and first <= view.looked_at.start < end - 8
    rows = [
        "".join(row.itertext())
        for row in ElementTree.fromstring(threshold.draw(view).picture).iter(f"{SVG}text")
    ]
    assert SEQUENCE[first:end].upper() in rows


def test_a_p_value_sets_the_threshold_exactly_and_both_handles_to_their_nearest_marks(monkeypatch):
    asked = []
    real = threshold.compute
    monkeypatch.setattr(threshold, "compute", lambda scan, **at: asked.append(at) or real(scan, **at))
    explorer = threshold.threshold_explorer()
    bits, p_value = explorer.controls["threshold"], explorer.controls["p_value"]
    random = scanned().motif.random
    assert asked[-1]["threshold"] == random.threshold(1e-4)
    assert (bits.value, p_value.value) == (101, -40)
    assert bits.description == "threshold (10.10 bits)"
    p_value.value = -30
    assert asked[-1]["threshold"] == random.threshold(0.001)
    assert bits.value == round(10 * random.threshold(0.001))
    bits.value = 93
    assert asked[-1]["threshold"] == 9.3
    assert p_value.value == round(10 * np.log10(random.p_value(9.3)))
    bits.value = bits.max
    assert p_value.label == "1.0e-7"  # the end of its slider: nothing passes at all
    assert asked[-1]["threshold"] == bits.max / 10


def test_key_after_key_moves_either_handle_on():
    explorer = threshold.threshold_explorer()
    bits, p_value = explorer.controls["threshold"], explorer.controls["p_value"]
    seen = []
    for tenths in range(-40, -71, -1):
        p_value.value = tenths
        assert p_value.value == tenths, "it stays where the key has put it"
        seen.append(shown_bits(explorer))
    assert seen == sorted(seen) and len(set(seen)) > 5
    for tenths in range(140, 20, -1):
        bits.value = tenths
        assert bits.value == tenths and shown_bits(explorer) == tenths / 10


def test_what_a_browser_sends_back_of_a_handle_that_followed_moves_nothing():
    """Sliders of ipywidgets 8 answer a new value with the mark they show, which is the value here."""
    explorer = threshold.threshold_explorer()
    for tenths in (-35, -41, -50):
        explorer.controls["p_value"].value = tenths
        before = repr(explorer)
        for name in ("threshold", "p_value"):
            control = explorer.controls[name]
            sent = {"value": control.value} if name == "threshold" else {"index": control.index}
            assert all(isinstance(number, int) for number in sent.values())
            control.set_state(sent)
        assert repr(explorer) == before


def test_another_motif_keeps_the_p_value_and_gets_its_own_range_in_one_move():
    explorer = threshold.threshold_explorer()
    bits, p_value = explorer.controls["threshold"], explorer.controls["p_value"]
    values = []
    bits.observe(lambda change: values.append(change["new"]), names="value")
    for name in list(MOTIFS)[::-1]:
        values.clear()
        explorer.controls["motif"].value = name
        prepared = threshold.prepare(MOTIFS[name], BACKGROUND)
        assert p_value.label == "1.0e-4"
        assert (bits.min, bits.max) == tuple(round(10 * end) for end in prepared.range)
        assert shown_bits(explorer) == round(prepared.threshold(1e-4), 2)
        assert values == [round(10 * prepared.threshold(1e-4))]
        assert name in repr(explorer)


def test_a_p_value_that_no_word_reaches_is_answered_in_words():
    explorer = threshold.threshold_explorer(motif="MAX MA0058.4")
    explorer.controls["p_value"].value = -50
    assert "No word is that rare: the best word alone has the p-value 2.8e-4" in repr(explorer)
    assert "p-value 0," in repr(explorer) and "0 hits" in repr(explorer)
    assert "No word is that rare" in part(explorer, "course-picture")
    explorer.controls["p_value"].value = -35
    assert "No word is that rare" not in repr(explorer) and "p-value 2.8e-4" in repr(explorer)


def test_a_sequence_shorter_than_the_motif_is_told_in_a_sentence():
    explorer = threshold.threshold_explorer("ACGTTATCTCA")
    assert "11 bases" in repr(explorer)
    explorer.controls["motif"].value = "CTCF MA1929.2"
    assert "31 positions wide and the sequence has 11 bases" in part(explorer, "course-message")
    explorer.controls["motif"].value = "MAX MA0058.4"
    assert "MAX" in repr(explorer) and "31" not in part(explorer, "course-message")


def test_every_slider_has_two_marks_even_for_a_short_sequence():
    for control in threshold.threshold_explorer("ACGTTATCTCA").controls.values():
        marks = len(control.options) if hasattr(control, "options") else control.max - control.min + 1
        assert marks >= 2, control.description


def test_a_pasted_sequence_may_have_line_ends_and_small_letters():
    pasted = threshold.threshold_explorer("acgttat\n ctcagg\n")
    assert repr(pasted) == repr(threshold.threshold_explorer("ACGTTATCTCAGG"))
