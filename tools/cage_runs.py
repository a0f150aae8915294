"""Judge networks and rules on real CAGE windows, five folds, for lesson 10: data/cage_runs.json.

    python tools/cage_runs.py

Takes about seven minutes on one thread. It reads the registered dataset "basenji-cage", 20 human windows of 262,144 bp.
Run it again when the recipe, here and in the lesson, changes; `tests/test_cage_runs.py` compares the rules without a
network and the first steps of the networks with the file.

Of each fold and method the file has the loss over all tracks and, for each track, r of the raw counts and r of their
logs, on the windows that the fold holds out; of the methods that learn also on their training windows.
"""

import json
from pathlib import Path

import numpy as np
import torch
from runs import DILATIONS, FIRST, as_dataset, as_inputs, first_losses, rounded

from course_utils.augmentation import Augmentation
from course_utils.datasets import fetch
from course_utils.losses import log_poisson
from course_utils.models import seeded
from course_utils.models.basenji import Basenji
from course_utils.schedules import cosine
from course_utils.tfrecords import read_basenji
from course_utils.tracks import CompositionRule, constant_rates, fit_composition, pearson_per_track, poisson_loss
from course_utils.training import History, fit, predict
from course_utils.windows import Windows

PATH = Path(__file__).resolve().parents[1] / "data" / "cage_runs.json"

#: The windows that each fold holds out. Every fifth one, but 15 and 17, which are neighbours on chromosome 8, together.
FOLDS = ((0, 5, 15, 17), (1, 6, 11, 16), (2, 7, 10, 12), (3, 8, 13, 18), (4, 9, 14, 19))

CROP, EPOCHS, BATCH, RATE, BETAS, CLIP = 8_192, 12, 2, 3e-3, (0.9, 0.99), 1.0
AUGMENTATION = Augmentation(max_shift=64, flip=True)  # the tracks are not stranded: nothing to swap
SEED = 1


def network(windows: Windows, kind: str) -> Basenji:
    """The network of 81,398 parameters; it starts near the mean of each track, not near 1."""
    with seeded(SEED), torch.no_grad():
        model = Basenji(base=8, growth=16, dilations=DILATIONS[kind], dropout=0.0)
        model.head.weight *= 0.1
        model.head.bias.copy_(torch.from_numpy(np.log(constant_rates(windows.tracks))))
    return model


def train(model: Basenji, windows: Windows, loss=log_poisson) -> History:
    """The recipe. Dropout draws from torch's own generator, hence the seed around it."""
    crops = windows.crop(CROP)
    with seeded(SEED):
        return fit(
            model,
            as_dataset(crops),
            loss=loss,
            optimizer=torch.optim.Adam(model.parameters(), lr=RATE, betas=BETAS),
            epochs=EPOCHS,
            batch_size=BATCH,
            schedule=cosine(EPOCHS * -(-len(crops) // BATCH)),
            clip=CLIP,
            augment=AUGMENTATION,
            generator=torch.Generator().manual_seed(SEED),
            progress=False,
        )


def first_steps(windows: Windows, kind: str) -> list[float]:
    """The losses of the first steps, as the file keeps them, without the rest of the training."""
    return first_losses(lambda loss: train(network(windows, kind), windows, loss))


def rates_of(model: Basenji, windows: Windows) -> np.ndarray:
    """The rates ``(N, bins, T)`` that a network expects."""
    return predict(model, as_inputs(windows.one_hot), batch_size=1).exp().numpy()


def judged(windows: Windows, rates: np.ndarray) -> dict:
    """Loss, and r of each track; an undefined r is None."""
    rows = {"raw": pearson_per_track(windows.tracks, rates)}
    rows["log1p"] = pearson_per_track(windows.tracks, rates, log1p=True)
    kept = {name: [None if np.isnan(r) else round(float(r), 4) for r in row] for name, row in rows.items()}
    return {"loss": round(poisson_loss(windows.tracks, rates), 5)} | kept


def judge_rules(training: Windows, test: Windows, rule: CompositionRule) -> dict:
    """The methods without a network; the rule is :func:`fit_composition` of the training windows."""
    return {
        "constant": judged(test, constant_rates(training.tracks)),
        "composition": judged(test, rule.predict(test.one_hot))
        | {"train": judged(training, rule.predict(training.one_hot))},
    }


def judge_nets(training: Windows, test: Windows, rule: CompositionRule) -> dict:
    """Both networks, and "average": the dilated one and the composition rule together, mean of the log rates."""
    found = {}
    for kind in DILATIONS:
        model = network(training, kind)
        history = train(model, training)
        rates = rates_of(model, test)
        found[kind] = judged(test, rates) | {
            "train": judged(training, rates_of(model, training)),
            "first_losses": rounded(history.batch_loss[:FIRST]),
        }
        if kind == "dilated":
            found["average"] = judged(test, np.sqrt(rates * rule.predict(test.one_hot)))
    return found


def read_cage() -> Windows:
    """All 20 windows. No two overlap: the longest run of letters that two of them share, a repeat, has 296."""
    return read_basenji(fetch("basenji-cage"))


def split(windows: Windows, held_out: tuple[int, ...]) -> tuple[Windows, Windows]:
    """The training windows, and those held out."""
    return windows.subset(sorted(set(range(len(windows))) - set(held_out))), windows.subset(held_out)


def main() -> None:
    torch.set_num_threads(1)
    windows, folds = read_cage(), []
    for held_out in FOLDS:
        training, test = split(windows, held_out)
        parts = training, test, fit_composition(training)
        folds.append({"held_out": list(held_out), **judge_rules(*parts), **judge_nets(*parts)})
        print(json.dumps({name: run["loss"] for name, run in folds[-1].items() if name != "held_out"}), flush=True)
    lines = ",\n".join(json.dumps(fold, separators=(",", ":")) for fold in folds)
    PATH.write_text(f'{{"folds": [\n{lines}\n]}}\n', encoding="utf-8")
    print(f"{len(folds)} folds, {PATH.stat().st_size:,} bytes: {PATH.name}")


if __name__ == "__main__":
    main()
