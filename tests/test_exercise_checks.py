"""The check of an exercise: what it says to each kind of answer, and that it cannot be fooled."""

import linecache
from html.parser import HTMLParser

import numpy as np
import pytest

from course_utils.exercises import CORRECT, NOT_STARTED, NOT_YET, Exercise, Feedback, Mistake, same
from course_utils.plotting import Picture

NASTY = "<script>&'\""


class Words(HTMLParser):
    """The words of a piece of HTML, and its tags."""

    def __init__(self, html: str):
        super().__init__()
        self.words, self.tags = "", []
        self.feed(html)

    def handle_data(self, data):
        self.words += data + "\n"

    def handle_starttag(self, tag, attributes):
        self.tags.append(tag)


def count_g(sequence: str) -> int:
    """The oracle: how many letters are G."""
    total = 0
    for letter in sequence:
        total += letter == "G"
    return total


def sequences(rng):
    return [("GAG",), ("T",), ("".join(rng.choice(list("ACGT"), size=30)),)]


count = Exercise(
    oracle=count_g,
    cases=sequences,
    mistakes=[
        Mistake(lambda s: s.count("C"), "these are the C; count G."),
        Mistake(lambda s: s.count("G") / len(s), "this is a fraction; a count is asked."),
        Mistake(lambda s: s.undefined, "a str has no such attribute."),
    ],
)
mask = Exercise(lambda codes: codes * (codes > 0), lambda rng: [(rng.integers(-3, 4, (2, 3)),)])


def hint(feedback: Feedback) -> str:
    hints = [line for line in feedback.lines if line.startswith("Hint:")]
    return hints[0].removeprefix("Hint:").strip() if hints else ""


# --- not started, right --------------------------------------------------------------------------


def with_docstring(sequence):
    """Count G."""
    ...


def with_pass(sequence):
    """Count G."""
    pass


def without_docstring(sequence): ...


@pytest.mark.parametrize("stub", [with_docstring, without_docstring, with_pass, ...])
def test_an_untouched_stub_is_met_politely(stub):
    feedback = count(stub)
    assert feedback.state == NOT_STARTED and not feedback.correct
    assert repr(feedback).startswith("○ Not started yet\nWrite your answer")


def with_a_value(sequence):
    """Count G."""
    return 3


def with_a_line(sequence):
    """Count G."""
    total = sequence.count("G")


@pytest.mark.parametrize("answer", [with_a_value, with_a_line, len, lambda sequence: 0])
def test_whoever_wrote_something_is_not_told_that_nothing_was_started(answer):
    assert count(answer).state == NOT_YET


def test_a_right_answer_is_told_how_much_was_tried():
    feedback = count(lambda sequence: sequence.count("G"))
    assert feedback.correct
    assert repr(feedback) == "✓ Correct\n3 inputs tried, all of them right."


@pytest.mark.parametrize("seed", range(5))
def test_the_oracle_passes_and_no_constant_does_whatever_the_seed(seed):
    assert count(count_g, seed=seed).correct
    for (sequence,) in sequences(np.random.default_rng(seed)):
        constant = count_g(sequence)
        assert count(lambda _: constant, seed=seed).state == NOT_YET


def test_the_inputs_are_the_same_for_the_same_seed_and_fresh_for_another():
    seen = []

    def answer(sequence):
        seen.append(sequence)
        return count_g(sequence)

    for seed in (0, 0, 1):
        count(answer, seed=seed)
    assert seen[:3] == seen[3:6] != seen[6:]


def test_an_exercise_that_asks_nothing_never_says_correct():
    with pytest.raises(ValueError, match="no inputs to try"):
        Exercise(count_g, lambda rng: [])(count_g)


# --- wrong: what was tried, what came, what was expected -----------------------------------------


def test_a_wrong_answer_is_shown_with_its_input_and_what_was_expected():
    feedback = count(lambda sequence: 7)
    assert feedback.state == NOT_YET
    assert feedback.lines == ("Tried:    'GAG'", "Came:     7", "Expected: 2")


def test_the_first_input_that_fails_is_shown():
    assert "Tried:    'T'" in count(lambda s: 2 if s == "GAG" else 5).lines


@pytest.mark.parametrize("number", range(3))
def test_each_mistake_gets_its_own_hint(number):
    mistake = count.mistakes[number]
    assert hint(count(mistake.answer)) == mistake.hint


