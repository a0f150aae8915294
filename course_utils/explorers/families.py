"""The families explorer of lesson 08: four networks, three tasks, three budgets, five runs of each.

All runs travel with the package (``tools/families_runs.py`` made them), so that sliders answer at once. Every
network of a task saw the same sequences, and no classifier ranks them better than the ceiling says.
"""

import json
from dataclasses import dataclass
from functools import cache

import ipywidgets
import numpy as np

from course_utils.datasets import shipped
from course_utils.explorers import Explorer
from course_utils.explorers._families_picture import draw

RUNS = "families_runs.json"
NEAR = 0.01  # below the ceiling, and still said to reach it


@dataclass(frozen=True, eq=False)
class Network:
    """One network and its trainings, each with its own data, first weights and shuffles.

    Attributes:
        parameters: how many numbers training can change.
        size: hidden units, filters, or numbers of the state.
        seconds: that each training took, on the machine that made the file.
        auc, accuracy: of each run, on 4,000 held-out sequences.
        train_loss, valid_loss: of each run, by epoch.
        logits: of the first run, for the held-out sequences of :attr:`Task.labels`, ``(200,)``.
    """

    parameters: int
    size: int
    seconds: list[float]
    auc: list[float]
    accuracy: list[float]
    train_loss: list[list[float]]
    valid_loss: list[list[float]]
    logits: np.ndarray


@dataclass(frozen=True, eq=False)
class Task:
    """One question, and what all the networks make of it.

    Attributes:
        ceiling_auc, ceiling_accuracy: that no classifier exceeds.
        labels: of the held-out sequences that are kept, 1 or 0, ``(200,)``.
        best: what the best rule says of them, the log-likelihood ratio in nats, ``(200,)``.
        networks: family -> budget -> network.
    """

    ceiling_auc: float
    ceiling_accuracy: float
    labels: np.ndarray
    best: np.ndarray
    networks: dict[str, dict[int, Network]]


@dataclass(frozen=True, eq=False)
class FamiliesView:
    """One network on one task, and all the others beside it.

    Attributes:
        task, family, budget: as :func:`compute` was told.
        answers: what the task tells, in all.
    """

    task: str
    family: str
    budget: int
    answers: Task

    @property
    def network(self) -> Network:
        return self.answers.networks[self.family][self.budget]

    def reaches(self, family: str, budget: int) -> bool:
        """Whether the mean AUC of the five runs comes within `NEAR` of the ceiling."""
        return float(np.mean(self.answers.networks[family][budget].auc)) >= self.answers.ceiling_auc - NEAR


def compute(task: str, family: str, budget: int) -> FamiliesView:
    """The kept runs of this network on this task, and those of the others.

    Args:
        task: ``"place"``, ``"anywhere"`` or ``"order"``.
        family: ``"DNN"``, ``"CNN"``, ``"GRU"`` or ``"CNN, two layers"``.
        budget: of parameters, one of those of the file.

    Raises:
        ValueError: for a choice that is none of these.
    """
    kept = _kept()
    networks = next(iter(kept.values())).networks
    task = _chosen("task", task, kept)
    family = _chosen("family", family, networks)
    budget = _chosen("budget of parameters", budget, networks[family])
    return FamiliesView(task, family, budget, kept[task])


def _chosen(what: str, value, choices):
    """The choice that equals a value; the names of all of them if there is none."""
    for choice in choices:
        if isinstance(value, (str, int, np.integer)) and not isinstance(value, bool) and choice == value:
            return choice
    raise ValueError(f"the {what} is {value!r}; choose one of {', '.join(map(repr, choices))}")


@cache  # the file is read once
def _kept() -> dict[str, Task]:
    """The tasks, by name."""
    content = json.loads(shipped(RUNS).read_text("utf-8"))
    fields = Network.__dataclass_fields__
    return {
        task: Task(
            ceiling_auc=content["ceilings"][task]["auc"],
            ceiling_accuracy=content["ceilings"][task]["accuracy"],
            labels=np.array(content["labels"][task]),
            best=np.array(content["best"][task], dtype=float),
            networks={
                family: {
                    budget: _network({name: runs[str(budget)][name] for name in fields})
                    for budget in content["budgets"]
                }
                for family, runs in content["sequences"][task].items()
            },
        )
        for task in content["tasks"]
    }


def _network(fields: dict) -> Network:
    return Network(**fields | {"logits": np.array(fields["logits"], dtype=float)})


# --- controls ------------------------------------------------------------------------------------


def families_explorer(task: str = "place", family: str = "DNN", budget: int = 2_000) -> Explorer:
    """The explorer, starting with a fully connected network that looks for a motif at its place (lesson 08).

    Raises:
        ValueError: as :func:`compute` does.
    """
    start = compute(task, family, budget)

    def choice(options, value, description):
        return ipywidgets.SelectionSlider(
            options=options,
            value=value,
            description=description,
            style={"description_width": "90px"},
            layout=ipywidgets.Layout(width="460px", max_width="100%"),
        )

    families = start.answers.networks
    controls = {
        "task": choice(list(_kept()), start.task, "task"),
        "family": choice(list(families), start.family, "family"),
        "budget": choice([(f"{one:,}", one) for one in families[family]], start.budget, "parameters"),
    }
    return Explorer("families explorer", controls, compute, draw)
