# %% [markdown]
# {{ header }}

# %% [markdown]
# ## Why this matters
#
# You have a network that can see 32,785 letters. Does it *use* what is far away? A curve of the loss cannot tell, and neither can one good-looking window. In this lesson you train it, with fewer channels, and you judge it as you would judge somebody else's: against the best that is possible, against a network without reach, and against a rule that counts CpGs.
#
# First on a simulated genome, where enhancers act over tens of bins and you know every rate. Then on real human measurements of where transcripts start, where you will see how little twenty windows can teach, and how to find that out.

# %% [markdown]
# ## What you will be able to do
#
# - **read** long windows and their tracks from TFRecord and HDF5 files, and **write** them to HDF5, to be read a slice at a time;
# - **explain** and **write** the Poisson loss, its offset and the learning-rate schedule, and **explain** the clipping of gradients;
# - **enlarge** a training set by shifts and reverse complements, without harm;
# - **train** a long-range network, **resume** it, and **predict** with it;
# - **judge** predicted tracks by correlation per track, beside baselines and a ceiling, and **say** what they do not show.

# %% tags=["set-up", "nbval-ignore-output", "seed:001-versions"] reason="prints the versions of this machine"
# {{ set-up }}

# %% tags=["imports"]
import json
import math
import subprocess
import sys
import tempfile
from pathlib import Path

import h5py
import matplotlib.pyplot as plt
import numpy as np
import torch
from torch.utils.data import TensorDataset

from course_utils.augmentation import Augmentation, reverse_complement, shift
from course_utils.checkpoints import load_weights
from course_utils.datasets import fetch, shipped
from course_utils.exercises import lesson_10 as check
from course_utils.explorers.tracks import marks_of, tracks_explorer, tracks_picture
from course_utils.genomes import make_genome, simulate_genome
from course_utils.hdf5_windows import HDF5Windows, write_windows
from course_utils.intervals import paired_interval
from course_utils.losses import log_poisson
from course_utils.models import seeded
from course_utils.models.basenji import Basenji
from course_utils.plotting import picture_of
from course_utils.schedules import cosine
from course_utils.shared_words import shared_kmers
from course_utils.tfrecords import read_basenji
from course_utils.tracks import constant_rates, fit_composition, pearson_per_track, poisson_loss, r2_per_track
from course_utils.training import fit, predict
from course_utils.training_log import read_log

# %% [markdown] tags=["seed:001-assays", "M32"]
# ## 1 · What is measured along a genome
#
# Many kinds of experiments give a number for every place of a genome; here are three. Each ends in sequencing: short reads are mapped to the genome and counted.
#
# - ChIP-seq (lesson 01) pulls down one protein with the DNA that it sits on: counts are high where it binds, or, for a histone with a certain mark, where the mark is.
# - **DNase-seq** cuts DNA where it lies open: counts are high where regulators can get at it.
# - **CAGE** (cap analysis of gene expression) reads the first letters of transcripts: counts are high where transcription *starts*. The more transcripts, the higher.
#
# A line of such counts along the genome is a **track**. One of our source lectures, the Japanese one of lesson 09, predicts ten CAGE tracks; in several places its text calls them ChIP-seq, and it gives the length of a window as 130,172, where the data have 131,072, which is $2^{17}$ (mistake M32). A window must be a whole number of bins:

# %% tags=["M32"]
for length in (130_172, 131_072):
    print(f"{length:,} letters are {length / 128:,} bins of 128")

# %% [markdown]
# Here are real ones, from the test files of the Basenji project: 20 windows of human DNA and their ten CAGE tracks. Each window is twice as long as the lecture's: 262,144 letters, 2,048 bins. The file format is TFRecord, which comes from TensorFlow; the package reads it without TensorFlow. `read_basenji` gives `Windows`: sequences and their tracks, side by side.

# %% tags=["needs-data:basenji-cage", "real-windows"]
cage = read_basenji(fetch("basenji-cage"))
print("one-hot", cage.one_hot.shape, cage.one_hot.dtype, " tracks", cage.tracks.shape, cage.tracks.dtype)
print(f"bins at 0: {(cage.tracks == 0).mean():.0%}; largest number {cage.tracks.max():g}")

# %% tags=["needs-data:basenji-cage", "seed:001-bar-plot"]
figure, panels = plt.subplots(3, 1, figsize=(9, 4.5), sharex=True)
for track, axes in enumerate(panels):
    axes.bar(np.arange(cage.tracks.shape[1]), cage.tracks[8, :, track], width=3, color="#0072B2")
    axes.set_ylabel(cage.labels[track])
panels[-1].set_xlabel("bin of 128 letters")
largest = [f"{cage.tracks[8, :, t].max():.0f} in {cage.labels[t]}" for t in range(3)]
places = [int(cage.tracks[8, :, t].argmax()) for t in range(3)]
picture_of(figure, f"Three CAGE tracks of one window as bars: a few narrow peaks above many low bars and gaps. The highest: {', '.join(largest)}, in bins {places}.")

