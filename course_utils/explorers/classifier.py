"""The classifier explorer of lesson 04: filters, their width, pooling and the place of the motif.

A run with each setting travels with the package, so that sliders answer at once; the button trains another
one, which takes about a second. ``tools/classifier_runs.py`` makes the runs, by :func:`train`.

With zero padding, a maximum over all places does not quite forget the place: a wide filter can tell the ends of
a sequence from its middle, and so exclude places there.
"""

import json
from dataclasses import asdict, dataclass
from functools import cache

import ipywidgets
import numpy as np

from course_utils.ceilings import ceiling
from course_utils.datasets import shipped
from course_utils.explorers import Explorer
from course_utils.explorers._classifier_picture import draw
from course_utils.simulation import CCGGAA, simulate

FILTERS, WIDTHS = (1, 2, 4, 8, 16), (3, 5, 7, 9)
POOLINGS = {"flatten": "flatten", "max": "global maximum"}
PLACES = {"fixed": "fixed at 7", "anywhere": "anywhere"}
STARTS = {"fixed": 7, "anywhere": None}
LENGTH = 20  # bases of a sequence
TRAIN, VALID, TEST = 1600, 400, 20_000  # sequences, half of them with a motif
EPOCHS, BATCH_SIZE, LEARNING_RATE = 20, 64, 0.01
SHOWN = 4  # filters
SAMPLE = 1_000_000  # sequences for the ceiling where the place is not known
RUNS = "classifier_runs.json"


@dataclass(frozen=True)
class Filter:
    """What a filter of the first layer responds to.

    Attributes:
        pfm: counts ``(width, 4)`` of the windows that activate it, one for each sequence whose best window has
            more than half of the filter's highest activation. Windows over an end are left out.
        effect: standard deviation of what the filter adds to the difference of the two logits.
        speaks_for: whether a match makes "motif" more likely, in most sequences.
    """

    pfm: list[list[int]]
    effect: float
    speaks_for: bool


@dataclass(frozen=True)
class Run:
    """One training of a network.

    Attributes:
        train_loss, valid_loss, valid_accuracy: after each epoch, as in :class:`course_utils.training.History`.
        test_accuracy: on fresh sequences, after the last epoch.
        used: how many filters respond to anything.
        filters: those of them with the largest effect, the largest first.
    """

    train_loss: list[float]
    valid_loss: list[float]
    valid_accuracy: list[float]
    test_accuracy: float
    used: int
    filters: list[Filter]


@dataclass(frozen=True)
class ClassifierView:
    """A setting of the explorer and its run.

    Attributes:
        filters, width, pooling, place: as :func:`compute` was told.
        seed: of the run; 1 for the one that travels with the package.
        run: what happened.
        parameters: weights and biases of the network.
        ceiling: the accuracy that no classifier exceeds.
        ceiling_se: its standard error; 0 where it is exact.
    """

    filters: int
    width: int
    pooling: str
    place: str
    seed: int
    run: Run
    parameters: int
    ceiling: float
    ceiling_se: float


def compute(filters: int, width: int, pooling: str, place: str, presses: int = 0) -> ClassifierView:
    """The run with this setting: a kept one, or after the button was pressed, one that is trained now.

    Args:
        filters: 1, 2, 4, 8 or 16.
        width: of the filters: 3, 5, 7 or 9 bases.
        pooling: ``"flatten"``, after which each position has a weight, or ``"max"``, the best match alone.
        place: of the motif: ``"fixed"`` or ``"anywhere"``.
        presses: of the button. The run has the seed 1 + presses, so that no two presses give the same.

    Raises:
        ValueError: for a choice that is none of these.
    """
    _check_setting(filters, width, pooling, place)
    if not isinstance(presses, int) or presses < 0:
        raise ValueError(f"the button was pressed {presses!r} times; a number from 0 up is expected")
    kept = _kept()
    if presses:
        run = train(filters, width, pooling, place, seed=1 + presses)
    else:
        run = kept["runs"][_key(filters, width, pooling, place)]
    best, error = kept["ceilings"][place]
    return ClassifierView(
        filters=filters,
        width=width,
        pooling=pooling,
        place=place,
        seed=1 + presses,
        run=run,
        parameters=count_parameters(filters, width, pooling),
        ceiling=best,
        ceiling_se=error,
    )


