# %% [markdown]
# {{ header }}

# %% [markdown]
# ## Why this matters
#
# You train a network on real data, and it is right in 91 percent of the cases. Is that good? Nobody knows: nobody can say how much of the answer stands
# in the sequence at all. With data that you made yourself, you can. You know which sequences carry the motif and where, and you can compute how often the
# best classifier that could exist is right: the ceiling, which you met in lesson 00. A network far below it has something to learn. A network above it, by more than the luck of the test set, has found
# a **leak**: something in your data that gives the answer away (in lesson 00 it was neighbours on both sides of a split).
#
# A simulation also shows you how data lie. Three of our source lectures make positives with a motif and negatives of plain random letters, and so leave
# differences that nobody meant to plant. You will measure them.

# %% [markdown]
# ## What you will be able to do
#
# - **simulate** labelled sequences with a motif at a known place, at an unknown place, on either strand, with partners and with wrong labels;
# - **compute** the ceiling: the best result that any classifier can reach on such data;
# - **show** what composition alone gives away, and **match** the negatives to the positives;
# - **shuffle** a sequence so that every pair of neighbours stays as frequent as it was;
# - **say** what a simulation can teach and what it cannot.

# %% tags=["set-up", "nbval-ignore-output"] reason="prints the versions of this machine"
# {{ set-up }}

# %% tags=["imports"]
import itertools

import matplotlib.pyplot as plt
import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import cross_val_predict

from course_utils.backgrounds import transitions_of
from course_utils.ceilings import ceiling, lower_bound
from course_utils.datasets import fetch, shipped
from course_utils.exercises import lesson_03 as check
from course_utils.explorers.simulation import simulation_explorer
from course_utils.likelihoods import log_likelihood_ratio
from course_utils.motifs import (
    background_of,
    consensus,
    information,
    pfm_from_sites,
    pfm_to_ppm,
    ppm_to_pwm,
    read_motifs,
)
from course_utils.plotting import logo_picture, picture_of
from course_utils.scanning import find_hits, rounded, scan, score_distribution
from course_utils.sequences import SequenceError, from_codes, one_hot, read_fasta
from course_utils.shuffles import shuffle_bases, shuffle_dinucleotides
from course_utils.simulation import simulate

# %% [markdown]
# ## 1 · The simulation of the lectures
#
# Both Korean lectures start from this matrix of a factor that binds `CCGGAA`. They write it with the bases in rows; we turn it, as always, to `(width, 4)`.

# %% tags=["seed:000-motif-matrix", "seed:002-motif-matrix"]
matrix = np.array(
    [
        [10.41, 22.86, 1.92, 1.55, 98.60, 86.66],  # A
        [68.20, 65.25, 0.50, 0.35, 0.25, 2.57],  # C
        [17.27, 8.30, 94.77, 97.32, 0.87, 0.00],  # G
        [4.13, 3.59, 2.81, 0.78, 0.28, 10.77],  # T
    ]
)
print("the columns add up to", matrix.sum(axis=0))
ppm = pfm_to_ppm(matrix.T)  # (6, 4): each row divided by its sum
print(consensus(ppm), f"{information(ppm).sum():.2f} bits")

# %%
logo_picture(ppm, title="the motif of the lectures")

# %% [markdown]
# The columns add up to 100, nearly: they are percentages, rounded. We divide by the sum, as the lectures do, and have a PPM. One number in it is 0: no site ends in G. (No pseudocount
# here. This matrix is not an estimate; in our small world it is the truth.)
#
# A **positive** sequence has 20 bases: 7 random ones, a site of 6 drawn from the PPM, 7 random ones. A **negative** is random throughout, all bases equally likely. The lectures
# draw 1,000 of each, position by position:

# %% tags=["seed:000-simulation", "seed:002-simulation"]
rng = np.random.default_rng(125)
uniform = np.full((7, 4), 0.25)
probabilities = np.vstack([uniform, ppm, uniform])  # (20, 4)

columns = [rng.choice(list("ACGT"), size=1000, p=p) for p in probabilities]  # one for each position
positives = np.array(columns).T  # (20, 1000) -> (1000, 20)
negatives = rng.choice(list("ACGT"), size=(1000, 20))
print("positives", positives.shape, " negatives", negatives.shape)
for row in positives[:4]:
    word = "".join(row)
    print(word[:7].lower() + word[7:13] + word[13:].lower())

# %% [markdown]
# (Lower case marks the bases around the site.) `simulate` of the package draws the same kind of set, and keeps the truth beside it.
# Its `codes` are the bases as numbers from 0 to 3; its `starts` list the sites of each sequence, with -1 for none:

# %% tags=["seed:000-simulation", "seed:000-shapes", "seed:002-shapes"]
data = simulate(ppm, positives=1000, negatives=1000, length=20, start=7, rng=rng)
print("codes:", data.codes.shape, " labels:", data.labels.shape, " one-hot:", data.one_hot.shape)
print("first positive:", data.sequences[0], " label", data.labels[0], " site at", data.starts[0])
print("last negative: ", data.sequences[-1], " label", data.labels[-1], " site at", data.starts[-1])

