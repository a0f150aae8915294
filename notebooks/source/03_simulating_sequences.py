# %% [markdown]
# {{ header }}

# %% [markdown]
# ## Why this matters
#
# You train a network on real data, and it is right in 91 percent of the cases. Is that good? Nobody knows: nobody can say how much of the answer stands
# in the sequence at all. With data that you made yourself, you can. You know which sequences carry the motif and where, and you can compute the score of the
# **best classifier that could exist**. We call it the **ceiling**. A network far below it has something to learn; a network above it has found
# a leak in your data.
#
# A simulation also shows you how data lie. Two source lectures make their positives with a motif and their negatives without, and in between hide
# differences that nobody planted on purpose. You will measure them.

# %% [markdown]
# ## What you will be able to do
#
# - **simulate** labelled sequences with a motif at a known place, at an unknown place, on either strand, with partners and with wrong labels;
# - **compute** the ceiling: the best accuracy and AUC that any classifier can reach on such data;
# - **show** what composition alone gives away, and **match** the negatives to the positives;
# - **shuffle** a sequence so that every dinucleotide count stays the same;
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
from course_utils.ceilings import ceiling, log_likelihood_ratio, lower_bound
from course_utils.datasets import fetch, shipped
from course_utils.exercises import lesson_03 as check
from course_utils.explorers.simulation import simulation_explorer
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
# A **positive** sequence has 20 bases: 7 random ones, a site of 6 drawn from the PPM, 7 random ones. A **negative** is random throughout. The lectures draw 1,000 of each,
# position by position:

# %% tags=["seed:000-simulation", "seed:002-simulation"]
rng = np.random.default_rng(125)
uniform = np.full((7, 4), 0.25)
probabilities = np.vstack([uniform, ppm, uniform])  # (20, 4)

positives = np.array([rng.choice(list("ACGT"), size=1000, p=p) for p in probabilities]).T
negatives = rng.choice(list("ACGT"), size=(1000, 20))
print("positives", positives.shape, " negatives", negatives.shape)
for row in positives[:4]:
    word = "".join(row)
    print(word[:7].lower() + word[7:13] + word[13:].lower())

# %% [markdown]
# (The bases around the site are written in lower case here to make it visible.) `simulate` of the package draws the same kind of set, and keeps the truth beside it:

# %% tags=["seed:000-simulation", "seed:000-shapes", "seed:002-shapes"]
data = simulate(ppm, positives=1000, negatives=1000, length=20, start=7, rng=rng)
print("codes:", data.codes.shape, " labels:", data.labels.shape, " one-hot:", data.one_hot.shape)
print("first positive:", data.sequences[0], " label", data.labels[0], " site at", data.starts[0])
print("last negative: ", data.sequences[-1], " label", data.labels[-1], " site at", data.starts[-1])

# %% [markdown]
# The array `(2000, 20, 4)` is what the lectures feed to their networks, and so shall we, in lesson 04. Their labels have two columns, one for each class; ours are one number, 1 for positive.
#
# The Korean article prints four of its positives. Look at them closely.

# %% tags=["M04", "seed:002-printed-positives"]
printed = ["AGTTCCAGCCGAAGCCCGAG", "TAGGAACCCGGAATGGGCAA", "TTCTGGACAGGAAGTCCAAA", "GTTGGTTCCTGAAGAGGTT"]
print("lengths:", [len(sequence) for sequence in printed])
try:
    one_hot(printed)
except SequenceError as error:
    print(error)

# %% [markdown]
# The last "20-mer" has 19 letters (mistake M04; most likely one was lost in typesetting). Code that pads or cuts in silence would have gone on. Check lengths, always.

# %% [markdown] tags=["exercise:sample_site"]
# ### Exercise 1 · Draw a site
# ●●○ · 10 minutes · why it matters: every simulation, every random sequence and every sampled token of a language model is drawn like this.
#
# A computer draws one kind of random number: **uniform** ones, anywhere from 0 up to 1, all equally likely. To draw a base
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
# Some positives carry a poor site that looks like noise. Some negatives carry a perfect `CCGGAA` by accident. No classifier, however large, can get these right. So what is the best that *any*
# classifier can do?
#
# We know how both classes are made. For a sequence, compute how likely each of the two would make it, and take the ratio: the **likelihood ratio**. If it is
# above 1, a positive is more likely; say so. Below 1, say negative. With equally many of both, **no rule can be right more often**: whatever it answers, at each
# sequence the chance to be right is at most that of the more likely class (this is the Bayes classifier).
#
# Outside of the site, both classes are random in the same way, and the ratio there is 1. So only the six bases at 7 to 12 count, and the logarithm of the ratio is a sum you know: **the PWM score of that window.**

