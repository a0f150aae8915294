# %% [markdown]
# {{ header }}

# %% [markdown]
# ## Why this matters
#
# A network gives you a number. You want to know which letters it rests on: to find the site, to guess what a variant does, to notice when the network has learned the wrong thing. There are many methods, and each *always* draws a picture, even for a network that knows nothing. So you begin with a network whose truth you planted yourself, and only then open one trained on real peaks.

# %% [markdown]
# ## What you will be able to do
#
# - **mutate** a sequence in silico and **read** which letters a network needs;
# - **compute** gradients of a network, **correct** them, and **say** what they leave out;
# - **check** an attribution that promises to be complete;
# - **turn** filters into motifs and **find** them in JASPAR;
# - **recognise** four ways in which an attribution misleads.

# %% tags=["set-up", "nbval-ignore-output"] reason="prints the versions of this machine"
# {{ set-up }}

# %% tags=["imports"]
from collections import Counter

import numpy as np
import torch
from sklearn.metrics import roc_auc_score
from torch import nn
from torch.nn import functional as F
from torch.utils.data import TensorDataset

from course_utils.attribution import deep_lift, integrated_gradients
from course_utils.attribution_logos import attribution_picture
from course_utils.checkpoints import load_weights
from course_utils.datasets import fetch, shipped
from course_utils.exercises import lesson_07 as check
from course_utils.explorers.mutate import mutate_explorer
from course_utils.filter_motifs import filter_pfms, without_filter
from course_utils.interpretation import input_x_gradient, logit_of, mutagenesis, saliency
from course_utils.models import seeded
from course_utils.models.binding import MotifDetector
from course_utils.models.peaks import BothStrandsCNN
from course_utils.motif_matching import best_matches
from course_utils.motifs import consensus, pfm_from_sites, pfm_to_ppm, ppm_to_pwm, read_motifs
from course_utils.plotting import logo_picture
from course_utils.regions import read_regions
from course_utils.scanning import scan
from course_utils.sequences import one_hot
from course_utils.shuffles import shuffle_dinucleotides
from course_utils.simulation import simulate
from course_utils.training import fit, predict

# %% [markdown]
# ## 1 · A network whose truth you know
#
# Make a set like the one of lesson 06: the word `CGACCGAACTCC` at any place of 50 letters, or no word at all. `MotifDetector`, the network with 401 parameters, is perfect on such data. This time you keep the places where the word was planted: they are the truth with which you compare every method.

# %% tags=["planted"]
def to_inputs(sequences):
    return torch.from_numpy(one_hot(list(sequences))).permute(0, 2, 1).float().contiguous()  # (N, 4, L)


site = "CGACCGAACTCC"
word = pfm_to_ppm(pfm_from_sites([site]))  # (12, 4), certain of every letter
drawn = simulate(word, positives=1000, negatives=1000, length=50, rng=np.random.default_rng(1))
inputs = to_inputs(drawn.sequences)  # (2000, 4, 50)
labels = torch.from_numpy(drawn.labels).float()
print(f"{len(inputs)} sequences; the word starts at {drawn.starts[0, 0]} in the first one")

# %% tags=["planted"]
with seeded(1):
    planted = MotifDetector()
fit(
    planted, TensorDataset(inputs, labels), loss=nn.BCEWithLogitsLoss(), epochs=10, batch_size=32,
    optimizer=torch.optim.Adam(planted.parameters(), lr=0.01), generator=torch.Generator().manual_seed(1),
)  # fmt: skip
fresh = simulate(word, positives=1000, negatives=1000, length=50, rng=np.random.default_rng(2))
new_inputs = to_inputs(fresh.sequences)
print(f"AUC on 2,000 new sequences: {roc_auc_score(fresh.labels, predict(planted, new_inputs)):.3f}")

# %% [markdown]
# ## 2 · Ask by changing
#
# What happens to the prediction if this letter is another one? Change every letter to each of the three others, one at a time, and look at the difference. This is **in-silico mutagenesis** (in the computer). Of 50 letters it makes 150 mutants, and the network scores them all.
#
# What is "the prediction"? Take the logit, not the probability: where the network is sure, a probability moves from 0.9999 to 0.999 and looks as if nothing had happened (section 8 shows the same for a gradient).

# %% [markdown] tags=["exercise:mutate_by_hand"]
# ### Exercise 1 · Mutate by hand
# ●○○ · 12 minutes · why it matters: it asks the network only about sequences, and every other method is compared with it.
#
# Write in-silico mutagenesis as a loop. You get a function that scores a sequence (a network's logit, for example), and a sequence. Put
# each of the four letters at each position, one at a time, and note by how much the score changes.

# %% tags=["exercise:mutate_by_hand"]
def mutate_each_letter(score, sequence):
    """Say what each single change of a letter does to the score.

    score: a function from a string of L letters to a number.
    sequence: a string of L letters, A, C, G and T.
    Returns: an array (L, 4), columns A, C, G, T: the score with that letter at that position, less the score
        of the sequence as it is; 0 for the letter that is there.
    """
    ...

