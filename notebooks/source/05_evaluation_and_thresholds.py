# %% [markdown]
# {{ header }}

# %% [markdown]
# ## Why this matters
#
# "AUC 0.99" sells papers. It can come from a test set unlike anything the classifier will meet, from labels where scores were meant, from one lucky run. In this lesson you take numbers like this apart,
# and you learn to report your own so that nobody has to. The networks are those of lesson 04; the questions are the same for every classifier.

# %% [markdown]
# ## What you will be able to do
#
# - **read** a confusion matrix, whatever its order, and **compute** the measures made of it;
# - **draw** ROC and precision-recall curves and **choose** an operating point for a purpose;
# - **say** what happens to each measure when positives are rare;
# - **recognise** an AUC that was computed from hard labels;
# - **judge** whether probabilities deserve the name;
# - **give** an interval for an accuracy and an AUC, and **tell** a difference from luck.

# %% tags=["set-up", "nbval-ignore-output"] reason="prints the versions of this machine"
# {{ set-up }}

# %% tags=["imports"]
import matplotlib.pyplot as plt
import numpy as np
import torch
from sklearn.metrics import average_precision_score, log_loss, roc_auc_score
from torch import nn
from torch.utils.data import TensorDataset

from course_utils.evaluation import (
    Confusion,
    EvaluationError,
    confusion_at,
    curves,
    predictive_values,
    threshold_for_false_positives,
)
from course_utils.exercises import lesson_05 as check
from course_utils.explorers.decision import decision_explorer
from course_utils.intervals import auc_interval, calibration, over_seeds, wilson
from course_utils.likelihoods import log_likelihood_ratio
from course_utils.models import seeded
from course_utils.models.motif_cnn import GlobalMaxCNN
from course_utils.motifs import pfm_to_ppm
from course_utils.plotting import picture_of
from course_utils.simulation import CCGGAA, simulate
from course_utils.training import fit, predict

# %% [markdown]
# ## 1 · Four counts
#
# A classifier calls each example positive or negative. With the truth beside it there are four counts. Their table is the confusion matrix of lesson 00: a row for each truth, a column for each call. Say so whenever you show one: many put the calls in the rows,
# and scikit-learn puts the negatives first. Here is the table of the second Korean lecture, as lesson 04 read it:

# %% tags=["seed:002-confusion-table", "seed:002-f1", "M06"]
table = Confusion(tp=188, fn=6, fp=11, tn=195)
print(table)
for measure in ("recall", "specificity", "precision", "f1", "mcc"):
    print(table.describe(measure))

# %% [markdown] tags=["seed:002-error-types"]
# - A false positive is an error of type I, a false negative one of type II.
# - Recall is the share of the positives that is found, **specificity** the share of the negatives that is left alone. Each looks at one row only.
# - Precision is the share of the positive calls that is right. It looks at a column, and therefore depends on how many positives there are.
# - **F1** is 2 TP / (2 TP + FP + FN), a mean of precision and recall that stays near the lower of the two. MCC, of lesson 00, uses all four counts; it is 1 for a perfect classifier and about 0 for a coin.
#
# Recall alone can be had for nothing (mistake M21; lesson 00): call everything positive, here the same 400 sequences. MCC is not taken in. Nor is the AUPRC of lesson 00, which scikit-learn calls **average precision**: if all scores are alike, it is the share of positives.

# %% tags=["M21"]
always = Confusion(tp=194, fn=0, fp=206, tn=0)  # all of them called positive
for name, counts in [("the network:    ", table), ("always positive:", always)]:
    print(name, ", ".join(counts.describe(measure) for measure in ("recall", "precision", "mcc")))
alike = average_precision_score([1] * 194 + [0] * 206, [1] * 400)
print(f"average precision of one score for all: {alike:.3f}")

# %% [markdown] tags=["exercise:errors"]
# ### Exercise 1 · Two kinds of error
# ●○○ · 10 minutes · why it matters: the same four numbers, read the wrong way round, turn false alarms into misses.
#
# Read a table as scikit-learn prints it: a row for each truth, a column for each call, label 0 (negative) first. Give the
# type I error rate (false alarms, as a share of what could be one), the type II error rate (misses, likewise), F1 and MCC.

# %% tags=["exercise:errors"]
def errors(table):
    """Compute both error rates, F1 and MCC.

    table: an array of shape (2, 2), as sklearn.metrics.confusion_matrix gives it:
        rows are the truth, columns the calls, and label 0 comes before label 1.
    Returns: a dictionary with the keys "type_1", "type_2", "f1" and "mcc", all fractions.
        For [[80, 20], [3, 7]], "type_1" is 0.2 and "type_2" is 0.3.
    """
    ...

