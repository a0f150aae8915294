# %% [markdown]
# {{ header }}

# %% [markdown] tags=["seed:001-gwas", "seed:001-long-range"]
# ## Why this matters
#
# Studies that compare the genomes of many people (genome-wide association studies, **GWAS**) link thousands of single letters to diseases. Most of these letters lie outside of the parts that code for proteins. Many sit in an **enhancer**: a stretch of DNA that raises the activity of a gene which may start tens of thousands of letters away. It can act from afar because DNA folds, so that far places meet.
#
# The networks of lesson 04 read 20 letters at once. To feel such an enhancer, a network must see tens of thousands. One of our source lectures, the Japanese one, builds such a network, after the Basenji model (Kelley and colleagues, 2018). It is *given* 131,072 letters and predicts how many transcripts start in each of 1,024 stretches of them. How many letters does each prediction *see*?
#
# In this lesson you take the network apart. You look at each part alone, put the parts together again, and measure how far the whole sees. In lesson 10 you train a narrower one of the same build.

# %% [markdown]
# ## What you will be able to do
#
# - **compute** the receptive field of any stack of convolutions, and **measure** it with a gradient;
# - **explain** what dilation, strides, gates, weight normalisation and dense connections each do, and **write** each of them;
# - **assemble** the 388,154-parameter network from these parts, and **say** how far each of its outputs sees;
# - **choose** depth and dilation for a reach that you need, and **count** what it costs.

# %% tags=["set-up", "nbval-ignore-output"] reason="prints the versions of this machine"
# {{ set-up }}

# %% tags=["imports"]
import math

import matplotlib.pyplot as plt
import numpy as np
import torch
from torch import nn
from torch.nn import functional as F
from torch.nn.utils.parametrizations import weight_norm
from torchsummary import summary

from course_utils.datasets import fetch
from course_utils.exercises import lesson_09 as check
from course_utils.explorers.receptive_field import receptive_field_explorer
from course_utils.interpretation import seen_by
from course_utils.models import seeded
from course_utils.models.basenji import Basenji
from course_utils.plotting import picture_of
from course_utils.receptive_fields import Layer, receptive_field, span
from course_utils.sequences import one_hot, read_fasta

# %% [markdown] tags=["seed:001-strategies"]
# ## 1 · Three ways to read a long sequence
#
# The lecture names three strategies for sequences. Each gives something up.
#
# 1. **Bag of words.** Count the words of *k* letters (*k-mers*) and forget where they stood.
# 2. **Recurrent.** Read letter after letter, and carry what matters along in a memory of fixed size.
# 3. **Convolutional.** Look at all places at once, each time through a small window.
#
# (A fourth, *attention*, lets all places look at each other. It is younger than the lecture's model, and not part of this lesson.)
#
# Take the first. Here are two sequences with the same two words, one for a **promoter**, where transcription starts, and one for an enhancer, 30 letters apart in one, 300 in the other. In a third, both words have moved.

# %% tags=["seed:001-bag-of-words"]
rng = np.random.default_rng(0)
filler = "".join(rng.choice(list("ACGT"), 600))
promoter, enhancer = "TATAAAAGGCGC", "GGAAGTGACTCA"
near = filler[:100] + promoter + filler[100:130] + enhancer + filler[130:]
far = filler[:100] + promoter + filler[100:400] + enhancer + filler[400:]
moved = filler[:300] + promoter + filler[300:330] + enhancer + filler[330:]  # as in `near`, 200 letters later


def bag_of_words(sequence, k=6):
    """How often each word of k letters occurs."""
    words, counts = np.unique([sequence[i : i + k] for i in range(len(sequence) - k + 1)], return_counts=True)
    return dict(zip(words.tolist(), counts.tolist()))


def differences(bag, other):
    return sum(bag.get(word, 0) != other.get(word, 0) for word in bag.keys() | other.keys())


bag = bag_of_words(near)
print(f"{len(bag)} words; another distance changes the counts of {differences(bag, bag_of_words(far))} of them,")
print(f"another place at the same distance those of {differences(bag, bag_of_words(moved))}")

# %% [markdown]
# The bags are all but equal; what differs are the words at the seams, where filler was cut. Move both words and keep their distance, and *more* differs. So the bags say nothing of the distance, and what depends on it cannot be learned from them. (Where single words tell much, bags are strong.)
#
# Now the second strategy. A recurrent network (lesson 08) must finish letter 1 before it can read letter 2: on 131,072 letters, 131,072 steps that wait for each other, however many processors you have. And its memory fades. Take a GRU with random weights, as before any training, and ask how strongly its last output depends on a letter far back: with a gradient along the input, as in lesson 07.

# %% tags=["seed:001-recurrent"]
with seeded(0):
    gru = nn.GRU(input_size=4, hidden_size=32, batch_first=True).double()  # small numbers are coming
    letters = torch.eye(4).double()[torch.randint(4, (1, 400))]  # (1, 400, 4): random one-hot letters
