"""bfloat16 beside float32: the dilated network of lesson 10 on its simulated genome, three seeds of each.

    python benchmarks/precision.py

About five minutes on one thread. For each seed a genome of its own and the recipe of lesson 10; printed are the validation
loss after each epoch, and r on the test windows beside its ceiling.
"""

import math

import numpy as np
import torch
from torch.utils.data import TensorDataset

from course_utils.genomes import make_genome, simulate_genome
from course_utils.losses import log_poisson
from course_utils.models import seeded
from course_utils.models.basenji import Basenji
from course_utils.schedules import cosine
from course_utils.tracks import pearson_per_track
from course_utils.training import fit, predict

SEEDS, EPOCHS, BATCH = (1, 2, 3), 6, 2


def as_data(windows) -> TensorDataset:
    inputs = torch.from_numpy(windows.one_hot).permute(0, 2, 1).float().contiguous()  # (N, 4, L)
    return TensorDataset(inputs, torch.from_numpy(windows.tracks))


def train(parts: dict, seed: int, precision: str) -> tuple[list[float], float]:
    """Validation losses, and r on the test windows."""
    data = {name: as_data(part.windows) for name, part in parts.items()}
    with seeded(seed):
        model = Basenji(base=8, growth=16)
    with seeded(seed):
        history = fit(
            model, data["train"], data["valid"], loss=log_poisson,
            optimizer=torch.optim.Adam(model.parameters(), lr=0.01, betas=(0.9, 0.99)),
            epochs=EPOCHS, batch_size=BATCH, generator=torch.Generator().manual_seed(seed),
            schedule=cosine(EPOCHS * math.ceil(len(data["train"]) / BATCH), warmup=50), clip=1.0, precision=precision,
        )  # fmt: skip
    rates = predict(model, data["test"], batch_size=8).exp().numpy()
    return history.valid_loss, pearson_per_track(parts["test"].windows.tracks, rates).mean()


def main() -> None:
    torch.set_num_threads(1)
    differences = []
    for seed in SEEDS:
        rng = np.random.default_rng(seed)
        genome = make_genome(rng)
        counts = {"train": 512, "valid": 64, "test": 128}
        parts = {name: simulate_genome(count, genome, rng=rng) for name, count in counts.items()}
        ceiling = pearson_per_track(parts["test"].windows.tracks, parts["test"].rate).mean()
        scores = {}
        for precision in ("float32", "bfloat16"):
            losses, scores[precision] = train(parts, seed, precision)
            said = " ".join(f"{loss:.3f}" for loss in losses)
            print(f"seed {seed} {precision:9} validation loss {said}   test r {scores[precision]:.3f} (ceiling {ceiling:.3f})", flush=True)
        differences.append(scores["bfloat16"] - scores["float32"])
    print("r in bfloat16 less r in float32:", " ".join(f"{difference:+.3f}" for difference in differences))


if __name__ == "__main__":
    main()
