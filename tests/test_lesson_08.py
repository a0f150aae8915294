"""Lesson 08: its figures, its claims, and mistake M22.

The rooms that it uses have tests of their own, and so has the file of its runs (test_families_runs.py).
"""

import json
import re
from functools import partial
from math import sqrt

import numpy as np
import pytest
import reading
import torch
from reading import code, prose, said
from scipy.stats import t as student
from sklearn.metrics import roc_auc_score
from torch import nn
from torch.utils.data import TensorDataset

from course_utils.datasets import shipped
from course_utils.expression import simulate_expression
from course_utils.family_tasks import A_WORD, B_WORD, LENGTH, TASKS, draw, task_ceiling
from course_utils.graphs import features_ceiling, simulate_network
from course_utils.models import seeded
from course_utils.models.families import AutoEncoder, Convolutional, FullyConnected, GraphConvolutional
from course_utils.training import fit, predict

pytestmark = pytest.mark.usefixtures("one_thread")

NAME = "08_network_families"
PROSE, CODE = prose(NAME), code(NAME)
claims = partial(reading.claims, NAME)
numbers = partial(reading.numbers, NAME)
found = partial(reading.found, NAME)


@pytest.fixture(scope="module")
def runs() -> dict:
    return json.loads(shipped("families_runs.json").read_text("utf-8"))


def paired(scores, others) -> tuple[float, float, float]:
    """The mean difference of paired scores and its 95 % interval, by Student's t."""
    gain = np.asarray(scores) - np.asarray(others)
    half = student.ppf(0.975, len(gain) - 1) * gain.std(ddof=1) / sqrt(len(gain))
    return gain.mean(), gain.mean() - half, gain.mean() + half


def auc(runs, task, family, budget=2_000) -> list[float]:
    return runs["sequences"][task][family][str(budget)]["auc"]


# --- the mistake ---------------------------------------------------------------------------------


def test_M22_convolutions_suit_patterns_anywhere_and_not_fixed_positions(runs):
    claims(r'convolutional networks suit ("data with fixed positions"), and names DNA as an example \(mistake M22\)')
    dnn_place, dnn_anywhere = found("M22", r"fully connected +(0\.\d\d) +(0\.\d\d)")
    cnn_place, cnn_anywhere = found("M22", r"convolutional +(0\.\d\d) +(0\.\d\d)\n")
    assert dnn_place > 0.98 and cnn_anywhere > 0.88 and abs(cnn_place - 0.5) < 0.03 and abs(dnn_anywhere - 0.5) < 0.04
    assert [dnn_place, dnn_anywhere] == pytest.approx([auc(runs, t, "DNN")[0] for t in ("place", "anywhere")], abs=0.011)
    assert [cnn_place, cnn_anywhere] == pytest.approx([auc(runs, t, "CNN")[0] for t in ("place", "anywhere")], abs=0.011)
    lowest, highest = numbers(r"in five runs, which section 5 shows, its AUC lies between (0\.\d+) and (0\.\d+)")
    assert [lowest, highest] == [round(end(auc(runs, "anywhere", "DNN")), 3) for end in (min, max)]
    assert paired(auc(runs, "place", "DNN"), auc(runs, "place", "CNN"))[1] > 0
    assert paired(auc(runs, "anywhere", "CNN"), auc(runs, "anywhere", "DNN"))[1] > 0
    answers = re.findall(r"(convolutional|fully connected) +motif at 20 and at 30: the same logit: (\w+)", said(NAME, "moved"))
    assert answers == [("convolutional", "True"), ("fully connected", "False")]


def test_M22_the_maximum_makes_a_network_blind_to_places_whatever_its_weights():
    codes = np.zeros((2, LENGTH), int)
    for row, place in enumerate((20, 30)):
        codes[row, place : place + 7] = [3, 2, 0, 1, 3, 1, 0]
    inputs = torch.eye(4)[torch.from_numpy(codes)].permute(0, 2, 1)
    for seed in range(5):
        with seeded(seed):
            blind, not_blind = Convolutional(53), FullyConnected(50, 10)
        assert torch.allclose(*blind(inputs), atol=1e-5) and not torch.allclose(*not_blind(inputs), atol=1e-3)


# --- the tasks -----------------------------------------------------------------------------------


