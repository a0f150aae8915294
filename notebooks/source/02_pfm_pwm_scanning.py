# %% [markdown]
# {{ header }}

# %% [markdown]
# ## Why this matters
#
# A protein that switches genes on or off, a **transcription factor**, recognises short words in DNA. It is not strict: one
# position must be a C, another is a C in most sites, at a third anything goes. What its sites have in common is its
# motif (lesson 00). In this lesson you turn a handful of known sites into a table of weights, read the table, and slide it along a
# piece of the human genome on both strands. Then you meet the question that decides whether the result means anything: how
# many of these hits would chance alone have given?
#
# The table you build is a filter of a convolutional network, filled in by hand. Lesson 04 lets a network find it.

# %% [markdown]
# ## What you will be able to do
#
# - **count** aligned sites and **turn** the counts into probabilities and log-odds weights, and **say** what each number means;
# - **choose** a pseudocount and a background, and **measure** a motif's information in bits;
# - **scan** both strands of a sequence, and **show** that this is a convolution;
# - **compute** the exact p-value of a score, and **choose** a threshold for a number of false hits that you can accept;
# - **judge** a list of hits against what chance would give.

# %% tags=["set-up", "nbval-ignore-output"] reason="prints the versions of this machine"
# {{ set-up }}

# %% tags=["imports"]
import csv
import gzip
import itertools

import matplotlib.pyplot as plt
import numpy as np
import torch
from Bio import motifs as bio_motifs
from Bio.Seq import Seq

from course_utils.datasets import fetch, shipped
from course_utils.exercises import lesson_02 as check
from course_utils.explorers.motif import motif_explorer
from course_utils.explorers.threshold import threshold_explorer
from course_utils.motifs import (
    MotifError,
    background_of,
    consensus,
    information,
    pfm_to_ppm,
    ppm_to_pwm,
    read_motifs,
    small_sample_correction,
)
from course_utils.plotting import logo_picture, one_hot_picture, picture_of
from course_utils.scanning import (
    benjamini_hochberg,
    find_hits,
    rounded,
    scan,
    score_distribution,
)
from course_utils.sequences import one_hot, read_fasta, reverse_complement

# %% [markdown]
# ## 1 · Counting sites: the PFM
#
# Suppose that an experiment gave us three places to which a factor binds, three of its **binding sites**. We write them below each other so that the
# positions match: they are **aligned**. Encode them as in lesson 01 and add the arrays up, and you have counted the bases at each
# position.

# %% tags=["seed:000-pfm-ppm", "seed:002-pfm-ppm"]
sites = ["TACAA", "TACGA", "TACAA"]
pfm = one_hot(sites, dtype=int).sum(axis=0)  # (3, 5, 4) -> (5, 4)
print("   A C G T")
for position, row in enumerate(pfm):
    print(position, row)

# %% [markdown]
# This is the **position frequency matrix**, PFM: a row for each of the 5 positions, columns A, C, G, T, and whole numbers in
# it. (We count positions from 0.) Each row adds up to 3, the number of sites. The **width** of the motif is 5.
#
# The package calls this `pfm_from_sites`. Biopython prints the same numbers turned on their side, with the bases in rows, as two of our source lectures, the Korean ones, show
# them:

# %% tags=["seed:000-pfm-ppm", "seed:002-pfm-ppm"]
from_biopython = bio_motifs.create([Seq(site) for site in sites])
print(from_biopython.counts)
same = np.array_equal(np.array([from_biopython.counts[base] for base in "ACGT"]).T, pfm)
print("the same counts:", same)

# %% [markdown]
# ## 2 · Probabilities: the PPM
#
# We have seen three sites, and the next site may differ from all of them. Position 3 was A twice and G once. Does that mean that
# C and T can *never* stand there? Three observations cannot tell. So we add a little to every count, a **pseudocount**, before we divide by
# the total. With 0.5 for each base, a row of 3 sites has the total 3 + 4 × 0.5 = 5.

# %% tags=["seed:000-pfm-ppm", "seed:002-pfm-ppm"]
counts = pfm + 0.5  # (5, 4)
ppm = counts / counts.sum(axis=1, keepdims=True)  # the sums stay a column, (5, 1)
print(ppm)
from_biopython_ppm = from_biopython.counts.normalize(pseudocounts=0.5)
print("as Biopython has it:", np.allclose(ppm, np.array([from_biopython_ppm[base] for base in "ACGT"]).T))
print("as pfm_to_ppm has it:", np.allclose(ppm, pfm_to_ppm(pfm, pseudocount=0.5)))

# %% [markdown]
# Each row is now a set of four probabilities that add up to 1. This is the **position probability matrix**, PPM.
#
# Both lectures call this table a PWM (mistake M02), and they are not alone. It is more than a word: a PWM holds another kind of number, and
# whoever mixes the two up gets no error message. Section 4 puts all three tables side by side.

# %% [markdown] tags=["exercise:ppm"]
# ### Exercise 1 · Probabilities from sites
# ●○○ · 10 minutes · why it matters: every motif in every database began as a list of sites and this one division.
#
# Count the bases at each position of aligned sites, add the pseudocount to each of the four counts, and divide by
# the total of the position. The check tries pseudocounts from 0 up.

# %% tags=["exercise:ppm"]
def ppm_from_sites(sites, pseudocount):
    """Turn aligned sites into a PPM.

    sites: a list of strings of A, C, G, T, all of one length, such as ["AC", "AG"].
    pseudocount: a number, 0 or more, added to each of the four counts of a position.
    Returns: an array of shape (width, 4), columns A, C, G, T, whose rows add up to 1;
        for ["AC", "AG"] and 1 its first row is [3/6, 1/6, 1/6, 1/6].
    """
    ...

# %% tags=["exercise:ppm"]
check.ppm(ppm_from_sites)

# %% [markdown] tags=["exercise:ppm"]
# <details><summary>Hint</summary>
#
# Begin with `np.zeros((width, 4))` and count up with `+= 1`, one loop over the sites and one over their positions. All positions
# have the same total: one count for each site, and four pseudocounts.
#
# </details>
# <details><summary>Solution</summary>
#
# ```python
# def ppm_from_sites(sites, pseudocount):
#     width = len(sites[0])
#     counts = np.zeros((width, 4))
#     for site in sites:
#         for position, base in enumerate(site):
#             counts[position, "ACGT".index(base)] += 1
#     total = len(sites) + 4 * pseudocount
#     return (counts + pseudocount) / total
# ```
#
# </details>

# %% [markdown]
# ## 3 · Does this word look like the motif?
#
# We look for the motif in a longer sequence, `ATACAA`. It has two windows of width 5: `ATACA` and `TACAA`. How well does each fit?
#
# The first idea needs zeros and ones only. The word of the commonest bases, `TACAA`, is called the **consensus**. Encode it. Multiply it with each
# window and add up: each position that agrees adds 1.
#
# (With IUPAC codes the consensus is `TACRA`, R for A or G: by Cavener's rules, which `consensus` of the package follows, A stands alone only where it is
# more than twice as common as the next base.)

# %% tags=["seed:000-binary-motif-scan"]
binary = one_hot("TACAA")  # (5, 4), zeros and ones
sequence = "ATACAA"
for start in range(2):
    window = sequence[start : start + 5]
    print(start, window, "positions that agree:", int((binary * one_hot(window)).sum()))