# %% tags=["exercise:mutate_by_hand"]
check.mutate_by_hand(mutate_each_letter)

# %% [markdown] tags=["exercise:mutate_by_hand"]
# <details><summary>Hint</summary>
#
# Strings cannot be changed in place, so build each mutant of three pieces: `sequence[:position]`, the new letter, and what comes
# after it. Two loops: over positions, and over `enumerate("ACGT")`. Begin with `np.zeros((len(sequence), 4))`.
#
# </details>
# <details><summary>Solution</summary>
#
# ```python
# def mutate_each_letter(score, sequence):
#     changes = np.zeros((len(sequence), 4))
#     now = score(sequence)
#     for position in range(len(sequence)):
#         for column, letter in enumerate("ACGT"):
#             mutant = sequence[:position] + letter + sequence[position + 1:]
#             changes[position, column] = score(mutant) - now
#     return changes
# ```
#
# It changes one position at a time and sees no further (section 8).
#
# </details>

# %% [markdown]
# The packaged `mutagenesis` does this for many sequences at once. By how much does the logit fall, on average over the three other letters? That says how much the letter that is there is needed. Such numbers, one for each letter of a sequence, are an **attribution**, a map for short. Here it is as a logo:

# %% tags=["mutagenesis"]
effects = mutagenesis(planted, new_inputs[:1000])  # (1000, 4, 50): logit of the mutant less the logit now
need = -effects.sum(dim=1) / 3  # (1000, 50): mean drop over the three other letters
values = (need[0] * new_inputs[0]).T.numpy()  # (50, 4): written at the letter that is there
start = int(fresh.starts[0, 0])
attribution_picture(values, "mutagenesis: what each letter is worth", marks=[(start, start + 12)])

# %% [markdown]
# The box is the truth. Does it work every time, or only in this picture? One picture proves nothing, so take all 1,000 new positives. Where is the stretch of 12 letters that the network needs most?

# %% [markdown] tags=["exercise:find_the_site"]
# ### Exercise 2 · Where is the site?
# ●○○ · 8 minutes · why it matters: a rule that names the place can be tested on a thousand sequences; your eye cannot.
#
# Given the effects of all letters of a sequence, find the stretch of `width` letters with the largest effect altogether. The effect of
# a window is the sum of the *absolute* values in it, over its positions and all four letters.

# %% tags=["exercise:find_the_site"]
def site_start(values, width):
    """Find the window with the largest effect.

    values: an array (L, 4), effects above and below 0.
    width: letters in a window.
    Returns: a whole number, the start of that window, counted from 0.
    """
    ...

# %% tags=["exercise:find_the_site"]
check.find_the_site(site_start)

# %% [markdown] tags=["exercise:find_the_site"]
# <details><summary>Hint</summary>
#
# First one number a position: `np.abs(values).sum(axis=1)`. Then one number a window: how many windows of `width` letters do L letters
# have? `argmax` of these is the start.
#
# </details>
# <details><summary>Solution</summary>
#
# ```python
# def site_start(values, width):
#     effect = np.abs(values).sum(axis=1)
#     windows = len(effect) - width + 1
#     return int(np.argmax([effect[start:start + width].sum() for start in range(windows)]))
# ```
#
# There is always an answer, also for a sequence without a site and for a network that knows nothing.
#
# </details>

# %% [markdown]
# `best_window` does this for many sequences, from one number a position, here the mean over the letters:

# %% tags=["mutagenesis-finds"]
def best_window(need, width=12):
    """Where the window with the largest sum of absolute values starts, for each row of (N, L)."""
    windows = np.lib.stride_tricks.sliding_window_view(np.abs(need), width, axis=1)  # (N, L - width + 1, width)
    return windows.sum(axis=2).round(3).argmax(axis=1)  # rounded, so that the first of equal ones wins everywhere


truth = fresh.starts[:1000, 0]
found = best_window(need.numpy())
print(f"exactly the planted place: {(found == truth).mean():.1%} of 1,000 positives")
print(f"within two letters of it:  {(np.abs(found - truth) <= 2).mean():.1%}")

# %% [markdown]
# All 1,000, to the letter. On a network that learned one clean word, this is what a method has to reach.
#
# ## 3 · Ask by gradient
#
# 150 mutants of 50 letters are few. For the 131,072 letters that a network of lesson 10 reads, there would be 393,216. A gradient is cheaper: one pass forward and one back. In lesson 04 it was the slope of the loss along each weight. Now take the slope of the logit along each *input*: how steeply does it rise if the channel of this letter, at this place, goes up a little? This gradient, four numbers a place, is also called **saliency** (Simonyan and colleagues, 2013, who took absolute values; here the signs stay).

# %% tags=["saliency"]
gradient = saliency(planted, new_inputs[:1])  # (1, 4, 50)
by_hand = new_inputs[:1].clone().requires_grad_()
logit_of(planted, by_hand).sum().backward()
print("the same as the gradient by hand:", torch.allclose(gradient, by_hand.grad))
blind = (gradient[0] == 0).all(dim=0)
print(f"letters without any gradient: {blind.sum()} of 50")
print(f"largest effect of a mutant there: {effects[0][:, blind].abs().max():.1f}")

