"""The explorer of lesson 09: its arithmetic against brute force, and what it says and draws at its extremes."""

import re
from itertools import product
from xml.etree import ElementTree

import numpy as np
import pytest
import torch
from test_explorer_parts import Reader, part
from test_motif_explorers import check_markup
from torch import nn

from course_utils.explorers import _receptive_field_picture as drawing
from course_utils.explorers import receptive_field as explorer_file
from course_utils.explorers.receptive_field import GROWTHS, KERNELS, LENGTHS, compute, draw
from course_utils.receptive_fields import span, tree

SVG = "{http://www.w3.org/2000/svg}"
START = {"layers": 7, "kernel": 3, "growth": 2, "length": 256, "output": 128, "squeeze": True}


def view_of(**changes):
    return compute(**(START | changes))


def sums_of_taps(layers, kernel, growth):
    """Where an output at 0 leads, by every choice of one tap in every layer."""
    taps = [
        [(tap - kernel // 2) * growth**number for tap in range(kernel)] for number in range(layers)
    ]
    return {sum(choice) for choice in product(*taps)}


def positions_with_a_gradient(view):
    """What a real network of that stack reads for that output; an even kernel's surplus is cut off."""
    inputs = torch.ones(1, 1, view.length, requires_grad=True)
    levels = inputs
    for kernel, _, dilation in view.stack:
        layer = nn.Conv1d(1, 1, kernel, dilation=dilation, padding=kernel // 2 * dilation)
        nn.init.ones_(layer.weight)
        levels = layer(levels)[..., : view.length]
    levels[0, 0, view.output].backward()
    return np.flatnonzero(inputs.grad[0, 0].numpy())


# --- numbers -------------------------------------------------------------------------------------


def test_the_network_of_the_lesson_sees_255_bins_and_32785_bases():
    view = view_of()
    assert (view.field, view.bases, view.read, view.holes) == (255, 32_785, 255, 0)
    assert (view.plain_field, view.plain_layers, view.weights) == (15, 127, 21)
    assert view.ends == (1, 256)


@pytest.mark.parametrize("layers, kernel, growth", [*product((1, 3, 4), KERNELS, GROWTHS)])
def test_field_and_holes_are_those_of_every_way_through_the_taps(layers, kernel, growth):
    view = view_of(layers=layers, kernel=kernel, growth=growth, squeeze=False)
    reached = sums_of_taps(layers, kernel, growth)
    assert view.field == view.bases == max(reached) - min(reached) + 1
    assert view.read == len(reached)
    assert view.holes == view.field - len(reached)
    assert view.ends == (128 + min(reached), 128 + max(reached) + 1)
    assert view.plain_field == len(sums_of_taps(layers, kernel, 1))
    as_wide = view_of(layers=1, kernel=kernel, growth=1).plain_field - 1
    assert 1 + view.plain_layers * as_wide == view.field


@pytest.mark.parametrize("kernel, growth", [*product(KERNELS, GROWTHS)])
def test_there_are_holes_when_the_dilation_grows_faster_than_the_kernel_is_wide(kernel, growth):
    for layers in (2, 3, 7):
        assert (view_of(layers=layers, kernel=kernel, growth=growth).holes > 0) == (growth > kernel)


@pytest.mark.parametrize("output", [0, 1, 2, 20, 31])
@pytest.mark.parametrize("layers, kernel, growth", [(3, 3, 3), (4, 2, 3), (2, 7, 4), (3, 5, 2)])
def test_the_last_level_holds_the_positions_with_a_gradient(layers, kernel, growth, output):
    view = view_of(layers=layers, kernel=kernel, growth=growth, length=32, output=output)
    seen = positions_with_a_gradient(view)
    np.testing.assert_array_equal(view.levels[-1], seen)
    field = set(range(max(view.ends[0], 0), min(view.ends[1], 32)))
    unread = view.holes_inside.tolist() + view.cut_off.tolist()
    assert sorted(unread) == sorted(field - set(seen.tolist()))
    holes = field - {output + way for way in sums_of_taps(layers, kernel, growth)}
    assert set(view.holes_inside.tolist()) == holes
    assert len(field) + view.outside == view.field


def test_what_only_the_padding_leads_to_is_no_hole_and_looks_and_reads_otherwise():
    view = view_of(layers=2, growth=3, length=16, output=2)
    assert view.holes == 0 and view.cut_off.tolist() == [0]
    picture = draw(view).picture
    assert "in the input: 7 bins, 6 read<" in picture
    assert "outside the input: 2 bins; ○ 1 inside reached only through them" in picture
    assert drawing.HOLE not in picture and "✕" not in picture
    assert subpaths(picture, drawing.CUT_OFF, "stroke") == [1]
    assert subpaths(picture, drawing.CUT_OFF, "fill") == [1]
    whole = draw(view_of(layers=2, growth=3, length=16, output=8)).picture
    assert "no holes: every one of them is read" in whole
    assert "○" not in whole and drawing.CUT_OFF not in whole


def test_the_bases_seen_are_those_of_the_outermost_bins():
    view = view_of(length=1024, output=512)
    low, high = view.base_span
    assert high - low == 32_785 and (low, high) == view.base_ends
    assert low < 512 * 128 < high and view.bases_outside == 0
    assert view_of(length=1024, output=512, squeeze=False).base_span == (385, 640)
    assert view_of(length=64, output=0, layers=1).base_span == (0, 128 + 136 + 1)


@pytest.mark.parametrize("growth, length, output", [(2, 256, 128), (2, 1024, 3), (1, 16, 15)])
def test_the_bases_outside_are_those_that_the_ends_take(growth, length, output):
    view = view_of(growth=growth, length=length, output=output)
    low, high = view.base_span
    assert view.bases_outside == view.bases - (high - low) > 0
    stack = (*explorer_file.LECTURE_SQUEEZE, *view.stack)
    assert view.base_span == span(stack, output, length * 128)


def test_a_field_whose_bins_all_lie_inside_may_look_over_the_ends_and_says_so():
    panels = draw(view_of())
    words = "the outermost bins see 17 bases outside the input"
    assert words in panels.picture and words in panels.summary
    assert Reader(panels.numbers).words[-1] == "17"
    assert "outside" not in draw(view_of(squeeze=False)).picture


@pytest.mark.parametrize(
    "layers, kernel, growth", [(7, 3, 2), (3, 2, 3), (3, 2, 4), (4, 3, 4), (2, 7, 4)]
)
def test_bases_never_seen_are_those_that_no_way_through_squeeze_and_stack_leads_to(
    layers, kernel, growth
):
    view = view_of(layers=layers, kernel=kernel, growth=growth)
    seen = tree((*explorer_file.LECTURE_SQUEEZE, *view.stack), 0)[-1]
    assert view.missed_bases == view.bases - len(seen)
    assert seen[0] == view.base_ends[0] - view.output * 128


def test_a_hole_of_one_bin_hides_no_base_and_the_picture_says_so():
    view = view_of(layers=2, kernel=2, growth=3, length=32, output=20)
    assert (view.holes, view.missed_bases) == (1, 0)
    words = "bins overlap, each sees 273 bases: a hole of 1 bin hides no base"
    assert words in draw(view).picture
    assert words not in draw(view_of()).picture
    bare = view_of(layers=2, kernel=2, growth=3, length=32, output=20, squeeze=False)
    assert "overlap" not in draw(bare).picture and bare.missed_bases == bare.holes


# --- picture and words ---------------------------------------------------------------------------


def subpaths(picture, colour, attribute):
    """How many strokes or shapes of that colour are drawn."""
    root = ElementTree.fromstring(picture)
    found = [path for path in root.iter(f"{SVG}path") if path.get(attribute) == colour]
    return [len(re.findall("M", path.get("d"))) for path in found]


def test_every_position_that_counts_has_a_dot_and_every_hole_a_ring():
    view = view_of(layers=3, kernel=2, growth=3, length=32, output=20, squeeze=False)
    picture = draw(view).picture
    dots = subpaths(picture, drawing.SEEN, "stroke")
    assert dots == [1, 2, 4, 8] == [len(level) for level in view.levels]
    assert view.holes == 6 and subpaths(picture, drawing.HOLE, "stroke")[0] == 6
    assert "✕ 6 holes: 8 of the 14 are read" in picture


def test_each_line_leads_from_a_dot_to_one_that_it_reads():
    view = view_of(layers=4, length=64, output=62)
    root = ElementTree.fromstring(draw(view).picture)
    lines = [
        re.findall(r"M([\d.]+) ([\d.]+)l(-?[\d.]+) (\d+)", path.get("d"))
        for path in root.iter(f"{SVG}path")
        if path.get("fill") == "none"
    ]
    lines = [found for found in lines if found]
    assert len(lines) == 4
    for number, found in enumerate(lines):
        above, below = (
            {round(drawing._x(view, position)) for position in view.levels[level].tolist()}
            for level in (number, number + 1)
        )
        assert {round(float(x)) for x, _, _, _ in found} == above
        ends = {round(float(x) + float(slant)) for x, _, slant, _ in found}
        assert ends <= {pixel + near for pixel in below for near in (-1, 0, 1)}
        assert len(ends) >= len(below)


def test_dense_rows_become_ticks_and_then_bars_without_losing_a_position():
    ticks = draw(view_of()).picture
    assert subpaths(ticks, drawing.SEEN, "stroke")[-1] == 255
    bar = draw(view_of(length=1024, output=512)).picture
    rows = ElementTree.fromstring(bar).iter(f"{SVG}path")
    data = [path.get("d") for path in rows if path.get("fill") == drawing.SEEN]
    (wide,) = re.findall(rf"M[\d.]+ {drawing.INPUT - 4}h([\d.]+)v8", "".join(data))
    assert float(wide) == pytest.approx(255 / 1024 * drawing.ACROSS, abs=0.1)
    above = drawing.INPUT - (drawing.INPUT - drawing.TOP) // 7
    assert len(re.findall(rf"M[\d.]+ {above - 4}h", "".join(data))) == 127  # every second position


def test_the_bars_of_this_stack_and_of_a_plain_one_have_the_scale_of_the_positions():
    data = "".join(
        path.get("d")
        for path in ElementTree.fromstring(draw(view_of(length=512)).picture).iter(f"{SVG}path")
    )
    bars = re.findall(r"M([\d.]+) (\d+)H([\d.]+)v16", data)
    step = drawing.ACROSS / 512
    widths = [(float(right) - float(left)) / step for left, _, right in bars]
    assert widths == pytest.approx([255, 15], abs=0.2)
    assert bars[0][1] < bars[1][1]


def test_the_bar_shows_every_hole_where_it_is():
    view = view_of(layers=3, growth=4, length=64, output=30)
    (holes,) = [
        path.get("d")
        for path in ElementTree.fromstring(draw(view).picture).iter(f"{SVG}path")
        if path.get("fill") == drawing.NEVER
    ]
    boxes = re.findall(r"M([\d.]+) \d+h([\d.]+)v16", holes)
    step = drawing.ACROSS / 64
    shown = [
        position
        for x, wide in boxes
        for position in range(
            round((float(x) - drawing.LEFT) / step),
            round((float(x) + float(wide) - drawing.LEFT) / step),
        )
    ]
    assert len(shown) == view.holes == 16
    assert shown == view.holes_inside.tolist()


def test_a_field_that_goes_on_beyond_the_input_has_a_tip_at_that_end():
    def tips(output):
        found = re.findall(r"M([\d.]+) \d+v16l(-?8) -8z", draw(view_of(output=output)).picture)
        return [direction for _, direction in found]

    assert tips(128) == [] and tips(0) == ["-8", "-8"] and tips(255) == ["8", "8"]
    assert tips(100) == ["-8"]  # of this stack, not of the plain one


def test_the_numbers_stand_in_the_tables_and_in_the_summary():
    panels = draw(view_of(kernel=2, growth=3, length=1024, output=1000))
    words = Reader(panels.numbers).words
    for row in (
        ["dilations", "1, 3, 9, 27, 81, 243, 729", "1 each", "1 each"],
        ["layers", "7", "7", "1,093"],
        ["receptive field (bins)", "1,094", "8", "1,094"],
        ["receptive field (bases)", "140,177", "1,169", "140,177"],
        ["holes: bins never read", "966", "0", "0"],
        ["bases never seen", "115,057", "0", "0"],
        ["weights per pair of channels", "14", "14", "2,186"],
    ):
        place = words.index(row[0])
        assert words[place : place + 4] == row
    for said in ("1,094 bins = 140,177 bases", "128 of them are read and 966 are holes",
                 "7 layers of kernel 2", "8 bins = 1,169 bases", "1,093 would be needed"):  # fmt: skip
        assert said in panels.summary
    assert "\n" not in panels.summary


@pytest.mark.parametrize(
    "changes, said, row",
    [
        ({"output": 5}, "in the input: 133 bins, all read", ["255", "133", "0", "0", "122"]),
        (
            {"kernel": 2, "growth": 3, "length": 128, "output": 127},
            "in the input: 128 bins, 32 read, ✕ 96 holes",
            ["1,094", "32", "96", "0", "966"],
        ),
        (
            {"layers": 5, "growth": 3, "length": 128, "output": 20},
            "in the input: 128 bins, 108 read",
            ["243", "108", "0", "20", "115"],
        ),
    ],
)
def test_near_an_end_the_picture_and_the_table_count_the_same(changes, said, row):
    panels = draw(view_of(**changes))
    assert f">{said}<" in panels.picture
    assert f">outside the input: {row[-1]} bins" in panels.picture
    words = Reader(panels.numbers).words
    names = ("field (bins)", "read", "holes", "reached only through the padding", "outside the input")
    assert [words[words.index(name) + 1] for name in names] == row
    field, *parts = (int(number.replace(",", "")) for number in row)
    assert field == sum(parts)


def test_the_start_does_not_tell_how_far_the_whole_network_sees():
    explorer = explorer_file.receptive_field_explorer()
    panels = explorer.panels
    for words in (panels.picture, panels.numbers, panels.summary):
        assert "32,785" not in words and "255" in words
    assert "no holes: every one of them is read" in panels.picture
    assert "outside" not in panels.picture
    explorer.controls["squeeze"].value = True
    assert "32,785" in explorer.panels.picture


def test_without_squeeze_blocks_a_position_is_a_base():
    panels = draw(view_of(squeeze=False))
    for words in (panels.picture, panels.numbers, panels.summary):
        assert "bin" not in words
    assert "the receptive field is 255 bases;" in panels.summary


def test_an_even_kernel_is_said_to_lean_to_the_left():
    view = view_of(kernel=2)
    assert view.ends == (1, 129)
    assert "on its left: an even kernel has no middle" in draw(view).picture
    assert "on its left" not in draw(view_of()).picture


@pytest.mark.parametrize("kernel, growth", [*product(KERNELS, GROWTHS)])
def test_the_picture_is_sound_at_its_extremes(kernel, growth):
    for layers, length in product((1, 5, 7), (LENGTHS[0], 128, 256, LENGTHS[-1])):
        for output in (0, length // 2, length - 1):
            panels = draw(compute(layers, kernel, growth, length, output, squeeze=True))
            check_markup(panels.picture)
            root = ElementTree.fromstring(panels.picture)
            assert len(list(root.iter())) < 90
            for element in root.iter(f"{SVG}text"):
                assert float(element.get("font-size")) >= 12
            for element in root.iter(f"{SVG}path"):
                for x, y in re.findall(r"M(-?[\d.]+) (-?[\d.]+)", element.get("d")):
                    assert drawing.LEFT - 2 <= float(x) <= drawing.LEFT + drawing.ACROSS + 2
                    assert 0 <= float(y) <= drawing.HEIGHT


# --- controls ------------------------------------------------------------------------------------


def test_every_mark_of_every_control_leads_to_its_own_picture():
    explorer = explorer_file.receptive_field_explorer()
    for name, control in explorer.controls.items():
        if hasattr(control, "options"):
            marks = [value for _, value in control.options]
        elif isinstance(control.value, bool):
            marks = [False, True]
        else:
            marks = range(control.min, control.max + 1, max(1, control.max // 20))
        kept, seen = control.value, set()
        for mark in marks:
            control.value = mark
            assert part(explorer, "course-message") == '<p role="status"></p>'
            seen.add(part(explorer, "course-picture"))
        control.value = kept
        assert len(seen) == len(marks), name


@pytest.mark.parametrize("length", LENGTHS)
def test_another_length_keeps_the_output_where_it_is_in_the_picture(length):
    explorer = explorer_file.receptive_field_explorer()
    output = explorer.controls["output"]
    explorer.controls["length"].value = length
    assert (output.value, output.max) == (length // 2, length - 1)
    output.value = output.max
    for other in (16, 1024):
        explorer.controls["length"].value = other
        assert output.value <= output.max == other - 1
        assert f"Output {output.value:,} of an input of {other:,} bases" in repr(explorer)