# %% [markdown]
# As a picture: the motif as zeros and ones, and below it the number of agreeing positions at each start.

# %% tags=["seed:000-binary-motif-scan"]
one_hot_picture(binary, title="TACAA as zeros and ones")

# %% tags=["seed:000-binary-motif-scan"]
longer = "GGATACAATACGATTGTAACC"
agreeing = [int((binary * one_hot(longer[i : i + 5])).sum()) for i in range(len(longer) - 4)]
figure, axes = plt.subplots(figsize=(7, 2.2))
axes.bar(range(len(agreeing)), agreeing, color="#6a1b9a")
axes.set_xticks(range(len(longer)), longer)
axes.set(ylabel="agree (of 5)", xlabel="the window starts at this base", ylim=(0, 5.4))
best = [start for start, count in enumerate(agreeing) if count == 5]
picture_of(
    figure,
    f"Bars over {longer}: how many of 5 positions agree with TACAA in the window that starts there: "
    f"{agreeing}. All five agree at {best}.",
)

# %% [markdown]
# The full match at 3 stands out. The word `TACGA` at 8, one of our three sites, gets 4, no better than any other single difference: zeros and ones
# forget that G was seen at position 3 and T never was. The PPM remembers.
#
# ### The product of probabilities, and what it does not say
#
# Both lectures pick from the PPM the probability of each base of the window, multiply the five, and take the logarithm. They say that a score of 0 means
# an identical sequence.
#
# > **Predict first.** The window `TACAA` is the consensus itself. What will its score be?

# %% tags=["M01", "seed:000-product-score", "seed:002-product-score"]
encoded = one_hot(sequence, dtype=int)  # (6, 4)
for start in (0, 1):
    picked = np.sum(encoded[start : start + 5] * ppm, axis=1)  # the probability of each base
    print(sequence[start : start + 5], picked, np.log(np.prod(picked)))

# %% [markdown]
# -9.567 and -2.120: the figures of the lectures, digit by digit. The second window fits better, and that is right. But the
# consensus does not score 0, against what they say (mistake M01). Could any word?

# %% tags=["M01"]
words = ["".join(letters) for letters in itertools.product("ACGT", repeat=5)]
products = {word: np.log(np.prod(np.sum(one_hot(word) * ppm, axis=1))) for word in words}
best = max(products, key=products.get)
print(f"{len(words):,} words of 5 letters; the best is {best} with {products[best]:.4f}")
print(f"probability that the motif makes exactly {best}: {np.exp(products[best]):.4f}")

# %% [markdown]
# No word can. The score is the logarithm of the probability that the motif *makes exactly this word*, 0.12 for the best one. To reach 0, every position
# would have to be certain. And there is a second fault: a longer motif multiplies more numbers below 1, so its scores are lower for no reason that
# biology knows. Is -9.6 bad? You cannot say without asking: compared with what?

# %% [markdown]
# ## 4 · Log-odds: the PWM
#
# Compare with the **background**: DNA without the motif. If all four bases are equally common there, a base has the probability 0.25. At each
# position, divide the motif's probability by the background's. A ratio above 1 speaks for the motif, below 1 against it. The logarithm
# to base 2 of this ratio is the **weight** of the base, in **bits**, and the table of weights is the **position weight matrix**, PWM (also PSSM,
# position-specific scoring matrix). Such logarithms of ratios are called **log-odds**.
#
# - weight of a base at a position = log2(its probability in the motif / its probability in the background)
# - score of a word = sum of the weights of its bases

# %% tags=["log-odds"]
pwm = np.log2(ppm / 0.25)  # (5, 4)
print(np.round(pwm, 2))
for start in (0, 1):
    score = np.sum(encoded[start : start + 5] * pwm)
    print(f"{sequence[start : start + 5]}  {score:7.4f} bits, {2**score:8.4f} times as likely under the motif")

# %% [markdown]
# Now 0 has a meaning: as likely under the motif as under the background. Each bit more doubles the ratio. `TACAA` has 6.94 bits:
# it is 123 times as likely under the motif. `ATACA` has -3.80 bits: 14 times *less* likely. And because logarithms turn products into sums, the score of a
# word is the sum of its weights: multiply with the one-hot array and add up, as the filter of lesson 01 does.
#
# Careful with the words: the score compares two explanations of *this word*. It is not the chance that the word is a site. That depends on how rare sites are, and section 9 comes to it.
#
# `ppm_to_pwm` of the package does the same, and so does Biopython:

# %%
from_biopython_pwm = from_biopython_ppm.log_odds({base: 0.25 for base in "ACGT"})
difference = np.array([from_biopython_pwm[base] for base in "ACGT"]).T - ppm_to_pwm(ppm)
print("largest difference below 1e-6:", bool(abs(difference).max() < 1e-6))
print("pwm is the same as ppm_to_pwm(ppm):", np.allclose(pwm, ppm_to_pwm(ppm)))

# %% [markdown]
# Now you have all three tables. Look at position 3 in each:

# %% tags=["M02"]
tables = {"PFM, counts": pfm, "PPM, probabilities": ppm, "PWM, log-odds in bits": pwm}
for name, table in tables.items():
    print(f"{name:21}  position 3: {np.round(table[3], 2)}  adds up to {table[3].sum():.2f}")

# %% [markdown]
# The background need not be uniform. In DNA of which 80 percent is A or T, finding a TATA-like word is no surprise.
#
# > **Predict first.** In such DNA, will the weight of an A at position 1 go up or down? And the score of `TACAA`?

# %%
at_rich = [0.4, 0.1, 0.1, 0.4]
print("A at position 1:", np.round(pwm[1, 0], 2), "->", np.round(ppm_to_pwm(ppm, at_rich)[1, 0], 2))
print("C at position 2:", np.round(pwm[2, 1], 2), "->", np.round(ppm_to_pwm(ppm, at_rich)[2, 1], 2))
before, after = (binary * pwm).sum(), (binary * ppm_to_pwm(ppm, at_rich)).sum()  # binary is TACAA
print("TACAA:", np.round(before, 2), "->", np.round(after, 2), "bits")

# %% [markdown]
# A says less and C says more, and the word as a whole, four of whose five letters are common now, is less of a surprise.

# %% [markdown] tags=["exercise:log_odds"]
# ### Exercise 2 · Weights from probabilities
# ●○○ · 5 minutes · why it matters: a base counts for a site only as far as it is commoner there than elsewhere.
#
# Compare each probability with the background, and take the logarithm that gives bits. The background is not always
# uniform: the check tries others.

# %% tags=["exercise:log_odds"]
def log_odds(ppm, background):
    """Turn a PPM into a PWM: the log-odds of each base at each position, in bits.

    ppm: an array of shape (width, 4), columns A, C, G, T; every probability is above 0.
    background: an array of four probabilities, of A, C, G, T outside the motif.
    Returns: an array of shape (width, 4); a base four times as likely in the motif as in
        the background has the weight 2.
    """
    ...

# %% tags=["exercise:log_odds"]
check.log_odds(log_odds)

