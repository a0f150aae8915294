"""Judge networks and rules on real CAGE windows, five folds, for lesson 10: data/cage_runs.json.

    python tools/cage_runs.py

Takes some minutes. It reads the registered dataset "basenji-cage", 20 human windows of 262,144 bp. Run it again when the
recipe below or the lesson's changes; `tests/test_cage_runs.py` compares the rules without a network with the file.

Of each fold and method the file has the loss over all tracks and, for each track, r of the raw counts and r of their
logs, all on the windows that the fold holds out; of networks also r of the logs on their own training windows.
"""

import json
from pathlib import Path

import numpy as np
import torch
from torch.utils.data import TensorDataset

from course_utils.augmentation import Augmentation
from course_utils.datasets import fetch
from course_utils.losses import log_poisson
from course_utils.models import seeded
from course_utils.models.basenji import Basenji, Squeeze
from course_utils.schedules import cosine
from course_utils.tfrecords import read_basenji
from course_utils.tracks import constant_rates, fit_composition, pearson_per_track, poisson_loss
from course_utils.training import fit, predict
from course_utils.windows import Windows

PATH = Path(__file__).resolve().parents[1] / "data" / "cage_runs.json"

#: The windows that each fold holds out. Every fifth one, but 15 and 17, which are neighbours on chromosome 8, together.
FOLDS = ((0, 5, 15, 17), (1, 6, 11, 16), (2, 7, 10, 12), (3, 8, 13, 18), (4, 9, 14, 19))

DILATED, PLAIN = (1, 2, 4, 8, 16, 32, 64), (1,) * 7

#: 128 bases to a bin in three steps, not four: the first stride of 8 saves more than half of the time.
SQUEEZE = (Squeeze(16, 21, 8, 0.0), Squeeze(32, 7, 4, 0.05), Squeeze(32, 7, 4, 0.05))


def as_inputs(windows: Windows) -> torch.Tensor:
    """What a network reads, ``(N, 4, L)``."""
    return torch.from_numpy(windows.one_hot).permute(0, 2, 1).float()


def train_net(windows: Windows, dilations: tuple[int, ...] = DILATED, seed: int = 0) -> Basenji:
    """The lesson's recipe: crops of 16 kb, moved and turned, four a step."""
    crops = windows.crop(16_384)
    train = TensorDataset(as_inputs(crops), torch.from_numpy(crops.tracks))
    epochs, batch_size = 6, 4
    with seeded(seed):
        model = Basenji(len(windows.labels), growth=16, squeeze=SQUEEZE, dilations=dilations, dropout=0.2)
        with torch.no_grad():  # start from the mean of each track
            model.head.weight.mul_(0.1)
            model.head.bias.copy_(torch.from_numpy(np.log(constant_rates(windows.tracks))))
        fit(
            model, train, loss=log_poisson, epochs=epochs, batch_size=batch_size,
            optimizer=torch.optim.Adam(model.parameters(), lr=1e-2, betas=(0.9, 0.99)),
            schedule=cosine(epochs * -(-len(train) // batch_size)),
            clip=1.0, augment=Augmentation(max_shift=64, flip=True),
            generator=torch.Generator().manual_seed(seed), progress=False,
        )  # fmt: skip
    return model


def rates_of(model: Basenji, windows: Windows) -> np.ndarray:
    """The rates ``(N, bins, T)`` that a network expects."""
    return predict(model, as_inputs(windows), batch_size=1).exp().numpy()


def judged(windows: Windows, rates: np.ndarray) -> dict:
    """Loss, and r of each track; an undefined r is None."""
    rows = {"raw": pearson_per_track(windows.tracks, rates), "log1p": pearson_per_track(windows.tracks, rates, log1p=True)}
    kept = {name: [None if np.isnan(r) else round(float(r), 4) for r in row] for name, row in rows.items()}
    return {"loss": round(poisson_loss(windows.tracks, rates), 5)} | kept


def judge_rules(train: Windows, test: Windows) -> dict:
    """The methods without a network."""
    rule = fit_composition(train)
    return {
        "constant": judged(test, constant_rates(train.tracks)),
        "composition": judged(test, rule.predict(test.one_hot))
        | {"train_log1p": judged(train, rule.predict(train.one_hot))["log1p"]},
    }


def judge_nets(train: Windows, test: Windows) -> dict:
    """A network with and one without dilation, and the geometric mean of the first with the composition rule."""
    found = {}
    for name, dilations in (("dilated", DILATED), ("plain", PLAIN)):
        model = train_net(train, dilations)
        rates = rates_of(model, test)
        found[name] = judged(test, rates) | {"train_log1p": judged(train, rates_of(model, train))["log1p"]}
        if name == "dilated":
            found["both"] = judged(test, np.sqrt(rates * fit_composition(train).predict(test.one_hot)))
    return found


def read_cage() -> Windows:
    return read_basenji(fetch("basenji-cage"))


def split(windows: Windows, held_out: tuple[int, ...]) -> tuple[Windows, Windows]:
    """The training windows, and those held out."""
    return windows.subset(sorted(set(range(len(windows))) - set(held_out))), windows.subset(held_out)


def main() -> None:
    windows, folds = read_cage(), []
    for held_out in FOLDS:
        train, test = split(windows, held_out)
        folds.append({"held_out": list(held_out), **judge_rules(train, test), **judge_nets(train, test)})
        print(json.dumps({name: run["loss"] for name, run in folds[-1].items() if name != "held_out"}), flush=True)
    lines = ",\n".join(json.dumps(fold, separators=(",", ":")) for fold in folds)
    PATH.write_text(f'{{"folds": [\n{lines}\n]}}\n', encoding="utf-8")
    print(f"{len(folds)} folds, {PATH.stat().st_size:,} bytes: {PATH.name}")


if __name__ == "__main__":
    main()
