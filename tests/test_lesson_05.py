"""Lesson 05: its figures, and the mistakes of the source lectures that it corrects."""

import re
from functools import partial
from math import log, sqrt

import numpy as np
import pytest
import reading
from reading import code, lesson, prose, said
from scipy.stats import chi2
from sklearn import metrics
from test_exercises import run, solution

from course_utils.evaluation import Confusion, curves
from course_utils.explorers import decision
from course_utils.intervals import auc_interval, over_seeds, wilson
from course_utils.likelihoods import log_likelihood_ratio
from course_utils.motifs import pfm_to_ppm
from course_utils.simulation import CCGGAA, simulate

NAME = "05_evaluation_and_thresholds"
PPM = pfm_to_ppm(CCGGAA)
PROSE, CODE = prose(NAME), code(NAME)
claims = partial(reading.claims, NAME)
WORDS = {"third": 3, "three": 3, "seven": 7, "eight": 8, "nine": 9, "ten": 10, "hundred": 100}


def in_words(pattern: str) -> list[int]:
    return [WORDS[word.lower()] for word in claims(pattern)]


def found(tag: str, pattern: str) -> list[float]:
    """The numbers that a pattern's groups match in what a tag's cells printed."""
    match = re.search(pattern, said(NAME, tag))
    assert match, f"the cells tagged {tag} do not print {pattern!r}"
    return [float(number.replace(",", "")) for number in match.groups()]


def counted(tag: str) -> Confusion:
    """The confusion table that a tag's cells printed."""
    pattern = r"([\d,]+) true pos\D+([\d,]+) false neg\D+([\d,]+) false pos\D+([\d,]+) true neg"
    return Confusion(*found(tag, pattern))