def test_another_wrong_answer_gets_no_mistakes_hint():
    assert hint(count(lambda sequence: 7)) == ""


def test_an_answer_that_makes_a_mistake_now_and_then_does_not_get_its_hint():
    assert hint(count(lambda s: s.count("C") if s == "GAG" else 7)) == ""


def test_nothing_returned_is_told():
    assert "ends with `return`" in hint(count(with_a_line)).replace("end with", "ends with")


def test_an_error_is_told_with_its_line_and_not_thrown():
    source = "def answer(sequence):\n    total = 0\n    return sequence.count_all(total)\n"
    names = {}
    linecache.cache["<cell>"] = (len(source), None, source.splitlines(True), "<cell>")
    exec(compile(source, "<cell>", "exec"), names)
    (came,) = (line for line in count(names["answer"]).lines if line.startswith("Came:"))
    assert came.startswith("Came:     AttributeError: ") and came.endswith("(line 3 of the cell)")


def test_a_wrong_number_of_arguments_is_told_without_a_line_of_ours():
    (came,) = (line for line in count(lambda: 3).lines if line.startswith("Came:"))
    assert "takes 0 positional arguments" in came and "of the cell" not in came


def test_endless_recursion_is_told_too():
    def answer(sequence):
        return answer(sequence)

    assert "RecursionError" in repr(count(answer))


def test_an_answer_that_changes_its_input_is_told_even_if_its_result_is_right():
    def answer(codes):
        codes[codes < 0] = 0
        return codes

    feedback = mask(answer)
    assert feedback.state == NOT_YET
    assert "changed its input" in hint(feedback)
    tried = feedback.lines[0]
    assert "-" in tried, "the input is shown as it was before"


def test_an_input_that_cannot_be_compared_is_not_said_to_be_changed():
    draws = Exercise(
        lambda rng: int(rng.integers(100)), lambda rng: [(np.random.default_rng(5),)]
    )
    assert draws(lambda rng: int(rng.integers(100))).correct
    assert hint(draws(lambda rng: "seven")) == "a whole number is expected, and a string came."


@pytest.mark.parametrize(
    "answer, words",
    [
        (lambda codes: (codes * (codes > 0)).tolist(), "a list came; make it an array"),
        (lambda codes: (codes * (codes > 0)).T, "the shape should be (2, 3) and is (3, 2)"),
        (lambda codes: 5, "an array is expected, and a whole number came"),
        (lambda codes: "ACGT", "an array is expected, and a string came"),
        (lambda codes: codes.sort(), "gives back nothing"),
    ],
)
def test_another_type_or_shape_is_told_in_words(answer, words):
    assert words in hint(mask(answer))


marks = Exercise(lambda codes: codes > 0, lambda rng: [(np.array([-1, 2, 3]),)])


@pytest.mark.parametrize(
    "answer, words",
    [
        (lambda codes: (codes > 0).astype(np.int64), "(dtype bool), and the array holds int64"),
        (lambda codes: (codes > 0).astype(float), "(dtype bool), and the array holds float64"),
        (lambda codes: (codes > 0).astype(object), "the array holds Python objects"),
    ],
)
def test_an_array_of_true_and_false_is_not_one_of_numbers(answer, words):
    """They look alike when shown, and pick other rows when used as an index."""
    assert marks(lambda codes: codes > 0).correct
    assert words in hint(marks(answer))


def test_text_where_a_number_is_expected_is_told():
    assert hint(count(lambda s: str(s.count("G")))) == (
        "a whole number is expected, and a string came."
    )


def test_an_expected_error_is_named_and_accepted():
    def refuse(sequence):
        if not sequence:
            raise ValueError("empty")
        return len(sequence)

    exercise = Exercise(refuse, lambda rng: [("A",), ("",)])
    assert exercise(refuse).correct
    assert exercise(len).lines == ("Tried:    ''", "Came:     0", "Expected: ValueError")


@pytest.mark.parametrize("answer, kind", [(5, "a whole number: 5"), (None, "nothing: None")])
def test_something_that_is_no_function_is_named(answer, kind):
    assert f"A function is expected here; this is {kind}" in repr(count(answer))


