"""The exercise of lesson 06 that mends a network which sits at chance: it is to learn in every run.

The check trains the reader's networks, so its data are small: 1,500 sequences with or without the word of the
primer, three epochs, a learning rate of 0.01. With this rate the report's deep network was below the mark in 32
of 50 runs and its first network in 1 of 80, so that eight runs tell deep ones apart on any machine.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from course_utils.exercises import CORRECT, NOT_YET, Exercise, Feedback, _kind, is_untouched, not_yet
from course_utils.exercises._judging import Unfit, result_of
from course_utils.motifs import pfm_from_sites, pfm_to_ppm
from course_utils.simulation import simulate

SITE, LENGTH = "CGACCGAACTCC", 50
TO_LEARN, TO_JUDGE = 1500, 1000
RUNS, EPOCHS, BATCH, RATE = 8, 3, 32, 0.01
GOOD = 0.8  # share of right calls; letters without their order do not get there
_DEEP = 6  # linear layers
_FEW = 64  # sequences that a network is tried on first


class _UnstickExercise(Exercise):
    """An exercise whose answer makes untrained networks, each of which is trained and judged."""

    def __call__(self, answer: Callable, seed: int = 0) -> Feedback:
        if is_untouched(answer) or not callable(answer):
            return super().__call__(answer, seed)
        # Rooms with torch are opened here and below, not above: importing an exercise loads none of it.
        from torch import nn

        if isinstance(answer, nn.Module):
            came = f"A function is expected here; this is a network, {type(answer).__name__}."
            hint = "Hint:     give the check build_network itself: it calls it for each run."
            return Feedback(NOT_YET, (came, hint))
        rng = np.random.default_rng(seed)
        learn, judge = _draw(TO_LEARN, rng), _draw(TO_JUDGE, rng)
        tried = f"{RUNS} runs of {EPOCHS} epochs on {TO_LEARN:,} sequences"
        wanted = f"networks that are right in {GOOD:.0%} of {TO_JUDGE:,} fresh sequences, in every run"
        right = []
        try:
            models = _build(answer, seed)
            for run, model in enumerate(models):
                right.append(_train_and_judge(model, learn, judge, 100 * seed + run))
                if sum(share < GOOD for share in right) == 2:
                    break  # two are enough to see that it is no bad luck
        except Unfit as unfit:
            return not_yet(tried, unfit.args[0], wanted, unfit.args[1])
        shares = ", ".join(f"{share:.1%}" for share in right)
        if min(right) >= GOOD:
            return Feedback(CORRECT, (f"{RUNS} runs, each with other first weights. Right in {shares}.",))
        return not_yet(tried, f"right in {shares} (run by run)", wanted, _hint(models[0], right))


def _draw(many: int, rng: np.random.Generator) -> tuple:
    """Inputs (N, 4, 50) and labels (N,), torch tensors in a random order; half of them have the word."""
    import torch

    ppm, half = pfm_to_ppm(pfm_from_sites([SITE])), many // 2
    drawn = simulate(ppm, positives=half, negatives=half, length=LENGTH, rng=rng)
    order = rng.permutation(many)
    inputs = torch.from_numpy(drawn.one_hot[order]).permute(0, 2, 1).contiguous()
    return inputs, torch.from_numpy(drawn.labels[order])


# --- is it a network? ----------------------------------------------------------------------------


def _build(answer: Callable, seed: int) -> list:
    """A network for each run, if all are networks of the right form, and their first weights differ."""
    from course_utils.models import seeded

    models = []
    for run in range(RUNS):
        with seeded(100 * seed + run):
            models.append(result_of(answer))
            _check_network(models[-1])  # here, because lazy layers draw their weights when they see an input
    for model in models[1:]:
        if model is models[0]:
            hint = "make a new network within the function, each time it is called."
            raise Unfit("the same network in each run", hint)
    weights = [[weight.detach() for weight in model.parameters()] for model in models[:2]]
    if not weights[0]:
        raise Unfit("a network without weights", "there is nothing in it that could be learned.")
    if all(a.equal(b) for a, b in zip(*weights)):
        raise Unfit(
            "networks that start from the same first weights in each run",
            "the first weights are the same each time. A lucky seed is no remedy: let them be drawn anew.",
        )
    return models


def _check_network(model: Any) -> None:
    from torch import nn

    if isinstance(model, type):
        hint = "a class is the plan of a network; calling it, with (), makes one."
        raise Unfit(f"the class {model.__name__}", hint)
    if not isinstance(model, nn.Module):
        hint = f"a network is expected, and {_kind(model)} came."
        if model is None:
            hint = "your function gives back nothing; does it end with `return`?"
        raise Unfit(_kind(model), hint)
    inputs, _ = _draw(_FEW, np.random.default_rng(0))
    outputs = _outputs(model.train(), inputs)
    came = f"a network that maps ({_FEW}, 4, {LENGTH}) to {tuple(outputs.shape)}"
    if outputs.shape == (_FEW, 1):
        hint = "one number is right, and its axis too much: squeeze(1) at the end, or nn.Flatten(0)."
        raise Unfit(came, hint)
    if outputs.shape not in ((_FEW,), (_FEW, 2)):
        raise Unfit(came, "logits (N,) or (N, 2) are expected.")
    if not outputs.is_floating_point():
        hint = "these are calls, as argmax makes them, and no gradient gets through: give the logits."
        raise Unfit(f"a network that gives {outputs.dtype}", hint)
    if _are_probabilities(outputs) and _are_probabilities(_outputs(model, 1000 * inputs)):
        raise Unfit(
            "a network that gives probabilities",
            "the last layer is a sigmoid or softmax. The loss has one of its own: give it logits.",
        )


def _are_probabilities(outputs: Any) -> bool:
    """Whether outputs are what a sigmoid or a softmax gives; a network dead from the start gives one number."""
    if outputs.ndim == 2:
        return bool((outputs >= 0).all() and ((outputs.sum(dim=1) - 1).abs() < 1e-4).all())
    return bool((outputs >= 0).all() and (outputs <= 1).all() and outputs.max() > outputs.min())


def _outputs(model: Any, inputs):
    """What a network gives, without gradients."""
    import torch

    try:
        with torch.no_grad():
            outputs = model(inputs)
    except Exception as error:
        raise Unfit(
            f"a network, and with inputs of the shape {tuple(inputs.shape)} it raises "
            f"{type(error).__name__}: {error}",
            f"it is to take inputs (N, 4, {LENGTH}), the bases in the middle.",
        ) from None
    if not isinstance(outputs, torch.Tensor):
        raise Unfit(f"a network that gives {_kind(outputs)}", "its output is to be one tensor.")
    return outputs


# --- does it learn? ------------------------------------------------------------------------------


def _train_and_judge(model: Any, learn: tuple, judge: tuple, seed: int) -> float:
    """Train a network and give the share of fresh sequences in which it is right."""
    import torch
    from torch.nn import functional as F

    from course_utils.models import seeded

    def train(inputs, labels) -> None:
        optimizer = torch.optim.Adam(model.parameters(), lr=RATE)
        for _ in range(EPOCHS):
            for rows in torch.randperm(len(inputs)).split(BATCH):
                logits = model(inputs[rows])
                if logits.ndim == 2:
                    loss = F.cross_entropy(logits, labels[rows])
                else:
                    loss = F.binary_cross_entropy_with_logits(logits, labels[rows].float())
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()

    model.train()
    with seeded(seed):
        try:
            train(*learn)
        except Exception as error:  # whatever a beginner's network may raise is told, not thrown
            raise Unfit(f"a network, and in training it raises {type(error).__name__}: {error}", "") from None
        logits = _outputs(model.eval(), judge[0])
    calls = logits[:, 1] > logits[:, 0] if logits.ndim == 2 else logits > 0
    return (calls == judge[1].bool()).float().mean().item()


def _hint(model: Any, right: list[float]) -> str:
    from torch import nn

    def count(*kinds) -> int:
        return sum(isinstance(layer, kinds) for layer in model.modules())

    stuck = sum(share < 0.6 for share in right)
    norms = count(nn.BatchNorm1d, nn.LayerNorm, nn.GroupNorm)
    if count(nn.Linear) >= _DEEP and stuck:
        if norms:
            return (
                "it is still deep, and some runs are stuck although there is normalisation. Is it behind "
                "every one of the layers, down to the narrow ones at the end?"
            )
        if count(nn.Dropout):
            return (
                "it is still the deep network, in which a signal dies on its way through ten layers, the "
                "last of four units: where all four are 0, no gradient comes back. What does this task need "
                "so many layers for?"
            )
        return (
            "it is deep as before, and without dropout. Dropout was not to blame: the signal dies in the "
            "ten layers, the last of them of four units."
        )
    reach = sum(layer.kernel_size[0] - 1 for layer in model.modules() if isinstance(layer, nn.Conv1d)) + 1
    if count(nn.Conv1d) and reach < len(SITE) / 2:
        return (
            f"its filters look at {reach} letters at a time, and words that short stand everywhere. Are "
            "they to be as wide as the word, 12 letters?"
        )
    if stuck:
        return (
            "it is not deep, and some runs are stuck all the same. Are there several filters, so that a bad "
            "start of one does not matter, and is each weight drawn at random?"
        )
    if not count(nn.Conv1d):
        return (
            "it learns, and too little: it has no filters, so it must learn the word anew at each place. A "
            "convolution and a max-pool over all places know it everywhere."
        )
    return (
        "it learns in each run, and too little in this time. Are there enough filters, and is the best "
        "match of each taken over the whole sequence?"
    )


def _right_network(*_):
    from course_utils.models.binding import MotifDetector

    return MotifDetector()


# The class trains and judges by itself; what stands here is for the tests that all exercises share.
unstick = _UnstickExercise(oracle=_right_network, cases=lambda rng: [()])
