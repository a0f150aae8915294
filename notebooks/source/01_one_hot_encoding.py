# %% [markdown]
# {{ header }}

# %% [markdown]
# ## Why this matters
#
# A neural network adds and multiplies numbers. DNA is letters. The step between the two looks harmless, and it is
# where many projects go wrong without any error message: a column order that differs between two programs, a
# reshape that scrambles every sequence, an unknown base that quietly becomes an A. In this lesson you build
# the step yourself, see each of these accidents happen, and learn to notice them.

# %% [markdown]
# ## What you will be able to do
#
# - **encode** a DNA sequence as an array of zeros and ones by hand, and **decode** it back;
# - **choose** what happens to N, to other IUPAC codes and to lower-case letters, and **say** what your choice means
#   for a network;
# - **turn** an array into its reverse complement, for one sequence or for many;
# - **bring** an array into the shape that PyTorch's `Conv1d` wants, and **recognise** a reshape that went wrong.

# %% tags=["set-up", "nbval-ignore-output"] reason="prints the versions of this machine"
# {{ set-up }}

# %% tags=["imports"]
import matplotlib.pyplot as plt
import numpy as np
import torch
from sklearn.preprocessing import LabelEncoder, OneHotEncoder

from course_utils.datasets import fetch, shipped
from course_utils.exercises import lesson_01 as check
from course_utils.explorers.one_hot import one_hot_explorer
from course_utils.plotting import BASE_COLOURS, one_hot_picture, picture_of
from course_utils.sequences import (
    IUPAC,
    FastaError,
    decode,
    one_hot,
    read_fasta,
    reverse_complement,
    reverse_complement_one_hot,
)

# %% [markdown]
# ## 1 · From letters to numbers
#
# We start from a string of six letters and take it apart.

# %% tags=["seed:000-letters"]
sequence = "ATACAA"
letters = list(sequence)
print(letters)
print(np.array(letters))

# %% [markdown]
# Could we number the bases, A = 0, C = 1, G = 2, T = 3, and give a network these numbers? Then T would be three times
# C, and the average of A and G would be C. No chemistry says so. So each base gets a number *of its own*: a row of
# four numbers, one for A, one for C, one for G and one for T, of which exactly one is 1. This is **one-hot
# encoding**. (The name comes from electronics: of four wires, one is hot.)
#
# The result is an array, and its **shape** says how many numbers it holds along each **axis**. Three small arrays
# show how to read a shape: a list of 5 numbers, a table of 7 rows and 5 columns, and 3 such tables.

# %% tags=["seed:000-numpy-dimensions"]
print(np.zeros(5).shape)
print(np.zeros((7, 5)).shape)
print(np.zeros((3, 7, 5)).shape)
np.zeros((7, 5))

# %% [markdown]
# For a sequence of `L` bases we need `L` rows and 4 columns. We start with zeros and set one 1 in each row. The
# dictionary says which column belongs to which base.

# %% tags=["seed:000-one-hot-matrix", "seed:002-one-hot-loop"]
column_of = {"A": 0, "C": 1, "G": 2, "T": 3}


def encode_by_hand(sequence):
    """One row for each base, one column for each of A, C, G, T."""
    encoded = np.zeros((len(sequence), 4), dtype=int)
    for position, base in enumerate(sequence):
        encoded[position, column_of[base]] = 1
    return encoded


by_hand = encode_by_hand("ATACAA")
print(by_hand)
print(by_hand.shape)

# %% [markdown]
# Read the rows from top to bottom and you read the sequence. As a picture it is more compact to let the positions
# run from left to right, as in a genome browser. It is the same array, turned on its side:

# %%
one_hot_picture(by_hand, title="ATACAA")

# %% [markdown]
# *The order of the columns is A, C, G, T.* It is the alphabet's order, and that of Biopython's motifs, Basenji and most tools. Nothing in an array tells you which order was used, so we say it once and keep to it in every lesson.
#
# > **Predict first.** A colleague stores her sequences with the columns A, T, C, G. You read her array as A, C, G, T.
# > What does her `ATACAA` look like to you?