# %% tags=["exercise:errors"]
check.errors(errors)

# %% [markdown] tags=["exercise:errors"]
# <details><summary>Hint</summary>
#
# First give the four numbers their names: `(tn, fp), (fn, tp) = table.tolist()`. Then divide each kind of error by the sum of
# its own row. F1 is `2 * tp / (2 * tp + fp + fn)`.
#
# </details>
# <details><summary>Solution</summary>
#
# ```python
# def errors(table):
#     (tn, fp), (fn, tp) = table.tolist()
#     product = (tp + fp) * (tp + fn) * (tn + fp) * (tn + fn)
#     return {
#         "type_1": fp / (tn + fp),
#         "type_2": fn / (tp + fn),
#         "f1": 2 * tp / (2 * tp + fp + fn),
#         "mcc": (tp * tn - fp * fn) / product**0.5,
#     }
# ```
#
# </details>

# %% [markdown]
# The second lecture prints an accuracy of 94.0 percent beside the table above.
#
# > **Predict first.** 188 + 195 of 400 are right. Do the two belong together?

# %% tags=["M07", "seed:002-accuracy"]
print(f"accuracy of the table: {table.accuracy:.2%}, {table.tp + table.tn} of {table.total}")
print(f"94.0 % of 400 is {0.94 * 400:.0f}")

# %% [markdown]
# They do not (mistake M07): 383 right calls are 95.75 percent. Most likely the network was trained again between the two outputs. A number and the table that it comes from belong in one cell.

# %% [markdown] tags=["exercise:counts_behind"]
# ### Exercise 2 · The counts behind a printed accuracy
# ●●○ · 10 minutes · why it matters: a printed percentage can give away that it belongs to another table.
#
# An accuracy of 94.0 percent on 400 examples: how many calls were right? List every count that would have been printed so. The list
# may hold several counts, or none: then no test of that size gave that percentage. (Psychologists check published means
# this way: Brown and Heathers, *Social Psychological and Personality Science* 8, 363-369, 2017.)

# %% tags=["exercise:counts_behind"]
def counts_behind(percent, decimals, total):
    """List the numbers of right calls whose percentage is printed as `percent`.

    percent: the printed accuracy in percent, such as 94.0.
    decimals: to how many decimals it was rounded, with round().
    total: the number of examples in the test.
    Returns: a list of whole numbers from 0 to total, rising; [] if none fits.
    """
    ...

# %% tags=["exercise:counts_behind"]
check.counts_behind(counts_behind)

# %% [markdown] tags=["exercise:counts_behind"]
# <details><summary>Hint</summary>
#
# Do not compute backwards from the percentage. Try each count from 0 to `total`, compute its percentage, round it, and keep the
# count if it equals the printed one.
#
# </details>
# <details><summary>Solution</summary>
#
# ```python
# def counts_behind(percent, decimals, total):
#     fitting = []
#     for right in range(total + 1):
#         if round(100 * right / total, decimals) == percent:
#             fitting.append(right)
#     return fitting
# ```
#
# </details>

# %% [markdown]
# ## 2 · Scores and curves
#
# A network gives more than a call: it gives a score. Train the network of lesson 04 that pools globally on 1,600 sequences with sites anywhere, and score 2,000 fresh ones, the test set of this lesson.
# The score is the second logit less the first: the network's log-odds of "positive" (natural logarithms here, not bits). At 0 the two classes are equally likely.

# %% tags=["scores"]
ppm = pfm_to_ppm(CCGGAA)


def draw(positives, negatives, seed):
    """Inputs (N, 4, 20), labels (N,) and the sequences' codes (N, 20) of a new set, sites anywhere."""
    drawn = simulate(ppm, positives=positives, negatives=negatives, rng=np.random.default_rng(seed))
    return torch.from_numpy(drawn.one_hot).permute(0, 2, 1), drawn.labels, drawn.codes


def score(model, inputs):
    """The log-odds that a network gives to "positive": its second logit less its first."""
    logits = predict(model, inputs).numpy()  # (N, 2)
    return logits[:, 1] - logits[:, 0]


train_inputs, train_labels, _ = draw(800, 800, seed=50)
train = TensorDataset(train_inputs, torch.from_numpy(train_labels))
with seeded(5):
    model = GlobalMaxCNN(filters=16, width=7)
