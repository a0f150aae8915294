"""Train the networks of lesson 06 on the primer's 2,000 sequences, many times each: data/primer_runs.json.

    python tools/primer_runs.py [report] [deep] [detector] [changes] [remedies]

Takes about ten minutes on one thread; a name runs that part alone and leaves the others in the file as they are.
Run it again when the recipe, here and in the lesson, changes: `tests/test_primer_runs.py` compares the first steps
with the file.

Run number n, from 0, splits the sequences, draws the first weights and shuffles with n. All runs of one number,
whatever their network, have the same split, so that they can be compared in pairs. They are trained side by side
(`side_by_side.py`), which takes the steps of `course_utils.training.fit` in less time.

    report      the report's first network, 20 runs, squared error: AUC and average precision after 10 and 20 epochs
    deep        its second one, 80 runs with each loss: how many never leave chance, and when the others do
    detector    MotifDetector, 80 runs
    changes     the five changes one by one: alone, and all but one; 20 runs each, losses after each epoch
    remedies    the second network with one thing altered, 80 runs each: how many never leave chance
"""

import json
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import torch
from runs import FIRST, as_inputs, rounded
from side_by_side import Loss, SideBySide
from sklearn.metrics import average_precision_score, roc_auc_score
from sklearn.model_selection import train_test_split
from torch import nn
from torch.nn import functional as F

from course_utils.datasets import fetch
from course_utils.models.binding import MotifDetector, ReportCNN
from course_utils.sequences import one_hot

PATH = Path(__file__).resolve().parents[1] / "data" / "primer_runs.json"

RUNS, FEW = 80, 20
BATCH, RATE, EPOCHS = 10, 1e-3, 10  # 135 steps an epoch, as in the report's log; Keras's rate
MOST_EPOCHS = 30  # as long as a network at chance is given
DETECTOR_RATE, DETECTOR_EPOCHS = 2e-2, 15
LEFT = 0.6  # a validation accuracy that a network at chance does not reach: 150 sequences, two classes of about half

CHANGES = {
    "padding": {"padded": True},
    "pool of 5": {"pool": 5},
    "two outputs": {"outputs": 2},
    "depth": {"deep": True},
    "dropout": {"dropout": 0.2},
}
ALL = {name: value for change in CHANGES.values() for name, value in change.items()}


# --- data and losses -----------------------------------------------------------------------------


def read_primer() -> tuple[torch.Tensor, torch.Tensor]:
    """The inputs ``(2000, 4, 50)`` and labels ``(2000,)``, 0 or 1, int64."""
    label_file, sequence_file = fetch("primer")
    inputs = as_inputs(one_hot(sequence_file.read_text().split()))
    return inputs, torch.from_numpy(np.loadtxt(label_file, dtype=np.int64))