# %% tags=["M05"]
her_column_of = {"A": 0, "T": 1, "C": 2, "G": 3}
her_array = np.zeros((6, 4), dtype=int)
for position, base in enumerate("ATACAA"):
    her_array[position, her_column_of[base]] = 1
print(decode(her_array))

# %% [markdown]
# A perfectly valid sequence, with no error, and wrong: every T became a C and every C a G. One of our source
# lectures, the Japanese one behind lessons 09 and 10, describes its columns in the order A, T, C, G in one place
# (mistake M05). Whenever you receive an array, decode a sequence that you know.
#
# One of the two Korean lectures behind lessons 02 to 04 prints the matrix of `ATGCTA` with a slip of the pen
# (mistake M03): its first row is `[0, 0, 0, 1]`. You can now see what that row means.

# %% tags=["M03", "seed:002-atgcta"]
printed = np.array(
    [[0, 0, 0, 1], [0, 0, 0, 1], [0, 0, 1, 0], [0, 1, 0, 0], [0, 0, 0, 1], [1, 0, 0, 0]]
)
print("the printed matrix reads", decode(printed))
print("ATGCTA is encoded as")
print(encode_by_hand("ATGCTA"))

# %% [markdown] tags=["exercise:encode"]
# ### Exercise 1 · Encode by hand, in any order
# ●○○ · 5 minutes · why it matters: every lesson from here on begins with this array, and sooner or later you meet another order.
#
# Write your own `encode`. This one is told the order of its columns. Use a loop; speed comes later. The sequence holds
# upper-case A, C, G and T.

# %% tags=["exercise:encode"]
def encode(sequence, order):
    """Encode a DNA sequence as a one-hot array with the columns in a given order.

    sequence: a string of A, C, G, T, such as "ATACAA".
    order: a string of the four bases, such as "ACGT"; the first one owns column 0.
    Returns: an array of shape (L, 4); for "AC" and "ATCG" it is [[1, 0, 0, 0], [0, 0, 1, 0]].
    """
    ...


# %% tags=["exercise:encode"]
check.encode(encode)

# %% [markdown] tags=["exercise:encode"]
# <details><summary>Hint</summary>
#
# Begin with `np.zeros((len(sequence), 4))`. The place of a base in `order` is its column: a string has a method that finds it.
#
# </details>
# <details><summary>Solution</summary>
#
# ```python
# def encode(sequence, order):
#     encoded = np.zeros((len(sequence), 4))
#     for position, base in enumerate(sequence):
#         encoded[position, order.index(base)] = 1
#     return encoded
# ```
#
# </details>

# %% [markdown]
# ## 2 · A table instead of a loop
#
# A loop in Python visits the bases one at a time. A human genome has three billion of them. There is a faster way
# to think about the same step: the four possible rows are a table, and encoding is looking up a row for each base.

# %%
table = np.eye(4, dtype=int)
print(table)
codes = np.array([column_of[base] for base in "ATACAA"])
print("codes of ATACAA:", codes)
print(table[codes])

# %% [markdown]
# `table[codes]` takes row 0, row 3, row 0, row 1, and so on: one step for all rows. The function `one_hot` of
# `course_utils` does this for many sequences at once, and finds the codes in the same way, from a table of all letters. The
# slow loop above and the packaged fast version must agree, so we compare them on 2,000 random sequences, number by number.

# %% tags=["seed:000-encode-2000"]
rng = np.random.default_rng(1)
sequences = ["".join(letters) for letters in rng.choice(list("ACGT"), size=(2000, 50))]

slow = np.array([encode_by_hand(sequence) for sequence in sequences])
fast = one_hot(sequences)
print("shape:", fast.shape, " numbers:", fast.dtype)
print("every number the same:", np.array_equal(slow, fast))