def test_the_text_describes_the_tasks_as_they_are_drawn():
    assert claims(r"all with sequences of (\d+) letters") == [str(LENGTH)]
    assert claims(r"the motif `(\w+)` at position (\d+), negatives") == ["TGACTCA", "20"]
    assert claims(r"positives have `(\w+)`, some (\d+) to (\d+) letters, then `(\w+)`") == ["TGACTCA", "6", "18", "CCGGAAG"]
    assert claims(r"kept with a probability of (0\.\d+)") == ["0.85"]
    [places, share] = numbers(r"at each of the (\d+) places, and at each of them only about (\d+) of the 1,000 positives")
    assert places == LENGTH - 7 + 1 and share == round(1_000 / places)
    assert numbers(r"sees (\d+) letters at once, and 35 fit into 50 at (\d+) places") == [35, 50 - 35 + 1]
    assert Convolutional(8, second=27).reach == 35
    ranges = numbers(r"wants the motif (\d+) letters into its window finds it only if it stands at (\d+) to (\d+), and one that wants it "
                     r"(\d+) letters in only at (\d+) to (\d+)\. A motif at (\d+) alone")  # fmt: skip
    assert ranges == [5, 5, 5 + 15, 20, 20, 20 + 15, 20]
    assert set(range(5, 21)) & set(range(20, 36)) == {20}


def test_the_first_picture_is_of_these_sequences():
    at, top = found("tasks", r"place: found at (\d+) in (\d+)% of positives")
    codes, labels = draw("place", 4_000, np.random.default_rng(1))
    letters = np.array([3, 2, 0, 1, 3, 1, 0])
    right = (codes[labels == 1, 20:27] == letters).sum(axis=1) >= 6
    assert at == 20 and top == round(100 * right.mean())
    kept = 0.85**7 + 7 * 0.15 * 0.85**6
    assert right.mean() == pytest.approx(kept, abs=0.03)
    assert numbers(r"\((\d+) % and not all, because more than one letter is changed") == [round(100 * kept)]
    means = re.search(r"order, mean place: (\{.*\})", said(NAME, "tasks"))[1]
    first_left, first_right, second_right, second_left = map(int, re.findall(r": (\d+)", means))
    assert first_left < second_right and second_left < first_right


def test_the_ceilings_are_printed_and_quoted():
    for task in TASKS:
        best = task_ceiling(task)
        assert found("ceilings", rf"{task} +(0\.\d+) +(0\.\d+)") == pytest.approx([best.auc, best.accuracy], abs=1e-4)
    assert numbers(r"The ceiling of this task is (0\.\d\d)") == [round(task_ceiling("anywhere").auc, 2)]
    assert numbers(r"Nearly the ceiling of (\d\.\d+)\. For such") == [round(task_ceiling("place").auc, 3)]
    assert numbers(r"Nearly the ceiling of (\d\.\d+)\. What do") == [round(task_ceiling("order").auc, 3)]


# --- the families of sequences -------------------------------------------------------------------


def test_what_was_trained_here_is_run_0_of_the_file(runs):
    for tag, task, family in (("seed:004-dnn", "place", "DNN"), ("seed:004-cnn", "anywhere", "CNN"), ("seed:004-rnn", "order", "GRU")):
        parameters, = found(tag, r"parameters: (\d+)")
        assert parameters == runs["sequences"][task][family]["2000"]["parameters"]
        assert found(tag, rf"AUC, {task}: (0\.\d\d)") == pytest.approx([auc(runs, task, family)[0]], abs=0.011)
    for name, family in (("fully connected", "DNN"), ("convolutional", "CNN")):
        [score] = found("order", rf"AUC, order, {name} *: (0\.\d\d)")
        assert score == pytest.approx(auc(runs, "order", family)[0], abs=0.011)
    assert said(NAME, "same-as-package").count("the same logits: True") == 2


def test_the_table_holds_the_file_s_figures(runs):
    rows = re.findall(r"^(\w+) +(DNN|CNN|GRU|CNN, two layers) +([\d,]+) +([\d.]+) +(0\.\d+), (0\.\d+) to (0\.\d+) +(0\.\d+)$",
                      said(NAME, "table"), re.M)  # fmt: skip
    assert len(rows) == 12
    for task, family, parameters, seconds, *figures in rows:
        one = runs["sequences"][task][family]["2000"]
        assert int(parameters.replace(",", "")) == one["parameters"]
        assert float(seconds) == pytest.approx(np.median(one["seconds"]), abs=0.051)
        expected = [np.mean(one["auc"]), min(one["auc"]), max(one["auc"]), runs["ceilings"][task]["auc"]]
        assert [float(figure) for figure in figures] == pytest.approx(expected, abs=0.00051)
    for task in TASKS:
        slowest = max(runs["families"], key=lambda family: np.median(runs["sequences"][task][family]["2000"]["seconds"]))
        assert slowest == "GRU", "the text says so"


