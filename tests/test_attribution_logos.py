"""Attribution logos: letters where the values put them, an alt text computed from them, boxes where asked."""

import re
from xml.etree import ElementTree

import numpy as np
import pytest

from course_utils.attribution_logos import MOST, attribution_picture
from course_utils.plotting import ACCENT, BASE_COLOURS
from course_utils.sequences import one_hot

SVG = "{http://www.w3.org/2000/svg}"
VALUES = one_hot("GATTACAT") * np.array([0.5, -1.25, 0, 2, 0.25, 0, -0.75, 3])[:, None]


def drawn(picture) -> dict[str, list[tuple[float, float]]]:
    """For each base the corners (x, y) with which its letters begin, left to right."""
    root, found = ElementTree.fromstring(picture.content), {}
    for path in root.iter(f"{SVG}path"):
        for base, colour in BASE_COLOURS.items():
            if path.get("fill") == colour:
                corners = re.findall(r"M([\d.]+) ([\d.]+)", path.get("d"))
                found[base] = [tuple(map(float, pair)) for pair in corners]
    return found


def boxes(picture) -> list[ElementTree.Element]:
    root = ElementTree.fromstring(picture.content)
    return [rect for rect in root.iter(f"{SVG}rect") if rect.get("stroke") == ACCENT]


@pytest.mark.parametrize(
    "picture",
    [
        attribution_picture(VALUES),
        attribution_picture(VALUES, "<b>5' & \"3'\"</b>", "<logit>", [(0, 2), (1, 8)]),
        attribution_picture(np.zeros((3, 4)), marks=[(0, 3)]),
        attribution_picture(-VALUES[:1]),
        attribution_picture(np.random.default_rng(1).normal(size=(MOST, 4)), "long"),
    ],
)
def test_the_picture_is_sound_svg_labelled_with_its_alt_text_and_no_wider_than_a_page(picture):
    root = ElementTree.fromstring(picture.content)
    assert root.get("aria-label") == picture.alt and root.get("role") == "img"
    assert float(root.get("width")) <= 1120 and "max-width:100%" in picture.html()
    for rect in root.iter(f"{SVG}rect"):
        assert float(rect.get("x", 0)) + float(rect.get("width")) <= float(root.get("width"))


def test_letters_stand_above_the_axis_where_values_are_positive_and_hang_below_it_elsewhere():
    picture = attribution_picture(VALUES)
    letters = drawn(picture)
    assert letters.keys() == {"G", "A", "T"}  # the C has the value 0
    paths = ElementTree.fromstring(picture.content).iter(f"{SVG}path")
    path = next(path for path in paths if path.get("fill") == "none")
    zero = float(re.findall(r"M[\d.]+ ([\d.]+)h", path.get("d"))[-1])
    [t_of_2, t_of_3] = letters["T"]
    assert t_of_3[1] < t_of_2[1] < zero  # a T begins with its upper left corner
    hanging = [y for x, y in drawn(attribution_picture(-VALUES))["T"]]
    assert hanging == [pytest.approx(hanging[0])] * 2  # both begin at the axis


def test_the_alt_text_names_the_largest_values_in_order_of_place_and_the_boxes():
    alt = attribution_picture(VALUES, "a promoter", "logit", [(6, 8), (0, 2)]).alt
    assert alt == (
        "a promoter: attribution of 8 positions, in units of logit; largest values G at 0 (+0.5), "
        "A at 1 (−1.2), T at 3 (+2), A at 6 (−0.75), T at 7 (+3); a box around 6 to 7 with 48% of the letters' "
        "height; a box around 0 to 1 with 23% of the letters' height."
    )
    assert "all values are 0" in attribution_picture(np.zeros((3, 4))).alt
    assert attribution_picture(VALUES[2:4]).alt.count(" at ") == 1, "a value of 0 is none of the largest"


def test_a_box_stands_around_its_positions():
    [first, second] = boxes(attribution_picture(VALUES, marks=[(2, 5), (np.int64(0), np.int64(8))]))
    cell = 26
    assert float(first.get("x")) == 56 + 2 * cell and float(first.get("width")) == 3 * cell
    assert float(second.get("x")) == 56 and float(second.get("width")) == 8 * cell
    assert boxes(attribution_picture(VALUES)) == []


def test_tensors_and_lists_are_drawn_as_arrays_are():
    torch = pytest.importorskip("torch")
    picture = attribution_picture(VALUES)
    for other in (torch.from_numpy(VALUES), VALUES.tolist(), VALUES.astype(np.float32)):
        assert attribution_picture(other).content == picture.content
    assert attribution_picture(VALUES).content == picture.content