# %% [markdown]
# From now on we call `one_hot`. You know what is inside. (How much faster it is depends on the machine: the command
# `make bench`, in a terminal in the folder of the collection, measures it on yours.)
#
# scikit-learn has a `OneHotEncoder` too. It is right *if* you tell it the alphabet. Left to itself, it learns the
# alphabet from the data, and so does its relative `LabelEncoder`, which two of our source lectures fit anew on each
# sequence.
#
# > **Predict first.** A `LabelEncoder` numbers the letters that it finds, in alphabetical order. Which number does T get in
# > `ACGT`? And in `ATACAA`, which has no G?

# %% tags=["M24", "seed:004-label-encoder"]
for example in ["ACGT", "ATACAA", "TTATTA"]:
    numbers = LabelEncoder().fit_transform(list(example))
    print(f"{example:7} letters found: {sorted(set(example))}  numbers: {numbers}")

# %% [markdown]
# T is 3, then 2, then 1. These numbers become columns, so the columns shift whenever a base is absent, silently. In
# long sequences all four bases occur and the fault hides, until an N adds a fifth letter (mistake M24). The remedy
# is to fix the alphabet.

# %% tags=["M24", "seed:002-onehotencoder"]
encoder = OneHotEncoder(categories=[list("ACGT")], sparse_output=False)  # give a plain array
letters = np.array(list("ATACAA")).reshape(-1, 1)  # the list as one column, (6, 1)
from_sklearn = encoder.fit_transform(letters)
print(from_sklearn.astype(int))
print("agrees with ours:", np.array_equal(from_sklearn, one_hot("ATACAA")))

# %% [markdown] tags=["exercise:decode"]
# ### Exercise 2 · Decode
# ●○○ · 5 minutes · why it matters: decoding a known sequence is the quickest test of anybody's array.
#
# Write the way back, from the array to the string. A row of four zeros stands for an unknown base: give it the
# letter N.

# %% tags=["exercise:decode"]
def decode_by_hand(encoded):
    """Read a one-hot array back as letters.

    encoded: an array of shape (L, 4), columns A, C, G, T; a row may be all zeros.
    Returns: a string of L letters; [[0, 0, 1, 0], [0, 0, 0, 0]] gives "GN".
    """
    ...


# %% tags=["exercise:decode"]
check.decode(decode_by_hand)

# %% [markdown] tags=["exercise:decode"]
# <details><summary>Hint</summary>
#
# `np.argmax(row)` is the column of the largest number. What is it for four zeros?
#
# </details>
# <details><summary>Solution</summary>
#
# ```python
# def decode_by_hand(encoded):
#     letters = []
#     for row in encoded:
#         if row.max() == 0:
#             letters.append("N")
#         else:
#             letters.append("ACGT"[np.argmax(row)])
#     return "".join(letters)
# ```
#
# </details>

# %% [markdown]
# ## 3 · Shapes: permute, never reshape
#
# One sequence has the shape `(L, 4)`. Many sequences of one length are stacked along a new first axis, `(N, L, 4)`: N
# sequences, L positions, 4 bases. (This N counts sequences. It is not the unknown base N, which we meet below.) This is
# how we store DNA. In lesson 00 a sample was one row of a table. Now it is a table of its own, and the first axis counts
# the samples.
#
# The layer `Conv1d` of PyTorch, which looks for motifs along a sequence, wants another order: `(N, 4, L)`, with the bases
# in the middle. Each base is a **channel**, as red, green and blue are the channels of a picture. Two operations turn
# our shape into that shape. One of them is right. (PyTorch calls its arrays *tensors*.)
#
# - `permute` exchanges the axes: number `[n, i, b]` becomes number `[n, b, i]`;
# - `reshape` reads the numbers row by row, as on a page, and fills the new shape with them in that order.
#
# > **Predict first.** Both give the shape `(1, 4, 6)` for `ATACAA`. What will the bases be after `reshape`?

