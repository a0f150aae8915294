"""The mutate explorer of lesson 07: change a base, and see at once what a network makes of the sequence.

Arrow keys move over the bases and change the one under the cursor. Above, what the network predicts with each
of the four bases there, and what its gradient promises; below, input times gradient, on the sequence and on its
reverse complement. A network that treats both strands alike gives both the same heights, which are drawn once;
another one does not, and the second logo stands below the first.

* The letters are the state: a control of their own, which the base slider writes to, and which can be typed.
* Positions are numbered from 0, along the sequence; the minus strand stands below, base under base.
* Only the base at the cursor is mutated: all 600 mutants of 100 bases and both strands would keep a reader waiting.
"""

import copy
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import Any

import ipywidgets
import numpy as np

from course_utils.explorers import Explorer
from course_utils.explorers._mutate_picture import draw
from course_utils.explorers._words import write_many
from course_utils.sequences import ALPHABET, SequenceError, one_hot, reverse_complement

SHORTEST, LONGEST = 2, 120  # bases that fit a page
SAME = 0.005  # logits: what would be written as 0.00
ASKED = 16  # sequences of which it is asked whether both strands are alike
LONGEST_LABEL = 18  # letters of a name that fit beside a slider


@dataclass(frozen=True, eq=False)
class MutateView:
    """A sequence, what a network predicts for it, and what each letter is worth.

    Attributes:
        name: of the sequence.
        original, sequence: as it was handed over, and as it is shown.
        position: the cursor, from 0.
        centred: whether each position's mean over A, C, G, T is taken off the gradient.
        mutations: positions where the sequence differs from the original; none if their lengths differ.
        undone: whether the letters are left aside, for the original to be shown.
        aside: how many mutations that leaves aside.
        before, logit, reverse: logits of the original, the sequence, and its reverse complement.
        choices: logits with A, C, G, T at the position, ``(4,)``.
        promised: the same if the gradient went on as it begins, ``(4,)``.
        plus, minus: input x gradient ``(L, 4)`` of the sequence and of its reverse complement, in logits. Row i
            of both is position i, where the minus strand has the complement.
        apart: the largest difference of a letter's height on the two strands, in logits.
        alike: whether the network treats both strands alike, as far as its answers tell.
        limits: of the axis of plus and minus; the same wherever the cursor stands.
        span: of the axis of the logits.
    """

    name: str
    original: str
    sequence: str
    position: int
    centred: bool
    mutations: tuple[int, ...]
    undone: bool
    aside: int
    before: float
    logit: float
    reverse: float
    choices: np.ndarray
    promised: np.ndarray
    plus: np.ndarray
    minus: np.ndarray
    apart: float
    alike: bool
    limits: tuple[float, float]
    span: tuple[float, float]