letters.requires_grad_()
outputs, _ = gru(letters)  # (1, 400, 32)
outputs[0, -1].norm().backward()  # norm: the root of the sum of the squares, one number for the last output
strength = letters.grad[0].norm(dim=1)  # (400,): how much each letter matters for it
for back in (0, 10, 30, 100):
    print(f"{back:4} letters back: {strength[399 - back] / strength[399]:.0e} of the influence of the last letter")

# %% [markdown]
# `8e-04` is 0.0008, and a hundred letters back almost nothing is left. Other first weights, and training, can make the memory last longer. The 131,072 steps that wait for each other stay.
#
# That leaves the **convolution**: one filter slides along, with the same weights at each place, so that all places can be computed at once. What it lacks so far is reach.
#
# ## 2 · The receptive field
#
# The **receptive field** of an output reaches from the first to the last input that can change it. Measure it: compute one output and ask for its gradient along every input. The layers below only add, and all their weights are 1, so an input whose gradient is zero is not seen. (In a network with ReLU or max-pooling a single zero proves little: a ReLU may have stopped this one.)

# %% tags=["receptive-field-gradient"]
def ones_conv(kernel, dilation=1, stride=1):
    """A convolution of one channel, all weights 1, padded as in the lecture. (Stride and dilation: soon.)"""
    conv = nn.Conv1d(1, 1, kernel, stride, padding=kernel // 2 * dilation, dilation=dilation, bias=False)
    nn.init.ones_(conv.weight)
    return conv


def positions_seen(network, length, output):
    """The input positions that change one output, by its gradient."""
    inputs = torch.zeros(1, 1, length, requires_grad=True)
    network(inputs)[0, 0, output].backward()
    return inputs.grad[0, 0].nonzero().flatten().tolist()


for layers in (1, 2, 3, 7):
    plain = nn.Sequential(*[ones_conv(kernel=3) for _ in range(layers)])
    seen = positions_seen(plain, length=401, output=200)
    print(f"{layers} plain layers: {len(seen):3} positions, {seen[0]} to {seen[-1]}")

# %% [markdown]
# Each layer whose filters are 3 wide (a *kernel* of 3) adds one position on either side. Seven layers see 15. In general, a kernel of $k$ adds $k - 1$.
#
# A **stride** changes this arithmetic. A layer with a stride of 2 computes every second output only. So for the next layer two neighbours stand 2 letters apart, and behind another stride of 4 they stand 8 apart: strides multiply.

# %% [markdown]
# ## 3 · Dilation: a kernel with holes
#
# Each place that a kernel reads is a **tap**. In a **dilated convolution** (the lecture also names *atrous*, "with holes") the taps stand $d$ apart, so that a kernel of $k$ spans $(k - 1)\,d + 1$. A kernel of 3 with dilation 4 has three weights and looks at the inputs at $-4$, $0$ and $+4$. It is the same as a plain kernel of 9 in which six weights are zero:

# %% tags=["dilation"]
dilated = ones_conv(kernel=3, dilation=4)
with_zeros = ones_conv(kernel=9)
with torch.no_grad():
    dilated.weight[0, 0] = torch.tensor([1.0, 2.0, 3.0])
    with_zeros.weight[0, 0] = torch.tensor([1.0, 0, 0, 0, 2.0, 0, 0, 0, 3.0])
    x = torch.randn(1, 1, 50, generator=torch.Generator().manual_seed(0))
    print("the same outputs:", torch.equal(dilated(x), with_zeros(x)))
print("weights:", dilated.weight.numel(), "and", with_zeros.weight.numel())

# %% [markdown]
# One such layer leaves holes: of the three places between two of its taps, none is read. But stack layers whose dilation *doubles*, 1, 2, 4, ..., and each layer fills the holes of the next.
#
# > **Predict first.** Seven plain layers saw 15 positions. How many do seven layers see whose dilations are 1, 2, 4, 8, 16, 32, 64? And if the dilations *triple*, are there holes?

# %% tags=["seed:001-doubling"]
for rule, dilations in {
    "plain": [1] * 7,
    "doubling": [2**i for i in range(7)],
    "tripling": [3**i for i in range(5)],
    "fours": [4**i for i in range(4)],
}.items():
    network = nn.Sequential(*[ones_conv(kernel=3, dilation=d) for d in dilations])
    seen = positions_seen(network, length=601, output=300)
    field = seen[-1] - seen[0] + 1
    print(f"{rule:8} {str(dilations):30} field {field:3}, of which {field - len(seen):2} are never read")

# %% [markdown]
# Seven doubling layers see 255 positions, each of them. A kernel of 3 can even triple its dilations without a hole. Beyond that, positions inside the field are never read at all. Why then only double? With tripling, exactly one path leads from each input to the output. With doubling there are several from most inputs, so that neighbours are combined in more ways.
#
# So the number of layers grows with the *logarithm* of the distance, and the number of weights with it. At each position, a layer still costs three multiplications for each pair of an input and an output channel.

# %% [markdown] tags=["exercise:receptive_field"]
# ### Exercise 1 · How far one output sees
# ●●○ · 10 minutes · why it matters: what lies outside can never matter, however long you train. Know this number before you choose a network.
#
# Three numbers of each layer decide: the width of its kernel, its stride (how far the window moves from one output to the next)
# and its dilation (how far apart the taps of the kernel stand).

# %% tags=["exercise:receptive_field"]
def field_of(layers):
    """Say how many positions of the sequence one output spans.

    layers: a list of tuples (kernel, stride, dilation), the one next to the sequence first.
    Returns: a whole number, both ends and all between counted; for [(3, 1, 1)] it is 3.
    """
    ...

# %% tags=["exercise:receptive_field"]
check.receptive_field(field_of)

# %% [markdown] tags=["exercise:receptive_field"]
# <details><summary>Hint</summary>
#
# With no layer, an output sees 1 position. A kernel of `k` has `k - 1` gaps between its taps. How wide is one gap, counted in
# positions of the *sequence*? Keep a second number while you walk through the layers: how far apart two neighbours are there.
#
# </details>
# <details><summary>Solution</summary>
#
# ```python
# def field_of(layers):
#     field, step = 1, 1
#     for kernel, stride, dilation in layers:
#         field += (kernel - 1) * dilation * step
#         step *= stride
#     return field
# ```
#
# The check has no formula: it walks back from one output and collects the positions it meets. The gradient does the same with
# the network itself; section 10 compares the two.
#
# </details>

# %% [markdown] tags=["M25", "seed:001-log-layers"]
# ### How many layers for a distance of D?
#
# The lecture says that it takes $D / K$ plain layers with a kernel of $K$ to reach a distance of $D$, and $\log_2 D$ layers whose dilations double. (Its text counts with a kernel of 2, its code has 3.) Is that so? Count it yourself.

# %% [markdown] tags=["exercise:plain_layers"]
# ### Exercise 2 · How many layers does it take
# ●●○ · 10 minutes · why it matters: this is the whole argument for dilation.
#
# All layers have stride 1 and the same kernel. How many does it take until the receptive field, from end to end, is `positions` or more? Once with
# plain layers (dilation 1 in each), once with dilations that double: 1, 2, 4, 8, ...

# %% tags=["exercise:plain_layers"]
def layers_needed(positions, kernel, doubling):
    """Say how many layers of stride 1 an output needs to see so many positions.

    positions: how many positions the receptive field must have at least, 2 or more.
    kernel: width of each layer's kernel, 2 or more.
    doubling: False for plain layers; True if the dilations are 1, 2, 4, 8, ...
    Returns: a whole number; for 7, 3, False it is 3, and for 7, 3, True it is 2.
    """
    ...

# %% tags=["exercise:plain_layers"]
check.plain_layers(layers_needed)

# %% [markdown] tags=["exercise:plain_layers"]
# <details><summary>Hint</summary>
#
# Add layers until it is enough, and count them: a `while` loop is as good as a formula. What does one layer add to the field? And
# what happens to the dilation after each layer?
#
# </details>
# <details><summary>Solution</summary>
#
# ```python
# def layers_needed(positions, kernel, doubling):
#     layers, field, dilation = 0, 1, 1
#     while field < positions:
#         field += (kernel - 1) * dilation
#         layers += 1
#         if doubling:
#             dilation *= 2
#     return layers
# ```
#
# As formulas: plain layers `ceil((D - 1) / (K - 1))`, doubled ones `ceil(log2((D - 1) / (K - 1) + 1))`. So the lecture's D/K is too few
# for long distances; its log2 D is right for a kernel of 2, and up to one too many for 3 (mistake M25).
#
# </details>

# %% [markdown]
# ## 4 · Explore
#
# The picture starts with seven layers that double: one output at the top, 320 inputs at the bottom, and those marked that it depends on.
#
# - Guess first: how many positions does it see with five layers? Take layers away, one at a time: what does each take with it?
# - Set the dilation to *plain*, then to *tripling* and *quadrupling*. Where do holes appear? With a kernel of 2, set 4 layers first. Which pairs of kernel and dilation leave no holes?
# - Move the output towards an end. How much of its field lies outside of the input? (Grey rings are no holes: every path to them leads through the padding.)
#
# (The check box puts the squeeze of section 5 in front, so that a position becomes a bin of 128 letters. Come back to it after section 5. A bin that is never read is not 128 letters never seen: what neighbouring bins see overlaps, and the table counts both.)

# %% tags=["explorer"]
receptive_field_explorer()

# %% [markdown] tags=["seed:001-squeeze"]
# ## 5 · Squeeze: from bases to bins
#
# Lesson 10 needs no answer for every letter. Its measurements are counts in **bins**, stretches of 128 letters. The lecture's network first **squeezes** the sequence: four convolutions with strides of 2, 4, 4 and 4 turn each 128 letters into one column of 96 numbers.

# %% tags=["seed:001-squeeze"]
x = torch.zeros(1, 4, 131_072)  # the shape is what counts here
print("input          ", tuple(x.shape))
for channels, kernel, stride in [(48, 21, 2), (60, 7, 4), (76, 7, 4), (96, 7, 4)]:
    conv = nn.Conv1d(x.shape[1], channels, kernel, stride, padding=kernel // 2)
    with torch.no_grad():
        x = conv(x)
    print(f"kernel {kernel:2}, stride {stride}", tuple(x.shape))
print("bases in a bin:", 2 * 4 * 4 * 4)

# %% [markdown]
# Pooling, as in lesson 04, would shorten the sequence too. A stride does it in one step, and does not compute what is thrown away. The price: filters look only at every second or fourth place, so that, more than with pooling, it matters where the grid begins. Shift the sequence by one letter and the squeezed numbers change. (Lesson 10 uses such shifts to make more training data.)

# %% tags=["squeeze-field"]
# a Layer is a kernel, a stride and a dilation; span gives the first and last input of an output, the end excluded
SQUEEZE = [Layer(21, stride=2), Layer(7, stride=4), Layer(7, stride=4), Layer(7, stride=4)]
print("bases seen by a column:", receptive_field(SQUEEZE))
start, end = span(SQUEEZE, output=100, length=131_072)
first = 100 * 128  # of bin 100
print(f"column 100 sees the bases {start:,} to {end - 1:,}: {first - start} before its bin, {end - first - 128} behind it")
print(f"the middle is base {(start + end - 1) / 2:,.0f}; the bin begins at {first:,}")

# %% [markdown] tags=["bin-centre"]
# A column sees its own bin, all of the one before, and little of the next. *What it sees is centred on the start of its bin.* That comes from the padding. It does no harm as long as you know it: a motif at the end of a bin is seen by this column and by the next. But it makes the two ends of a window unequal. Turn a sequence around, and the squeezed columns do not quite turn around with it; lesson 10 comes back to this.

# %% [markdown] tags=["seed:001-glu"]
# ## 6 · Gates
#
# In lesson 04 a ReLU stood between two layers: it lets positive numbers through and stops negative ones. The lecture's network has **gated linear units** instead (GLU; Dauphin and colleagues, 2017). Each layer computes twice as many channels as it needs. One half is the values $a$; the other half decides, by way of a sigmoid, how far the gate of each value opens:
#
# $$\mathrm{GLU}(a, b) = a \cdot \sigma(b), \qquad \sigma(b) = \frac{1}{1 + e^{-b}}.$$
#
# So one filter can say *what* is there and another *whether it counts here*.

# %% tags=["glu"]
b = np.linspace(-6, 6, 121)
gate = 1 / (1 + np.exp(-b))  # between 0 and 1
figure, axes = plt.subplots(figsize=(6, 3))
for a, style, colour in [(2, "-", "#0072B2"), (0.5, "--", "#009E73"), (-1, ":", "#D55E00")]:
    axes.plot(b, a * gate, style, color=colour)
    axes.text(6.2, a * gate[-1], f"a = {a}", va="center")
axes.set(xlabel="b, which opens the gate", ylabel="a · sigmoid(b)")
print(f"a = 2: {2 * gate[0]:.3f} at b = -6 (closed), {2 * gate[60]:.1f} at b = 0 (half open), {2 * gate[-1]:.3f} at b = 6 (open)")
picture_of(figure, f"The gated value against b for three values a. All are near 0 at the left; a = 2 rises to {2 * gate[-1]:.2f}, "
           f"a = 0.5 to {0.5 * gate[-1]:.2f}, a = -1 falls to {-gate[-1]:.2f}.")  # fmt: skip

# %% [markdown] tags=["exercise:glu"]
# ### Exercise 3 · A gated linear unit
# ●○○ · 10 minutes · why it matters: half of the channels decide what the other half may say. Close relatives stand in many of today's language models.
#
# The first half of the channels is the signal, the second half opens the gates. Write it from these parts; PyTorch's own `F.glu`
# needs one argument more than you may expect.

# %% tags=["exercise:glu"]
def gated(h):
    """Let the second half of the channels gate the first.

    h: a float tensor (N, 2C, L).
    Returns: a float tensor (N, C, L), the first C channels times the sigmoid of the last C.
    """
    ...

# %% tags=["exercise:glu"]
check.glu(gated)

# %% [markdown] tags=["exercise:glu"]
# <details><summary>Hint</summary>
#
# `h.shape[1] // 2` is the number of channels that come out. Cut along the axis of the channels, `h[:, ...]`, or let `chunk` do it and
# say along which axis. `torch.sigmoid` works on a whole tensor.
#
# </details>
# <details><summary>Solution</summary>
#
# ```python
# def gated(h):
#     signal, gate = h.chunk(2, dim=1)
#     return signal * torch.sigmoid(gate)
# ```
#
# `F.glu(h, dim=1)` does the same. Without `dim` it cuts the last axis, the positions. If their number is even, this line raises no error; the next layer may.
#
# </details>

# %% [markdown] tags=["seed:001-weight-norm"]
# ## 7 · Weight normalisation
#
# A filter is an arrow in a space of many dimensions: it has a direction and a length. **Weight normalisation** (Salimans and Kingma, 2016) keeps the two apart. For each output channel there is a direction $v$ and a length $g$, the **gain**, and the weights are
#
# $$w = g \, \frac{v}{\lVert v \rVert}.$$
#
# Training can then turn a filter without making it longer, or lengthen it without turning it. The network can express exactly the same as before; it is the path of the training that changes.

# %% [markdown] tags=["exercise:weight_norm"]
# ### Exercise 4 · Weight normalisation by hand
# ●●○ · 10 minutes · why it matters: you will know what the extra parameters in the count are, and why a common summary misses them.
#
# Make the weights that the convolution uses, from the directions `v` and the gains `g`.

# %% tags=["exercise:weight_norm"]
def normalised(v, g):
    """Give each filter the direction of v and the length g.

    v: a float tensor (out, in, kernel), a filter v[o] for each output channel.
    g: a float tensor (out,), the gains: the length that each filter is to have.
    Returns: a float tensor (out, in, kernel); the length of a filter is the root of the sum of the
        squares of all its numbers.
    """
    ...

# %% tags=["exercise:weight_norm"]
check.weight_norm(normalised)

# %% [markdown] tags=["exercise:weight_norm"]
# <details><summary>Hint</summary>
#
# First the length of each `v[o]`: `v.norm(dim=..., keepdim=True)` over the axes that one filter has, which gives the shape
# `(out, 1, 1)`. Then give `g` the same shape, so that each filter meets its own number: `g[:, None, None]`.
#
# </details>
# <details><summary>Solution</summary>
#
# ```python
# def normalised(v, g):
#     length = v.norm(dim=(1, 2), keepdim=True)
#     return g[:, None, None] * v / length
# ```
#
# </details>

# %% [markdown]
# PyTorch's `weight_norm` does this before each forward pass. It keeps $g$ under the name `original0` and $v$ as `original1`, and makes the layer's `weight` of them.

# %% tags=["weight-norm"]
with seeded(0):
    conv = weight_norm(nn.Conv1d(4, 6, kernel_size=3, bias=False))
gain, direction = conv.parametrizations.weight.original0, conv.parametrizations.weight.original1
print("gain", tuple(gain.shape), " direction", tuple(direction.shape))
x = torch.randn(1, 4, 30, generator=torch.Generator().manual_seed(1))
with torch.no_grad():
    before = conv(x)
    direction *= 10  # ten times as long, the same direction
    print("ten times the direction vector, the same outputs:", torch.allclose(conv(x), before, atol=1e-6))
    gain *= 10
    print("ten times the gain, ten times the outputs:", torch.allclose(conv(x), 10 * before, atol=1e-5))

# %% [markdown]
# The gains are parameters, too. `torchsummary`, which counted right in lesson 04, does not see them. It asks each layer for its `weight`, and that is computed here, not stored. (Each `_WeightNorm` line is one such computation.) For such layers count with `numel`, as in the last line.

# %% tags=["torchsummary-miscounts"]
summary(nn.Sequential(conv), input_size=(4, 30), device="cpu")
print("truly:", sum(parameter.numel() for parameter in conv.parameters()), "parameters: 72 of the directions and 6 gains")

# %% [markdown] tags=["seed:001-dense"]
# ## 8 · Dense connections
#
# The dilated part of the network has seven blocks, one after the other, each a dilated convolution with its gates. In the lecture's network a block reads *all* that was made before it: the 96 squeezed channels and the 24 of each earlier block, side by side. This is a **dense connection**, as in DenseNet (Huang and colleagues, 2017). So the last layer, the **head**, reads what is near and what is far at once.

# %% tags=["dense-picture"]
figure, axes = plt.subplots(figsize=(7, 3))
names = [f"block {i + 1}" for i in range(7)] + ["head"]
bottom = np.zeros(8)
for source in range(8):  # the squeezed columns, then block 1 to block 7
    made = 96 if source == 0 else 24
    reads = np.array([made if reader >= source else 0 for reader in range(8)])
    shade = plt.cm.viridis(0.95 - source / 9)
    axes.bar(names, reads, bottom=bottom, color=shade, edgecolor="white", label="squeezed" if source == 0 else f"block {source}")
    bottom += reads
for reader, total in enumerate(bottom):
    axes.text(reader, total + 4, f"{total:.0f}", ha="center")
axes.set(ylabel="channels that it reads", ylim=(0, 300))
_ = axes.legend(title="made by", bbox_to_anchor=(1.01, 1), loc="upper left", fontsize=8)
picture_of(figure, "Channels that each dilated block and the head read, stacked by where they come from: "
           + ", ".join(f"{name} {total:.0f}" for name, total in zip(names, bottom)) + ".")  # fmt: skip

# %% [markdown] tags=["exercise:dense_channels"]
# ### Exercise 5 · Channels that pile up
# ●○○ · 5 minutes · why it matters: `in_channels` of every layer depends on it, and it is why a dense network's last blocks cost most.
#
# In a densely connected network, each block gets everything that was made before it, side by side: what went into the first block, and
# the `growth` channels that each earlier block has made. The head, the last layer, gets all of it.

# %% tags=["exercise:dense_channels"]
def entering(start, growth, blocks):
    """Say how many channels enter each block and the head.

    start: channels that enter the first block.
    growth: channels that each block makes (behind its gate).
    blocks: how many blocks there are.
    Returns: a list of blocks + 1 whole numbers, the last one for the head; for 8, 2, 3 it is
        [8, 10, 12, 14].
    """
    ...

# %% tags=["exercise:dense_channels"]
check.dense_channels(entering)

# %% [markdown] tags=["exercise:dense_channels"]
# <details><summary>Hint</summary>
#
# Begin with a list that holds `start` alone. What enters the next block is what entered this one, and what this one made beside it.
# The lecture's network has 96, 24 and 7; the head gets 264.
#
# </details>
# <details><summary>Solution</summary>
#
# ```python
# def entering(start, growth, blocks):
#     channels = [start]
#     for block in range(blocks):
#         channels.append(channels[-1] + growth)
#     return channels
# ```
#
# </details>

# %% [markdown]
# What are they good for? Training follows the gradient of the loss, and that must come back through all blocks. Test the way back with a stand-in: random columns in place of the squeezed ones, and the gradient of the mean output in place of the loss. How much reaches the columns, with and without dense connections, in networks of 7 and 28 blocks, before training?

# %% tags=["dense-gradient"]
def gradient_at_start(depth, dense, channels=24):
    """The size of the gradient of the mean output along the columns that enter the first block."""
    h = columns = torch.randn(8, channels, 512, requires_grad=True)
    for _ in range(depth):
        conv = nn.Conv1d(h.shape[1], 2 * channels, kernel_size=3, padding=1)
        nn.init.normal_(conv.weight, std=(h.shape[1] * 3) ** -0.5)  # the lecture's kind of first weights
        new = F.glu(conv(h), dim=1)  # (8, 24, 512)
        h = torch.cat([h, new], dim=1) if dense else new
    head = nn.Conv1d(h.shape[1], 1, kernel_size=1)
    head(h).mean().backward()
    return columns.grad.norm().item()


for depth in (7, 28):
    with seeded(0):
        print(f"{depth:2} blocks: with dense connections {gradient_at_start(depth, True):.0e}, without {gradient_at_start(depth, False):.0e}")

# %% [markdown]
# Without dense connections the gradient falls from 1e-04 behind 7 blocks to 2e-11 behind 28. Each block shrinks it: its gates are about half closed. With them, the gradient has a direct way back to every block.

# %% [markdown] tags=["seed:001-network"]
# ## 9 · The whole network
#
# Here it is. Each block is a weight-normalised convolution with gates and dropout (lesson 06; Srivastava and colleagues, 2014). `nn.ModuleList` is a list whose layers PyTorch knows as parts of the network. What the network predicts is a **target**: there are ten for each bin, one for each experiment. (The numbers of one experiment along the genome are called a track; lesson 10 has real ones.)
#
# (Basenji itself shortens its sequence by max-pooling, and has neither gates nor weight normalisation; these are the lecture's.)

# %% tags=["seed:001-network", "seed:001-blocks"]
class GatedConv(nn.Module):
    """Weight-normalised convolution -> gated linear unit -> dropout: a block to squeeze, or a dilated one."""

    def __init__(self, channels_in, channels_out, kernel, stride=1, dilation=1, dropout=0.0):
        super().__init__()
        padding = kernel // 2 * dilation
        self.conv = weight_norm(nn.Conv1d(channels_in, 2 * channels_out, kernel, stride, padding, dilation))
        self.dropout = nn.Dropout(dropout)

    def forward(self, x):  # (N, channels_in, L)
        return self.dropout(F.glu(self.conv(x), dim=1))  # (N, channels_out, L / stride)


class Network(nn.Module):
    def __init__(self, targets=10, base=24):
        super().__init__()
        sizes = [(48, 21, 2, 0), (60, 7, 4, 0.05), (76, 7, 4, 0.05), (96, 7, 4, 0.05)]
        channels, self.squeeze, self.dilated = 4, nn.ModuleList(), nn.ModuleList()
        for out, kernel, stride, dropout in sizes:
            self.squeeze.append(GatedConv(channels, out, kernel, stride, dropout=dropout))
            channels = out
        for dilation in (1, 2, 4, 8, 16, 32, 64):
            self.dilated.append(GatedConv(channels, base, kernel=3, dilation=dilation, dropout=0.1))
            channels += base  # the next block reads this one's output too
        self.head = nn.Conv1d(channels, targets, kernel_size=1)

    def forward(self, x):  # (N, 4, 131072)
        for block in self.squeeze:
            x = block(x)  # (N, 48, 65536), (N, 60, 16384), (N, 76, 4096), (N, 96, 1024)
        for block in self.dilated:
            x = torch.cat([x, block(x)], dim=1)  # (N, 120, 1024), (N, 144, 1024), ... (N, 264, 1024)
        return self.head(x).permute(0, 2, 1)  # (N, 1024, 10): for each bin, 10 tracks


# %% tags=["seed:001-network", "parameters"]
with seeded(0):
    network = Network()
count = {name: sum(p.numel() for p in part.parameters()) for name, part in network.named_children()}
print(count, "together", sum(count.values()))
print("the package's Basenji:", sum(p.numel() for p in Basenji().parameters()))

# %% [markdown] tags=["M29"]
# 388,154 parameters, as the lecture's own network has. Now let something flow through it. The lecture does that with `np.empty`, an array that nobody filled (mistake M29): what comes out depends on what happened to lie in the memory, and fresh memory is often all zeros. The shape is right either way, and yet nothing is tested. Take a real sequence, 131,072 letters of human DNA around the gene *GATA4* (lesson 02), and an array of zeros beside it.

# %% tags=["needs-data:gata4", "M29", "seed:001-shapes"]
[path] = fetch("gata4")
[record] = read_fasta(path)
locus = one_hot(record.sequence)  # (131072, 4)
print("each row has exactly one 1:", bool((locus.sum(axis=1) == 1).all()))
inputs = torch.from_numpy(locus).float().T[None]  # turned, and a batch of one: (1, 4, 131072)
network.eval()
for name, given in [("real DNA", inputs), ("zeros", torch.zeros(1, 4, 131_072))]:
    with torch.no_grad():
        outputs = network(given)  # (1, 1024, 10)
    different = len(outputs[0, 200:800].unique(dim=0))
    print(f"{name:8} output {tuple(outputs.shape)}; bins 200 to 799 have {different} different predictions")

# %% [markdown]
# On zeros every bin, away from the ends, gets the same answer. A network that ignores its input would pass such a trial.

# %% [markdown]
# The package's `Basenji` is the same network, with widths, depth and dilations as arguments; it differs only in its first weights. (The lecture uses an older framework, Chainer; `load_chainer` reads weights trained with that.) Give it yours, and it gives the same numbers:

# %% tags=["needs-data:gata4", "same-as-package"]
packaged = Basenji()
packaged.load_state_dict(network.state_dict())
packaged.eval()
with torch.no_grad():
    print("the same outputs:", torch.equal(packaged(inputs), network(inputs)))

# %% [markdown] tags=["M25"]
# ## 10 · How far does it see?
#
# The lecture says that its network considers the whole window, more than a hundred thousand letters (mistake M25).
#
# > **Predict first.** Each dilated layer reaches 1, 2, 4, ... 64 bins to either side. How many letters does one output see? Is it the whole window?
#
# `seen_by` asks, as in section 2, along which letters the outputs of a bin have a gradient. The input is random DNA.

# %% tags=["M25"]
DILATED = [Layer(3, dilation=2**i) for i in range(7)]
print("by arithmetic, bins: ", receptive_field(DILATED))
print("by arithmetic, bases:", receptive_field(SQUEEZE + DILATED))
with seeded(0):
    model = Basenji()
    random_window = torch.eye(4)[torch.randint(4, (1, 131_072))].permute(0, 2, 1)  # (1, 4, 131072)
seen = seen_by(model, random_window, bin=512).nonzero()[0]
print(f"by gradient, bases:   {len(seen):,}, from {seen[0]:,} to {seen[-1]:,}")
print(f"share of the window:  {len(seen) / 131_072:.0%}")

# %% [markdown]
# 32,785 letters, a quarter of the window: about 16,000 to each side. What lies farther away cannot change this output, whatever the network learns. An enhancer 40,000 letters off is invisible to it. Check it with a mutation, which needs no gradient: change a stretch of 128 letters, and see by how much bin 512 moves.

# %% tags=["M25", "mutation"]
model = model.double().eval()  # double: with many digits, so that small changes show
random_window = random_window.double()
with torch.no_grad():
    before = model(random_window)[0, 512]
    for distance in (1_000, 10_000, 16_000, 17_000, 40_000):
        changed = random_window.clone()
        start = 512 * 128 + distance
        changed[0, :, start : start + 128] = changed[0, [3, 2, 1, 0], start : start + 128]  # A <-> T, C <-> G
        moves = (model(changed)[0, 512] - before).abs().max()
        print(f"{distance:6,} letters away: the output moves by {moves:.0e}")

# %% [markdown]
# At 17,000 and at 40,000 letters not a single digit changes. But look at the others: 5e-03 at 1,000 letters, 7e-08 at 16,000. There the network hears a whisper. *Seeing is not using.* The receptive field is a limit, not a promise: what lies near its edge has few paths to the output (Luo and colleagues, 2016), and whether training strengthens them, only the trained network can tell. Lesson 10 tests reach over tens of bins, not this edge.
#
# Near the ends of a window there is less to see: the outputs there look at padding.

# %% tags=["M25", "ends"]
def letters_seen(layers, output):
    """How many letters of the window an output sees; padding does not count."""
    start, end = span(layers, output, length=131_072)
    return end - start


half = receptive_field(SQUEEZE + DILATED) // 2  # letters to each side of the first letter of its bin
full = sum(half <= 128 * output < 131_072 - half for output in range(1024))
first = letters_seen(SQUEEZE + DILATED, output=0)
print(f"outputs with their whole field inside the window: {full} of 1,024; the first output sees {first:,} letters")
for more in (2, 3):
    deeper = SQUEEZE + [Layer(3, dilation=2**i) for i in range(7 + more)]
    shares = [letters_seen(deeper, output) / 131_072 for output in (0, 512)]
    print(f"{more} dilated layers more: the first output sees {shares[0]:.0%} of the window, the middle one {shares[1]:.0%}")

# %% [markdown]
# So a quarter of the outputs see less than the whole field. Two more layers show the whole window to the output in the middle, three show it to all.
#
# ### What dilation buys
#
# Three networks that see exactly 32,785 letters. The first is a chain of plain layers on single letters, 24 channels each. The others stand behind the squeeze and are densely connected: one plain, one dilated. Each weight is multiplied once at each place where its layer has an output.

# %% tags=["M23", "what-dilation-buys"]
def weights_of(inputs, kernel, outputs):
    return inputs * kernel * 2 * outputs  # twice, for the gates


def dense_weights(layers):
    return sum(weights_of(96 + 24 * layer, 3, 24) for layer in range(layers))


channels, kernels, lengths = [4, 48, 60, 76, 96], [21, 7, 7, 7], [65_536, 16_384, 4_096, 1_024]
squeeze = [weights_of(*layer) for layer in zip(channels, kernels, channels[1:])]  # of each block
squeeze_cost = sum(weights * length for weights, length in zip(squeeze, lengths))
chain, plain = (32_785 - 1) // 2, (255 - 1) // 2  # layers: each sees 2 more
on_letters = chain * weights_of(24, 3, 24)
rows = {
    "plain, on letters": (chain, on_letters, on_letters * 131_072),
    "squeeze, plain": (4 + plain, sum(squeeze) + dense_weights(plain), squeeze_cost + dense_weights(plain) * 1_024),
    "squeeze, dilated": (4 + 7, sum(squeeze) + dense_weights(7), squeeze_cost + dense_weights(7) * 1_024),
}
print("                   layers  weights  multiplications")
for name, (layers, weights, multiplications) in rows.items():
    print(f"{name:18}{layers:7,}{weights / 1e6:7.2f} M{multiplications / 1e9:9,.1f} billion")

# %% [markdown]
# Plain layers on single letters are out of the question. Behind the squeeze they are possible, and dilation makes them cheap: a twentieth of the multiplications, and about an eightieth of the weights. What is left is mostly the squeeze. "Fewer than five layers, inputs of up to two thousand letters" (mistake M23, lesson 00) is a rule for what acts within two thousand letters.

# %% [markdown]
# ## Common mistakes
#
# - **Taking the length of the input for the reach** (M25). A network that is *given* 131,072 letters may *see* 32,785. Compute it, and measure it with a gradient.
# - **Forgetting the strides.** A layer behind a stride of 128 moves in steps of 128 letters.
# - **Dilations that grow faster than the kernel fills.** The field has holes.
# - **Trying a network on memory that nobody filled** (M29). Use real input, and look at more than shapes.
# - **Counting weight-normalised layers with `torchsummary`.** Count with `numel`.
# - **Fixed rules for depth and length** (M23). Ask how far the biology reaches.
#
# ## Recap
#
# A convolution sees a few neighbours. Strides squeeze 128 letters into a column; doubling dilations let seven layers see 255 columns; dense connections hand everything on and give the gradient a direct way back; gates decide what counts where; weight normalisation keeps a filter's direction and its length apart. The receptive field is arithmetic, and a gradient measures it: 32,785 letters here.

# %% [markdown] tags=["seed:001-references"]
# ## Further reading
#
# - D. R. Kelley et al. Sequential regulatory activity prediction across chromosomes with convolutional neural networks. *Genome Research* 28, 739-750 (2018).
# - W. Luo, Y. Li, R. Urtasun, R. Zemel. Understanding the effective receptive field in deep convolutional neural networks. *Advances in Neural Information Processing Systems* 29 (2016).
# - F. Yu, V. Koltun. Multi-scale context aggregation by dilated convolutions. *International Conference on Learning Representations* (2016). Dilations that double.
# - A. van den Oord et al. WaveNet: a generative model for raw audio. arXiv:1609.03499 (2016). The picture that the lecture shows.
# - T. Salimans, D. P. Kingma. Weight normalization: a simple reparameterization to accelerate training of deep neural networks. *Advances in Neural Information Processing Systems* 29 (2016).
# - Y. N. Dauphin, A. Fan, M. Auli, D. Grangier. Language modeling with gated convolutional networks. *International Conference on Machine Learning* (2017).
# - K. Cho et al. Learning phrase representations using RNN encoder-decoder for statistical machine translation. *Conference on Empirical Methods in Natural Language Processing* (2014). The GRU.
# - N. Srivastava et al. Dropout: a simple way to prevent neural networks from overfitting. *Journal of Machine Learning Research* 15, 1929-1958 (2014).
# - G. Huang, Z. Liu, L. van der Maaten, K. Q. Weinberger. Densely connected convolutional networks. *IEEE Conference on Computer Vision and Pattern Recognition* (2017).
#
# **Next:** [10 · Basenji](10_basenji.ipynb), which trains a narrower network of this build, with the same reach, and asks what it has learned.
