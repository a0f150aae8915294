# %% [markdown]
# {{ header }}

# %% [markdown] tags=["seed:001-gwas", "seed:001-long-range"]
# ## Why this matters
#
# Studies that compare the genomes of many people (**GWAS**, genome-wide association studies) link thousands of single letters to diseases. Most of these letters lie outside of genes. Many sit in **enhancers**: stretches of DNA that raise the activity of a gene which may start tens of thousands of letters away, because in the nucleus the DNA folds and far places meet.
#
# The networks of lesson 04 read 20 letters at once. To feel an enhancer, a network must read a hundred thousand. A Japanese lecture of this course does that, after the Basenji model of Kelley and others (2018): it reads 131,072 letters and predicts how many transcripts start in each of 1,024 stretches of them. In this lesson you take its network apart. You look at each part alone, build it, measure how far it really sees, and put the parts together again. In lesson 10 you train it.

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
# Take the first. Here are two sequences: the same promoter word and the same enhancer word, 30 letters apart in one, 300 in the other.

# %% tags=["seed:001-bag-of-words"]
rng = np.random.default_rng(0)
filler = "".join(rng.choice(list("ACGT"), 600))
promoter, enhancer = "TATAAAAGGCGC", "GGAAGTGACTCA"
near = filler[:100] + promoter + filler[100:130] + enhancer + filler[130:]
far = filler[:100] + promoter + filler[100:400] + enhancer + filler[400:]


def bag_of_words(sequence, k=6):
    """How often each word of k letters occurs."""
    words, counts = np.unique([sequence[i : i + k] for i in range(len(sequence) - k + 1)], return_counts=True)
    return dict(zip(words.tolist(), counts.tolist()))


bag_near, bag_far = bag_of_words(near), bag_of_words(far)
words = bag_near.keys() | bag_far.keys()
different = sum(bag_near.get(word, 0) != bag_far.get(word, 0) for word in words)
print(f"{len(words)} words in the two bags; {different} differ, all of them where filler meets filler or a word was put in")

# %% [markdown]
# The bags are all but equal: the distance is gone. Whatever depends on it cannot be learned from them.
#
# Now the second strategy. A **recurrent network** must finish letter 1 before it can read letter 2: on 131,072 letters, 131,072 steps that wait for each other, however many processors you have. And its memory fades. Take a GRU, a common recurrent network, with random weights as before any training. Ask how strongly its last output depends on a letter far back: that is a gradient.

# %% tags=["seed:001-recurrent"]
with seeded(0):
    gru = nn.GRU(input_size=4, hidden_size=32, batch_first=True).double()  # small numbers are coming
    letters = torch.eye(4).double()[torch.randint(4, (1, 400))]  # (1, 400, 4): random one-hot letters
letters.requires_grad_()
outputs, _ = gru(letters)  # (1, 400, 32)
outputs[0, -1].norm().backward()
strength = letters.grad[0].norm(dim=1)  # (400,): how much each letter matters for the last output
for back in (0, 10, 30, 100):
    print(f"{back:4} letters back: {strength[399 - back] / strength[399]:.0e} of the influence of the last letter")

# %% [markdown]
# A hundred letters back, nothing is left that a training could take hold of. Better memories have been invented (the GRU is one of them), and training can make them last longer; the 131,072 steps that wait for each other stay.
#
# So: **convolutions**. All places are computed at once, and what a filter means does not depend on where it stands (lesson 04). What they lack so far is reach.
#
# ## 2 · The receptive field
#
# The **receptive field** of an output is the set of inputs that can change it. Measure it the honest way: compute one output and ask for its gradient with respect to every input. Where the gradient is zero, the input is not seen.

