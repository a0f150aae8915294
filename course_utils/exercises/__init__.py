"""Exercises that check themselves: what was tried, what came, what was expected, which slip it is.

An exercise asks the reader for a function. :class:`Exercise` runs it on fresh seeded inputs and
compares it with an *oracle*, a plain loop of our own. If it differs, it is compared with the usual
*mistakes*, each of them a small function too: the answer that gives what a mistake gives gets that
mistake's hint. One file of this folder for each lesson; a lesson says::

    from course_utils.exercises import lesson_01 as check
    check.encode(encode)

How to add one: CONTRIBUTING.md. That every solution passes and every listed wrong answer gets its own
hint is proved by ``tests/test_exercises.py``.
"""

import copy
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from html import escape
from numbers import Real
from typing import Any

import numpy as np

NOT_STARTED, NOT_YET, CORRECT = "Not started yet", "Not yet", "Correct"
_SIGN = {NOT_STARTED: "○", NOT_YET: "✗", CORRECT: "✓"}
_COLOUR = {NOT_STARTED: "#5c5c5c", NOT_YET: "#8a1c00", CORRECT: "#00563f"}


@dataclass(frozen=True)
class Mistake:
    """A usual slip: a function that makes it, and the hint for a reader whose answer does the same."""

    answer: Callable[..., Any]
    hint: str


@dataclass(frozen=True)
class Feedback:
    """What a check says: a state in words and a sign, then lines, then pictures if they say more."""

    state: str
    lines: tuple[str, ...] = ()
    pictures: tuple[tuple[str, str], ...] = ()  # (caption, <img> markup)

    @property
    def correct(self) -> bool:
        return self.state == CORRECT

    def __repr__(self) -> str:
        return "\n".join((f"{_SIGN[self.state]} {self.state}", *self.lines))

    def _repr_mimebundle_(self, include=None, exclude=None) -> dict[str, str]:
        first = f"<b>{_SIGN[self.state]} {self.state}</b>"
        body = "".join(
            f'<div style="white-space:pre-wrap;font-family:monospace">{escape(line)}</div>'
            for line in self.lines
        )
        shown = "".join(
            f'<figure style="margin:6px 12px 0 0;display:inline-block">'
            f"<figcaption>{escape(caption)}</figcaption>{image}</figure>"
            for caption, image in self.pictures
        )
        # The colour repeats what the sign and the word say. The paper stays white so that the
        # contrast holds under a dark theme too.
        html = (
            f'<div role="status" style="border-left:5px solid {_COLOUR[self.state]};'
            f'background:#fff;color:#1b1b1b;padding:6px 12px">{first}{body}{shown}</div>'
        )
        return {"text/html": html, "text/plain": repr(self)}