# %% tags=["likelihood-ratio"]
pwm = ppm_to_pwm(ppm)  # (6, 4); -inf for the G that never ends a site
by_hand = np.array([scan(sequence, pwm)[0, 7] for sequence in data.sequences])
packaged = log_likelihood_ratio(data.codes, ppm, start=7)
print("the same:", np.allclose(by_hand, packaged, atol=1e-4))
right = (packaged > 0) == (data.labels == 1)
print(f"right in {right.mean():.2%} of these 2,000 sequences")

# %% [markdown]
# On 2,000 sequences the result depends on the draw. But there are only 4,096 words of six letters, so we can do without a draw: for each word, we know how often a positive has it, and how
# often a negative.
#
# > **Predict first.** The seed's CNN reached 97.75 percent on its test set. How much better could a perfect classifier be?

# %% tags=["ceiling-fixed"]
words = list(itertools.product(range(4), repeat=6))
p_positive = np.array([np.prod([ppm[i, base] for i, base in enumerate(word)]) for word in words])
p_negative = np.full(len(words), 0.25**6)
accuracy = np.maximum(p_positive, p_negative).sum() / 2
print(f"best accuracy, by hand: {accuracy:.5f}")

best = ceiling(ppm, length=20, start=7)
print(f"the package: accuracy {best.accuracy:.5f}, AUC {best.auc:.5f}")

# %% [markdown]
# At most **97.90 percent**, exactly. (The **AUC** is the chance that a random positive gets a higher score than a random negative; lesson 05 is about it.) So the network of the lecture was as good as possible, up to the luck
# of its test set of 400. Without the ceiling, you might have spent a week on the missing 2 percent.
#
# Each word adds the larger of its two probabilities, and the half comes from the two classes being equally frequent. That is all there is to it.

# %% [markdown] tags=["exercise:ceiling_by_hand"]
# ### Exercise 4 · A ceiling by hand
# ●●○ · 10 minutes · why it matters: an accuracy of 72 % is poor or perfect, and only the ceiling tells which.
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
# ## 3 · The place is unknown
#
# In real data nobody tells you where the site is. Let it start anywhere from 0 to 14.
#
# > **Predict first.** By how much will the ceiling fall: from 97.9 percent to 97, to 91, or to 75?
#
# The likelihood of a positive is now the average over the 15 places it may have been planted at. So the likelihood ratio is the **mean of the 15 ratios**, one for each window.

# %% tags=["ceiling-unknown-place"]
anywhere = simulate(ppm, positives=1000, negatives=1000, length=20, start=None, rng=rng)
scores = np.array([scan(sequence, pwm)[0] for sequence in anywhere.sequences])  # (2000, 15) bits
by_hand = np.log2(np.mean(2.0**scores, axis=1))
packaged = log_likelihood_ratio(anywhere.codes, ppm)
print("the same:", np.allclose(by_hand, packaged, atol=1e-3))

best = ceiling(ppm, length=20, rng=rng)
print(f"accuracy {best.accuracy:.2%} (standard error {best.accuracy_se:.2%})")
print(f"AUC      {best.auc:.4f} (standard error {best.auc_se:.4f}), from {best.sample:,} sequences")

# %% [markdown]
# About 91.5 percent. There are too many words of 20 letters to list (a million million), so this ceiling is an average over a large sample, and we print its **standard error**: how far it may be off.
#
# Where did the 6 percent go? Fifteen windows are fifteen chances for a negative to hold something like a site. **The fixed place was what made the lectures' task easy.** A network with a dense layer after its filters learns the place by heart, and
# scores higher than any rule that does not know it (mistake M08; lesson 04 shows it).
#
# Most people would take the highest window score instead of the mean of the ratios. It costs next to nothing here:

# %% tags=["ceiling-unknown-place"]
many = simulate(ppm, positives=100_000, negatives=100_000, length=20, start=None, rng=rng)
ratio = log_likelihood_ratio(many.codes, ppm)
print(f"mean of the ratios above 1: right in {((ratio > 0) == many.labels).mean():.2%}")

