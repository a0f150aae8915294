"""The runs of lesson 08: what data/families_runs.json holds, and that the recipe still makes it."""

import json
import sys

import numpy as np
import pytest
import torch
from reading import ROOT
from sklearn.metrics import roc_auc_score

from course_utils.datasets import shipped
from course_utils.expression import reconstruction_floor
from course_utils.family_tasks import TASKS, log_ratio, task_ceiling
from course_utils.graphs import belief_propagation, features_ceiling, oracle
from course_utils.intervals import paired_interval
from course_utils.models.families import count, size_for

sys.path.insert(0, str(ROOT / "tools"))
import families_runs  # noqa: E402  (tools/ is no package: its files are commands)

pytestmark = pytest.mark.usefixtures("one_thread")

FAMILIES = list(families_runs.FAMILIES)


@pytest.fixture(scope="module")
def kept() -> dict:
    return json.loads(shipped("families_runs.json").read_text("utf-8"))


def test_the_file_is_whole_and_small(kept):
    assert kept["tasks"] == list(TASKS) and kept["families"] == FAMILIES
    assert kept["budgets"] == list(families_runs.BUDGETS)
    for task in TASKS:
        for family in FAMILIES:
            for budget in kept["budgets"]:
                one = kept["sequences"][task][family][str(budget)]
                make = families_runs.FAMILIES[family]
                assert one["size"] == size_for(make, budget) and one["parameters"] == count(make(one["size"]))
                assert abs(one["parameters"] / budget - 1) < 0.06, "equal budgets"
                assert {len(one[key]) for key in ("seconds", "auc", "accuracy", "epochs", "train_loss", "valid_loss")} == {5}
                for epochs, train, valid in zip(one["epochs"], one["train_loss"], one["valid_loss"]):
                    assert len(train) == len(valid) == epochs <= families_runs.EPOCHS
                    best = 1 + int(np.argmin(valid))
                    assert epochs in (families_runs.EPOCHS, best + families_runs.PATIENCE)
                assert len(one["logits"]) == families_runs.KEPT
    assert shipped("families_runs.json").stat().st_size < 300_000


def test_no_network_is_above_its_ceiling(kept):
    for task in TASKS:
        best = task_ceiling(task)
        assert kept["ceilings"][task]["auc"] == pytest.approx(best.auc, abs=1e-4)
        assert kept["ceilings"][task]["accuracy"] == pytest.approx(best.accuracy, abs=1e-4)
        for family in FAMILIES:
            for one in kept["sequences"][task][family].values():
                assert np.mean(one["auc"]) < best.auc + 0.003
                assert np.mean(one["accuracy"]) < best.accuracy + 0.006


@pytest.mark.parametrize("task", TASKS)
def test_the_sequences_that_were_kept_are_those_of_run_0(kept, task):
    codes, test = families_runs.data(task, 0)[2]
    rows = families_runs.kept_rows()
    assert kept["labels"][task] == test.tensors[1][rows].int().tolist()
    assert kept["best"][task] == pytest.approx(log_ratio(task, codes[rows]), abs=0.006)
    for family in FAMILIES:
        one = kept["sequences"][task][family]["2000"]
        of_some = roc_auc_score(kept["labels"][task], one["logits"])
        assert of_some == pytest.approx(one["auc"][0], abs=0.12)


@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize("family", FAMILIES)
def test_the_first_steps_are_those_of_the_file(kept, task, family):
    one = kept["sequences"][task][family]["2000"]
    _, history = families_runs.train(family, one["size"], families_runs.data(task, 0), 0, epochs=1)
    assert history.batch_loss[:20] == pytest.approx(one["first_losses"], abs=2e-3)


def test_a_short_training_is_repeated_to_its_score(kept):
    for task, family in (("place", "DNN"), ("anywhere", "CNN")):
        one = kept["sequences"][task][family]["2000"]
        sets = families_runs.data(task, 1)
        model, history = families_runs.train(family, one["size"], sets, 1)
        inputs, labels = sets[2][1].tensors
        auc = roc_auc_score(labels, families_runs.predict(model, inputs))
        assert auc == pytest.approx(one["auc"][1], abs=0.01)


def gain(kept, task, family, other, budget="2000"):
    runs = kept["sequences"][task]
    return paired_interval(runs[family][budget]["auc"], runs[other][budget]["auc"])


