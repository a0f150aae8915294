"""The explorer of lesson 07: what it asks the network, how its controls follow each other, what it says."""

import re
from xml.etree import ElementTree

import numpy as np
import pytest
import torch
from test_explorer_parts import Reader, part
from test_motif_explorers import check_markup
from torch import nn

from course_utils.explorers import mutate
from course_utils.explorers._mutate_picture import STEP, _probability
from course_utils.explorers.mutate import LONGEST, Study, mutate_explorer
from course_utils.interpretation import input_x_gradient, saliency
from course_utils.models.binding import MotifDetector
from course_utils.models.motif_cnn import MotifCNN
from course_utils.models.peaks import BothStrandsCNN
from course_utils.sequences import ALPHABET, SequenceError, one_hot, reverse_complement

SVG = "{http://www.w3.org/2000/svg}"
WORD, START = "GATTACA", 20
QUIET = '<p role="status"></p>'


def random_letters(length: int, seed: int) -> str:
    return "".join(np.random.default_rng(seed).choice(list(ALPHABET), length))


BACKGROUND = random_letters(50, 1)
SEQUENCES = {
    "with the word": BACKGROUND[:START] + WORD + BACKGROUND[START + len(WORD) :],
    "without it": random_letters(60, 2),
    "the other strand": reverse_complement(BACKGROUND[:START] + WORD + BACKGROUND[START + len(WORD) :]),
}
FIRST = SEQUENCES["with the word"]


def finder(kind=MotifDetector) -> nn.Module:
    """A network whose one filter that counts is the word: six of its letters or nothing, and 3 for each letter."""
    torch.manual_seed(0)
    model = kind(filters=3, width=len(WORD))
    with torch.no_grad():
        model.conv.weight[0] = torch.from_numpy(one_hot(WORD)).T - 0.25
        model.conv.bias[0] = -3.5
        model.linear.weight[0] = torch.tensor([3, 0.01, -0.01])
        model.linear.bias[0] = -3
    return model


def explorer_of(kind=MotifDetector, sequences=SEQUENCES):
    return mutate_explorer(finder(kind), sequences)


def ask(model: nn.Module, *sequences: str) -> np.ndarray:
    with torch.no_grad():
        return model(torch.from_numpy(one_hot(sequences)).permute(0, 2, 1)).numpy()


def texts(explorer) -> list[str]:
    found = ElementTree.fromstring(part(explorer, "course-picture")).iter(f"{SVG}text")
    return [one.text or "" for one in found]


def spelled(explorer) -> str:
    """All the words of the picture."""
    return " ".join(texts(explorer))


def axes(explorer) -> list[tuple]:
    """The numbers left of the logos, with their heights."""
    found = ElementTree.fromstring(part(explorer, "course-picture")).iter(f"{SVG}text")
    return [(t.get("y"), t.text) for t in found if t.get("font-size") == "11" and t.get("text-anchor") == "end"]


# --- what it asks --------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", [MotifDetector, BothStrandsCNN])
@pytest.mark.parametrize("position", [0, START + 3, 49])
def test_the_logits_are_those_of_the_network(kind, position):
    model = finder(kind)
    letters = FIRST[:5] + "T" + FIRST[6:]
    view = mutate.compute(Study(model, SEQUENCES), 0, letters, position)
    variants = [letters[:position] + base + letters[position + 1 :] for base in ALPHABET]
    np.testing.assert_allclose(view.choices, ask(model, *variants), atol=1e-5)
    wanted = ask(model, FIRST, letters, reverse_complement(letters))
    np.testing.assert_allclose([view.before, view.logit, view.reverse], wanted, atol=1e-5)
    assert view.mutations == (() if FIRST[5] == "T" else (5,))


@pytest.mark.parametrize("centred", [True, False])
def test_the_heights_are_the_attributions_of_the_letters_that_are_there(centred):
    model = finder()
    view = mutate.compute(Study(model, SEQUENCES), 0, FIRST, 0, centred)
    for letters, values in ((FIRST, view.plus), (reverse_complement(FIRST), view.minus[::-1])):
        inputs = torch.from_numpy(one_hot([letters])).permute(0, 2, 1)
        wanted = input_x_gradient(model, inputs, centred=centred)
        np.testing.assert_allclose(values, wanted[0].T.numpy(), atol=1e-5)
        assert not values[one_hot(letters) == 0].any()
    # The word alone is worth something, each letter of it, and on the strand where it is.
    assert np.argwhere(view.plus.sum(axis=1) > 0.2).ravel().tolist() == list(range(START, START + len(WORD)))
    assert view.minus.max() < 0.2