def _check_setting(filters: int, width: int, pooling: str, place: str) -> None:
    for what, value, choices in (
        ("the number of filters", filters, FILTERS),
        ("the width", width, WIDTHS),
        ("the pooling", pooling, tuple(POOLINGS)),
        ("the place", place, tuple(PLACES)),
    ):
        if value not in choices:
            raise ValueError(f"{what} is {value!r}; choose one of {', '.join(map(repr, choices))}")


def count_parameters(filters: int, width: int, pooling: str) -> int:
    """Weights and biases of the network of :func:`train`."""
    features = filters * (LENGTH if pooling == "flatten" else 1)
    return filters * (4 * width + 1) + 2 * (features + 1)


# --- runs ----------------------------------------------------------------------------------------


def train(filters: int, width: int, pooling: str, place: str, seed: int) -> Run:
    """Train a network on 1,600 sequences of 20 bases for 20 epochs; the sequences depend on the place alone.

    The seed decides on the first weights and the order of the sequences. On another machine or with another
    torch the numbers may differ a little.

    Raises:
        ValueError: for a choice that is none of those of :func:`compute`.
    """
    import torch  # only training needs it
    from torch import nn
    from torch.utils.data import TensorDataset

    from course_utils.models import seeded
    from course_utils.training import evaluate, fit

    _check_setting(filters, width, pooling, place)
    sets = [
        TensorDataset(torch.as_tensor(one_hot).permute(0, 2, 1).contiguous(), torch.as_tensor(labels))
        for one_hot, labels in _sequences(place)
    ]
    with seeded(seed):
        # (N, 4, 20) -> (N, filters, 20) -> (N, filters * 20) or (N, filters) -> (N, 2)
        model = nn.Sequential(
            nn.Conv1d(4, filters, width, padding=width // 2),
            nn.ReLU(),
            nn.Identity() if pooling == "flatten" else nn.AdaptiveMaxPool1d(1),
            nn.Flatten(),
            nn.Linear(filters * (LENGTH if pooling == "flatten" else 1), 2),
        )
    loss = nn.CrossEntropyLoss()
    history = fit(
        model,
        *sets[:2],
        loss=loss,
        optimizer=torch.optim.Adam(model.parameters(), lr=LEARNING_RATE),
        epochs=EPOCHS,
        batch_size=BATCH_SIZE,
        generator=torch.Generator().manual_seed(seed),
        progress=False,
    )
    with torch.no_grad():
        activations = model[:2](sets[2].tensors[0])  # (N, filters, 20)
        pooled = model[2](activations)
        weights = (model[4].weight[1] - model[4].weight[0]).view(filters, -1)
        added = torch.einsum("nfl,fl->nf", pooled, weights)  # to the difference of the logits
        accuracy = evaluate(model, sets[2], loss=loss, batch_size=4000).accuracy
    used, described = _describe(_sequences(place)[2][0], activations.numpy(), added.numpy(), width)
    return Run(
        train_loss=_rounded(history.train_loss),
        valid_loss=_rounded(history.valid_loss),
        valid_accuracy=_rounded(history.valid_accuracy),
        test_accuracy=accuracy,
        used=used,
        filters=described,
    )


@cache  # 7 MB for each of the two places
def _sequences(place: str) -> list[tuple[np.ndarray, np.ndarray]]:
    """One-hot ``(N, 20, 4)`` and labels ``(N,)`` for training, validation and the test."""
    motif = CCGGAA / CCGGAA.sum(axis=1, keepdims=True)
    rng = np.random.default_rng(4)
    found = []
    for many in (TRAIN, VALID, TEST):
        half = many // 2
        made = simulate(
            motif, positives=half, negatives=half, length=LENGTH, start=STARTS[place], rng=rng
        )
        found.append((made.one_hot, made.labels))
    return found


def _rounded(numbers: list[float]) -> list[float]:
    return [round(number, 4) for number in numbers]


def _describe(
    one_hot: np.ndarray, activations: np.ndarray, added: np.ndarray, width: int
) -> tuple[int, list[Filter]]:
    """How many filters respond to anything, and the few with the largest effect.

    Args:
        one_hot: ``(N, 20, 4)``.
        activations: ``(N, filters, 20)``, after ReLU.
        added: ``(N, filters)``, what each filter adds to the difference of the two logits.
        width: of the filters.
    """
    # An activation stands where the middle of its window is; windows over an end are left out.
    inner = activations[:, :, width // 2 : LENGTH - width // 2]
    effects, starts, best = added.std(axis=0), inner.argmax(axis=2), inner.max(axis=2)
    used = [number for number in np.argsort(-effects, kind="stable") if best[:, number].max() > 0]
    described = []
    for number in used[:SHOWN]:
        chosen = np.flatnonzero(best[:, number] > best[:, number].max() / 2)
        places = starts[chosen, number][:, None] + np.arange(width)
        pfm = one_hot[chosen[:, None], places].sum(axis=0).round().astype(int)
        together = np.mean((best[:, number] - best[:, number].mean()) * added[:, number])
        described.append(Filter(pfm.tolist(), round(float(effects[number]), 3), bool(together > 0)))
    return len(used), described


def _key(filters: int, width: int, pooling: str, place: str) -> str:
    return f"{filters} {width} {pooling} {place}"


@cache  # the file is read once
def _kept() -> dict:
    """The runs that travel with the package, by setting, and the ceilings, by place."""
    content = json.loads(shipped(RUNS).read_text("utf-8"))
    runs = {}
    for key, fields in content["runs"].items():
        runs[key] = Run(**fields | {"filters": [Filter(**one) for one in fields["filters"]]})
    return {"ceilings": content["ceilings"], "runs": runs}


def make_runs(settings: list[tuple[int, int, str, str]]) -> dict:
    """The content of ``data/classifier_runs.json``, which ``tools/classifier_runs.py`` writes."""
    motif = CCGGAA / CCGGAA.sum(axis=1, keepdims=True)
    ceilings = {}
    for place, start in STARTS.items():
        rng = np.random.default_rng(4)
        best = ceiling(motif, length=LENGTH, start=start, sample=SAMPLE, rng=rng)
        ceilings[place] = [round(best.accuracy, 5), round(best.accuracy_se, 5)]
    runs = {_key(*setting): asdict(train(*setting, seed=1)) for setting in settings}
    return {"ceilings": ceilings, "runs": runs}


# --- controls ------------------------------------------------------------------------------------


def classifier_explorer() -> Explorer:
    """The explorer, starting with four filters of width 7, flattened, the motif at 7 (lesson 04)."""

    def choice(options, value, description):
        return ipywidgets.SelectionSlider(
            options=options,
            value=value,
            description=description,
            style={"description_width": "130px"},
            layout=ipywidgets.Layout(width="460px", max_width="100%"),
        )

    controls = {
        "filters": choice([(str(many), many) for many in FILTERS], 4, "filters"),
        "width": choice([(str(width), width) for width in WIDTHS], 7, "width of a filter"),
        "pooling": choice([(words, name) for name, words in POOLINGS.items()], "flatten", "after the filters"),
        "place": choice([(words, name) for name, words in PLACES.items()], "fixed", "the motif stands"),
    }
    button = ipywidgets.Button(
        description="train another one",
        tooltip="the same network from other first weights; takes about a second",
        layout=ipywidgets.Layout(width="200px"),
    )
    return Explorer("classifier explorer", controls, compute, draw, buttons={"presses": button})
