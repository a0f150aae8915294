"""The mutate explorer of lesson 07: change a base, and see at once what a network makes of the sequence.

Arrow keys move over the bases and change the one under the cursor. Above, what the network predicts with each
of the four bases there, and what its gradient promises; below, input times gradient, on the sequence and on its
reverse complement. A network that treats both strands alike gives both the same picture; another one does not.

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

SHORTEST, LONGEST = 2, 120  # bases that fit a page side by side


@dataclass(frozen=True, eq=False)
class MutateView:
    """A sequence, what a network predicts for it, and what each letter is worth.

    Attributes:
        name: of the sequence.
        original, sequence: as it came, and as it is shown.
        position: the cursor, from 0.
        centred: whether each position's mean over A, C, G, T is taken off the gradient.
        mutations: positions where the sequence differs from the original; none if their lengths differ.
        as_it_came: whether the letters are set aside, for the sequence to be shown as it came.
        aside: how many mutations that leaves aside.
        before, logit, reverse: logits of the original, the sequence, and its reverse complement.
        choices: logits with A, C, G, T at the position, ``(4,)``.
        promised: the same if the gradient went on as it begins, ``(4,)``.
        plus, minus: input x gradient ``(L, 4)`` of the sequence and of its reverse complement, in logits. Row i
            of both is position i, where the minus strand has the complement.
        limits: of the axis of plus and minus; the same wherever the cursor stands.
        span: of the axis of the logits.
    """

    name: str
    original: str
    sequence: str
    position: int
    centred: bool
    mutations: tuple[int, ...]
    as_it_came: bool
    aside: int
    before: float
    logit: float
    reverse: float
    choices: np.ndarray
    promised: np.ndarray
    plus: np.ndarray
    minus: np.ndarray
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
        self.model = copy.deepcopy(model).cpu().float().eval().requires_grad_(False)
        self.logits = lru_cache(256)(self._logits)
        self.gradients = lru_cache(32)(self._gradients)
        self.known = []
        for name, letters in zip(self.names, self.sequences):
            try:
                self.known.append(float(self.logits((letters,))[0]))
            except ValueError as error:
                raise ValueError(f"the sequence {name[:40]!r}: {error}") from None

    def _logits(self, sequences: tuple[str, ...]) -> np.ndarray:
        """``(N,)`` logits of sequences of one length."""
        from course_utils.interpretation import logit_of

        return self._ask(partial(logit_of, self.model), sequences)

    def _gradients(self, sequence: str, centred: bool) -> np.ndarray:
        """``(2, L, 4)`` of the sequence and of its reverse complement, each along its own strand."""
        from course_utils.interpretation import saliency

        strands = (sequence, reverse_complement(sequence))
        return self._ask(partial(saliency, self.model, centred=centred), strands).transpose(0, 2, 1)

    def attributions(self, sequence: str, centred: bool) -> tuple[np.ndarray, np.ndarray]:
        """Input x gradient ``(L, 4)`` of both strands, at the positions of the sequence."""
        plus, minus = self.gradients(sequence, centred)
        return one_hot(sequence) * plus, (one_hot(reverse_complement(sequence)) * minus)[::-1]

    def _ask(self, question: Callable, sequences: tuple[str, ...]) -> np.ndarray:
        import torch

        inputs = torch.from_numpy(one_hot(sequences)).permute(0, 2, 1).contiguous()  # (N, 4, L)
        try:
            answer = question(inputs).numpy()  # the copy's weights ask for no gradient, nor do these
        except RuntimeError as error:  # what torch says of a sequence that its layers cannot take
            reason = str(error).splitlines()[0]
            raise ValueError(
                f"the network does not take a sequence of {len(sequences[0])} bases: {reason}"
            ) from None
        if not np.isfinite(answer).all():
            raise ValueError(f"the network answers with {answer[~np.isfinite(answer)][0]}; numbers are expected")
        return answer


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
    as_it_came: bool = False,
) -> MutateView:
    """What the network says of a sequence, of each base at the position, and of each letter.

    Args:
        study: the network and the sequences.
        sequence: the number of the one that is mutated.
        letters: as they are now, of any length.
        position: the cursor, from 0; beyond the last base, the last.
        centred: take each position's mean over A, C, G, T off the gradient.
        as_it_came: leave the letters aside and show the sequence as it came.

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
    shown = original if as_it_came else check_letters(letters)
    differ = differences(original, letters.strip().upper())
    position = min(position, len(shown) - 1)
    variants = tuple(shown[:position] + base + shown[position + 1 :] for base in ALPHABET)
    *choices, reverse = study.logits((*variants, reverse_complement(shown))).tolist()
    here = ALPHABET.index(shown[position])
    slopes = study.gradients(shown, centred)[0, position]  # (4,)
    plus, minus = study.attributions(shown, centred)
    return MutateView(
        name=study.names[sequence],
        original=original,
        sequence=shown,
        position=position,
        centred=centred,
        mutations=() if as_it_came else differ,
        as_it_came=as_it_came,
        aside=len(differ) if as_it_came else 0,
        before=study.known[sequence],
        logit=choices[here],
        reverse=reverse,
        choices=np.array(choices),
        promised=choices[here] + slopes - slopes[here],
        plus=plus,
        minus=minus,
        limits=_limits((study.gradients(original, centred), plus, minus)),
        span=_span(study.known, choices),
    )


def differences(original: str, letters: str) -> tuple[int, ...]:
    """Positions where two sequences of one length differ; none if their lengths differ."""
    if len(original) != len(letters):
        return ()
    return tuple(place for place, pair in enumerate(zip(original, letters)) if pair[0] != pair[1])


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
    else has moved. A change of the letters ends "as it came", which left them aside.
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
            letters, base, came = (controls[name] for name in ("letters", "base", "as_it_came"))
            if moved is controls.get("sequence"):
                letters.value, came.value = self._study.sequences[moved.value], False
            elif moved is letters:
                came.value = False
            elif moved is base:
                shown, place = self._shown(controls), controls["position"].value
                if place < len(shown):
                    letters.value = shown[:place] + base.value + shown[place + 1 :]
                    came.value = False
            self._fit(controls)
        finally:
            self._following = False

    def _shown(self, controls: dict[str, ipywidgets.Widget]) -> str:
        """The letters of the picture, as far as they are letters: a reader may be typing."""
        if controls["as_it_came"].value:
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
        "style": {"description_width": "110px"},
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
        options=list(ALPHABET), value=first[start], description="base there", **looks
    )
    controls["centred"] = ipywidgets.Checkbox(
        True, description="centred gradient: less the mean of the four bases", indent=False,
        layout=looks["layout"],
    )  # fmt: skip
    controls["letters"] = ipywidgets.Text(
        first, description="letters", style=looks["style"],
        layout=ipywidgets.Layout(width="100%", max_width="1000px"),
    )  # fmt: skip
    controls["as_it_came"] = ipywidgets.Checkbox(
        False, description="as it came: the next change starts again from there", indent=False,
        layout=looks["layout"],
    )  # fmt: skip
    for control in controls.values():
        control.observe(partial(follow, controls), names="value")
    return controls


def _labels(names: tuple[str, ...]) -> list[str]:
    """Short names that differ: a slider tells its marks apart by them."""
    short = [name if len(name) <= 30 else name[:29] + "…" for name in names]
    if len(set(short)) == len(short):
        return short
    return [f"{number}: {name}" for number, name in enumerate(short)]


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