def test_each_claim_is_a_paired_difference_whose_interval_excludes_0(runs):
    rows = re.findall(r"^(\w+) +(DNN|CNN|GRU) +- (DNN|CNN|GRU) +([+-]\S+) \((\S+) to (\S+)\)  (.*)$", said(NAME, "claims"), re.M)
    assert [row[:2] for row in rows] == [("place", "DNN")] * 2 + [("anywhere", "CNN")] * 2 + [("order", "GRU")] * 2
    gains = {}
    for task, family, other, *figures, verdict in rows:
        gains[task, other] = paired(auc(runs, task, family), auc(runs, task, other))
        assert [float(figure) for figure in figures] == pytest.approx(gains[task, other], abs=0.00051)
        assert gains[task, other][1] > 0 and verdict == "better"
    huge = numbers(r"Four of them are huge: (0\.\d\d) over .* at a place, (0\.\d\d) over .* anywhere, (0\.\d\d) and (0\.\d\d) over both in order")
    keys = [("place", "CNN"), ("anywhere", "DNN"), ("order", "CNN"), ("order", "DNN")]
    assert huge == pytest.approx([gains[key][0] for key in keys], abs=0.0051)
    small = numbers(r"Over the recurrent network it is only (0\.\d\d) and (0\.\d\d)")
    assert small == pytest.approx([gains["place", "GRU"][0], gains["anywhere", "GRU"][0]], abs=0.0051)


def test_with_other_budgets_the_huge_gaps_stay_and_each_narrow_one_is_lost_once_to_a_run_at_chance(runs):
    claims(r"The (four) huge gaps stay\. Each of the (two) narrow ones stays at one of these budgets")
    stays = numbers(r"one recurrent run of five is stuck, at (0\.\d\d) and (0\.\d\d)")
    assert stays == [round(min(auc(runs, "place", "GRU", 600)), 2), round(min(auc(runs, "anywhere", "GRU", 8_000)), 2)]
    for task, budget, start in (("place", 600, stays[0]), ("anywhere", 8_000, stays[1])):
        printed = found("other-budgets", rf"recurrent, {task}, {budget:,}: +" + " ".join([r"(\S+)"] * 5))
        assert printed == pytest.approx(auc(runs, task, "GRU", budget), abs=0.0051) and min(printed) == start
    rows = re.findall(r"^(place|anywhere|order) .* (better|worse|cannot tell)$", said(NAME, "other-budgets"), re.M)
    assert len(rows) == 12 and [row[1] for row in rows].count("better") == 10 and ("place", "cannot tell") == rows[1]
    lost = []
    for budget in (600, 8_000):
        for task, family in (("place", "DNN"), ("anywhere", "CNN"), ("order", "GRU")):
            for other in {"DNN", "CNN", "GRU"} - {family}:
                low = paired(auc(runs, task, family, budget), auc(runs, task, other, budget))[1]
                if low <= 0:
                    lost.append((task, other, budget))
                elif (task, other) not in (("place", "GRU"), ("anywhere", "GRU")):
                    assert low > 0.15, "huge"
    assert lost == [("place", "GRU", 600), ("anywhere", "GRU", 8_000)]
    for task, family, budget in lost:
        assert sorted(score < 0.6 for score in auc(runs, task, family, budget)) == [False] * 4 + [True]