# %% [markdown] tags=["exercise:best_rule"]
# ### Exercise 5 · The best rule when nobody knows the place
# ●●● · 15 minutes · why it matters: the maximum over all windows is the usual answer, for networks too (max-pooling); the best one is close to it and not the same.
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
# The article "A primer on deep learning in genomics" (Zou and colleagues, 2019) comes with 2,000 simulated sequences of 50 bases. Its positives carry a motif rich in C and G, its negatives are uniform. Forget
# the motif. Count the bases of each sequence, and let a logistic regression guess from these four numbers alone.

# %%
def composition_auc(sequences, labels):
    """AUC of a logistic regression on base counts, each fifth predicted from the other four."""
    counts = one_hot(sequences).sum(axis=1)  # (N, 4)
    model = LogisticRegression(max_iter=1000)
    chances = cross_val_predict(model, counts, labels, cv=5, method="predict_proba")
    return roc_auc_score(labels, chances[:, 1])


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

# %% [markdown]
# AUC 0.79 for counting C and T, 0.80 for a regression, and neither has looked at the order of the bases. This is mistake M34, and three of our five source lectures make it: **uniform random negatives**. A network trained on such
# data may learn to count C. It will report a fine score, and fail on the first GC-rich promoter that carries no motif.
#
# The set of the Korean lectures has the same leak, only smaller, because its motif is shorter. `simulate` can make negatives in four ways. Let us ask for each:
# what does composition give away, and where is the ceiling?

# %% tags=["M34", "negatives"]
kinds = {
    "background": "fresh random sequences, as in the lectures",
    "gc": "fresh, with the GC content of the positives",
    "shuffled": "each a positive with its bases shuffled",
    "dinucleotides": "each a positive, shuffled in pairs (below)",
}
for against, words in kinds.items():
    rng = np.random.default_rng(4)
    data = simulate(ppm, positives=2000, negatives=2000, against=against, rng=rng)
    leak = composition_auc(data.sequences, data.labels)
    limit = lower_bound if against == "dinucleotides" else ceiling
    best = limit(ppm, against=against, rng=rng)
    sign = "at least " if against == "dinucleotides" else ""
    print(f"{words:44} composition AUC {leak:.2f}, ceiling {sign}{best.accuracy:.1%}")

# %% [markdown]
# Matching the GC content is not enough here: the positives are rich in C and A, and GC content does not see the difference between C and G. Shuffled negatives have exactly the composition of the positives, so it gives
# away nothing (AUC 0.5). And the ceiling falls with each step. **The harder task is the more honest one**: what is left to learn is the motif.
#
# For the last line nobody has a formula. "At least" means: a rule that we know reaches this much. We will not call it a ceiling.

# %% [markdown] tags=["exercise:match_gc"]
# ### Exercise 2 · A background with the same GC content
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
# Real DNA is more than its composition. In the human genome, C is rarely followed by G, because such a C is easily lost over the generations; in the promoters of many genes the pair `CG` is common. A negative whose bases are
# shuffled one by one loses this, and a network can notice.
#
# > **Predict first.** In the promoter region of *GATA4*, a quarter of all bases is C and a quarter is G, more or less. How often is a C followed by a G?

# %% tags=["dinucleotides"]
[promoter] = read_fasta(shipped("gata4_promoter.fa"))
following = transitions_of([promoter.sequence])  # (4, 4): row the base before, column the next
print("        next is A     C     G     T")
for base, row in zip("ACGT", following):
    print(f"after {base}:      " + "  ".join(f"{share:.2f}" for share in row))

# %% [markdown]
# After a C, a G comes with 0.16, the lowest number of its row, although this is a CpG-rich region. We want negatives that keep **every pair**: for each two letters, as many `CG` as before, as many `AA` as before.
#
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
# The pairs that were cut are kept, and the pairs *between* them are new. A true dinucleotide shuffle sees the sequence as a walk: four towns A, C, G, T, and each pair is a street from one town to another. A
# shuffle that keeps all pairs is another walk that uses every street exactly once, from the same start to the same end. Altschul and Erickson (1985) found how to draw one of all such walks, each with the same
# chance: choose at random, for each town, the street by which it is left for the *last* time, so that these last streets lead to the end; all other streets may be taken in any order.

# %% tags=["dinucleotides"]
shuffled = shuffle_dinucleotides([sequence] * 5, rng)
print(sequence)
for other in shuffled:
    print(other, " pairs whose count changed:", (count_pairs(sequence) != count_pairs(other)).sum())