# %% [markdown]
# Some letters have no gradient. The network keeps the best window of each filter, and none of these windows covers them. Yet a mutant there can move the logit, because it can make another window the best. A gradient does not see this: it asks about small steps only.
#
# And these are steps that DNA cannot take. Half an A, or an A and a C at once, are no sequences: the network has never seen such an input, and nothing in training fixed what it does there. How much is left to chance?
#
# Load the CTCF network of lesson 06, and make a twin. At each position of a filter, add one number to the weights of all four letters, and take it away from the bias. Whatever letter stands there, the weights give this number and the bias takes it off again. So on real sequences nothing changes.

# %% tags=["twin"]
network, twin = BothStrandsCNN(), BothStrandsCNN()  # of lesson 06, trained on CTCF peaks
for model in (network, twin):
    load_weights(model, shipped("ctcf_network.pt"))
with torch.no_grad():
    offsets = torch.linspace(-1, 1, network.conv.kernel_size[0])  # one for each position of the filters
    twin.conv.weight += offsets  # the same for all filters and all four letters
    twin.conv.bias -= offsets.sum()
some_peaks = to_inputs(read_regions(shipped("ctcf_peaks_200.fa")).sequences)  # (200, 4, 100)
change = (logit_of(twin, some_peaks) - logit_of(network, some_peaks)).abs().max()
print(f"the logits of 200 peaks differ by less than 0.001: {bool(change < 1e-3)}")
gradient, other = saliency(network, some_peaks), saliency(twin, some_peaks)
print(f"largest gradient {gradient.abs().max():.1f}; the two differ by up to {(gradient - other).abs().max():.1f}")

# %% [markdown]
# Two networks that agree on every sequence, and two different maps. The twin differs in what happens when all four channels of a place go up together. No DNA goes there: its four channels always add up to 1. The *differences* between the letters of a place are untouched: the gradient of C less that of A is the slope on the way from A to C. So take away, at each place, the mean over the four letters. This is the correction of Majdandzic and colleagues (2023); such a gradient is called *centred* here. It is still a slope at the letter that is there. A mutation goes all the way to another letter, and on the way the slope may change.

# %% [markdown] tags=["exercise:centre"]
# ### Exercise 3 · Take off the mean
# ●○○ · 8 minutes · why it matters: a gradient also speaks of raising all four letters at once, which no DNA can do; this removes it.
#
# A gradient has four numbers at each position of each sequence. A number that is added to all four of them changes no comparison
# between letters. Take it away: at each position, subtract the mean over the four letters. The axes are those of a network's input, so the
# letters are in the middle.

# %% tags=["exercise:centre"]
def take_off_mean(gradient):
    """Subtract the mean over the four letters, at each position of each sequence.

    gradient: a tensor (N, 4, L).
    Returns: a tensor (N, 4, L), of which the four numbers of a position add up to 0.
    """
    ...

# %% tags=["exercise:centre"]
check.centre(take_off_mean)

# %% [markdown] tags=["exercise:centre"]
# <details><summary>Hint</summary>
#
# `gradient.mean(dim=...)`: which of the axes 0, 1, 2 holds the letters? The mean has one axis less, (N, L), and does not fit (N, 4, L) any
# more, or fits it by accident; `keepdim=True` leaves it as (N, 1, L).
#
# </details>
# <details><summary>Solution</summary>
#
# ```python
# def take_off_mean(gradient):
#     return gradient - gradient.mean(dim=1, keepdim=True)
# ```
#
# Test it on `gradient` and `other` of the twins, before you run the next cell: they become the same.
#
# </details>

# %% tags=["centred"]
gradient, other = saliency(network, some_peaks, centred=True), saliency(twin, some_peaks, centred=True)
print(f"after the correction they differ by less than 0.001: {bool((gradient - other).abs().max() < 1e-3)}")

# %% [markdown]
# Now the twins have one map.
#
# ## 4 · Input x gradient, and what adds up
#
# Four numbers a place are hard to read. **Input x gradient** keeps one: that of the letter that is there. (Correct the gradient first.)
#
# What should such numbers mean? A natural wish is that they add up. Their sum should be the logit of the sequence less that of a **reference**, an input that stands for "nothing here". (This is not the reference genome; papers also say *baseline*.) An attribution that does this is **complete**. Input x gradient is not. (After the correction it compares with 0.25 of each letter, so that is its reference.)
#
# **Integrated gradients** are complete (Sundararajan and colleagues, 2017). They average the gradient along the straight way from the reference to the sequence, in many small steps, and multiply it with the difference between the two. Where another window becomes the best, the gradient jumps, and small steps are needed: with `tolerance`, the steps are halved until the values add up. **DeepLIFT** (Shrikumar and colleagues, 2017) needs no steps. It has a rule for each layer in place of the gradient. Both come from the library captum. As reference they get a shuffle of each sequence.

