"""Lesson 00: its figures, the mistakes of the source lectures that it corrects, and its explorer."""

import re
import tomllib
from math import comb

import numpy as np
import pytest
from reading import ROOT, lesson, output_text, said, tagged
from sklearn.metrics import matthews_corrcoef
from sklearn.neural_network import MLPClassifier

from course_utils.explorers import imbalance

NAME = "00_start_here"


def rows(tag: str, start: str = "") -> list[list[str]]:
    """The words of the printed lines of a tag's cells that begin with `start`."""
    lines = said(NAME, tag).splitlines()
    return [line.split() for line in lines if line.strip().startswith(start)]


# --- the numbered mistakes -----------------------------------------------------------------------


def settings() -> list[tuple[float, int, float, float]]:
    """C, parameters, training and validation accuracy of each row of the printed table."""
    found = [row for row in rows("M20") if len(row) == 4 and re.fullmatch(r"[\d.]+", row[0])]
    return [(float(c), int(n), float(t), float(v)) for c, n, t, v in found]


def test_M20_training_finds_the_parameters_and_would_choose_the_loosest_hyperparameter():
    table = settings()
    assert len(table) == 6 and {count for _, count, _, _ in table} == {4**3 + 1}
    training = [accuracy for _, _, accuracy, _ in table]
    assert training == sorted(training) and training[-1] == 1.0 > training[-2]


def test_M20_validation_chooses_another_setting_and_the_test_set_is_opened_once():
    table = settings()
    best = max(table, key=lambda row: row[3])
    assert best[0] == 0.01 and table[-1][3] < best[3]
    assert "chosen by validation: C = 0.01" in said(NAME, "M20")
    words = re.search(r"test accuracy ([\d.]+), give or take ([\d.]+)", said(NAME, "M20"))
    test, margin = map(float, words.groups())
    assert test > best[3] and test - best[3] < 2 * margin, "higher, and by luck"
    uses = [cell.source.count("[in_test]") for cell in lesson(NAME).cells if cell.cell_type == "code"]
    assert sum(uses) == 2, "table and labels, in one call of score"


def measures(model: str) -> list[float]:
    [row] = [row for row in rows("M21", model) if len(row) == len(model.split()) + 5]
    return [float(number) for number in row[-5:]]


def test_M21_always_yes_has_perfect_recall_and_is_worth_nothing():
    accuracy, recall, precision, mcc, auprc = measures("always yes")
    assert recall == 1 and accuracy == precision == auprc == 0.01 and mcc == 0
    truth = np.repeat([1, 0], [100, 9_900])
    assert matthews_corrcoef(truth, np.ones_like(truth)) == 0  # by convention


def test_M21_always_no_is_99_percent_right_and_beats_a_good_model_by_accuracy_alone():
    useless, good = measures("always no"), measures("a good model")
    assert useless == [0.99, 0, 0, 0, 0.01]
    assert good[0] < useless[0] and good[3] > 0.3 and good[4] > 0.7
    assert good[2] < 0.2, "even so, most of its calls are false"
    coin = measures("a coin")
    assert abs(coin[3]) < 0.03 and coin[4] < 0.03


def test_M21_a_higher_threshold_pays_some_recall_for_much_precision():
    found = re.search(r"above 0.8: recall ([\d.]+), precision ([\d.]+), MCC ([\d.]+)", said(NAME, "M21"))
    recall, precision, mcc = map(float, found.groups())
    _, recall_before, precision_before, mcc_before, _ = measures("a good model")
    assert 0.1 < recall_before - recall < 0.2
    assert precision - precision_before > 0.4 and mcc > mcc_before


def test_M23_motifs_and_enhancers_outreach_the_rules_of_thumb():
    words = said(NAME, "M23")
    for line in ("CTCF core motif             19", "CTCF extended motif         31",
                 "Basenji reads          131,072", "ZRS to SHH           1,000,000"):  # fmt: skip
        assert line in words
    assert 19 < 20 < 31 and 2**17 > 2_000 and 1_000_000 / 2_000 == 500


def test_M23_reach_decides_how_many_layers_are_needed():
    found = {row[0]: row[1:] for row in rows("M23") if len(row) == 3}
    assert found["2,000"] == ["1,000", "10"] and found["131,072"] == ["65,536", "17"]
    assert found["2,000,000"] == ["1,000,000", "20"]
    assert 1 + 2 * (2**5 - 1) < 2_000, "five layers that double do not reach as far as the input rule"