# %% tags=["permute-not-reshape"]
encoded = torch.from_numpy(one_hot(["ATACAA"]))  # (1, 6, 4)
permuted = encoded.permute(0, 2, 1)  # (1, 4, 6)
reshaped = encoded.reshape(1, 4, 6)  # (1, 4, 6)
print("permuted")
print(permuted[0].numpy().astype(int))
print("reshaped")
print(reshaped[0].numpy().astype(int))

# %% [markdown]
# In the permuted array each column still has one 1: the letters of `ATACAA`, from left to right. In the reshaped array
# some positions have two bases and some have none. Count them:

# %% tags=["permute-not-reshape"]
print("ones at each position, permuted:", permuted[0].sum(dim=0).int().tolist())
print("ones at each position, reshaped:", reshaped[0].sum(dim=0).int().tolist())

# %% [markdown]
# The network would train on the reshaped array without complaint, and learn badly. The alarm to look for is a position whose
# numbers add up to more than 1: no base does that, known or unknown. In the picture, `?` marks the positions that
# hold two bases, and `N` those that hold none.

# %% tags=["permute-not-reshape"]
one_hot_picture(reshaped[0].T.numpy(), title="ATACAA after reshape: no longer DNA")

# %% [markdown]
# With the right shape, `Conv1d` runs. A **filter** (the kernel of lesson 00) is a small table of numbers that slides along
# the sequence. Each of its numbers is a **weight**. At each stop the filter multiplies its weights with the numbers in
# the window below it, and adds up. This sliding is called a *convolution*. (A window is here the stretch under a filter; in
# lesson 00 it was a whole example.) We fill a filter of width 3 by hand with the encoded pattern `TAC`, so the sum counts
# how many of three letters agree. (`bias=False` leaves out the bias, a constant that would be added, and
# `torch.no_grad()` says that we are not training.)

# %% tags=["seed:000-conv1d-shape"]
convolution = torch.nn.Conv1d(in_channels=4, out_channels=1, kernel_size=3, bias=False)
with torch.no_grad():
    convolution.weight[0] = torch.from_numpy(one_hot("TAC")).T  # (4, 3): bases by positions
    agreement = convolution(permuted)  # (1, 1, 4): one number for each of the 4 windows
for start, number in enumerate(agreement[0, 0].tolist()):
    print("ATACAA"[start : start + 3], "letters that agree with TAC:", int(number))

# %% [markdown] tags=["exercise:to_conv1d"]
# ### Exercise 3 · The shape for Conv1d
# ●●○ · 5 minutes · why it matters: the wrong shape trains without an error and learns badly.
#
# Storage often keeps small whole numbers (`uint8`, one byte each); `Conv1d` computes with `float32`. Convert both the
# shape and the type.

# %% tags=["exercise:to_conv1d"]
def to_conv1d(encoded):
    """Make many one-hot arrays ready for torch.nn.Conv1d.

    encoded: a numpy array of shape (N, L, 4), type uint8.
    Returns: a torch tensor of shape (N, 4, L), type float32.
    """
    ...


# %% tags=["exercise:to_conv1d"]
check.to_conv1d(to_conv1d)

# %% [markdown] tags=["exercise:to_conv1d"]
# <details><summary>Hint</summary>
#
# `torch.from_numpy(...)` makes the tensor and `.float()` changes the type. Which of the two operations above exchanges axes?
#
# </details>
# <details><summary>Solution</summary>
#
# ```python
# def to_conv1d(encoded):
#     return torch.from_numpy(encoded).float().permute(0, 2, 1)
# ```
#
# </details>

# %% [markdown]
# ## 4 · Letters that are not A, C, G or T
#
# Real sequences hold more than four letters. Here is a real piece of the human genome: chromosome 1 in hg38, a version (an
# *assembly*) of the genome, from position 9,960 to 10,060, counted from 0 and without the last.