def test_the_second_layer_tells_order_and_something_of_places(runs):
    two = "CNN, two layers"
    gain, behind = numbers(r"In \*order\* it gains (0\.\d\d) over the network with one layer .* stays (0\.\d\d) ahead")
    assert gain == pytest.approx(paired(auc(runs, "order", two), auc(runs, "order", "CNN"))[0], abs=0.0051)
    mean, low, _ = paired(auc(runs, "order", "GRU"), auc(runs, "order", two))
    assert behind == pytest.approx(mean, abs=0.0051) and low > 0
    for budget in (600, 8_000):
        _, low, high = paired(auc(runs, "order", "GRU", budget), auc(runs, "order", two, budget))
        assert low < 0 < high
    assert min(auc(runs, "place", two)) > 0.75, "far better than chance"
    for task in ("place", "anywhere"):
        assert np.ptp(auc(runs, task, two)) > 0.08, "some runs end far below the others"
    both = numbers(r"\| means of (0\.\d\d) and (0\.\d\d); one layer")
    assert both == pytest.approx([np.mean(auc(runs, "order", family)) for family in ("GRU", two)], abs=0.0051)
    assert said(NAME, "second-layer").count("cannot tell") == 4
    assert numbers(r"one layer and a maximum (0\.\d\d) \|") == pytest.approx([np.mean(auc(runs, "order", "CNN"))], abs=0.0051)


def test_with_two_layers_the_motif_says_positive_at_20_alone(runs):
    [score] = found("second-layer-place", r"AUC, place, two layers: (0\.\d\d)")
    assert score == pytest.approx(auc(runs, "place", "CNN, two layers")[0], abs=0.011)
    assert "above 0 at [20] alone" in said(NAME, "second-layer-place")


def test_away_from_the_ends_one_layer_and_a_maximum_knows_hardly_anything_of_the_order():
    """What one network of the lesson shows, with two others."""
    [inside] = found("ends", r"both clear of the ends +\d+% of sequences, AUC (0\.\d\d)")
    [near] = found("ends", r"one near an end +\d+% of sequences, AUC (0\.\d\d)")
    assert inside < 0.56 and near > 0.66
    letters = {word: np.array(["ACGT".index(letter) for letter in word]) for word in (A_WORD, B_WORD)}
    for seed in (1, 2):
        rng, sets = np.random.default_rng(seed), []
        for many in (2_000, 500, 4_000):
            codes, labels = draw("order", many, rng)
            inputs = torch.eye(4)[torch.from_numpy(codes).long()].permute(0, 2, 1).contiguous()
            sets.append((codes, TensorDataset(inputs, torch.from_numpy(labels).float())))
        with seeded(seed):
            model = Convolutional(53)
        fit(model, sets[0][1], sets[1][1], loss=nn.BCEWithLogitsLoss(), optimizer=torch.optim.Adam(model.parameters(), lr=1e-2),
            epochs=50, batch_size=64, generator=torch.Generator().manual_seed(seed), patience=15, progress=False)  # fmt: skip
        logits, windows = predict(model, inputs), np.lib.stride_tricks.sliding_window_view(codes, 7, axis=1)
        starts = [(windows == word).sum(axis=2).argmax(axis=1) for word in letters.values()]
        clear = (np.min(starts, axis=0) >= 4) & (np.max(starts, axis=0) <= 39)
        assert roc_auc_score(labels[clear], logits[clear]) < 0.56 and roc_auc_score(labels[~clear], logits[~clear]) > 0.64


def test_more_parameters_do_not_help_where_the_assumption_is_false(runs):
    for task, family, most in (("place", "CNN", 0.01), ("anywhere", "DNN", 0.02), ("order", "CNN", 0.05)):
        means = [np.mean(auc(runs, task, family, budget)) for budget in runs["budgets"]]
        assert found("budgets", rf"{task} +{family} +(0\.\d+) +(0\.\d+) +(0\.\d+)") == pytest.approx(means, abs=0.00051)
        assert max(means) - min(means) < most and max(means) < runs["ceilings"][task]["auc"] - 0.3


def test_a_shuffle_of_positions_leaves_the_fully_connected_network_alone():
    [dnn] = found("shuffled", r"place +fully connected AUC with shuffled positions: (0\.\d\d)")
    [cnn] = found("shuffled", r"anywhere +convolutional +AUC with shuffled positions: (0\.\d\d)")
    [again] = found("shuffled", r"order +fully connected AUC with shuffled positions: (0\.\d\d)")
    [gru] = found("shuffled", r"order +recurrent +AUC with shuffled positions: (0\.\d)\n")
    assert dnn > 0.98 and again == pytest.approx(found("order", r"order, fully connected: (0\.\d\d)")[0], abs=0.021)
    assert [cnn, gru] == numbers(r"near the ceiling on the letters as they stood, fall to (0\.\d\d) and (0\.\d)\.")
    assert max(cnn, gru) < 0.65