class Study:
    """A network as it is now, and named sequences; what it gives for them is computed once.

    Args:
        model: ``(N, 4, L)`` -> logits ``(N,)``, ``(N, 1)`` or ``(N, 2)``. A copy is kept, on the CPU and without
            dropout: the model may be trained further.
        sequences: name -> letters A, C, G, T.

    Raises:
        ValueError: for another model, no sequences, or letters that are none.
    """

    def __init__(self, model: Any, sequences: Mapping[str, str]):
        from torch import nn  # importing an explorer loads no torch

        if not isinstance(model, nn.Module):
            raise ValueError(f"the model is of type {type(model).__name__}; a torch.nn.Module is expected")
        if not isinstance(sequences, Mapping):
            raise SequenceError(
                f"the sequences come as a {type(sequences).__name__}; a dict is expected, name -> sequence"
            )
        if not sequences:
            raise SequenceError("there are no sequences: the dict is empty; one or more are expected")
        self.names = tuple(str(name) for name in sequences)
        self.sequences = tuple(
            check_letters(letters, f" of {str(name)[:40]!r}") for name, letters in sequences.items()
        )
        # float64, as in course_utils.interpretation: both strands give the same to the last digit that is shown.
        self.model = copy.deepcopy(model).cpu().double().eval().requires_grad_(False)
        self.logits = lru_cache(256)(self._logits)
        self.strands = lru_cache(32)(self._strands)
        self.known = []
        for name, letters in zip(self.names, self.sequences):
            try:
                self.known.append(float(self.logits((letters,))[0]))
            except ValueError as error:
                raise ValueError(f"the sequence {name[:40]!r}: {error}") from None
        # Of the network, not of each mutant: the picture would change its height where a mutation opens a filter.
        self.alike = all(_apart(*self.attributions(letters, False)) < SAME for letters in self.sequences[:ASKED])

    def _logits(self, sequences: tuple[str, ...]) -> np.ndarray:
        """``(N,)`` logits of sequences of one length."""
        return self._ask(sequences, False)[0]

    def _strands(self, sequence: str) -> tuple[np.ndarray, np.ndarray]:
        """Logits ``(2,)`` and gradients ``(2, L, 4)`` of a sequence and its reverse complement, in one pass.

        Each gradient runs along its own strand.
        """
        logits, gradients = self._ask((sequence, reverse_complement(sequence)), True)
        return logits, gradients.transpose(0, 2, 1)

    def gradients(self, sequence: str, centred: bool) -> np.ndarray:
        """``(2, L, 4)`` of both strands, what :func:`course_utils.interpretation.saliency` gives."""
        _, gradients = self.strands(sequence)
        return gradients - gradients.mean(axis=2, keepdims=True) if centred else gradients

    def attributions(self, sequence: str, centred: bool) -> tuple[np.ndarray, np.ndarray]:
        """Input x gradient ``(L, 4)`` of both strands, at the positions of the sequence."""
        plus, minus = self.gradients(sequence, centred)
        return one_hot(sequence) * plus, (one_hot(reverse_complement(sequence)) * minus)[::-1]

    def _ask(self, sequences: tuple[str, ...], gradients: bool) -> tuple[np.ndarray, ...]:
        """Logits ``(N,)`` and, if wanted, gradients ``(N, 4, L)``."""
        import torch

        from course_utils.interpretation import logit_of

        inputs = torch.from_numpy(one_hot(sequences)).double().permute(0, 2, 1).contiguous()  # (N, 4, L)
        try:
            with torch.enable_grad():  # the copy's weights ask for none
                logits = logit_of(self.model, inputs.requires_grad_(gradients))
                found = [logits]
                if gradients:
                    found += torch.autograd.grad(logits.sum(), inputs, materialize_grads=True)
        except RuntimeError as error:  # what torch says of a sequence that its layers cannot take
            reason = str(error).splitlines()[0]
            raise ValueError(
                f"the network does not take a sequence of {len(sequences[0])} bases: {reason}"
            ) from None
        answers = tuple(answer.detach().numpy() for answer in found)
        for answer in answers:
            if not np.isfinite(answer).all():
                wrong = answer[~np.isfinite(answer)][0]
                raise ValueError(f"the network answers with {wrong}; numbers are expected")
        return answers


def check_letters(letters: str, where: str = "") -> str:
    """The sequence in capitals, without blanks around it.

    Raises:
        SequenceError: for too few or too many letters, or one that is not A, C, G or T.
    """
    if not isinstance(letters, str):
        raise SequenceError(f"the sequence{where} is of type {type(letters).__name__}; a str is expected")
    letters = letters.strip().upper()
    for place, letter in enumerate(letters):
        if letter not in ALPHABET:
            raise SequenceError(
                f"letter {letter!r} at position {place}{where} (counting from 0) is none of A, C, G and T"
            )
    if not SHORTEST <= len(letters) <= LONGEST:
        remedy = ": cut out the part that matters" if len(letters) > LONGEST else ""
        raise SequenceError(
            f"the sequence{where} has {write_many(len(letters), 'base')}; "
            f"{SHORTEST} to {LONGEST} fit the page{remedy}"
        )
    return letters