class Exercise:
    """A function to be written by the reader, and how to judge it.

    Args:
        oracle: the right answer as a plain function, easy to read rather than fast.
        cases: a generator of random numbers -> inputs to try, each a tuple of arguments. The first
            ones are small, because the first failure is the one that is shown.
        mistakes: usual slips, each with its own hint.
        draw: value -> ``<img>`` markup, where a picture says more than numbers; it may raise
            ``ValueError`` for a value that cannot be drawn.

    Calling it with the reader's function gives a :class:`Feedback`.
    """

    def __init__(
        self,
        oracle: Callable[..., Any],
        cases: Callable[[np.random.Generator], Iterable[tuple]],
        mistakes: Iterable[Mistake] = (),
        draw: Callable[[Any], str] | None = None,
    ):
        self.oracle, self.cases = oracle, cases
        self.mistakes, self.draw = tuple(mistakes), draw

    def __call__(self, answer: Callable[..., Any], seed: int = 0) -> Feedback:
        if answer is ... or is_untouched(answer):
            return Feedback(NOT_STARTED, ("Write your answer in the cell above, then run both.",))
        if not callable(answer):
            return Feedback(
                NOT_YET, (f"A function is expected here; this is {_kind(answer)}: {show(answer)}",)
            )
        cases = list(self.cases(np.random.default_rng(seed)))
        if not cases:  # "correct" must never mean that nothing was asked
            raise ValueError("this exercise has no inputs to try; its `cases` gave none")
        expected = [_outcome(self.oracle, case) for case in cases]
        given = [_outcome(answer, case) for case in cases]
        wrong = [i for i, (e, g) in enumerate(zip(expected, given)) if not e.same_as(g)]
        if not wrong:
            return Feedback(CORRECT, (f"{len(cases)} inputs tried, all of them right.",))
        first = wrong[0]
        tried, came, wanted, pictures = self._what_happened(
            cases[first], expected[first], given[first]
        )
        hint = self._hint(cases, expected, given) or _general_hint(expected[first], given[first])
        return not_yet(tried, came, wanted, hint, pictures)

    def _hint(self, cases, expected, given) -> str:
        """The hint of the first mistake that gives what the answer gives, on every input."""
        for mistake in self.mistakes:
            slips = [_outcome(mistake.answer, case) for case in cases]
            if all(slip.same_as(g) for slip, g in zip(slips, given)):
                return mistake.hint
        return ""

    def _what_happened(self, case, expected, given):
        came = show(given.value)
        if given.error:
            came = f"{type(given.error).__name__}: {given.error}{given.place}"
        wanted = type(expected.error).__name__ if expected.error else show(expected.value)
        pictures = []
        if self.draw and not given.error and not expected.error:
            try:
                pictures = [
                    ("expected", self.draw(expected.value)),
                    ("yours", self.draw(given.value)),
                ]
            except Exception:  # the answer may be anything; what cannot be drawn is told in words
                pictures = []
        return ", ".join(map(show, case)), came, wanted, tuple(pictures)


def not_yet(
    tried: str, came: str, expected: str, hint: str = "", pictures: tuple[tuple[str, str], ...] = ()
) -> Feedback:
    """The answer to an answer that is not right: what was tried, what came, what was expected."""
    lines = [f"Tried:    {tried}", f"Came:     {came}", f"Expected: {expected}"]
    return Feedback(NOT_YET, (*lines, *([f"Hint:     {hint}"] if hint else [])), pictures)


# --- running an answer ---------------------------------------------------------------------------


@dataclass
class _Outcome:
    value: Any = None
    error: Exception | None = None
    place: str = ""
    changed_input: bool = False

    def same_as(self, other: "_Outcome") -> bool:
        if self.error or other.error:
            pair = (self.error, other.error)
            # A failed look-up is the same slip with a list, a string or a dictionary.
            failed_look_up = all(isinstance(error, (LookupError, ValueError)) for error in pair)
            return failed_look_up or type(self.error) is type(other.error)
        return self.changed_input == other.changed_input and same(self.value, other.value)


def _outcome(function: Callable[..., Any], case: tuple) -> _Outcome:
    """Call the function on a copy of the input; note the value or error, and what it did to it."""
    arguments = copy.deepcopy(case)
    try:
        value = function(*arguments)
    except Exception as error:  # whatever a beginner's function may raise is told, not thrown
        return _Outcome(error=error, place=_place(error))
    return _Outcome(value, changed_input=not same(list(arguments), list(case)))


def _place(error: Exception) -> str:
    inside = error.__traceback__.tb_next  # the first frame is our own call
    return f" (line {inside.tb_lineno} of the cell)" if inside else ""


def same(expected: Any, given: Any) -> bool:
    """Whether two values are the same answer: equal types of thing, shapes, and numbers to 1e-6."""
    expected, given = _plain(expected), _plain(given)
    if isinstance(expected, (list, tuple)):
        return (
            isinstance(given, (list, tuple))
            and len(expected) == len(given)
            and all(same(e, g) for e, g in zip(expected, given))
        )
    if _is_array(expected) or _is_array(given):
        if _is_array(expected) != _is_array(given) or _is_tensor(expected) != _is_tensor(given):
            return False
        if _is_tensor(expected) and expected.dtype != given.dtype:
            return False  # torch is strict about types, so an exercise on tensors is too
        expected, given = _numbers(expected), _numbers(given)
        if expected.shape != given.shape or expected.dtype.kind in "US":
            return expected.shape == given.shape and bool((expected == given).all())
        if expected.dtype.kind == "b" and given.dtype.kind != "b":
            return False  # 0 and 1 look right and pick other rows when used as an index
        return given.dtype.kind in "fiub" and np.allclose(expected, given, 1e-6, 1e-6, True)
    if isinstance(expected, dict):
        return (
            isinstance(given, dict)
            and expected.keys() == given.keys()
            and all(same(expected[key], given[key]) for key in expected)
        )
    if isinstance(expected, bool) or isinstance(given, bool):
        return isinstance(expected, bool) and isinstance(given, bool) and expected == given
    if isinstance(expected, (int, float)) and isinstance(given, (int, float)):
        return bool(np.isclose(expected, given, 1e-6, 1e-9, equal_nan=True))
    return type(expected) is type(given) and expected == given