_ = fit(
    model, train, loss=nn.CrossEntropyLoss(), epochs=40, batch_size=64,
    optimizer=torch.optim.Adam(model.parameters(), lr=0.001), generator=torch.Generator().manual_seed(5),
)  # fmt: skip
inputs, labels, codes = draw(1000, 1000, seed=51)
scores = score(model, inputs)
print(f"scores from {scores.min():.0f} to {scores.max():.0f}")
print(confusion_at(labels, scores, threshold=0))

# %% [markdown]
# The threshold 0 is one choice of many. Move it up, and there are fewer false positives and more misses. A **ROC curve** (receiver operating characteristic) shows all choices at once: recall against the false-positive rate. A **precision-recall curve** shows precision against recall. A threshold is a point on each, the **operating point**.

# %% tags=["curves", "seed:003-roc-plot", "seed:003-pr-plot"]
ours = curves(labels, scores)
ratio = log_likelihood_ratio(codes, ppm)
best_scores = np.maximum(ratio, -100)  # a sequence that cannot be a positive has -inf: give it the lowest score
best = curves(labels, best_scores)
point = ours.at(0)  # the operating point of the threshold 0

figure, (left, right) = plt.subplots(1, 2, figsize=(9, 3.4), layout="constrained")
for curve, name, style in [(ours, "network", "-"), (best, "best rule", "--")]:
    left.plot(curve.false_positive_rate, curve.recall, style, label=f"{name}, AUC {curve.auc:.2f}")
    right.plot(curve.recall, curve.precision, style, label=f"{name}, average precision {curve.average_precision:.2f}")
left.plot(point.false_positive_rate, point.recall, "o", color="#111111", label="threshold 0")
right.plot(point.recall, point.precision, "o", color="#111111", label="threshold 0")
left.plot([0, 1], [0, 1], ":", color="#5c5c5c", label="coin")
right.plot([0, 1], [0.5, 0.5], ":", color="#5c5c5c", label="coin")
left.set(xlabel="false-positive rate", ylabel="recall", title="ROC")
right.set(xlabel="recall", ylabel="precision", title="precision-recall", ylim=(0.4, 1.02))
left.legend()
_ = right.legend()
picture_of(figure, f"ROC and precision-recall curves of the network, AUC {ours.auc:.2f} and average precision "
           f"{ours.average_precision:.2f}, close to the best rule with {best.auc:.2f} and "
           f"{best.average_precision:.2f}. At threshold 0 recall is {point.recall:.2f}.")  # fmt: skip

# %% [markdown] tags=["seed:003-definitions"]
# The area under the ROC curve is the **AUC**, the area under the other one the average precision. As lesson 03 said, the AUC is the chance that a random positive
# has a higher score than a random negative.
#
# The dashed line is the best rule of lesson 03, the likelihood ratio. No classifier has a higher ROC curve, on average over test sets. On one test set, yours may be ahead for a stretch. At the left end of the
# precision-recall curve such luck is common: there, precision rests on a handful of calls.

# %% [markdown] tags=["exercise:auc"]
# ### Exercise 3 · The AUC, pair by pair
# ●●○ · 10 minutes · why it matters: it is what the AUC means, and it shows what calls lose: two examples called alike are a tie, however different their scores.
#
# Let every positive meet every negative. The positive wins if it has the higher score; equal scores are half a win. The AUC is
# the share of wins.

# %% tags=["exercise:auc"]
def auc_by_pairs(scores, labels):
    """Compute the area under the ROC curve by counting pairs.

    scores: an array of shape (N,); higher means more like a positive.
    labels: an array of shape (N,) of 0 (negative) and 1 (positive); both occur.
    Returns: the share of (positive, negative) pairs in which the positive has the higher
        score, a tie counting one half.
    """
    ...

# %% tags=["exercise:auc"]
check.auc(auc_by_pairs)

# %% [markdown] tags=["exercise:auc"]
# <details><summary>Hint</summary>
#
# `scores[labels == 1]` are the positives' scores. Two loops, one in the other, visit all pairs; count the pairs too.
#
# </details>
# <details><summary>Solution</summary>
#
# ```python
# def auc_by_pairs(scores, labels):
#     wins, pairs = 0, 0
#     for positive in scores[labels == 1]:
#         for negative in scores[labels == 0]:
#             pairs += 1
#             if positive > negative:
#                 wins += 1
#             elif positive == negative:
#                 wins += 0.5
#     return wins / pairs
# ```
#
# </details>