# %% tags=["complete"]
some = new_inputs[:50]  # the first fifty positives
shuffled = shuffle_dinucleotides(fresh.sequences[:50], np.random.default_rng(1))
references = to_inputs(shuffled)  # one for each sequence
wanted = logit_of(planted, some) - logit_of(planted, references)  # (50,)
methods = {
    "integrated gradients, 50 steps": integrated_gradients(planted, some, references, steps=50),
    "the same, until they add up": integrated_gradients(planted, some, references, tolerance=5e-4),
    "DeepLIFT": deep_lift(planted, some, references),
}
flat = logit_of(planted, some) - logit_of(planted, torch.full_like(some, 0.25))
error = (input_x_gradient(planted, some, centred=True).sum(dim=(1, 2)) - flat).abs().max()
print(f"input x gradient, centred, against 0.25 each: misses by up to {error:.0f}")
print(f"differences of the logits from those of shuffles: {wanted.min():.0f} to {wanted.max():.0f}")
for name, attribution in methods.items():
    most = attribution.error.abs().max()
    print(f"{name}: misses by up to {most:.1f}" if most > 1e-3 else f"{name}: misses by less than 0.001")

# %% [markdown]
# Input x gradient misses by up to 16; the whole difference of the first sequence is about 18, as the next table shows. Integrated gradients with 50 steps miss a little; with more steps they add up, and so does DeepLIFT.

# %% [markdown] tags=["exercise:completeness"]
# ### Exercise 4 · Does it add up?
# ●○○ · 8 minutes · why it matters: a promise that can be checked should be checked; few attributions make one.
#
# A complete attribution hands out the difference between the logit of a sequence and that of its reference, no more and no less. Say for each
# sequence by how much it misses that: the sum of its values, less the difference of the two logits. Above 0, too much was handed out.

# %% tags=["exercise:completeness"]
def missed_by(values, logits, reference_logits):
    """Say by how much attributions miss being complete.

    values: a tensor (N, 4, L), what each letter of each sequence is said to be worth.
    logits: a tensor (N,), of the sequences.
    reference_logits: a tensor (N,), of the reference of each.
    Returns: a tensor (N,), 0 where an attribution is complete.
    """
    ...

# %% tags=["exercise:completeness"]
check.completeness(missed_by)

# %% [markdown] tags=["exercise:completeness"]
# <details><summary>Hint</summary>
#
# The sum runs over letters and positions and leaves the sequences alone: `values.sum(dim=(1, 2))` is (N,). What should it be equal to?
#
# </details>
# <details><summary>Solution</summary>
#
# ```python
# def missed_by(values, logits, reference_logits):
#     return values.sum(dim=(1, 2)) - (logits - reference_logits)
# ```
#
# Adding up is a check of the arithmetic, not of the truth: values that are handed out to the wrong letters can add up as well.
#
# </details>

# %% [markdown]
# Complete does not mean true. The values add up whatever the reference is, so the reference decides what they say. Zeros are no DNA; four times 0.25 is none either; a shuffled sequence is, but each shuffle is a different one. So average over 20 of them.

# %% tags=["references"]
one = new_inputs[:1]
choices = {
    "zeros": torch.zeros_like(one),
    "0.25 each": torch.full_like(one, 0.25),
    "20 shuffles": to_inputs(shuffle_dinucleotides([fresh.sequences[0]] * 20, np.random.default_rng(2)))[None],
}  # fmt: skip
for name, reference in choices.items():
    values = integrated_gradients(planted, one, reference).values[0].sum(dim=0)  # (50,)
    inside = values[start : start + 12].abs().sum() / values.abs().sum()
    print(f"{name:12} total {values.sum():5.1f}, {inside:.0%} of the height in the site")

# %% [markdown]
# Three references, three totals. With zeros, a third of the height (the sum of absolute values) stands outside the site; with the two others, a fifth.
#
# ### Seven maps, one table
#
# Which method finds the word most often, and which agrees best with mutagenesis? Take all 1,000 positives. There are seven maps: mutagenesis; the gradient, and input x gradient, each as it is and centred; DeepLIFT with one shuffle of each sequence as reference, and with ten.
#
# > **Predict first.** Which of the seven finds the exact place least often?

# %% tags=["all-methods"]
positives = new_inputs[:1000]
tenfold = [sequence for sequence in fresh.sequences[:1000] for _ in range(10)]  # ten shuffles of each
shuffles = to_inputs(shuffle_dinucleotides(tenfold, np.random.default_rng(3))).unflatten(0, (1000, 10))  # (1000, 10, 4, 50)
maps = {
    "mutagenesis": need,
    "gradient": saliency(planted, positives).abs().sum(dim=1),
    "gradient, centred": saliency(planted, positives, centred=True).abs().sum(dim=1),
    "input x gradient": input_x_gradient(planted, positives).sum(dim=1),
    "input x gradient, centred": input_x_gradient(planted, positives, centred=True).sum(dim=1),
    "DeepLIFT, one shuffle": deep_lift(planted, positives, shuffles[:, 0]).values.sum(dim=1),
    "DeepLIFT, ten shuffles": deep_lift(planted, positives, shuffles).values.sum(dim=1),
}
print("                           place found   like mutagenesis")
for name, values in maps.items():
    alike = F.cosine_similarity(values, need, dim=1).mean()
    print(f"{name:26} {(best_window(values.numpy()) == truth).mean():10.1%} {alike:14.2f}")

