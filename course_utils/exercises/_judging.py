"""What exercises need that judge an answer by what it does, not by one right value (lessons 06 and 10)."""

from collections.abc import Callable
from typing import Any

from course_utils.exercises import _place


class Unfit(Exception):
    """Why an answer cannot be judged: what came, and the hint."""


def result_of(answer: Callable, *arguments: Any) -> Any:
    """What an answer gives; whatever a beginner's function may raise is told as :class:`Unfit`, with the line."""
    try:
        return answer(*arguments)
    except Exception as error:
        raise Unfit(f"{type(error).__name__}: {error}{_place(error)}", "") from None