# %% [markdown]
# ### Scores rank, labels do not
#
# One of our sources, a student report from Taiwan (lesson 06 repeats it), compares two networks for transcription-factor binding. The first has AUC 0.9971. The "improved" one has 0.99034749 and an AUPRC of 0.97967480. It looks like a step back.
#
# But suppose that the second network called 241 of 241 positives and 5 of 259 negatives positive (exercise 4 finds such counts):

# %% tags=["M15", "seed:003-improved-auc"]
truth = np.array([1] * 241 + [0] * 259)
hard = np.array([1] * 241 + [1] * 5 + [0] * 254)  # calls, 0 or 1, in place of scores
print(f"AUC of the calls:               {roc_auc_score(truth, hard):.8f}")
print(f"average precision of the calls: {average_precision_score(truth, hard):.8f}")
try:
    curves(truth, hard)
except EvaluationError as error:
    print(error)

# %% [markdown]
# Both to the eighth digit. So the numbers were almost certainly computed from **hard labels**, 0 or 1, instead of scores (mistake M15). Calls have one operating point, not a curve. Their "AUC" is the mean of recall and specificity at that point, which is
# known as **balanced accuracy**, and cannot be compared with the AUC of scores.
#
# > **Predict first.** Cut the scores of your own network at 0, and compute the AUC of the calls. Higher or lower than 0.96?

# %% tags=["M15"]
print(f"our network, from scores: AUC {ours.auc:.3f}")
print(f"our network, from calls:  AUC {roc_auc_score(labels, scores > 0):.3f}")
calls = confusion_at(labels, scores, threshold=0)
ties = calls.tp * calls.fp + calls.fn * calls.tn
print(f"pairs of a positive and a negative that are called alike: {ties / 1000**2:.0%}")

# %% [markdown]
# Nothing about the network has changed. But each pair that is called alike now counts one half, whichever of the two has the higher score.

# %% [markdown] tags=["exercise:hidden_table"]
# ### Exercise 4 · The hidden table
# ●●● · 20 minutes · why it matters: an AUC that was computed from hard labels hides four whole numbers, and you can get them back.
#
# Of hard labels the AUC is (recall + specificity) / 2. Someone prints it with the precision, both rounded to five decimals, and
# says how many positives and negatives there were. Find the table.

# %% tags=["exercise:hidden_table"]
def hidden_table(positives, negatives, auc, precision):
    """Find the four counts behind an AUC of hard labels and a precision.

    positives, negatives: how many of each the test has.
    auc, precision: of hard labels, rounded to five decimals; the precision is above 0.
    Returns: a tuple of four whole numbers (tp, fn, fp, tn). Only one table fits.
    """
    ...

# %% tags=["exercise:hidden_table"]
check.hidden_table(hidden_table)

# %% [markdown] tags=["exercise:hidden_table"]
# <details><summary>Hint</summary>
#
# Search: for every `tp` from 0 to `positives` and every `fp` from 0 to `negatives`, compute both numbers and return the counts when
# both are within 0.00001 of the printed ones. Skip the case in which nothing is called. (With pencil and paper:
# recall - false-positive rate = 2 auc - 1.)
#
# </details>
# <details><summary>Solution</summary>
#
# ```python
# def hidden_table(positives, negatives, auc, precision):
#     for tp in range(positives + 1):
#         for fp in range(negatives + 1):
#             if tp + fp == 0:
#                 continue
#             recall, specificity = tp / positives, 1 - fp / negatives
#             same_auc = abs((recall + specificity) / 2 - auc) < 1e-5
#             if same_auc and abs(tp / (tp + fp) - precision) < 1e-5:
#                 return tp, positives - tp, fp, negatives - fp
# ```
#
# </details>

# %% [markdown]
# ## 3 · A threshold for a purpose
#
# Where you put the threshold depends on what a mistake costs. Suppose that you will scan many sequences without a site, and can afford to follow up 1 percent of them. Choose the threshold on a validation set, never on the test set.
#
# > **Predict first.** At threshold 0 the recall was 0.92, and about one negative in nine was called. What will the recall be with one in a hundred?

# %% tags=["operating-point"]
valid_inputs, valid_labels, _ = draw(2000, 2000, seed=52)
threshold = threshold_for_false_positives(valid_labels, score(model, valid_inputs), most=0.01)
strict = confusion_at(labels, scores, threshold)
print(f"threshold {threshold:.2f}")
print(strict)
print(f"false-positive rate {strict.false_positive_rate:.3f}, recall {strict.recall:.2f}")