# %% [markdown]
# *Like mutagenesis* is the cosine between the two maps, 1 where they are proportional. The two gradients are summed as absolute values over the four letters. On a network that learned one clean word, nearly all methods find the place. Two things to keep:
#
# - Correct the gradient before you multiply it with the input: that is the difference between the fourth and the fifth row.
# - With one shuffle of each sequence as reference, DeepLIFT finds the exact place in half of the cases only. Where the shuffle has the same letter as the sequence, the letter gets no value. If that is the first or the last letter of the word, the best window slides off by one or two. Average over ten, and most are found again.
#
# ## 5 · A network whose truth nobody knows
#
# Now the network of lesson 06, which had the twin in section 3: 48 filters, trained on real CTCF peaks against their shuffles with the same pairs of neighbours.

# %% tags=["needs-data:ctcf-peaks", "ctcf"]
[peak_file] = fetch("ctcf-peaks")
_, held_out = read_regions(peak_file).by_chromosome(test=["chr8", "chr9"])
peak_inputs = to_inputs(held_out.sequences)  # (3299, 4, 100)
logits = predict(network, peak_inputs).numpy()
print(f"{len(held_out):,} peaks that it has never seen; median logit {np.median(logits):.1f}")

# %% tags=["needs-data:ctcf-peaks", "ctcf-logo"]
number = 7
attribution = input_x_gradient(network, peak_inputs[[number]], centred=True)[0].T.numpy()  # (100, 4)
attribution_picture(attribution, f"{held_out.places[number]}, logit {logits[number]:.1f}")

# %% [markdown]
# Letters above the axis speak for a site, letters below against it. A site stands out. Is it the one that JASPAR's matrix would have found? Compare for all test peaks of lesson 06 (chromosomes 8 and 9): the 19 letters that the network needs most, and the best match of the matrix, on either strand. And compare with the match of *another* peak, to see what chance gives.

# %% tags=["needs-data:ctcf-peaks", "ctcf-places"]
motifs = read_motifs(shipped("jaspar_motifs.txt"))
ctcf = next(motif for motif in motifs if motif.accession == "MA0139.1")
pwm = ppm_to_pwm(pfm_to_ppm(ctcf.pfm, 1.0))
best = np.array([scan(sequence, pwm).max(axis=0).argmax() for sequence in held_out.sequences])
values = input_x_gradient(network, peak_inputs, centred=True).sum(dim=1).numpy()
found = best_window(values, width=19)
another = np.random.default_rng(1).permutation(best)  # the match of another peak
for name, place in [("the same peak", best), ("another peak", another)]:
    overlap = np.abs(found - place) < 10
    print(f"beside the match in {name}: overlap by half or more in {overlap.mean():.0%}")

# %% [markdown]
# In 94 percent the network and the matrix point to the same place. 40 percent would do so by chance: that many, because the sites of many peaks lie near the middle.
#
# ## 6 · Filters become motifs
#
# A filter of the first layer slides along the sequence like a PWM (lesson 02), 24 letters wide. What does it look for? Do not read its weights; count, as in lesson 04. In each peak, take the window in which its activation (lesson 04) is highest, on either strand. Where this is more than half of its highest activation in all peaks, the filter *fires* (in lesson 04: is excited), and the window is a site. Lay its sites one above the other, as the filter reads them, and count the letters: a PFM (Alipanahi and colleagues, 2015; Kelley and colleagues, 2016). A filter that is 0 at every peak never fires and has no motif.
#
# The list begins with the largest weights in the last layer. The logo is that of the second filter, which has the most sites of the three.

# %% tags=["needs-data:ctcf-peaks", "filters"]
filters = filter_pfms(network.conv, peak_inputs)
weights = network.linear.weight[0].detach().numpy()  # (48,): what one unit of a filter's activation adds to the logit
print(f"{len(filters)} filters, {sum(found.dead for found in filters)} of them never fire at a test peak")
by_weight = sorted((found for found in filters if not found.dead), key=lambda found: -weights[found.number])
for found in by_weight[:3]:
    print(f"weight {weights[found.number]:.2f}, {found}")

# %% tags=["needs-data:ctcf-peaks", "filters"]
second = by_weight[1]
logo_picture(second.ppm, f"filter {second.number}: {len(second):,} sites in test peaks")

# %% [markdown] tags=["exercise:filter_match"]
# ### Exercise 5 · Name a filter
# ●●● · 25 minutes · why it matters: a filter is an array of numbers until it has a name, and the name has to be looked for at every offset on both strands.
#
# You have a filter's PPM and a few motifs from a database, none narrower than the filter. Lay the filter on each motif, at every start at which
# it fits inside, on either strand. For the strand `"-"`, turn *the motif* around (its reverse complement) and leave the filter as it is. How well
# they fit is the sum of the correlations of the positions (rows): Pearson's r between the four numbers of a filter's row and of the motif's row beside it.