# %% [markdown]
# The array `(2000, 20, 4)` is what the lectures feed to their networks, and so shall we, in lesson 04. Their labels have two columns, one for each class; ours are one number, 1 for positive.
#
# The second of the two, an article, prints four of its positives. Look at them closely.

# %% tags=["M04", "seed:002-printed-positives"]
printed = ["AGTTCCAGCCGAAGCCCGAG", "TAGGAACCCGGAATGGGCAA", "TTCTGGACAGGAAGTCCAAA", "GTTGGTTCCTGAAGAGGTT"]
print("lengths:", [len(sequence) for sequence in printed])
try:
    one_hot(printed)
except SequenceError as error:
    print(error)

# %% [markdown]
# The last "20-mer" has 19 letters (mistake M04). Code that pads or cuts in silence would have gone on. Check lengths, always.

# %% [markdown] tags=["exercise:sample_site"]
# ### Exercise 1 · Draw a site
# ●●○ · 10 minutes · why it matters: every simulation, and every word that a language model writes, is drawn like this.
#
# A computer draws one kind of random number: *uniform* ones, anywhere from 0 up to 1, all equally likely. To draw a base
# from four probabilities, lay them end to end on a line from 0 to 1: A takes the first piece, then C, G and T. The uniform
# number falls into one of the pieces, and into a long one more often than into a short one.
#
# Here the uniform numbers are given to you, one for each position. So there is one right answer, and the check can compare
# with it. (In the lesson, `rng.random(6)` draws such numbers.)

# %% tags=["exercise:sample_site"]
def sample_site(ppm, uniform):
    """Turn one uniform number for each position into one site of a motif.

    ppm: an array of shape (width, 4); each row holds the probabilities of A, C, G, T and adds up to 1.
    uniform: an array of `width` numbers; each is at least 0 and less than 1.
    Returns: a string of `width` letters. At each position it is the first base, in the order A, C, G, T,
        for which the probabilities added up so far are greater than the number. For the rows
        [0.5, 0.25, 0.25, 0] and [0, 0.25, 0.25, 0.5] and the numbers 0.6 and 0.3 it is "CG".
    """
    ...

# %% tags=["exercise:sample_site"]
check.sample_site(sample_site)

# %% [markdown] tags=["exercise:sample_site"]
# <details><summary>Hint</summary>
#
# One position first: for `[0.5, 0.25, 0.25, 0]` the pieces end at 0.5, 0.75, 1 and 1. The number 0.6 is not below 0.5, but it
# is below 0.75, so the base is C. Keep a running total, and start it at 0 for each position. `zip(ppm, uniform)` gives a row
# and its number together.
#
# </details>
# <details><summary>Solution</summary>
#
# ```python
# def sample_site(ppm, uniform):
#     site = ""
#     for row, number in zip(ppm, uniform):
#         total = 0
#         for base, probability in zip("ACGT", row):
#             total += probability
#             if number < total:
#                 site += base
#                 break
#     return site
# ```
#
# </details>

# %% [markdown]
# ## 2 · The ceiling
#
# Some positives carry a poor site that looks like noise. Some negatives carry an intact `CCGGAA` by accident. No classifier, however large, can get these right. So what is the best that *any*
# classifier can do?
#
# We know how both classes are made. So compute how probable a sequence is as a positive, and how probable as a negative: its **likelihood** as each. Divide the
# first by the second, and you have the **likelihood ratio**. Above 1, say positive; below 1, say negative. With equally many of both, no rule can be right more
# often, because for every sequence this one says what is right more often. (No other score ranks better either: a theorem by Neyman and Pearson, 1933.)
#
# Outside of the site, both classes are random in the same way, and the ratio there is 1. Only the six bases at 7 to 12 count, and the logarithm of their ratio is a sum you know: the PWM score of that window.

# %% tags=["likelihood-ratio"]
pwm = ppm_to_pwm(ppm)  # (6, 4); -inf for the G that never ends a site
by_hand = np.array([scan(sequence, pwm)[0, 7] for sequence in data.sequences])  # plus strand, start 7
packaged = log_likelihood_ratio(data.codes, ppm, start=7)
print("the same:", np.allclose(by_hand, packaged, atol=1e-4))
right = (packaged > 0) == (data.labels == 1)
print(f"right in {right.mean():.2%} of these 2,000 sequences")

# %% [markdown]
# The picture shows why no rule can be perfect: the scores of the two classes overlap. (Sequences with a score of -inf, which cannot be positives, stand at -30.)

# %% tags=["likelihood-ratio"]
figure, axes = plt.subplots(figsize=(7, 2.4))
edges = np.arange(-31, 11)
for label, name, style in [(1, "positives", "-"), (0, "negatives", "--")]:
    shown = np.maximum(packaged[data.labels == label], -30)
    axes.stairs(np.histogram(shown, edges)[0], edges, label=name, linestyle=style, linewidth=1.8)
axes.axvline(0, color="#111111", linewidth=1)
axes.set(xlabel="log2 of the likelihood ratio (bits)", ylabel="sequences", yscale="log", ylim=(0.7, 1000))
_ = axes.legend()
missed, fooled = (packaged[data.labels == 1] <= 0).sum(), (packaged[data.labels == 0] > 0).sum()
picture_of(figure, f"Log-likelihood ratios of 1,000 positives and 1,000 negatives. {missed} positives lie "
           f"below 0 and {fooled} negatives above it: the errors of the best rule.")  # fmt: skip