# %% [markdown]
# The price is high: more than half of the sites are missed. And the rate on the test set is near 1 percent and not exactly it, because the promise was made on other sequences.
#
# Where you know the costs, there is a rule. If a false alarm costs *a* and a miss *b*, call a sequence positive when its log-odds are above log(*a*/*b*): below that, leaving it alone costs less on average than calling it. This asks for log-odds that can be
# believed; section 5 looks into that.

# %% [markdown] tags=["exercise:threshold"]
# ### Exercise 5 · A threshold that keeps a promise
# ●●○ · 15 minutes · why it matters: over a genome of negatives it is the false-positive rate that decides how much work is wasted.
#
# "At most 1 percent of the negatives will be called." Find the lowest of the scores that keeps such a promise. Several negatives may
# have the same score, and sometimes no score will do.

# %% tags=["exercise:threshold"]
def threshold_for(scores, labels, most):
    """Find the lowest threshold with at most this false-positive rate.

    scores: an array of shape (N,); called positive is what has score >= threshold.
    labels: an array of shape (N,) of 0 (negative) and 1 (positive).
    most: the share of the negatives that may be called, such as 0.01.
    Returns: the lowest of the scores at which at most this share of the negatives is
        called; np.inf if there is none.
    """
    ...

# %% tags=["exercise:threshold"]
check.threshold(threshold_for)

# %% [markdown] tags=["exercise:threshold"]
# <details><summary>Hint</summary>
#
# Try the scores from the lowest up, those of positives too: `for candidate in np.sort(scores)`. The share of negatives that is
# called is `(scores[labels == 0] >= candidate).mean()`. The first candidate that keeps the promise is the answer.
#
# </details>
# <details><summary>Solution</summary>
#
# ```python
# def threshold_for(scores, labels, most):
#     negatives = scores[labels == 0]
#     for candidate in np.sort(scores):
#         if (negatives >= candidate).mean() <= most:
#             return candidate
#     return np.inf
# ```
#
# </details>

# %% [markdown]
# ## 4 · When positives are rare
#
# In this test set every second sequence is a positive. In a genome, one window in thousands is. This share is the **prevalence** of positives. Recall and specificity, and with them the ROC curve and its AUC, stay what they are as long as the examples *within* each class stay alike. Precision does not.
#
# > **Predict first.** Recall 0.8 and a false-positive rate of 0.01. One window in a thousand is truly positive. Of 100 positive calls, how many are right?

# %% tags=["prevalence"]
print("positives   precision   accuracy   accuracy of calling nothing")
for prevalence in (0.5, 0.1, 0.01, 0.001):
    value = predictive_values(recall=0.8, specificity=0.99, prevalence=prevalence)
    accuracy = 0.8 * prevalence + 0.99 * (1 - prevalence)
    print(f"{prevalence:9.1%} {value.positive:11.2f} {accuracy:10.3f} {1 - prevalence:10.3f}")

# %% [markdown]
# Seven. The other 93 are false, from a classifier with an accuracy of 99 percent. And whoever calls nothing is right more often still: accuracy is worth nothing here.
# This is Bayes' rule. Section 9 of lesson 02 did the same in bits: there, a score added to the logarithm of the odds before you look.
#
# How does your network fare where one sequence in a hundred is a positive? To see it, you need many negatives, since your threshold calls about 1 percent of them. In your test set, 1 percent of the negatives are ten sequences, too few to rest a precision on.

# %% tags=["prevalence", "rare"]
rare_inputs, rare_labels, _ = draw(1000, 99_000, seed=54)
rare_scores = score(model, rare_inputs)
print(confusion_at(rare_labels, rare_scores, threshold).describe("precision"))
rare = curves(rare_labels, rare_scores)
print(f"AUC {rare.auc:.3f}, was {ours.auc:.3f}; average precision {rare.average_precision:.2f}, was {ours.average_precision:.2f}")

# %% [markdown]
# The same network and the same threshold. Of its positive calls 34 percent are right; in the balanced test set it was 98 percent, 473 of 485. The average precision is a third of what it was. The AUC has moved no more than luck moves it (section 6).
#
# So report precision *at the prevalence where the classifier will be used*, and compare average precisions only at the same prevalence.

# %% [markdown] tags=["exercise:predictive_value"]
# ### Exercise 6 · What a call is worth elsewhere
# ●●○ · 10 minutes · why it matters: tests are balanced and genomes are not; most calls of a good model may be wrong there.
#
# Recall and specificity were measured on a balanced set. Which share of the positive calls is right where positives are rarer? That is the precision there, also called positive predictive value.