# %% tags=["exercise:filter_match"]
def name_filter(ppm, motifs):
    """Find the motif, the strand and the place where a filter fits best.

    ppm: an array (width, 4), the filter's probabilities; no row is 0.25 throughout.
    motifs: a dictionary from names to arrays (W, 4), each with W >= width.
    Returns: three things: the name; "+" for the motif as it stands or "-" for its reverse complement; and the
        row of the motif, read on that strand, that lies beside the filter's row 0.
    """
    ...

# %% tags=["exercise:filter_match"]
check.filter_match(name_filter)

# %% [markdown] tags=["exercise:filter_match"]
# <details><summary>Hint</summary>
#
# The reverse complement of a motif is `motif[::-1, ::-1]`: with the columns A, C, G, T, turning them around exchanges A with T and C with G.
# Three loops, one in the other: motifs, strands, starts. `np.corrcoef(a, b)[0, 1]` is r. Keep the best with its three names, or put all in a
# list of tuples with the sum first and take `max`.
#
# </details>
# <details><summary>Solution</summary>
#
# ```python
# def name_filter(ppm, motifs):
#     width, found = len(ppm), []
#     for name, motif in motifs.items():
#         for strand, read in [("+", motif), ("-", motif[::-1, ::-1])]:
#             for start in range(len(read) - width + 1):
#                 total = sum(np.corrcoef(ppm[row], read[start + row])[0, 1] for row in range(width))
#                 found.append((total, name, strand, start))
#     return max(found)[1:]
# ```
#
# There is a best match for any filter, also for noise. How good is it by chance? `best_matches` of `course_utils.motif_matching` adds a
# p-value, and lets a filter hang over the ends of a motif. (For the minus strand it turns the filter around, not the motif, so its
# offsets count from the motif's own first row.)
#
# </details>

# %% [markdown]
# `best_matches` does this for each motif of a file, and lets a filter hang over the ends. It follows the program Tomtom (Gupta and colleagues, 2007). The p-value (lesson 02) of a match, times the number of motifs in the file, is its **E-value**: how many of twelve motifs, made of positions drawn at random from the file, would fit as well. For one filter 0.05 is a usual limit. You ask for 48 filters (three have nothing to compare), so be 48 times as strict: an E of at most 0.05 / 48.

# %% tags=["needs-data:ctcf-peaks", "jaspar-hit"]
hits = {found.number: best_matches(found.ppm, motifs)[0] for found in by_weight}
print("filter  weight  sites  best in JASPAR           E  consensus")
for found in by_weight[:6]:
    hit = hits[found.number]
    name, weight = f"{hit.motif.name} {hit.motif.accession}", weights[found.number]
    print(f"{found.number:6} {weight:7.2f} {len(found):6,}  {name:15} {hit.e_value:10.0e}  {consensus(found.pfm)}")
names = Counter(hit.motif.name if hit.e_value <= 0.05 / len(filters) else "no match" for hit in hits.values())
print(dict(names))
unmatched = [number for number, hit in hits.items() if hit.e_value > 0.05 / len(filters)]
print(f"of those without a match, {sum(weights[number] < 0 for number in unmatched)} have a negative weight")

# %% [markdown]
# The motif that you read from the network is CTCF: it is the best match of 19 filters (two of the twelve matrices of the file are CTCF's), and none of the ten others matches any filter. And the network was never shown a matrix. How much of this comes from the peaks in which you counted? Section 8 asks. Three warnings already:
#
# - **A filter is a piece.** Each of them holds another stretch of the motif, shifted and on either strand.
# - **Its weights are no PWM.** They are not in bits; the next layer may turn their sign; and the twin of section 3 has other weights and is the same network. Count what a filter fires at.
# - **No match does not mean no meaning.** 26 filters match none of our twelve matrices; JASPAR has many more. Most of the 26 have a negative weight: where they fire, the logit falls.
#
# Which filter matters? Silence one at a time:

# %% tags=["needs-data:ctcf-peaks", "redundant-filters"]
shuffled_peaks = to_inputs(shuffle_dinucleotides(list(held_out.sequences), np.random.default_rng(4)))
both, is_peak = torch.cat([peak_inputs, shuffled_peaks]), np.repeat([1, 0], len(held_out))
print(f"AUC of the network {roc_auc_score(is_peak, predict(network, both)):.3f}")
for found in by_weight[:4]:
    area = roc_auc_score(is_peak, predict(without_filter(network, found.number), both))
    print(f"without filter {found.number:2}: {area:.3f}")
silent = network
for of_ctcf in (n for n, hit in hits.items() if hit.e_value <= 0.05 / len(filters)):
    silent = without_filter(silent, of_ctcf)
print(f"without all that match CTCF: {roc_auc_score(is_peak, predict(silent, both)):.2f}")