def test_a_network_that_reads_both_strands_gives_both_the_same_picture_and_another_one_does_not():
    for kind, alike in ((BothStrandsCNN, True), (MotifDetector, False)):
        explorer = explorer_of(kind)
        for centred in (True, False):
            explorer.controls["centred"].value = centred
            view = mutate.compute(Study(finder(kind), SEQUENCES), 0, FIRST, 0, centred)
            # Each base stands below its partner: A below T, C below G.
            assert np.allclose(view.plus, view.minus[:, ::-1], atol=1e-5) == alike
            said = "two strands: 0.00." in part(explorer, "course-numbers")
            assert said == alike
    assert view.logit > 2 > -2 > view.reverse


def test_the_gradient_promises_what_a_network_without_kinks_keeps():
    torch.manual_seed(0)
    line = nn.Sequential(nn.Flatten(), nn.Linear(200, 1))
    for centred in (True, False):
        view = mutate.compute(Study(line, {"a": FIRST}), 0, FIRST, 7, centred)
        np.testing.assert_allclose(view.promised, view.choices, atol=1e-5)
    # The word with one letter changed is barely there; of a second change, the gradient knows no end.
    model, letters, position = finder(), FIRST.replace(WORD, "C" + WORD[1:]), START + 5
    view = mutate.compute(Study(model, SEQUENCES), 0, letters, position)
    [slopes] = saliency(model, torch.from_numpy(one_hot([letters])).permute(0, 2, 1))[:, :, position].numpy()
    here = ALPHABET.index(letters[position])
    np.testing.assert_allclose(view.promised, view.logit + slopes - slopes[here], atol=1e-5)
    assert view.promised.min() < view.choices.min() - 0.5


def test_a_network_with_two_outputs_is_explained_by_their_difference():
    torch.manual_seed(1)
    model = MotifCNN(length=50)
    view = mutate.compute(Study(model, {"a": FIRST}), 0, FIRST, 3)
    no, yes = ask(model.eval(), FIRST)[0]
    assert view.logit == pytest.approx(yes - no, abs=1e-5)


def test_the_network_is_left_as_it_is_and_the_explorer_keeps_to_the_one_it_was_given():
    model = nn.Sequential(finder(), nn.Dropout(0.9), nn.Unflatten(0, (-1, 1))).train()
    before = {name: weight.clone() for name, weight in model.state_dict().items()}
    explorer = mutate_explorer(model, SEQUENCES)
    shown = explorer.panels
    assert model.training and model[1].training
    for name, weight in model.named_parameters():
        assert weight.requires_grad and weight.grad is None and torch.equal(weight, before[name])
    with torch.no_grad():
        model[0].linear.weight.mul_(-1)
    for position in (3, START):
        explorer.controls["position"].value = position
    explorer.controls["position"].value = explorer_of().controls["position"].value
    assert explorer.panels == shown == explorer_of().panels


# --- the controls --------------------------------------------------------------------------------


def test_it_starts_at_the_letter_that_is_worth_most():
    controls = explorer_of().controls
    assert list(controls) == ["sequence", "position", "base", "undone", "centred", "letters"]
    assert START <= controls["position"].value < START + len(WORD)
    assert controls["letters"].value == FIRST
    assert list(explorer_of(sequences={"alone": FIRST}).controls)[0] == "position"


def test_the_base_slider_shows_the_base_at_the_position():
    controls = explorer_of().controls
    for position in range(len(FIRST)):
        controls["position"].value = position
        assert controls["base"].value == FIRST[position]
    assert controls["letters"].value == FIRST