# %% tags=["exercise:predictive_value"]
def predictive_value(recall, specificity, prevalence):
    """Compute the share of right calls among positive calls, at a prevalence.

    recall: the share of positives that is called positive.
    specificity: the share of negatives that is not.
    prevalence: the share of positives among all examples.
    Returns: the precision at that prevalence, a fraction.
    """
    ...

# %% tags=["exercise:predictive_value"]
check.predictive_value(predictive_value)

# %% [markdown] tags=["exercise:predictive_value"]
# <details><summary>Hint</summary>
#
# Imagine 1,000,000 examples. How many are positive, and how many of these are called? How many are negative, and how many of these are
# called all the same? No number of examples remains in the answer.
#
# </details>
# <details><summary>Solution</summary>
#
# ```python
# def predictive_value(recall, specificity, prevalence):
#     right = recall * prevalence
#     wrong = (1 - specificity) * (1 - prevalence)
#     return right / (right + wrong)
# ```
#
# </details>

# %% [markdown]
# ### Explore: the threshold
#
# Move the threshold and watch four things at once: the two curves, the scores, the table. Then make positives rare. Which curve moves, and which stays? (These scores are not your network's: they are drawn from two bell curves, with the AUC that you set.)

# %% tags=["explorer"]
decision_explorer()

# %% [markdown]
# ## 5 · Do probabilities mean what they say?
#
# Softmax turns logits into numbers between 0 and 1. (Of two logits, it is a sigmoid of their difference, your score.) Are they probabilities? If so, of all sequences with 0.7, about 70 percent must be positive. This agreement is the network's **calibration**.

# %% tags=["calibration"]
many_inputs, many_labels, _ = draw(5000, 5000, seed=53)
probabilities = 1 / (1 + np.exp(-score(model, many_inputs)))
early = calibration(many_labels, probabilities, bins=5)
print(early)

# %% [markdown]
# The **expected calibration error** is the mean gap between the two columns, weighted with the number of examples. Even perfect probabilities show a little of it, by the luck of the sample. With other bins it is another number.
#
# Now train the same network far too long, as in lesson 04: ten times as many epochs, and steps three times as large.
#
# > **Predict first.** Which will suffer more, the AUC or the calibration?

# %% tags=["calibration"]
with seeded(5):
    stubborn = GlobalMaxCNN(filters=16, width=7)
_ = fit(
    stubborn, train, loss=nn.CrossEntropyLoss(), epochs=400, batch_size=64,
    optimizer=torch.optim.Adam(stubborn.parameters(), lr=0.003), generator=torch.Generator().manual_seed(5),
)  # fmt: skip
certain = 1 / (1 + np.exp(-score(stubborn, many_inputs)))
late = calibration(many_labels, certain, bins=5)
print(late)
for name, given in [("40 epochs", probabilities), ("400 epochs", certain)]:
    brier = np.mean((given - many_labels) ** 2)
    print(f"{name}: AUC {curves(many_labels, given).auc:.2f}, log loss {log_loss(many_labels, given):.2f}, Brier score {brier:.2f}")

# %% tags=["calibration"]
figure, axes = plt.subplots(figsize=(4, 3.6))
axes.plot([0, 1], [0, 1], ":", color="#5c5c5c", label="perfect")
for curve, name, style in [(early, "40 epochs", "o-"), (late, "400 epochs", "s--")]:
    spread = [curve.observed - curve.low, curve.high - curve.observed]
    axes.errorbar(curve.predicted, curve.observed, yerr=spread, fmt=style, capsize=3, label=name)
axes.set(xlabel="probability that the network gives", ylabel="share that are positive")
_ = axes.legend()
picture_of(figure, f"Observed shares against predicted probabilities. After 40 epochs the points lie near the diagonal; after 400 "
           f"the line is too flat: {late.predicted[-1]:.2f} is predicted where {late.observed[-1]:.2f} are positive.")  # fmt: skip

# %% [markdown]
# The first network is nearly calibrated: what it calls 0.7 happens in 72 percent of the cases. It is not perfect: what it calls 0.3 happens in 24 percent, and its error of 0.018 is more than luck. At both ends it is a little too modest. The second says 0.99 on average where it is sure, and there 86 percent are positive.
#
# The AUC sees only the order: it falls from 0.96 to 0.92, and the false certainty it does not see. The **log loss** (the cross-entropy that you trained with) and the **Brier score** (the mean squared gap between probability and label) judge order and honesty together; lower is better. The log loss is three times as high, the Brier score nearly twice.
#
# This is part of what the climbing validation loss of lesson 04 means. Guo and colleagues (2017) found it in the image and text networks of their time, and a remedy: divide all scores by one number, the **temperature**, that makes the loss of a validation set lowest.