# %% [markdown]
# None of the four is missed much: the AUC falls by 0.002 at most. Without all 19 that match CTCF it falls to 0.62. So while one was silent, others of the 19 had stepped in. Silencing one filter says what the rest cannot do without it, and no more.
#
# ## 7 · Explore
#
# Fifteen peaks of chromosomes 8 and 9. Move along a peak with the arrow keys, and change the letter under the cursor. The dot of each letter is what the network says of it; the ring is what the gradient of the sequence as shown promises.
#
# - Find the letter whose change hurts most. Is it the tallest of the logo? (Where its four dots coincide, a letter does not matter.)
# - Where do dot and ring disagree, and why? (Think of a maximum over places.)
# - Spoil the site with as few changes as you can. How many does it take to bring the logit below 0? Does another site step in?
# - Untick *centred gradient*. Which letters change?
# - Compare the strands in the line above the logo: this network must say the same of both.
# - *undo all mutations* shows the original; untick it and your mutations are back.

# %% tags=["explorer"]
chosen = read_regions(shipped("ctcf_peaks_200.fa")).by_chromosome(test=["chr8", "chr9"])[1]
mutate_explorer(network, {str(place): letters for place, letters in zip(chosen.places, chosen.sequences)})

# %% [markdown]
# ## 8 · Where attributions mislead
#
# **Two sites.** Plant the word once in a sequence without it, then once more.
#
# > **Predict first.** How much does the logit fall if you spoil one letter of the first site, with and without the second?

# %% tags=["redundancy"]
empty = fresh.sequences[1003]  # a negative
one_site = empty[:5] + site + empty[17:]
two_sites = one_site[:30] + site + one_site[42:]
for name, letters in [("no site", empty), ("one site", one_site), ("two sites", two_sites)]:
    x = to_inputs([letters])
    effect = -mutagenesis(planted, x)[0].sum(dim=0) / 3  # (50,)
    logit, worth = logit_of(planted, x).item(), effect[5:17].max()
    print(f"{name:10} logit {logit:5.1f}; the most that a letter of the first place is worth: {worth:.1f}")

# %% [markdown]
# With two sites the best letter of the first is worth 1.1 in place of 5.3: the other site steps in. One mutation at a time asks what is *necessary*, and of two good copies neither is. The network counts each filter's best match once, so this is the truth about the network, and still not what you wanted to know. Read the three lines upwards: without the second site the logit is still 7.6, without both it is far below 0. So spoil both sites at once, or put one into a sequence that has none.
#
# **The probability in place of the logit.** The network is sure of the one site. Take the gradient of the probability instead:

# %% tags=["saturation"]
x = to_inputs([one_site]).requires_grad_()
probability = torch.sigmoid(logit_of(planted, x))
[slope] = torch.autograd.grad(probability.sum(), x)
print(f"probability {probability.item():.3f}; its largest gradient {slope.abs().max():.3f}")
print(f"largest gradient of the logit {saliency(planted, x).abs().max():.1f}")

# %% [markdown]
# Where the sigmoid is flat, nothing seems to matter. So explain the logit.
#
# **A network that learned the negatives.** Half of the positives have the word here; all of them have more G and C than the negatives, as peaks have. Train the same network on them (the labels are those of section 1: 1,000 and 1,000), and ask it where the word is.

# %% tags=["wrong-negatives"]
rich = [0.18, 0.32, 0.32, 0.18]  # A, C, G, T: 64 percent G and C
half = simulate(word, positives=500, negatives=500, length=50, background=rich, rng=np.random.default_rng(2))
# simulate wants a positive; leave it out
uniform = simulate(word, positives=1, negatives=1000, length=50, rng=np.random.default_rng(3)).sequences[1:]
with seeded(1):
    misled = MotifDetector()
fit(
    misled, TensorDataset(to_inputs(half.sequences + uniform), labels), loss=nn.BCEWithLogitsLoss(),
    optimizer=torch.optim.Adam(misled.parameters(), lr=0.01), epochs=10, batch_size=32,
    generator=torch.Generator().manual_seed(1),
)  # fmt: skip
new = simulate(word, positives=1000, negatives=1000, length=50, background=rich, rng=np.random.default_rng(5))
others = simulate(word, positives=1, negatives=1000, length=50, rng=np.random.default_rng(6)).sequences[1:]
for name, rich_ones in [("with the word", new.sequences[:1000]), ("without the word", new.sequences[1000:])]:
    area = roc_auc_score(np.repeat([1, 0], 1000), predict(misled, to_inputs(rich_ones + others)))
    print(f"AUC of GC-rich sequences {name} against uniform ones: {area:.2f}")

# %% tags=["wrong-negatives"]
asked = to_inputs(new.sequences[:1000])  # rich in G and C, with the word
places = new.starts[:1000, 0]
for name, model in [("section 1", planted), ("misled", misled)]:
    need_now = -mutagenesis(model, asked).sum(dim=1).numpy() / 3  # (1000, 50)
    near = np.abs(best_window(need_now) - places) <= 2
    height = np.abs(need_now)
    inside = sum(row[at : at + 12].sum() for row, at in zip(height, places)) / height.sum()
    print(f"{name:9} place found within two letters: {near.mean():.0%}; height inside it: {inside:.0%}")