# %% [markdown]
# Look at the ends: they never change. If the first letter changed, some town would be left more often than entered.
#
# How many such walks are there? For a short sequence we can list them all, and count how often the shuffle draws each.

# %% tags=["uniform-shuffle"]
short = "GATTACAGA"
orders = {"G" + "".join(middle) + "A" for middle in itertools.permutations(short[1:-1])}
reachable = [word for word in orders if np.array_equal(count_pairs(word), count_pairs(short))]
drawn = list(shuffle_dinucleotides([short] * 6000, rng))
print(f"{len(orders)} orders, of which {len(reachable)} have the pairs of {short}; 6,000 draws:")
for word in sorted(reachable):
    print(word, drawn.count(word))

# %% [markdown]
# Six sequences, each about a thousand times. (A test of this course does the same with chi-squared on larger cases.)

# %% [markdown]
# ### Back to the hits of lesson 02
#
# In lesson 02 we compared the hits of a motif with "chance": random letters in the right proportions. Now we have a better chance: the same region with its pairs kept and everything else
# shuffled. Scan twenty such regions with the threshold for p = 0.0001.
#
# > **Predict first.** SP1 likes GC-rich words. Will it have more hits in dinucleotide-shuffled DNA than the p-value says, or as many?

# %% tags=["null-model"]
rng = np.random.default_rng(8)
shuffles = shuffle_dinucleotides([promoter.sequence] * 20, rng)
background = background_of(promoter.sequence)
print("motif    found   independent letters   pairs kept")
for motif in read_motifs(shipped("jaspar_motifs.txt")):
    if motif.name in ("GATA4", "MEF2C", "SP1", "GABPA"):
        pwm = rounded(ppm_to_pwm(pfm_to_ppm(motif.pfm, pseudocount=0.5), background))
        chance = score_distribution(pwm, background)
        threshold = chance.threshold(1e-4)
        hits, *others = [
            len(find_hits(scan(sequence, pwm), threshold).start)
            for sequence in [promoter.sequence, *shuffles]
        ]
        expected = chance.p_value(threshold) * 2 * (len(promoter.sequence) - len(pwm) + 1)
        print(f"{motif.name:7}  {hits:5}   {expected:19.1f}   {np.mean(others):10.1f}")

# %% [markdown]
# For GABPA, the whole surplus is gone: its word is made of pairs that are common here. SP1 keeps some surplus, and MEF2C nearly all of it. **A p-value is as good as the null model behind it**, and independent letters are a poor
# model of a promoter.

# %% [markdown] tags=["exercise:same_dinucleotides"]
# ### Exercise 3 · What the shuffle keeps
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
# ## 6 · Closer to nature
#
# Four more knobs make the sequences more real. Each has its own ceiling.
#
# **A background that remembers.** Instead of four probabilities, give `simulate` the table above: each base is drawn given the one before it. This is a **Markov chain**.

# %% tags=["closer-to-nature"]
rng = np.random.default_rng(6)
natural = simulate(ppm, positives=1000, negatives=1000, length=100, background=following, rng=rng)
print("pairs CG for each 100 bases, negatives:", end=" ")
print(np.mean([100 * count_pairs(sequence)[1, 2] / 99 for sequence in natural.sequences[1000:]]).round(1))
print("in the promoter:", round(100 * count_pairs(promoter.sequence)[1, 2] / (len(promoter.sequence) - 1), 1))
best = ceiling(ppm, length=100, background=following, rng=rng)
print(f"ceiling in 100 bases: {best.accuracy:.1%} +- {best.accuracy_se:.1%}")

# %% [markdown]
# **Length.** The more windows, the more accidents. The same motif, in longer and longer sequences:

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
# In 500 random bases, nobody can tell more than 7 positives or negatives out of 10 by this motif of 8 bits. If a network does better on long real sequences with such a motif, it uses more than the motif.
#
# **Partners.** Factors often bind in pairs, at a certain distance. Two motifs with 2 to 6 bases between them, in this order or in either:

# %% tags=["closer-to-nature"]
partner = pfm_to_ppm(pfm_from_sites(["TGACTCA", "TGAGTCA"]), pseudocount=0.1)
for order in ("fixed", "free"):
    best = ceiling([ppm, partner], length=100, gap=(2, 6), order=order, rng=rng)
    print(f"order {order:5}: ceiling {best.accuracy:.1%}, AUC {best.auc:.3f}")