# %% [markdown] tags=["exercise:log_odds"]
# <details><summary>Hint</summary>
#
# numpy lines up an array of four numbers with the last axis, here the bases, so one division does all positions. It has a logarithm for
# every taste: `np.log`, `np.log2`, `np.log10`. Which of them turns 4 into 2?
#
# </details>
# <details><summary>Solution</summary>
#
# ```python
# def log_odds(ppm, background):
#     return np.log2(ppm / background)
# ```
#
# </details>

# %% [markdown]
# ### How much pseudocount?
#
# > **Predict first.** What weight does C get at position 3, where it was never seen, if the pseudocount is 0?

# %%
print("pseudocount   weight of A, C, G, T at position 3")
for pseudocount in (0, 0.01, 0.5, 1, 5):
    weights = ppm_to_pwm(pfm_to_ppm(pfm, pseudocount))[3]
    print(f"{pseudocount:11g}  ", "  ".join(f"{weight:6.2f}" for weight in weights))

# %% [markdown]
# Minus infinity: one unseen base, and no other position can make up for it. Three sites do not justify such a verdict. A large pseudocount
# goes the other way and drowns what was seen. There is no true value; it says how many sites' worth of doubt you bring along. Half a
# count for each base is common. With hundreds of sites it hardly changes which words score high; only bases that were never seen still depend on it.
#
# ## 5 · Information and logos
#
# Some positions are strict and others are not. The **information** of a position puts this in one number: the average of its four weights,
# in which each base counts as often as the motif has it. With a uniform background it runs from 0 bits (all bases equally likely) to 2 bits (always the same base).

# %% tags=["information"]
by_hand = (ppm * np.log2(ppm / 0.25)).sum(axis=1)  # (5, 4) -> (5,)
print("bits at each position:", np.round(by_hand, 4))
print(f"total: {by_hand.sum():.4f} bits;  the package says {information(ppm).sum():.4f}")

# %% [markdown]
# 2.8874 bits for the whole motif. There is another way to say it. The **entropy** of a position, minus the sum of p log2(p), measures how undecided it is: 2 bits if all bases are
# equally likely, 0 if one is certain. Because log2(p / 0.25) is 2 + log2(p), the information is 2 minus the entropy. (A base with p = 0 adds nothing to either.)
#
# The usual picture of a motif, the **sequence logo**, draws each position as high as its information and divides the
# height among the bases by their probability (Schneider and Stephens, 1990).

# %%
logo_picture(ppm, title="three sites, pseudocount 0.5")

# %% [markdown]
# ### Few sites look too good
#
# Take three random words that have nothing in common. At some positions they will agree all the same. So with few sites, information is found where there is none.
# Let us measure how much, with random sites and no pseudocount, and compare with the correction that is in use, 3 / (2 ln 2 · n) bits
# for n sites.

# %% tags=["small-sample"]
rng = np.random.default_rng(2)
print("sites   bits a random position seems to have   correction")
for n in (3, 10, 30, 100):
    random_sites = rng.integers(0, 4, size=(n, 20_000))  # 20,000 positions of n sites
    random_pfm = np.stack([(random_sites == base).sum(axis=0) for base in range(4)], axis=1)
    seeming = information(pfm_to_ppm(random_pfm)).mean()
    print(f"{n:5}   {seeming:37.3f}   {small_sample_correction(n):10.3f}")
print("our motif, without pseudocount:", np.round(information(pfm_to_ppm(pfm)), 2))

# %% [markdown]
# A random position of three sites seems to have 0.89 bits. Four positions of our motif have 2 bits without a
# pseudocount, so the sites do resemble each other. But *how* strict each position is, three sites cannot tell. With a
# hundred sites, chance gives next to nothing. (The correction is an approximation: too small for three sites, good from thirty on.)

# %% [markdown] tags=["exercise:information"]
# ### Exercise 3 · Information
# ●●○ · 10 minutes · why it matters: it is the height of each stack of letters in a logo, and shows which positions decide.
#
# Compute the information of each position, in bits, against the uniform background: 2 bits, minus the entropy of the
# position. A base that never occurs adds nothing to the entropy, and the check has such bases.

# %% tags=["exercise:information"]
def information_content(ppm):
    """Information of each position of a motif, in bits, against a uniform background.

    ppm: an array of shape (width, 4), columns A, C, G, T, rows that add up to 1; some
        probabilities may be 0, and 0 * log2(0) counts as 0.
    Returns: an array of shape (width,); 2 for a base that never changes, 0 for four equal
        probabilities.
    """
    ...

# %% tags=["exercise:information"]
check.information(information_content)

# %% [markdown] tags=["exercise:information"]
# <details><summary>Hint</summary>
#
# The entropy of a position is *minus* the sum of `p * np.log2(p)` over its bases. In a loop, ask `if p > 0` before you take the
# logarithm.
#
# </details>
# <details><summary>Solution</summary>
#
# ```python
# def information_content(ppm):
#     bits = []
#     for row in ppm:
#         entropy = 0.0
#         for p in row:
#             if p > 0:
#                 entropy -= p * np.log2(p)
#         bits.append(2 - entropy)
#     return np.array(bits)
# ```
#
# </details>

# %% [markdown]
# ### Explore: the motif
#
# Edit the sites. Add a site, change a letter, make one position disagree in all of them. Move the pseudocount to 0 and to 5, and the background to
# 80 percent GC, and follow one number through the three tables. Then set the pseudocount to 0 and turn the small-sample correction on: how many sites like these does it take until it
# hardly matters?

# %% tags=["explorer"]
motif_explorer()

# %% [markdown]
# ## 6 · Real motifs
#
# **JASPAR** is a database of motifs, curated by hand and free to use under the licence CC BY 4.0 (Rauluseviciute and colleagues, 2024).
# Each matrix has an **accession** such as MA0482.3, of which the 3 is the version. Name it whenever you publish a result; the matrices change
# between versions. Twelve of them travel with this collection:

# %% tags=["jaspar"]
jaspar = {motif.accession: motif for motif in read_motifs(shipped("jaspar_motifs.txt"))}
print("accession  name     width  sites   bits  consensus")
for motif in jaspar.values():
    bits = information(pfm_to_ppm(motif.pfm, pseudocount=0.5)).sum()
    seen = motif.pfm.sum(axis=1).mean()  # positions of one matrix may differ in their total
    print(
        f"{motif.accession:9}  {motif.name:7}  {len(motif.pfm):5}  {seen:6.0f}  {bits:5.1f}  "
        f"{consensus(motif.pfm)}"
    )

# %% [markdown]
# The consensus uses the IUPAC codes of lesson 01: W is A or T, K is G or T. It is a good name for a motif and a poor model of it. (The sites are themselves the
# outcome of a method: of ChIP-seq, where a program found them in bound regions, or of SELEX, where they were selected in the test tube.)
#
# Our guide will be GATA4, a factor that heart cells cannot do without.

# %%
gata4_ppm = pfm_to_ppm(jaspar["MA0482.3"].pfm, pseudocount=0.5)  # (8, 4)
logo_picture(gata4_ppm, title="GATA4, MA0482.3")

# %% [markdown]
# > **Predict first.** The protein is named after the word it binds. Where is GATA in this logo?

# %%
logo_picture(gata4_ppm[::-1, ::-1], title="the other strand of GATA4, MA0482.3")