# %% tags=["receptive-field-gradient"]
def ones_conv(kernel, dilation=1, stride=1):
    """A convolution of one channel whose weights are all 1, padded as the lecture's network is."""
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
# Each layer with a kernel of 3 adds one position on either side. Seven layers see 15. In general, a kernel of $k$ adds $k - 1$.
#
# Two things change this arithmetic. With a **stride** of $s$, a layer's outputs stand $s$ of its inputs apart, so everything above it moves in steps of $s$. With a **dilation** of $d$ (section 3), the taps of a kernel stand $d$ apart, so that it spans $(k - 1)\,d + 1$.

# %% [markdown] tags=["exercise:receptive_field"]
# ### Exercise 1 · How far one output sees
# ●●○ · 10 minutes · why it matters: what lies outside can never matter, however long you train. Know this number before you choose a network.
#
# The **receptive field** of an output reaches from the first to the last position of the sequence that can change it. Three numbers
# of each layer decide: the width of its kernel, its stride (how far the window moves from one output to the next) and its dilation
# (how far apart the taps of the kernel stand).

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

# %% [markdown] tags=["M25"]
# ### How many layers for a distance of D?
#
# The lecture says that plain layers with a kernel of $K$ need $D / K$ of them to reach a distance of $D$, and that doubled dilations need $\log_2 D$. Its text counts with a kernel of 2, its code has 3 (mistake M25). Count it yourself.

# %% [markdown] tags=["exercise:plain_layers"]
# ### Exercise 2 · How many layers does it take
# ●●○ · 10 minutes · why it matters: this is the whole argument for dilation, and the lecture's D/K and log2 D are both a little off (mistake M25).
#
# All layers have stride 1 and the same kernel. How many does it take until the receptive field is `positions` or more? Once with
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
# As formulas: plain layers `ceil((D - 1) / (K - 1))`, doubled ones `ceil(log2((D - 1) / (K - 1) + 1))`. For a kernel of 2 the second
# is `ceil(log2(D))`, as in the lecture; its code has a kernel of 3.
#
# </details>

# %% [markdown] tags=["seed:001-log-layers"]
# ## 3 · Dilation: a kernel with holes
#
# A **dilated** convolution (the lecture also names *atrous*, "with holes") reads inputs that stand $d$ apart. A kernel of 3 with dilation 4 has three weights and looks at the inputs at $-4$, $0$ and $+4$. It is the same as a plain kernel of 9 in which six weights are zero:

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
# One such layer leaves holes: of the three places between two of its taps, none is read. But stack layers whose dilation **doubles**, 1, 2, 4, ..., and each layer fills the holes of the next.
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
# Seven doubling layers see 255 positions, each of them. A kernel of 3 can even triple its dilations without a hole. Beyond that, positions inside of the field are never read at all.
#
# So the number of layers grows with the **logarithm** of the distance, and the number of weights with it. Each position of each layer still costs the same three multiplications for each pair of channels.
#
# ## 4 · Explore
#
# The picture starts with the seven dilated layers of the lecture's network: one output at the top, and every bin that it depends on at the bottom.
#
# - **Predict first:** what is left of the tree when you set the dilation to *plain*?
# - Go back to *doubling* and take layers away, one at a time. What does each take with it?
# - Set the length to 1,024, which is the lecture's whole window. How much of it does one output see?
# - Set the kernel to 2 and the dilation to *tripling*, and read the orange line. Which pairs of kernel and dilation leave no holes?
# - Move the output towards an end.

# %% tags=["explorer"]
receptive_field_explorer()

# %% [markdown] tags=["seed:001-squeeze"]
# ## 5 · Squeeze: from bases to bins
#
# Nobody needs an answer for every letter. The measurements of lesson 10 are counts in **bins** of 128 letters. The lecture's network first **squeezes** the sequence: four convolutions with strides of 2, 4, 4 and 4 turn each 128 letters into one column of 96 numbers.

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
# Pooling, as in lesson 04, would shorten the sequence too. A stride does it in one step, and does not compute what is thrown away. The price: which letters a filter is centred on depends on the bin's grid. Shift the sequence by one letter and the squeezed numbers change. (Lesson 10 uses such shifts to make more training data.)