# --- how it is shown -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "answer, sign, state",
    [(..., "○", NOT_STARTED), (with_a_value, "✗", NOT_YET), (count_g, "✓", CORRECT)],
)
def test_right_and_wrong_are_told_by_a_sign_and_words_not_by_colour_alone(answer, sign, state):
    feedback = count(answer)
    bundle = feedback._repr_mimebundle_()
    for shown in (Words(bundle["text/html"]).words, bundle["text/plain"]):
        assert shown.startswith(f"{sign} {state}")
        for line in feedback.lines:
            assert line in shown
    assert 'role="status"' in bundle["text/html"]


def test_nasty_answers_are_shown_as_they_are():
    echo = Exercise(lambda words: words + "!", lambda rng: [(NASTY,)])
    shown = Words(echo(lambda words: words)._repr_mimebundle_()["text/html"])
    assert repr(NASTY) in shown.words
    assert set(shown.tags) == {"div", "b"}


def test_a_picture_of_both_is_shown_where_the_exercise_can_draw_them():
    def draw(value):
        if value < 0:
            raise ValueError("cannot be drawn")
        return Picture(f"<svg><text>{value}</text></svg>", f"a picture of {value}").html()

    exercise = Exercise(lambda n: 2 * n, lambda rng: [(4,)], draw=draw)
    feedback = exercise(lambda n: n)
    assert [caption for caption, _ in feedback.pictures] == ["expected", "yours"]
    html = feedback._repr_mimebundle_()["text/html"]
    assert 'alt="a picture of 8"' in html and 'alt="a picture of 4"' in html
    assert exercise(lambda n: -n).pictures == ()  # no such picture, and no complaint either


def test_long_values_are_cut_and_say_how_long_they_are():
    exercise = Exercise(lambda n: "A" * n, lambda rng: [(1000,)])
    assert f"({1002} characters)" in repr(exercise(lambda n: "C" * n))
    assert len(repr(exercise(lambda n: "C" * n))) < 500


# --- when two answers are the same ---------------------------------------------------------------


@pytest.mark.parametrize(
    "expected, given",
    [
        (3, np.int64(3)),
        (0.1, np.float32(0.1)),
        (0.1 + 0.2, 0.3),
        (3, 3.0),
        (True, np.True_),
        ("A", np.str_("A")),
        (float("nan"), float("nan")),
        ([1, 2], (1, 2)),
        ({"a": [1]}, {"a": [1.0]}),
        (np.array([1, 0]), np.array([1.0, 0.0])),
        (np.array(["A", "C"]), np.array(["A", "C"])),
        (np.array([True, False]), np.array([True, False])),
        (None, None),
    ],
)
def test_answers_that_mean_the_same_are_the_same(expected, given):
    assert same(expected, given)


@pytest.mark.parametrize(
    "expected, given",
    [
        (3, 4),
        (3, "3"),
        (True, 1),
        (1, True),
        (0.1, 0.1001),
        ("A", "a"),
        ([1, 2], [1, 2, 3]),
        ({"a": 1}, {"b": 1}),
        ({"a": 1}, [("a", 1)]),
        (np.zeros((2, 3)), np.zeros((3, 2))),
        (np.zeros(3), [0, 0, 0]),
        (np.zeros(3), np.array(["0", "0", "0"])),
        (np.array(["A"]), np.array([0])),
        (np.array([True, False]), np.array([1, 0])),
        (np.array([True, False]), np.array([1.0, 0.0])),
        (np.array([True, False]), np.array([True, False], dtype=object)),
        (np.zeros(1), 0),
        (0, np.zeros(1)),
        (np.zeros(2), np.array([0, np.nan])),
        (0, None),
    ],
)
def test_answers_that_differ_in_kind_shape_or_value_are_not_the_same(expected, given):
    assert not same(expected, given)


def test_tensors_are_compared_with_tensors_of_the_same_type_alone():
    torch = pytest.importorskip("torch")
    zeros = torch.zeros(2, 3)
    assert same(zeros, torch.zeros(2, 3))
    assert same(zeros, torch.zeros(2, 3, requires_grad=True))
    assert not same(zeros, torch.ones(2, 3))
    assert not same(zeros, torch.zeros(2, 3, dtype=torch.uint8))
    assert not same(zeros, torch.zeros(3, 2))
    assert not same(zeros, np.zeros((2, 3)))