# %% [markdown]
# On the other strand. A motif, like a sequence, can be written down on either strand, and databases keep whichever they met first. The flip of both axes from
# lesson 01 turns a motif round too: `ppm[::-1, ::-1]`.
#
# Two more: CTCF with a core of strict positions, and MAX, which reads the same on both strands, a **palindrome**.

# %%
logo_picture(pfm_to_ppm(jaspar["MA0139.1"].pfm, pseudocount=0.5), title="CTCF, MA0139.1")

# %%
logo_picture(pfm_to_ppm(jaspar["MA0058.4"].pfm, pseudocount=0.5), title="MAX, MA0058.4")

# %% [markdown]
# ## 7 · Scanning both strands
#
# Here is real DNA: 16,384 bases around the start of the human gene *GATA4* itself (chromosome 8, assembly hg19). Does it hold sites for its own protein?

# %%
[promoter] = read_fasta(shipped("gata4_promoter.fa"))
print(promoter.name, len(promoter.sequence), "bases")
print(promoter.sequence[:60], "...")
background = background_of(promoter.sequence)
print("background A, C, G, T:", np.round(background, 3))

# %% [markdown]
# `background_of` counts the bases of both strands, so A is as common as T and C as G. GC is common here: the start of many genes lies in such DNA.
#
# To **scan** is to score every window. There are `L - width + 1` of them, on each strand. Both strands matter: in section 3 the window `TTGTA` at 13 agreed with
# `TACAA` at 2 positions of 5, and it *is* `TACAA`, on the other strand.
#
# For the minus strand you can turn the sequence round, or turn the motif round and keep the sequence. The second is better, because then both scores of a window stand at the same start.

# %% tags=["scan"]
gata4_pwm = ppm_to_pwm(gata4_ppm, background)  # (8, 4)


def scan_by_hand(sequence, pwm):
    """Scores of both strands, (2, L - width + 1), by two loops."""
    encoded, width = one_hot(sequence), len(pwm)
    scores = np.zeros((2, len(sequence) - width + 1))
    for strand, matrix in enumerate([pwm, pwm[::-1, ::-1]]):
        for start in range(scores.shape[1]):
            scores[strand, start] = (encoded[start : start + width] * matrix).sum()
    return scores


slow = scan_by_hand(promoter.sequence, gata4_pwm)
fast = scan(promoter.sequence, gata4_pwm)
print("shape:", fast.shape, " the same scores:", np.allclose(slow, fast, atol=1e-4))
strand, start = np.unravel_index(fast.argmax(), fast.shape)  # row and column of the highest score
print(f"best: {fast.max():.2f} bits at {start} on the {'+-'[strand]} strand,", end=" ")
print("where the sequence reads", promoter.sequence[start : start + 8])

# %% [markdown]
# The packaged `scan` gives the same scores, faster. Its trick is worth a look, because it uses nothing but numpy. Instead of looking up one weight for
# each base, look up the sum of *four* weights for each word of four bases. There are only 256 such words, so we can prepare
# all sums in a table. A window of 8 bases then takes two look-ups instead of eight.

# %% tags=["four-at-a-time"]
four_letters = ["".join(letters) for letters in itertools.product("ACGT", repeat=4)]  # 256 words
first_table = np.array([(one_hot(word) * gata4_pwm[:4]).sum() for word in four_letters])
second_table = np.array([(one_hot(word) * gata4_pwm[4:]).sum() for word in four_letters])

window = promoter.sequence[1000:1008]
first, second = four_letters.index(window[:4]), four_letters.index(window[4:])
print(f"{window[:4]} is word {first}, {window[4:]} is word {second}")
print(f"two look-ups: {first_table[first]:.3f} + {second_table[second]:.3f}", end=" = ")
print(f"{first_table[first] + second_table[second]:.3f};  scan: {fast[0, 1000]:.3f}")

# %% [markdown]
# (`make bench` measures the speed of this against other tools on your machine.)
#
# What about N? A window with an unknown base gets -inf, so that it never counts as a find. (A convolution over zeros, as in lesson 01, would give it the score of its other bases.)

# %%
print(np.round(scan("CCTTATCTNCCTTATCT", gata4_pwm)[0], 1))

# %% [markdown] tags=["exercise:scan"]
# ### Exercise 4 · Scan both strands
# ●●● · 15 minutes · why it matters: a protein finds its site on either strand, and half of all sites stand on the other one.
#
# Score every window of a sequence twice, as it stands and as its reverse complement. Both scores of a window stand at the same place:
# column `i` belongs to the window that starts at position `i` of the plus strand.

# %% tags=["exercise:scan"]
def scan_both_strands(encoded, pwm):
    """Score every window of a sequence on both strands.

    encoded: a one-hot array of shape (L, 4), columns A, C, G, T; one 1 in each row.
    pwm: weights of shape (width, 4), width from 1 to L, all of them finite.
    Returns: an array of shape (2, L - width + 1); row 0 is the plus strand, row 1 the minus
        strand at the same window start; a score is the sum of the weights of the window's bases.
    """
    ...

# %% tags=["exercise:scan"]
check.scan(scan_both_strands)

# %% [markdown] tags=["exercise:scan"]
# <details><summary>Hint</summary>
#
# The window that starts at `start` is `encoded[start : start + width]`. Multiplied with `pwm`, it keeps one weight in each row. For
# the minus strand leave the sequence as it is and turn the motif: lesson 01 turned an array into its reverse complement with two flips.
#
# </details>
# <details><summary>Solution</summary>
#
# ```python
# def scan_both_strands(encoded, pwm):
#     width = len(pwm)
#     windows = len(encoded) - width + 1
#     turned = pwm[::-1, ::-1]
#     scores = np.zeros((2, windows))
#     for start in range(windows):
#         window = encoded[start : start + width]
#         scores[0, start] = (window * pwm).sum()
#         scores[1, start] = (window * turned).sum()
#     return scores
# ```
#
# </details>

# %% [markdown]
# ### Scanning is a convolution
#
# Slide a small table along a sequence, multiply, add up: this is the convolution of lesson 01. The PWM is its filter, and the
# scores are its output. PyTorch wants the bases in the middle axis, so both sequence and filter are turned:

# %% tags=["convolution"]
encoded = torch.from_numpy(one_hot([promoter.sequence])).permute(0, 2, 1)  # (1, 4, 16384)
filters = torch.tensor(np.stack([gata4_pwm.T, gata4_pwm[::-1, ::-1].T]), dtype=torch.float32)
scores = torch.nn.functional.conv1d(encoded, filters)  # filters (2, 4, 8) -> (1, 2, 16377)
print("shape:", tuple(scores.shape), " the same scores:", np.allclose(scores[0].numpy(), fast, atol=1e-4))

# %% [markdown]
# Two filters, one for each strand. A convolutional network does this too, with filters that it learns. (In mathematics, a convolution turns the filter
# round first. Networks do not, and call it convolution all the same.)

# %% [markdown]
# ## 8 · How high is high?
#
# The best window of the promoter has a high score. But there are 32,754 windows on two strands, and even in random DNA some window is the best. The right question
# is: how often would a random word score at least this much? The answer is the **p-value** of a score.
#
# For our toy motif of width 5 we can look at all 1,024 words. If the bases are equally common, each word has the same chance.