# --- the graph -----------------------------------------------------------------------------------


def test_the_graph_helps(runs):
    graph = runs["graph"]
    for name in ("without_graph", "gcn", "new_network", "belief_propagation", "oracle"):
        printed = found("graph-runs", rf"{name.replace('_', ' ')} +(0\.\d+)  \((0\.\d+) to (0\.\d+)\)")
        assert printed == pytest.approx([np.mean(graph[name]), min(graph[name]), max(graph[name])], abs=0.00051)
    gain = paired(graph["gcn"], graph["without_graph"])
    assert found("graph-runs", r"gcn - without graph: (\S+) \((\S+) to (\S+)\)") == pytest.approx(gain, abs=0.00051)
    assert gain[1] > 0
    worth, before, after = numbers(r"The graph is worth (0\.\d\d): from (0\.\d\d) to (0\.\d\d)")
    means = {name: np.mean(values) for name, values in graph.items() if isinstance(values, list)}
    assert [worth, before, after] == pytest.approx([gain[0], means["without_graph"], means["gcn"]], abs=0.0051)
    assert numbers(r"ceiling of the features alone, (0\.\d+), so no") == [round(features_ceiling(), 3)]
    assert numbers(r"belief propagation is right for (0\.\d\d)") == [round(means["belief_propagation"], 2)]
    assert means["oracle"] - means["belief_propagation"] < 0.01, "hardly more"
    assert numbers(r"nothing trained again\. It is right for (0\.\d\d)") == [round(means["new_network"], 2)]


def test_the_simulated_network_is_the_one_described():
    network = simulate_network(600, modules=3, inside=6, outside=2, features=6, rng=np.random.default_rng(0))
    links, alone = found("network", r"600 nodes, ([\d,]+) links, .* (\d+) isolated")
    assert links == network.adjacency.sum() / 2 and alone == (network.adjacency.sum(axis=1) == 0).sum() == 1
    assert found("network", r"links within a module: (\d+)%") == pytest.approx([75], abs=2)
    assert found("network", r"is right for (\d+\.\d)%") == [round(100 * features_ceiling(), 1)]
    assert said(NAME, "normalised").count("the same as the package's: True") == 2
    assert np.abs(np.array(re.findall(r"[\d.]+", said(NAME, "normalised").split("rows:")[1])[:5], float) - 1).max() > 0.05


def test_without_the_graph_it_is_the_number_of_labels_that_keeps_it_below_the_ceiling():
    network = simulate_network(3_000, features=6, rng=np.random.default_rng(7))
    x, labels = torch.from_numpy(network.features).float(), torch.from_numpy(network.labels)
    with seeded(7):
        model = GraphConvolutional(6, 16, 3)
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-2, weight_decay=5e-4)
    for _ in range(150):
        optimizer.zero_grad()
        logits = model.output(model.hidden(x).relu())  # what the identity leaves of it
        nn.functional.cross_entropy(logits[:2_000], labels[:2_000]).backward()
        optimizer.step()
    right = (logits.argmax(dim=1) == labels)[2_000:].float().mean().item()
    assert right == pytest.approx(features_ceiling(), abs=0.03)


# --- the table without labels --------------------------------------------------------------------


def test_the_auto_encoder_is_better_where_the_table_is_curved_alone(runs):
    tables = runs["expression"]
    for kind in ("linear", "curved"):
        for number, which in enumerate(("first", "second")):
            ours, theirs = ([run[number] for run in tables[kind][m]["correlations"]] for m in ("autoencoder", "pca"))
            gain = paired(ours, theirs)
            pattern = rf"{kind} +{which} +correlation, auto-encoder - PCA: (\S+) \((\S+) to (\S+)\)"
            assert found("table-runs", pattern) == pytest.approx(gain, abs=0.000051)
            assert gain[1] > 0 if kind == "curved" else gain[2] < 0, "a trace worse where it is linear"
    second = {m: np.mean([run[1] for run in tables["curved"][m]["correlations"]]) for m in ("autoencoder", "pca")}
    error = {m: np.mean(tables["curved"][m]["error"]) for m in second}
    said_here = numbers(r"a second correlation of (0\.\d\d) against (0\.\d\d), and leaves half of the error, (0\.\d\d) in place of (0\.\d\d)")
    assert said_here == pytest.approx([*second.values(), *error.values()], abs=0.0051)
    linear = numbers(r"of no consequence, and the error is (0\.\d+) against (0\.\d+)")
    [lower] = numbers(r"both correlations are lower by (0\.\d+)")
    for number in (0, 1):
        ours, theirs = ([run[number] for run in tables["linear"][m]["correlations"]] for m in second)
        assert np.mean(theirs) - np.mean(ours) == pytest.approx(lower, abs=0.000051)
    assert linear == pytest.approx([np.mean(tables["linear"][m]["error"]) for m in second], abs=0.00051)
    for kind in ("linear", "curved"):
        for method in ("autoencoder", "with ReLU", "linear autoencoder", "pca"):
            run = tables[kind][method]
            column = [pair[1] for pair in run["correlations"]]
            expected = [np.mean(column), min(column), max(column), np.mean(run["error"])]
            pattern = rf"{kind} +{method} +(0\.\d+) \((0\.\d+) to (0\.\d+)\) +(0\.\d+)"
            assert found("table-runs", pattern) == pytest.approx(expected, abs=0.00051)