def test_mutations_add_up_and_the_letters_hold_them():
    explorer = explorer_of()
    controls = explorer.controls
    for position, base in ((START, "C"), (START + 5, "T"), (START + 5, "G")):
        controls["position"].value = position
        controls["base"].value = base
    changed = "CATTAGA"
    assert controls["letters"].value == FIRST.replace(WORD, changed)
    logit = ask(finder(), FIRST.replace(WORD, changed))[0]
    before = ask(finder(), FIRST)[0]
    assert f"2 mutations: logit {before:.2f} → {logit:.2f}".replace("-", "−") in repr(explorer)
    assert f"changed: {START} G>C, {START + 5} C>G;" in repr(explorer)
    assert f"Changed: {START} G>C, {START + 5} C>G." in " ".join(Reader(part(explorer, "course-numbers")).words)
    controls["base"].value = "C"  # back, as it was
    assert "1 mutation:" in repr(explorer) and "2 mutations" not in repr(explorer)


def test_undoing_shows_the_original_and_the_next_change_starts_from_there():
    explorer = explorer_of()
    controls, first = explorer.controls, explorer.panels
    controls["position"].value = START
    controls["base"].value = "C"
    mutated, letters = explorer.panels, controls["letters"].value
    controls["undone"].value = True
    assert "original: 1 mutation undone: logit" in repr(explorer) and "→" not in repr(explorer)
    assert (controls["base"].value, controls["letters"].value) == ("G", letters)
    controls["undone"].value = False
    assert explorer.panels == mutated and controls["base"].value == "C"
    controls["undone"].value = True
    controls["position"].value = START + 1
    controls["base"].value = "G"
    assert controls["undone"].value is False
    assert controls["letters"].value == FIRST.replace(WORD, "GGTTACA")
    assert f"changed: {START + 1} A>G;" in repr(explorer)
    assert "undone" not in first.summary


def test_another_sequence_begins_without_mutations_at_the_same_position():
    explorer = explorer_of()
    controls = explorer.controls
    controls["position"].value = 49
    controls["base"].value = next(base for base in ALPHABET if base != FIRST[49])
    controls["undone"].value = True
    controls["sequence"].value = 1
    assert controls["letters"].value == SEQUENCES["without it"]
    assert (controls["position"].value, controls["position"].max) == (49, 59)
    assert controls["base"].value == SEQUENCES["without it"][49]
    assert controls["undone"].value is False
    assert "without it, no mutation" in repr(explorer)
    controls["position"].value = 59
    controls["sequence"].value = 0
    assert controls["position"].value == controls["position"].max == 49
    assert controls["base"].value == FIRST[49] and "position 49 is" in repr(explorer)


def test_letters_can_be_typed_in_either_case_and_another_length():
    explorer = explorer_of()
    controls = explorer.controls
    controls["letters"].value = f" {FIRST.lower()[:-1]}{'a' if FIRST[-1] != 'A' else 'c'} "
    assert "1 mutation:" in repr(explorer)
    controls["letters"].value = FIRST + "GG"
    assert controls["position"].max == 51
    assert "52 bases, typed; with the word has 50: logit" in repr(explorer) and "→" in repr(explorer)
    controls["position"].value = 51
    assert controls["base"].value == "G"
    controls["letters"].value = FIRST[:30]
    assert controls["position"].value == controls["position"].max == 29
    assert part(explorer, "course-message") == QUIET
    controls["undone"].value = True
    controls["letters"].value = FIRST.replace(WORD, "GATTACC")
    assert controls["undone"].value is False and "1 mutation:" in repr(explorer)


@pytest.mark.parametrize(
    "letters, words",
    [
        ("ACGN" * 5, "letter 'N' at position 3 (counting from 0) is none of A, C, G and T"),
        ("", "has 0 bases; 2 to 120 fit the page"),
        ("A" * 121, "has 121 bases; 2 to 120 fit the page: cut out the part that matters"),
    ],
)
def test_letters_that_cannot_be_used_are_told_and_the_last_picture_stays(letters, words):
    explorer = explorer_of()
    before = part(explorer, "course-picture")
    explorer.controls["letters"].value = letters
    assert words in part(explorer, "course-message").replace("&#x27;", "'")
    assert part(explorer, "course-picture") == before
    explorer.controls["undone"].value = True  # a way out of any muddle
    assert part(explorer, "course-message") == QUIET
    base = explorer.controls["base"]
    base.value = "ACGT"[("ACGT".index(base.value) + 1) % 4]
    assert "1 mutation:" in repr(explorer)