def best_rule(positives: int, negatives: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Labels, and the scores of the best rule, for sequences as the lesson draws them."""
    drawn = simulate(PPM, positives=positives, negatives=negatives, rng=np.random.default_rng(seed))
    return drawn.labels, log_likelihood_ratio(drawn.codes, PPM)


# --- 1: four counts ------------------------------------------------------------------------------

ARTICLE = Confusion(tp=188, fn=6, fp=11, tn=195)  # printed by seed 002 as [[188, 6], [11, 195]]


def test_M06_the_articles_table_read_rightly_has_188_true_positives():
    truth, calls = np.repeat([1, 0], [194, 206]), np.repeat([1, 0, 1, 0], [188, 6, 11, 195])
    upside_down = metrics.confusion_matrix(truth, calls, labels=[1, 0])  # positives first
    assert upside_down.tolist() == [[188, 6], [11, 195]], "the article's rows and columns"
    assert "188 of them are found" in said("04_cnn_classifier", "M06")
    assert counted("M06") == ARTICLE
    words = said(NAME, "M06")
    measures = {
        "recall": metrics.recall_score, "precision": metrics.precision_score, "f1": metrics.f1_score,
        "mcc": metrics.matthews_corrcoef,
        "specificity": lambda t, c: metrics.recall_score(t, c, pos_label=0),
    }  # fmt: skip
    assert "accuracy" not in words, "which readers are to predict first"
    for name, measure in measures.items():
        assert f"\n{name} {measure(truth, calls):.3f}\n" in words
    misread = metrics.recall_score(1 - truth, 1 - calls)
    assert f"\nrecall {misread:.3f}\n" not in words, "read the other way round, it is another number"


def test_M07_the_printed_accuracy_belongs_to_another_table():
    """The article prints 94.0 % beside a table of 383 right calls in 400."""
    printed, right, percent = claims(
        r"prints an accuracy of (\d+\.\d) percent.* 188 \+ 195 of 400 are right"
        r".* They do not \(mistake M07\): (\d+) right calls are (\d+\.\d+) percent"
    )
    assert (printed, right, percent) == ("94.0", "383", "95.75")
    assert ARTICLE.tp + ARTICLE.tn == 188 + 195 == 383 and ARTICLE.total == 400
    assert 100 * ARTICLE.accuracy == 95.75
    words = said(NAME, "M07")
    assert "accuracy of the table: 95.75%, 383 of 400" in words and "94.0 % of 400 is 376" in words
    claims(r"An accuracy of (94\.0) percent on (400) examples: how many calls were right")
    fitting = [count for count in range(401) if round(count / 4, 1) == 94.0]
    assert fitting == [376] == run(NAME, solution(NAME, "counts_behind"))(94.0, 1, 400)


def test_M21_calling_everything_positive_beats_the_network_by_recall_alone():
    truth = np.repeat([1, 0], [194, 206])
    always = np.ones(400)
    assert metrics.recall_score(truth, always) == 1 > ARTICLE.recall
    share = metrics.precision_score(truth, always)
    assert share == 194 / 400 == pytest.approx(metrics.average_precision_score(truth, always))
    assert metrics.matthews_corrcoef(truth, always) == 0
    words = said(NAME, "M21")
    assert "always positive: recall 1.000, precision 0.485, mcc undefined (0 of 0; 0 by" in words
    assert "the network:     recall 0.969, precision 0.945, mcc 0.915\n" in words
    assert "average precision of one score for all: 0.485" in words
    [many] = claims(r"lesson 00\): call everything positive, here the same (\d+) sequences")
    assert int(many) == len(truth)
    claims(r"\(M21\). Calling everything positive has recall (1)\.")


def test_mcc_is_1_for_a_perfect_classifier_and_0_for_a_coin():
    claims(r"it is (1) for a perfect classifier and about (0) for a coin")
    assert Confusion(30, 0, 0, 70).mcc == pytest.approx(1)
    assert Confusion(15, 15, 35, 35).mcc == 0, "a coin calls half of each class"


def test_f1_is_the_harmonic_mean_and_stays_near_the_lower():
    table = Confusion(tp=10, fn=90, fp=0, tn=900)
    assert "2 TP / (2 TP + FP + FN)" in PROSE
    assert table.f1 == 20 / 110 == pytest.approx(2 / (1 / table.precision + 1 / table.recall))
    assert table.f1 - table.recall < 0.1 < table.precision - table.f1


def test_the_example_of_the_first_exercise_is_right():
    given = run(NAME, solution(NAME, "errors"))(np.array([[80, 20], [3, 7]]))
    assert "F1 is `2 * tp / (2 * tp + fp + fn)`" in PROSE
    assert 'For [[80, 20], [3, 7]], "type_1" is 0.2 and "type_2" is 0.3.' in CODE
    assert (given["type_1"], given["type_2"]) == (0.2, 0.3)


# --- 2: scores and curves ------------------------------------------------------------------------


def test_the_network_learns_from_1600_and_is_tested_on_2000_and_stays_below_the_best_rule():
    trained, fresh = claims(r"on ([\d,]+) sequences with sites anywhere, and score ([\d,]+) fresh")
    assert (trained, fresh) == ("1,600", "2,000")
    sizes = re.search(r"train_inputs, train_labels, _ = draw\((\d+), (\d+),", CODE).groups()
    assert sum(map(int, sizes)) == 1600
    table = counted("scores")
    assert table.positives == table.negatives == 1000
    labels, scores = best_rule(1000, 1000, seed=51)
    assert 0.89 < table.accuracy < np.mean((scores > 0) == labels)


def test_the_curves_have_the_areas_that_the_alt_text_gives():
    auc, average, best_auc, best_average, recall = found("curves", (
        r"AUC (0\.\d\d) and average precision (0\.\d\d), close to the best rule with (0\.\d\d) "
        r"and (0\.\d\d)\. At threshold 0 recall is (0\.\d\d)"))  # fmt: skip
    best = curves(*best_rule(1000, 1000, seed=51))
    assert (best_auc, best_average) == (round(best.auc, 2), round(best.average_precision, 2))
    assert best_auc - 0.02 < auc <= best_auc and best_average - 0.02 < average
    assert recall == round(counted("scores").recall, 2)
    [wide] = found("intervals", r"AUC of our network on 2,000 sequences: (0\.\d{4})")
    assert auc == round(wide, 2)


def test_the_auc_is_the_chance_that_a_positive_has_the_higher_score():
    labels, scores = best_rule(1000, 1000, seed=51)
    wins = scores[labels == 1][:, None] > scores[labels == 0]
    assert wins.mean() == pytest.approx(curves(labels, scores).auc)
    by_pairs = run(NAME, solution(NAME, "auc"))
    assert by_pairs(scores[900:1100], labels[900:1100]) == wins[900:, :100].mean()


REPORT_AUC, REPORT_AUPRC = 0.9903474903474904, 0.9796747967479674  # as seed 003 prints them


def areas_of_calls(positives: int, negatives: int) -> tuple[np.ndarray, ...]:
    """tp, fp, AUC, average precision and precision of every table with something called."""
    tp, fp = np.mgrid[: positives + 1, : negatives + 1].reshape(2, -1)[:, 1:]
    recall, precision = tp / positives, tp / (tp + fp)
    share = positives / (positives + negatives)
    average = recall * precision + (1 - recall) * share
    return tp, fp, (recall + 1 - fp / negatives) / 2, average, precision


def test_M15_the_reports_areas_are_those_of_241_of_241_and_254_of_259():
    truth, calls = np.repeat([1, 0], [241, 259]), np.repeat([1, 0], [246, 254])
    assert metrics.roc_auc_score(truth, calls) == pytest.approx(REPORT_AUC, abs=1e-12)
    assert metrics.average_precision_score(truth, calls) == pytest.approx(REPORT_AUPRC, abs=1e-12)
    assert (241 / 241 + 254 / 259) / 2 == pytest.approx(REPORT_AUC, abs=1e-15)
    assert 241 / 246 == pytest.approx(REPORT_AUPRC, abs=1e-15)
    first, *claimed = claims(
        r"The first has AUC (0\.\d+)\. The \"improved\" one has (0\.\d+) and an AUPRC of (0\.\d+)\."
        r".* called (\d+) of (\d+) positives and (\d+) of (\d+) negatives positive"
    )
    assert first == "0.9971" and [int(count) for count in claimed[2:]] == [241, 241, 5, 259]
    assert claimed[:2] == [f"{REPORT_AUC:.8f}", f"{REPORT_AUPRC:.8f}"], "to the eighth digit"
    words = said(NAME, "M15")
    assert "AUC of the calls:               0.99034749\n" in words
    assert "average precision of the calls: 0.97967480\n" in words
    assert "the scores of 500 examples have two values, 0 and 1, like hard labels" in words


def test_M15_no_other_table_of_241_and_259_gives_both_areas():
    tp, fp, auc, average, precision = areas_of_calls(241, 259)
    assert len(tp) == 242 * 260 - 1
    calls = np.repeat([1, 0, 1, 0], [200, 41, 9, 250])  # that the formula is scikit-learn's
    of_these = (tp == 200) & (fp == 9)
    assert average[of_these] == pytest.approx(
        metrics.average_precision_score(np.repeat([1, 0], [241, 259]), calls)
    )
    both = (abs(auc - 0.99034749) < 1e-8) & (abs(average - 0.97967480) < 1e-8)
    assert list(zip(tp[both], fp[both])) == [(241, 5)]
    rounded = (abs(auc - 0.99035) < 1e-5) & (abs(precision - 0.97967) < 1e-5)
    assert list(zip(tp[rounded], fp[rounded])) == [(241, 5)], "nor do five digits, in exercise 4"
    assert run(NAME, solution(NAME, "hidden_table"))(241, 259, 0.99035, 0.97967) == (241, 0, 5, 254)
    assert "the AUC is (recall + specificity) / 2. Someone" in PROSE
    assert "within 0.00001 of" in PROSE and "recall - false-positive rate = 2 auc - 1" in PROSE
    assert tp / 241 - fp / 259 == pytest.approx(2 * auc - 1)


def test_M15_the_auc_of_our_calls_is_the_balanced_accuracy_and_lower_than_that_of_our_scores():
    [of_scores] = found("M15", r"our network, from scores: AUC (0\.\d+)")
    [of_calls] = found("M15", r"our network, from calls:  AUC (0\.\d+)")
    table = counted("scores")
    truth = np.repeat([1, 0], [table.positives, table.negatives])
    calls = np.repeat([1, 0, 1, 0], [table.tp, table.fn, table.fp, table.tn])
    exact = metrics.roc_auc_score(truth, calls)
    assert exact == pytest.approx(metrics.balanced_accuracy_score(truth, calls))
    assert exact == pytest.approx((table.recall + table.specificity) / 2)
    assert of_calls == pytest.approx(exact, abs=0.00051)
    [asked] = claims(r"compute the AUC of the calls\. Higher or lower than (0\.\d\d)\?")
    assert round(of_scores, 2) == float(asked) > of_calls + 0.05
    [alike] = found("M15", r"that are called alike: (\d+)%")
    ties = table.tp * table.fp + table.fn * table.tn
    assert alike == round(100 * ties / (table.positives * table.negatives))


# --- 3: a threshold for a purpose ----------------------------------------------------------------


def test_one_percent_of_false_positives_costs_more_than_half_of_the_sites():
    assert "most=0.01" in CODE and "can afford to follow up 1 percent" in PROSE
    before, [recall] = counted("scores"), claims(r"At threshold 0 the recall was (0\.\d\d), and")
    assert float(recall) == round(before.recall, 2)
    [one_in] = in_words(r"about one negative in (\w+) was called")
    assert one_in == round(1 / before.false_positive_rate)
    strict = counted("operating-point")
    rate, found_sites = found("operating-point", r"positive rate (0\.\d+), recall (0\.\d+)")
    assert rate == round(strict.false_positive_rate, 3) and found_sites == round(strict.recall, 2)
    assert "more than half of the sites are missed" in PROSE and strict.fn > strict.positives / 2
    claims(r"the rate on the test set is near (1) percent and not exactly it")
    assert strict.false_positive_rate != 0.01
    _, low, high = wilson(strict.fp, strict.negatives)
    assert low < 0.01 < high


def test_with_known_costs_the_cheaper_call_changes_at_log_a_over_b():
    assert "above log(*a*/*b*)" in PROSE
    chance = np.linspace(0.01, 0.99, 98)  # of being positive; none lies on a border
    for false_alarm, miss in [(1, 1), (5, 1), (1, 20)]:
        cheaper_called = (1 - chance) * false_alarm < chance * miss
        log_odds = np.log(chance / (1 - chance))
        assert (cheaper_called == (log_odds > log(false_alarm / miss))).all()


# --- 4: when positives are rare ------------------------------------------------------------------


def test_seven_of_100_calls_are_right_where_one_window_in_a_thousand_is():
    recall, rate = map(float, claims(r"Recall (0\.\d) and a false-positive rate of (0\.\d\d)\. One"))
    assert (recall, rate) == (0.8, 0.01)
    rows = re.findall(r"([\d.]+)% +(0\.\d\d) +(0\.\d{3}) +(0\.\d{3})\n", said(NAME, "prevalence"))
    assert [row[0] for row in rows] == ["50.0", "10.0", "1.0", "0.1"]
    for percent, *printed in rows:
        positives = round(float(percent) * 1000)  # of 100,000
        called, wrong = 0.8 * positives, 0.01 * (100_000 - positives)
        right = called + 0.99 * (100_000 - positives)
        assert printed == [f"{called / (called + wrong):.2f}", f"{right / 100_000:.3f}",
                           f"{1 - positives / 100_000:.3f}"]  # fmt: skip
    [right] = in_words(r"Of 100 positive calls, how many are right\? (\w+)\. The other")
    false, accuracy = claims(r"The other (\d+) are false, from a classifier with an accuracy of (\d+)")
    precision = 0.0008 / (0.0008 + 0.00999)
    assert right == round(100 * precision) == 100 - int(false) == 7
    assert int(accuracy) == round(100 * (0.0008 + 0.99 * 0.999)) == 99
    assert "whoever calls nothing is right more often" in PROSE
    assert float(rows[-1][3]) > float(rows[-1][2])


def test_section_9_of_lesson_02_adds_the_same_bits_to_the_odds():
    [section] = claims(r"Section (\d+) of lesson 02 did the same in bits")
    other = lesson("02_pfm_pwm_scanning").cells
    assert any(f"## {section} · Many windows" in cell.source for cell in other)
    assert any("the odds for each window are 1 to" in cell.source for cell in other)
    bits = np.log2(1 / 999) + np.log2(0.8 / 0.01)
    assert 1 / (1 + 2**-bits) == pytest.approx(0.0008 / (0.0008 + 0.00999))
    answer = run(NAME, solution(NAME, "predictive_value"))
    assert answer(0.8, 0.99, 0.001) == pytest.approx(1 / (1 + 2**-bits))


def test_at_1_percent_the_auc_stays_and_the_average_precision_falls_to_a_third():
    positives, negatives = map(int, re.search(r"rare_labels, _ = draw\((\d+), (\d+_\d+)", CODE).groups())
    assert positives / (positives + negatives) == 0.01
    percent, rests_on = claims(r"In your test set, (\d) percent of the negatives are (\w+) sequences")
    assert counted("scores").negatives * int(percent) / 100 == WORDS[rests_on]
    auc, was, average, before = found("rare", (
        r"AUC (0\.\d+), was (0\.\d+); average precision (0\.\d+), was (0\.\d+)"))  # fmt: skip
    assert abs(auc - was) < 0.015, "but for the luck of 1,000 positives"
    [part] = in_words(r"The average precision is a (\w+) of what it was")
    assert before / average == pytest.approx(part, rel=0.06)
    low, high = found("intervals", r"2,000 sequences: \S+ \((\S+) to ([\d.]+)\)")
    assert low < auc < high, "no more than luck moves it"
    [precision] = found("rare", r"precision (0\.\d{3})")
    strict = counted("operating-point")
    percent, balanced, right, calls = map(int, claims(
        r"positive calls (\d+) percent are right; in the balanced test set it was (\d+) percent, (\d+) of (\d+)"))  # fmt: skip
    assert percent == round(100 * precision) and balanced == round(100 * right / calls)
    assert (right, calls) == (strict.tp, strict.tp + strict.fp)
    expected = 0.01 * strict.recall / (0.01 * strict.recall + 0.99 * strict.false_positive_rate)
    assert abs(precision - expected) < 0.1


def test_no_classifier_could_have_an_average_precision_above_the_best_rules_at_1_percent():
    best = curves(*best_rule(1000, 99_000, seed=54))
    [average] = found("rare", r"average precision (0\.\d+),")
    assert best.average_precision - 0.05 < average < best.average_precision + 0.005
    assert best.auc == pytest.approx(curves(*best_rule(1000, 1000, seed=51)).auc, abs=0.01)


def test_in_the_explorer_rare_positives_move_one_curve_and_not_the_other():
    common, rare = (decision.sample(share, 0.97, 1000, 0) for share in (0.5, 0.01))
    np.testing.assert_allclose(common.true_recall, rare.true_recall)
    np.testing.assert_allclose(common.true_false_positive_rate, rare.true_false_positive_rate)
    assert common.true_average_precision > rare.true_average_precision + 0.3


# --- 5: calibration ------------------------------------------------------------------------------


def calibration_tables() -> list[np.ndarray]:
    """Of both networks, a row for each bin: count, predicted, observed, low, high."""
    rows = re.findall(
        r"0\.\d\d to \d\.\d\d +([\d,]+) +(\d\.\d{3}) +(\d\.\d{3}) \((\d\.\d{3}) to (\d\.\d{3})\)",
        said(NAME, "calibration"),
    )
    numbers = np.array([[float(word.replace(",", "")) for word in row] for row in rows])
    return list(numbers.reshape(2, 5, 5))


def test_the_calibration_tables_agree_with_themselves():
    errors = re.findall(r"calibration error (0\.\d{3}); by luck alone (0\.\d{3})", said(NAME, "calibration"))
    for table, (error, luck) in zip(calibration_tables(), errors, strict=True):
        counts, predicted, observed = table.T[:3]
        assert counts.sum() == 10_000
        weighted = (counts * abs(observed - predicted)).sum() / 10_000
        assert weighted == pytest.approx(float(error), abs=0.0015) and weighted > 3 * float(luck)
        for count, _, share, *ends in table:
            again = wilson(round(count * share), int(count))
            assert ends == pytest.approx(again[1:], abs=0.0016)


def test_what_the_first_network_calls_0_7_happens_in_72_percent_and_its_ends_are_modest():
    called, happens = claims(r"what it calls (0\.\d) happens in (\d+) percent of the cases\.")
    table = calibration_tables()[0]
    low_called, low_happens = claims(r"what it calls (0\.\d) happens in (\d+) percent, and its")
    assert float(low_called) == round(table[1, 1], 1) and int(low_happens) == round(100 * table[1, 2])
    [error] = claims(r"its error of (0\.\d+) is more than luck")
    printed, by_luck = found("calibration", r"calibration error (0\.\d+); by luck alone (0\.\d+)")
    assert float(error) == printed > 2 * by_luck
    share, percent = map(float, claims(r"all sequences with (0\.\d), about (\d+) percent must be"))
    assert percent == 100 * share == 100 * float(called), "what calibrated means"
    assert float(called) == round(table[3, 1], 1) and int(happens) == round(100 * table[3, 2])
    for _, predicted, observed, low, high in table[[0, -1]]:
        assert abs(predicted - 0.5) < abs(observed - 0.5) and not low <= predicted <= high
        assert abs(predicted - observed) < 0.02, "a little"


def test_the_second_network_says_0_99_where_86_percent_are_positive():
    says, percent = map(float, claims(
        r"says (0\.\d\d) on average where it is sure, and there (\d+) percent are positive"))  # fmt: skip
    _, predicted, observed, *_ = calibration_tables()[1][-1]
    assert says == round(predicted, 2) and abs(100 * observed - percent) < 0.6
    alt = found("calibration", r"flat: (0\.\d\d) is predicted where (0\.\d\d) are positive")
    assert alt == pytest.approx([says, observed], abs=0.0056)


def test_too_long_a_training_costs_auc_and_more_so_log_loss_and_brier_score():
    more, larger = in_words(r"(\w+) times as many epochs, and steps (\w+) times as large")
    epochs = [int(number) for number in re.findall(r"epochs=(\d+)", CODE)]
    rates = [float(number) for number in re.findall(r"lr=(0\.\d+)", CODE)]
    assert epochs[1] == more * epochs[0] and rates[1] == pytest.approx(larger * rates[0])
    pattern = r"{} epochs: AUC (0\.\d\d), log loss (0\.\d\d), Brier score (0\.\d\d)"
    before, after = (found("calibration", r"\n" + pattern.format(many)) for many in epochs[:2])
    assert list(claims(r"it falls from (0\.\d\d) to (0\.\d\d), and the false")) == [f"{before[0]}", f"{after[0]}"]
    [loss_times] = in_words(r"log loss is (\w+) times as high, the Brier score nearly twice")
    assert round(after[1] / before[1]) == loss_times and 1.7 < after[2] / before[2] < 2
    assert 0.05 < before[2] < 0.25 and log(2) > before[1], "better than a coin"


def test_a_temperature_takes_the_calibration_error_to_less_than_a_fifth():
    temperature, error, was = found("temperature", r"temperature (\d\.\d): .* error (0\.\d\d), was (0\.\d\d)")
    [late] = re.findall(r"calibration error (0\.\d{3})", said(NAME, "calibration"))[1:]
    assert was == round(float(late), 2) and error < was / 5 and temperature > 1


def test_log_odds_of_the_prevalence_correct_probabilities_that_were_far_too_high():
    [share, rest] = map(float, claims(r"prevalence of 1 percent, add log\((0\.\d\d) / (0\.\d\d)\) to"))
    assert (share, rest) == (0.01, 0.99)
    high, positives = found("rare", r"as they are: (0\.\d+) predicted on average, (0\.\d+) are")
    right, _ = found("rare", r"corrected *: (0\.\d+) predicted on average, (0\.\d+) are")
    assert positives == 0.01 and high > 10 * positives and abs(right - positives) < 0.002
    labels, bits = best_rule(200, 19_800, seed=1)  # the log-odds were both classes equally common
    means = [np.mean(1 / (1 + np.exp(-bits * log(2) - add))) for add in (0, log(share / rest))]
    assert means[0] > 0.1 and means[1] == pytest.approx(labels.mean(), abs=0.0015)


# --- 6: how sure is that? ------------------------------------------------------------------------


def test_the_intervals_are_wilsons_and_40_of_40_may_be_91_percent():
    words = said(NAME, "intervals")
    by_hand = run(NAME, solution(NAME, "interval"))
    for right, total in [(391, 400), (376, 400), (40, 40)]:
        _, low, high = found("intervals", rf"{right} of {total} right: (\S+) \((\S+) to ([\d.]+)\)")
        assert f"{right} of {total} right: {wilson(right, total)}\n" in words
        assert by_hand(right, total) == pytest.approx((low, high), abs=0.0001)
    first, second = map(float, claims(
        r"first lecture's (\d+\.\d+) percent, the second the other's (\d+\.\d)"))  # fmt: skip
    assert [first, second] == [100 * 391 / 400, 100 * 376 / 400]
    assert "**Predict first.** 40 of 40 right." in PROSE
    [least] = claims(r"40 of 40 is not perfection: the true accuracy may be as low as (\d+) percent")
    assert int(least) == round(100 * wilson(40, 40).low)


def test_the_formula_of_the_exercise_is_wilsons():
    middle = r"m = \frac{p + z^2 / 2n}{1 + z^2 / n}"
    half = r"h = \frac{z}{1 + z^2 / n} \sqrt{\frac{p (1 - p)}{n} + \frac{z^2}{4 n^2}}"
    assert middle in PROSE and half in PROSE
    p, n, z = 0.94, 400, 1.96
    m = (p + z**2 / (2 * n)) / (1 + z**2 / n)
    h = z / (1 + z**2 / n) * sqrt(p * (1 - p) / n + z**2 / (4 * n**2))
    assert wilson(376, 400)[1:] == pytest.approx((m - h, m + h), abs=1e-5)
    assert "`z**2 / (4 * total**2)` stands under the root, and 1 + z² / n divides both" in PROSE


def test_of_100_intervals_about_95_hold_the_truth():
    many, sets, hold = map(int, claims(
        r"of (\d+) such intervals, from (\d+) test sets, about (\d+) hold the true value"))  # fmt: skip
    assert many == sets == 100
    rng, truths = np.random.default_rng(0), np.linspace(0.5, 0.99, 1500)
    ends = [wilson(int(rng.binomial(400, truth)), 400)[1:] for truth in truths]
    held = np.mean([low <= truth <= high for truth, (low, high) in zip(truths, ends)])
    assert 100 * held == pytest.approx(hold, abs=1.5)


def test_a_test_of_400_is_off_by_1_4_percent_at_97_75_and_by_2_3_at_94():
    for right, off in [(391, 1.4), (376, 2.3)]:  # of 400, 97.75 and 94 percent
        low, high = found("intervals", rf"{right} of 400 right: \S+ \((\S+) to ([\d.]+)\)")
        assert 50 * (high - low) == pytest.approx(off, abs=0.15)


def test_the_intervals_of_two_models_overlap_and_that_of_the_difference_excludes_0():
    pattern = r"(0\.\d{4}) \((0\.\d{4}) to (0\.\d{4})\)"
    ours, best, difference = (
        found("bootstrap", rf"{name} +{pattern}") for name in ("network", "best rule", "difference")
    )
    [drawn] = claims(r"Draw ([\d,]+) sequences from your own test set, with replacement")
    assert int(drawn.replace(",", "")) == counted("scores").total
    claims(r"the difference is above (0) all the same: most of the luck is shared")
    assert ours == found("intervals", rf"2,000 sequences: {pattern}")
    assert best == pytest.approx(auc_interval(*best_rule(1000, 1000, seed=51)), abs=0.00006)
    assert ours[2] > best[1], "they overlap"
    assert difference[0] == pytest.approx(best[0] - ours[0], abs=0.00011) and difference[1] > 0
    apart = sqrt(sum(((high - low) / 2) ** 2 for _, low, high in (ours, best)))
    assert difference[0] < apart, "from two test sets of their own it would not have shown"
    assert (difference[2] - difference[1]) / 2 < apart / 2, "most of the luck is shared"


def test_the_text_rounds_the_two_areas_rightly():
    named = claims(r"The network has an AUC of (0\.\d{3}), the best rule (0\.\d{3}), and")
    for name, value in zip(("network", "best rule"), named, strict=True):
        [printed] = found("bootstrap", rf"{name} +(0\.\d{{4}}) ")
        assert float(value) == round(printed, 3)


def test_the_luck_of_the_test_sets_explains_most_of_the_scatter_of_eight_runs():
    runs, mean, sd, luck = found("over-seeds", (
        r"(\d) runs: mean (0\.\d+), standard deviation (0\.\d+); luck of the test sets (0\.\d+)"))  # fmt: skip
    assert [int(runs)] == in_words(r"(\w+) runs cannot tell how much is left for the networks")
    assert luck == pytest.approx(sqrt(mean * (1 - mean) / 1000), abs=0.0006)
    assert 0.6 < (luck / sd) ** 2 < 1.2
    low, high = (sd * sqrt((runs - 1) / chi2.ppf(q, runs - 1)) for q in (0.975, 0.025))
    assert low < luck < high, "so it may explain all, and eight runs cannot tell"


def test_luck_and_models_add_up_and_a_shared_test_set_is_not_averaged_out():
    accuracies = [0.86, 0.88, 0.90, 0.92]
    own = over_seeds(accuracies, test_size=1000)
    assert own.sd**2 == pytest.approx(own.luck**2 + own.models**2) and own.luck > 0
    shared = over_seeds(accuracies * 1000, test_size=1000, same_test=True)
    assert shared.error >= shared.luck > over_seeds(accuracies * 1000, test_size=1000).error