# %% tags=["brute-force"]
toy_pwm = rounded(ppm_to_pwm(ppm))  # weights in whole thousandths of a bit; why, see below
scores_of_words = np.array([(one_hot(word) * toy_pwm).sum() for word in words])
for threshold in (0, 4, 6.9):
    passing = (scores_of_words >= threshold).sum()
    print(f"at least {threshold:3} bits: {passing:3} of {len(words):,} words, p = {passing / len(words):.4f}")

# %% [markdown]
# GATA4's 65,536 words of 8 letters can still be listed. CTCF has 275 billion of 19. But we need not know the words, only how the scores are
# *distributed*, and that we can build up position by position. Before the first position, the score is 0 for certain. Each position moves it by
# one of four weights, with the probabilities of the background.
#
# Suppose that the weights are 1 for A and -1 for the others. After one position the score is 1 with probability 0.25 and -1 with 0.75. After two it is 2 with 0.0625, 0 with
# 0.375, and -2 with 0.5625. Words such as `AC` and `CA`, which end at the same score, are pooled. This is **dynamic programming** (Staden, 1989), and it is short:

# %% tags=["dynamic-programming"]
def distribution_by_hand(weights, background):
    """Score in steps -> probability. weights: (width, 4) whole numbers of steps."""
    chances = {0: 1.0}
    for row in weights:
        longer = {}
        for score, chance in chances.items():
            for weight, probability in zip(row, background):
                so_far = longer.get(score + weight, 0)  # 0 if this score is new
                longer[score + weight] = so_far + chance * probability
        chances = longer
    return chances


steps = np.rint(toy_pwm * 1000).astype(int).tolist()
by_hand = distribution_by_hand(steps, [0.25] * 4)
toy = score_distribution(toy_pwm)
print(f"{len(words):,} words have only {len(by_hand)} different scores")
for threshold in (0, 4, 6.9):
    p = sum(chance for score, chance in by_hand.items() if score >= threshold * 1000)
    print(f"at least {threshold:3} bits: p = {p:.4f} by hand, {toy.p_value(threshold):.4f} in the package")

# %% [markdown]
# The same three p-values as from the full list. Pooling works because scores are whole numbers of steps, here of 0.001 bit. That is why we round the weights *once* and use
# the rounded matrix for everything: then the p-values are exact, for random letters in these proportions. What does rounding cost? At most half a step at each position:

# %%
ctcf_ppm = pfm_to_ppm(jaspar["MA0139.1"].pfm, pseudocount=0.5)
ctcf_pwm = ppm_to_pwm(ctcf_ppm, background)
off = abs(scan(promoter.sequence, ctcf_pwm) - scan(promoter.sequence, rounded(ctcf_pwm))).max()
print(f"CTCF, 19 positions: at most {19 * 0.0005:.4f} bits; the largest difference here is {off:.4f}")

# %% [markdown]
# Here is the distribution for GATA4, for random words and for *true sites*: words that the motif itself makes, position by position. (The vertical axis is logarithmic.) The two overlap. Wherever you draw the
# line, you lose some true sites on its left or let in random words on its right.

# %% tags=["distributions"]
gata4_pwm = rounded(ppm_to_pwm(gata4_ppm, background))
random_words = score_distribution(gata4_pwm, background)
true_sites = score_distribution(gata4_pwm, gata4_ppm)  # each position has its own probabilities
gata4_threshold = random_words.threshold(1e-4)
passes = true_sites.p_value(gata4_threshold)

figure, axes = plt.subplots(figsize=(7, 2.6))
edges = np.arange(-45, 17)
for distribution, label, style in [(random_words, "random words", "-"), (true_sites, "true sites", "--")]:
    heights, _ = np.histogram(distribution.scores, edges, weights=distribution.probability)
    heights = np.maximum(heights, 1e-9)  # a logarithmic axis has no 0
    axes.stairs(heights, edges, label=label, linestyle=style, linewidth=1.8)
axes.axvline(gata4_threshold, color="#111111", linewidth=1, label="p = 0.0001")
axes.set(xlabel="score (bits)", ylabel="probability (per bit)", yscale="log", ylim=(1e-6, 1))
_ = axes.legend()
print(f"threshold for p = 0.0001: {gata4_threshold:.4f} bits; {passes:.0%} of true sites pass it")
picture_of(
    figure,
    f"Distributions of the GATA4 score. Random words centre on {random_words.scores @ random_words.probability:.1f} "
    f"bits, true sites on {true_sites.scores @ true_sites.probability:.1f}; {passes:.0%} of these pass {gata4_threshold:.2f} bits.",
)

# %% [markdown]
# (The threshold lies half a step below the lowest score that passes, so that no rounding error decides.) A threshold strict enough for one random word in ten thousand keeps two thirds of the true sites, *if* the motif is right about
# its sites. That is the trade-off, and no choice of threshold escapes it.

# %% [markdown] tags=["exercise:p_value"]
# ### Exercise 5 · A p-value by brute force
# ●●○ · 15 minutes · why it matters: a score means little until you know how often chance does as well.
#
# Go through all words as wide as the motif and count those that score at least as much as `score`. Each word is equally likely:
# the background is uniform. A motif of width 5 has only 1,024 words, so trying all of them is fast. (At width 20 it would be a
# million million.)
#
# One trap has to do with computers and not with DNA: `0.1 + 0.7` gives 0.7999999999999999. A word whose score *is* 0.8 then seems
# to miss 0.8. So ask for `score - 1e-9`. All weights here are whole multiples of 0.001, and such a small step lets no wrong word in.

# %% tags=["exercise:p_value"]
def p_value(pwm, score):
    """The share of all words that score at least `score`, under a uniform background.

    pwm: weights of shape (width, 4), columns A, C, G, T, width from 1 to 5; they and the
        score are whole multiples of 0.001.
    score: a number of bits; compare with score - 1e-9, so that rounding decides nothing.
    Returns: a number from 0 to 1; 0 if no word reaches the score.
    """
    ...

# %% tags=["exercise:p_value"]
check.p_value(p_value)

# %% [markdown] tags=["exercise:p_value"]
# <details><summary>Hint</summary>
#
# `itertools.product(range(4), repeat=width)` gives all words as column numbers, `(0, 0)`, `(0, 1)`, `(0, 2)` and so on for a width of 2.
# The score of a word is the sum of `pwm[position, column]` over its positions. How many words are there?
#
# </details>
# <details><summary>Solution</summary>
#
# ```python
# def p_value(pwm, score):
#     width = len(pwm)
#     reached = 0
#     for word in itertools.product(range(4), repeat=width):
#         total = 0.0
#         for position, column in enumerate(word):
#             total += pwm[position, column]
#         if total >= score - 1e-9:
#             reached += 1
#     return reached / 4**width
# ```
#
# </details>

# %% [markdown]
# ### Two traps
#
# **The threshold that lets in too much.** Scores of short motifs come in jumps. Asked for a p-value of 1 percent on the toy motif (a false-positive rate, `fpr`, of random words), Biopython answers
# with a threshold; ours answers with another one. Count which words pass:

# %% tags=["threshold-traps"]
theirs = from_biopython_pwm.distribution(precision=1000).threshold_fpr(0.01)  # in fine steps
ours = toy.threshold(0.01)
unrounded = np.array([(one_hot(word) * pwm).sum() for word in words])
print(f"Biopython {theirs:.3f} bits: {(unrounded >= theirs - 1e-6).mean():.4f} of all words pass")
print(f"ours      {ours:.3f} bits: {(scores_of_words >= ours).mean():.4f} of all words pass")

# %% [markdown]
# Asked for 0.01, it lets in 0.0156. Ours is the lowest threshold whose rate does *not* exceed what you asked.
#
# **The p-value that cannot be.** MAX has 6 positions. Its best word is one of 4,096.
#
# > **Predict first.** Which threshold gives MAX a p-value of 0.0001?

# %% tags=["threshold-traps"]
max_pwm = rounded(ppm_to_pwm(pfm_to_ppm(jaspar["MA0058.4"].pfm, pseudocount=0.5)))
try:
    score_distribution(max_pwm).threshold(1e-4)
except MotifError as error:
    print(error)
theirs = bio_motifs.Motif(alphabet="ACGT", counts=dict(zip("ACGT", jaspar["MA0058.4"].pfm.T)))
theirs = theirs.counts.normalize(pseudocounts=0.5).log_odds().distribution(precision=1000)
print(f"Biopython's answer: {theirs.threshold_fpr(1e-4):.2f} bits; the highest score: {max_pwm.max(axis=1).sum():.2f}")
print(f"three billion bases hold {3e9 / 4**6:,.0f} CACGTG by chance, if all bases are equally common")

# %% [markdown]
# None. Even if you accept only `CACGTG`, one random window in 4,096 has it. Biopython, like other tools, answers all the same, with the highest possible score, and does not
# say that its p-value is more than twice what you asked.

# %% [markdown]
# ## 9 · Many windows, many chances
#
# A p-value is for one window. A sequence has many. A window that passes the threshold is a **hit**. If each of `n` windows passes with probability `p`, chance gives `n · p` hits on average. If the hits fall like raindrops,
# rarely and independently of each other, their number follows a *Poisson distribution*: the chance of none is exp(-n · p), and of exactly one n · p times that (lesson 10 has more of it).

# %% tags=["expected-hits"]
scores = scan(promoter.sequence, gata4_pwm)  # (2, 16377)
hits = find_hits(scores, gata4_threshold)
rate = random_words.p_value(gata4_threshold)
expected = scores.size * rate
print(f"{scores.size:,} windows x {rate:.6f} = {expected:.1f} hits expected by chance")
print(f"chance of at least one: {1 - np.exp(-expected):.0%}; of one or none: {np.exp(-expected) * (1 + expected):.0%}")
print(f"found: {len(hits.start)}")
for start, strand, score in zip(*hits):
    word = promoter.sequence[start : start + 8]
    word = word if strand == "+" else reverse_complement(word)
    print(f"  {start:6} {strand} {score:6.2f} bits  {word}")

# %% [markdown]
# Fewer than chance gives, which happens in one of six such stretches. Nothing here calls for an explanation.
#
# Could a better threshold help? Suppose that there is *one* true site somewhere in these windows. Before you look, the odds for each window are 1 to 32,753; their logarithm to base 2 is -15 bits. A score says how many times likelier the
# word is in a site than elsewhere; in logarithms, its bits are added. So a word needs 15 bits to be as likely the site as not:

# %% tags=["prior-odds"]
print(f"one site in {scores.size:,} windows: {np.log2(scores.size):.1f} bits are needed for even odds")
print(f"the best possible word of GATA4 has  {gata4_pwm.max(axis=1).sum():.1f} bits")
print(f"an average true site of GATA4 has    {true_sites.scores @ true_sites.probability:.1f} bits")

# %% [markdown]
# Even the best GATA4 word does not reach even odds. The motif does not hold enough information to find one site in 16,384 bases, and no program can change that
# (Schneider and colleagues, 1986).

# %% [markdown] tags=["exercise:choose_threshold"]
# ### Exercise 6 · One expected chance hit
# ●●○ · 10 minutes · why it matters: the same threshold that is strict for a promoter is far too lax for a genome.
#
# Choose the lowest of the given scores at which you expect at most one hit by chance. The expected number of chance hits is the p-value of a score,
# times the number of windows that you score. For a short motif and many windows there may be no such score. Then say so.

# %% tags=["exercise:choose_threshold"]
def choose_threshold(scores, p_values, windows):
    """The lowest score with at most one expected chance hit.

    scores: an array of scores, in bits, from the lowest to the highest.
    p_values: an array as long; the probability that a random window reaches each score. It
        never rises from one score to the next, and may stay the same.
    windows: how many windows are scored; those of both strands are already counted.
    Returns: the score, a number; None if even the highest score is not rare enough.
    """
    ...

# %% tags=["exercise:choose_threshold"]
check.choose_threshold(choose_threshold)

# %% [markdown] tags=["exercise:choose_threshold"]
# <details><summary>Hint</summary>
#
# `zip(scores, p_values)` gives each score with its p-value, the lowest score first. The first one that passes is the answer. What does your
# function give back when the loop ends without any?
#
# </details>
# <details><summary>Solution</summary>
#
# ```python
# def choose_threshold(scores, p_values, windows):
#     for score, p in zip(scores, p_values):
#         if p * windows <= 1:
#             return score
#     return None
# ```
#
# </details>

# %% [markdown]
# Now the whole *locus*, the place of the gene and what is around it: 131,072 bases, both strands, all twelve motifs. The file is fetched once; without a network the cell says so.

# %% tags=["needs-data:gata4", "whole-locus"]
[path] = fetch("gata4")
[locus] = read_fasta(path)
locus_background = background_of(locus.sequence)
print(f"{locus.name}, {len(locus.sequence):,} bases, p = 0.0001")
print("accession  name     found  by chance  true sites that pass")
found = {}  # accession -> p-values of the hits
for motif in jaspar.values():
    motif_ppm = pfm_to_ppm(motif.pfm, pseudocount=0.5)
    motif_pwm = rounded(ppm_to_pwm(motif_ppm, locus_background))
    chance = score_distribution(motif_pwm, locus_background)
    scores = scan(locus.sequence, motif_pwm)
    try:
        threshold = chance.threshold(1e-4)
    except MotifError:
        print(f"{motif.accession:9}  {motif.name:7}  cannot reach this p-value")
        continue
    hits = find_hits(scores, threshold)
    found[motif.accession] = chance.p_value(hits.score)
    expected = scores.size * chance.p_value(threshold)
    recall = score_distribution(motif_pwm, motif_ppm).p_value(threshold)  # of true sites
    print(f"{motif.accession:9}  {motif.name:7}  {len(hits.start):5}  {expected:9.1f}  {recall:8.0%}")

