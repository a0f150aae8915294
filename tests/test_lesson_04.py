"""Lesson 04: its figures, and the mistakes of the source lectures that it corrects."""

import re
import warnings
from functools import partial

import numpy as np
import pytest
import reading
import torch
from reading import code, lesson, prose, said
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import confusion_matrix
from sklearn.model_selection import train_test_split
from test_exercises import check_of, run, solution
from torch import nn
from torch.nn.functional import binary_cross_entropy_with_logits, cross_entropy
from torch.utils.data import TensorDataset

from course_utils.ceilings import ceiling
from course_utils.models import seeded
from course_utils.models.motif_cnn import MotifCNN, TinyMotifCNN
from course_utils.motifs import pfm_to_ppm
from course_utils.simulation import CCGGAA, simulate
from course_utils.training import evaluate, fit

pytestmark = pytest.mark.usefixtures("one_thread")

NAME = "04_cnn_classifier"
PPM = pfm_to_ppm(CCGGAA)
FIXED = ceiling(PPM, length=20, start=7).accuracy
ANYWHERE = 0.9145  # lesson 03 and its test
PROSE, CODE = prose(NAME), code(NAME)
claims = partial(reading.claims, NAME)


def decimals(words: str) -> list[float]:
    return [float(number) for number in re.findall(r"\d+\.\d+", words)]


def dataset(X: np.ndarray, y: np.ndarray) -> TensorDataset:
    return TensorDataset(torch.from_numpy(X).permute(0, 2, 1), torch.from_numpy(y))


