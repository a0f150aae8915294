"""Pictures: sound markup, a description in words, and colours that everyone can tell apart."""

import base64
import re
from html.parser import HTMLParser
from itertools import combinations
from xml.etree import ElementTree

import colours
import numpy as np
import pytest

from course_utils import plotting
from course_utils.motifs import information
from course_utils.plotting import (
    BASE_COLOURS,
    boxes_picture,
    logo_picture,
    one_hot_picture,
    picture_of,
)
from course_utils.sequences import one_hot

NASTY = "<b>5' & \"3'\" end</b>"
SVG = "{http://www.w3.org/2000/svg}"


class ImageParser(HTMLParser):
    """Collects the tags of a piece of HTML with their attributes."""

    def __init__(self, html: str):
        super().__init__()
        self.tags: list[tuple[str, dict]] = []
        self.feed(html)

    def handle_starttag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))


def as_xml(picture: plotting.Picture) -> ElementTree.Element:
    return ElementTree.fromstring(picture.content)


def words_in(element: ElementTree.Element) -> list[str]:
    return [text.text for text in element.iter(f"{SVG}text")]


def a_diagram(words: str = "data", alt: str = "data flow into a model") -> plotting.Picture:
    boxes = {"data": (0, 0, words), "model": (1, 0, "model\n10 layers"), "loss": (1, 1, "loss")}
    return boxes_picture(boxes, [("data", "model"), ("model", "loss"), ("loss", "data")], alt)


PPM = np.array([[0.7, 0.1, 0.1, 0.1], [0.1, 0.2, 0.3, 0.4], [0.0, 0.5, 0.5, 0.0]])
PICTURES = {
    "one-hot": lambda: one_hot_picture(one_hot("GATTACA")),
    "one-hot with shares": lambda: one_hot_picture(one_hot("ACRN", ambiguous="share"), "a title"),
    "one-hot, long": lambda: one_hot_picture(one_hot("ACGT" * 30)),
    "one-hot, nasty title": lambda: one_hot_picture(one_hot("ACGT"), NASTY),
    "no base at all": lambda: one_hot_picture(np.full((3, 4), 0.3)),
    "numbers out of range": lambda: one_hot_picture(np.array([[-1, 2, np.nan, 0]])),
    "logo": lambda: logo_picture(PPM, "a motif"),
    "logo, nasty title": lambda: logo_picture(PPM, NASTY),
    "logo of a motif that is certain": lambda: logo_picture(np.eye(4)),
    "logo of nothing": lambda: logo_picture(np.full((31, 4), 0.25)),
    "logo, corrected": lambda: logo_picture(PPM, correction=0.72),
    "logo, a rare base": lambda: logo_picture(PPM, background=(0.01, 0.33, 0.33, 0.33)),
    "boxes": a_diagram,
    "boxes with nasty words": lambda: a_diagram(NASTY, NASTY),
}


# --- markup --------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", PICTURES)
def test_every_picture_is_sound_svg_labelled_with_its_alt_text(name):
    picture = PICTURES[name]()
    root = as_xml(picture)
    assert root.tag == f"{SVG}svg"
    assert root.get("role") == "img"
    assert root.get("aria-label") == picture.alt
    _, _, width, height = map(float, root.get("viewBox").split())
    assert (width, height) == (float(root.get("width")), float(root.get("height")))
    for element in root.iter():
        for name in ("x", "y", "x1", "y1", "x2", "y2", "width", "height"):
            numbers = map(float, element.get(name, "0").split())  # a row of letters has many x
            assert all(map(np.isfinite, numbers)), ElementTree.tostring(element)


@pytest.mark.parametrize("name", PICTURES)
def test_every_picture_is_shown_as_an_image_with_its_alt_text(name):
    picture = PICTURES[name]()
    bundle = picture._repr_mimebundle_()
    assert bundle.keys() == {"text/html", "text/plain"}
    assert bundle["text/plain"] == repr(picture) == picture.alt
    ((tag, attributes),) = ImageParser(bundle["text/html"]).tags
    assert tag == "img" and attributes["alt"] == picture.alt
    kind, data = attributes["src"].split(",")
    assert kind == "data:image/svg+xml;base64"
    assert base64.b64decode(data).decode() == picture.content