# %% tags=["temperature"]
valid_scores = score(stubborn, valid_inputs)
temperatures = np.arange(1, 10, 0.1)
losses = [log_loss(valid_labels, 1 / (1 + np.exp(-valid_scores / t))) for t in temperatures]
best_temperature = temperatures[np.argmin(losses)]
cooled = 1 / (1 + np.exp(-score(stubborn, many_inputs) / best_temperature))
print(f"temperature {best_temperature:.1f}: calibration error {calibration(many_labels, cooled, bins=5).error:.2f}, was {late.error:.2f}")

# %% [markdown]
# No sequence has changed its place in the order, so the AUC is what it was.
#
# A last warning. These networks are calibrated for sets in which half are positives. Where positives are rare, their probabilities are far too high. You can correct them: at a prevalence of 1 percent, add log(0.01 / 0.99) to each score. (That is the log-odds before the sequence is read; for half and half it is 0.)

# %% tags=["calibration", "rare"]
for name, shift in [("as they are", 0), ("corrected", np.log(0.01 / 0.99))]:
    given = 1 / (1 + np.exp(-(rare_scores + shift)))
    print(f"{name:11}: {given.mean():.3f} predicted on average, {rare_labels.mean():.3f} are positives")

# %% [markdown]
# ## 6 · How sure is that?
#
# A test set is a sample, and the accuracy on it an estimate. Give it a **confidence interval**: of 100 such intervals, from 100 test sets, about 95 hold the true value. For a share, Wilson's interval (1927) does well even near 0 and 1.
# For an AUC, the package has the one of DeLong and colleagues (1988). For each example it takes the share of the other class that it is on the right side of; the more these shares vary, the wider the interval.
#
# > **Predict first.** 40 of 40 right. How low may the true accuracy be?

# %% tags=["intervals"]
for right, total in [(391, 400), (376, 400), (40, 40)]:
    print(f"{right} of {total} right: {wilson(right, total)}")
print(f"AUC of our network on 2,000 sequences: {auc_interval(labels, scores)}")

# %% [markdown]
# The first line is the first lecture's 97.75 percent, the second the other's 94.0. And 40 of 40 is not perfection: the true accuracy may be as low as 91 percent.
#
# Such an interval counts the luck of the test set alone, not that of the training. And it takes the examples for independent. Neighbouring windows of a genome are not: there, count regions, not windows.
#
# ### Two models, one test set
#
# The network has an AUC of 0.963, the best rule 0.970, and their intervals overlap. Is the network worse, or unlucky? Both were judged on the *same* sequences, so look at the *difference*. Draw 2,000 sequences from your own test set, with replacement, again and again, and see how the
# difference varies: the middle 95 percent of the draws are an interval. This is a **bootstrap** (Efron, 1979).

# %% tags=["bootstrap"]
print(f"network   {auc_interval(labels, scores)}")
print(f"best rule {auc_interval(labels, best_scores)}")
rng = np.random.default_rng(0)
differences = []
for _ in range(400):
    drawn = rng.integers(0, len(labels), len(labels))  # some sequences twice, some not at all
    differences.append(roc_auc_score(labels[drawn], best_scores[drawn]) - roc_auc_score(labels[drawn], scores[drawn]))
low, high = np.percentile(differences, [2.5, 97.5])
print(f"difference {best.auc - ours.auc:.4f} ({low:.4f} to {high:.4f})")

# %% [markdown]
# The intervals overlap, and the difference is above 0 all the same: most of the luck is shared, and cancels.
#
# ### Several runs
#
# Another training gives another network. Eight runs, each with training data, first weights and a test set of its own, scatter. Part of the scatter is the luck of the test sets, and only the rest belongs to the networks:

# %% tags=["over-seeds"]
accuracies = []
for seed in range(8):
    run_inputs, run_labels, _ = draw(1000, 1000, seed=60 + seed)
    run_train = TensorDataset(run_inputs[::2], torch.from_numpy(run_labels[::2]))  # every second one
    with seeded(seed):
        run = GlobalMaxCNN(filters=16, width=7)
    fit(
        run, run_train, loss=nn.CrossEntropyLoss(), epochs=40, batch_size=64,
        optimizer=torch.optim.Adam(run.parameters(), lr=0.001), generator=torch.Generator().manual_seed(seed),
    )  # fmt: skip
    calls = score(run, run_inputs[1::2]) > 0
    accuracies.append((calls == run_labels[1::2]).mean())