def compute(
    study: Study,
    sequence: int = 0,
    letters: str = "",
    position: int = 0,
    centred: bool = True,
    undone: bool = False,
) -> MutateView:
    """What the network says of a sequence, of each base at the position, and of each letter.

    Args:
        study: the network and the sequences.
        sequence: the number of the one that is mutated.
        letters: as they are now, of any length.
        position: the cursor, from 0; beyond the last base, the last.
        centred: take each position's mean over A, C, G, T off the gradient.
        undone: leave the letters aside and show the original.

    Raises:
        SequenceError: for letters other than A, C, G, T, or too few or too many for the page.
        ValueError: for a number or a position that is not there, or if the network does not take sequences of
            this length.
    """
    if position < 0:
        raise ValueError(f"position is {position}; the first base is number 0")
    if sequence not in range(len(study.sequences)):
        raise ValueError(f"the sequence is number {sequence}; 0 to {len(study.sequences) - 1} are there")
    original = study.sequences[sequence]
    shown = original if undone else check_letters(letters)
    differ = differences(original, letters.strip().upper())
    position = min(position, len(shown) - 1)
    variants = tuple(shown[:position] + base + shown[position + 1 :] for base in ALPHABET)
    choices = study.logits(variants).tolist()  # known already, if the change was here
    here = ALPHABET.index(shown[position])
    reverse = float(study.strands(shown)[0][1])
    slopes = study.gradients(shown, centred)[0, position]  # (4,)
    plus, minus = study.attributions(shown, centred)
    apart = _apart(plus, minus)
    return MutateView(
        name=study.names[sequence],
        original=original,
        sequence=shown,
        position=position,
        centred=centred,
        mutations=() if undone else differ,
        undone=undone,
        aside=len(differ) if undone else 0,
        before=study.known[sequence],
        logit=choices[here],
        reverse=reverse,
        choices=np.array(choices),
        promised=choices[here] + slopes - slopes[here],
        plus=plus,
        minus=minus,
        apart=apart,
        alike=study.alike and apart < SAME,
        limits=_limits((study.gradients(original, centred), plus, minus)),
        span=_span(study.known, choices),
    )


def differences(original: str, letters: str) -> tuple[int, ...]:
    """Positions where two sequences of one length differ; none if their lengths differ."""
    if len(original) != len(letters):
        return ()
    return tuple(place for place, pair in enumerate(zip(original, letters)) if pair[0] != pair[1])


def _apart(plus: np.ndarray, minus: np.ndarray) -> float:
    """The largest difference of a position's height on the two strands, in logits."""
    return float(np.abs(plus.sum(axis=1) - minus.sum(axis=1)).max())


def _limits(drawn: tuple[np.ndarray, ...]) -> tuple[float, float]:
    """Of an axis that fits the letters, and those that mutations of the original may bring, by its gradient."""
    lows, highs = zip(*((float(values.min()), float(values.max())) for values in drawn))
    return min(0.0, *lows), max(0.0, *highs)


def _span(known: list[float], choices: list[float]) -> tuple[float, float]:
    """Of the axis of logits: 0 and all sequences with some room, so that it rarely has to grow."""
    low, high = min(0.0, *known), max(0.0, *known)
    room = 0.25 * (high - low)
    return min(low - room, *choices), max(high + room, *choices)


# --- controls ------------------------------------------------------------------------------------