def test_the_twisted_run_has_the_highest_error_and_the_others_lower_ones_than_elu(runs):
    curved = runs["expression"]["curved"]
    run, elu = curved["with ReLU"], curved["autoencoder"]
    second = [pair[1] for pair in run["correlations"]]
    [low, high, error, correlation] = numbers(
        r"Four of its five runs have errors of (0\.\d+) or (0\.\d+), a little lower than all of ELU\. But one has (0\.\d+), and a second "
        r"correlation of (0\.\d\d)")  # fmt: skip
    assert correlation == round(min(second), 2) and error == round(max(run["error"]), 3)
    assert np.argmin(second) == np.argmax(run["error"]) == 4 and sorted(second)[1] > 0.9
    assert {round(value, 3) for value in sorted(run["error"])[:4]} == {low, high} and sorted(run["error"])[3] < min(elu["error"])
    for method, errors in (("autoencoder", elu["error"]), ("with ReLU", run["error"])):
        assert found("table-runs", rf"\n{method} +" + " ".join([r"(0\.\d+)"] * 5)) == pytest.approx(errors, abs=0.00051)


def test_the_twisted_code_agrees_with_no_other_and_its_halves_run_in_opposite_directions():
    rows = re.findall(r"codes of seeds (\d) and (\d): second correlation ([\d.]+)", said(NAME, "twisted"))
    assert [row[:2] for row in rows] == [("0", "1"), ("4", "0"), ("4", "1")]
    assert float(rows[0][2]) > 0.9 and max(float(row[2]) for row in rows[1:]) < 0.3
    assert "['+', '+'] and ['-', '-']" in said(NAME, "twisted"), "each number, in both halves"


def test_after_95_epochs_the_held_out_error_still_falls_a_little():
    [error, epochs] = numbers(r"still falls a little, to (0\.\d+) after (\d+) epochs")
    ends = {}
    for kind in ("linear", "curved"):
        both = simulate_expression(2_000, genes=60, kind=kind, noise=0.3, rng=np.random.default_rng(0))
        rows = torch.from_numpy(both.table - both.table[:1_000].mean(axis=0)).float()
        with seeded(0):
            model = AutoEncoder(60)
        history = fit(
            model, TensorDataset(rows[:1_000], rows[:1_000]), TensorDataset(rows[1_000:], rows[1_000:]), loss=nn.MSELoss(), progress=False,
            optimizer=torch.optim.Adam(model.parameters(), lr=3e-3), epochs=int(epochs), generator=torch.Generator().manual_seed(0),
        )  # fmt: skip
        ends[kind] = history.valid_loss[94], history.valid_loss[-1]
        assert ends[kind][1] < ends[kind][0]
    assert error == pytest.approx(ends["curved"][1], abs=0.0011) and ends["curved"][0] < 0.101


def test_the_floor_is_the_noise_less_what_two_numbers_fit_of_it(runs):
    noise, share, floor = claims(r"left with the noise, (0\.\d+)\. .* This leaves 0\.09 × (58/60) = (0\.\d+)")
    assert float(noise) == round(0.3**2, 3) and float(floor) == round(0.09 * 58 / 60, 3) == round(runs["expression"]["floor"], 3)
    assert found("codes", r"0\.3² = (0\.\d+); .*: (0\.\d+)") == [float(noise), float(floor)]
    assert numbers(r"the auto-encoder has ([\d,]+) parameters, PCA (\d+)") == [runs["expression"]["curved"]["parameters"], 3 * 60]