def test_M23_the_number_of_layers_does_not_fix_the_number_of_parameters():
    printed = said(NAME, "M23")
    for width in (16, 100, 500):
        parameters = width * (4 * 7 + 1) + 4 * width * (width * 7 + 1)
        assert f"five layers with {width:3} kernels each: {parameters:>9,} parameters" in printed
    sources = [cell.source for cell in tagged(NAME, "M23") if cell.cell_type == "markdown"]
    words = " ".join(" ".join(sources).split())
    convolutions = 300 * (4 * 19 + 1) + 200 * (300 * 11 + 1) + 200 * (200 * 7 + 1)
    connected = 1000 * 2001 + 1000 * 1001 + 164 * 1001
    assert convolutions + connected == 4_129_664 and "4.1 million parameters" in words
    layers, parameters = layers_and_parameters_of_lesson_10()
    assert (layers, parameters) == (11, 388_154)
    assert f"{layers} hidden layers" in words and f"{parameters:,} parameters" in words


def layers_and_parameters_of_lesson_10() -> tuple[int, int]:
    """Four layers that shorten the sequence, seven that read all before them, and ten tracks.

    A layer makes two numbers of each filter (one opens the gate for the other), each with an offset and a
    gain.
    """
    inputs, total, layers = 4, 0, 0
    for filters, width in [(48, 21), (60, 7), (76, 7), (96, 7)]:
        total += 2 * filters * (inputs * width + 2)
        inputs, layers = filters, layers + 1
    for _ in range(7):
        total += 2 * 24 * (inputs * 3 + 2)
        inputs, layers = inputs + 24, layers + 1
    return layers, total + inputs * 10 + 10


# --- other figures -------------------------------------------------------------------------------


def test_the_table_has_200_samples_and_4_variables_whose_shares_add_up_to_1():
    assert "shape (200, 4)" in said(NAME, "seed:002-samples-variables")
    [mean] = rows("seed:002-samples-variables", "... mean of all 200")
    assert sum(map(float, mean[-4:])) == pytest.approx(1)


def test_a_hidden_layer_lets_one_line_do_what_none_could():
    words = "".join(output_text(cell) for cell in lesson(NAME).cells if cell.cell_type == "code")
    assert "best straight line through the raw variables: accuracy 0.75" in words
    assert "right for 200 of 200 cells it was trained on" in words
    fresh = re.search(r"right for (\d+) of 200 fresh cells", words)
    assert int(fresh[1]) >= 195


def test_about_a_third_of_the_starts_get_stuck_as_the_lesson_warns():
    rng = np.random.default_rng(0)
    corners = np.repeat([[0, 0], [0, 1], [1, 0], [1, 1]], 50, axis=0)
    sites = corners + rng.normal(0, 0.12, size=(200, 2))
    expressed = np.repeat([0, 1, 1, 0], 50)
    scores = [
        MLPClassifier(
            (2,), activation="tanh", solver="lbfgs", alpha=1e-3, max_iter=2000, random_state=start
        ).fit(sites, expressed).score(sites, expressed)
        for start in range(20)
    ]  # fmt: skip
    assert scores[4] == 1 and scores[1] < 0.76
    stuck = [score for score in scores if score < 1]
    assert 4 <= len(stuck) <= 9 and max(stuck) < 0.76
    assert "random_state=4" in tagged(NAME, "seed:004-representation-learning")[1].source


def curves() -> dict[str, list[float]]:
    """Name -> accuracy with 100, 300, 1,000, 3,000 and 10,000 examples, and the ceiling."""
    found = {}
    for row in rows("seed:004-thousands-of-samples"):
        if row and row[0] in ("strong", "weak", "moving,"):
            found[" ".join(row[:-6])] = [float(number) for number in row[-6:]]
    return found


def test_the_ceilings_are_those_of_the_generator():
    """At a fixed place the best accuracy is a sum over the number of letters that match."""

    def exact(kept):
        match = kept + (1 - kept) / 4
        likely = [
            [comb(6, m) * p**m * (1 - p) ** (6 - m) for m in range(7)] for p in (match, 0.25)
        ]
        return sum(map(max, *likely)) / 2

    ceilings = {name: curve[-1] for name, curve in curves().items()}
    assert ceilings == {
        "strong": round(exact(0.9), 3),
        "weak": round(exact(0.15), 3),
        "moving, by place": 0.935,
        "moving, by word": 0.935,
    }


def test_the_ceiling_of_the_moving_word_is_that_of_the_best_rule():
    """Which weighs all 15 places that the word may have; here on 400,000 sequences."""
    rng, count, word = np.random.default_rng(1), 400_000, np.array([1, 1, 2, 2, 0, 0])
    letters, labels = rng.integers(0, 4, (count, 20)), np.arange(count) % 2
    places = rng.integers(0, 15, count)[:, None] + np.arange(6)
    kept = (rng.random((count, 6)) < 0.9) & (labels == 1)[:, None]
    letters[np.arange(count)[:, None], places] = np.where(
        kept, word, letters[np.arange(count)[:, None], places]
    )
    match, likely = 0.9 + 0.1 / 4, 0
    for start in range(15):
        matches = (letters[:, start : start + 6] == word).sum(axis=1)
        likely = likely + (match / 0.25) ** matches * ((1 - match) / 0.75) ** (6 - matches) / 15
    assert np.mean((likely > 1) == labels) == pytest.approx(0.935, abs=0.001)