class MutateExplorer(Explorer):
    """An explorer whose controls follow each other; the picture is made once, when they have.

    The letters hold all mutations. The base slider writes to them, and shows the base that is there when anything
    else has moved. "Undo all mutations" leaves them aside until it is unticked, or for good with a new change.
    """

    def __init__(self, study: Study):
        self._study, self._following = study, False
        super().__init__("mutate explorer", _controls(study, self._follow), self._compute_here, draw)

    def _compute_here(self, base: str, sequence: int = 0, **values) -> MutateView:
        return compute(self._study, sequence, **values)  # the base stands in the letters

    def _refresh(self, change=None) -> None:
        if not self._following:
            super()._refresh(change)

    def _follow(self, controls: dict[str, ipywidgets.Widget], change) -> None:
        """Bring the other controls in line with the one that was moved."""
        if self._following:
            return
        self._following = True
        try:
            moved = change["owner"]
            letters, base, undo = (controls[name] for name in ("letters", "base", "undone"))
            if moved is controls.get("sequence"):
                letters.value, undo.value = self._study.sequences[moved.value], False
            elif moved is letters:
                undo.value = False
            elif moved is base:
                shown, place = self._shown(controls), controls["position"].value
                if place < len(shown):
                    letters.value = shown[:place] + base.value + shown[place + 1 :]
                    undo.value = False
            self._fit(controls)
        finally:
            self._following = False

    def _shown(self, controls: dict[str, ipywidgets.Widget]) -> str:
        """The letters of the picture, as far as they are letters: a reader may be typing."""
        if controls["undone"].value:
            number = controls["sequence"].value if "sequence" in controls else 0
            return self._study.sequences[number]
        return controls["letters"].value.strip().upper()

    def _fit(self, controls: dict[str, ipywidgets.Widget]) -> None:
        """The position slider ends with the letters, and the base slider shows the one at the position."""
        shown, position = self._shown(controls), controls["position"]
        last = max(min(len(shown), LONGEST), SHORTEST) - 1
        if position.max != last:
            with position.hold_sync():  # both in one message: the value is never beyond the end
                position.value = min(position.value, last)
                position.max = last
        here = shown[position.value : position.value + 1]
        if here and here in ALPHABET:
            controls["base"].value = here


def _controls(study: Study, follow: Callable) -> dict[str, ipywidgets.Widget]:
    looks = {
        "style": {"description_width": "76px"},
        "layout": ipywidgets.Layout(width="520px", max_width="100%"),
    }
    first = study.sequences[0]
    plus, _ = study.attributions(first, True)
    start = int(np.abs(plus).max(axis=1).argmax())  # where a change is likely to matter
    controls: dict[str, ipywidgets.Widget] = {}
    if len(study.names) > 1:
        controls["sequence"] = ipywidgets.SelectionSlider(
            options=[(name, number) for number, name in enumerate(_labels(study.names))],
            value=0, description="sequence", **looks,
        )  # fmt: skip
    controls["position"] = ipywidgets.IntSlider(
        start, min=0, max=len(first) - 1, description="position", **looks
    )
    controls["base"] = ipywidgets.SelectionSlider(
        options=list(ALPHABET), value=first[start], description="base", **looks
    )
    for name, value, words in (("undone", False, "undo all mutations"), ("centred", True, "centred gradient")):
        controls[name] = ipywidgets.Checkbox(value, description=words, indent=False, layout=looks["layout"])
    controls["letters"] = ipywidgets.Text(
        first, description="letters", style=looks["style"],
        layout=ipywidgets.Layout(width="100%", max_width="1000px"),
    )  # fmt: skip
    for control in controls.values():
        control.observe(partial(follow, controls), names="value")
    return controls


def _labels(names: tuple[str, ...]) -> list[str]:
    """Of the slider's marks: the names, or numbers if the slider would cut them off; the picture has the names."""
    if len(set(names)) == len(names) and max(map(len, names)) <= LONGEST_LABEL:
        return list(names)
    return [f"{number} of {len(names)}" for number in range(1, len(names) + 1)]


def mutate_explorer(model: Any, sequences: Mapping[str, str]) -> Explorer:
    """The explorer, at the letter of the first sequence that is worth most (lesson 07).

    Args:
        model: a network with one logit: ``(N, 4, L)`` -> ``(N,)``, ``(N, 1)``, or ``(N, 2)``, where it is the
            difference of the two. A copy is explained, without dropout: the network as it is now.
        sequences: name -> letters A, C, G, T, up to 120; lengths may differ if the network takes them.

    Raises:
        ValueError: for a model that is no network, or that does not take one of the sequences.
        SequenceError: for no sequences, letters other than A, C, G, T, or too few or too many of them.
    """
    return MutateExplorer(Study(model, sequences))
