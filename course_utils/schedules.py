"""Schedules of the learning rate: functions of the step that give the factor by which the rate is multiplied.

A schedule knows nothing but the step, counted from 0 over the whole training; so a training that goes on
after a break needs no more than the number of steps done. See `schedule` in
:func:`course_utils.training.fit`. Explained in lesson 10.
"""

import math
from collections.abc import Callable

from course_utils.checks import whole


def cosine(steps: int, warmup: int = 0) -> Callable[[int], float]:
    """A warm-up in equal steps, then half a wave of the cosine down to 0: from 0 to 180 degrees.

    Step i of the warm-up, counted from 0, has the factor ``(i + 1) / (warmup + 1)``, so that the first
    steps are small and not 0. From step `warmup` on it is ``(1 + cos(angle)) / 2`` with an angle that grows
    evenly from 0 at that step to 180 degrees at `steps`: the factor falls from 1 through 1/2 to 0.

    The function takes the steps 0 to `steps`; the last step of a training is ``steps - 1``, where the
    factor is still a little above 0. A later step is refused: with the factor 0 a training would go on and
    learn nothing.

    Args:
        steps: of the whole training, with the warm-up: epochs times batches an epoch.
        warmup: how many of them warm up.

    Raises:
        ValueError: unless both are whole numbers and ``0 <= warmup < steps``; from the function, for a step
            that is not in 0 to `steps`.

    Source: Loshchilov and Hutter, ICLR 2017, arXiv:1608.03983, without the restarts (lesson 10).
    """
    for what, number, least in (("steps", steps, 1), ("warmup", warmup, 0)):
        if whole(number) is None or whole(number) < least:
            raise ValueError(f"{what} is {number!r}; a whole number from {least} up is expected")
    steps, warmup = whole(steps), whole(warmup)
    if warmup >= steps:
        raise ValueError(f"warmup is {warmup} of {steps} steps in all; fewer are expected, for the cosine to follow")

    def factor(step: int) -> float:
        if not 0 <= step <= steps:
            raise ValueError(
                f"step {step} is not among the {steps} of this schedule; cosine(steps) takes those of all epochs"
            )
        if step < warmup:
            return (step + 1) / (warmup + 1)
        return 0.5 * (1 + math.cos(math.pi * (step - warmup) / (steps - warmup)))

    return factor