# %%
[telomere] = read_fasta(shipped("telomere.fa"))  # a list of one record; the brackets unpack it
print(telomere.name)
print(telomere.sequence)

# %% [markdown]
# **N** means *some base, we do not know which*. The first 10,000 positions of the chromosome are N: a placeholder for
# its end, the **telomere**, whose repeats are so alike that nobody could put them together for many years (Nurk
# and colleagues finished them in 2022). After the N you see the first repeats, `TAACCC` again and again.
#
# N is an **IUPAC code**. (The name is that of the union of chemists, whose joint commission with the biochemists fixed
# these codes.) Each stands for a set of bases:

# %%
for code, bases in IUPAC.items():
    if len(bases) > 1:
        print(code, "is", " or ".join(bases))

# %% [markdown]
# What becomes of an N in a one-hot array? There are three common answers; `one_hot` takes one of them as `ambiguous=`:
#
# - `"refuse"`: an error, and the default, because a surprise should not pass unseen;
# - `"zeros"`: four zeros, *no base here*;
# - `"share"`: the 1 is divided among the possible bases, so N becomes four times 0.25, and R (A or G) becomes 0.5 and 0.5.

# %% [markdown]
# The next cell fails on purpose. Read the last line of its message: it says which letter, and where.

# %% tags=["raises-exception"]
one_hot("ATNCRA")

# %% [markdown]
# A fourth answer is given by accident. Whoever decodes four zeros by asking for the largest gets the first of equals:

# %%
print("ACGT"[np.argmax([0, 0, 0, 0])])

# %% [markdown]
# An unknown base has quietly become an A. Shared, the sequence looks like this:

# %%
one_hot_picture(one_hot("ATNCRA", ambiguous="share"), title="ATNCRA, shared")

# %% [markdown]
# To a filter, zeros and shares differ. For four zeros it adds nothing. For four shares it adds the average of its four
# weights at that place, which is what it would get on average if all bases were equally likely.
#
# > **Predict first.** Suppose that the filter's weights at some place are 2 for A, 0 for C, -1 for G and -1 for T. What
# > does an N add, encoded as zeros? And encoded as shares? What if the weights are 2, 1, 1, 0?

# %% tags=["unknown-bases-in-a-convolution"]
for weights in ([2, 0, -1, -1], [2, 1, 1, 0]):
    as_zeros = one_hot("N", ambiguous="zeros") @ np.array(weights)
    as_shares = one_hot("N", ambiguous="share") @ np.array(weights)
    print(f"weights {weights}: N adds {as_zeros[0]:g} as zeros, {as_shares[0]:g} as shares")

# %% [markdown]
# When the weights average to 0, the choice does not matter. When they do not, shares move the score and zeros leave it where
# the other bases put it. Neither is right in itself. The file of lesson 10 stores its arrays as true and false, so
# it can hold zeros and no shares. What matters is that training and prediction use the same.
#
# ### Lower case
#
# The second kind of unexpected letter is lower case. Genome browsers write bases in lower case where a program found a
# **repeat**, a piece that stands in many places of the genome. This is called **soft-masking**: the letter is known, and
# marked. (The stretch of chromosome 1 above comes from a copy without these marks.) Here is one of the CTCF peaks of
# lesson 00, 100 bases long. They were found by **ChIP-seq**, an experiment that pulls a protein out of the cell
# together with the DNA it sits on.

# %%
peaks = read_fasta(shipped("ctcf_peaks_200.fa"))
masked = peaks[1]
print(masked.name)
print(masked.sequence)
print("lower-case letters:", sum(letter.islower() for letter in masked.sequence))

# %% [markdown]
# A dictionary with four upper-case keys fails on the first letter, and you notice. A comparison such as `letter == "A"` runs
# without error and loses every repeat. `one_hot` reads soft-masked letters as the bases they are (`lower_case="accept"`), unless you ask
# it to hide them (`"mask"`, as if they were N) or to refuse them.