# %% [markdown]
# (Another background than the promoter's gives other weights, so fewer true sites of GATA4 pass here than above.)
#
# Read the line of GATA4: 26 hits, 23 expected from random letters. The number gives no evidence for any real site, and no score tells which hit might be one. A word that arose by chance can still be bound in a test tube. That almost all predicted
# sites are without function in the cell is a second finding, so common that it has a name, the **futility theorem** (Wasserman and Sandelin, 2004). Proteins
# find their places with more than one short word: open chromatin, partners, neighbouring sites. That is what the networks of the later lessons
# try to learn.
#
# Most of the other motifs have more hits than chance gives, SP1 most of all. Careful: "chance" means independent random letters here. Real DNA has
# structure: regions rich in CG, runs of A and T, repeats. Lesson 03 takes a better model of chance and measures, for four of
# these motifs and in the promoter, how much of the surplus remains.
#
# ### Multiple testing
#
# 262,000 windows are 262,000 tests, for each motif. Instead of asking for the p-value of each, one can ask: if I call these hits *discoveries*, which share of them is false, that is, a random word? On average, this is the **false discovery
# rate**. The procedure of **Benjamini and Hochberg** (1995) gives each hit a **q-value**: call all hits with q up to 0.05 discoveries, and the rate is at most 5 percent.

# %% tags=["needs-data:gata4", "whole-locus"]
tests = 2 * (len(locus.sequence) - 8 + 1)  # for width 8; others differ by a few windows
for accession, p_values in found.items():
    q_values = benjamini_hochberg(p_values, tests=tests)
    print(f"{accession:9}  {jaspar[accession].name:7}  smallest q {q_values.min():.3f},", end=" ")
    print(f"discoveries at q = 0.05: {(q_values <= 0.05).sum()}")
all_found = np.concatenate(list(found.values()))
together = benjamini_hochberg(all_found, tests=12 * tests)  # MAX was tried too
print(f"all twelve motifs together: smallest q {together.min():.2f}")

# %% [markdown]
# One motif has discoveries. But you tried twelve. Counted together, as they must be, nothing is left. For short motifs in a long sequence, the answer of statistics is most often that it cannot be decided from
# the sequence alone.
#
# (The procedure is proved for independent tests and for some kinds of dependence. Neighbouring windows, which overlap, are neither; Benjamini and Yekutieli (2001) give a stricter procedure that holds for any
# dependence. And a palindrome shows each site on both strands: count it once.)

# %% [markdown] tags=["exercise:benjamini_hochberg"]
# ### Exercise 7 · Many tests at once
# ●●● · 15 minutes · why it matters: with thousands of windows some p-values are small by chance, and this is the usual way to say which to believe.
#
# Write the rule of Benjamini and Hochberg. Sort the `m` p-values; the smallest has rank 1. The bar for rank `k` is `q * k / m`. Find the *largest*
# p-value that is at most as high as its bar. It and *all smaller ones* are discoveries, even those that missed their own bar.
#
# For example, take 0.01, 0.04, 0.03, 0.5 and q = 0.05. Sorted, they are 0.01, 0.03, 0.04, 0.5, and
# their bars are 0.0125, 0.025, 0.0375, 0.05. Only 0.01 is a discovery. Were 0.035 in place of 0.04, it would pass, and 0.03 with it. (To be a discovery at q is the same as to have a q-value up to q.)

# %% tags=["exercise:benjamini_hochberg"]
def discoveries(p_values, q):
    """Which tests are discoveries at a false discovery rate of q (Benjamini and Hochberg).

    p_values: an array of shape (m,), m at least 1, in any order.
    q: the share of false ones among the discoveries that you accept, such as 0.05.
    Returns: an array of m True and False (dtype bool), in the order of the input; all False
        if no p-value is at most as high as its bar.
    """
    ...

# %% tags=["exercise:benjamini_hochberg"]
check.benjamini_hochberg(discoveries)

# %% [markdown] tags=["exercise:benjamini_hochberg"]
# <details><summary>Hint</summary>
#
# `enumerate(sorted(p_values), start=1)` gives each rank with its p-value. Remember the last one that passed, and let the loop run to its
# end. One comparison of the array, as it came, with that number gives the answer in the right order. Which number do you start with, so
# that nothing is a discovery if none passes?
#
# </details>
# <details><summary>Solution</summary>
#
# ```python
# def discoveries(p_values, q):
#     largest = -1.0  # below every p-value: nothing is a discovery yet
#     for rank, p in enumerate(sorted(p_values), start=1):
#         if p <= q * rank / len(p_values):
#             largest = p
#     return p_values <= largest
# ```
#
# </details>

# %% [markdown]
# ### Explore: the threshold
#
# The promoter again, with all twelve motifs. Slide the threshold, or the p-value: the two sliders hold the same line. Watch the hits on both strands, the number that
# chance would give, and the share of true sites that survives. Zoom in and walk to a hit.
#
# Three things to try: find the threshold at which GATA4 has one chance hit; ask MAX for a p-value of 0.00001; compare SP1 with TBP and say which of them
# the background favours.

# %% tags=["explorer"]
threshold_explorer()

# %% [markdown]
# ## 10 · One letter makes a site
#
# Biology knows no thresholds. Here is an experiment that changed every base of a stretch of 259 bases around the start of the human gene *TERT*, one at a time,
# and measured how strongly each version switches on a gene whose product is easy to count, in a human cell line, HEK293T (Kircher and colleagues, 2019). We scan each version with the motif of
# GABPA, a factor of the family called ETS, and see what a changed letter does to the score. (Mind the assembly: these positions are hg38, those of the *GATA4* locus hg19.)

# %% tags=["needs-data:mpra-saturation", "tert"]
[path] = [path for path in fetch("mpra-saturation") if "TERT" in path.name]
with gzip.open(path, "rt") as file:
    rows = [row for row in csv.DictReader(file, delimiter="\t") if row["Alt"] in "ACGT"]
reference = {int(row["Position"]): row["Ref"] for row in rows}
first = min(reference)
tert = "".join(reference[first + i] for i in range(len(reference)))
print(f"{len(tert)} bases from chr5:{first:,} (hg38), {len(rows)} changed versions")

gabpa_ppm = pfm_to_ppm(jaspar["MA0062.4"].pfm, pseudocount=0.5)
gabpa_pwm = rounded(ppm_to_pwm(gabpa_ppm))  # against a uniform background
gabpa = score_distribution(gabpa_pwm)

# %% tags=["needs-data:mpra-saturation", "tert"]
def best_near(sequence, place):
    """The best score, on either strand, of the windows that contain this place."""
    width = len(gabpa_pwm)
    return scan(sequence, gabpa_pwm)[:, max(0, place - width + 1) : place + 1].max()


effects, rises = [], []
print("position   change  effect  score before -> after  p-value after")
for row in sorted(rows, key=lambda row: -float(row["Value"])):  # sorted by minus the effect: the strongest first
    place = int(row["Position"]) - first
    changed = tert[:place] + row["Alt"] + tert[place + 1 :]
    before, after = best_near(tert, place), best_near(changed, place)
    effects.append(float(row["Value"]))
    rises.append(after - before)
    if len(effects) <= 5:
        print(
            f"{row['Position']}    {row['Ref']} > {row['Alt']}  {effects[-1]:6.2f}  "
            f"{before:12.2f} -> {after:5.2f}  {gabpa.p_value(after):13.5f}"
        )