# %% [markdown] tags=["exercise:ceiling_by_hand"]
# ### Exercise 2 · A ceiling by hand
# ●●○ · 10 minutes · why it matters: an accuracy of 72 percent is poor or as good as possible, and only the ceiling tells which.
#
# The smallest motif has one position. We know how often each base stands there in positives (`p`) and in negatives (`q`), and
# half of all sequences are positives. A classifier sees one base and must say "positive" or "negative". For each of the four
# bases it can make one of two calls; the best classifier makes the call that is right more often. What is its accuracy?

# %% tags=["exercise:ceiling_by_hand"]
def ceiling_of_one_position(p, q):
    """The best accuracy that any classifier can reach from one base, with as many positives as negatives.

    p: an array of the probabilities of A, C, G, T in positives; they add up to 1.
    q: the same for negatives.
    Returns: a number from 0.5 to 1; for [0.7, 0.1, 0.1, 0.1] and [0.25, 0.25, 0.25, 0.25] it is 0.725.
    """
    ...

# %% tags=["exercise:ceiling_by_hand"]
check.ceiling_by_hand(ceiling_of_one_position)

# %% [markdown] tags=["exercise:ceiling_by_hand"]
# <details><summary>Hint</summary>
#
# Take 1,000 positives and 1,000 negatives of the example. An A stands in 700 positives and 250 negatives: call it positive, and
# 700 calls are right. A C stands in 100 and 250: call it negative, and 250 are right; the same for G and T. In all, 700 + 3 × 250
# = 1,450 of 2,000 calls are right. `np.maximum(p, q)` compares two arrays number by number.
#
# </details>
# <details><summary>Solution</summary>
#
# ```python
# def ceiling_of_one_position(p, q):
#     return np.maximum(p, q).sum() / 2
# ```
#
# A motif of six positions has 4,096 words in place of four bases, and nothing else changes.
#
# </details>

# %% [markdown]
# On 2,000 sequences the result depends on the draw. But there are only 4,096 words of six letters, so we can do without a draw: for each word, we know how often a positive has it, and how
# often a negative.
#
# > **Predict first.** The network of the first lecture reached 97.75 percent on its test set of 400 (that our draw gave the same figure is chance). How much better could the best classifier be?

# %% tags=["ceiling-fixed"]
all_words = list(itertools.product(range(4), repeat=6))  # as columns: 0 is A, 1 is C, ...
p_positive = np.array([np.prod([ppm[i, base] for i, base in enumerate(word)]) for word in all_words])
p_negative = np.full(len(all_words), 0.25**6)
accuracy = np.maximum(p_positive, p_negative).sum() / 2
print(f"best accuracy, by hand: {accuracy:.5f}")

best = ceiling(ppm, length=20, start=7)
print(f"the package: accuracy {best.accuracy:.5f}, AUC {best.auc:.5f}")
spread = np.sqrt(best.accuracy * (1 - best.accuracy) / 400)
print(f"the best classifier on a test set of 400: {best.accuracy:.1%} ± {spread:.1%}")

# %% [markdown]
# At most 97.90 percent: each word adds the larger of its two probabilities, and the half comes from the two classes being equally frequent. (The AUC is the chance that a random positive gets a higher score than a random
# negative; lesson 05 is about it.)
#
# The last line is the luck of a test set: on 400 sequences even the best classifier is typically 0.7 percent off. So 97.75 percent cannot be told from the best. Nor can it be told from a network that is one percent worse; for that it takes more
# test sequences, and with a simulation you can have as many as you like. Without the ceiling, you might spend a week on the missing 2 percent.

# %% [markdown]
# ## 3 · The place is unknown
#
# In real data nobody tells you where the site is. Let it start anywhere from 0 to 14.
#
# > **Predict first.** By how much will the ceiling fall: from 97.9 percent to 97, to 91, or to 75?
#
# A positive's likelihood is now the mean over the 15 places where its site may start; a negative's is what it was. So the likelihood ratio is the *mean of the 15 ratios*, one for each window.

# %% [markdown] tags=["exercise:best_rule"]
# ### Exercise 3 · The best rule when nobody knows the place
# ●●○ · 10 minutes · why it matters: the maximum over all windows is the usual answer, for networks too (lesson 04); the best one is close to it and not the same.
#
# The motif stands at one of several starts, all equally likely, and we do not know at which. For each start we have a
# score: log2 of how many times more probable the sequence is with the site *there* than without a site. Put them together: log2 of
# how many times more probable it is with the site *somewhere*. That probability is the mean of the probabilities for each start.
#
# A start can have the score -inf: a site there is impossible, since it would need a base of probability 0. In Python that is
# `-np.inf`, and `2.0 ** -np.inf` is 0, as it should be.

# %% tags=["exercise:best_rule"]
def ratio_over_starts(scores):
    """The log-likelihood ratio, in bits, of one site at an unknown start.

    scores: an array with one number for each start, in bits; some or all may be -inf.
    Returns: log2 of the mean of 2**score over all starts; -inf if all scores are -inf. For [1, 3] it is
        2.3219, the log2 of 5, which is the mean of 2 and 8.
    """
    ...