def split(number: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Rows for training (1,350), validation (150, the last tenth of the rest, as Keras takes them) and test (500).

    Number 42 has the classes that the report's log and metrics show: 241 positives in the test, 73 in validation.
    """
    rest, test = train_test_split(np.arange(2000), test_size=500, random_state=number)
    return rest[:-150], rest[-150:], test


def squared_error(logits: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    """The loss in the report's code: the mean squared error of the probabilities; 0.25 at chance."""
    probability = torch.sigmoid(logits) if logits.dim() == 1 else logits.softmax(dim=1)[:, 1]
    return ((probability - labels) ** 2).mean()  # with a softmax, the other output is as wrong: the mean is the same


def cross_entropy(logits: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    """The loss in the report's log; ln 2 = 0.6931 at chance."""
    if logits.dim() == 1:
        return F.binary_cross_entropy_with_logits(logits, labels.float())
    return F.cross_entropy(logits, labels)


# --- runs ----------------------------------------------------------------------------------------


class Runs(SideBySide):
    """One network in many runs, and what is to be said of each."""

    def __init__(
        self, make: Callable[[], nn.Module], numbers: Sequence[int], loss: Loss, rate: float = RATE, primer=None
    ):
        train, self.valid, self.test = (np.stack(rows) for rows in zip(*map(split, numbers)))
        super().__init__(make, numbers, *(primer or read_primer()), train, loss, rate, BATCH)

    def scores(self, rows: np.ndarray) -> np.ndarray:
        """A logit of each sequence, of class 1 against class 0, ``(K, n)``."""
        outputs = self.outputs(rows).numpy()
        return outputs if outputs.ndim == 2 else outputs[:, :, 1] - outputs[:, :, 0]

    def accuracy(self) -> np.ndarray:
        """On the validation sequences, ``(K,)``."""
        return ((self.scores(self.valid) > 0) == self.truth(self.valid)).mean(axis=1)

    def judged(self, score: Callable) -> list[float]:
        """A measure of scikit-learn's on the test sequences of each run."""
        return rounded(map(score, self.truth(self.test), self.scores(self.test)))

    def all_the_same(self) -> list[int]:
        """1 for each network that says the same of all its test sequences: nothing of its input comes through."""
        return (np.ptp(self.scores(self.test), axis=1) < 1e-6).astype(int).tolist()

    def truth(self, rows: np.ndarray) -> np.ndarray:
        return self.labels.numpy()[rows]

    def keep(self, copies: Sequence[int]) -> None:
        super().keep(copies)
        self.valid, self.test = self.valid[copies], self.test[copies]

    def first_losses(self) -> list[float]:
        """Of the first run's first steps."""
        return rounded(losses[0] for losses in self.batch_loss[:FIRST])


def second_network() -> ReportCNN:
    return ReportCNN(**ALL)


def deep_runs(loss: Loss, many: int = RUNS) -> dict:
    """The second network: of each run the epoch in which it leaves chance (None: not in 30), the AUC after ten epochs,
    whether its first weights say the same of every test sequence, and whether those of the tenth epoch do; the
    validation loss after each of ten epochs.

    A network that says the same of all has a layer without a unit that is above 0 for any of them ("dead"). Its
    gradient is 0 there; dropout, which alters the sums, can let such a unit through now and then.
    """
    runs = Runs(second_network, range(many), loss)
    found = {"left": [None] * many, "same_at_first": runs.all_the_same()}
    valid = []
    for epoch in range(1, EPOCHS + 1):
        runs.epoch()
        valid.append(runs.losses(runs.valid))
        for number in np.flatnonzero(runs.accuracy() >= LEFT):
            found["left"][number] = found["left"][number] or epoch
    found |= {"auc": runs.judged(roc_auc_score), "same_after_ten": runs.all_the_same()}
    found |= {"first_losses": runs.first_losses(), "valid": [rounded(row, 4) for row in np.transpose(valid)]}
    waiting = [number for number, epoch in enumerate(found["left"]) if epoch is None]
    runs.keep(waiting)
    for number, epoch in zip(waiting, leaving(runs, range(EPOCHS + 1, MOST_EPOCHS + 1))):
        found["left"][number] = epoch
    return found


def leaving(runs: Runs, epochs: Sequence[int]) -> list[int | None]:
    """Train each copy until it leaves chance: the epoch, or None. Those that have left are not trained on."""
    left, waiting = [None] * len(runs.generators), list(range(len(runs.generators)))
    for epoch in epochs:
        if not waiting:
            break
        runs.epoch()
        gone = runs.accuracy() >= LEFT
        for place in np.flatnonzero(gone):
            left[waiting[place]] = epoch
        staying = np.flatnonzero(~gone).tolist()
        waiting = [waiting[place] for place in staying]
        runs.keep(staying)
    return left


def detector_runs(numbers: Sequence[int] = range(RUNS), make=MotifDetector) -> dict:
    """MotifDetector: the epoch in which each run leaves chance, AUC and validation accuracy at the end."""
    runs = Runs(make, numbers, cross_entropy, DETECTOR_RATE)
    found, valid = {"left": [None] * len(numbers)}, []
    for epoch in range(1, DETECTOR_EPOCHS + 1):
        runs.epoch()
        valid.append(runs.losses(runs.valid))
        for number in np.flatnonzero(runs.accuracy() >= LEFT):
            found["left"][number] = found["left"][number] or epoch
    found |= {"auc": runs.judged(roc_auc_score), "accuracy": rounded(runs.accuracy(), 4)}
    return found | {"first_losses": runs.first_losses(), "valid": rounded(np.array(valid)[:, 0], 4)}


def stuck(left: Sequence[int | None], epochs: int = MOST_EPOCHS) -> int:
    """How many runs did not leave chance in so many epochs."""
    return sum(epoch is None or epoch > epochs for epoch in left)


# --- the parts of the file -----------------------------------------------------------------------


def report() -> dict:
    """The first network, as the report's code trains it."""
    runs, found = Runs(ReportCNN, range(FEW), squared_error), {}
    for later in ("", "_later"):
        for _ in range(EPOCHS):
            runs.epoch()
        found |= {f"auc{later}": runs.judged(roc_auc_score)}
        found |= {f"average_precision{later}": runs.judged(average_precision_score)}
    return found | {"first_losses": runs.first_losses()}


def deep() -> dict:
    """The second network with the loss of the report's log and with that of its code."""
    return {loss.__name__: deep_runs(loss) for loss in (cross_entropy, squared_error)}


def detector() -> dict:
    """The remedy, and the AUC of the same without the zeros around the sequence."""
    return detector_runs() | {"auc_without_padding": detector_runs(make=unpadded)["auc"]}


def unpadded() -> MotifDetector:
    model = MotifDetector()
    model.pad = nn.Identity()
    return model


def networks() -> dict[str, dict]:
    """The settings of :class:`ReportCNN` that take the five changes apart."""
    found = {"original": {}}
    found |= {f"{name} alone": change for name, change in CHANGES.items()}
    for name, change in CHANGES.items():
        found[f"all but {name}"] = {key: value for key, value in ALL.items() if key not in change}
    return found | {"all five": ALL}


def changes() -> dict:
    """For each network and run the AUC and, after each epoch, the losses of its training and validation data, both in
    eval mode. (The training loss of a log is measured while the weights change, and with dropout.)"""
    found = {}
    for name, settings in networks().items():
        runs, losses = Runs(lambda: ReportCNN(**settings), range(FEW), squared_error), {"train": [], "valid": []}
        for _ in range(EPOCHS):
            runs.epoch()
            losses["train"].append(runs.losses(runs.rows))
            losses["valid"].append(runs.losses(runs.valid))
        found[name] = {"auc": runs.judged(roc_auc_score)}
        found[name] |= {kind: [rounded(row, 4) for row in np.transpose(rows)] for kind, rows in losses.items()}
        print(f"{name:20} AUC {np.mean(found[name]['auc']):.4f}", flush=True)
    return found


def he(model: ReportCNN) -> ReportCNN:
    """First weights after He et al. (ICCV 2015), made for ReLU: normal, with variance 2 / inputs."""
    for layer in model.dense:
        if isinstance(layer, nn.Linear):
            nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
    return model


def leaky(model: ReportCNN) -> ReportCNN:
    """ReLUs that let a tenth of what is below 0 through."""
    return _replaced(model, lambda relu, units: [nn.LeakyReLU(0.1)])


def normalised(model: ReportCNN) -> ReportCNN:
    """Batch normalisation before each ReLU."""
    return _replaced(model, lambda relu, units: [nn.BatchNorm1d(units), relu])


def _replaced(model: ReportCNN, instead: Callable[[nn.ReLU, int], list[nn.Module]]) -> ReportCNN:
    layers, units = [], 0
    for layer in model.dense:
        units = getattr(layer, "out_features", units)
        layers += instead(layer, units) if isinstance(layer, nn.ReLU) else [layer]
    model.dense = nn.Sequential(*layers)
    return model


def shorter(model: ReportCNN) -> ReportCNN:
    """Without the last four layers, those of 8 and 4 units."""
    model.dense = nn.Sequential(*[*model.dense][:-8])
    model.output = nn.Linear(model.dense[-2].out_features, 2)
    nn.init.xavier_uniform_(model.output.weight)
    nn.init.zeros_(model.output.bias)
    return model


REMEDIES = {
    "He's first weights": (he, {}, RATE),
    "a rate of 0.0001": (lambda model: model, {}, 1e-4),
    "no dropout": (lambda model: model, {"dropout": 0.0}, RATE),
    "leaky ReLU": (leaky, {}, RATE),
    "batch normalisation": (normalised, {}, RATE),
    "six layers": (shorter, {}, RATE),
}


def remedies() -> dict:
    """For each thing altered in the second network, the epoch in which each run leaves chance; cross-entropy."""
    found = {}
    for name, (alter, settings, rate) in REMEDIES.items():
        runs = Runs(lambda: alter(ReportCNN(**(ALL | settings))), range(RUNS), cross_entropy, rate)
        same = runs.all_the_same()
        found[name] = {"left": leaving(runs, range(1, 2 * EPOCHS + 1)), "same_at_first": same}
        print(f"{name:20} {stuck(found[name]['left']):3} of {RUNS} never leave chance", flush=True)
    return found


PARTS = {part.__name__: part for part in (report, deep, detector, changes, remedies)}


def main() -> None:
    torch.set_num_threads(1)
    wanted = sys.argv[1:] or list(PARTS)
    if not set(wanted) <= set(PARTS):
        sys.exit(f"the parts are {', '.join(PARTS)}")
    content = json.loads(PATH.read_text("utf-8")) if PATH.exists() else {}
    for name in wanted:
        content[name] = PARTS[name]()
        parts = ",\n".join(
            f'"{part}": {json.dumps(content[part], separators=(",", ":"))}' for part in PARTS if part in content
        )
        PATH.write_text(f"{{{parts}}}\n", encoding="utf-8")
        print(f"{name}: {PATH.name} has {PATH.stat().st_size:,} bytes", flush=True)


if __name__ == "__main__":
    main()