def _is_tensor(value: Any) -> bool:
    return hasattr(value, "detach")  # a torch tensor, without importing torch


def _is_array(value: Any) -> bool:
    return isinstance(value, np.ndarray) or _is_tensor(value)


def _plain(value: Any) -> Any:
    """numpy's own numbers and strings are as good as Python's: np.int64(3) is 3."""
    return value.item() if isinstance(value, np.generic) else value


def _numbers(value: Any) -> np.ndarray:
    if _is_tensor(value):
        value = value.detach().cpu().to_dense()
        if value.is_floating_point():
            value = value.double()  # numpy does not know bfloat16
    return np.asarray(value)


# --- words ---------------------------------------------------------------------------------------


def _general_hint(expected: _Outcome, given: _Outcome) -> str:
    """What can be said of any answer: its kind, shape and type, and what it did to its input."""
    if given.error or expected.error:
        return ""
    if given.value is None:
        return "your function gives back nothing; does it end with `return`?"
    if given.changed_input and not expected.changed_input:
        return "your function changed its input; work on a copy."
    want, got = _plain(expected.value), _plain(given.value)
    if isinstance(want, np.ndarray) and isinstance(got, list):
        return "a list came; make it an array with np.array(...)."
    if _kind(want) != _kind(got) and not (isinstance(want, Real) and isinstance(got, Real)):
        return f"{_kind(want)} is expected, and {_kind(got)} came."
    if _is_array(want) and tuple(want.shape) != tuple(got.shape):
        return f"the shape should be {tuple(want.shape)} and is {tuple(got.shape)}."
    if _is_tensor(want) and want.dtype != got.dtype:
        return f"the type of the numbers should be {want.dtype} and is {got.dtype}."
    if isinstance(want, np.ndarray) and got.dtype == object:
        return "the array holds Python objects (dtype object); leave dtype away, or ask for a plain type."
    if isinstance(want, np.ndarray) and want.dtype == bool != got.dtype:
        return f"True and False are expected (dtype bool), and the array holds {got.dtype}."
    return ""


def _kind(value: Any) -> str:
    names = {"str": "a string", "int": "a whole number", "float": "a number", "ndarray": "an array"}
    names |= {"NoneType": "nothing"}
    name = type(value).__name__
    return names.get(name, f"a {name}")


def show(value: Any) -> str:
    """A value on one short line, or an array on a few aligned ones."""
    try:
        return _show(value)
    except Exception:  # the answer may be anything, also something that cannot be written down
        return f"({_kind(value)} that cannot be shown)"


def _show(value: Any) -> str:
    if _is_array(value):
        array = _numbers(value)
        kind = "tensor" if _is_tensor(value) else "array"
        numbers = np.array2string(array, precision=4, threshold=60, edgeitems=3, separator=", ")
        return f"{kind} of shape {array.shape}\n{numbers}" if array.ndim > 1 else numbers
    words = repr(_plain(value))
    return words if len(words) <= 120 else words[:100] + f"... ({len(words)} characters)"


def _stub(argument):
    """A function nobody has touched: a docstring and three dots."""
    ...


def _stub_without_docstring(argument): ...


_UNTOUCHED = {_stub.__code__.co_code, _stub_without_docstring.__code__.co_code}


def is_untouched(answer: Any) -> bool:
    """Whether a function is still the stub: it holds no value and does nothing but end."""
    code = getattr(answer, "__code__", None)
    return (
        code is not None
        and code.co_code in _UNTOUCHED
        and all(value in (None, ..., answer.__doc__) for value in code.co_consts)
    )