# %% tags=["exercise:best_rule"]
check.best_rule(ratio_over_starts)

# %% [markdown] tags=["exercise:best_rule"]
# <details><summary>Hint</summary>
#
# Three steps: from bits to ratios (`2.0**scores` does the whole array), the mean, and back to bits with `np.log2`. The logarithm of 0 is
# -inf; numpy says so with a warning, so ask first whether the mean is above 0.
#
# </details>
# <details><summary>Solution</summary>
#
# ```python
# def ratio_over_starts(scores):
#     mean_ratio = np.mean(2.0**scores)
#     if mean_ratio == 0:
#         return -np.inf
#     return np.log2(mean_ratio)
# ```
#
# </details>

# %% tags=["ceiling-unknown-place"]
anywhere = simulate(ppm, positives=1000, negatives=1000, length=20, start=None, rng=rng)
scores = np.array([scan(sequence, pwm)[0] for sequence in anywhere.sequences])  # (2000, 15) bits
by_hand = np.log2(np.mean(2.0**scores, axis=1))
packaged = log_likelihood_ratio(anywhere.codes, ppm)
print("the same:", np.allclose(by_hand, packaged, atol=1e-3))

best = ceiling(ppm, length=20, start=None, rng=rng)
print(f"accuracy {best.accuracy:.2%} (standard error {best.accuracy_se:.2%})")
print(f"AUC      {best.auc:.4f} (standard error {best.auc_se:.4f}), from {best.sample:,} sequences")

# %% [markdown]
# Between 91.4 and 91.5 percent. There are too many words of 20 letters to list (a million million), so this ceiling is a mean over a large sample. Its **standard error** says how far off it typically is; one sample in twenty is off by more than twice that.
#
# Where did the 6 percent go? Fifteen windows are fifteen chances for a negative to hold something like a site. The fixed place was what made the lectures' task easy. A network can learn the place by heart, and is then
# right more often than any rule that does not know it (mistake M08; lesson 04 shows it).
#
# Many take the highest window score instead of the mean of the ratios. How much does it cost? And where do you draw the line?

# %% tags=["ceiling-unknown-place"]
many = simulate(ppm, positives=20_000, negatives=20_000, length=20, start=None, rng=rng)
highest = np.array([scan(sequence, pwm)[0].max() for sequence in many.sequences])
log_ratio = log_likelihood_ratio(many.codes, ppm, start=None)
for name, called in [
    ("mean of the ratios above 1", log_ratio > 0),
    ("highest score above log2(15) bits", highest > np.log2(15)),
    ("highest score above 0 bits", highest > 0),
]:
    print(f"{name:33}  right in {(called == many.labels).mean():.1%}")

# %% [markdown]
# The highest score is nearly as good, with the right threshold: the mean of 15 ratios passes 1 for certain once one of them passes 15. With the threshold of a known place, 0 bits, seven calls in a hundred more are wrong.

# %% [markdown]
# And on either strand, as in real life, there are 30 chances to be fooled:

# %% tags=["ceiling-strands"]
for strand in ("+", "either"):
    for start in (7, None):
        best = ceiling(ppm, length=20, start=start, strand=strand, rng=np.random.default_rng(3))
        place = "at 7" if start else "anywhere"
        print(f"strand {strand:6}  {place:8}  accuracy {best.accuracy:.1%}, AUC {best.auc:.3f}")

# %% [markdown]
# ## 4 · What the negatives give away
#
# So far, positives and negatives had the same background. In real data sets they often do not, and a classifier takes whatever it is given.
#
# The primer on deep learning (Zou and colleagues, 2019), of which lesson 01 showed the first sequence, comes with 2,000 simulated sequences of 50 bases. Its positives carry `CGACCGAACTCC`, rich in C and poor in T; its negatives are uniform. Forget
# the motif. Count the bases of each sequence, and let a logistic regression guess from these four numbers alone.

# %%
def composition_auc(sequences, labels):
    """AUC of a logistic regression on base counts, each fifth predicted from the other four."""
    counts = one_hot(sequences).sum(axis=1)  # (N, 4)
    model = LogisticRegression(max_iter=1000)
    chances = cross_val_predict(model, counts, labels, cv=5, method="predict_proba")
    return roc_auc_score(labels, chances[:, 1])  # column 1: the probability of label 1


# %% tags=["needs-data:primer", "M34"]
label_file, sequence_file = fetch("primer")
primer = sequence_file.read_text().split()
primer_labels = np.array(label_file.read_text().split(), dtype=int)
base_counts = one_hot(primer).sum(axis=1)  # (2000, 4): how many A, C, G, T; no order left

for label, name in [(1, "positives"), (0, "negatives")]:
    shares = base_counts[primer_labels == label].mean(axis=0) / 50
    print(f"{name}: A, C, G, T", np.round(shares, 3))
c_minus_t = base_counts[:, 1] - base_counts[:, 3]
print(f"AUC of the number of C minus the number of T: {roc_auc_score(primer_labels, c_minus_t):.2f}")
print(f"AUC of a regression on all four numbers:      {composition_auc(primer, primer_labels):.2f}")
with_motif = np.array(["CGACCGAACTCC" in sequence for sequence in primer])
print(f"the motif as a rule: right in {(with_motif == primer_labels).mean():.0%}")