def test_what_was_trained_here_on_tables_is_run_0_of_the_file(runs):
    for kind in ("linear", "curved"):
        for method, key in (("auto-encoder", "autoencoder"), ("PCA", "pca")):
            first, second, error = found("codes", rf"{kind} +{method} +(\d\.\d\d) and (\d\.\d\d) +(0\.\d\d)")
            run = runs["expression"][kind][key]
            assert [first, second] == pytest.approx(run["correlations"][0], abs=0.011)
            assert error == pytest.approx(run["error"][0], abs=0.011)


# --- the whole contest ---------------------------------------------------------------------------


def test_the_summary_holds_the_file_s_figures(runs):
    rows = {"DNN": ("place", "GRU"), "CNN": ("anywhere", "GRU"), "GRU": ("order", "CNN, two layers")}
    for family, (task, rival) in rows.items():
        one = runs["sequences"][task][family]["2000"]
        assert rival == max(set(runs["families"]) - {family}, key=lambda other: np.mean(auc(runs, task, other))), "the strongest"
        pattern = rf"{family} +{task} +([\d,]+) +([\d.]+) +AUC +(0\.\d+) +{rival} +(0\.\d+) +(0\.\d+)"
        expected = [np.mean(one["auc"]), np.mean(auc(runs, task, rival)), runs["ceilings"][task]["auc"]]
        parameters, seconds, *figures = found("summary", pattern)
        assert parameters == one["parameters"] and seconds == pytest.approx(np.median(one["seconds"]), abs=0.051)
        assert figures == pytest.approx(expected, abs=0.00051)
        assert figures[0] > figures[2] - 0.025 and figures[1] < figures[0], "near the ceiling, and ahead"
    graph, curved = runs["graph"], runs["expression"]["curved"]
    figures = found("summary", r"graph-convolutional +neighbours +(\d+) +[\d.]+ +right +(0\.\d+) +without graph +(0\.\d+) +(0\.\d+)")
    expected = [np.mean(graph[name]) for name in ("gcn", "without_graph", "belief_propagation")]
    assert figures == pytest.approx([graph["parameters"], *expected], abs=0.00051)
    figures = found("summary", r"auto-encoder +curved table +([\d,]+) +[\d.]+ +error +(0\.\d+) +PCA +(0\.\d+) +(0\.\d+)")
    expected = [np.mean(curved[name]["error"]) for name in ("autoencoder", "pca")]
    assert figures == pytest.approx([curved["parameters"], *expected, runs["expression"]["floor"]], abs=0.00051)


# --- the rest of the text ------------------------------------------------------------------------


def test_the_recipe_of_the_lesson_is_that_of_the_file():
    for words in ("lr=1e-2", "batch_size=64", "patience=15", "epochs=50", "(2_000, 500, 4_000)", "epochs=95", "lr=3e-3"):
        assert words in CODE, words


def test_deepbind_deepsea_basset_and_deepcpg_have_their_place_and_their_reference():
    for model, words in (
        ("DeepBind", "Nature Biotechnology* 33, 831-838 (2015)"),
        ("DeepSEA", "Nature Methods* 12, 931-934 (2015)"),
        ("Basset", "Genome Research* 26, 990-999 (2016)"),
        ("DeepCpG", "Genome Biology* 18, 67 (2017)"),
    ):
        assert f"| {model} (" in PROSE and words in PROSE


def test_the_network_of_section_3_learns_the_same_in_the_package_and_here():
    """One epoch of the lesson's loop with the package's class: the losses fall from chance."""
    codes, labels = draw("anywhere", 2_000, np.random.default_rng(0))
    inputs = torch.eye(4)[torch.from_numpy(codes).long()].permute(0, 2, 1).contiguous()
    with seeded(0):
        model = Convolutional(53)
    history = fit(
        model, TensorDataset(inputs, torch.from_numpy(labels).float()), loss=nn.BCEWithLogitsLoss(), progress=False,
        optimizer=torch.optim.Adam(model.parameters(), lr=1e-2), epochs=2, generator=torch.Generator().manual_seed(0),
    )  # fmt: skip
    assert history.train_loss[1] < history.train_loss[0] < 0.72