# %%
accepted = one_hot(masked.sequence)
hidden = one_hot(masked.sequence, lower_case="mask", ambiguous="zeros")
print("ones in the array, accepted:", int(accepted.sum()))
print("ones in the array, hidden:  ", int(hidden.sum()))
one_hot_picture(hidden[:30], title="the first 30 bases, soft-masked ones hidden")

# %% [markdown]
# How common is this? The whole collection of peaks is a file of 1.8 MB, which the next cell fetches once and keeps in a cache.
# Without a network it says so in one sentence; go on with the cell after it.

# %% tags=["needs-data:ctcf-peaks"]
[path] = fetch("ctcf-peaks")
all_peaks = read_fasta(path)
with_lower_case = sum(not peak.sequence.isupper() for peak in all_peaks)
print(f"{len(all_peaks):,} peaks, {with_lower_case:,} of them with lower-case letters")
print(f"lengths: {sorted({len(peak.sequence) for peak in all_peaks})}")

# %% [markdown]
# More than a quarter of the peaks. Code that loses lower-case letters damages all of those.

# %% [markdown] tags=["exercise:encode_real"]
# ### Exercise 4 · Real records
# ●●○ · 10 minutes · why it matters: real files contain what examples leave out.
#
# Encode real sequences by hand, soft-masked letters included: a lower-case letter is the base it names,
# and N (or n) becomes four shares of 0.25. The check tries your function on soft-masked CTCF peaks and on the start of
# chromosome 1, which you have seen above.

# %% tags=["exercise:encode_real"]
def encode_real(sequence):
    """Encode a sequence with soft-masking and unknown bases.

    sequence: a string of A, C, G, T, N in upper or lower case.
    Returns: an array of shape (L, 4) that can hold fractions, columns A, C, G, T;
        N is [0.25, 0.25, 0.25, 0.25].
    """
    ...


# %% tags=["exercise:encode_real"]
check.encode_real(encode_real)

# %% [markdown] tags=["exercise:encode_real"]
# <details><summary>Hint</summary>
#
# `sequence.upper()` removes the masking. You can give a whole row its value with `encoded[position] = 0.25`, if the array was
# not made for whole numbers (`dtype=int`).
#
# </details>
# <details><summary>Solution</summary>
#
# ```python
# def encode_real(sequence):
#     encoded = np.zeros((len(sequence), 4))
#     for position, letter in enumerate(sequence.upper()):
#         if letter == "N":
#             encoded[position] = 0.25
#         else:
#             encoded[position, "ACGT".index(letter)] = 1
#     return encoded
# ```
#
# </details>

# %% [markdown]
# ## 5 · Both strands
#
# DNA has two strands. A site that reads `TACAA` on one strand reads `TTGTA` on the other, each in its own direction. The
# **reverse complement** is the other strand, read in its own direction: complement every base (A with T, C with G), then reverse
# the order.

# %%
print("ATACAA on one strand is", reverse_complement("ATACAA"), "on the other")
print("twice:", reverse_complement(reverse_complement("ATACAA")))
print("the telomere:", reverse_complement(telomere.sequence[-18:]))

# %% [markdown]
# Twice gives back what you started from. And the telomere's `TAACCC` is `TTAGGG` again and again on the other strand, the repeat
# that textbooks name.
#
# On the array, both steps are flips. Reversing the order turns the positions round. And because the columns are A, C, G, T,
# turning the *columns* round exchanges A with T and C with G: the complement. Here the alphabetical order pays off.

# %%
forward = one_hot("ATACAA")  # (6, 4)
backward = forward[::-1, ::-1]  # positions turned round, columns turned round
print(decode(backward))
print("same as encoding the reversed string:", np.array_equal(backward, one_hot("TTGTAT")))
print("twice is the identity:", np.array_equal(backward[::-1, ::-1], forward))

# %% [markdown]
# > **Predict first.** With columns in the order A, T, C, G (mistake M05), what would turning the columns round do to an A?