def test_what_torch_says_of_a_sequence_that_is_too_short_is_put_into_words():
    model = nn.Sequential(nn.Conv1d(4, 2, 9), nn.AdaptiveMaxPool1d(1), nn.Flatten(), nn.Linear(2, 1))
    explorer = mutate_explorer(model, SEQUENCES)
    explorer.controls["letters"].value = "ACGTACGT"
    assert "the network does not take a sequence of 8 bases: " in part(explorer, "course-message")


def test_a_letter_that_is_none_can_be_mended_with_the_base_slider():
    explorer = explorer_of()
    controls = explorer.controls
    controls["position"].value = 7
    controls["letters"].value = FIRST[:7] + "N" + FIRST[8:]
    assert "'N' at position 7" in part(explorer, "course-message").replace("&#x27;", "'")
    controls["base"].value = "ACGT"[("ACGT".index(FIRST[7]) + 1) % 4]
    assert part(explorer, "course-message") == QUIET
    assert "1 mutation:" in repr(explorer)


def test_every_move_is_computed_once(monkeypatch):
    asked, compute = [], mutate.compute

    def counted(*values, **named):
        asked.append(named)
        return compute(*values, **named)

    monkeypatch.setattr(mutate, "compute", counted)
    explorer = explorer_of()
    controls = explorer.controls
    controls["position"].value = 59  # the last of the first sequence
    del asked[:]
    moves = [
        ("position", START), ("base", "T"), ("position", 49), ("centred", False), ("undone", True),
        ("position", START), ("base", "C"), ("sequence", 1), ("letters", FIRST[:30]), ("undone", True),
        ("sequence", 2), ("letters", FIRST + "A"),
    ]  # fmt: skip
    for number, (name, value) in enumerate(moves, start=1):
        assert controls[name].value != value
        controls[name].value = value
        assert len(asked) == number, (name, value)
        shown = {name: control.value for name, control in controls.items() if name not in ("base", "sequence")}
        assert asked[-1] == shown, "computed before the others had followed"


def test_names_that_a_slider_would_cut_off_are_numbers_there():
    for names in (["a", "b " * 10], ["x" * 40 + str(number) for number in range(3)]):
        explorer = mutate_explorer(finder(), dict.fromkeys(names, FIRST))
        labels = [label for label, _ in explorer.controls["sequence"].options]
        assert labels == [f"{number} of {len(names)}" for number in range(1, len(names) + 1)]
        explorer.controls["sequence"].value = len(names) - 1
        assert names[-1][:20] in repr(explorer)
        check_markup(part(explorer, "course-picture"))
    assert [label for label, _ in explorer_of().controls["sequence"].options] == list(SEQUENCES)


# --- the picture and the numbers -----------------------------------------------------------------


def test_the_axes_stay_while_the_cursor_moves():
    explorer = explorer_of()
    for centred in (True, False):
        explorer.controls["centred"].value = centred
        seen = set()
        for position in range(len(FIRST)):
            explorer.controls["position"].value = position
            seen.add(tuple(axes(explorer)))
        assert len(seen) == 1 and len(seen.pop()) > 3
    before = axes(explorer)
    explorer.controls["position"].value = START
    explorer.controls["base"].value = "C"
    assert axes(explorer) == before
    study = Study(finder(), SEQUENCES)
    undone = mutate.compute(study, 0, FIRST, 0)
    mutated = mutate.compute(study, 0, FIRST.replace(WORD, "CATTACA"), 0)
    assert mutated.plus.min() < undone.plus.min() - 0.5
    assert mutated.limits == undone.limits, "a letter that hangs below the axis has its place from the start"


def test_every_position_has_a_picture_of_its_own_with_all_letters_of_both_strands_in_two_rows():
    explorer = mutate_explorer(finder(), {"long": random_letters(100, 3)})
    letters = explorer.controls["letters"].value
    seen = set()
    for position in range(100):
        explorer.controls["position"].value = position
        seen.add(part(explorer, "course-picture"))
        rows = [text for text in texts(explorer) if len(text) == 50 and set(text) <= set(ALPHABET)]
        assert rows[0] + rows[2] == letters
        assert reverse_complement((rows[1] + rows[3])[::-1]) == letters
        assert str(position) in texts(explorer)
    assert len(seen) == 100