# %% [markdown]
# AUC 0.79 and 0.80, and neither score has looked at the order of the bases: uniform random negatives give that much away (mistake M34). (The ceiling of this set is 100 percent: look for the one word.) A network trained on such
# data may learn to count C. It will report a fine result, and fail on the first sequence that is rich in C and carries no motif.
#
# The set of the two Korean lectures has the same leak, only smaller, because the composition of its motif is less extreme. `simulate` can make negatives in several ways. Ask for each, with
# the place unknown: what does composition give away, and where is the ceiling?

# %% tags=["M34", "negatives"]
kinds = {
    "background": "fresh random sequences",
    "gc": "fresh, with the GC content of the positives",
    "shuffled": "each a positive with its bases shuffled",
}
for against, name in kinds.items():
    rng = np.random.default_rng(4)
    leaky = simulate(ppm, positives=2000, negatives=2000, start=None, against=against, rng=rng)
    leak = composition_auc(leaky.sequences, leaky.labels)
    best = ceiling(ppm, start=None, against=against, rng=rng)
    print(f"{name:43}  composition AUC {leak:.2f}, ceiling {best.accuracy:.1%}")
shares = leaky.one_hot[leaky.labels == 1].mean(axis=(0, 1))
print("bases of the positives: A, C, G, T", np.round(shares, 3))

# %% [markdown]
# Matching the GC content is not enough: the positives have more A and G and fewer T than chance, and GC content does not see the difference between A and T. Shuffled negatives have exactly the composition of the positives, so that gives
# away nothing (AUC 0.5), and the ceiling falls by nearly two percent.
#
# Two warnings. A shuffled negative has the same letters as its positive, so keep the two on the same side when you split into training and test set (lesson 00), or a model may recognise the partner. And in a short
# sequence, a shuffle can leave a site standing, or make a new one.

# %% [markdown] tags=["exercise:match_gc"]
# ### Exercise 4 · A background with the same GC content
# ●○○ · 5 minutes · why it matters: if positives are richer in G and C than negatives, a network can learn that and nothing else.
#
# Fresh negatives are drawn from four probabilities. Compute the ones that give them the GC content of your positives. DNA has
# two strands, and which of them was written down is chance; so let A be as probable as T, and C as G.

# %% tags=["exercise:match_gc"]
def match_gc(sequences):
    """Four background probabilities with the GC content of some sequences.

    sequences: a list of strings of A, C, G, T, of any lengths.
    Returns: an array of four probabilities in the order A, C, G, T that add up to 1; A has the one of T and
        C has the one of G. G and C together have the share that they have among all bases of all
        sequences. For ["GGCA", "AAAT", "TA"] it is [0.35, 0.15, 0.15, 0.35].
    """
    ...

# %% tags=["exercise:match_gc"]
check.match_gc(match_gc)

# %% [markdown] tags=["exercise:match_gc"]
# <details><summary>Hint</summary>
#
# `"".join(sequences)` is all bases in a row, and a string can count a letter. In the example 3 of 10 bases are G or C: a share
# of 0.3, which two bases divide between them.
#
# </details>
# <details><summary>Solution</summary>
#
# ```python
# def match_gc(sequences):
#     bases = "".join(sequences)
#     gc = (bases.count("G") + bases.count("C")) / len(bases)
#     return np.array([1 - gc, gc, gc, 1 - gc]) / 2
# ```
#
# </details>

# %% [markdown]
# ## 5 · Shuffling pairs
#
# Real DNA is more than its composition. In the human genome, C is rarely followed by G: the C of a `CG`, called a CpG, is usually methylated, and methylated C easily mutates to T. In the promoters of many genes, where it is not methylated, the pair is less rare (Bird, 1986). A negative whose bases are
# shuffled one by one loses this, and a network can notice.
#
# > **Predict first.** In the promoter region of *GATA4*, a quarter of all bases is C and a quarter is G, more or less. How often is a C followed by a G?

# %% tags=["dinucleotides"]
[promoter] = read_fasta(shipped("gata4_promoter.fa"))
following = transitions_of([promoter.sequence])  # (4, 4): row the base before, column the next
print("        next is A     C     G     T")
for base, row in zip("ACGT", following):
    print(f"after {base}:      " + "  ".join(f"{share:.2f}" for share in row))
share_of_g = promoter.sequence.count("G") / len(promoter.sequence)
print(f"share of G among all bases: {share_of_g:.2f}")

# %% [markdown]
# More than a quarter of all bases is G, but after a C it is one of six. We want negatives that keep every pair of neighbours, every **dinucleotide**: as many `CG` as before, as many `AA` as before. First of all, write the test that tells whether somebody succeeded.

# %% [markdown] tags=["exercise:same_dinucleotides"]
# ### Exercise 5 · What the shuffle keeps
# ●●○ · 10 minutes · why it matters: a shuffle that promises to keep something should be tested, and this is the test.
#
# Write the test for a dinucleotide shuffle: do two sequences hold each of the 16 dinucleotides equally often? Dinucleotides
# overlap: `ACGA` holds AC, CG and GA, one for each base but the last.

