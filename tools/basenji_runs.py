"""Train the networks whose results lesson 10 compares over seeds: data/basenji_runs.json.

    python tools/basenji_runs.py

Takes about five minutes on one thread. Each seed makes a genome of its own, with its own words, and trains on it
a dilated network and one without dilation, from the same first weights: with the recipe of lesson 10. Run it again
when the recipe changes; `tests/test_basenji_runs.py` compares the first steps with the file.
"""

import json
from pathlib import Path

import numpy as np
import torch
from runs import DILATIONS, FIRST, as_dataset, as_inputs, first_losses, rounded

from course_utils.genomes import SimulatedGenome, make_genome, simulate_genome
from course_utils.losses import log_poisson
from course_utils.models import seeded
from course_utils.models.basenji import Basenji
from course_utils.schedules import cosine
from course_utils.tracks import pearson_per_track
from course_utils.training import History, fit, predict
from course_utils.windows import Windows

PATH = Path(__file__).resolve().parents[1] / "data" / "basenji_runs.json"
SEEDS = (1, 2, 3, 4, 5)
WINDOWS = (512, 64, 128)  # to train with, to choose the recipe by, to judge
EPOCHS, BATCH, RATE, WARMUP, BETAS, CLIP = 6, 2, 1e-2, 50, (0.9, 0.99), 1.0


def genome_of(seed: int) -> list[SimulatedGenome]:
    """Training, validation and test windows of one genome."""
    rng = np.random.default_rng(seed)
    genome = make_genome(rng)
    return [simulate_genome(count, genome, rng=rng) for count in WINDOWS]


def network(seed: int, kind: str) -> Basenji:
    with seeded(seed):
        return Basenji(base=8, growth=16, dilations=DILATIONS[kind])


def train(model: Basenji, seed: int, windows: Windows, valid: Windows | None, loss=log_poisson) -> History:
    """The recipe. Dropout draws from torch's own generator, hence the seed around it."""
    steps = EPOCHS * -(-len(windows) // BATCH)
    with seeded(seed):
        return fit(
            model,
            as_dataset(windows),
            None if valid is None else as_dataset(valid),
            loss=loss,
            optimizer=torch.optim.Adam(model.parameters(), lr=RATE, betas=BETAS),
            epochs=EPOCHS,
            batch_size=BATCH,
            schedule=cosine(steps, WARMUP),
            clip=CLIP,
            generator=torch.Generator().manual_seed(seed),
            progress=False,
        )


def first_steps(seed: int, kind: str) -> list[float]:
    """The losses of the first steps, as the file keeps them, without the rest of the training."""
    windows = genome_of(seed)[0].windows
    return first_losses(lambda loss: train(network(seed, kind), seed, windows, None, loss))


def judge(simulated: SimulatedGenome, rates: np.ndarray) -> dict:
    """r of each track over all bins, and over promoter bins alone."""
    counts = simulated.windows.tracks
    at = np.zeros(counts.shape[:2], dtype=bool)
    np.put_along_axis(at, simulated.elements.promoters, True, axis=1)
    over = {"r": pearson_per_track(counts, rates)}
    over["promoter_r"] = pearson_per_track(counts[at][None], rates[at][None])
    return {name: rounded(r) for name, r in over.items()}


def run(seed: int) -> dict:
    """Both networks of one seed, and the two ceilings of its test windows."""
    train_set, valid, test = genome_of(seed)
    result = {"ceiling": judge(test, test.rate), "local_ceiling": judge(test, test.local_rate)}
    for kind in DILATIONS:
        model = network(seed, kind)
        history = train(model, seed, train_set.windows, valid.windows)
        rates = {
            name: predict(model, as_inputs(part.windows.one_hot), batch_size=16).exp().numpy()
            for name, part in (("valid", valid), ("test", test))
        }
        result[kind] = {
            **judge(test, rates["test"]),
            "valid_r": judge(valid, rates["valid"])["r"],
            "train_loss": rounded(history.train_loss),
            "valid_loss": rounded(history.valid_loss),
            "first_losses": rounded(history.batch_loss[:FIRST]),
        }
    return result


def write(runs: dict[int, dict]) -> None:
    lines = [f"{json.dumps(str(seed))}: {json.dumps(of, separators=(',', ':'))}" for seed, of in runs.items()]
    head = f'{{"parameters": {sum(p.numel() for p in network(1, "dilated").parameters())},\n"runs": {{\n'
    PATH.write_text(head + ",\n".join(lines) + "\n}}\n", encoding="utf-8")


def main() -> None:
    torch.set_num_threads(1)
    runs = {}
    for seed in SEEDS:
        runs[seed] = run(seed)
        means = {kind: round(float(np.mean(of["r"])), 4) for kind, of in runs[seed].items()}
        print(f"seed {seed}: mean r {means}", flush=True)
    write(runs)
    print(f"{len(runs)} seeds, {PATH.stat().st_size:,} bytes: {PATH.name}")


if __name__ == "__main__":
    main()
