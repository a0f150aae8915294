"""Train the networks of lesson 08, one of each family, five times each: data/families_runs.json.

    python tools/families_runs.py [sequences] [graph] [expression]

Takes about twenty minutes on one thread; a name runs that part alone and leaves the others in the file as they are.
Run it again when the recipe, here and in the lesson, changes: `tests/test_families_runs.py` compares the first steps
with the file.

Run number n, from 0, draws its data, its first weights and its shuffles with n. All networks of one number have the same
data, so that they can be compared in pairs. All get the same recipe: Adam at one rate, batches of 64, up to 50 epochs, the
weights of the epoch with the lowest validation loss. (Of three rates tried with seed 0, 0.01 was the best or equal for each
family but the CNN with two layers, which lost 0.015 at a place by it.)

    sequences   three families (and a CNN with a second layer), three tasks, three budgets of parameters
    graph       GraphConvolutional with its network, without it, on a network that it has not seen; belief propagation
    expression  AutoEncoder and PCA, on a linear and a curved table: canonical correlations, errors

`seconds` are those of one machine, measured once.
"""

import json
import sys
import time
from functools import partial
from pathlib import Path

import numpy as np
import torch
from runs import FIRST, rounded
from sklearn.decomposition import PCA
from sklearn.metrics import roc_auc_score
from torch import nn
from torch.utils.data import TensorDataset

from course_utils.expression import (
    KINDS,
    Expression,
    canonical_correlations,
    reconstruction_floor,
    simulate_expression,
)
from course_utils.family_tasks import LENGTH, TASKS, draw, log_ratio, task_ceiling
from course_utils.graphs import (
    Network,
    belief_propagation,
    features_ceiling,
    normalised_adjacency,
    oracle,
    simulate_network,
)
from course_utils.models import seeded
from course_utils.models.families import (
    AutoEncoder,
    Convolutional,
    FullyConnected,
    GraphConvolutional,
    Recurrent,
    count,
    size_for,
)
from course_utils.training import fit, predict

PATH = Path(__file__).resolve().parents[1] / "data" / "families_runs.json"

RUNS = 5
TRAIN, VALID, TEST = 2_000, 500, 4_000
BATCH, RATE, EPOCHS, PATIENCE = 64, 1e-2, 50, 15
BUDGETS = (600, 2_000, 8_000)
KEPT = 200  # held-out sequences of run 0 whose logits the explorer shows

FAMILIES = {
    "DNN": partial(FullyConnected, LENGTH),
    "CNN": Convolutional,
    "GRU": Recurrent,
    "CNN, two layers": partial(Convolutional, second=27),
}


# --- sequences -----------------------------------------------------------------------------------


def as_inputs(codes: np.ndarray) -> torch.Tensor:
    """What a network reads, ``(N, 4, L)``, from codes ``(N, L)``."""
    return torch.eye(4)[torch.from_numpy(codes.astype(np.int64))].permute(0, 2, 1).contiguous()


def data(task: str, run: int) -> list[tuple[np.ndarray, TensorDataset]]:
    """Codes and what `fit` takes, for training, validation and test."""
    rng = np.random.default_rng(run)
    drawn = [draw(task, many, rng) for many in (TRAIN, VALID, TEST)]
    return [(codes, TensorDataset(as_inputs(codes), torch.from_numpy(labels).float())) for codes, labels in drawn]


def train(family: str, size: int, sets, run: int, epochs: int = EPOCHS):
    with seeded(run):
        model = FAMILIES[family](size)
    history = fit(
        model, sets[0][1], sets[1][1], loss=nn.BCEWithLogitsLoss(),
        optimizer=torch.optim.Adam(model.parameters(), lr=RATE), epochs=epochs, batch_size=BATCH,
        generator=torch.Generator().manual_seed(run), patience=PATIENCE, progress=False,
    )  # fmt: skip
    return model, history