# %% tags=["exercise:same_dinucleotides"]
def same_dinucleotides(sequence, other):
    """Whether two sequences have the same length and the same count of each dinucleotide.

    sequence, other: strings of at least two letters A, C, G, T.
    Returns: True or False. "ACGATA" and "ATACGA" give True: both hold AC, CG, GA, AT and TA once. "AACC" and
        "ACAC" give False.
    """
    ...

# %% tags=["exercise:same_dinucleotides"]
check.same_dinucleotides(same_dinucleotides)

# %% [markdown] tags=["exercise:same_dinucleotides"]
# <details><summary>Hint</summary>
#
# `sequence[i : i + 2]` is the dinucleotide that begins at position `i`. Make a list of them, one for each `i` but the last. Two
# lists hold the same things equally often if they are equal after `sorted(...)`.
#
# </details>
# <details><summary>Solution</summary>
#
# ```python
# def same_dinucleotides(sequence, other):
#     pairs = [sequence[i : i + 2] for i in range(len(sequence) - 1)]
#     other_pairs = [other[i : i + 2] for i in range(len(other) - 1)]
#     return sorted(pairs) == sorted(other_pairs)
# ```
#
# Lists of different lengths are never equal, so the lengths need no test of their own.
#
# </details>

# %% [markdown]
# A first idea: cut the sequence into pairs and shuffle these. Try it.

# %% tags=["dinucleotides"]
def count_pairs(sequence):
    """How often each of the 16 dinucleotides occurs, overlapping ones included: (4, 4)."""
    counts = np.zeros((4, 4), dtype=int)
    for first, second in zip(sequence, sequence[1:]):
        counts["ACGT".index(first), "ACGT".index(second)] += 1
    return counts


rng = np.random.default_rng(5)
sequence = promoter.sequence[:40]
pairs = [sequence[i : i + 2] for i in range(0, 40, 2)]
cut_up = "".join(rng.permutation(pairs))
print(sequence)
print(cut_up)
print("pairs whose count changed:", (count_pairs(sequence) != count_pairs(cut_up)).sum(), "of 16")

# %% [markdown]
# The pairs that were cut are kept, and the pairs *between* them are new. A true dinucleotide shuffle sees the sequence as a walk: four towns A, C, G, T, and each pair is a one-way street from one to the next. A
# shuffle that keeps all pairs is another walk that uses every street exactly once, from the same start to the same end. Altschul and Erickson (1985) found how to draw one of all such walks, each with the same
# chance: choose at random, for each town but the end, the street by which it is left for the *last* time, so that these last streets lead to the end; all other streets may be taken in any order.

# %% tags=["dinucleotides"]
shuffled = shuffle_dinucleotides([sequence] * 5, rng)
print(sequence)
for other in shuffled:
    print(other, " pairs whose count changed:", (count_pairs(sequence) != count_pairs(other)).sum())

# %% [markdown]
# Look at the ends: they never change. In a walk from A to T, town A is left once more than it is entered, so the walk must begin there. (Where the first letter is also the last, the shuffle keeps it, too.)
#
# How many such walks are there? For a short sequence we can list them all, and count how often the shuffle draws each.

# %% tags=["uniform-shuffle"]
short = "GATTACAGA"
orders = {"G" + "".join(middle) + "A" for middle in itertools.permutations(short[1:-1])}
reachable = [word for word in orders if np.array_equal(count_pairs(word), count_pairs(short))]
drawn = list(shuffle_dinucleotides([short] * 6000, rng))
print(f"{len(orders)} orders of the inner letters; {len(reachable)} have the pairs of {short}. 6,000 draws:")
for word in sorted(reachable):
    print(word, drawn.count(word))

# %% [markdown]
# Six sequences, each about a thousand times.
#
# `simulate` makes such negatives with `against="dinucleotides"`. For their ceiling, the package only knows a lower bound: what a good rule reaches that we can compute. (A formula by
# Whittle, 1955, which counts the walks, gives the ceiling itself; it takes too long for a lesson.) How many of these negatives still hold an intact `CCGGAA`?

# %% tags=["dinucleotide-negatives"]
for against in ("background", "dinucleotides"):
    rng = np.random.default_rng(4)
    kind = simulate(ppm, positives=20_000, negatives=20_000, start=None, against=against, rng=rng)
    intact = np.mean(["CCGGAA" in sequence for sequence in kind.sequences[20_000:]])
    print(f"{against:13}  CCGGAA in {intact:.2%} of the negatives")
bound = lower_bound(ppm, start=None, against="dinucleotides", rng=rng)
print(f"accuracy of a good rule against dinucleotide shuffles: {bound.accuracy:.1%}")

# %% [markdown]
# Several times as many as in fresh negatives. In 20 bases with a motif of 6, a shuffle that keeps all pairs has little freedom, and part of what makes this task hard is motifs that are called negatives. In real
# peaks of 100 bases and more, there is more room.

# %% [markdown]
# ### Back to the hits of lesson 02
#
# In lesson 02 we compared the hits of a motif with "chance": random letters in the right proportions. Such a picture of chance is a **null model**. Now we have a better one: the same region with its pairs kept and everything else
# shuffled. Scan twenty such regions with the threshold for p = 0.0001.
#
# > **Predict first.** SP1 likes GC-rich words. Will it have more hits in dinucleotide-shuffled DNA than the p-value says, or as many?