def test_nasty_words_are_shown_as_they_were_written():
    assert NASTY in words_in(as_xml(one_hot_picture(one_hot("ACGT"), NASTY)))
    assert NASTY in words_in(as_xml(logo_picture(PPM, NASTY)))
    assert NASTY in words_in(as_xml(a_diagram(NASTY)))


def test_the_same_array_gives_the_same_picture():
    for make in PICTURES.values():
        assert make().content == make().content


# --- what a one-hot picture says -----------------------------------------------------------------


def test_the_alt_text_of_a_one_hot_picture_has_the_sequence_its_size_and_its_sums():
    alt = one_hot_picture(one_hot("GATTACANN", ambiguous="share"), "a peak").alt
    assert alt.startswith("a peak: ")
    assert "GATTACANN" in alt and "9 positions by 4 bases" in alt
    assert "A 3.5, C 1.5, G 1.5, T 2.5" in alt


def test_the_alt_text_of_a_long_sequence_says_that_it_goes_on():
    alt = one_hot_picture(one_hot("ACGT" * 30)).alt
    assert "ACGT" * 14 + "A..." in alt and "120 positions" in alt


def test_a_row_that_is_no_base_is_drawn_with_a_question_mark():
    picture = one_hot_picture(np.array([[1, 0, 0, 0], [0.3, 0.3, 0.3, 0.3]]))
    assert "A?" in picture.alt
    assert "?" in words_in(as_xml(picture))


def test_a_letter_stands_above_each_column_and_beside_each_row():
    words = words_in(as_xml(one_hot_picture(one_hot("GATTACA"))))
    above = [word for word in words if word in "ACGT"]
    assert sorted(above) == sorted("GATTACA" + "ACGT")


def test_a_cell_is_filled_in_proportion_to_its_number_which_is_written_in_it():
    root = as_xml(one_hot_picture(one_hot("ARN", ambiguous="share")))
    heights = [
        float(cell.get("height")) for cell in root.iter() if cell.get("fill") == BASE_COLOURS["A"]
    ]
    whole = heights[0]
    assert heights == [whole, whole / 2, whole / 4]
    assert {"1", ".5", ".25"} <= set(words_in(root))


def test_a_marked_position_is_framed_in_the_accent_colour():
    encoded = one_hot("GATTACA")
    marked, width, height = plotting.one_hot_grid(encoded, marked=2)
    plain, *size = plotting.one_hot_grid(encoded)
    assert [width, height] == size
    assert plotting.ACCENT in marked and plotting.ACCENT not in plain


def test_a_diagram_has_a_box_for_each_name_and_a_line_for_each_arrow():
    root = as_xml(a_diagram())
    assert len(list(root.iter(f"{SVG}line"))) == 3
    assert len(list(root.iter(f"{SVG}rect"))) == 3 + 1  # and the paper
    assert {"data", "model", "10 layers", "loss"} == set(words_in(root))


# --- logos ---------------------------------------------------------------------------------------


def box_of(path: str) -> tuple[float, float, float, float]:
    """Left, top, right, bottom of one letter's outline: its points, and the far side of its first arc."""
    xs, ys, at = [], [], (0.0, 0.0)
    for command, numbers in re.findall(r"([MLHVAz])([^MLHVAz]*)", path):
        numbers = [float(number) for number in numbers.split()]
        before = at
        if command in "ML":
            at = tuple(numbers)
        elif command in "HV":
            at = (numbers[0], at[1]) if command == "H" else (at[0], numbers[0])
        elif command == "A":
            radius_x, radius_y, _, large, _, *at = numbers
            if len(xs) == 1:
                assert large and before[0] == at[0], "the letter is open to the right"
                middle = (before[1] + at[1]) / 2
                share = (at[1] - middle) / radius_y
                xs.append(at[0] - radius_x * np.sqrt(1 - share**2) - radius_x)
                ys += [middle - radius_y, middle + radius_y]
        xs.append(at[0])
        ys.append(at[1])
    return min(xs), min(ys), max(xs), max(ys)