# %% [markdown]
# The AUC against uniform negatives is 1.00, and still high where there is no word at all. The tallest stretch does not give the fault away: in nine of ten sequences it is the word. The rest of the map does. Nearly half of the height stands outside the word; the network of section 1 has a tenth there, on the same sequences. The misled one has learned that G and C speak for a positive, as the second AUC says. So look at the rest of a map, too, not at its tallest stretch alone.
#
# **A network that knows nothing.** Draw the peak of section 5 again, with a network that was never trained.
#
# > **Predict first.** Will its map look different? How could you tell?

# %% tags=["needs-data:ctcf-peaks", "untrained"]
with seeded(1):
    untrained = BothStrandsCNN()
attribution = input_x_gradient(untrained, peak_inputs[[number]], centred=True)[0].T.numpy()  # (100, 4)
attribution_picture(attribution, f"{held_out.places[number]}, a network that was never trained")

# %% [markdown]
# There is a picture, with tall letters and short ones, and you could find a motif in it. Only the axis warns you: a twentieth of a logit, where the trained network had 6. Compare the maps of all peaks with the matrix, as in section 5:

# %% tags=["needs-data:ctcf-peaks", "untrained"]
values = input_x_gradient(untrained, peak_inputs, centred=True).sum(dim=1).numpy()
overlap = np.abs(best_window(values, width=19) - best) < 10
print(f"untrained, beside the match in the same peak: overlap by half or more in {overlap.mean():.0%}")

# %% [markdown]
# The untrained network does no better than chance. And its filters? Make motifs of them as in section 6, once from peaks and once from shuffled peaks, where hardly a site is left:

# %% tags=["needs-data:ctcf-peaks", "untrained"]
print("filters that match CTCF    counted on peaks   on shuffled peaks")
for name, model in [("trained", network), ("untrained", untrained)]:
    counts = []
    for sequences in (peak_inputs, shuffled_peaks):
        found = [best_matches(f.ppm, motifs)[0] for f in filter_pfms(model.conv, sequences) if not f.dead]
        counts.append(sum(hit.motif.name == "CTCF" and hit.e_value <= 0.05 / len(filters) for hit in found))
    print(f"{name:9} {counts[0]:32} {counts[1]:18}")

# %% [markdown]
# Even the filters of section 6 have to be read with care: one of the *untrained* filters "matches" CTCF, because what you count is cut out of peaks, which hold CTCF sites. Counted on shuffled peaks, the untrained network has none and the trained one still has 13. So compare with an untrained network, or count where the motif is not. (Adebayo and colleagues, 2018, found methods whose pictures hardly change when a network's weights are replaced by random ones.)
#
# And the last warning: an attribution explains *the network*, not the cell. Whether the cell needs these letters, only an experiment can say.

# %% [markdown]
# ## Common mistakes
#
# - **One picture as proof.** Plant a truth and count how often a method finds it.
# - **A gradient taken for an effect.** It speaks of inputs that are no DNA; take the mean over the letters away, and compare with mutants.
# - **Probabilities explained instead of logits.** Where the network is sure, nothing seems to matter.
# - **Complete taken for true.** Values add up for every reference.
# - **A filter's weights read as a PWM.** Count what it fires at.
# - **What the network uses taken for what the cell uses.** It saw your negatives, too.
#
# ## Recap
#
# Mutants ask the network only about sequences, and everything else is compared with them. Gradients cost little, and need the mean over the letters taken away. Complete attributions add up to a difference that the reference decides. Filters become motifs by counting what they fire at, and a motif gets its name with an E-value. Plant a truth, and you can count where a method fails. Where nobody knows the truth, compare with an untrained network, look at the whole map, and look for a second site.
#
# ## Further reading
#
# - K. Simonyan, A. Vedaldi, A. Zisserman. Deep inside convolutional networks: visualising image classification models and saliency maps. *arXiv* 1312.6034 (2013).
# - A. Shrikumar, P. Greenside, A. Kundaje. Learning important features through propagating activation differences. *International Conference on Machine Learning* (2017).
# - B. Alipanahi, A. Delong, M. T. Weirauch, B. J. Frey. Predicting the sequence specificities of DNA- and RNA-binding proteins by deep learning. *Nature Biotechnology* 33, 831-838 (2015).
# - M. Sundararajan, A. Taly, Q. Yan. Axiomatic attribution for deep networks. *International Conference on Machine Learning* (2017).
# - A. Majdandzic, C. Rajesh, P. K. Koo. Correcting gradient-based interpretations of deep neural networks for genomics. *Genome Biology* 24, 109 (2023).
# - J. Adebayo et al. Sanity checks for saliency maps. *Advances in Neural Information Processing Systems* 31 (2018).
# - S. Gupta, J. A. Stamatoyannopoulos, T. L. Bailey, W. S. Noble. Quantifying similarity between motifs. *Genome Biology* 8, R24 (2007).
# - D. R. Kelley, J. Snoek, J. L. Rinn. Basset: learning the regulatory code of the accessible genome with deep convolutional neural networks. *Genome Research* 26, 990-999 (2016).
#
# **Next:** [08 · Network families](08_network_families.ipynb), which compares other families of networks, on equal terms.