# %% tags=["null-model"]
rng = np.random.default_rng(8)
shuffles = shuffle_dinucleotides([promoter.sequence] * 20, rng)
background = background_of(promoter.sequence)
print("motif    found   independent letters   pairs kept (mean, most of 20)")
for motif in read_motifs(shipped("jaspar_motifs.txt")):
    if motif.name in ("GATA4", "MEF2C", "SP1", "GABPA"):
        weights = rounded(ppm_to_pwm(pfm_to_ppm(motif.pfm, pseudocount=0.5), background))
        chance = score_distribution(weights, background)
        threshold = chance.threshold(1e-4)
        hits, *others = [  # the first number, and a list of the other twenty
            len(find_hits(scan(sequence, weights), threshold).start)
            for sequence in [promoter.sequence, *shuffles]
        ]
        expected = chance.p_value(threshold) * 2 * (len(promoter.sequence) - len(weights) + 1)
        print(f"{motif.name:7}  {hits:5}   {expected:19.1f}   {np.mean(others):10.1f}, {max(others)}")

# %% [markdown]
# With the pairs kept, SP1 gets more than twice as many hits by chance: its word is made of pairs that are common here. GABPA's 6 hits, twice what independent letters give, are what pairs alone give. SP1 and MEF2C keep a
# surplus that none of the twenty shuffles reaches. Even that is no proof of sites: one shuffle of 16,384 bases also mixes its GC-rich and its AT-rich parts. A p-value is as good as the null model behind it.

# %% [markdown]
# ## 6 · Closer to nature
#
# Four more choices make the sequences more real. Each has its own ceiling.
#
# **A background that remembers.** Instead of four probabilities, give `simulate` the table above: each base is drawn given the one before it. This is a **Markov chain**.

# %% tags=["closer-to-nature"]
rng = np.random.default_rng(6)
natural = simulate(ppm, positives=1000, negatives=1000, length=100, background=following, rng=rng)
print("pairs CG for each 100 bases, negatives:", end=" ")
print(np.mean([100 * count_pairs(sequence)[1, 2] / 99 for sequence in natural.sequences[1000:]]).round(1))
print("in the promoter:", round(100 * count_pairs(promoter.sequence)[1, 2] / (len(promoter.sequence) - 1), 1))
best = ceiling(ppm, length=100, background=following, rng=rng)
print(f"ceiling in 100 bases: {best.accuracy:.1%} (standard error {best.accuracy_se:.2%})")

# %% [markdown]
# **Length.** In 100 bases the ceiling is far lower than in 20: the more windows, the more accidents. The same motif, in longer and longer sequences:

# %% tags=["closer-to-nature", "ceiling-by-length"]
lengths = [6, 10, 20, 50, 100, 200, 500]
limits = [ceiling(ppm, length=length, sample=20_000, rng=rng) for length in lengths]
for length, limit in zip(lengths, limits):
    print(f"{length:4} bases: accuracy {limit.accuracy:.2f}, AUC {limit.auc:.2f}")

figure, axes = plt.subplots(figsize=(6, 2.8))
axes.plot(lengths, [limit.accuracy for limit in limits], "o-", label="accuracy")
axes.plot(lengths, [limit.auc for limit in limits], "s--", label="AUC")
axes.axhline(0.5, color="#5c5c5c", linewidth=1, label="guessing")
axes.set(xlabel="length (bp)", ylabel="ceiling", xscale="log", ylim=(0.45, 1.02))
_ = axes.legend()
said = ", ".join(f"{length} bp {limit.accuracy:.2f}" for length, limit in zip(lengths, limits))
picture_of(figure, f"The ceiling falls as sequences get longer. Accuracy: {said}.")

# %% [markdown]
# In 500 random bases with one site or none, nobody gets more than 7 of 10 right by this motif of 8 bits. If a network does better on long real sequences with such a motif, it uses more than this one site.
#
# **Partners.** Factors often bind in pairs, at a certain distance. Our second motif is that of AP-1, `TGASTCA`. How much does the pair help, and how much of that is the rule of distance?

# %% tags=["closer-to-nature"]
partner = pfm_to_ppm(pfm_from_sites(["TGACTCA", "TGAGTCA"]), pseudocount=0.1)
for name, motifs, rule in [
    ("CCGGAA alone", ppm, {}),
    ("its partner alone", partner, {}),
    ("both, 0 to 60 bases apart", [ppm, partner], {"gap": (0, 60)}),
    ("both, 2 to 6 bases apart", [ppm, partner], {"gap": (2, 6)}),
    ("the same, in either order", [ppm, partner], {"gap": (2, 6), "order": "free"}),
]:
    best = ceiling(motifs, length=100, sample=20_000, rng=rng, **rule)  # rule: more arguments, by name
    print(f"{name:26} ceiling {best.accuracy:.1%}, AUC {best.auc:.3f}")

# %% [markdown]
# Three such positives, with the sites in capital letters:

# %% tags=["closer-to-nature"]
pair = simulate([ppm, partner], positives=3, negatives=0, length=40, gap=(2, 6), rng=rng)
for sequence, (first, second) in zip(pair.sequences, pair.starts):
    print(sequence[:first].lower() + sequence[first : first + 6] + sequence[first + 6 : second].lower()
          + sequence[second : second + 7] + sequence[second + 7 :].lower())  # fmt: skip

# %% [markdown]
# Most of the gain is the second motif; knowing the distance adds a few percent, and knowing the order one. Whether a network learns such a rule you can test here, because you know what it is worth.
#
# **Wrong labels.** An experiment misses bound sites and reports unbound ones. If a share of the labels is flipped, even the best rule is wrong there:

# %% tags=["label-noise"]
for noise in (0, 0.05, 0.1, 0.2):
    best = ceiling(ppm, length=20, start=7, label_noise=noise)
    print(f"{noise:4.0%} of labels flipped: accuracy {best.accuracy:.2%}, AUC {best.auc:.3f}")

noisy = simulate(ppm, positives=1000, negatives=1000, start=7, label_noise=0.1, rng=rng)
print("labels that differ from the truth:", (noisy.labels != noisy.truth).sum(), "of", len(noisy.labels))

# %% [markdown]
# With 10 percent of wrong labels in the test set, the best possible accuracy on this test set is 88 percent, although the rule behind it is as good as before. So two experiments that agree in 90 percent of the cases set a limit, too. If they err independently and equally often, each is
# right in 94.7 percent (0.947² + 0.053² is 0.90), and so a *perfect* network agrees with either of them in 94.7 percent: more often than they agree with each other.

# %% [markdown]
# ## 7 · Explore
#
# Make the motif weaker and watch the ceiling. Let it move, and stand on either strand. Change the GC content of the background, with each kind of negatives, and compare the bars of the positives and the negatives: every difference that you can see, a
# classifier can use.
#
# Three things to try: find a setting in which the counts of A, C, G, T alone reach an AUC above 0.85; leave everything as it is and find the negatives that take this to 0.5, and see what it does to the ceiling; find out what percentage of wrong labels costs
# as much accuracy as an unknown place.
#
# <details><summary>Answers</summary>
#
# A strong motif anywhere in a background of 20 percent GC, with fresh negatives; the shuffled ones; about 7 percent.
#
# </details>

# %% tags=["explorer"]
simulation_explorer()

# %% [markdown]
# ## 8 · What a simulation can teach, and what it cannot
#
# It can tell you whether your code works: plant a rule and see whether it is found. It can tell you how far below the ceiling a model is, how much data a task needs, and which leak a kind of negatives leaves open. It gives
# the truth about every site, which no experiment does.
#
# It cannot tell you how nature does it. Everything you find in simulated data was put there by you. A sequence of ours is positive because we planted a site in it, whatever word came out: each position by itself, with no neighbours, no
# nucleosomes, no evolution. A model that reaches the ceiling here has shown that it can learn *this*. Real binding sites follow in lesson 06.

# %% [markdown]
# ## Common mistakes
#
# - **A sequence of another length** (M04). A printed 20-mer has 19 letters. Check before you stack.
# - **Uniform negatives for a motif with a composition of its own** (M34). Composition alone reaches AUC 0.8 on a published teaching set. Shuffle the positives instead.
# - **A permutation of cut pairs taken for a dinucleotide shuffle.** The pairs across the cuts change. Count all overlapping pairs.
# - **Believing that GC-matched is matched.** A and T may still differ, C and G too, and every pair.
# - **No ceiling.** 91 percent can be the best there is, and 97 percent a leak.
# - **A ceiling for other data.** It belongs to one way of making positives and negatives, one length, one share of wrong labels.
# - **A result above the ceiling celebrated.** If it is more than the luck of the test set, look for the leak: the same sequence in training and test, a place that is always the same.
#
# ## Recap
#
# A simulated positive is background with a site from a PPM planted in it. The likelihood ratio of the two ways of making sequences is the best classifier there is; what it reaches is the ceiling: 97.90 percent where the place is known,
# about 91.4 where it is not. Negatives decide what can be learned: fresh ones leak composition, shuffled ones leak pairs, and dinucleotide-shuffled ones
# in short sequences keep motifs. The ceilings here are for equally many positives and negatives; lesson 05 shows what changes when positives are rare.
#
# ## Further reading
#
# - J. Neyman, E. S. Pearson. On the problem of the most efficient tests of statistical hypotheses. *Philosophical Transactions of the Royal Society A* 231, 289-337 (1933).
# - S. F. Altschul, B. W. Erickson. Significance of nucleotide sequence alignments: a method for random sequence permutation that preserves dinucleotide and codon usage. *Molecular Biology and Evolution* 2, 526-538 (1985).
# - P. Whittle. Some distribution and moment formulae for the Markov chain. *Journal of the Royal Statistical Society B* 17, 235-242 (1955).
# - J. Zou et al. A primer on deep learning in genomics. *Nature Genetics* 51, 12-18 (2019).
# - A. P. Bird. CpG-rich islands and the function of DNA methylation. *Nature* 321, 209-213 (1986).
#
# **Next:** [04 · A CNN classifier](04_cnn_classifier.ipynb), which trains the networks of the two lectures on these sequences, and watches them approach the ceiling.