def kept_rows() -> np.ndarray:
    """Of the held-out sequences 100 positives and 100 negatives, mixed."""
    rows = np.concatenate([np.arange(KEPT // 2), TEST // 2 + np.arange(KEPT // 2)])
    return np.random.default_rng(0).permutation(rows)


def one_network(family: str, size: int, sets_of_runs: list) -> dict:
    found = {"parameters": count(FAMILIES[family](size)), "size": size, "rate": RATE}
    lists = {key: [] for key in ("seconds", "auc", "accuracy", "epochs", "train_loss", "valid_loss")}
    for run, sets in enumerate(sets_of_runs):
        start = time.perf_counter()
        model, history = train(family, size, sets, run)
        lists["seconds"].append(round(time.perf_counter() - start, 2))
        inputs, labels = sets[2][1].tensors
        logits = predict(model, inputs).numpy()
        lists["auc"].append(round(float(roc_auc_score(labels, logits)), 5))
        lists["accuracy"].append(round(float(((logits > 0) == (labels.numpy() > 0)).mean()), 5))
        lists["epochs"].append(history.epochs)
        lists["train_loss"].append(rounded(history.train_loss, 4))
        lists["valid_loss"].append(rounded(history.valid_loss, 4))
        if run == 0:
            found |= {"first_losses": rounded(history.batch_loss[:FIRST]), "logits": rounded(logits[kept_rows()], 2)}
    return found | lists


def sequences() -> dict:
    found = {"tasks": list(TASKS), "families": list(FAMILIES), "budgets": list(BUDGETS)}
    found |= {"ceilings": {}, "labels": {}, "best": {}, "sequences": {}}
    for task in TASKS:
        best = task_ceiling(task)._asdict()
        found["ceilings"][task] = {key: round(best[key], 5) for key in ("accuracy", "auc", "accuracy_se", "auc_se")}
        sets_of_runs = [data(task, run) for run in range(RUNS)]
        codes, test = sets_of_runs[0][2]
        rows = kept_rows()
        found["labels"][task] = test.tensors[1][rows].int().tolist()
        found["best"][task] = rounded(log_ratio(task, codes[rows]), 2)
        found["sequences"][task] = {family: {} for family in FAMILIES}
        for family, make in FAMILIES.items():
            for budget in BUDGETS:
                one = one_network(family, size_for(make, budget), sets_of_runs)
                found["sequences"][task][family][str(budget)] = one
                said = f"AUC {np.mean(one['auc']):.4f}, {np.mean(one['seconds']):.1f} s"
                print(f"{task:10} {family:16} {one['parameters']:6,} parameters: {said}", flush=True)
    return found


# --- a graph -------------------------------------------------------------------------------------

LABELLED, STEPS = 120, 150  # nodes whose labels the training sees, of 600; steps, each on all of them


def network_of(run: int) -> tuple[Network, np.ndarray, np.ndarray]:
    """A network, the indices of its labelled nodes, and those of the held-out ones."""
    rng = np.random.default_rng(run)
    network = simulate_network(features=6, rng=rng)
    order = rng.permutation(len(network.labels))
    return network, order[:LABELLED], order[LABELLED:]


def tensors(network: Network, linked: bool) -> tuple[torch.Tensor, torch.Tensor]:
    """The features, and the normalised adjacency or, without the graph, the identity."""
    matrix = normalised_adjacency(network.adjacency) if linked else np.eye(len(network.labels))
    return torch.from_numpy(network.features).float(), torch.from_numpy(matrix).float()


def train_on_graph(network: Network, labelled: np.ndarray, linked: bool, run: int):
    x, matrix = tensors(network, linked)
    labels = torch.from_numpy(network.labels)
    with seeded(run):
        model = GraphConvolutional(features=6, size=16, classes=3)
    optimizer = torch.optim.Adam(model.parameters(), lr=RATE, weight_decay=5e-4)
    losses = []
    for _ in range(STEPS):
        loss = nn.functional.cross_entropy(model(x, matrix)[labelled], labels[labelled])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return model, losses


def right(model, network: Network, linked: bool) -> np.ndarray:
    """For each node whether the model names its module."""
    with torch.no_grad():
        return model(*tensors(network, linked)).argmax(dim=1).numpy() == network.labels


def graph() -> dict:
    lists = {key: [] for key in ("gcn", "without_graph", "new_network", "belief_propagation", "oracle", "seconds")}
    for run in range(RUNS):
        network, labelled, held_out = network_of(run)
        start = time.perf_counter()
        model, losses = train_on_graph(network, labelled, True, run)
        lists["seconds"].append(round(time.perf_counter() - start, 2))
        alone, _ = train_on_graph(network, labelled, False, run)
        if run == 0:
            first = rounded(losses[:FIRST])
        lists["gcn"].append(right(model, network, True)[held_out].mean())
        lists["without_graph"].append(right(alone, network, False)[held_out].mean())
        other = simulate_network(features=6, rng=np.random.default_rng(100 + run))
        lists["new_network"].append(right(model, other, True).mean())
        for name, chances in (("belief_propagation", belief_propagation(network, labelled)), ("oracle", oracle(network))):
            lists[name].append((chances.argmax(axis=1) == network.labels)[held_out].mean())
    found = {name: rounded(values, 4) for name, values in lists.items()}
    print({name: round(float(np.mean(values)), 3) for name, values in found.items()}, flush=True)
    ceilings = {"features_ceiling": round(features_ceiling(), 5)}
    return {"parameters": count(model), "first_losses": first} | ceilings | found


# --- a table without labels ----------------------------------------------------------------------

SAMPLES, GENES, NOISE, TABLE_RATE, TABLE_EPOCHS = 1_000, 60, 0.3, 3e-3, 95


def tables(kind: str, run: int) -> tuple[Expression, Expression]:
    """A table to learn from and a held-out one of the same genes, less the mean of the first."""
    both = simulate_expression(2 * SAMPLES, genes=GENES, kind=kind, noise=NOISE, rng=np.random.default_rng(run))
    mean = both.table[:SAMPLES].mean(axis=0)
    parts = (slice(None, SAMPLES), slice(SAMPLES, None))
    return tuple(Expression(both.table[p] - mean, both.clean[p] - mean, both.factors[p]) for p in parts)


def train_on_table(table: np.ndarray, run: int, size: int = 64, activation=nn.ELU, epochs: int = TABLE_EPOCHS):
    rows = torch.from_numpy(table).float()
    with seeded(run):
        model = AutoEncoder(GENES, size, activation=activation)
    history = fit(
        model, TensorDataset(rows, rows), loss=nn.MSELoss(), optimizer=torch.optim.Adam(model.parameters(), lr=TABLE_RATE),
        epochs=epochs, batch_size=BATCH, generator=torch.Generator().manual_seed(run), progress=False,
    )  # fmt: skip
    return model, history


def judged(code: np.ndarray, again: np.ndarray, truth: Expression) -> dict:
    """Canonical correlations with the factors, and mean squared errors against the noisy and the clean table."""
    return {
        "correlations": rounded(canonical_correlations(code, truth.factors), 4),
        "error": round(float(((again - truth.table) ** 2).mean()), 5),
        "clean_error": round(float(((again - truth.clean) ** 2).mean()), 5),
    }


def expression() -> dict:
    found = {}
    for kind in KINDS:
        settings = {"autoencoder": {}, "with ReLU": {"activation": nn.ReLU}, "linear autoencoder": {"size": 0}}
        rows = {name: [] for name in (*settings, "pca")}
        seconds = []
        for run in range(RUNS):
            known, held_out = tables(kind, run)
            inputs = torch.from_numpy(held_out.table).float()
            for name, setting in settings.items():
                start = time.perf_counter()
                model, history = train_on_table(known.table, run, **setting)
                if name == "autoencoder":
                    seconds.append(round(time.perf_counter() - start, 2))
                    first = rounded(history.batch_loss[:FIRST]) if run == 0 else first
                    parameters = count(model)
                code, again = predict(model.encode, inputs).numpy(), predict(model, inputs).numpy()
                rows[name].append(judged(code, again, held_out))
            pca = PCA(2).fit(known.table)
            code = pca.transform(held_out.table)
            rows["pca"].append(judged(code, pca.inverse_transform(code), held_out))
        found[kind] = {"parameters": parameters, "seconds": seconds, "first_losses": first}
        for name, runs in rows.items():
            found[kind][name] = {key: [one[key] for one in runs] for key in runs[0]}
            print(kind, name, *(np.mean(found[kind][name][key], axis=0).round(4) for key in runs[0]), flush=True)
    return found | {"floor": round(reconstruction_floor(NOISE, GENES, 2), 5)}


# --- the file ------------------------------------------------------------------------------------

PARTS = {part.__name__: part for part in (sequences, graph, expression)}


def main() -> None:
    torch.set_num_threads(1)
    kept = json.loads(PATH.read_text("utf-8")) if PATH.exists() else {}
    for name in sys.argv[1:] or PARTS:
        found = PARTS[name]()
        kept |= found if name == "sequences" else {name: found}
        lines = ",\n".join(f"{json.dumps(key)}: {json.dumps(part, separators=(',', ':'))}" for key, part in kept.items())
        PATH.write_text("{\n" + lines + "\n}\n", "utf-8")


if __name__ == "__main__":
    main()