# %% tags=["M05"]
order = "ATCG"
for base, partner in zip(order, reversed(order)):
    print(base, "would become", partner)

# %% [markdown]
# A would become G: not a complement, and again no error.
#
# One more trap. numpy does not move the numbers when you write `[::-1]`; it notes down to read them backwards. torch cannot
# take such an array. Make a copy, or let torch do the turning:

# %%
print(torch.from_numpy(backward.copy()).shape)
turned = torch.flip(torch.from_numpy(forward), dims=(-2, -1))
print(decode(turned.numpy()))

# %% [markdown] tags=["exercise:flip"]
# ### Exercise 5 · The other strand of many sequences
# ●●○ · 5 minutes · why it matters: training data are often doubled with their reverse complements, and one axis too many is
# quickly turned.
#
# Write `flip` so that it works for one sequence, `(L, 4)`, and for many, `(N, L, 4)`. In the second case the sequences must
# stay in their order. Leave the input as it is.

# %% tags=["exercise:flip"]
def flip(encoded):
    """The reverse complement of a one-hot array.

    encoded: an array of shape (L, 4) or (N, L, 4), columns A, C, G, T.
    Returns: an array of the same shape; the sequences of (N, L, 4) keep their order.
    """
    ...


# %% tags=["exercise:flip"]
check.flip(flip)

# %% [markdown] tags=["exercise:flip"]
# <details><summary>Hint</summary>
#
# In the index of a numpy array, three dots stand for all axes that are not named: `encoded[..., ::-1]` turns the last axis round,
# whatever comes before.
#
# </details>
# <details><summary>Solution</summary>
#
# ```python
# def flip(encoded):
#     return encoded[..., ::-1, ::-1]
# ```
#
# </details>

# %% [markdown]
# The package has this function too, as `reverse_complement_one_hot`:

# %%
batch = one_hot(["ATACAA", "GGGCCA"])  # (2, 6, 4)
print(decode(reverse_complement_one_hot(batch)))

# %% [markdown]
# ## 6 · Explore
#
# Type a sequence. Put an N into it, an R, a lower-case letter, the U of RNA. Change what happens to unknown bases. Move the
# slider and follow one base on both strands: position `i` of one strand is position `L - 1 - i` of the other.
#
# Three things to try: find a sequence that equals its own reverse complement, as `GAATTC` does, the site of the
# restriction enzyme EcoRI; see which code K becomes on the other strand; see what `refuse them` says, and where.

# %% tags=["explorer"]
one_hot_explorer()

# %% [markdown]
# ## 7 · DNA as a picture
#
# One of our source lectures, the Chinese overview of lesson 00, says it with delight: encoded, a sequence has become a picture, and so the methods made for
# pictures apply. Here are 40 real CTCF peaks, one in each row, each base in its colour.

# %% tags=["dna-as-picture"]
forty = one_hot([peak.sequence for peak in peaks[:40]])  # (40, 100, 4)
colours = np.array([[int(BASE_COLOURS[b][i : i + 2], 16) for i in (1, 3, 5)] for b in "ACGT"])

figure, axes = plt.subplots(figsize=(8, 3.4))
axes.imshow((forty @ colours / 255), aspect="auto", interpolation="nearest")
axes.set(xlabel="position (bases)", ylabel="peak", title="40 CTCF peaks")
axes.grid(False)
handles = [plt.Rectangle((0, 0), 1, 1, color=BASE_COLOURS[base]) for base in "ACGT"]
_ = axes.legend(handles, "ACGT", loc="upper left", bbox_to_anchor=(1, 1))

share = forty.mean(axis=(0, 1))
words = ", ".join(f"{base} {part:.1%}" for base, part in zip("ACGT", share))
picture_of(figure, f"40 CTCF peaks of 100 bases as rows of coloured cells. Bases: {words}.")