def letters_of(drawing: str) -> dict[str, tuple[float, float, float, float]]:
    """Base -> box of its letter, in a logo of one position."""
    root = ElementTree.fromstring(f"<svg>{drawing}</svg>")
    base_of = {colour: base for base, colour in BASE_COLOURS.items()}
    return {
        base_of[path.get("fill")]: box_of(path.get("d"))
        for path in root.iter("path")
        if path.get("fill") in base_of
    }


@pytest.mark.parametrize("base", "ACGT")
@pytest.mark.parametrize("x, y, width, height", [(0, 0, 100, 100), (40, 7, 26, 300), (5, 9, 60, 4)])
def test_a_letter_fills_its_box_to_the_edges(base, x, y, width, height):
    box = box_of(plotting.letter_path(base, x, y, width, height))
    np.testing.assert_allclose(box, [x, y, x + width, y + height], atol=0.1 if height >= 20 else 0.2)


def test_letters_stand_on_each_other_as_high_as_their_numbers_the_largest_on_top():
    drawing, _, _ = plotting.logo([[0.5, 0.1, 1.0, 0.4]], high=100, limits=(0, 2))
    boxes = letters_of(drawing)
    edges = [(round(boxes[base][1]), round(boxes[base][3])) for base in "GATC"]
    assert edges == [(8, 58), (58, 83), (83, 103), (103, 108)]  # pixels from the top; 50 for a bit


def test_letters_of_negative_height_hang_below_the_axis_the_largest_lowest():
    drawing, _, height = plotting.logo([[0.5, -0.1, -0.4, 0]], high=100, limits=(-0.5, 0.5))
    boxes = letters_of(drawing)
    edges = {base: (round(top), round(bottom)) for base, (_, top, _, bottom) in boxes.items()}
    assert edges == {"A": (8, 58), "C": (58, 68), "G": (68, 108)}
    assert "−0.5" in drawing and height > 108


def test_the_alt_text_of_a_logo_has_its_consensus_its_width_and_its_information():
    alt = logo_picture(PPM, "a motif").alt
    bits = information(PPM)
    assert alt.startswith("a motif: ")
    assert "3 positions" in alt and "consensus ANS" in alt
    assert f"{bits.sum():.2f} bits in all" in alt
    assert ", ".join(f"{number:.2f}" for number in bits) in alt


def test_a_logo_draws_what_the_correction_leaves_and_says_what_it_took():
    picture = logo_picture(PPM, correction=0.5)
    left = information(PPM) - 0.5
    assert left[1] < 0 < left[2]
    assert f"{left[0]:.2f}, {left[1]:.2f}, {left[2]:.2f}" in picture.alt
    assert f"{left[0] + left[2]:.2f} bits in all" in picture.alt
    assert not letters_of(logo_picture(PPM, correction=2).content.replace("xmlns=", "id="))


def test_the_axis_of_a_logo_reaches_from_0_to_2_bits_or_as_far_as_the_letters():
    assert {"0", "1", "2", "bits"} <= set(words_in(as_xml(logo_picture(PPM))))
    rare = logo_picture(np.array([[1.0, 0, 0, 0]]), background=(0.01, 0.33, 0.33, 0.33))
    numbers = [float(word) for word in words_in(as_xml(rare)) if word and word.isdigit()]
    assert max(numbers) >= np.log2(100)
    ((_, top, _, _),) = letters_of(rare.content.replace("xmlns=", "id=")).values()
    assert top >= 8


@pytest.mark.parametrize(
    "low, high, most, expected",
    [
        (0, 2, 4, [0, 0.5, 1, 1.5, 2]),
        (0, 2, 2, [0, 1, 2]),
        (-0.42, 1.3, 4, [-0.5, 0, 0.5, 1, 1.5]),
        (0, 0, 4, [0, 0.5, 1]),
        (0, 16384, 7, [0, 5000, 10000, 15000, 20000]),
    ],
)
def test_ticks_are_round_numbers_around_the_data(low, high, most, expected):
    marks = plotting.ticks(low, high, most)
    assert marks[0] <= low and marks[-1] >= high
    assert marks == expected