# %% [markdown]
# The effect is the log2 of the change in activity: 2.0 means four times as much. The two strongest of all 777 changes, at 1,295,113 and 1,295,135, are known from the clinic: many melanomas carry them (Huang and
# colleagues, and Horn and colleagues, 2013). The gene lies on the minus strand, so a doctor writes C > T where we read G > A: C228T and C250T, numbered by hg19.
#
# GABPA is the factor that binds the new sites (Bell and colleagues, 2015). Its motif sees both changes: each raises the score by more than 5 bits.
#
# > **Predict first.** Would you have found these two by scanning the mutated promoter with a threshold for p = 0.0001? And are most changes that raise the score as strong?

# %% tags=["needs-data:mpra-saturation", "tert-limits"]
windows = 2 * (len(tert) - len(gabpa_pwm) + 1)
print(f"threshold for p = 0.0001:              {gabpa.threshold(1e-4):5.2f} bits")
print(f"threshold for 1 chance hit in {windows} windows: {gabpa.threshold(1 / windows):.2f} bits")
rises, effects = np.array(rises), np.array(effects)
print(f"changes that raise the score by 5 bits or more: {(rises >= 5).sum()}", end=", ")
print(f"half of them with an effect below {np.median(effects[rises >= 5]):.2f}")
print(f"correlation of rise and effect over all {len(rises)} changes: {np.corrcoef(rises, effects)[0, 1]:.2f}")

# %% [markdown]
# At p = 0.0001, a habit from whole genomes, both sites are missed: they have 7.43 bits. At a threshold made for 500 windows, both pass. Choose the threshold for the search that you make.
#
# And a rise in score alone says little. Many changes make words that look like ETS sites, and most of these do nothing in this cell line. Over all changes, rise and effect hardly go together. A motif can explain a strong effect after
# you have seen it; to predict effects takes models that see more than one word.

# %% [markdown]
# ## 11 · Your own sequence
#
# Paste DNA between the quotation marks, or read a file of yours with `read_fasta("my_file.fa")[0].sequence`. Motif files can be yours too: `read_motifs` reads JASPAR,
# MEME and TRANSFAC files. (The example holds a few sites, planted by hand. The last column is the number of windows as good that chance would give.)

# %%
my_sequence = "ACGTGGCAGATAAGGCTTATCTGCATTTGCTATAAAAGGCATCACGTGACCAGCAGGGGGCGCTG"
my_motifs = read_motifs(shipped("jaspar_motifs.txt"))

for motif in my_motifs:
    if len(motif.pfm) <= len(my_sequence):
        my_pwm = rounded(ppm_to_pwm(pfm_to_ppm(motif.pfm, pseudocount=0.5)))
        my_scores = scan(my_sequence, my_pwm)
        strand, start = np.unravel_index(my_scores.argmax(), my_scores.shape)
        p = score_distribution(my_pwm).p_value(my_scores.max())
        print(f"{motif.name:7} best at {start:3} {'+-'[strand]} {my_scores.max():6.2f} bits,", end=" ")
        print(f"p = {p:.1e}, by chance {p * my_scores.size:.2g}")

# %% [markdown]
# `threshold_explorer(my_sequence)` slides over your sequence.

# %% [markdown]
# ## Common mistakes
#
# - **A probability matrix called PWM** (M02). Rows that add up to 1 are a PPM; weights have signs. Look at one row.
# - **"0 means identical"** (M01). The logarithm of a product of probabilities is 0 only if every position is certain; the consensus of the toy motif scores -2.12. Log-odds have a meaningful zero.
# - **Natural logarithms called bits.** They are smaller by a factor of 0.69. A conserved base against a uniform background has 2 bits.
# - **No pseudocount with few sites.** One unseen base rules a word out for ever.
# - **One strand.** Half of the sites are on the other one.
# - **A score without a p-value.** 8 bits is a find for one motif and noise for another.
# - **A p-value without a number of windows.** p = 0.0001 in 262,000 windows means 26 hits by chance.
# - **Believing a threshold that cannot be reached.** With equally common bases, 6 positions reach no p-value below 1/4,096.
# - **Many motifs, one correction each.** Twelve motifs are twelve times as many tests.
#
# And four things that no PWM knows, however well you use it: that positions may depend on each other; that a site may have a gap of varying length; how strongly a
# protein binds, and whether it is in this cell at all; what lies beside the word.
#
# ## Recap
#
# Aligned sites are counted (PFM), smoothed and divided (PPM), compared with the background (PWM, in bits). The score of a window is the sum of its weights; scanning is a convolution with the PWM as
# its filter, on both strands. The distribution of scores, computed position by position, gives exact p-values; p times the number of windows gives the hits to expect by chance. Most
# hits of a short motif in a long sequence are chance.
#
# ## Further reading

# %% [markdown] tags=["seed:002-reference-lawrence"]
# - C. E. Lawrence et al. Detecting subtle sequence signals: a Gibbs sampling strategy for multiple alignment. *Science* 262, 208-214 (1993). How to find a motif when the sites are not
#   aligned; the reference that the second of the two lectures gives for PWMs.
# - G. D. Stormo. DNA binding sites: representation and discovery. *Bioinformatics* 16, 16-23 (2000).
# - D. R. Cavener. Comparison of the consensus sequence flanking translational start sites in Drosophila and vertebrates. *Nucleic Acids Research* 15, 1353-1361 (1987).
# - T. D. Schneider, R. M. Stephens. Sequence logos: a new way to display consensus sequences. *Nucleic Acids Research* 18, 6097-6100 (1990).
# - T. D. Schneider et al. Information content of binding sites on nucleotide sequences. *Journal of Molecular Biology* 188, 415-431 (1986).
# - R. Staden. Methods for calculating the probabilities of finding patterns in sequences. *Computer Applications in the Biosciences* 5, 89-96 (1989).
# - H. Touzet, J.-S. Varré. Efficient and accurate P-value computation for position weight matrices. *Algorithms for Molecular Biology* 2, 15 (2007).
# - W. W. Wasserman, A. Sandelin. Applied bioinformatics for the identification of regulatory elements. *Nature Reviews Genetics* 5, 276-287 (2004).
# - Y. Benjamini, Y. Hochberg. Controlling the false discovery rate: a practical and powerful approach to multiple testing. *Journal of the Royal Statistical Society B* 57, 289-300 (1995); Y. Benjamini, D. Yekutieli. The control of the false discovery rate in multiple testing under dependency. *Annals of Statistics* 29, 1165-1188 (2001).
# - I. Rauluseviciute et al. JASPAR 2024: 20th anniversary of the open-access database of transcription factor binding profiles. *Nucleic Acids Research* 52, D174-D182 (2024).
# - M. Kircher et al. Saturation mutagenesis of twenty disease-associated regulatory elements at single base-pair resolution. *Nature Communications* 10, 3583 (2019).
# - F. W. Huang et al. Highly recurrent TERT promoter mutations in human melanoma. *Science* 339, 957-959 (2013); S. Horn et al. TERT promoter mutations in familial and sporadic melanoma. *Science* 339, 959-961 (2013).
# - R. J. A. Bell et al. The transcription factor GABP selectively binds and activates the mutant TERT promoter in cancer. *Science* 348, 1036-1039 (2015).
#
# **Next:** [03 · Simulating sequences](03_simulating_sequences.ipynb), which asks what the best possible classifier could do.