# %% tags=["squeeze-field"]
SQUEEZE = [Layer(21, stride=2), Layer(7, stride=4), Layer(7, stride=4), Layer(7, stride=4)]
print("bases seen by a column:", receptive_field(SQUEEZE))
print("column 100 sees the bases", span(SQUEEZE, output=100, length=131_072), "and its bin is", (12_800, 12_928))

# %% [markdown] tags=["bin-centre"]
# A column sees its own bin and a little of the neighbours. Look closer: 12,664 to 12,937 is centred on base **12,800, the start of the bin**, not its middle. That comes from the padding. It does no harm as long as you know it: a motif at the end of a bin is seen by this column, and as well by the next. But it makes the two ends of a window unequal. Turn a sequence around, and the squeezed columns do not just turn around with it; lesson 10 comes back to this.

# %% [markdown] tags=["seed:001-glu"]
# ## 6 · Gates
#
# In lesson 04 a ReLU stood between two layers: it lets positive numbers through and stops negative ones. The lecture's network has **gated linear units** instead (GLU; Dauphin and others, 2017). Each layer computes twice as many channels as it needs. One half are values $a$; the other half decides, by way of a sigmoid, how far each gate opens:
#
# $$\mathrm{GLU}(a, b) = a \cdot \sigma(b), \qquad \sigma(b) = \frac{1}{1 + e^{-b}}.$$
#
# So one filter can say *what* is there and another *whether it counts here*.

# %% tags=["glu"]
b = np.linspace(-6, 6, 121)
figure, axes = plt.subplots(figsize=(6, 3))
for a, style in [(-1, ":"), (0.5, "--"), (2, "-")]:
    axes.plot(b, a / (1 + np.exp(-b)), style, color="#0072B2", label=f"a = {a}")
axes.set(xlabel="b, the gate's input", ylabel="a · sigmoid(b)")
_ = axes.legend()
half_open = 2 / (1 + np.exp(0))
print(f"a = 2: gate closed (b = -6) {2 / (1 + np.exp(6)):.3f}, half open (b = 0) {half_open:.1f}, open (b = 6) {2 / (1 + np.exp(-6)):.3f}")
picture_of(figure, "The gated value against b for a = -1, 0.5 and 2: near 0 at the left, where the gate is closed, "
           f"half of a in the middle ({half_open:.0f} for a = 2), nearly a at the right.")  # fmt: skip

# %% [markdown] tags=["exercise:glu"]
# ### Exercise 3 · A gated linear unit
# ●○○ · 10 minutes · why it matters: half of the channels decide what the other half may say. The same line stands in today's language models.
#
# The convolution before makes twice as many channels as are wanted. The first half is the signal, left as it is; the second half
# goes through a sigmoid and becomes the **gate**, between 0 (closed) and 1 (open). Signal times gate comes out.
# Write it from these parts; PyTorch's own `F.glu` needs one argument more than you may expect.

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
# `F.glu(h, dim=1)` does the same. Without `dim` it cuts the last axis, the positions, and no error tells you.
#
# </details>

# %% [markdown] tags=["seed:001-weight-norm"]
# ## 7 · Weight normalisation
#
# A filter is an arrow in a space of many dimensions: it has a direction and a length. **Weight normalisation** (Salimans and Kingma, 2016) keeps the two apart. For each output channel there is a direction $v$ and a length $g$, the **gain**, and the weights are
#
# $$w = g \, \frac{v}{\lVert v \rVert}.$$
#
# Training then turns a filter without making it longer, and the other way round. The network can express exactly the same as before; it is the path of the training that changes.

# %% [markdown] tags=["exercise:weight_norm"]
# ### Exercise 4 · Weight normalisation by hand
# ●●○ · 10 minutes · why it matters: you will know what the extra parameters in the count are, and why a common summary misses them.
#
# A filter is a list of numbers, so it has a direction and a length. **Weight normalisation** learns the two apart: `v` gives the
# direction, and `g` is the length, one number for each filter. Make the weights that the convolution uses.

