"""The last of lesson 04's exercises: a network that comes close to the best that can be reached.

What it judges is a trained network, so nothing is compared value by value. The network classifies fresh
sequences, and so does the best rule of lesson 03, *the same ones*: what the network lacks is then known to
less than 0.1 percent (one standard error), where two samples of 50,000 would each be off by 0.13.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from course_utils.exercises import (
    CORRECT,
    NOT_YET,
    Exercise,
    Feedback,
    _kind,
    _place,
    is_untouched,
    not_yet,
)
from course_utils.likelihoods import log_likelihood_ratio
from course_utils.motifs import pfm_to_ppm
from course_utils.simulation import CCGGAA, LabelledSet, simulate

LENGTH, TO_LEARN, TO_JUDGE = 20, 100_000, 50_000
ALLOWED = 0.005  # of accuracy below the best rule
_TWO_LOGITS = "each sequence is to get two numbers, its logits for the classes 0 and 1."
_COIN = (0.4, 0.6)  # networks that were not trained lie inside; those with swapped columns lie below


def _draw(many: int, rng: np.random.Generator) -> LabelledSet:
    """So many sequences; half of them, the first half, have a site somewhere."""
    ppm, half = pfm_to_ppm(CCGGAA), many // 2
    return simulate(ppm, positives=half, negatives=half, length=LENGTH, rng=rng)


def _best_calls(judged: LabelledSet) -> np.ndarray:
    """The calls ``(N,)`` of the best rule: positive where that is the likelier origin."""
    return log_likelihood_ratio(judged.codes, pfm_to_ppm(CCGGAA)) > 0


class _Unfit(Exception):
    """Why an answer cannot be judged: what came, and the hint."""


class _CeilingExercise(Exercise):
    """An exercise whose answer returns a trained network, which is judged on fresh sequences.

    The answer is called once. Inside, torch's random numbers start from the seed, so that an answer that
    sets none gives the same network each time; afterwards they go on as if nothing had happened.
    """

    def __call__(self, answer: Callable, seed: int = 0) -> Feedback:
        if is_untouched(answer) or not callable(answer):
            return super().__call__(answer, seed)
        # Rooms with torch are opened here and below, not above: importing an exercise loads none of it.
        from torch import nn

        from course_utils.models import seeded

        if isinstance(answer, nn.Module):
            came = f"A function is expected here; this is a network, {type(answer).__name__}."
            return Feedback(NOT_YET, (came, "Hint:     give the check train_network itself: it calls it."))
        rng = np.random.default_rng(seed)
        to_learn = _draw(TO_LEARN, rng)
        order = rng.permutation(TO_LEARN)  # so that a part cut off holds both classes
        try:
            with seeded(seed):
                model = _train(answer, to_learn, order)
                _check_network(model)
                judged = _draw(TO_JUDGE, rng)
                return _feedback(model, judged)
        except _Unfit as unfit:
            came, hint = unfit.args
            expected = f"a trained network that maps (M, 4, {LENGTH}) to logits (M, 2)"
            return not_yet(f"{TO_LEARN:,} sequences to learn from", came, expected, hint)


# --- is it a network? ----------------------------------------------------------------------------


def _tensor(one_hot: np.ndarray):
    """One-hot sequences ``(N, L, 4)`` as networks take them: ``(N, 4, L)``."""
    import torch

    return torch.from_numpy(one_hot).permute(0, 2, 1).contiguous()


def _train(answer: Callable, to_learn: LabelledSet, order: np.ndarray) -> Any:
    """What the answer returns for these sequences, in this order."""
    import torch

    inputs = _tensor(to_learn.one_hot[order])
    labels = torch.from_numpy(to_learn.labels[order])
    try:
        return answer(inputs, labels)
    except Exception as error:  # whatever a beginner's function may raise is told, not thrown
        raise _Unfit(f"{type(error).__name__}: {error}{_place(error)}", "") from None


def _check_network(model: Any) -> None:
    """Say so unless it is a network that gives two logits for each of a few sequences."""
    from torch import nn

    from course_utils.training import History

    if isinstance(model, type):
        raise _Unfit(
            f"the class {model.__name__}",
            "a class is the plan of a network; calling it, with (), makes one.",
        )
    if not isinstance(model, nn.Module):
        hint = f"a network is expected, and {_kind(model)} came."
        if model is None:
            hint = "your function gives back nothing; does it end with `return`?"
        elif isinstance(model, History):
            hint = "fit() trains the network where it is and returns what happened; return the network."
        elif isinstance(model, (tuple, list)) and any(isinstance(part, nn.Module) for part in model):
            hint = "several things came, and a network is among them: return it alone."
        raise _Unfit(_kind(model), hint)
    few = _draw(8, np.random.default_rng(0))
    shape = tuple(_outputs(model, few).shape)
    if shape != (8, 2):
        hint = _TWO_LOGITS
        if shape in [(8,), (8, 1)]:
            hint = (
                "one number came for each sequence; let the last layer have two outputs, a logit for each "
                "class."
            )
        raise _Unfit(f"a network that maps (8, 4, {LENGTH}) to {shape}", hint)


def _outputs(model: Any, sequences: LabelledSet):
    """What a network gives for sequences, in eval mode and without gradients."""
    import torch

    inputs = _tensor(sequences.one_hot)
    device = next((parameter.device for parameter in model.parameters()), "cpu")
    was_training = model.training
    try:
        model.eval()
        with torch.no_grad():  # `predict` expects tensors to come out, which is not yet known
            parts = [model(batch.to(device)) for batch in inputs.split(1000)]
    except Exception as error:
        raise _Unfit(
            f"a network, and with inputs of the shape {tuple(inputs.shape)} it raises "
            f"{type(error).__name__}: {error}",
            f"it is judged on inputs as your function gets them: (M, 4, {LENGTH}), the bases in the middle.",
        ) from None
    finally:
        model.train(was_training)
    if not all(isinstance(part, torch.Tensor) for part in parts):
        raise _Unfit(f"a network that gives {_kind(parts[0])}", "its outputs are to be one tensor.")
    if any(part.ndim == 0 or part.shape[1:] != parts[0].shape[1:] for part in parts):
        raise _Unfit(f"a network that maps {tuple(inputs.shape)} to {tuple(parts[0].shape)}", _TWO_LOGITS)
    return torch.cat(parts).cpu()


def _calls(model: Any, judged: LabelledSet) -> np.ndarray:
    """Which sequences ``(N,)`` a network calls positive."""
    logits = _outputs(model, judged)
    if logits.isnan().any():
        raise _Unfit(
            "a network whose outputs are NaN",
            "NaN means that the training went astray; smaller steps (the learning rate) keep it on its way.",
        )
    return (logits[:, 1] > logits[:, 0]).numpy()


def _is_place_bound(model: Any) -> bool:
    """Whether a network has weights for each place, so that it cannot take longer sequences."""
    # Twice the length: a few bases more may leave a network that pools by fives as many places as before.
    longer = simulate(
        pfm_to_ppm(CCGGAA), positives=4, negatives=4, length=2 * LENGTH, rng=np.random.default_rng(0)
    )
    try:
        _outputs(model, longer)
    except _Unfit:
        return True
    return False


# --- how good is it? -----------------------------------------------------------------------------


def _feedback(model: Any, judged: LabelledSet) -> Feedback:
    calls = _calls(model, judged)
    right = np.mean(calls == judged.labels)
    best = np.mean(_best_calls(judged) == judged.labels)
    missing = best - right
    if missing <= ALLOWED + 1e-9:
        below = f"{missing:.2%} below it" if missing > 5e-5 else "no lower here"
        return Feedback(
            CORRECT,
            (
                f"Your network is right in {right:.2%} of {TO_JUDGE:,} fresh sequences. The ceiling on "
                f"these is {best:.2%}, and you are {below}.",
            ),
        )
    return not_yet(
        f"{TO_LEARN:,} sequences to learn from, and {TO_JUDGE:,} fresh ones to judge by",
        f"a network that is right in {right:.2%}",
        f"{best - ALLOWED:.2%} or more; the ceiling on these sequences is {best:.2%}",
        _hint(model, calls, right),
    )


def _hint(model: Any, calls: np.ndarray, right: float) -> str:
    if calls.all() or not calls.any():
        return (
            f"it calls every sequence {'positive' if calls.all() else 'negative'}. Either it was not "
            "trained (is it the one that the optimizer got?), or its training collapsed, which too large "
            "steps (the learning rate) do."
        )
    if right < _COIN[0]:
        return (
            "it is wrong much more often than a coin, so it has learned and the columns are swapped: "
            "column 1 is to be the positives."
        )
    if right < _COIN[1]:
        return (
            "this is hardly better than a coin: the network that you return has learned nothing. Was it this "
            "one that was trained, with an optimizer made from its own parameters?"
        )
    if _is_place_bound(model):
        return (
            "it takes sequences of this length alone, so it has weights for each place and learns each "
            "place anew. What could pool over all places?"
        )
    return (
        "it is not bound to the places, which is right. Are its filters as wide as the motif, and are there "
        "several? Then let it train for longer, or with larger steps."
    )


# The class draws and judges by itself; what stands here is for the tests that all exercises share.
at_the_ceiling = _CeilingExercise(
    oracle=lambda to_learn, judged: _best_calls(judged),
    cases=lambda rng: [(_draw(TO_LEARN, rng), _draw(TO_JUDGE, rng))],
)