pair = simulate([ppm, partner], positives=3, negatives=0, length=40, gap=(2, 6), rng=rng)
for sequence, (first, second) in zip(pair.sequences, pair.starts):
    print(sequence[:first].lower() + sequence[first : first + 6] + sequence[first + 6 : second].lower()
          + sequence[second : second + 7] + sequence[second + 7 :].lower())  # fmt: skip

# %% [markdown]
# Together the two are much easier to find than one alone in the same 100 bases. Such rules of spacing and order are what deeper networks are said to learn. Here you can test whether they do.
#
# **Wrong labels.** An experiment misses bound sites and reports unbound ones. If a share of the labels is flipped, even the perfect classifier is wrong there:

# %% tags=["label-noise"]
for noise in (0, 0.05, 0.1, 0.2):
    best = ceiling(ppm, length=20, start=7, label_noise=noise)
    print(f"{noise:4.0%} of labels flipped: accuracy {best.accuracy:.2%}, AUC {best.auc:.3f}")

noisy = simulate(ppm, positives=1000, negatives=1000, start=7, label_noise=0.1, rng=rng)
print("labels that differ from the truth:", (noisy.labels != noisy.truth).sum(), "of", len(noisy.labels))

# %% [markdown]
# With 10 percent of wrong labels in the test set, the best possible accuracy on this test set is 88 percent, although the rule behind it is as good as before. When two experiments agree in 90 percent of the cases, a
# network that agrees with one of them in 95 percent has learned the experiment's faults.

# %% [markdown]
# ## 7 · Explore
#
# Make the motif weaker and watch the ceiling. Let it move; let it turn. Change the GC content of the background, with each kind of negatives, and compare the bars of the positives and the negatives: every difference that you can see, a
# classifier can use.
#
# Three things to try: find a setting with a high ceiling although the motif's strength is 0; find the negatives for which that is impossible; find out how much label noise costs as much as an unknown place.

# %% tags=["explorer"]
simulation_explorer()

# %% [markdown]
# ## 8 · What a simulation can teach, and what it cannot
#
# It can tell you whether your code works: plant a rule and see whether it is found. It can tell you how far from perfect a model is, how much data a task needs, and which leak a kind of negatives leaves open. It gives
# the truth about every site, which no experiment does.
#
# It cannot tell you how nature does it. Everything you find in simulated data was put there by you. In our positives, a factor binds wherever its word stands, each position of the site by itself, with no neighbours, no
# nucleosomes, no evolution. A model that reaches the ceiling here has shown that it can learn *this*. Real binding sites follow in lesson 06.

# %% [markdown]
# ## Common mistakes
#
# - **A sequence of another length** (M04). A printed 20-mer has 19 letters. Check before you stack.
# - **Uniform negatives for a motif with a composition of its own** (M34). Composition alone reaches AUC 0.8 on a published teaching set. Shuffle the positives instead.
# - **A permutation of cut pairs taken for a dinucleotide shuffle.** The pairs across the cuts change. Count all overlapping pairs.
# - **Believing that GC-matched is matched.** C and G may still differ, and so may every pair.
# - **No ceiling.** 91 percent can be perfect and 97 percent a leak.
# - **A ceiling for other data.** It belongs to one way of making positives and negatives, one length, one share of wrong labels.
# - **A score above the ceiling celebrated.** Look for the leak: the same sequence in training and test, a place that is always the same.
#
# ## Recap
#
# A simulated positive is background with a site from a PPM planted in it. The likelihood ratio of the two ways of making sequences is the best classifier there is; what it reaches is the ceiling: 97.90 percent where the place is known,
# 91.4 where it is not. Negatives decide what can be learned: fresh ones leak composition, shuffled ones leak pairs, dinucleotide-shuffled ones leave little but the motif.
#
# ## Further reading
#
# - J. Neyman, E. S. Pearson. On the problem of the most efficient tests of statistical hypotheses. *Philosophical Transactions of the Royal Society A* 231, 289-337 (1933).
# - S. F. Altschul, B. W. Erickson. Significance of nucleotide sequence alignments: a method for random sequence permutation that preserves dinucleotide and codon usage. *Molecular Biology and Evolution* 2, 526-538 (1985).
# - J. Zou et al. A primer on deep learning in genomics. *Nature Genetics* 51, 12-18 (2019).
# - A. P. Bird. CpG-rich islands and the function of DNA methylation. *Nature* 321, 209-213 (1986).
#
# **Next:** lesson 04 trains the networks of the two lectures on these sequences, and watches them approach the ceiling.