# %% [markdown]
# You will hardly find the common pattern in it, because it stands at a different place in each row and on either strand. That is
# a task for a network, and one reason why a convolution, which looks for the same pattern at every place, fits DNA so well.
#
# The lecture shows such numbers as `(4, L)`, bases in rows, for a simulated sequence of 50 bases from the tutorial of "A primer
# on deep learning in genomics" (Zou and colleagues, 2019). Here are the first and last columns that it prints:

# %% tags=["needs-data:primer", "seed:004-dna-as-picture"]
label_file, sequence_file = fetch("primer")  # "primer": the name of the data set
first = sequence_file.read_text().split()[0]
print(f"DNA sequence 1: {first[:10]} ... {first[-10:]}")
rows = one_hot(first).T  # (4, 50)
for row in rows:
    print(*row[:3], "...", *row[-3:])

# %% [markdown]
# ## 8 · Your own file
#
# Put the path of a FASTA file of yours between the quotation marks, plain or gzipped. In JupyterLab you can drag a file into the
# file browser on the left; in Colab, into the folder panel. A file that is empty, breaks off after a name, or is not FASTA at
# all gets a plain sentence that says so.

# %%
my_file = shipped("ctcf_peaks_200.fa")  # for example: my_file = "my_genes.fa"

records = read_fasta(my_file)
print(f"{len(records)} records; the first is {records[0].name}, {len(records[0].sequence)} bases")
mine = one_hot(records[0].sequence, ambiguous="share")
print("bases:", dict(zip("ACGT", mine.sum(axis=0).tolist())))

# %% [markdown]
# A file that is not FASTA, so that you have met the message:

# %%
wrong_file = shipped("registry.toml")
try:
    read_fasta(wrong_file)
except FastaError as error:
    print(str(error).replace(str(wrong_file), wrong_file.name))  # the name without its folders

# %% [markdown]
# ## Common mistakes
#
# - **Another column order** (M05). Nothing fails; T becomes C. Decode a sequence that you know.
# - **A wrong row in a printed matrix** (M03). `ATGCTA` begins with `[1, 0, 0, 0]`. Check examples by decoding them.
# - **An alphabet learned from each sequence** (M24). The columns shift when a base is absent. Name the four letters.
# - **`reshape` instead of `permute`.** The shape is right and the DNA is scrambled. No position may add up to more than 1.
# - **Lower case lost.** Count the ones: there should be as many as known bases.
# - **N turned into A.** Counting does not find it. Encode and decode `"N"` and look.
# - **`[::-1, ::-1]` on many sequences.** It reverses their list and complements nothing. Write `[..., ::-1, ::-1]`.

# %% [markdown]
# ## Recap
#
# A sequence of `L` bases becomes an array `(L, 4)` with columns A, C, G, T and one 1 in each row. Many sequences are
# `(N, L, 4)`; `Conv1d` wants `(N, 4, L)`, by `permute`. N is a decision: refuse, zeros, or shares. Soft-masked letters are
# bases. The reverse complement is a flip of the last two axes.
#
# ## Further reading
#
# - A. Cornish-Bowden. Nomenclature for incompletely specified bases in nucleic acid sequences: recommendations 1984. *Nucleic
#   Acids Research* 13, 3021-3030 (1985).
# - P. J. A. Cock et al. Biopython: freely available Python tools for computational molecular biology and bioinformatics.
#   *Bioinformatics* 25, 1422-1423 (2009).
# - J. Zou et al. A primer on deep learning in genomics. *Nature Genetics* 51, 12-18 (2019).
# - S. Nurk et al. The complete sequence of a human genome. *Science* 376, 44-53 (2022).
# - D. R. Kelley et al. Sequential regulatory activity prediction across chromosomes with convolutional neural networks.
#   *Genome Research* 28, 739-750 (2018).
#
# **Next:** [02 · PFM, PPM, PWM and scanning](02_pfm_pwm_scanning.ipynb), where binding sites become numbers, to be found in
# real DNA.