runs = over_seeds(accuracies, test_size=1000)
print(f"{runs.runs} runs: mean {runs.mean:.3f}, standard deviation {runs.sd:.3f}; luck of the test sets {runs.luck:.3f}")

# %% [markdown]
# Most of the scatter is the luck of the test sets. Eight runs cannot tell how much is left for the networks. Had all runs shared one test set, its luck would be in every one of them, and no number of runs would average it out.

# %% [markdown] tags=["exercise:interval"]
# ### Exercise 7 · How sure is an accuracy?
# ●●○ · 15 minutes · why it matters: an accuracy without an interval cannot be compared with anything.
#
# Write Wilson's interval. With $p$ the share of right calls among $n$, and $z = 1.96$ for 95 percent, it runs from $m - h$ to $m + h$, where
#
# $$m = \frac{p + z^2 / 2n}{1 + z^2 / n}, \qquad h = \frac{z}{1 + z^2 / n} \sqrt{\frac{p (1 - p)}{n} + \frac{z^2}{4 n^2}}.$$

# %% tags=["exercise:interval"]
def wilson_interval(right, total):
    """Compute Wilson's 95 % interval of an accuracy.

    right: the number of right calls, from 0 to total.
    total: the number of examples, n in the formula.
    Returns: a pair (low, high) of fractions, not rounded, with z = 1.96.
    """
    ...

# %% tags=["exercise:interval"]
check.interval(wilson_interval)

# %% [markdown] tags=["exercise:interval"]
# <details><summary>Hint</summary>
#
# One line for each letter: `share`, `middle`, `half`. `z**2 / (4 * total**2)` stands under the root, and 1 + z² / n divides both.
#
# </details>
# <details><summary>Solution</summary>
#
# ```python
# def wilson_interval(right, total):
#     z = 1.96
#     share = right / total
#     divisor = 1 + z**2 / total
#     middle = (share + z**2 / (2 * total)) / divisor
#     half = z * (share * (1 - share) / total + z**2 / (4 * total**2)) ** 0.5 / divisor
#     return middle - half, middle + half
# ```
#
# </details>

# %% [markdown]
# ## Common mistakes
#
# - **A table without its order.** Rows are the truth here; say so (M06).
# - **A number from one run and a table from another** (M07). One cell for both.
# - **Hard labels where scores are meant** (M15). An AUC of calls is one point.
# - **Recall as the one trustworthy measure** (M21). Calling everything positive has recall 1.
# - **A threshold chosen on the test set.** Choose on the validation set.
# - **Precision carried from a balanced set to a genome.** It falls with the prevalence.
# - **Certainty taken for correctness.** Check the calibration.
# - **Overlapping intervals taken for "no difference".** On one test set, look at the difference.
# - **One run, four digits.** Give the interval, and as many digits as it allows.
#
# ## Recap
#
# Four counts, and the measures made of rows and columns. Curves show all thresholds; an operating point is one of them. ROC ignores prevalence, precision lives on it. Scores rank, labels do not. Probabilities have to earn the name, for the prevalence at hand. Every number from a test set has an interval, and two models on one test set are compared by their difference.
#
# ## Further reading
#
# - T. Saito, M. Rehmsmeier. The precision-recall plot is more informative than the ROC plot when evaluating binary classifiers on imbalanced datasets. *PLoS ONE* 10, e0118432 (2015).
# - T. Fawcett. An introduction to ROC analysis. *Pattern Recognition Letters* 27, 861-874 (2006).
# - E. R. DeLong, D. M. DeLong, D. L. Clarke-Pearson. Comparing the areas under two or more correlated receiver operating characteristic curves: a nonparametric approach. *Biometrics* 44, 837-845 (1988).
# - B. Efron. Bootstrap methods: another look at the jackknife. *Annals of Statistics* 7, 1-26 (1979).
# - E. B. Wilson. Probable inference, the law of succession, and statistical inference. *Journal of the American Statistical Association* 22, 209-212 (1927).
# - C. Guo, G. Pleiss, Y. Sun, K. Q. Weinberger. On calibration of modern neural networks. *International Conference on Machine Learning* (2017).
# - D. Chicco, G. Jurman. The advantages of the Matthews correlation coefficient (MCC) over F1 score and accuracy in binary classification evaluation. *BMC Genomics* 21, 6 (2020).
#
# **Next:** [06 · Transcription factor binding](06_transcription_factor_binding.ipynb), which leaves the simulation for real binding sites, and negatives that do not flatter.