# %% tags=["exercise:weight_norm"]
def normalised(v, g):
    """Give each filter the direction of v and the length g.

    v: a float tensor (out, in, kernel), a filter v[o] for each output channel.
    g: a float tensor (out,), the length that each filter is to have.
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
# PyTorch does this before each forward pass: `parametrizations.weight_norm(layer)` keeps `g` as
# `layer.parametrizations.weight.original0` and `v` as `original1`, and makes `layer.weight` of them.
#
# </details>

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
# The gains are parameters too. `torchsummary`, which counted right in lesson 04, does not see them. It asks each layer for its `weight`, and that is computed here, not stored. (Each line `_WeightNorm` is one time that it was computed.)

# %% tags=["torchsummary-miscounts"]
summary(nn.Sequential(conv), input_size=(4, 30), device="cpu")
print("truly:", sum(parameter.numel() for parameter in conv.parameters()), "parameters: 72 of the directions and 6 gains")

# %% [markdown]
# For such layers count with `numel`, as in the last line.

# %% [markdown] tags=["seed:001-dense"]
# ## 8 · Dense connections
#
# The dilated part of the network has seven layers, one after the other. In the lecture's network each of them reads **all** columns that were made before it: the 96 squeezed channels and the 24 of each earlier dilated layer, side by side. These are the **dense connections** of DenseNet (Huang and others, 2017). The last layer thus sees the near, as the first dilated layer left it, and the far.

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
# What are they good for? Each gate lets only a part of its input through, and the gradient passes the same gates on its way back. Compare the gradient that reaches the squeezed columns, with and without the dense connections, in networks of 7 and 28 layers, before training.

# %% tags=["dense-gradient"]
def gradient_at_start(depth, dense, channels=24):
    """The size of the gradient at the input of a stack of gated layers, for an output of size 1."""
    with seeded(0):
        columns = torch.randn(8, channels, 512, requires_grad=True)
        stack = [nn.Conv1d(channels * (1 + dense * i), 2 * channels, 3, padding=1) for i in range(depth)]
        head = nn.Conv1d(channels * (1 + dense * depth), 1, 1)
    h = columns
    for conv in stack:
        new = F.glu(conv(h), dim=1)  # (8, 24, 512)
        h = torch.cat([h, new], dim=1) if dense else new
    head(h).mean().backward()
    return columns.grad.norm().item()


for depth in (7, 28):
    with_connections, without = gradient_at_start(depth, True), gradient_at_start(depth, False)
    print(f"{depth:2} layers: gradient with dense connections {with_connections:.0e}, without {without:.0e}")

# %% [markdown] tags=["seed:001-network"]
# ## 9 · The whole network
#
# Here it is. Two kinds of blocks, both a weight-normalised convolution with gates and **dropout**, which during training sets a random share of the numbers to zero, so that the network does not lean on single ones.

# %% tags=["seed:001-network", "seed:001-blocks"]
class GatedConv(nn.Module):
    """Weight-normalised convolution -> gated linear unit -> dropout: SqueezeBlock and DilatedBlock in one."""

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
# 388,154 parameters, as the lecture's own network has. Now let something flow through it. The lecture does that with `np.empty`, an array that nobody filled (mistake M29): what comes out depends on what happened to lie in the memory. Shapes may be right, and yet nothing is tested. Take a real sequence: 131,072 letters of human DNA around the gene *GATA4*.

# %% tags=["needs-data:gata4", "M29", "seed:001-shapes"]
[path] = fetch("gata4")
[record] = read_fasta(path)
locus = one_hot(record.sequence)  # (131072, 4)
print("each row has exactly one 1:", bool((locus.sum(axis=1) == 1).all()))
unfilled = np.empty((131_072, 4), dtype=bool)
print("each row of np.empty:      ", bool((unfilled.sum(axis=1) == 1).all()))
inputs = torch.from_numpy(locus).float().T[None]  # (1, 4, 131072)
network.eval()
with torch.no_grad():
    print("output:", tuple(network(inputs).shape))

# %% [markdown]
# The package's `Basenji` is the same network, with widths, depth and dilations as arguments. Give it the weights of yours, and it gives the same numbers:

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
# 32,785 letters, a quarter of the window: about 16 thousand to each side. What lies farther away cannot change this output, whatever the network learns. Check it with a mutation, which needs no gradient: replace a stretch of 128 letters, and see whether bin 512 moves.

# %% tags=["M25", "mutation"]
model.eval()
with torch.no_grad():
    before = model(random_window)[0, 512]
    for distance in (1_000, 10_000, 16_000, 17_000, 40_000):
        changed = random_window.clone()
        start = 512 * 128 + distance
        changed[0, :, start : start + 128] = changed[0, [3, 2, 1, 0], start : start + 128]  # A <-> T, C <-> G
        moved = not torch.equal(model(changed)[0, 512], before)
        print(f"{distance:6,} letters away: {'the output moves' if moved else 'not a single bit changes'}")

# %% [markdown]
# To see the whole of its window, the network would need two more dilated layers, with dilations of 128 and 256. And near the ends of a window there is less to see: the outputs there look at padding.
#
# ### What dilation buys
#
# Three networks that see 32,785 letters or a little more, all with 24 new channels a layer. One stays at single letters, one squeezes to bins first, one also dilates.

# %% tags=["M23", "what-dilation-buys"]
def cost(layers, positions):
    """Weights, and billions of multiplications for a window, of plain layers of 24 to 2 x 24 channels."""
    weights = layers * 24 * 3 * 48
    return weights, weights * positions / 1e9


print("                         layers     weights   10^9 multiplications")
for name, layers, positions in [
    ("single letters", (32_785 - 1) // 2, 131_072),
    ("bins of 128", (receptive_field(DILATED) - 1) // 2, 1_024),
    ("bins of 128, dilated", len(DILATED), 1_024),
]:
    weights, multiplications = cost(layers, positions)
    print(f"{name:22}{layers:9,}{weights:12,}{multiplications:13,.2f}")

# %% [markdown]
# Plain layers on single letters are out of the question. Squeezing makes them possible, and dilation makes them cheap. "Fewer than five layers, inputs of up to two thousand letters" (M23, lesson 00) is a rule for what acts within two thousand letters.

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
# A convolution sees a few neighbours. Strides squeeze 128 letters into a column; doubling dilations let seven layers see 255 columns; dense connections hand everything on; gates and weight normalisation make it trainable. The receptive field is arithmetic, and a gradient measures it: 32,785 letters here.
#
# ## Further reading
#
# - D. R. Kelley et al. Sequential regulatory activity prediction across chromosomes with convolutional neural networks. *Genome Research* 28, 739-750 (2018).
# - F. Yu, V. Koltun. Multi-scale context aggregation by dilated convolutions. *International Conference on Learning Representations* (2016).
# - A. van den Oord et al. WaveNet: a generative model for raw audio. arXiv:1609.03499 (2016).
# - T. Salimans, D. P. Kingma. Weight normalization: a simple reparameterization to accelerate training of deep neural networks. *Advances in Neural Information Processing Systems* 29 (2016).
# - Y. N. Dauphin, A. Fan, M. Auli, D. Grangier. Language modeling with gated convolutional networks. *International Conference on Machine Learning* (2017).
# - G. Huang, Z. Liu, L. van der Maaten, K. Q. Weinberger. Densely connected convolutional networks. *IEEE Conference on Computer Vision and Pattern Recognition* (2017).
#
# **Next:** lesson 10 trains this network and asks what it has learned.