@pytest.mark.parametrize("length, rows", [(7, 1), (60, 1), (61, 2), (119, 2), (LONGEST, 2)])
def test_rows_begin_at_round_numbers(length, rows):
    explorer = mutate_explorer(finder(), {"one": random_letters(120, 3)})
    explorer.controls["letters"].value = explorer.controls["letters"].value[:length]
    explorer.controls["position"].value = 1
    found = ElementTree.fromstring(part(explorer, "course-picture")).iter(f"{SVG}text")
    lines = [text.text for text in found if set(text.text or "N") <= set(ALPHABET) and len(text.text) > 1]
    assert len(lines) == 2 * rows
    assert rows == 1 or len(lines[0]) % STEP == 0


def test_the_minus_strand_has_a_logo_of_its_own_where_it_differs():
    for kind, logos in ((BothStrandsCNN, 1), (MotifDetector, 2)):
        explorer = explorer_of(kind)
        for controls in ({}, {"centred": False}, {"position": 3}, {"base": "A"}):
            for name, value in controls.items():
                explorer.controls[name].value = value
            assert sum(words == "0" for _, words in axes(explorer)) == logos
            assert ("the same heights" in spelled(explorer)) == (logos == 1)
    blind = finder()
    with torch.no_grad():
        blind.linear.weight[0, 1:] = 0
    explorer = mutate_explorer(blind, {"with the word": FIRST, "nothing to see": "C" * 50})
    explorer.controls["sequence"].value = 1
    assert "two strands: 0.00." in part(explorer, "course-numbers")
    assert "the same heights" not in spelled(explorer), "the picture would jump where a mutation opens a filter"


def test_a_promise_beyond_the_end_of_the_axis_is_a_tip_that_points_there():
    model = nn.Sequential(nn.Flatten(), nn.Linear(200, 1), nn.Softplus(), nn.Linear(1, 1))
    with torch.no_grad():
        for weight in model.parameters():
            weight.zero_()
        model[1].weight[0, 13] = -30  # of A at 13
        model[1].bias[0], model[3].weight[0, 0] = 10, 1
    explorer = mutate_explorer(model, {"a": FIRST[:13] + "C" + FIRST[14:]})
    assert explorer.controls["position"].value == 13
    picture = part(explorer, "course-picture")
    (tip,) = re.findall(r"M([\d.]+) [\d.]+l(-?8) -5v10z", picture)
    assert float(tip[0]) < 60 and tip[1] == "8"  # left of the first number, and to the left
    assert picture.count("<circle") == 4 + 2 + 2  # the four bases, two promises, and the legend


STRIPES = r"<path d='([^']*)' fill='#8a1c00' fill-opacity='[.\d]+'/>"


def test_changed_bases_are_marked_with_what_stood_there():
    explorer = explorer_of()
    for position in (START, START + 1):
        explorer.controls["position"].value = position
        explorer.controls["base"].value = "C"
    picture = part(explorer, "course-picture")
    (stripes,) = re.findall(STRIPES, picture)
    assert stripes.count("M") == 1  # the base at the cursor has a box of its own
    assert "GA" in texts(explorer) and "CC" in texts(explorer) and "GG" in texts(explorer)
    explorer.controls["position"].value = START + 2
    (stripes,) = re.findall(STRIPES, part(explorer, "course-picture"))
    assert stripes.count("M") == 2
    explorer.controls["undone"].value = True
    assert "#8a1c00" not in part(explorer, "course-picture")