# %% tags=["needs-data:basenji-cage", "real-windows"]
flat = cage.tracks.reshape(-1, 10)  # all bins of all windows, 10 tracks
squares = np.sort((flat - flat.mean(axis=0)) ** 2, axis=0)[::-1]
share = (squares[: len(flat) // 100].sum(axis=0) / squares.sum(axis=0)).mean()
print(f"one percent of the bins holds {share:.0%} of a track's variance")
print(f"whole numbers among those above 0: {np.mean(flat[flat > 0] % 1 == 0):.2%}")

# %% [markdown] tags=["seed:001-how-made"]
# Most bins are nearly empty, and a few are very full: one bin in a hundred decides any correlation of these numbers. Hardly one of them is whole, so these are no raw counts: somebody scaled or smoothed them. The loss of section 4 takes them all the same. The largest is 100, which looks like a cut-off.
#
# How is such a set made? From a genome (a FASTA file) and a file of counts for each experiment (often BigWig): choose windows, leave out gaps and places where reads cannot be mapped, add up the counts of each 128 letters, and split the windows by chromosome (`Windows.by_chromosome` does that, where the places are known).

# %% [markdown] tags=["M05"]
# ### Which column is which base?
#
# The file does not say. The lecture's text has the columns in the order A, T, C, G (mistake M05 of lesson 01). You can ask the DNA itself: in vertebrate genomes one pair of neighbours, C followed by G (a CpG), is much rarer than its letters suggest (lesson 03). Count all pairs of columns:

# %% tags=["needs-data:basenji-cage", "M05"]
first, second = cage.one_hot[:, :-1], cage.one_hot[:, 1:]
pairs = np.array([[(first[..., a] & second[..., b]).mean() for b in range(4)] for a in range(4)])  # their shares
ratio = pairs / np.outer(pairs.sum(axis=1), pairs.sum(axis=0))  # 1: as often as the letters suggest
row, column = divmod(ratio.argmin(), 4)
print(np.round(ratio, 2))
print(f"rarest: column {row} before column {column}, {ratio.min():.2f} times what its letters suggest")

# %% [markdown]
# Column 1 before column 2: C and G, as in A, C, G, T. In the lecture's order they would be columns 2 and 3. (This is a file of the Basenji project; ask the lecture's file the same way, should you have it. The test cannot tell A from T; a known sequence could.)
#
# ## 2 · A genome whose rules we know
#
# What a network can learn shows best where you know the answer. The package simulates a genome in which distance matters:
#
# - Promoters are bins with four copies of one word of 12 letters (each letter kept with probability 0.94). Transcripts start there.
# - Enhancers are bins with six copies of one of two other words, that of group A or that of group B. They stand at least 10 bins away from promoters. Those of group A act on the tracks A1 to A5, those of group B on B1 to B5, as in two cell types.
# - The **rate** of a bin is the count to expect there: 0.3, and 4 more at a promoter (1.6 beside it). The nearest enhancer of the track's group multiplies this sum, at a distance of $d$ bins by `10 ** exp(-d / 30)`: by 10 in its own bin, by 2.3 thirty bins away. In its own bin it also adds 6.
# - The counts follow a **Poisson distribution**: given the rate, each bin's count is luck.

# %% tags=["simulated-genome"]
rng = np.random.default_rng(3)
genome = make_genome(rng)  # the words of promoters and enhancers; the same for all windows
parts = {name: simulate_genome(count, genome, rng=rng) for name, count in [("train", 512), ("valid", 64), ("test", 128)]}
test = parts["test"]
print("one-hot", test.windows.one_hot.shape, " tracks", test.windows.tracks.shape)
for element in test.elements_of(77):
    print(f"bin {element.bin:3}: {element.kind:8} {element.word}")

# %% tags=["simulated-genome"]
tracks_picture(test.windows.tracks, {"the true rate": test.rate}, window=77, track=0, labels=test.windows.labels, marks=marks_of(test))

# %% [markdown]
# A promoter (P) with an enhancer of its track's group (A) nearby gives high counts, a lonely one low counts. From the promoter alone you cannot tell.
#
# ### Two ceilings
#
# You know every rate, and no model can do better than predict it; what is left is the luck of the counts. Measure this ceiling as you will measure the networks, by **Pearson's r**: the correlation of prediction and count, over all windows and bins of a track.
#
# For a second ceiling, suppose that you see only 8 bins to either side, as a network without dilation will. From a promoter, every enhancer is farther away. So you know where promoters are, but must take the average over what enhancers might do.

# %% tags=["ceilings"]
counts = test.windows.tracks
ceiling = pearson_per_track(counts, test.rate).mean()
local_ceiling = pearson_per_track(counts, test.local_rate).mean()
print(f"ceiling, knowing the rates:              r = {ceiling:.3f}")
print(f"local ceiling, seeing 8 bins each way:   r = {local_ceiling:.3f}")

# %% [markdown]
# Between the two lies what only reach can give.
#
# ## 3 · A file that is larger than the memory
#
# The lecture's data are one file of 567 MB, `seq.h5`, with 5,000 windows for training, 500 for validation and 500 for the test. It is in **HDF5**, a format that holds named arrays and lets you read slices of them. Unpacked, the training sequences alone are 2.6 GB, and as the 32-bit numbers that a network wants, four times that. So a program must never read it whole.
#
# Write the simulated genome to a file with the same names and axes, and look inside, as the lecture does. (`|S2` is text of up to two letters, `float16` a number in 16 bits.)

# %% tags=["hdf5", "seed:001-h5-keys", "seed:001-download"]
folder = tempfile.TemporaryDirectory()
path = Path(folder.name) / "genome.h5"
write_windows(path, {name: part.windows for name, part in parts.items()})
with h5py.File(path) as file:
    for key in file:
        print(f"{key:14} {str(file[key].shape):18} {file[key].dtype}")

# %% tags=["hdf5"]
train_set, valid_set, test_set = (HDF5Windows(path, split) for split in parts)
inputs, tracks = train_set[0]  # one slice is read, now
print("a window:", inputs.shape, inputs.dtype, " its tracks:", tracks.shape, tracks.dtype)
quarter = HDF5Windows(path, "train", fraction=0.25)
print("all training windows:", len(train_set), " a quarter of them:", len(quarter))

# %% [markdown] tags=["seed:001-ratio"]
# To try things out quickly, the lecture offers `ratio=10` for a tenth of the data; here that is `fraction=0.1`.
#
# ## 4 · The loss: how surprised is a Poisson?
#
# Reads are counted, and large counts scatter more than small ones: 4 where 2 was expected is nothing, 400 where 200 was expected is a message. The Poisson distribution knows this. The network gives the logarithm of the expected count, $s$; so a count can never be expected to be negative. The log-Poisson loss is minus the logarithm of the Poisson probability of the count $t$, less what does not depend on the network:
#
# $$e^{s} - t\,s$$
#
# Its minimum is at $s = \log t$, and is in general *not* 0: it is $t - t \log t$. The lecture takes this **offset** off, so that the loss is 0 where each rate equals its count. (Nobody gets there. Counts are luck, and even the true rates have a loss; you will print it in section 7.) But its text says that the minimum is $t \log t$ (mistake M26). Its code has the right formula; for empty bins it takes the logarithm of 0, and what comes out is 0 by luck.

# %% [markdown] tags=["exercise:log_poisson"]
# ### Exercise 1 · A loss that is 0 at the best rates
# ●●○ · 15 minutes · why it matters: without the offset, the loss has no zero to start from, and can be negative.
#
# A network predicts `s`, the log of the expected count; `t` was counted. Take `exp(s) - t * s` for each bin, and subtract the offset, its
# smallest value for that `t`. Many bins have a count of 0, and log(0) is a trap.

# %% tags=["exercise:log_poisson"]
def log_poisson_loss(log_rates, counts):
    """Say how far predicted rates are from counts, 0 if each rate is its count.

    log_rates: an array (N, bins, T), natural logs of the expected counts.
    counts: an array (N, bins, T), from 0 up; coverage, so 0.5 is a count, too.
    Returns: one number, the mean over all of exp(s) - t s minus its smallest value for that t.
    """
    ...

# %% tags=["exercise:log_poisson"]
check.log_poisson(log_poisson_loss)

# %% [markdown] tags=["exercise:log_poisson"]
# <details><summary>Hint</summary>
#
# The slope of `exp(s) - t * s` in `s` is `exp(s) - t`. Where is it 0? Put that `s` in. For the trap: which number could stand in
# place of 0 inside the log, so that `t * log(...)` comes out as 0 anyway? `np.where(counts > 0, counts, ...)` puts it there.
#
# </details>
# <details><summary>Solution</summary>
#
# ```python
# def log_poisson_loss(log_rates, counts):
#     smallest = counts - counts * np.log(np.where(counts > 0, counts, 1))
#     return np.mean(np.exp(log_rates) - counts * log_rates - smallest)
# ```
#
# The slope is 0 where exp(s) = t, so s = log t, and there the loss is t - t log t. For tensors, `torch.xlogy(t, t)` is t log t with
# 0 for a count of 0.
#
# </details>

# %% tags=["M26", "seed:001-log-poisson"]
s = np.linspace(-3, 3.5, 200)
figure, axes = plt.subplots(figsize=(6.5, 3))
for t, style in [(0, ":"), (1, "--"), (5, "-"), (20, "-.")]:
    t_log_t = t * np.log(t) if t else 0
    axes.plot(s, np.exp(s) - t * s - (t - t_log_t), style, label=f"count {t}")
    print(f"count {t:2}: smallest e^s - t s = {t - t_log_t:7.3f};  t log t = {t_log_t:6.3f}")
for expected, t in [(1, 5), (16, 20)]:
    print(f"count {t:2} where {expected:2} was expected: loss {expected - t * np.log(expected) - (t - t * np.log(t)):.2f}")
axes.set(xlabel="s, logarithm of the expected count", ylabel="loss", ylim=(-0.5, 12))
_ = axes.legend()
picture_of(figure, "Loss against s for counts of 0, 1, 5 and 20, less the offset: the curves of 1, 5 and 20 touch 0 at the logarithm "
           "of their count; that of 0 comes near 0 at the left and never reaches it.")  # fmt: skip

# %% [markdown]
# For a count of 5 the smallest value is -3.047, and t log t is 8.047. With the right offset taken off, the curves of 1, 5 and 20 touch 0, and that of 0 comes ever nearer to it on the left. Four too many cost 4.05 where 1 was expected, and 0.46 where 16 were.
#
# ## 5 · The schedule
#
# The learning rate is the size of the steps (lesson 04). Large steps find the right region, small steps settle in it. A **cosine schedule** goes from large to small: the factor is $\frac{1}{2}(1 + \cos \varphi)$, and $\varphi$ runs from 0 to 180 degrees. (The lecture's text says 90, its code does 180: mistake M30. In this formula, 90 degrees would end at half of the learning rate.) A **warm-up** begins with smaller steps: Adam judges the length of its steps by averages over past gradients, and at first there are hardly any.

# %% [markdown] tags=["exercise:cosine_with_warmup"]
# ### Exercise 2 · Cosine with warm-up
# ●●○ · 10 minutes · why it matters: large steps first, small ones at the end; most long trainings today do it this way.
#
# During the first `warmup` steps the learning rate climbs evenly; then it falls along half a wave of a cosine, from 0 to 180
# degrees. Compute what it is multiplied with. The way from 0 to 1 has `warmup + 1` equal parts: step 0 takes the first of them,
# so that it is not wasted, and step `warmup` arrives at 1. From there the factor falls so that it would be 0 at step `steps`,
# which is no longer taken.

# %% tags=["exercise:cosine_with_warmup"]
def factor(step, steps, warmup):
    """Say what the learning rate is multiplied with in a step.

    step: which one, counted from 0.
    steps: how many there are in all, the warm-up included.
    warmup: how many steps belong to the warm-up, 0 or more and fewer than `steps`.
    Returns: a number above 0 and at most 1; for steps 0 to 3 of 5 with warmup 1, it is 0.5, 1.0,
        0.8536, 0.5.
    """
    ...

# %% tags=["exercise:cosine_with_warmup"]
check.cosine_with_warmup(factor)

# %% [markdown] tags=["exercise:cosine_with_warmup"]
# <details><summary>Hint</summary>
#
# Two cases: `step < warmup` or not. In the second, what share of the steps after the warm-up is behind us? Times `math.pi`, that is the
# angle. Its cosine goes from 1 to -1; how do you bring that to 1 and 0?
#
# </details>
# <details><summary>Solution</summary>
#
# ```python
# def factor(step, steps, warmup):
#     if step < warmup:
#         return (step + 1) / (warmup + 1)
#     share = (step - warmup) / (steps - warmup)
#     return 0.5 * (1 + math.cos(math.pi * share))
# ```
#
# </details>

# %% tags=["M30", "seed:001-cosine"]
steps = np.arange(100)
falling, warmed = cosine(100), cosine(100, warmup=10)
figure, axes = plt.subplots(figsize=(6.5, 2.8))
axes.plot(steps, [falling(step) for step in steps], label="cosine, 0 to 180 degrees")
axes.plot(steps, [warmed(step) for step in steps], "--", label="with ten steps of warm-up")
axes.plot(steps, 0.5 * (1 + np.cos(np.pi / 2 * steps / 100)), ":", label="the same formula to 90 degrees")
axes.set(xlabel="step", ylabel="factor of the learning rate")
_ = axes.legend()
print(f"last factor: {falling(99):.4f} (to 180 degrees), {0.5 * (1 + np.cos(np.pi / 2 * 0.99)):.4f} (to 90)")
picture_of(figure, f"Factor of the learning rate over 100 steps: the cosine falls from {falling(0):.0f} to {falling(99):.4f}; with warm-up it first "
           f"climbs from {warmed(0):.2f} to 1; to 90 degrees it would end at one half.")  # fmt: skip

# %% [markdown] tags=["seed:001-clipping"]
# At 180 degrees the last step is next to nothing (0.0002 of the learning rate); at 90 it is still half (0.5079).
#
# One more guard, against single steps. Now and then a batch holds an extreme count, and its gradient is so long that one step would undo many. **Clipping** shortens a gradient whose length is above a limit, and leaves its direction. The lecture's limit is 0.01. Where every step exceeds that, the *direction* is all that counts, and Adam makes its own length of it. Section 7 prints how often the gradients of your network exceed this limit and the one used here.
#
# ## 6 · More windows from the same DNA
#
# **Augmentation** makes new training data from changes whose effect on the tracks is known. Here are two.
#
# After a **shift** of the sequence by a few letters the bins hold nearly the same. The lecture does it with `np.roll`, and what leaves at one end comes in at the other (mistake M31): letters from 131,000 letters away become neighbours. Let zeros come in instead, as in padding.

# %% [markdown] tags=["exercise:shift_with_padding"]
# ### Exercise 3 · A shift that does not wrap
# ●○○ · 5 minutes · why it matters: `np.roll` joins the two ends of a window, which no genome does.
#
# Shift a window by a few bases. What leaves it is lost; what comes in is unknown, all zeros.

# %% tags=["exercise:shift_with_padding"]
def shift_window(one_hot, by):
    """Shift a sequence by a few bases.

    one_hot: an array (L, 4).
    by: a whole number between -L and L; above 0 to the right, below 0 to the left.
    Returns: a new array (L, 4), with rows of zeros where nothing is known.
    """
    ...

# %% tags=["exercise:shift_with_padding"]
check.shift_with_padding(shift_window)

# %% [markdown] tags=["exercise:shift_with_padding"]
# <details><summary>Hint</summary>
#
# Begin with `np.zeros_like(one_hot)` and copy the part that stays. For `by = 2`, rows 0 to L - 3 go to rows 2 to L - 1. Take left and right
# apart, and try `by = 0`: `x[:-0]` is empty.
#
# </details>
# <details><summary>Solution</summary>
#
# ```python
# def shift_window(one_hot, by):
#     moved = np.zeros_like(one_hot)
#     if by >= 0:
#         moved[by:] = one_hot[:len(one_hot) - by]
#     else:
#         moved[:by] = one_hot[-by:]
#     return moved
# ```
#
# </details>

# %% tags=["M31", "seed:001-shift"]
letters = torch.eye(4)[torch.arange(8) % 4].T[None]  # (1, 4, 8): ACGTACGT
rolled = torch.roll(letters, 3, dims=2)
shifted = shift(letters, 3)


def spell(one_hot):
    return "".join("ACGT"[int(column.argmax())] if column.any() else "-" for column in one_hot[0].T)


print("window:         ", spell(letters))
print("rolled by 3:    ", spell(rolled), " its start came from the far end")
print("shifted by 3:   ", spell(shifted))

# %% [markdown] tags=["M31", "seed:001-flip"]
# A comment in the lecture's code promises a random **flip**, and none follows. A flip that means something is the reverse complement: the same DNA read from the other strand (lesson 01). Then the bins stand in reverse order; and if each strand has a track of its own (*stranded* tracks), the track of the plus strand becomes that of the minus strand: pairs of tracks swap.

# %% [markdown] tags=["exercise:reverse_complement_window"]
# ### Exercise 4 · The other strand of a window
# ●●○ · 10 minutes · why it matters: it doubles the training data at no cost, and spoils them silently if one of its four parts (complement, reverse, bins, strands) is missing.
#
# Read from the other strand, a window is the same piece of genome: the bases are complemented and in reverse order. The tracks
# must come along. Their bins are in reverse order, too. And where an experiment was measured on both strands in
# two tracks, what was + is now -. `swap` says which tracks are such pairs: `swap[t]` is the partner of track `t`, and `t`
# itself if there is none.

# %% tags=["exercise:reverse_complement_window"]
def other_strand(one_hot, tracks, swap):
    """Turn a window and its tracks to the other strand.

    one_hot: an array (L, 4), the columns A, C, G, T.
    tracks: an array (bins, T), measured on this window.
    swap: an integer array (T,), the partner of each track; [1, 0, 2] swaps the first two.
    Returns: a pair of arrays of the same shapes, one_hot (L, 4) and tracks (bins, T).
    """
    ...

# %% tags=["exercise:reverse_complement_window"]
check.reverse_complement_window(other_strand)

# %% [markdown] tags=["exercise:reverse_complement_window"]
# <details><summary>Hint</summary>
#
# In the order A, C, G, T, the partner of column 0 is column 3, and that of 1 is 2: what does `[:, ::-1]` do to the columns? And
# `[::-1]` to the rows? An array of indices picks columns in any order: `tracks[:, indices]`.
#
# </details>
# <details><summary>Solution</summary>
#
# ```python
# def other_strand(one_hot, tracks, swap):
#     return one_hot[::-1, ::-1], tracks[::-1, swap]
# ```
#
# For tensors it is `flip`, since torch knows no negative strides.
#
# </details>

# %% tags=["augmentation"]
stranded = torch.tensor([[[1.0, 10.0], [2.0, 20.0], [3.0, 30.0]]])  # (1, 3 bins, 2 tracks: plus, minus)
bases = torch.eye(4)[[0, 0, 1, 1, 2, 3]].T[None]  # AACCGT, two bases a bin
other_bases, other_tracks = reverse_complement(bases, stranded, swap=(1, 0))
print(spell(bases), stranded[0].tolist())
print(spell(other_bases), other_tracks[0].tolist())

# %% [markdown]
# One caution, from lesson 09: what an output sees is centred on the *start* of its bin. On the other strand this is the bin's end. So for the same bin, the two readings are centred on places 127 letters apart. For bins of 128 and peaks of some hundred letters this is a small blur.
#
# ## 7 · Train
#
# A network of 81,398 parameters: the architecture of lesson 09 with fewer channels. And beside it the same network with every dilation set to 1, which sees 8 bins to either side instead of 128. (A window here has 128 bins, so no output has its whole field filled. What you test is reach over tens of bins.)
#
# > **Predict first.** The ceiling is 0.89, the local ceiling 0.78. Where will the two networks end?

# %% tags=["train", "slow", "seed:001-training"]
def train_network(dilations, seed=3, epochs=6, batch_size=2):
    """Returns the network and its history. (betas: how slowly Adam's averages forget.)"""
    steps = epochs * math.ceil(len(train_set) / batch_size)
    with seeded(seed):  # for the first weights
        model = Basenji(base=8, growth=16, dilations=dilations)
    with seeded(seed):  # for dropout
        history = fit(
            model, train_set, valid_set, loss=log_poisson,
            optimizer=torch.optim.Adam(model.parameters(), lr=0.01, betas=(0.9, 0.99)),
            epochs=epochs, batch_size=batch_size, generator=torch.Generator().manual_seed(seed),
            schedule=cosine(steps, warmup=50), clip=1.0, checkpoint=Path(folder.name) / f"dilation_{max(dilations)}",
        )  # fmt: skip
    return model, history


dilated, dilated_history = train_network((1, 2, 4, 8, 16, 32, 64))

# %% tags=["train", "slow"]
plain, plain_history = train_network((1,) * 7)

# %% tags=["train", "slow"]
figure, axes = plt.subplots(figsize=(6.5, 3))
for name, history, colour in [("dilated", dilated_history, "#0072B2"), ("no dilation", plain_history, "#D55E00")]:
    epochs = range(1, history.epochs + 1)
    axes.plot(epochs, history.train_loss, ":", color=colour, label=f"{name}, training")
    axes.plot(epochs, history.valid_loss, "o-", color=colour, label=f"{name}, validation")
    norms = np.array(history.gradient_norm)
    print(f"{name:12} validation loss {history.valid_loss[0]:.1f} -> {history.valid_loss[-1]:.1f}")
    print(f"    gradients longer than 1: {np.mean(norms > 1):.0%} of the steps; longer than 0.01: {np.mean(norms > 0.01):.0%}")
for name, rates, style in [("true rates", parts["valid"].rate, "-"), ("local rates", parts["valid"].local_rate, "--")]:
    best = poisson_loss(parts["valid"].windows.tracks, rates)
    axes.axhline(best, color="#111111", linestyle=style, linewidth=1, label=f"{name}, validation")
    print(f"{name} on the validation windows: loss {best:.2f}")
axes.set(xlabel="epoch", ylabel="loss")
_ = axes.legend(bbox_to_anchor=(1.01, 1), loc="upper left")
picture_of(figure, f"Training and validation loss over 6 epochs. Dilated: validation from {dilated_history.valid_loss[0]:.1f} to "
           f"{dilated_history.valid_loss[-1]:.1f}; without dilation from {plain_history.valid_loss[0]:.1f} to {plain_history.valid_loss[-1]:.1f}.")  # fmt: skip

# %% [markdown] tags=["seed:001-checkpoints"]
# Compare with the two lines. With dilation the validation loss comes down to about that of the true rates, 0.53 (0.5 is rounded, not better). Without, it stays near that of the local rates, 0.67. And look at the gradients: 2 or 3 percent are longer than 1, and 100 percent longer than the lecture's 0.01. With that limit every step would be clipped.
#
# ### Checkpoints
#
# The lecture keeps the weights of each epoch in a file. `fit(checkpoint=...)` keeps two: `last.pt`, from which a training can go on after a crash as if nothing had happened (`resume=True`), and `best.pt`, the weights of the epoch with the lowest validation loss.

# %% tags=["seed:001-checkpoints", "slow"]
kept = Path(folder.name) / "dilation_64"
print("kept:", sorted(path.name for path in kept.iterdir()), " best epoch:", dilated_history.best_epoch)
restored = Basenji(base=8, growth=16)  # other first weights
load_weights(restored, kept / "best.pt")
window = torch.from_numpy(test_set[0][0])[None]  # (1, 4, 16384)
print("the restored network predicts the same:", torch.equal(predict(restored, window), predict(dilated, window)))

# %% [markdown]
# Try the crash, too, with a small network and 16 windows: four epochs at one go, and four with a break after two.

# %% tags=["resume"]
few = HDF5Windows(path, "train", fraction=1 / 32)


def short_run(epochs, place, resume=False):
    with seeded(6 if resume else 5):  # the checkpoint must bring its own weights, order and dropout
        model = Basenji(base=4, growth=4)
        fit(
            model, few, loss=log_poisson, optimizer=torch.optim.Adam(model.parameters(), lr=0.01),
            epochs=epochs, batch_size=2, generator=torch.Generator().manual_seed(5),
            augment=Augmentation(max_shift=5), checkpoint=Path(folder.name) / place, resume=resume,
        )  # fmt: skip
    return model


at_one_go = short_run(4, "at_one_go")
short_run(2, "with_a_break")
resumed = short_run(4, "with_a_break", resume=True)
same = all(torch.equal(a, b) for a, b in zip(at_one_go.parameters(), resumed.parameters()))
print("every weight the same, to the last bit:", same)

# %% [markdown]
# Order of the windows, dropout, shifts and the optimizer's averages go on where they stood. The tests of this collection kill a training in the middle of an epoch and find the same.

# %% [markdown] tags=["M28"]
# ## 8 · Predict
#
# Dropout is for training only. The lecture predicts with a freshly loaded network and never switches it off: a tenth of the numbers in each dilated layer are set to zero at random, while it predicts (mistake M28).
#
# > **Predict first.** Will the same window get the same prediction twice? And how much will the loss rise?

# %% tags=["M28", "seed:001-predict", "slow"]
some = torch.from_numpy(np.stack([test_set[i][0] for i in range(32)]))  # (32, 4, 16384)
some_counts = counts[:32]
dilated.train()  # as a new network is
with torch.no_grad(), seeded(0):
    once, again = dilated(some), dilated(some)
in_eval_mode = predict(dilated, some)  # sets eval mode, and afterwards back what it was
dilated.eval()
print("two predictions in train mode are the same:", torch.equal(once, again))
print(f"the expected counts of the two differ by {(once - again).abs().mean():.0%} on average")
for name, log_rates in [("train mode", once), ("eval mode", in_eval_mode)]:
    print(f"{name:10} loss {log_poisson(log_rates, torch.from_numpy(some_counts)):.2f}")

# %% [markdown]
# In train mode the network never says the same twice, and its loss is a little higher. One line, `model.eval()`, mends it; `predict` and `evaluate` do it for you.

# %% [markdown] tags=["M27"]
# ## 9 · Judge
#
# The lecture computes an $R^2$, the share of the variance that a prediction explains, during training and never prints it. It is taken over the wrong axis: for each bin of the window across the few windows of a batch, instead of along the genome. Success is then judged by a picture of one window and one track: "peaks are found" (mistake M27).
#
# What do you want to know? Whether high predictions stand where high counts are, in each track, on windows that were never trained on. That is Pearson's r *per track*, over all positions of all test windows. With it go two habits: always beside baselines, and also on the logarithm of the counts, where single giant peaks do not decide everything.

# %% [markdown] tags=["exercise:pearson_per_track"]
# ### Exercise 5 · Pearson's r, track by track
# ●●○ · 15 minutes · why it matters: it is the figure by which such models are compared, and another way of averaging gives another figure.
#
# For each track, put the bins of all windows in one long list, observed and predicted, and correlate the two. If one of them is
# constant, there is no r: say NaN, so that nobody averages a made-up number.

# %% tags=["exercise:pearson_per_track"]
def track_correlations(observed, predicted):
    """Correlate what was predicted with what was observed, for each track.

    observed, predicted: arrays (N, bins, T), counts and predicted rates.
    Returns: an array (T,), Pearson's r over all windows and bins; NaN for a track whose observed or
        predicted values are all equal.
    """
    ...

# %% tags=["exercise:pearson_per_track"]
check.pearson_per_track(track_correlations)

# %% [markdown] tags=["exercise:pearson_per_track"]
# <details><summary>Hint</summary>
#
# `observed[:, :, t].ravel()` is the long list of track `t`. `np.corrcoef(x, y)[0, 1]` is the r of two lists. A list is constant if its
# smallest value is its largest: `np.ptp(x) == 0`.
#
# </details>
# <details><summary>Solution</summary>
#
# ```python
# def track_correlations(observed, predicted):
#     r = np.full(observed.shape[2], np.nan)
#     for track in range(len(r)):
#         x, y = observed[:, :, track].ravel(), predicted[:, :, track].ravel()
#         if np.ptp(x) > 0 and np.ptp(y) > 0:
#             r[track] = np.corrcoef(x, y)[0, 1]
#     return r
# ```
#
# `course_utils.tracks.pearson_per_track` is this without the loop. Average with `np.nanmean`, and say how many tracks had no r.
#
# </details>

# %% tags=["M27", "seed:001-r2", "slow"]
inputs = torch.from_numpy(np.stack([window for window, _ in test_set]))  # (128, 4, 16384)
predicted = {  # rates; the networks give their logarithms
    "dilated": predict(dilated, inputs, batch_size=8).exp().numpy(),
    "no dilation": predict(plain, inputs, batch_size=8).exp().numpy(),
    "GC and CpG": fit_composition(parts["train"].windows).predict(test.windows.one_hot),
    "constant": np.broadcast_to(constant_rates(parts["train"].windows.tracks), counts.shape),
}
print("                    r     r of log(1 + count)")
for name, rates in predicted.items():
    raw, logged = (pearson_per_track(counts, rates, log1p=flag).mean() for flag in (False, True))
    print(f"{name:14}{raw:9.2f}{logged:12.2f}")
print(f"local ceiling {local_ceiling:9.2f}\nceiling       {ceiling:9.2f}")

# %% [markdown]
# The rule *GC and CpG* looks at the share of G and C and at the CpGs in a bin, in the 9 and in the 65 bins around it; it adds them up, with weights, to the logarithm of the rate. That is a **Poisson regression**. The network with dilation comes close to the ceiling; the one without stops where everyone stops who sees only the neighbourhood. The constant has no correlation at all (`nan`, not 0: there is nothing to correlate). In the simulated genome composition says little: only the planted words change it, a bit.
#
# And the lecture's $R^2$? Compute it both ways for the dilated network: over the eight windows of a batch, bin by bin, and along the genome, track by track.

# %% tags=["M27", "seed:001-r2", "slow"]
batch, guess = counts[:8], predicted["dilated"][:8]
left_over = ((batch - guess) ** 2).sum(axis=0)  # (128 bins, 10 tracks)
variance = ((batch - batch.mean(axis=0)) ** 2).sum(axis=0)
below_zero = (left_over > variance).mean()
print(f"over a batch of 8: {below_zero:.0%} of the bins and tracks have an R2 below 0")
along = r2_per_track(counts, predicted["dilated"])
print(f"along the genome: mean R2 of the tracks {along.mean():.2f}")

# %% [markdown]
# Where eight windows happen to have similar counts, nothing is left to explain, and the wrong axis calls a good prediction worse than a constant.
#
# Now judge only the bins with a promoter, where they differ most.

# %% tags=["promoters-only", "slow"]
at_promoters = np.zeros(counts.shape[:2], dtype=bool)
np.put_along_axis(at_promoters, test.elements.promoters, True, axis=1)  # True in the bins of each window's promoters
for name, rates in [*list(predicted.items())[:2], ("local ceiling", test.local_rate), ("ceiling", test.rate)]:
    r = pearson_per_track(counts[at_promoters][None], rates[at_promoters][None]).mean()
    digits = 1 if name == "no dilation" else 2  # so near to nothing, its second digit differs by machine
    print(f"{name:13} r over promoter bins = {r:.{digits}f}")

# %% [markdown]
# Over promoter bins the difference is large: r is 0.85 with dilation and 0.2 without, beside ceilings of 0.87 and 0.21. Who cannot see the enhancer cannot rank the promoters.
#
# ### Not one seed but five
#
# One pair of networks is an anecdote (lesson 04). The same recipe was run with five seeds, each with a genome of its own; the results travel with the package, from `tools/basenji_runs.py`, which repeats them. The two networks of a seed share data and order, so compare them in pairs.

# %% tags=["five-seeds"]
runs = json.loads(shipped("basenji_runs.json").read_text())["runs"]
print("seed  dilated  ceiling  no dilation  its ceiling")
for seed, run in runs.items():
    values = [np.mean(run[name]["r"]) for name in ("dilated", "ceiling", "plain", "local_ceiling")]  # plain: no dilation
    print(f"{seed:>4} {values[0]:8.3f} {values[1]:8.3f} {values[2]:12.3f} {values[3]:12.3f}")
with_reach, without = ([np.mean(run[name]["r"]) for run in runs.values()] for name in ("dilated", "plain"))
difference = paired_interval(with_reach, without)
print(f"dilated - no dilation: {difference.estimate:.3f}, 95 % interval {difference.low:.3f} to {difference.high:.3f}")

# %% [markdown]
# The interval is far from 0: on such genomes dilation raises r by 0.10, and the networks differ in nothing else. That is what "the network uses distant sequence" should rest on.
#
# ## 10 · Explore
#
# Look at any window and track; the symbols below show the planted elements. Window 77 has four promoters, each nearer to an enhancer of group A than the one before.
#
# - Switch *dilated* off and on. Where does *no dilation* go wrong?
# - Move the track from group A to group B. Which promoter changes most, and which enhancer explains it?
# - Tick *log scale* and watch r: which bins decide now?
# - Go through five windows before you believe the r of any one of them; the table has that of all windows beside it.

# %% tags=["explorer", "slow", "nbval-ignore-output", "seed:001-observed-estimated"] reason="more digits of trained networks than are the same on every machine"
tracks_explorer(
    counts, {"dilated": predicted["dilated"], "no dilation": predicted["no dilation"]},
    labels=test.windows.labels, marks=marks_of(test), window=77,
)  # fmt: skip

# %% [markdown]
# ## 11 · Real windows
#
# Now the twenty human windows, with the same code. You need three things: a fair split, a baseline, a network. The baseline is the rule again. In the genome, the promoter of many a gene lies in a **CpG island**, a stretch where the rare C before G is not rare. So counting letters could take you some way.
#
# ### Is the test a test?
#
# Hold out four of the twenty windows, the first of the five folds below. Do they share sequence with the sixteen others? Count the words of 32 letters that occur on both sides, on either strand.

# %% tags=["needs-data:basenji-cage", "split"]
held_out = [0, 5, 15, 17]  # 15 and 17 lie side by side on chromosome 8, as CTCF peaks in them show: keep them together
real_test = cage.subset(held_out)
real_train = cage.subset([number for number in range(20) if number not in held_out])
shared = shared_kmers(real_train.one_hot, real_test.one_hot)
for number, many, longest in zip(held_out, shared.count, shared.longest):
    print(f"window {number:2}: {many:6,} shared words of 32 letters; the longest shared stretch has {longest} letters")

# %% [markdown]
# Thousands of shared words, but no long stretch: the longest has 310 letters. That is what repeats (lesson 01) look like, such as Alu, of which the human genome has a million copies. Windows that overlap would share stretches of thousands of letters. So no held-out window overlaps a training window by more than these few hundred letters. The file has no coordinates, so you cannot split by chromosome, as one should; and repeats are on both sides of any split.

# %% tags=["needs-data:basenji-cage", "real-baselines"]
def judge(observed, rates):
    """Loss, r and r of the logarithms, mean over tracks; nan where there is no r."""
    rates = np.broadcast_to(rates, observed.shape)
    return poisson_loss(observed, rates), *(pearson_per_track(observed, rates, log1p=flag).mean() for flag in (False, True))


rule = fit_composition(real_train)
real_rates = {"constant": constant_rates(real_train.tracks), "GC and CpG": rule.predict(real_test.one_hot)}
print("               loss      r   r of log(1 + count)")
for name, rates in real_rates.items():
    loss, r, r_log = judge(real_test.tracks, rates)
    print(f"{name:13}{loss:6.2f}{r:7.2f}{r_log:10.2f}")

# %% [markdown]
# Counting letters helps: it lowers the loss from 0.34 to 0.29. Now the network of 81,398 parameters. What differs most from section 7: the windows are cut into pieces of 8,192 letters, for many small steps. Each piece is shifted by up to 64 letters and read from either strand, at random; the tracks of this set show no strands, so none swap. The network starts at the mean of each track, since most rates here are far below 1. There is no dropout, the learning rate is smaller, and there are 12 epochs. (How this was chosen, and what that does to the test, stands at the end of this section.)

# %% tags=["needs-data:basenji-cage", "real-training", "slow"]
def as_inputs(windows):
    return torch.from_numpy(windows.one_hot).permute(0, 2, 1).float().contiguous()  # (N, 4, L)


pieces = real_train.crop(8_192)
epochs, batch_size = 12, 2
with seeded(1), torch.no_grad():
    network = Basenji(base=8, growth=16, dropout=0.0)
    network.head.weight *= 0.1
    network.head.bias.copy_(torch.from_numpy(np.log(constant_rates(real_train.tracks))))
with seeded(1):
    fit(
        network, TensorDataset(as_inputs(pieces), torch.from_numpy(pieces.tracks)), loss=log_poisson,
        optimizer=torch.optim.Adam(network.parameters(), lr=0.003, betas=(0.9, 0.99)),
        epochs=epochs, batch_size=batch_size, generator=torch.Generator().manual_seed(1),
        schedule=cosine(epochs * math.ceil(len(pieces) / batch_size)), clip=1.0,
        augment=Augmentation(max_shift=64, flip=True),
    )  # fmt: skip
real_rates["network"] = predict(network, as_inputs(real_test), batch_size=1).exp().numpy()
loss, r, r_log = judge(real_test.tracks, real_rates["network"])
print(f"network, held-out windows: loss {loss:.2f}, r {r:.2f}, r of log(1 + count) {r_log:.2f}")

# %% tags=["needs-data:basenji-cage", "real-training", "slow"]
tracks_picture(
    real_test.tracks, {"network": real_rates["network"], "GC and CpG": real_rates["GC and CpG"]},
    window=0, track=0, labels=[f"CAGE {number}" for number in range(1, 11)], log=True,
)  # fmt: skip

# %% [markdown]
# Both predictions stay far below the high peaks.
#
# ### Five folds, and what they say
#
# On these four windows the network has a loss of 0.27 and an r of 0.28, the rule 0.29 and 0.16. Is that a difference? Four windows are few, and some windows are harder than others. So let every window be held out once: five folds, the same recipe, each method beside the others. The results are in `cage_runs.json`, from `tools/cage_runs.py`. In the tables, *average* is the mean of the log rates of the dilated network and the rule.
#
# > **Predict first.** On real windows: will the network with dilation beat the one without?

# %% tags=["folds"]
folds = json.loads(shipped("cage_runs.json").read_text())["folds"]
in_file = {"GC and CpG": "composition", "no dilation": "plain"}  # what the file calls them; the others have one name
methods = ["constant", "GC and CpG", "no dilation", "dilated", "average"]
fold_loss = {name: np.array([fold[in_file.get(name, name)]["loss"] for fold in folds]) for name in methods}
print("held-out loss  fold 1    2    3    4    5   mean")
for name in methods:
    print(f"{name:16}" + "".join(f"{loss:5.2f}" for loss in fold_loss[name]) + f"{fold_loss[name].mean():7.3f}")
print("mean of the folds     r   r of log(1 + count)")
for name in methods[1:]:
    r, r_log = (np.mean([np.mean(fold[in_file.get(name, name)][kind]) for fold in folds]) for kind in ("raw", "log1p"))
    print(f"{name:16}{r:7.2f}{r_log:7.2f}")

# %% tags=["folds"]
print("loss of the first less that of the second, 95 % interval; above 0, the second is better")
pairs = [("GC and CpG", name) for name in methods[2:]] + [("dilated", "no dilation")]
for first, second in pairs:
    difference = paired_interval(fold_loss[first], fold_loss[second])
    better = (fold_loss[second] < fold_loss[first]).sum()
    print(f"{first:10} - {second:11} {difference.estimate:+.3f} ({difference.low:+.3f} to {difference.high:+.3f}), better in {better} of 5")
own = np.mean([fold["dilated"]["train"]["raw"] for fold in folds])
print(f"r of the dilated network on its own training windows: {own:.2f}")

# %% [markdown]
# Read it slowly.
#
# - **There is something in the sequence.** Whatever reads it beats the constant, in every fold.
# - **One network is better than counting CpGs; of the other you cannot be sure.** The one without dilation beats the rule in all five folds, and the interval of the difference lies above 0. The dilated one wins in four, and its interval holds 0. The average of dilated network and rule beats the rule in four folds, and that interval lies above 0. (Folds share training windows, so such intervals are too narrow, and nobody knows by how much.)
# - **The folds differ far more than the methods.** A few windows with giant peaks decide. Hence the comparison in pairs, fold by fold.
# - **No gain from dilation shows here.** The interval of the difference holds 0. Nor was the test fair to it. In training a piece has 64 bins, so the outer taps of the last dilated layer met nothing but padding; on whole windows their untrained weights read real columns. And sixteen windows hold few examples of what acts over thousands of letters. The simulated genome could show what reach is worth, because you made five hundred windows of it, with rules that need reach.
# - **Real numbers need not scatter like a Poisson.** The loss still points to the right mean, but nobody knows how low it could get here.
# - **These are no good predictions.** An r of 0.3 is weak. On its own training windows the dilated network reaches only 0.32: it has not learned them by heart, and fits them hardly better than others. So more epochs or another recipe may help, not only more windows. The sixteen training windows are 0.14 percent of the genome.
# - **How the recipe was chosen.** The number of epochs and the size of the pieces come from validation windows inside the training folds. But the five test folds were looked at with fewer epochs before that. So the test is not untouched, and on new windows you should expect a little less. Write such things down: nobody else can know them.

# %% [markdown] tags=["exercise:beat_the_baseline"]
# ### Exercise 6 · Beat the CpG baseline
# ●●● · 25 minutes · why it matters: a baseline that nobody tried to beat is no baseline. And what you write here by hand is what a network has to find.
#
# The check simulates 240 windows of 24 bins. Two things make the counts of a bin high there: its CpGs, and each **TATA box**,
# a `TATAAA` on either strand. (A box belongs to the bin in which its leftmost letter lies, and acts a little on the two bins beside, too.)
# The rule is invented, but many real promoters do have CpGs or a TATA box. The baseline counts GC and CpG, and knows nothing of boxes.
#
# Write features. The check fits a Poisson regression to those of 120 windows and judges it on the other 120. You pass
# if the regression's loss goes 70 percent of the way from the baseline's down to that of the true rates.

# %% tags=["exercise:beat_the_baseline"]
def features(one_hot, bin_size):
    """Describe each bin of a window in numbers.

    one_hot: an array (L, 4), the columns A, C, G, T; L is a multiple of bin_size.
    bin_size: bases in a bin.
    Returns: an array (L / bin_size, F): a row for each bin, from the left, and a column for each
        feature. How many features, and which, is yours to choose; 100 at most.
    """
    ...

# %% tags=["exercise:beat_the_baseline"]
check.beat_the_baseline(features)

# %% [markdown] tags=["exercise:beat_the_baseline"]
# <details><summary>Hint</summary>
#
# Turn the window into a string first: `"".join("ACGT"[code] for code in one_hot.argmax(axis=1))`. Then a function that counts a word
# in each bin can be used for CpG and for the box, on both strands: how does a `TATAAA` of the other strand read on this one?
# One column for each thing that counts, and one for the boxes of the two bins beside.
#
# </details>
# <details><summary>Solution</summary>
#
# ```python
# def features(one_hot, bin_size):
#     sequence = "".join("ACGT"[code] for code in one_hot.argmax(axis=1))
#
#     def count(word):
#         counts = np.zeros(len(sequence) // bin_size)
#         start = sequence.find(word)
#         while start >= 0:
#             counts[start // bin_size] += 1
#             start = sequence.find(word, start + 1)
#         return counts
#
#     boxes = count("TATAAA") + count("TTTATA")
#     padded = np.pad(boxes, 1)
#     beside = padded[:-2] + padded[2:]
#     return np.stack([count("CG"), boxes, beside], axis=1)
# ```
#
# These three numbers go nearly all the way. A Poisson regression adds up their effects on the log rate, and that is how the
# simulation was made: in a real genome nobody tells you the word, nor how effects combine.
#
# </details>

# %% [markdown] tags=["seed:001-log", "seed:001-loss"]
# ## 12 · At full size
#
# The Japanese lecture trains the 388,154-parameter network on 5,000 windows for 10 epochs. It prints a validation loss of 1.855 after the first and 1.621 after the ninth, and 42 minutes at its last line, on a graphics card of its time. (These are *its* figures: the file is 567 MB, and nothing here has computed them.) Is 1.621 good? Nobody can say from the number alone. Its ceiling is unknown, and no baseline stands beside it. You know by now what to compute first.
#
# If you have the file, all that you did above works on it unchanged. But a notebook is no place for a training of hours. So the package has it as a program, which takes a file of windows and a folder:
#
# ```sh
# python -m course_utils.full_size seq.h5 out
# ```
#
# It is `fit` with the lecture's recipe, except that the shift does not wrap, and that the learning rate falls in each step instead of each epoch. (`--flip` adds the other strand. Look at `target_labels` first: are the tracks stranded?) It packs the windows, one byte a base, and reads each batch while the one before is computed. It writes a log and checkpoints; after a crash, `--resume` goes on from the last checkpoint, which is written after each epoch (with `--checkpoint-steps 100` also every hundred steps). In the end it judges the best weights on the test windows, beside the two baselines of section 11.
#
# ### Several processes
#
# One training can use several processors, or several graphics cards. Each runs a **process** of its own: a copy of the program with a copy of the network. Of every batch, each process takes a share and computes the gradient of that share. Then the gradients are added up, and all of them take the same step. This is called **data parallel** training. `torchrun`, which comes with PyTorch, starts the processes.
#
# Run it on the simulated genome, with two processes and half of the windows. (At full size, run the command above in a terminal, with a folder of your own: that of this lesson is deleted at its end.)

# %% tags=["full-size", "slow"]
data_file, out = path, Path(folder.name) / "full_size"
recipe = "--epochs 3 --fraction 0.5 --batch-size 4 --base 8 --growth 16 --learning-rate 0.01 --betas 0.9 0.99 --clip 1 --warmup 20"
torchrun = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]  # by its full name
program = ["-m", "course_utils.full_size", data_file, out, *recipe.split()]
done = subprocess.run([*torchrun, *program], capture_output=True, text=True)
assert done.returncode == 0, done.stderr
print("the folder holds", ", ".join(sorted(file.name for file in out.iterdir())))

# %% tags=["full-size", "slow"]
log = read_log(out)
results = json.loads((out / "results.json").read_text())
figure, axes = plt.subplots(figsize=(5.5, 2.6))
for name, style in [("train_loss", "o:"), ("valid_loss", "o-")]:
    axes.plot([row["epoch"] for row in log], [row[name] for row in log], style, label=name)
axes.set(xlabel="epoch", ylabel="loss", xticks=[row["epoch"] for row in log])
_ = axes.legend()
for name, measures in results["test"].items():
    r = "none" if measures["r"] is None else f"{measures['r']:.1f}"
    print(f"test windows, {name:11} loss {measures['loss']:.1f}, r {r}")
falls = all(after[name] < before[name] for before, after in zip(log, log[1:]) for name in ("train_loss", "valid_loss"))
picture_of(figure, f"Training and validation loss of the two processes over {len(log)} epochs: both "
           f"{'fall in each epoch' if falls else 'do not fall in each epoch'}, to {log[-1]['valid_loss']:.1f} in the last.")  # fmt: skip

# %% [markdown]
# After three epochs on half of the windows, r is 0.7; section 9 has what six epochs on all of them reach. The recipe is the same for one process as for two: only `--nproc-per-node` knows their number. Is the result the same, too? The tests of this collection hold them to it. Without dropout and augmentation, the losses of two processes agree with those of one to 0.00001, step by step. And when one process is killed in the middle of an epoch, all of them end, and after `--resume` every weight is the same, to the last bit.
#
# ### The rest is flags
#
# | where | command |
# |---|---|
# | a processor | `python -m course_utils.full_size seq.h5 out` |
# | one that knows bfloat16 | `python -m course_utils.full_size seq.h5 out --precision bfloat16` |
# | one graphics card, such as Colab's | `python -m course_utils.full_size seq.h5 out --device cuda` |
# | four cards | `torchrun --standalone --nproc-per-node 4 -m course_utils.full_size seq.h5 out --device cuda --precision bfloat16` |
#
# **bfloat16** is a number in 16 bits, with two to three digits; the weights keep all of theirs. Newer processors and cards have instructions for it. The page *From a laptop to full size* (`docs/full_size.md`) has the rest: several machines, how long an epoch takes where, what was measured and what was only computed.
#
# ### Your own genome and tracks
#
# The data program makes such a file from a genome (FASTA), a table of tracks (BigWig files), and the chromosomes to hold out. It needs two more packages, `pip install pyfaidx pybigtools`.
#
# ```sh
# python -m course_utils.window_making hg38.fa tracks.txt seq.h5 --valid chr8 --test chr9 --blacklist blacklist.bed
# ```
#
# The table is the one that Basenji's own programs take; the page shows one. Windows with too many unknown letters are left out and counted, and so are those that touch the blacklist, a file of places whose counts cannot be trusted. And if you have no data at all, another program simulates a file of full size, with a long-range rule and a known ceiling:
#
# ```sh
# python -m course_utils.synthetic_windows seq.h5
# ```

# %% [markdown] tags=["seed:001-suggestions"]
# ### Experiments
#
# The lecture ends with suggestions: train for 30 to 50 epochs instead of 10, add layers, add channels. Try them on the simulated genome, where you know what can be gained. Before each, say what you expect.
#
# - **More epochs.** In `train_network`, twice as many. How far from the ceiling is there to go?
# - **More layers.** Add the dilations 128 and 256. The windows have 128 bins: what can these layers see?
# - **Fewer layers.** How far down can you go before the correlation falls? An enhancer's factor falls from 10 at its own bin to 2.3 at a distance of 30 bins.
# - **More channels.** `Basenji(base=24)` has 388,154 parameters.
# - **Less data.** `HDF5Windows(path, "train", fraction=0.25)`, with and without `augment=Augmentation(max_shift=5)`. Why not `flip=True`?
#
# <details><summary>Answers</summary>
#
# - The ceiling of this genome is 0.887, and the network has 0.88: more epochs, layers or channels have less than 0.01 to gain. On real data nobody knows this number.
# - From any of the 128 bins, a tap 128 or 256 bins away meets nothing but padding.
# - Each layer less halves the reach. Compare with the 30 bins over which an enhancer's effect fades.
# - The planted words stand on one strand only. A flipped window holds words that no window of this genome has, so a flip teaches what is not true here.
#
# </details>

# %%
folder.cleanup()

# %% [markdown]
# ## Common mistakes
#
# - **A picture of one window as proof** (M27). Correlation per track over all test positions, beside baselines, over seeds.
# - **Predicting in train mode** (M28). `predict` sets eval mode.
# - **Rolling a window around** (M31). Shift with padding; flip with the bins, and with the strands.
# - **An offset that is not the minimum** (M26). $t - t \log t$, and 0 for a count of 0.
# - **A cosine schedule to 90 degrees** (M30). It ends at half the learning rate.
# - **Columns, lengths and kinds of tracks taken on trust** (M05, M32). Ask the data.
# - **Testing on windows that overlap the training windows.** Split by chromosome, and count shared words: long shared stretches are overlap, short ones repeats.
#
# ## Recap
#
# Long windows stay in a file and are read a slice at a time. The Poisson loss knows that counts scatter; cosine, warm-up and clipping make the training steady; shifts and reverse complements stretch the data. On a genome with known rules the dilated network comes close to what is possible, and the one without dilation stops at the local ceiling: that is how you know that it uses what is far away. On twenty real windows the network without dilation learns a little more than counting CpGs gives; for the dilated one, five folds cannot tell.
#
# ## Further reading
#
# - D. R. Kelley et al. Sequential regulatory activity prediction across chromosomes with convolutional neural networks. *Genome Research* 28, 739-750 (2018).
# - Ž. Avsec et al. Effective gene expression prediction from sequence by integrating long-range interactions. *Nature Methods* 18, 1196-1203 (2021).
# - J. Linder et al. Predicting RNA-seq coverage from DNA sequence as a unifying model of gene regulation. *Nature Genetics* 57, 949-961 (2025).
# - FANTOM Consortium. A promoter-level mammalian expression atlas. *Nature* 507, 462-470 (2014).
# - I. Loshchilov, F. Hutter. SGDR: stochastic gradient descent with warm restarts. *International Conference on Learning Representations* (2017).
# - R. Pascanu, T. Mikolov, Y. Bengio. On the difficulty of training recurrent neural networks. *International Conference on Machine Learning* (2013).
#
# **Next:** this is the last lesson. If you skipped [lesson 08](08_network_families.ipynb), other families of networks on equal terms, go there now.