def test_a_row_of_words_is_one_element_with_every_word_at_its_place():
    root = ElementTree.fromstring(plotting.text_row([5, 25.5], 9, ["<a>", "b"], bold=True))
    assert [(span.get("x"), span.text) for span in root] == [("5", "<a>"), ("25.5", "b")]
    letters = ElementTree.fromstring(plotting.text_row([5, 25.5], 9, "A<", bold=True))
    assert (letters.get("x"), letters.text, len(letters)) == ("5 25.5", "A<", 0)
    assert ElementTree.fromstring(plotting.text_row([], 9, [])).get("x") is None


def test_a_tint_lies_between_the_paper_and_the_colour():
    assert plotting.tint("#0072b2", 0) == "#ffffff"
    assert plotting.tint("#0072b2", 1) == "#0072b2"
    assert plotting.tint("#000000", 0.2) == "#cccccc"
    for colour in BASE_COLOURS.values():
        assert plotting.contrast(plotting.INK, plotting.tint(colour, 0.45)) >= 4.5


# --- matplotlib ----------------------------------------------------------------------------------


def a_figure():
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(figsize=(2, 1))
    axes.plot([0, 1, 4])
    return figure


def test_a_matplotlib_figure_becomes_a_picture_with_alt_text_and_is_closed():
    import matplotlib.pyplot as plt

    figure = a_figure()
    picture = picture_of(figure, alt=f"a rising curve {NASTY}")
    assert picture.content.startswith(b"\x89PNG")
    ((tag, attributes),) = ImageParser(picture.html()).tags
    assert tag == "img" and attributes["alt"] == f"a rising curve {NASTY}"
    assert attributes["src"].startswith("data:image/png;base64,")
    assert figure.number not in plt.get_fignums()


def test_the_same_figure_gives_the_same_bytes():
    assert picture_of(a_figure(), "a curve").content == picture_of(a_figure(), "a curve").content


# --- colours -------------------------------------------------------------------------------------

@pytest.mark.parametrize("colour, other", list(combinations([*BASE_COLOURS.values(), "#ffffff", "#010203"], 2)))
def test_the_contrast_of_two_colours_is_that_of_wcag(colour, other):
    assert plotting.contrast(colour, other) == pytest.approx(colours.contrast(colour, other))
    assert plotting.contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)


def test_the_base_colours_differ_under_every_colour_vision():
    assert colours.too_close(BASE_COLOURS.values()) == {}


def test_the_rim_of_a_letter_stands_out_on_the_paper_and_lies_within_the_letter():
    for base, colour in BASE_COLOURS.items():
        outermost = plotting.BASE_RIMS.get(base, colour)
        assert plotting.contrast(outermost, plotting.PAPER) >= colours.MARKS
    drawing, _, _ = plotting.logo([[0.0, 0.0, 1.0, 0.02]], high=100, limits=(0, 2))
    left, top, right, bottom = letters_of(drawing)["G"]
    half = plotting.RIM / 2
    assert (top - half, bottom + half) == (pytest.approx(57, abs=0.1), pytest.approx(107, abs=0.1))
    assert right + half <= 48 + 26


def test_a_letter_too_flat_to_be_read_has_no_rim():
    drawing, _, _ = plotting.logo([[0.0, 0.0, 0.02, 0.0]], high=100, limits=(0, 2))
    assert BASE_COLOURS["G"] in drawing and plotting.BASE_RIMS["G"] not in drawing


def test_what_is_written_can_be_read_on_its_background():
    """WCAG 2 level AA asks for a contrast of 4.5 of small letters, and of 3 of lines."""
    for colour in (*BASE_COLOURS.values(), "#eef3f8", "#ffffff", "#000000"):
        assert plotting.contrast(plotting.readable_ink(colour), colour) >= 4.5, colour
    for ink in (plotting.INK, plotting.FAINT):
        for paper in (plotting.PAPER, "#f4f4f4"):  # the paper, an empty cell
            assert plotting.contrast(ink, paper) >= 4.5
    assert plotting.contrast(plotting.ACCENT, plotting.PAPER) >= 3