def test_the_table_holds_the_four_bases_with_what_each_would_change():
    explorer = explorer_of()
    explorer.controls["position"].value = START
    explorer.controls["base"].value = "C"
    words = Reader(part(explorer, "course-numbers")).words
    rows = words[words.index(f"base at {START}") :]
    logits = ask(finder(), *(FIRST.replace(WORD, base + WORD[1:]) for base in ALPHABET))
    written = [f"{logit:.2f}".replace("-", "−") for logit in logits]
    changes = [f"{logit - logits[1]:+.2f}".replace("-", "−") for logit in logits]
    for name, number in (("A", 0), ("G (original)", 2), ("T", 3)):
        row = rows.index(name)
        assert rows[row + 1] == written[number] and rows[row + 3] == changes[number]
    assert rows[rows.index("C (now)") + 1] == written[1]
    for number in written:
        assert number in spelled(explorer)


@pytest.mark.parametrize("centred", [True, False])
@pytest.mark.parametrize("kind", [MotifDetector, BothStrandsCNN])
def test_the_picture_is_sound_and_small_at_its_extremes(centred, kind):
    longest = (WORD * 20)[:LONGEST]
    name = "<i>&'\" " + 60 * "x"
    torch.manual_seed(0)
    busy = kind(filters=64, width=7)
    several = {name: longest, "b": WORD, "c": "CG" * 30}
    for model, sequences in ((finder(kind), several), (busy, {name: longest})):
        explorer = mutate_explorer(model, sequences)
        explorer.controls["centred"].value = centred
        explorer.controls["letters"].value = longest[::-1]
        for position in (0, 60, LONGEST - 1):
            explorer.controls["position"].value = position
            check_markup(part(explorer, "course-picture"))
            assert len(part(explorer, "course-picture")) + len(part(explorer, "course-numbers")) < 40_000
        for number in range(len(sequences) - 1):
            explorer.controls["sequence"].value = number + 1
            check_markup(part(explorer, "course-picture"))
        assert part(explorer, "course-message") == QUIET


def test_a_picture_full_of_tall_letters_is_not_too_large():
    torch.manual_seed(0)
    steep = nn.Sequential(nn.Flatten(), nn.Linear(4 * LONGEST, 1))
    for letters in ("GC" * 60, "G" * LONGEST, random_letters(LONGEST, 5)):
        explorer = mutate_explorer(steep, {"tall": letters})
        for word in (letters, letters[::-1], letters.translate(str.maketrans("ACGT", "CGCG"))):
            explorer.controls["letters"].value = word
            check_markup(part(explorer, "course-picture"))


@pytest.mark.parametrize("scale", [0.01, 0.4, 0.49, 1, 1.3, 7])
def test_the_axis_of_a_logo_has_more_than_a_zero(scale):
    model = finder(BothStrandsCNN)
    with torch.no_grad():
        model.linear.weight.mul_(scale)
    numbers = [words for _, words in axes(mutate_explorer(model, SEQUENCES))]
    assert "0" in numbers and len(numbers) > 1


def test_a_network_that_says_the_same_of_everything_has_a_picture_all_the_same():
    model = finder()
    with torch.no_grad():
        for weight in model.parameters():
            weight.zero_()
    explorer = mutate_explorer(model, SEQUENCES)
    check_markup(part(explorer, "course-picture"))
    assert "logit 0.00, probability 0.500" in repr(explorer)
    assert "−0.00" not in part(explorer, "course-numbers")


def test_a_network_that_says_nan_is_told():
    model = finder()
    with torch.no_grad():
        model.linear.weight.fill_(torch.nan)
    with pytest.raises(ValueError, match="'with the word': .*NaN"):
        mutate_explorer(model, SEQUENCES)


@pytest.mark.parametrize(
    "logit, words",
    [
        (0, "0.500"), (2, "0.881"), (-2, "0.119"), (6.78, "0.9989"), (9, "0.99988"), (-9, "0.00012"),
        (40, "> 0.9999"), (-800, "< 0.0001"),
    ],  # fmt: skip
)
def test_a_probability_near_an_end_has_the_digits_that_tell_it_from_the_end(logit, words):
    assert _probability(logit) == words


def test_the_sequences_are_refused_by_name():
    with pytest.raises(SequenceError, match="letter 'N' at position 1 of 'second'"):
        mutate_explorer(finder(), {"first": FIRST, "second": "ANT"})
    with pytest.raises(ValueError, match="the sequence 'second': .*20"):  # the network's own words
        mutate_explorer(MotifCNN(length=20), {"first": FIRST[:20], "second": FIRST})
