"""The explorer of lesson 10: its figures, its steps, its marks, and what it says where there is no figure."""

import re
from xml.etree import ElementTree

import numpy as np
import pytest
from test_explorer_parts import Reader, part
from test_motif_explorers import check_markup

from course_utils.explorers import tracks
from course_utils.explorers._tracks_data import STEPS, Mark
from course_utils.explorers._tracks_picture import LEFT, RIGHT, write_count
from course_utils.explorers.tracks import marks_of, tracks_explorer, tracks_picture
from course_utils.genomes import make_genome, simulate_genome
from course_utils.tracks import TrackError, poisson_loss

SVG = "{http://www.w3.org/2000/svg}"
WINDOWS, BINS, TRACKS = 3, 64, 2


def toy(bins: int = BINS, seed: int = 0) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    rng = np.random.default_rng(seed)
    rates = rng.gamma(0.5, 4, (WINDOWS, bins, TRACKS)).astype(np.float32)
    blurred = (rates * rng.uniform(0.5, 2, rates.shape)).astype(np.float32)
    return rng.poisson(rates).astype(np.float32), {"near": rates, "far": blurred}


def spiky(bins: int = 2048) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """Like CAGE: next to nothing nearly everywhere, and 100 in a few bins."""
    rng = np.random.default_rng(2)
    counts = np.minimum(np.exp(rng.normal(-3, 2, (2, bins, 1))), 100)
    counts[0, bins // 3] = 100
    return counts, {str(n): counts * rng.uniform(0.2, 3, counts.shape) for n in range(3)}


def rows(explorer) -> dict[tuple[str, str], list[str]]:
    """The table of numbers: (prediction, bins) -> figures."""
    *words, _note = Reader(part(explorer, "course-numbers")).words
    width = 5
    lines = [words[i : i + width] for i in range(width, len(words), width)]
    return {tuple(head.rsplit(": ", 1)): figures for head, *figures in lines}


def paths_of(picture: str, colour: str) -> list[str]:
    """The path data of what is drawn in a colour within the plot."""
    found = ElementTree.fromstring(picture).iter(f"{SVG}path")
    return [one.get("d") for one in found if colour in (one.get("stroke"), one.get("fill"))]


def heights(path: str) -> list[tuple[float, float]]:
    """(y, where it ends) of each step of a path."""
    steps = re.findall(r"V?([\d.]+)H([\d.]+)", path)
    return [(float(y), float(x)) for y, x in steps]


# --- figures -------------------------------------------------------------------------------------


@pytest.mark.parametrize("window, track", [(0, 0), (2, 1)])
def test_the_figures_of_a_window_are_those_of_numpy(window, track):
    observed, predicted = toy()
    explorer = tracks_explorer(observed, predicted, labels=["one", "two"])
    explorer.controls["window"].value = window
    explorer.controls["track"].value = track
    counts = observed[window, :, track].astype(float)
    table = rows(explorer)
    for name, rates in predicted.items():
        rates = rates[window, :, track].astype(float)
        r = np.corrcoef(counts, rates)[0, 1]
        r_log = np.corrcoef(np.log1p(counts), np.log1p(rates))[0, 1]
        loss = poisson_loss(counts[None, :, None], rates[None, :, None])
        expected = [f"{r:.2f}", f"{r_log:.2f}", f"{loss:.3f}", f"{rates.max():.3g}"]
        assert table[name, f"window {window}"] == expected
        assert f"{name}: r = {r:.2f} in this window" in explorer.panels.picture
        assert f"{name}: r = {r:.2f}" in explorer.panels.summary
    assert table["observed", f"window {window}"] == ["–", "–", "–", f"{counts.max():.3g}"]


def test_the_figures_of_all_windows_go_over_all_bins_of_the_track():
    observed, predicted = toy()
    table = rows(tracks_explorer(observed, predicted))
    for name, rates in predicted.items():
        counts, ones = observed[..., 0].ravel(), rates[..., 0].ravel()
        r = np.corrcoef(counts, ones)[0, 1]
        r_log = np.corrcoef(np.log1p(counts), np.log1p(ones))[0, 1]
        loss = poisson_loss(observed[..., :1], rates[..., :1])
        found = table[name, f"all {WINDOWS} windows"]
        assert found == [f"{r:.2f}", f"{r_log:.2f}", f"{loss:.3f}", f"{ones.max():.3g}"]


def test_a_constant_prediction_has_no_r_and_is_drawn_all_the_same():
    observed, predicted = toy()
    explorer = tracks_explorer(observed, {"mean": observed.mean(axis=(0, 1)), **predicted})
    assert rows(explorer)["mean", "window 0"][:2] == ["none"] * 2
    assert "mean: r undefined (constant)" in explorer.panels.summary
    assert "mean: r undefined (constant)" in explorer.panels.picture
    assert "near: r = " in explorer.panels.summary
    check_markup(explorer.panels.picture)
    assert "nan" not in explorer.panels.summary + explorer.panels.numbers


def test_a_window_of_zeros_has_no_r_and_an_axis_all_the_same():
    observed, predicted = toy()
    observed[0] = 0
    explorer = tracks_explorer(observed, {"near": predicted["near"], "none": np.zeros(TRACKS)})
    for log in (False, True):
        explorer.controls["log"].value = log
        check_markup(explorer.panels.picture)
        assert rows(explorer)["near", "window 0"][0] == "none"
    # A rate of 0 is right where nothing was counted, and infinitely wrong elsewhere.
    assert rows(explorer)["none", "window 0"][2] == "0.000"
    assert rows(explorer)["none", "all 3 windows"][2] == "∞"


@pytest.mark.parametrize("size", [1e-30, 1e-9, 1e-4, 0.02, 3e6, 1e30])
def test_rates_of_any_size_have_an_axis(size):
    rates = size * np.array([1.0, 0.3, 0.7, 0.5])[None, :, None]
    for log in (False, True):
        check_markup(tracks_picture(rates, {"same": rates}, log=log).content)


def test_one_window_of_one_track_leaves_out_what_there_is_no_choice_of():
    observed, predicted = toy()
    explorer = tracks_explorer(observed[:1, :, :1], {"near": predicted["near"][:1, :, :1]})
    assert list(explorer.controls) == ["zoom", "centre", "show_0", "show_1", "log"]
    assert set(rows(explorer)) == {("observed", "window 0"), ("near", "window 0")}


@pytest.mark.parametrize("rate, words", [(9.0, "5.803"), (50.0, "45.1"), (3000.0, "2,991"), (1e-9, "19.7")])
def test_a_loss_far_off_has_fewer_digits(rate, words):
    table = rows(tracks_explorer(np.ones((1, 4, 1)), {"flat": np.full(1, rate)}))
    assert table["flat", "window 0"] == ["none", "none", words, write_count(rate)]


@pytest.mark.parametrize("number", [int, np.int64])
def test_the_explorer_starts_where_it_is_told_to(number):
    observed, predicted = toy()
    told = tracks_explorer(observed, predicted, window=number(2), track=number(1))
    moved = tracks_explorer(observed, predicted)
    assert moved.panels != told.panels
    moved.controls["window"].value, moved.controls["track"].value = 2, 1
    assert moved.panels == told.panels
    assert (told.controls["window"].value, told.controls["track"].value) == (2, 1)


@pytest.mark.parametrize("place", [{"window": WINDOWS}, {"window": -1}, {"track": TRACKS}, {"track": 0.5}])
@pytest.mark.parametrize("windows, tracks", [(WINDOWS, TRACKS), (1, 1)])  # with sliders and without
def test_a_start_that_is_not_there_is_refused(place, windows, tracks):
    observed, predicted = toy()
    near = {"near": predicted["near"][:windows, :, :tracks]}
    (name,) = place
    with pytest.raises(TrackError, match=f"the {name} is {place[name]}; 0 to . is expected"):
        tracks_explorer(observed[:windows, :, :tracks], near, **place)


def test_the_heads_of_the_table_fit_rates_and_a_telephone():
    words = Reader(part(tracks_explorer(*toy()), "course-numbers")).words
    heads, note = words[:5], words[-1]
    assert heads == ["track", "r", "r of logs", "loss", "largest value"]
    longest = [max(len(word) for word in cell.split()) for cell in heads]
    assert sum(longest) <= 25  # heads wrap at spaces
    assert "log(1 + count)" in note and "log-Poisson" in note


# --- the picture ---------------------------------------------------------------------------------


def test_every_bin_is_a_step_as_high_as_its_count():
    counts = np.array([1.0, 1.0, 4.0, 0.0, 2.0])
    picture = tracks_picture(counts[None, :, None], {"same": counts[None, :, None]}).content
    (line,) = [path for path in paths_of(picture, "#0072B2") if "H" in path]
    steps = heights(line)
    wide = (RIGHT - LEFT) / 5
    # The first two are equal: one step.
    np.testing.assert_allclose([x for _, x in steps], LEFT + wide * np.array([2, 3, 4, 5]), atol=0.06)
    ys = np.array([y for y, _ in steps])
    base, unit = ys[2], (ys[2] - ys[1]) / 4
    np.testing.assert_allclose((base - ys) / unit, [1, 4, 0, 2], atol=0.02)


def test_where_bins_share_a_step_it_is_as_high_as_the_largest():
    bins = 2 * STEPS + 10
    counts = np.zeros((1, bins, 1))
    counts[0, [700, bins - 1], 0] = [9, 5]  # the last step has fewer bins
    picture = tracks_picture(counts, {"same": counts})
    assert "each step is the largest of 3 bins" in picture.alt
    assert "each step is the largest of 3 bins" in "".join(ElementTree.fromstring(picture.content).itertext())
    (line,) = [path for path in paths_of(picture.content, "#0072B2") if "H" in path]
    steps = heights(line)
    ys = np.array([y for y, _ in steps])
    base = ys[0]
    np.testing.assert_allclose((base - ys) / (base - ys.min()) * 9, [0, 9, 0, 5], atol=0.02)
    left = LEFT + (RIGHT - LEFT) * 699 / bins
    assert steps[0][1] == pytest.approx(left, abs=0.06) and steps[-1][1] == RIGHT
    assert "largest of" not in tracks_picture(counts, {"same": counts}, bins=(600, 900)).alt


def test_log_heights_are_logs_and_so_is_the_r():
    counts = np.array([0.0, 1.0, 9.0, 99.0])[None, :, None]
    picture = tracks_picture(counts, {"same": counts, "other": counts[:, ::-1]}, log=True)
    (line,) = [path for path in paths_of(picture.content, "#0072B2") if "H" in path]
    ys = np.array([y for y, _ in heights(line)])
    np.testing.assert_allclose((ys[0] - ys) / (ys[0] - ys[3]), np.log10([1, 2, 10, 100]) / 2, atol=0.002)
    r = np.corrcoef(np.log1p(counts.ravel()), np.log1p(counts.ravel()[::-1]))[0, 1]
    assert f"other: r of log(1 + count) = {r:.2f}".replace("-", "−") in picture.alt


def test_the_scale_stays_while_zoom_and_lines_change():
    observed, predicted = toy()
    observed[1] *= 10
    explorer = tracks_explorer(observed, predicted)

    def axis() -> list[str]:
        """The counts that are written left of the plot, with their heights."""
        texts = ElementTree.fromstring(part(explorer, "course-picture")).iter(f"{SVG}text")
        return [(t.get("y"), t.text) for t in texts if t.get("x") == f"{LEFT - 7}"]

    before = axis()
    assert len(before) > 3
    explorer.controls["zoom"].value = 4
    explorer.controls["centre"].value = 50
    explorer.controls["show_1"].value = False
    explorer.controls["show_0"].value = False
    assert axis() == before
    explorer.controls["window"].value = 1
    assert axis() != before


def test_zoom_shows_the_bins_around_the_centre_as_far_as_there_are_any():
    observed, predicted = toy()
    explorer = tracks_explorer(observed, predicted)
    assert "all 64 bins, 8.2 kb" in repr(explorer)
    explorer.controls["zoom"].value = 4
    for centre, shown in ((32, "24 to 40"), (0, "0 to 16"), (63, "48 to 64")):
        explorer.controls["centre"].value = centre
        assert f"bins {shown} of 64" in repr(explorer)
        peak = int(shown.split()[0])
        assert f"largest {observed[0, peak : peak + 16, 0].max():g} in bin" in repr(explorer)


def test_the_slider_of_the_centre_reaches_every_bin_of_the_closest_view():
    explorer = tracks_explorer(*spiky())
    zoom, centre = explorer.controls["zoom"], explorer.controls["centre"]
    zoom.value = zoom.options[-1][1]
    seen = set()
    for value in range(centre.min, centre.max + 1, centre.step):
        centre.value = value
        start, stop = re.search(r"bins ([\d,]+) to ([\d,]+) of", repr(explorer)).groups()
        seen |= set(range(int(start.replace(",", "")), int(stop.replace(",", ""))))
    assert seen == set(range(2048))


def test_what_is_switched_off_is_said_and_not_drawn():
    observed, predicted = toy()
    explorer = tracks_explorer(observed, predicted)
    explorer.controls["show_0"].value = False
    explorer.controls["show_2"].value = False
    picture = part(explorer, "course-picture")
    words = "".join(ElementTree.fromstring(picture).itertext())
    assert "observed: not drawn" in words and "far: not drawn" in words
    assert not paths_of(picture, "#C24E00") and len(paths_of(picture, "#0072B2")) == 2
    assert "far" not in repr(explorer) and "not drawn" in repr(explorer)
    assert ("far", "window 0") in rows(explorer)  # the table stays whole


def test_lines_differ_in_more_than_colour():
    picture = tracks_picture(*spiky(64)).content
    lines = [
        (one.get("stroke"), one.get("stroke-width"), one.get("stroke-dasharray"))
        for one in ElementTree.fromstring(picture).iter(f"{SVG}path")
        if one.get("fill") == "none" and one.get("stroke") in ("#0072B2", "#C24E00", "#00694C")
    ]
    assert len(set(lines)) == 3 and len(lines) == 6  # in the legend and in the plot
    assert len({dashes for _, _, dashes in lines}) == 3


def test_marks_stand_at_their_bins_with_their_letters():
    observed, predicted = toy()
    marks = [[(40, "enhancer", "1"), (3, "promoter", "P"), (5, "promoter", "P")], [], []]
    picture = tracks_picture(observed, predicted, marks=marks, bins=(0, 32))
    assert "promoter at bin 3, 5" in picture.alt and "enhancer" not in picture.alt
    texts = list(ElementTree.fromstring(picture.content).iter(f"{SVG}text"))
    letters = [float(t.get("x")) for t in texts if t.text == "P"]
    expected = [LEFT + (RIGHT - LEFT) * (place + 0.5) / 32 for place in (3, 5)]
    np.testing.assert_allclose(letters[:2], expected, atol=0.06)
    assert {"promoter", "enhancer"} <= {t.text for t in texts}  # explained, though not in sight
    # A window without marks is as high as one with them: nothing jumps.
    other = tracks_picture(observed, predicted, window=1, marks=marks)
    height = [ElementTree.fromstring(one.content).get("height") for one in (picture, other)]
    assert height[0] == height[1] and " at bin " not in other.alt


def test_the_marks_of_a_simulated_genome_are_its_elements():
    genome = make_genome(np.random.default_rng(0))
    made = simulate_genome(2, genome, rng=np.random.default_rng(1))
    for window, marks in enumerate(marks_of(made)):
        assert {(m.bin, m.word.split()[0]) for m in marks} == {
            (element.bin, element.kind) for element in made.elements_of(window)
        }
        for mark in marks:
            assert isinstance(mark, Mark) and mark.symbol in "PAB"
    picture = tracks_picture(made.windows.tracks, {"rate": made.rate}, marks=marks_of(made))
    check_markup(picture.content)
    first = ", ".join(map(str, made.elements.promoters[0]))
    assert f"promoter at bin {first}" in picture.alt


@pytest.mark.parametrize("make", [toy, spiky])
def test_the_picture_is_sound_and_small_at_its_extremes(make):
    observed, predicted = make()
    labels = [f"<CAGE> & a very long name of a donor, number {n}, of a pool of many" for n in range(9)]
    marks = [[(place, f"kind {place % 5}", str(place % 5)) for place in range(0, 60, 3)]] * len(observed)
    explorer = tracks_explorer(
        observed, predicted, labels=labels[: observed.shape[2]], marks=marks
    )
    for log in (False, True):
        for _, zoom in explorer.controls["zoom"].options:
            for centre in (explorer.controls["centre"].min, explorer.controls["centre"].max):
                for name, value in (("log", log), ("zoom", zoom), ("centre", centre)):
                    explorer.controls[name].value = value
                check_markup(part(explorer, "course-picture"))
                assert part(explorer, "course-message") == '<p role="status"></p>'
                for path in ElementTree.fromstring(part(explorer, "course-picture")).iter(f"{SVG}path"):
                    numbers = [float(n) for n in re.findall(r"-?\d+\.?\d*", path.get("d"))]
                    assert all(-40 <= number <= 650 for number in numbers)


def test_every_mark_of_every_control_leads_to_its_own_picture():
    observed, predicted = toy()
    explorer = tracks_explorer(observed, predicted)
    for name, control in explorer.controls.items():
        if hasattr(control, "options"):
            marks = [value for _, value in control.options]
        elif hasattr(control, "max"):
            marks = range(control.min, control.max + 1, control.step)
        else:
            marks = (False, True)
        kept, seen = control.value, set()
        for mark in marks:
            control.value = mark
            seen.add(part(explorer, "course-picture"))
        control.value = kept
        assert len(seen) == len(marks) > 1, name


def test_the_still_picture_and_the_explorer_say_the_same():
    observed, predicted = toy()
    picture = tracks_picture(observed, predicted)
    assert picture.alt == tracks_explorer(observed, predicted).panels.summary
    assert ElementTree.fromstring(picture.content).get("aria-label") == picture.alt
    check_markup(picture.content)


def test_tensors_and_whole_numbers_are_taken_and_the_arrays_stay_as_they_are():
    torch = pytest.importorskip("torch")
    observed, predicted = toy()
    kept = observed.copy()
    weight = torch.tensor(predicted["near"], requires_grad=True)
    tensors = tracks_picture(torch.tensor(observed), {"near": weight})
    numbers = tracks_picture(observed.astype(np.int64), {"near": predicted["near"]})
    assert tensors.content == numbers.content
    np.testing.assert_array_equal(observed, kept)


# --- what cannot be shown ------------------------------------------------------------------------


def test_log_rates_are_refused_with_a_hint():
    observed, predicted = toy()
    with pytest.raises(TrackError, match=r"'near': -.* of \(window, bin, track\).*exp\(log_rates\)"):
        tracks_explorer(observed, {"near": np.log(predicted["near"] + 1e-3)})


@pytest.mark.parametrize("zoom, centre", [(0, 3), (65, 3), (2, 64), (2, -1)])
def test_a_zoom_or_a_centre_that_is_not_there_is_refused(zoom, centre):
    observed, predicted = toy()
    data = tracks.check_tracks(observed, predicted)
    with pytest.raises(TrackError, match="a zoom from 1"):
        tracks.compute(data, {}, {}, zoom=zoom, centre=centre)