def fresh(many: int, seed: int, **choices) -> TensorDataset:
    """New sequences, half of them positives, as the lesson draws them."""
    half = {"positives": many // 2, "negatives": many // 2}
    drawn = simulate(PPM, **half, rng=np.random.default_rng(seed), **choices)
    return dataset(drawn.one_hot, drawn.labels)


def train(model: nn.Module, data: TensorDataset, epochs: int, seed: int = 0):
    """The lectures' recipe; returns the history."""
    return fit(
        model, data, loss=nn.CrossEntropyLoss(), optimizer=torch.optim.Adam(model.parameters(), 0.001),
        epochs=epochs, generator=torch.Generator().manual_seed(seed), progress=False,
    )  # fmt: skip


def split(rows: np.ndarray, labels: np.ndarray) -> list[np.ndarray]:
    """The lectures' split into four fifths and one: X, X left out, y, y left out."""
    return train_test_split(rows, labels, test_size=0.2, random_state=125)


# --- 1: the data ---------------------------------------------------------------------------------


def test_the_data_and_a_batch_have_the_shapes_of_the_lectures():
    words = said(NAME, "seed:000-train-test-split")
    assert "X (2000, 20, 4)  y (2000,)" in words
    assert "train (1600, 20, 4)  test (400, 20, 4)" in words
    words = said(NAME, "seed:000-dataloader")
    assert "a batch: (64, 4, 20) torch.float32  labels (64,) torch.int64" in words
    [batches] = map(int, re.findall(r"batches in an epoch: (\d+)", words))
    batch, many = claims(r"Later it is luck: (\d+) of ([\d,]+) sequences, easy or hard")
    assert many == "1,280" and batches * int(batch) == 1280, "the last batch is as large as the others"


def test_M10_three_sets_share_no_sequence_and_have_1280_320_and_400():
    labels = simulate(PPM, start=7, rng=np.random.default_rng(0)).labels
    rest, test, *_ = split(np.arange(2000), labels)
    train_rows, valid, *_ = split(rest, labels[rest])
    assert len(np.unique(np.concatenate([train_rows, valid, test]))) == 2000
    words = said(NAME, "M10")
    found = re.findall(r"(\w+): +(\d+) sequences, (\d+\.\d)% positive", words)
    assert found == [
        (name, str(len(rows)), f"{100 * labels[rows].mean():.1f}")
        for name, rows in [("train", train_rows), ("valid", valid), ("test", test)]
    ]
    assert [int(many) for _, many, _ in found] == [1280, 320, 400]


def test_M33_a_tensor_copied_with_torch_tensor_warns_and_the_two_other_ways_do_not():
    tensor = torch.ones(2)
    with pytest.warns(UserWarning, match="To copy construct from a tensor"):
        torch.tensor(tensor)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert torch.as_tensor(tensor) is tensor
        copy = tensor.clone().detach()
    assert copy.data_ptr() != tensor.data_ptr()
    words = said(NAME, "M33")
    assert words.startswith("To copy construct from a tensor, it is recommended")
    assert "no copy needed: True" in words and "torch.Size([64, 4, 20])" in words


# --- 2: the networks -----------------------------------------------------------------------------


def rows_of(summary: str) -> list[tuple[str, str, str]]:
    """Layer, shape and parameters, as torchsummary prints them."""
    return re.findall(r"(\w+)-\d+ +(\[.*?\]) +([\d,]+)\n", summary)


def test_the_first_network_has_10642_parameters_208_of_them_in_the_filters():
    words = said(NAME, "seed:000-network")
    assert rows_of(words) == [
        ("Conv1d", "[-1, 16, 20]", "208"),
        ("ReLU", "[-1, 16, 20]", "0"),
        ("MaxPool1d", "[-1, 16, 10]", "0"),
        ("Flatten", "[-1, 160]", "0"),
        ("Linear", "[-1, 64]", "10,304"),
        ("Linear", "[-1, 2]", "130"),
    ]
    assert "Total params: 10,642\n" in words
    model = MotifCNN()
    filters = [p.numel() for p in model.conv.parameters()]
    assert filters == [16 * 4 * 3, 16] and sum(filters) == 208
    assert claims(r"(\d+) filters of (\d) × (\d) weights and a bias each are (\d+)") == [
        "16", "4", "3", "208",
    ]  # fmt: skip
    assert claims(r"It has (\d+) \+ ([\d,]+) \+ (\d+) = ([\d,]+)") == ["208", "10,304", "130", "10,642"]
    assert 208 + 10_304 + 130 == sum(p.numel() for p in model.parameters()) == 10_642


def test_the_comments_of_the_first_network_give_the_shape_after_each_line():
    [cell] = [cell for cell in lesson(NAME).cells if cell.source.startswith("class DNA_CNN")]
    before = re.search(r"def forward.*?# \(N, 4, 20\)\n(.*?)\n\n", cell.source + "\n\n", re.S)[1]
    promised = [f"({shape})" for shape in re.findall(r"# \(N, ([\d, ]+)\)", before)]
    seen, x, model = [], torch.zeros(5, 4, 20), MotifCNN()
    layers = (model.conv, model.relu, model.pool, model.flatten, model.linear1, model.linear2)
    for layer in layers:
        x = layer(x)
        seen.append("(" + ", ".join(map(str, x.shape[1:])) + ")")
    assert promised == seen


def test_the_second_network_has_312_parameters():
    words = said(NAME, "seed:002-network")
    assert rows_of(words) == [
        ("Conv1d", "[-1, 10, 20]", "210"),
        ("ReLU", "[-1, 10, 20]", "0"),
        ("MaxPool1d", "[-1, 10, 5]", "0"),
        ("Flatten", "[-1, 50]", "0"),
        ("Linear", "[-1, 2]", "102"),
    ]
    assert "Total params: 312\n" in words
    assert sum(p.numel() for p in TinyMotifCNN().parameters()) == 312


def test_M09_two_linear_layers_are_one_and_with_a_relu_between_them_they_are_not():
    with seeded(0):
        first, second = nn.Linear(160, 64), nn.Linear(64, 2)
    both = sum(p.numel() for layer in (first, second) for p in layer.parameters())
    assert first.weight.numel() + first.bias.numel() == 10_304
    assert claims(r"linear layer with (\d+) × (\d) weights, and the ([\d,]+) param") == ["160", "2", "10,304"]
    words = said(NAME, "M09")
    folded = sum(p.numel() for p in nn.Linear(160, 2).parameters())
    assert "the same outputs: True" in words and f"parameters: {both} -> {folded}" in words
    assert (both, folded) == (10_434, 322)
    x = torch.randn(5, 160, generator=torch.Generator().manual_seed(0))

    def curved(middle: nn.Module) -> bool:
        """A linear layer has f(x) + f(-x) = 2 f(0) for every x."""
        network = nn.Sequential(first, middle, second)
        middle_point = network(torch.zeros(1, 160))
        return not torch.allclose(network(x) + network(-x), 2 * middle_point, atol=1e-5)

    assert curved(nn.ReLU()) and not curved(nn.Identity())


def test_M13_both_and_neither_cost_as_much_as_a_coin_where_sigmoids_are_divided_by_their_sum():
    rows = re.findall(r"\[(.*), (.*)\]: loss of the first class (.*), as if .* (.*)\n", said(NAME, "M13"))
    rows = [tuple(map(float, row)) for row in rows]
    assert [row[:2] for row in rows] == [(0.9, 0.1), (0.9, 0.9), (0.01, 0.01)]
    for one, other, loss, share in rows:
        assert share == pytest.approx(one / (one + other), abs=0.005)
        assert loss == pytest.approx(-np.log(one / (one + other)), abs=0.0005)
    assert rows[1][2] == rows[2][2] == float(claims(r"A coin has log 2 = (0\.\d+)")[0])
    # The two clean ways are the same loss: two logits, or their difference as the one logit.
    logits, labels = torch.tensor([[0.3, 1.2], [2.0, -1.0]]), torch.tensor([1, 0])
    difference = logits[:, 1] - logits[:, 0]
    one_logit = binary_cross_entropy_with_logits(difference, labels.float())
    assert cross_entropy(logits, labels).item() == pytest.approx(one_logit.item())


def test_M06_the_188_in_the_corner_are_true_positives():
    truth = np.array([1] * 194 + [0] * 206)  # one number for each label: 1 is positive
    called = np.array([1] * 188 + [0] * 6 + [1] * 11 + [0] * 195)
    table = confusion_matrix(truth, called)  # rows and columns in the order 0, 1
    assert table[1, 1] == int(claims(r"The (\d+) in the corner are the true positives")[0])
    seen_from_column_1 = confusion_matrix(1 - truth, 1 - called)
    words = said(NAME, "M06")
    assert str(seen_from_column_1) in words and seen_from_column_1[0, 0] == 188
    assert "first row: column 1 is 0, so these are the positives; 188 of them are found" in words
    assert "400 sequences, 48.5% positive" in said(NAME, "M10"), "194 of 400, as in the table"


def test_fresh_logits_become_shares_that_say_little():
    row = r"logits (\S+), (\S+) +softmax (\S+), (\S+) +call (\d) +truth \d\n"
    rows = np.array(re.findall(row, said(NAME, "logits")), dtype=float)
    logits, shares, called = rows[:, :2], rows[:, 2:4], rows[:, 4]
    assert len(rows) == 3 and (logits.argmax(axis=1) == called).all()
    assert shares == pytest.approx(torch.from_numpy(logits).softmax(dim=1).numpy(), abs=0.011)
    assert np.abs(shares - 0.5).max() < 0.1, "nothing learned yet"


# --- 3: the loop ---------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def five_epochs():
    """The history of section 3's training."""
    drawn = simulate(PPM, start=7, rng=np.random.default_rng(0))
    X, _, y, _ = split(drawn.one_hot, drawn.labels)
    X, _, y, _ = split(X, y)
    with seeded(1):
        model = MotifCNN()
    return train(model, dataset(X, y), epochs=5, seed=1)


def test_M11_the_last_batch_is_above_the_mean_of_an_epoch_or_below_it_by_luck(five_epochs):
    rows = re.findall(r"epoch \d: last batch (.*), mean of the epoch (.*)\n", said(NAME, "M11"))
    last, mean = np.array(rows, dtype=float).T
    assert len(rows) == 5 and (np.diff(mean) < 0).all()
    told = claims(r"From (0\.\d+) in the first epoch the mean loss falls to (0\.\d+) in the fifth")
    assert told == [f"{mean[0]:.2f}", f"{mean[4]:.2f}"]
    assert (last > mean).any() and (last < mean).any()
    batches = np.reshape(five_epochs.batch_loss, (5, 20))
    assert last == pytest.approx(batches[:, -1], abs=0.002)
    assert mean == pytest.approx(batches.mean(axis=1), abs=0.002)
    assert batches[4].max() > 2 * batches[4].min(), "of one epoch: easy and hard batches"


def test_the_packaged_loop_gives_the_same_weights_and_the_same_loss(five_epochs):
    words = said(NAME, "fit-is-the-loop")
    assert "every weight the same, to the last bit: True" in words
    of_the_loop = decimals(said(NAME, "M11"))[-1]
    trained, validated, tested = decimals(words)
    assert trained == of_the_loop == pytest.approx(five_epochs.train_loss[-1], abs=0.002)
    assert "The validation loss is *lower* than the training loss" in PROSE and validated < trained
    assert 0.96 < tested < 0.99
    assert len(re.findall(r"\(\w+, test\b", CODE)) == 1, "the one look at the test set"


def test_a_network_that_gives_both_classes_the_same_chance_has_the_loss_of_a_coin():
    [coin] = claims(r"A coin has log 2 = (0\.\d+)")
    loss = cross_entropy(torch.zeros(8, 2), torch.arange(8) % 2).item()
    assert f"{loss:.3f}" == coin == "0.693"


FAULTS = {  # of the broken loop of exercise 4, and the mended lines
    "no zero_grad": ("    for inputs, labels in loader:\n", "{}        optimizer.zero_grad()\n"),
    "eval mode": ("    for inputs, labels in loader:\n", "    model.train()\n{}"),
    "step too early": (
        "        optimizer.step()\n        loss.backward()\n",
        "        loss.backward()\n        optimizer.step()\n",
    ),
    "last batch": ("    return loss.item()\n", None),
}


def mended(loop: str, faults) -> str:
    """The broken loop of exercise 4 with some of its faults mended."""
    for fault in faults:
        old, new = FAULTS[fault]
        if fault == "last batch":
            loop = loop.replace("    for inputs", "    losses = []\n    for inputs", 1)
            loop = loop.replace(old, "        losses += [loss.item()] * len(labels)\n" + old)
            new = "    return sum(losses) / len(losses)\n"
        assert loop.count(old) == 1
        loop = loop.replace(old, new.format(old))
    return loop


def test_the_loop_of_exercise_4_has_the_four_faults_and_no_fifth():
    [cell] = [cell for cell in lesson(NAME).cells if "This loop runs and says nothing" in cell.source]
    assert "Four things are wrong" in cell.source
    loop = re.search(r"```python\n(.*?)```", cell.source, re.S)[1]
    check = check_of(NAME, "one_epoch")
    assert check(run(NAME, mended(loop, FAULTS))).correct
    for left in FAULTS:
        others = [fault for fault in FAULTS if fault != left]
        assert not check(run(NAME, mended(loop, others))).correct, left


# --- 4: ten seeds --------------------------------------------------------------------------------


def ten_seeds() -> dict[str, tuple[float, float]]:
    """Mean and standard deviation of each classifier, as printed."""
    rows = re.findall(r"^(.*\S) +(0\.\d+) ± (0\.\d+)$", said(NAME, "ten-seeds"), re.M)
    return {name: (float(mean), float(spread)) for name, mean, spread in rows}


def test_over_ten_seeds_both_networks_reproduce_their_lectures():
    first, second = ten_seeds()["10,642 parameters"], ten_seeds()["312 parameters"]
    assert 0.955 < first[0] < 0.975 and 0.93 < second[0] < 0.96
    quoted = claims(r"the single figures, (\d+\.\d+) and (\d+\.\d+) percent, lie within the spread")
    assert quoted == ["97.75", "94.0"]
    for (mean, spread), figure in zip((first, second), quoted):
        assert abs(float(figure) / 100 - mean) < 1.5 * spread


def test_there_are_five_things_to_read_in_the_ten_seeds():
    [cell] = [cell for cell in lesson(NAME).cells if "Five things to read here." in cell.source]
    assert len(re.findall(r"^- ", cell.source, re.M)) == 5


def test_the_ceiling_is_0_979_and_two_classifiers_are_0_6_to_0_7_percent_below_it():
    assert f"{FIXED:.5f}" == "0.97903"
    assert "ceiling              0.979\n" in said(NAME, "ten-seeds")
    low, high = map(float, claims(r"equally good, (0\.\d) to (0\.\d) percent below the ceiling"))
    for name in ("10,642 parameters", "logistic regression"):
        below = round(100 * (round(FIXED, 3) - ten_seeds()[name][0]), 1)
        assert low <= below <= high, name


def test_the_luck_of_a_test_of_400_is_0_7_percent():
    [claimed] = claims(r"a test set of 400 alone moves even the best rule by (\d\.\d) percent")
    assert f"{100 * np.sqrt(FIXED * (1 - FIXED) / 400):.1f}" == claimed == "0.7"
    assert "for the best rule: ± 0.007" in said(NAME, "ten-seeds")


def test_logistic_regression_has_81_numbers_and_some_of_its_runs_pass_the_ceiling():
    scores = []
    first, end = re.search(r"for seed in range\((\d+), (\d+)\):\n    drawn", CODE).groups()
    assert int(end) - int(first) == 10, "ten seeds"
    for seed in range(int(first), int(end)):
        drawn = simulate(PPM, start=7, rng=np.random.default_rng(seed))
        X, X_test, y, y_test = split(drawn.one_hot.reshape(-1, 80), drawn.labels)
        regression = LogisticRegression(max_iter=1000).fit(X, y)
        scores.append(regression.score(X_test, y_test))
    numbers = regression.coef_.size + regression.intercept_.size
    alike = r"The network of ([\d,]+) parameters and the logistic regression of (\d+) are equally good"
    assert claims(alike) == ["10,642", str(numbers)]
    assert claims(r"on the (\d+) numbers of the one-hot array") == [str(regression.coef_.size)] == ["80"]
    question = r"best here: ([\d,]+) parameters, (\d+), or the logistic regression's (\d+)\?"
    assert claims(question) == ["10,642", "312", "81"]
    mean, spread = ten_seeds()["logistic regression"]
    assert mean == pytest.approx(ten_seeds()["10,642 parameters"][0], abs=0.0025)
    assert (np.mean(scores), np.std(scores, ddof=1)) == pytest.approx((mean, spread), abs=0.0015)
    assert max(scores) > FIXED > np.mean(scores), "lucky runs, and not the mean"
    assert "lie two to four percent apart" in PROSE and 0.02 < max(scores) - min(scores) < 0.04
    epochs, many, tested = claims(r"(\d+) epochs, on ([\d,]+) sequences, tested on (\d+)")
    assert (f"{len(X):,}", str(len(X_test))) == (many, tested) == ("1,600", "400")
    assert f"def train_model(model, train, epochs={epochs}," in CODE


# --- 5: the place --------------------------------------------------------------------------------


def test_M08_a_network_trained_with_sites_at_7_is_worth_a_coin_one_step_aside():
    words = said(NAME, "M08")
    at = {int(start): float(right) for start, right in re.findall(r"sites at (\d): (\d\.\d+)", words)}
    assert f"{at[7]:.2f}" == "0.97", "about 97 percent, says the text"
    assert max(at[6], at[5], at[3]) < 0.6 and set(at) == {7, 6, 5, 3}
    anywhere, limit = map(float, re.findall(r"anywhere: (0\.\d+)  \(ceiling (0\.\d+)\)", words)[0])
    assert limit == pytest.approx(ANYWHERE, abs=0.0015)
    [starts] = claims(r"of (\d+) starts, one is at 7")
    assert anywhere == pytest.approx(0.5 + (at[7] - 0.5) / int(starts), abs=0.02)

    with seeded(3):
        model = MotifCNN()
    train(model, fresh(1600, seed=30, start=7), epochs=20)
    right = {
        start: evaluate(model, fresh(20_000, seed=32, start=start), loss=nn.CrossEntropyLoss()).accuracy
        for start in (7, 6)
    }
    assert right[7] == pytest.approx(at[7], abs=0.01) and right[6] == pytest.approx(at[6], abs=0.05)


def test_the_sites_at_7_cover_the_bases_7_to_12():
    assert claims(r"learned what the bases at (\d+) to (\d+) look like") == ["7", "12"]
    assert [7, 7 + len(PPM) - 1] == [7, 12]


def test_at_the_fixed_place_ten_times_the_examples_bring_the_network_to_the_ceiling():
    reached, limit = decimals(said(NAME, "fixed-place"))
    assert abs(FIXED - reached) < 0.007 and f"{FIXED:.3f}" == f"{limit}"
    assert reached > decimals(said(NAME, "M08"))[0], "better than with a tenth of them"
    assert "trained on 16,000" in said(NAME, "fixed-place") and "ten times as many" in PROSE
    assert "judge_at_7 = fresh(100_000" in CODE


def test_a_fifteenth_of_the_sites_stand_at_each_place():
    assert "from a fifteenth of the examples each time" in PROSE
    drawn = simulate(PPM, positives=3000, negatives=1, rng=np.random.default_rng(0))
    starts = drawn.starts[drawn.labels == 1]
    assert drawn.one_hot.shape[1:] == (20, 4) and np.unique(starts).tolist() == list(range(15))


def test_from_1600_sequences_anywhere_only_wide_filters_pooled_globally_come_near_the_ceiling():
    row = r"^(\w+) +width (\d), 3 runs: (0\.\d+) to (0\.\d+)$"
    rows = re.findall(row, said(NAME, "random-place"), re.M)
    runs = {(name, int(width)): (float(low), float(high)) for name, width, low, high in rows}
    assert set(runs) == {(name, width) for name in ("FlattenCNN", "GlobalMaxCNN") for width in (3, 7)}
    lowest, _ = runs.pop(("GlobalMaxCNN", 7))
    assert ANYWHERE - lowest < 0.015
    assert max(high for _, high in runs.values()) < lowest - 0.02, "width alone or pooling alone"
    assert [f"{width}" for width in (3, len(PPM))] == claims(
        r"what do filters of (\d) bases do, where the motif has (\d)"
    )


def test_from_200000_sequences_both_wide_networks_come_within_half_a_percent_of_the_ceiling():
    words = said(NAME, "random-place")
    rows = re.findall(r"^(\w+) +width (\d), trained on 200,000: (0\.\d+)$", words, re.M)
    reached = {(name, int(width)): float(right) for name, width, right in rows}
    assert len(rows) == 3 and abs(reached["GlobalMaxCNN", 7] - ANYWHERE) < 0.005
    assert abs(reached["FlattenCNN", 7] - ANYWHERE) < 0.005
    assert ANYWHERE - reached["GlobalMaxCNN", 3] > 0.03, "filters of 3 stay far below"
    [printed] = re.findall(r"^ceiling +(0\.\d+)", words, re.M)
    assert float(printed) == pytest.approx(ANYWHERE, abs=0.0015)
    assert claims(r"comes closer to the ceiling of (0\.\d+)\?") == [printed]
    many, luck = claims(r"luck of the ([\d,]+) test sequences moves these figures by (0\.\d+)")
    assert many == "100,000" and "judge = fresh(100_000" in CODE and "plenty = fresh(200_000" in CODE
    assert f"{np.sqrt(ANYWHERE * (1 - ANYWHERE) / 100_000):.3f}" == luck == "0.001"


# --- 6: over-fitting -----------------------------------------------------------------------------


def test_M12_a_fresh_model_over_fits_in_the_loss_and_hardly_in_the_accuracy():
    row = r"epoch +(\d+): training loss (.*), validation loss (.*), accuracy (.*)\n"
    epoch, trained, validated, right = np.array(re.findall(row, said(NAME, "M12")), dtype=float).T
    assert epoch.tolist() == [1, 5, 10, 20, 50, 100, 200]
    assert trained[0] > 0.6, "near a coin's 0.693: a trained model would begin with less than 0.1"
    assert trained[-1] == 0.0 and (np.diff(trained) <= 0).all()
    assert "climbs to three times as much" in PROSE and 2.5 < validated[-1] / validated.min() < 3.5
    assert np.ptp(right[1:]) <= 0.015
    assert claims(r"lowest early, at epoch (\d+)") == re.findall(r"lowest in epoch (\d+)", said(NAME, "M12"))
    [going_on] = re.findall(r"going on with the model .* would be (0\.\d+)", said(NAME, "M12"))
    assert float(going_on) < 0.1 and 'its "epoch 1" is the 21st' in PROSE
    assert "knows its 1,280 sequences by heart" in PROSE and "1280 sequences" in said(NAME, "M10")


def test_a_second_training_of_the_same_model_goes_on_and_is_no_new_run():
    data = fresh(640, seed=1, start=7)
    with seeded(1):
        model = MotifCNN()
    first, again = train(model, data, epochs=3), train(model, data, epochs=3)
    assert again.train_loss[0] < first.train_loss[-1] < first.train_loss[0]


def test_early_stopping_keeps_the_weights_of_epoch_7():
    words = said(NAME, "early-stopping")
    [(stopped, kept)] = re.findall(r"stopped after (\d+) epochs, kept the weights of epoch (\d+)", words)
    assert [kept] == claims(r"lowest early, at epoch (\d+)")
    assert int(stopped) == int(kept) + 5, "a patience of 5"
    rows = re.findall(r"^(.*?) *: (0\.\d+) right, loss (0\.\d+); .* (\d+)% certain$", words, re.M)
    judged = {name: tuple(map(float, numbers)) for name, *numbers in rows}
    (late_right, late_loss, late_certain), (right, loss, certain) = judged["epoch 200"], judged["stopped"]
    assert 0 < right - late_right < 0.01, "a little more often"
    assert late_loss > 2 * loss and late_certain > certain + 10, "and far too certain where it is wrong"


# --- 7: the filters ------------------------------------------------------------------------------


def test_the_filters_with_the_strongest_votes_look_for_CCGGAA_and_some_vote_against():
    row = r"^([+-]\d\.\d) +([\d,]+) +(\d+)% +([A-Z]{7})$"
    found = re.findall(row, said(NAME, "filters"), re.M)
    assert len(found) == 16, "all sixteen filters"
    votes = [float(vote) for vote, *_ in found]
    assert votes == sorted(votes, reverse=True)
    assert "The filter with the strongest vote has found `CCGGAA`" in PROSE and "CCGGAA" in found[0][3]
    assert int(found[0][2]) < 100, "a part of its windows comes from negatives"
    places = {word.find("CCGGAA") for _, _, _, word in found}
    assert {0, 1} <= places, "others have found the same, shifted"
    assert any("GGAA" in word and "CCGGAA" not in word for _, _, _, word in found), "or in part"
    against = [row for row in found if float(row[0]) < 0]
    assert any(row[1] == "8,000" and row[2] == "50" for row in against), "and answer to any sequence"


def test_the_strongest_filter_is_correlated_with_the_true_PWM_at_one_shift_and_not_at_the_other():
    words = said(NAME, "learned-pwm")
    agreement = {int(shift): float(r) for shift, r in re.findall(r"shifted by (\d): (\S+)", words)}
    worse, better = sorted(agreement.values())
    assert claims(r"the correlation is (0\.\d+): the filter is close to the PWM") == [f"{better:.2f}"]
    assert len(agreement) == 2 and better == 0.93 and worse < 0.5


# --- the whole lesson ----------------------------------------------------------------------------


def test_the_eight_mistakes_are_the_eight_habits_of_the_first_line():
    assert claims(r"and (\w+) habits of common tutorials that go wrong") == ["eight"]
    [listed] = claims(r"## Common mistakes (.*) ## Recap")
    numbers = re.findall(r"\((M\d\d)\)", listed)
    assert sorted(numbers) == ["M06", "M08", "M09", "M10", "M11", "M12", "M13", "M33"]


# --- examples in the exercises -------------------------------------------------------------------


def answer(exercise: str):
    return run(NAME, solution(NAME, exercise))


def test_the_examples_in_the_exercises_are_right():
    assert "for 20, 3, 1, 1 it is 20" in CODE and answer("conv_length")(20, 3, 1, 1) == 20
    assert '[("linear", 3, 2)] it is 8' in CODE
    assert answer("count_parameters")([("linear", 3, 2)]) == 8
    network = [("conv", 4, 16, 3), ("linear", 160, 64), ("linear", 64, 2)]
    assert answer("count_parameters")(network) == 10_642
    assert "for [0.5, 0.6, 0.7, 0.4] and 2 it is 1" in CODE
    assert answer("early_stopping")([0.5, 0.6, 0.7, 0.4], 2) == 1
    assert answer("early_stopping")([0.5, 0.6, 0.7, 0.4], 3) == 4, "the patience of 3 of the text"
    assert answer("early_stopping")([0.5, 0.6, 0.7, 0.6, 0.4], 3) == 1


def test_position_5_of_a_padded_filter_3_wide_belongs_to_the_window_from_4_to_6():
    position, width, first, last, start = map(int, claims(
        r"activation at position (\d) of a filter (\d) wide belongs to the window from (\d) to (\d), "
        r"so it \*starts\* at (\d)"))  # fmt: skip
    x = torch.zeros(1, 4, 20, requires_grad=True)
    nn.Conv1d(4, 1, width, padding=width // 2)(x)[0, 0, position].backward()
    seen = x.grad[0].abs().sum(dim=0).nonzero().flatten()
    assert seen.tolist() == list(range(first, last + 1)) and first == start == position - width // 2