def test_how_many_examples_are_enough_depends_on_the_signal():
    *strong, best = curves()["strong"]
    assert best - strong[0] <= 0.02, "a hundred are nearly enough"
    *weak, best = curves()["weak"]
    assert weak[0] < 0.57 and best - weak[2] > 0.02 and best - weak[3] <= 0.015


def test_what_a_moving_word_lacks_is_not_examples_but_other_variables():
    *place, best = curves()["moving, by place"]
    assert place[1] - place[0] > 0.05 and place[-1] - place[2] <= 0.03 and best - place[-1] > 0.2
    *word, best = curves()["moving, by word"]
    assert word[0] > place[-1] and 0.02 < best - word[-1] < 0.1


def test_the_map_names_every_lesson_that_is_here_and_no_other():
    listed = tomllib.loads((ROOT / "notebooks/source/lessons.toml").read_text("utf-8"))["lesson"]
    [alt] = [
        output_text(cell) for cell in lesson(NAME).cells
        if cell.cell_type == "code" and "Map of the lessons" in output_text(cell)
    ]  # fmt: skip
    drawn = re.findall(r"(\d\d) ([^;.]+)[;.]", alt.partition(": ")[2])
    assert drawn == [(entry["name"][:2], entry["title"]) for entry in listed]


# --- the explorer --------------------------------------------------------------------------------


def test_the_explorer_opens_with_99_to_1_and_most_calls_false():
    view = imbalance.compute(10, 90, 5)
    assert (view.tp, view.fn, view.fp, view.tn) == (900, 100, 4_950, 94_050)
    assert view.measures["recall"] == 0.9 and round(view.measures["precision"], 2) == 0.15
    assert view.undefined == ()


@pytest.mark.parametrize("setting", [(10, 90, 5), (500, 70, 20), (1, 100, 0.1), (300, 10, 60)])
def test_the_explorers_counts_and_mcc_agree_with_scikit_learn(setting):
    view = imbalance.compute(*setting)
    counts = [view.tp, view.fn, view.fp, view.tn]
    assert sum(counts) == imbalance.WINDOWS
    truth = np.repeat([1, 1, 0, 0], counts)
    calls = np.repeat([1, 0, 1, 0], counts)
    assert view.measures["MCC"] == pytest.approx(matthews_corrcoef(truth, calls))
    assert view.measures["accuracy"] == np.mean(truth == calls)


def test_the_explorer_says_which_measures_are_0_by_convention():
    never = imbalance.compute(10, 0, 0)
    assert never.undefined == ("precision", "MCC") and never.measures["accuracy"] == 0.99
    always = imbalance.compute(10, 100, 100)
    assert always.undefined == ("MCC",) and always.measures["recall"] == 1
    panels = imbalance.draw(never)
    assert panels.numbers.count("0 by convention (0 divided by 0)") == 2
    assert panels.picture.count("(undefined)") == 2


@pytest.mark.parametrize(
    "setting, words",
    [((1001, 90, 5), "positives is 1001"), ((10, -1, 5), "recall is -1"),
     ((10, 90, 101), "false_positive_rate is 101")],
)  # fmt: skip
def test_the_explorer_refuses_what_is_out_of_range(setting, words):
    with pytest.raises(ValueError, match=words):
        imbalance.compute(*setting)


def test_the_explorers_picture_says_in_words_what_its_colours_say():
    picture = imbalance.draw(imbalance.compute(10, 90, 5)).picture
    for words in ("true positives", "false positives", "true negatives", "false negatives", "4,950"):
        assert words in picture
    assert "aria-label='of 100,000 windows 1,000 are bound" in picture


def test_half_of_the_calls_are_true_where_the_lessons_riddle_says():
    """With 10 bound windows in 1,000 and recall 90, at a false-positive rate of about 0.9 percent."""
    assert imbalance.compute(10, 90, 0.9).measures["precision"] == pytest.approx(0.5, abs=0.01)
    common, rare = imbalance.compute(500, 90, 5).measures, imbalance.compute(1, 90, 5).measures
    assert common["recall"] == rare["recall"]
    assert 0 < rare["accuracy"] - common["accuracy"] < 0.05
    assert (round(common["precision"], 2), round(rare["precision"], 2)) == (0.95, 0.02)


def test_moving_a_control_rewrites_picture_and_numbers():
    explorer = imbalance.imbalance_explorer()
    before = explorer.panels
    for name, value in (("positives", 400), ("recall", 50), ("false_positive_rate", 20.0)):
        explorer.controls[name].value = value
        assert explorer.panels.picture != before.picture and explorer.panels.numbers != before.numbers
        before = explorer.panels
    assert "40,000 are bound" in repr(explorer)