def test_each_family_is_ahead_on_the_task_that_suits_it(kept):
    assert gain(kept, "place", "DNN", "CNN").low > 0.4
    assert gain(kept, "anywhere", "CNN", "DNN").low > 0.3
    assert gain(kept, "anywhere", "CNN", "GRU").low > 0
    assert gain(kept, "order", "GRU", "CNN").low > 0.3
    assert gain(kept, "order", "GRU", "DNN").low > 0.1
    assert gain(kept, "order", "CNN, two layers", "CNN").low > 0.2


# --- the graph -----------------------------------------------------------------------------------


def test_the_graph_s_figures_are_repeated(kept):
    graph = kept["graph"]
    assert graph["features_ceiling"] == pytest.approx(features_ceiling(), abs=1e-4)
    for run in (0, 3):
        network, labelled, held_out = families_runs.network_of(run)
        assert not set(labelled) & set(held_out) and len(labelled) + len(held_out) == 600
        for name, chances in (("belief_propagation", belief_propagation(network, labelled)), ("oracle", oracle(network))):
            assert (chances.argmax(axis=1) == network.labels)[held_out].mean() == pytest.approx(graph[name][run], abs=2e-3)
        for name, linked in (("gcn", True), ("without_graph", False)):
            model, losses = families_runs.train_on_graph(network, labelled, linked, run)
            right = families_runs.right(model, network, linked)[held_out].mean()
            assert right == pytest.approx(graph[name][run], abs=0.01)
            if run == 0 and linked:
                assert losses[:20] == pytest.approx(graph["first_losses"], abs=1e-3)
    assert count(model) == graph["parameters"]


def test_the_graph_helps_and_held_out_labels_do_not_leak(kept):
    graph = kept["graph"]
    assert paired_interval(graph["gcn"], graph["without_graph"]).low > 0.25
    assert min(graph["gcn"]) > graph["features_ceiling"] > max(graph["without_graph"])
    assert np.mean(graph["gcn"]) < np.mean(graph["belief_propagation"]) < np.mean(graph["oracle"])
    network, labelled, held_out = families_runs.network_of(0)
    other = network._replace(labels=network.labels.copy())
    other.labels[held_out] = (other.labels[held_out] + 1) % 3
    one, two = (families_runs.train_on_graph(n, labelled, True, 0)[0] for n in (network, other))
    for p, q in zip(one.parameters(), two.parameters()):
        assert torch.equal(p, q)


# --- the table -----------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["linear", "curved"])
def test_the_table_s_figures_are_repeated(kept, kind):
    found = kept["expression"][kind]
    assert kept["expression"]["floor"] == pytest.approx(reconstruction_floor(0.3, 60, 2))
    known, held_out = families_runs.tables(kind, 2)
    model, history = families_runs.train_on_table(known.table, 2)
    assert count(model) == found["parameters"]
    inputs = torch.from_numpy(held_out.table).float()
    code, again = families_runs.predict(model.encode, inputs).numpy(), families_runs.predict(model, inputs).numpy()
    judged = families_runs.judged(code, again, held_out)
    assert judged["correlations"] == pytest.approx(found["autoencoder"]["correlations"][2], abs=0.005)
    assert judged["error"] == pytest.approx(found["autoencoder"]["error"][2], abs=0.003)


def test_the_auto_encoder_is_better_where_the_table_is_curved_and_no_better_where_it_is_linear(kept):
    for kind, number in (("curved", 0), ("curved", 1), ("linear", 0), ("linear", 1)):
        ours, theirs = (
            [runs[number] for runs in kept["expression"][kind][method]["correlations"]] for method in ("autoencoder", "pca")
        )
        difference = paired_interval(ours, theirs)
        if kind == "curved":
            assert difference.low > 0.02
        else:
            assert -0.002 < difference.estimate <= 0 and difference.high < 0.001
    linear, curved = (kept["expression"][kind] for kind in ("linear", "curved"))
    assert np.mean(linear["autoencoder"]["error"]) >= np.mean(linear["pca"]["error"])
    assert paired_interval(curved["pca"]["error"], curved["autoencoder"]["error"]).low > 0.05
    assert np.allclose(linear["linear autoencoder"]["error"], linear["pca"]["error"], atol=2e-4)
    assert np.allclose(curved["linear autoencoder"]["error"], curved["pca"]["error"], atol=3e-4)


def test_with_relu_one_picture_in_five_is_folded(kept):
    second = [run[1] for run in kept["expression"]["curved"]["with ReLU"]["correlations"]]
    assert sorted(value > 0.9 for value in second) == [False, True, True, True, True]
    assert min(run[1] for run in kept["expression"]["curved"]["autoencoder"]["correlations"]) > 0.97
