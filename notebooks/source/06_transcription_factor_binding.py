# %% [markdown]
# {{ header }}

# %% [markdown]
# ## Why this matters
#
# Where does a transcription factor bind? One of our sources, the student report from Taiwan, answers with a network and an AUC of 0.997. In this lesson you repeat the report, find out what its data are, and why its "improved" network sometimes learns nothing. Then you turn to 39,184 stretches of the human genome where CTCF was seen, and learn what a result rests on before any network: the negatives, the split and the baseline.

# %% [markdown]
# ## What you will be able to do
#
# - **look** at labelled data before you train on them, and **find** out what a network could add;
# - **take apart** a list of changes to a network, one by one, over many runs;
# - **tell** a network that has not started to learn from one that over-fits;
# - **prepare** peaks of any FASTA file: split by chromosome, no copies across the split, negatives of four kinds;
# - **say** how far each kind of negative flatters a classifier, and **beat** a motif scan fairly.

# %% tags=["set-up", "nbval-ignore-output"] reason="prints the versions of this machine"
# {{ set-up }}

# %% tags=["imports"]
import gzip
import json
import math
from collections import Counter

import matplotlib.pyplot as plt
import numpy as np
import torch
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import average_precision_score, roc_auc_score
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import LabelEncoder
from torch import nn
from torch.nn import functional as F
from torch.utils.data import TensorDataset
from torchsummary import summary

from course_utils.backgrounds import sample_background
from course_utils.checkpoints import load_weights
from course_utils.datasets import fetch, shipped
from course_utils.exercises import lesson_06 as check
from course_utils.explorers.ladder import ladder_explorer
from course_utils.intervals import auc_interval, paired_interval, wilson
from course_utils.kmers import kmer_counts
from course_utils.models import seeded
from course_utils.models.binding import MotifDetector, ReportCNN
from course_utils.models.peaks import BothStrandsCNN
from course_utils.motifs import UNIFORM, pfm_to_ppm, ppm_to_pwm, read_motifs
from course_utils.negatives import gc_of, genomic_windows, match_gc, tiles, without_peaks
from course_utils.plotting import picture_of
from course_utils.regions import in_both, read_regions
from course_utils.scanning import scan
from course_utils.schedules import cosine
from course_utils.sequences import from_codes, one_hot, reverse_complement
from course_utils.shuffles import shuffle_bases, shuffle_dinucleotides
from course_utils.training import fit, predict

# %% [markdown]
# ## 1 · Look at the data first
#
# The report takes its data from a book, and the book takes them from the primer of lessons 01 and 03 (Zou and colleagues, 2019): two text files, one with 2,000 sequences of 50 bases, one with their labels. The report reads the labels with a function that takes the first line of a file for a header. Does this file have one?

# %% tags=["needs-data:primer", "M19"]
label_file, sequence_file = fetch("primer")
sequences = sequence_file.read_text().split()
labels = np.loadtxt(label_file, dtype=int)
headless = np.loadtxt(label_file, dtype=int, skiprows=1)  # the first line taken for a header
print("the first lines of the labels:", label_file.read_text().split()[:4])
print(f"{len(sequences)} sequences, {len(labels)} labels; if the first is taken for a header, {len(headless)}")

# %% [markdown]
# The file has no header: to suppose one is mistake M19. (The book's copy has one, a line `0`, and there the same code is right.) If you lose the first label, each sequence gets the label of its neighbour, and nothing crashes. So look at the first line, and compare the lengths.
#
# How many of each class?

# %% tags=["needs-data:primer", "seed:003-class-counts"]
print(f"label 0: {(labels == 0).sum()}, label 1: {(labels == 1).sum()}")

# %% [markdown] tags=["seed:003-task"]
# The report calls label 1 "has a binding site", label 0 "has none", and its network reads twelve letters at a time. So count the words of twelve letters in the sequences with label 1.

# %% tags=["needs-data:primer", "M18"]
ones = [sequence for sequence, label in zip(sequences, labels) if label]
words = Counter(sequence[start : start + 12] for sequence in ones for start in range(39))
print(words.most_common(2))

# %% [markdown]
# > **Predict first.** One word stands in all of them. How often is "has this word" right, in all 2,000 sequences?

# %% tags=["needs-data:primer", "M18"]
site = "CGACCGAACTCC"
has_site = np.array([site in sequence for sequence in sequences])
print(f"'{site}' in the sequence: right for {(has_site == labels).mean():.1%}")
print(f"the same rule with the header's labels: right for {(has_site[:-1] == headless).mean():.1%}")
starts = [sequence.index(site) for sequence in sequences if site in sequence]
print(f"the site starts at {min(starts)} to {max(starts)}, always on the strand as written:",
      not any(reverse_complement(site) in sequence for sequence in sequences))  # fmt: skip

# %% [markdown]
# These are no binding sites. Somebody planted one word of twelve letters, without a single variation, into random sequences (mistake M18: the report presents them as real). That is a fair first exercise, and the article says that it is simulated. Shift the labels by a header, and the rule is a coin; with the right ones, it is always right. A network with an AUC of 0.997 has therefore *lost* something, and lesson 03 showed that counting C and T, whatever their order, reaches an AUC of 0.79 here (mistake M34).
#
# ## 2 · The network of the report
#
# It has 32 filters of width 12, a max-pool over four places, a layer of 16 and one output. You know every part from lesson 04, where there were two outputs. One logit is enough for two classes: above 0 means "label 1".

# %% tags=["seed:003-original-network", "seed:003-parameters"]
with seeded(2):
    original = ReportCNN()
summary(original, (4, 50), device="cpu")

# %% [markdown]
# The weights start as they do in Keras, with which the report was made. Its log (the lines that training prints) shows 135 steps an epoch, and its metrics fit a test set of 500 (lesson 05 supposed 241 positives and 259 negatives, and got the AUC of its second network to the eighth digit). So: 500 for the test, 150 for validation, 1,350 for training in batches of ten. With `random_state=42` there are 241 positives in the test, and the shares 0.4867 and 0.5133 in validation (ones and zeros), as in the log: this seems to be the split of the report.

# %% tags=["needs-data:primer", "seed:003-split"]
rest, test_rows = train_test_split(np.arange(2000), test_size=500, random_state=42)
train_rows, valid_rows = rest[:-150], rest[-150:]  # Keras takes the last tenth for validation
inputs = torch.from_numpy(one_hot(sequences)).permute(0, 2, 1).float()  # (2000, 4, 50)
targets = torch.from_numpy(labels).float()
train, valid = (TensorDataset(inputs[rows], targets[rows]) for rows in (train_rows, valid_rows))
print(f"{len(train)} training, {len(valid)} validation, {len(test_rows)} test; {len(train) // 10} steps of ten")
print("test sequences that are also in training, on either strand:",
      len(in_both([sequences[i] for i in train_rows], [sequences[i] for i in test_rows])))  # fmt: skip
print(f"positives in the test: {labels[test_rows].sum()}; in validation: {labels[valid_rows].mean():.4f} of all")

# %% tags=["needs-data:primer", "seed:003-training"]
def squared_error(logits, labels):
    """The report's loss: the mean squared error of the probability."""
    return F.mse_loss(torch.sigmoid(logits), labels)


def train_report(model, train, valid, loss, epochs=10, seed=1, lr=0.001):
    return fit(
        model, train, valid, loss=loss, optimizer=torch.optim.Adam(model.parameters(), lr=lr),
        epochs=epochs, batch_size=10, generator=torch.Generator().manual_seed(seed), progress=False,
    )  # fmt: skip


history = train_report(original, train, valid, squared_error)
scores = predict(original, inputs[test_rows])
area, precision = roc_auc_score(labels[test_rows], scores), average_precision_score(labels[test_rows], scores)
print(f"AUC {area:.3f}, AUPRC {precision:.3f}")

# %% tags=["needs-data:primer", "seed:003-learning-curves"]
figure, axis = plt.subplots(figsize=(6, 3))
epochs = range(1, 11)
axis.plot(epochs, history.train_loss, "o-", label="training")
axis.plot(epochs, history.valid_loss, "s--", label="validation")
axis.axhline(0.25, color="grey", lw=1, ls=":", label="chance")
axis.set(xlabel="epoch", ylabel="mean squared error", ylim=(0, 0.27))
axis.legend()
falls = [f"{losses[0]:.2f} to {losses[-1]:.2f}" for losses in (history.train_loss, history.valid_loss)]
picture_of(figure, f"Mean squared error by epoch: training falls from {falls[0]}, validation from {falls[1]}; chance is 0.25.")

# %% [markdown]
# The report has an AUC of 0.9971 and an AUPRC of 0.9969. One run says little. Here are twenty, each with another split and other first weights (from `tools/primer_runs.py`, which repeats them; the results travel with the package):

# %% tags=["seed:003-original-auc"]
primer_runs = json.loads(shipped("primer_runs.json").read_text())
report = primer_runs["report"]
for name, values in [("AUC", report["auc"]), ("AUPRC", report["average_precision"])]:
    scatter = np.std(values, ddof=1)
    print(f"{name:5} {np.mean(values):.3f} ± {scatter:.3f}, from {min(values):.3f} to {max(values):.3f}")

# %% [markdown]
# The report's figures lie in the middle of these twenty. And in the picture both losses fall; the validation loss flattens and does not climb.

# %% [markdown]
# ### What a loss at chance looks like
#
# Here is the beginning of the log that the report prints for its second network:
#
# ```text
# Epoch 1/10 - loss: 0.6938 - accuracy: 0.4978 - val_loss: 0.6927 - val_accuracy: 0.5133
# Epoch 2/10 - loss: 0.6935 - accuracy: 0.5111 - val_loss: 0.6940 - val_accuracy: 0.5133
# ```
#
# The code beside it says `loss='mean_squared_error'`.
#
# > **Predict first.** Can both be true? Think of a network that knows nothing and says 0.5 for every sequence: what is its mean squared error, and what its cross-entropy?

# %% tags=["needs-data:primer", "M14", "seed:003-log"]
ignorant = np.full(len(labels), 0.5)
print(f"mean squared error: {np.mean((ignorant - labels) ** 2):.4f}")
cross_entropy = -np.mean(labels * np.log(ignorant) + (1 - labels) * np.log(1 - ignorant))
print(f"cross-entropy:      {cross_entropy:.4f}, which is ln 2 = {np.log(2):.4f}")

# %% [markdown]
# A log that starts at 0.6938 was made with cross-entropy: the code shown is not the code that ran (mistake M14).

# %% [markdown] tags=["exercise:chance_loss"]
# ### Exercise 1 · The loss of a network that knows nothing
# ●○○ · 8 minutes · why it matters: it is the first number to compare a log with, and it betrays which loss was used (mistake M14).
#
# A network that has learned nothing from the sequences can still learn how common a 1 is. Let `share` of the labels be 1; the network
# gives every sequence the probability `share`. Compute its mean squared error and its cross-entropy. For equal classes you have
# seen them above.

# %% tags=["exercise:chance_loss"]
def loss_at_chance(share):
    """Compute the losses of a network that gives every sequence the same probability.

    share: how many of the labels are 1, above 0 and below 1; also the probability that the network gives.
    Returns: two numbers, the mean squared error and the cross-entropy (natural logarithm), each the mean
        over all labels, ones and zeros.
    """
    ...

# %% tags=["exercise:chance_loss"]
check.chance_loss(loss_at_chance)

# %% [markdown] tags=["exercise:chance_loss"]
# <details><summary>Hint</summary>
#
# There are two kinds of sequence only. What does one with label 1 cost, and what one with label 0? The mean weighs the first with `share`
# and the second with `1 - share`. The cross-entropy of one sequence is minus the logarithm of the probability that its true label got.
#
# </details>
# <details><summary>Solution</summary>
#
# ```python
# def loss_at_chance(share):
#     squared_error = share * (1 - share) ** 2 + (1 - share) * (0 - share) ** 2
#     cross_entropy = -share * np.log(share) - (1 - share) * np.log(1 - share)
#     return squared_error, cross_entropy
# ```
#
# The first is `share * (1 - share)`, the variance of the labels; the second is their entropy. With one positive in ten they are 0.09 and
# 0.325: a loss far below ln 2, and nothing learned.
#
# </details>

# %% [markdown]
# ## 3 · Five changes at once
#
# The report sees the validation loss go up and down a little, fears over-fitting, and changes five things:
#
# 1. the convolution pads the sequence at its ends;
# 2. the max-pool takes five places instead of four, so that none is left over;
# 3. two outputs with softmax instead of one with a sigmoid;
# 4. ten further layers before the output, of 256, 128, 64, 32, 16, 16, 8, 8, 4 and 4 units, in place of the one of 16 (a **unit** is one output of a layer);
# 5. **dropout** of 0.2 after each of the first four of them: in training, each unit is set to 0 with that chance, so that none is relied upon.

# %% tags=["seed:003-five-changes", "seed:003-deep-network"]
changes = {
    "padding": dict(padded=True), "pool of 5": dict(pool=5), "two outputs": dict(outputs=2),
    "depth": dict(deep=True), "dropout": dict(dropout=0.2),
}  # fmt: skip
everything = {name: value for change in changes.values() for name, value in change.items()}
for name, change in [("original", {}), *changes.items(), ("all five", everything)]:
    parameters = sum(p.numel() for p in ReportCNN(**change).parameters())
    print(f"{name:12} {parameters:8,} parameters")

# %% [markdown]
# With two outputs the report makes the labels one-hot, a column for each class (with a `LabelEncoder` first). PyTorch's cross-entropy takes the class numbers as they are (lesson 04). A squared error needs the columns:

# %% tags=["needs-data:primer", "seed:003-label-code"]
columns = F.one_hot(torch.from_numpy(labels), 2)  # (2000, 2): column 0 for "none", column 1 for "site"
for label, row in zip(labels[2:5], columns[2:5].tolist()):
    print(label, "becomes", row)

# %% [markdown]
# The report's deep network started to learn late. In the rest of its log, not shown here, the loss stays at 0.69 for six epochs and falls from the seventh on. Does it always fall in the end? The same network was trained 80 times. Look at the validation losses of twenty of the runs.

# %% tags=["seed:003-deep-training", "M17"]
deep_runs = primer_runs["deep"]["cross_entropy"]  # "left": the epoch in which a run left chance, or None
figure, axis = plt.subplots(figsize=(6, 3))
axis.axhline(np.log(2), color="grey", lw=1, ls=":")
for number in range(20):
    stuck = deep_runs["left"][number] is None
    style = {"ls": "--", "color": "C3", "lw": 2.5, "zorder": 3} if stuck else {"color": "C0", "lw": 1}
    axis.plot(range(1, 11), deep_runs["valid"][number], **style)
axis.plot([], [], "C0", lw=1, label="learns")
axis.plot([], [], "C3--", lw=2.5, label="stays at chance")
axis.legend(loc="upper left", bbox_to_anchor=(1, 1))
axis.set(xlabel="epoch", ylabel="validation loss\n(cross-entropy)", ylim=(0, 0.8))
at_chance = sum(epoch is None for epoch in deep_runs["left"][:20])
picture_of(figure, "Validation loss of twenty runs of the deep network over ten epochs. "
           f"Those that stay at 0.69, dashed: {at_chance}. The others leave it within three epochs.")  # fmt: skip

# %% tags=["M17"]
def stuck_after(left, epochs):
    """How many runs have not left chance after so many epochs."""
    return sum(epoch is None or epoch > epochs for epoch in left)


def said_of_80(left, epochs):
    stuck = stuck_after(left, epochs)
    share = wilson(stuck, 80)
    return f"{stuck:2} of 80 at chance after {epochs} epochs (95 % interval {share.low:.0%} to {share.high:.0%})"


for loss, part in primer_runs["deep"].items():
    for epochs in (10, 30):
        print(f"{loss:14}", said_of_80(part["left"], epochs))

# %% [markdown]
# With either loss, about one run in eight is at chance after ten epochs, and 20 epochs more free only one or two of them. Why? Take run 24, which stays, and run 23, which does not. Before any training, push the sequences through the ten layers, and count the units of each layer that answer to at least one sequence. A ReLU (lesson 04) gives 0 for all that is negative.

# %% tags=["needs-data:primer", "M17", "dead-units"]
def answering(model, inputs):
    """How many units of each of the ten layers are above 0 for at least one of the inputs."""
    counts = []
    with torch.no_grad():
        x = model.flatten(model.pool(model.conv(model.pad(inputs))))  # (N, 320)
        for layer in model.dense.eval():
            x = layer(x)
            if isinstance(layer, nn.ReLU):
                counts.append(int((x > 0).any(dim=0).sum()))
    return counts


for number in (23, 24):
    with seeded(number):
        deep = ReportCNN(**everything)
    print(f"run {number}: units that answer, layer by layer: {answering(deep, inputs)}")
print(f"first weights that say the same of every test sequence: {sum(deep_runs['same_at_first'])} of 80 runs")
print(f"and after ten epochs: {sum(deep_runs['same_after_ten'])}")

# %% [markdown]
# In run 24 all four units of the last layer are 0 for each of the 2,000 sequences. The output is the same for all of them. Worse: a ReLU at 0 passes no gradient on. So nothing below it learns, unless dropout happens to lift a unit above 0. Only the last biases learn, and they find the share of the classes. That is the loss of 0.693. A chain of ever narrower layers, down to four units, breaks easily: in some runs it is broken before the first step, in others it breaks on the way.
#
# None of this is over-fitting. A network that over-fits has learned too much; this one has learned nothing. Look at the *training* loss: if that is at chance, a remedy against over-fitting is not what you need. What does help? The same 80 runs, with one thing altered:

# %% tags=["M17", "remedies"]
print(f"{'as it was':20}", said_of_80(deep_runs["left"], 20))
for name, part in primer_runs["remedies"].items():
    print(f"{name:20}", said_of_80(part["left"], 20))

# %% [markdown]
# What keeps the signal alive helps: a ReLU that lets a tenth through below 0 (**leaky ReLU**); **batch normalisation**, which brings the inputs of each ReLU back around 0; fewer layers. Keras starts with first weights after Glorot and Bengio; those after He and colleagues, made for ReLU, do not visibly help: 8 of 80 in place of 9. A smaller step may: 4 of 80. And *without* dropout it is worse, 23 of 80. A likely reason: while the network trains, dropout alters the sums, and a unit at 0 can come loose. That is luck, and no remedy.

# %% [markdown] tags=["exercise:unstick"]
# ### Exercise 2 · Unstick the deep network
# ●●○ · 15 minutes · why it matters: a network that learns in one run out of two is not a method, and a lucky seed is no remedy.
#
# The check makes a set like the primer's, 1,500 sequences of 50 letters, half of them with the word. It calls your function eight
# times, each time with other random numbers, and trains each network for three epochs with a learning rate of 0.01. (With a rate that
# large, the ten-layer network is stuck more often than not: it ended at chance in 31 of 50 runs.) You pass if *every* run is right
# in at least 80 percent of 1,000 fresh sequences. How you get there is yours to choose: other layers, fewer layers, another way for the
# signal.

# %% tags=["exercise:unstick"]
def build_network():
    """Make a network, untrained, that will find out whether a sequence holds a word of twelve letters.

    Returns: a new nn.Module each time. It maps one-hot sequences (N, 4, 50) to logits, (N,) or (N, 2).
        (The report's deep network was ReportCNN(padded=True, pool=5, outputs=2, deep=True, dropout=0.2).)
    """
    ...

# %% tags=["exercise:unstick"]
check.unstick(build_network)

# %% [markdown] tags=["exercise:unstick"]
# <details><summary>Hint</summary>
#
# What has to be known about a sequence? Whether a word stands in it, anywhere. One filter can score a word, and the largest of its scores
# over all places says whether it is there. Several filters, so that a bad start of one does no harm. What do ten more layers add to that?
#
# </details>
# <details><summary>Solution</summary>
#
# ```python
# def build_network():
#     return nn.Sequential(
#         nn.Conv1d(4, 8, kernel_size=12),
#         nn.ReLU(),
#         nn.AdaptiveMaxPool1d(1),
#         nn.Flatten(),
#         nn.Linear(8, 2),
#     )
# ```
#
# `MotifDetector()`, which you meet at the end of this section, is this with one output, and with eleven zeros on each side, so that a word at the very end is
# seen whole. It passes, too. The report's first network does in 79 of 80 runs. To keep
# the ten layers, give the signal another way: add what comes into a layer to what goes out (`x = x + torch.relu(layer(x))`), or put
# `nn.BatchNorm1d` behind every layer. Other first weights alone (He's) do not help here. Nor does a single filter: it
# may start too far from the word.
#
# </details>

# %% [markdown]
# ### What each change does
#
# Five changes at once cannot say which of them did what (mistake M16). So make them one at a time, and leave them out one at a time: twelve networks, each with the same twenty splits, so that you can compare in pairs. `paired_interval` gives the mean of the twenty differences and its 95 % interval. The loss is the squared error of the report's code.

# %% tags=["M16", "ablation"]
ablation = primer_runs["changes"]
first = ablation["original"]
print("                      AUC, less the original's         at chance   rises of the validation loss")
for name, run in ablation.items():
    said = f"(AUC {np.mean(first['auc']):.3f})"
    if run is not first:
        less = paired_interval(run["auc"], first["auc"])
        said = f"{less.estimate:+.3f} ({less.low:+.3f} to {less.high:+.3f})"
    at_chance = sum(area < 0.6 for area in run["auc"])
    rises = np.mean(np.sum(np.diff(run["valid"], axis=1) > 0, axis=1))
    print(f"{name:20} {said:>32} {at_chance:8} of 20 {rises:12.1f} of 9")

# %% [markdown]
# - **Four of the five changes hardly matter alone.** Their differences are 0.001 or less. Padding may help a little: its interval leaves 0 out, but only in the fourth decimal, and one of eleven intervals may do so by luck.
# - **Depth does the harm.** Alone, it leaves 6 of 20 runs at chance. Without it, the other four together are as good as the original or a little better.
# - **Twenty runs are few for rare failures.** All five together leave 2 of 20 at chance, and 5 without the two outputs: that may be luck. The 80 runs above are better evidence.
# - **The validation loss goes up now and then in all of them:** on average once or twice in nine steps, and most often in the deep ones. The loss of only 150 sequences is noisy, and a single rise is no over-fitting.
#
# Over-fitting would show as a validation loss that *keeps* rising while the training loss falls (lesson 04). Here are the two at the end of the original's ten epochs, and the way of the validation loss in the last five:

# %% tags=["M16", "no-overfitting", "seed:003-overfitting"]
training, validation = np.array(first["train"]), np.array(first["valid"])  # (20 runs, 10 epochs)
print(f"training loss {training[:, -1].mean():.3f}, validation loss {validation[:, -1].mean():.3f}")
falling = (validation[:, -1] < validation[:, 4]).sum()
print(f"validation loss lower after epoch 10 than after epoch 5: {falling} of 20 runs")

# %% [markdown]
# The training loss is much lower: the network knows its own sequences better, as nearly all networks do. But the validation loss is lower after ten epochs than after five, in all twenty runs. There was no over-fitting to mend.
#
# ### The real remedy
#
# What is there to know about these sequences? Whether one word stands in them, anywhere. `MotifDetector` has eight filters, keeps the best match of each, and weighs the eight: 401 parameters.

# %% tags=["needs-data:primer", "M17", "detector"]
with seeded(42):
    detector = MotifDetector()
parameters = sum(p.numel() for p in detector.parameters())
binary = nn.BCEWithLogitsLoss()  # the binary cross-entropy of one logit (lesson 04)
history = train_report(detector, train, valid, binary, epochs=15, lr=0.02)
area = roc_auc_score(labels[test_rows], predict(detector, inputs[test_rows]))
print(f"{parameters} parameters, AUC {area:.4f}")
runs = primer_runs["detector"]
print(f"80 runs: lowest AUC {min(runs['auc']):.4f};", said_of_80(runs["left"], 15))

# %% [markdown]
# A network that fits the question needs a fifteenth of the parameters of the report's first network, and none of its 80 runs got stuck. (Its learning rate is 20 times larger, and it has five epochs more.)

# %% [markdown]
# ## 4 · Real peaks
#
# ChIP-seq (lesson 01) finds where a protein sits: fix it to the DNA, cut the DNA, fish the protein out with an antibody, and sequence what hangs on it. Where many fragments pile up there is a peak. The file has 39,184 peaks of CTCF: of each, the 100 bases around its middle, and its place in the human genome (assembly hg19).

# %% tags=["needs-data:ctcf-peaks", "M24"]
[peak_file] = fetch("ctcf-peaks")
peaks = read_regions(peak_file)
print(peaks)
print(peaks.places[1], peaks.sequences[1][:40])
as_written = gzip.open(peak_file, "rt").read().split()[1::2]
mixed = sum(letters != letters.upper() for letters in as_written)
print(f"{mixed:,} peaks have lower-case letters, as in {as_written[1][:12]}")
print("a LabelEncoder makes of it:", LabelEncoder().fit_transform(list(as_written[1][:12])))

# %% [markdown]
# Lower case marks repeats (lesson 01). `read_regions` makes it upper case. The report, and the Chinese overview of lesson 00, fit a `LabelEncoder` to each sequence; it takes `a` and `A` for two bases, and numbers the bases anew in each sequence that lacks one (mistake M24).
#
# ### A split that is a test
#
# Hold out whole chromosomes (lesson 00). Here 8 and 9 are for the test (lesson 00, with 200 peaks only, took 1 and 17 as well): nothing is trained on them, and nothing is chosen by them. 10 and 11 are for validation: by them the settings of section 7 were chosen.

# %% tags=["needs-data:ctcf-peaks", "chromosomes"]
others, test_peaks = peaks.by_chromosome(test=["chr8", "chr9"])
train_peaks, valid_peaks = others.by_chromosome(test=["chr10", "chr11"])
print(f"training {len(train_peaks):,}, validation {len(valid_peaks):,}, test {len(test_peaks):,}")
print("test peaks that are also in the training set:", len(in_both(others, test_peaks)))

# %% [markdown]
# No test peak is an exact copy of a training peak. You cannot know that before you have looked. And a copy may hide: the reverse complement of a peak is the same piece of DNA, read on the other strand.

# %% [markdown] tags=["exercise:leaks"]
# ### Exercise 3 · What leaks from the training set
# ●○○ · 10 minutes · why it matters: for a sequence that was in the training set, memory is as good as knowledge.
#
# Find the test sequences that are in the training set, as they stand or as their reverse complement. All are in upper case.

# %% tags=["exercise:leaks"]
def find_leaks(training, test):
    """Find the test sequences that are in the training set, on either strand.

    training, test: lists of strings of A, C, G and T.
    Returns: a list of indices of `test`, in rising order, each once. For training ["AACG", "GGTA"] and
        test ["AACG", "TTTT", "CGTT"] it is [0, 2]: CGTT is the other strand of AACG.
    """
    ...

# %% tags=["exercise:leaks"]
check.leaks(find_leaks)

# %% [markdown] tags=["exercise:leaks"]
# <details><summary>Hint</summary>
#
# `reverse_complement` of `course_utils.sequences` gives the other strand. Go through the test set with `enumerate`, and ask of each sequence
# whether it *or* its other strand is among the training sequences. A `set` answers that at once, also for 39,184 of them; a list is searched
# from its beginning each time.
#
# </details>
# <details><summary>Solution</summary>
#
# ```python
# def find_leaks(training, test):
#     known = set(training)
#     return [
#         number for number, sequence in enumerate(test)
#         if sequence in known or reverse_complement(sequence) in known
#     ]
# ```
#
# This finds exact copies. Copies with a letter changed, or shifted by a base, leak nearly as much: a split by chromosome keeps
# neighbours together, and shared words of 32 letters find most of the rest.
#
# </details>

# %% [markdown]
# Your own peaks go through the same code. `read_regions` takes any FASTA file (also `.gz`) whose headers look like `chr1:17036408-17036508`, and says what is wrong when it cannot use one:
#
# - unequal lengths: `read_regions(path, length=100)` takes the middle of each;
# - no coordinates: there is no split by chromosome then. `split_at_random` of `course_utils.regions` at least keeps copies and reverse complements on one side;
# - many `N`: `without_unknown(peaks)` drops these peaks, and you print how many.
#
# ## 5 · What is *not* a binding site?
#
# You have 39,184 positives and no negatives. You must find some, and this choice decides what an AUC means. Four kinds:
#
# - *uniform*: random letters, as in so many tutorials;
# - *shuffled bases*: the letters of each peak in another order; same composition;
# - *dinucleotides*: a dinucleotide shuffle (lesson 03); same pairs of neighbours, among them the **CpG**, a C followed by a G (lesson 00);
# - *genomic*: real stretches of the genome where no peak was seen, with the same GC content (lesson 00: the share of G and C).
#
# From made up to real they are a **ladder of negatives** with four *rungs*. Each rung is closer to real DNA than the one before; it need not be harder for every score.

# %% [markdown] tags=["exercise:shuffled_negatives"]
# ### Exercise 4 · Negatives that keep their neighbours
# ●●○ · 12 minutes · why it matters: what differs between the classes besides the motif is what a network learns first.
#
# Make a balanced set: the peaks, then one negative for each of them. A negative is its peak, shuffled so that *the counts of pairs of
# neighbours* stay the same. Some peaks hold lower-case letters, as repeats are written in genome files. A set whose classes differ in
# their case can be told apart without any biology.

# %% tags=["exercise:shuffled_negatives"]
def add_negatives(peaks, rng):
    """Make a labelled set of peaks and of shuffled peaks.

    peaks: a list of N strings of A, C, G and T, in upper and lower case.
    rng: numpy's generator of random numbers, from which all chance comes.
    Returns: a list of 2 N strings in upper case, first the N peaks in their order, then for each of them, in the
        same order, a shuffle; and an array of 2 N labels, 1 for a peak and 0 for a negative.
    """
    ...

# %% tags=["exercise:shuffled_negatives"]
check.shuffled_negatives(add_negatives)

# %% [markdown] tags=["exercise:shuffled_negatives"]
# <details><summary>Hint</summary>
#
# Lesson 03 has the shuffle: `shuffle_dinucleotides(sequences, rng)` takes a list and gives a list. What has to be done to the peaks
# first? For the labels, compare `np.repeat([1, 0], 3)` with `np.tile([1, 0], 3)`.
#
# </details>
# <details><summary>Solution</summary>
#
# ```python
# def add_negatives(peaks, rng):
#     positives = [peak.upper() for peak in peaks]
#     negatives = shuffle_dinucleotides(positives, rng)
#     labels = np.repeat([1, 0], len(peaks))
#     return positives + negatives, labels
# ```
#
# The negatives have the letters and the neighbours of the peaks, and even the same first and last letter. What is left to tell them apart
# are words of three letters and more: the motif, but also everything else in which the genome differs from a shuffle.
#
# </details>

# %% [markdown]
# The genomic ones take some work. Lessons 01, 02 and 10 bring windows of real human DNA: four data sets, two assemblies. Cut them into stretches of 100. A stretch that holds a peak is no negative; but the peaks have the coordinates of hg19, and most windows those of hg38. So compare *sequences*, on both strands, and never coordinates of two assemblies.

# %% tags=["needs-data:ctcf-peaks", "needs-data:basenji-cage", "needs-data:baskerville-tiny", "needs-data:hg38-megabase", "needs-data:gata4", "genomic"]
windows = genomic_windows()
raw = tiles(windows, length=100)
clean = tiles(without_peaks(windows, peaks), length=100)
clean_train, clean_test = clean.by_chromosome(test=["chr8", "chr9"])
rng = np.random.default_rng(1)
chosen, partners = match_gc(test_peaks, clean_test, rng)
train_chosen, train_partners = match_gc(others, clean_train, rng)
print(f"{len(windows)} windows, {len(raw):,} stretches; {len(raw) - len(clean):,} of them hold part of a peak")
print(f"left on chromosomes 8 and 9: {len(clean_test):,}, on the others {len(clean_train):,}")
print(f"pairs of a peak and a stretch with as many G and C: {len(chosen):,} and {len(train_chosen):,}")

# %% [markdown]
# How does `without_peaks` find a peak in a window? At least half of the peak's letters must lie in words of 32 that the two share, on either strand. Then it writes N over the whole peak. (Where coordinates can be compared, this finds all 136 stretches that touch a peak, and takes away 12 that do not.) Then `match_gc` gives each peak a partner with exactly as many G and C. Those richest in G and C find none and are left out.

# %% tags=["needs-data:ctcf-peaks", "needs-data:basenji-cage", "needs-data:baskerville-tiny", "needs-data:hg38-megabase", "needs-data:gata4", "ladder"]
letters = list(test_peaks.sequences)
test_sets = {
    "uniform": (letters, from_codes(sample_background(len(letters), 100, UNIFORM, rng))),
    "shuffled bases": (letters, shuffle_bases(letters, rng)),
    "dinucleotides": (letters, shuffle_dinucleotides(letters, rng)),
    "genomic": (test_peaks.subset(chosen).sequences, clean_test.subset(partners).sequences),
}
for name, (positives, negatives) in test_sets.items():
    print(f"{name:15} {len(positives):,} peaks, {len(negatives):,} negatives, such as {negatives[0][:30]}")

# %% [markdown]
# > **Predict first.** Forget motifs. How well does the *share of G and C* alone tell peaks from each kind of negative? And the number of CpGs?

# %% tags=["needs-data:ctcf-peaks", "needs-data:basenji-cage", "needs-data:baskerville-tiny", "needs-data:hg38-megabase", "needs-data:gata4", "M34", "composition"]
def ladder(score, digits=3):
    """Print the AUC of a score, a function of a list of sequences, on each rung, with its 95 % interval."""
    for name, (positives, negatives) in test_sets.items():
        truth = np.repeat([1, 0], [len(positives), len(negatives)])
        area = auc_interval(truth, np.concatenate([score(positives), score(negatives)]))
        print(f"{name:15} {area.estimate:.{digits}f} ({area.low:.{digits}f} to {area.high:.{digits}f})")


def few_cpgs(sequences):
    return np.array([-sequence.count("CG") for sequence in sequences])


print("share of G and C")
ladder(gc_of)
print("the fewer CpGs, the higher the score")
ladder(few_cpgs)

# %% [markdown]
# Against uniform letters, the GC content alone reaches 0.64: in peaks it is above a half. From the second rung on it is worth nothing, because the negatives have the same. But CpGs are rare in human DNA (lesson 03), and a shuffle of single letters makes as many as chance gives. So against shuffled bases a classifier that only counts CpGs has an AUC of 0.84, without any idea of CTCF. Against dinucleotide shuffles it cannot win that way, and not against this real DNA either: CpGs are rare there, too. That is what the ladder is for: the second rung takes the share of G and C away, the third the CpGs. What the fourth takes away you will see in section 6.
#
# ## 6 · Baselines
#
# Before you train a network, ask how far you come without one. What a simple method reaches is a **baseline**. The first: JASPAR's matrix for CTCF, made from other experiments. Score each window of 19 letters on both strands, and take the best.

# %% tags=["needs-data:ctcf-peaks", "needs-data:basenji-cage", "needs-data:baskerville-tiny", "needs-data:hg38-megabase", "needs-data:gata4", "pwm"]
motifs = read_motifs(shipped("jaspar_motifs.txt"))
ctcf = next(motif for motif in motifs if motif.accession == "MA0139.1")
pwm = ppm_to_pwm(pfm_to_ppm(ctcf.pfm, 1.0))  # (19, 4)


def to_inputs(sequences):
    return torch.from_numpy(one_hot(list(sequences))).permute(0, 2, 1).float().contiguous()  # (N, 4, 100)


def motif_scan(sequences):
    """The best window of each sequence on either strand, in bits: a scan is a convolution (lesson 02)."""
    inputs, weights = to_inputs(sequences), torch.from_numpy(pwm.T[None].copy()).float()  # (1, 4, 19)
    # flip(1, 2) turns letters and positions round: the reverse complement (lesson 01)
    strands = [F.conv1d(strand, weights).amax(dim=(1, 2)) for strand in (inputs, inputs.flip(1, 2))]
    return torch.maximum(*strands).numpy()


ladder(motif_scan)

# %% [markdown]
# Nothing was trained here. The matrix comes from another experiment, though perhaps from many of the same sites: no baseline is quite blind. Its AUC is what a network must beat. It is highest against uniform letters: motif and peaks are rich in G and C, and uniform letters are not. Part of that AUC is composition again.
#
# The second baseline knows nothing of CTCF: it counts the words of 8 letters. A word and its reverse complement count as one, so there are 32,896 and not 65,536. A logistic regression gives each a weight. It is trained on all chromosomes but 8 and 9, against dinucleotide shuffles.

# %% tags=["needs-data:ctcf-peaks", "needs-data:basenji-cage", "needs-data:baskerville-tiny", "needs-data:hg38-megabase", "needs-data:gata4", "kmers"]
train_letters = list(others.sequences)
train_set = train_letters + shuffle_dinucleotides(train_letters, np.random.default_rng(1))
train_labels = np.repeat([1.0, 0.0], len(train_letters))
regression = LogisticRegression(C=0.01, max_iter=300).fit(kmer_counts(train_set, 8, sparse=True), train_labels)


def words_of_8(sequences):
    return regression.decision_function(kmer_counts(sequences, 8, sparse=True))  # the logit of each


ladder(words_of_8)

# %% [markdown]
# Read the last two rungs together. Against dinucleotide shuffles the words are as good as the matrix. Against real DNA they fall to 0.88: part of what they had learned was not CTCF, but how *any* real DNA differs from a shuffle (runs of one letter, repeats, words of three that a dinucleotide shuffle breaks). The matrix cannot fall for that. A shuffle is a fine negative until something learns to see shuffles.

# %% [markdown] tags=["exercise:beat_the_pwm"]
# ### Exercise 5 · Beat the PWM
# ●●● · 25 minutes · why it matters: a network that does not beat a motif scan has learned less than what was in the database.
#
# The check simulates regions of 100 letters, so that it knows what there is to find. Most bound ones hold a CTCF site, on either
# strand. Some hold, with or without it, something that the matrix does not know: find out from the training set. The others are shuffles of
# the bound ones, as in exercise 4. Score the test regions: the higher, the more likely bound. The PWM's best match has an AUC of
# about 0.85 there. You pass if yours is higher by more than 0.03: the 95 percent interval of the difference, on the same 1,600 regions,
# must lie above that.

# %% tags=["exercise:beat_the_pwm"]
def score_regions(training, labels, test, pwm):
    """Learn from labelled regions, and score others.

    training: a list of N strings, 100 letters each.
    labels: an array (N,), 1 = bound, 0 = not.
    test: a list of M strings, 100 letters each.
    pwm: CTCF's weights, (19, 4), in bits.
    Returns: an array (M,), a score for each test region; the higher, the more likely bound.
    """
    ...

# %% tags=["exercise:beat_the_pwm"]
check.beat_the_pwm(score_regions)

# %% [markdown] tags=["exercise:beat_the_pwm"]
# <details><summary>Hint</summary>
#
# Do not throw the PWM away: its best match over both strands, `scan(sequence, pwm).max()`, can be a feature. Beside it, put the counts
# of all words of five letters, `kmer_counts(sequences, 5)`: `np.column_stack` joins the two. A `LogisticRegression(C=0.01)` learns the weights;
# which of its methods gives scores that rank?
#
# </details>
# <details><summary>Solution</summary>
#
# ```python
# def score_regions(training, labels, test, pwm):
#     def features(sequences):
#         best = [scan(sequence, pwm).max() for sequence in sequences]
#         return np.column_stack([best, kmer_counts(sequences, 5)])
#
#     model = LogisticRegression(C=0.01, max_iter=300)
#     model.fit(features(training), labels)
#     return model.decision_function(features(test))
# ```
#
# Neither feature wins alone. Words of five letters hardly know a motif of 19, and the matrix does not know the partner, a word
# of seven letters that stands in about half of the bound regions. Which word? `from course_utils.kmers import kmer_names`, and sort `kmer_names(5)` by `model.coef_[0, 1:]` and look at the last.
#
# </details>

# %% [markdown]
# ## 7 · A network for peaks
#
# What does this problem ask of a network?
#
# - CTCF binds a double strand: the network must give a sequence and its reverse complement *the same* logit. So the same filters read both strands.
# - A site may lie anywhere: the best match of each filter counts, wherever it is (lesson 04).
# - A site has about 20 letters, and more around it may count: the filters have 24.
#
# `BothStrandsCNN` is the scan of section 6 with 48 matrices that are learned, and one linear layer that weighs their best matches: 4,705 parameters. Filters, epochs, batch and learning rate were chosen on chromosomes 10 and 11. Now that nothing is left to choose, these two join the training set: it is the one of the words above, against dinucleotide shuffles. The learning rate falls from 0.01 to 0 along a cosine: large steps first, small ones at the end (lesson 10 says more).

# %% tags=["needs-data:ctcf-peaks", "needs-data:basenji-cage", "needs-data:baskerville-tiny", "needs-data:hg38-megabase", "needs-data:gata4", "network", "slow"]
with seeded(1):
    network = BothStrandsCNN()
epochs, batch_size = 3, 128
history = fit(
    network, TensorDataset(to_inputs(train_set), torch.from_numpy(train_labels).float()),
    loss=nn.BCEWithLogitsLoss(), optimizer=torch.optim.Adam(network.parameters(), lr=0.01),
    epochs=epochs, batch_size=batch_size, generator=torch.Generator().manual_seed(1),
    schedule=cosine(epochs * math.ceil(len(train_set) / batch_size)),
)  # fmt: skip


def logits(sequences):
    return predict(network, to_inputs(sequences)).numpy()


ladder(logits, digits=2)
turned = [reverse_complement(sequence) for sequence in letters[:100]]
same = np.allclose(logits(letters[:100]), logits(turned), atol=1e-4)
print("the same logits for 100 peaks and their reverse complements:", same)

# %% [markdown]
# The network is above the scan on every rung. Nobody gave it the matrix: it has probably learned the motif, or most of it, from peaks and their shuffles, and something beside it (lesson 07 looks). On the genomic rung, where only real DNA is compared, it has 0.98 against 0.95. So at least a part of the gain has nothing to do with shuffles.
#
# ## 8 · The ladder of negatives
#
# Now the experiment that this lesson is about. Train the same network four times, each time against another kind of negatives, and test each of the four on all kinds. There are five seeds of each, and each seed draws fresh negatives, so the scan's figures differ a little from section 6. (The results come from `tools/ctcf_runs.py`. *Words, own rung* is the regression on words of 8, trained anew for each column, against the negatives of that column.)
#
# > **Predict first.** Which network has the highest AUC on its own rung? And which is the best of the four on real DNA?

# %% tags=["ladder"]
rungs = ["uniform", "shuffled bases", "dinucleotides", "genomic"]
ctcf_runs = json.loads(shipped("ctcf_runs.json").read_text())["runs"]
print("trained on        tested on: " + "".join(f"{rung:>16}" for rung in rungs))
for trained in rungs:
    row = [np.mean([run[trained]["network"][tested][0] for run in ctcf_runs]) for tested in rungs]
    print(f"network, {trained:20}" + "".join(f"{area:16.3f}" for area in row))
for name, key in [("words, own rung", "kmers"), ("motif scan", "scan"), ("share of G and C", "gc")]:
    row = [np.mean([run[rung][key][0] for run in ctcf_runs]) for rung in rungs]
    print(f"{name:29}" + "".join(f"{area:16.3f}" for area in row))

# %% tags=["ladder"]
figure, axis = plt.subplots(figsize=(6, 3.4))
for trained, marker in zip(rungs, "os^D"):
    row = [np.mean([run[trained]["network"][tested][0] for run in ctcf_runs]) for tested in rungs]
    axis.plot(rungs, row, marker + "-", label=f"network, {trained}")
scans = [np.mean([run[tested]["scan"][0] for run in ctcf_runs]) for tested in rungs]
axis.plot(rungs, scans, "k--", label="motif scan")
axis.set(xlabel="tested against", ylabel="AUC, mean of five seeds", ylim=(0.92, 1.0))
axis.legend(title="trained against", loc="upper left", bbox_to_anchor=(1, 1))
picture_of(figure, "AUC of four networks and the motif scan on four kinds of negatives. On uniform letters all networks are "
           "above the scan. On dinucleotide shuffles the one trained against uniform letters is below it; on real DNA "
           "that one is, and the one trained against shuffled bases.")  # fmt: skip

# %% [markdown]
# Each row is a network, each column a test. Read the first row. Trained against uniform letters, the network has an AUC of 0.998 there, the best figure of the table. Against dinucleotide shuffles it falls to 0.93: *below the motif scan*, which was never trained. GC and CpGs win much against uniform letters (0.64 and 0.81 alone) and nothing here. What is left, 0.93, is mostly what it knows of CTCF.
#
# Now read the last column, real DNA. The network that trained against real DNA is best there; the one that trained against dinucleotide shuffles comes close; the two others lose to the scan. On its own rung, which is what papers tend to print, the network that is worst on real DNA looks best. Never compare two AUCs before you know against what. (Two cautions: the last column has fewer peaks, because those richest in G and C found no partner; and its negatives come from a few places of the genome, 84 windows in all.)

# %% tags=["ladder"]
print("trained on dinucleotides: mean and interval over five seeds; interval of the test set, seed 1")
for tested in rungs:
    areas = [run["dinucleotides"]["network"][tested][0] for run in ctcf_runs]
    mean = paired_interval(areas, np.zeros(5))
    _, low, high = ctcf_runs[0]["dinucleotides"]["network"][tested]
    print(f"{tested:15} {mean.estimate:.3f} ({mean.low:.3f} to {mean.high:.3f});  {low:.3f} to {high:.3f}")
rivals = {key: [run["dinucleotides"][key][0] for run in ctcf_runs] for key in ("scan", "kmers")}
own = [run["dinucleotides"]["network"]["dinucleotides"][0] for run in ctcf_runs]
for key, areas in rivals.items():
    gain = paired_interval(own, areas)
    print(f"network - {key:5} on dinucleotides: {gain.estimate:.3f} ({gain.low:.3f} to {gain.high:.3f})")

# %% [markdown]
# The first interval says how well five seeds pin down the mean; the second how much another sample of peaks would change the AUC of one network. The network leads both rivals by far more than either interval is wide.
#
# Does a network that trained against shuffles see shuffles? Ask it directly. Take the genomic *negatives*, which hold no peak, and shuffle them, too. Call the real ones 1 and the shuffled ones 0. There is no CTCF to find: a score that knows CTCF alone should be near 0.5.

# %% tags=["needs-data:ctcf-peaks", "needs-data:basenji-cage", "needs-data:baskerville-tiny", "needs-data:hg38-megabase", "needs-data:gata4", "sees-shuffles"]
unbound = list(test_sets["genomic"][1])
real_or_not = np.repeat([1, 0], len(unbound))
either = unbound + shuffle_dinucleotides(unbound, np.random.default_rng(1))
for name, score in [("motif scan", motif_scan), ("words of 8", words_of_8)]:
    print(f"{name:35} {roc_auc_score(real_or_not, score(either)):.2f}")
for trained in rungs:
    areas = [run[trained]["unbound"][0] for run in ctcf_runs]
    print(f"network, trained on {trained:15} {np.mean(areas):.2f}")

# %% [markdown]
# The scan has 0.47: near 0.5, and a little below. The words of 8 have 0.69: they see shuffles well, and that is at least a part of why they fell on the genomic rung. The network that trained on the same rung has 0.60: it sees them, too, but less. The one that trained against real DNA has 0.37. It has learned what DNA without a peak looks like, and to it a shuffle looks less so. No negative is neutral: each leaves its mark.

# %% [markdown]
# ### Explore: the ladder
#
# Choose a score and a kind of negatives, and move the recall. The ROC curves of the same score on the other rungs stay in the picture.
#
# - Choose *words of 8* and change the negatives: how many of 1,000 negatives are called bound, at the same recall?
# - Which score changes least from rung to rung? Which is best where it matters to you?
# - *few CpGs* knows nothing of CTCF. On which rungs would you have believed in it?

# %% tags=["explorer", "needs-data:ctcf-peaks", "needs-data:basenji-cage", "needs-data:baskerville-tiny", "needs-data:hg38-megabase", "needs-data:gata4", "nbval-ignore-output"] reason="its bars stand to a tenth of a point for scores whose last digits differ by processor"
shipped_network = BothStrandsCNN()  # trained by the recipe above, so that you need not wait for yours
load_weights(shipped_network, shipped("ctcf_network.pt"))
judges = {
    "share of G and C": gc_of, "few CpGs": few_cpgs, "words of 8": words_of_8, "motif scan": motif_scan,
    "network": lambda sequences: predict(shipped_network, to_inputs(sequences)).numpy(),
}  # fmt: skip
judged = {
    name: {kind: (judge(positives), judge(negatives)) for kind, (positives, negatives) in test_sets.items()}
    for name, judge in judges.items()
}
ladder_explorer(judged, score="words of 8", negatives="dinucleotides")

# %% [markdown]
# ## 9 · What the AUC does not say
#
# - **A negative is not "unbound".** It is a stretch where this experiment, in these cells, saw no peak. CTCF may sit there in other cells.
# - **A positive is not "bound by this motif".** Some peaks hold no site that the matrix knows: other proteins may carry CTCF there.
# - **The classes are balanced here, and nature is not.** Of all stretches of 100 in the genome about one in a thousand is such a peak (39,184 of 30 million). What precision is left? Lesson 05 says how to compute it; the explorer does it for one in a hundred.
# - **One factor, one experiment.** Whether the network knows CTCF, or this laboratory's peaks, only another experiment can tell.
# - **The peaks are cut out around their middle.** A network with weights for each place could use that; this one cannot.

# %% [markdown]
# ## Common mistakes
#
# - **A file read with a header that it does not have** (M19). Look at the first line; compare lengths.
# - **Simulated sequences taken for real ones** (M18). Try a one-line rule before a network.
# - **A log from another program than the one shown** (M14). Know the loss at chance.
# - **Five changes at once** (M16). One at a time, over many runs, in pairs.
# - **A deeper network as a remedy** (M17). First ask whether it has begun to learn.
# - **An encoder fitted to each sequence** (M24). The alphabet is fixed: A, C, G, T.
# - **Negatives that differ in more than the site** (M34). The ladder shows by how much they flatter.
#
# ## Recap
#
# Before the network come the data: one line of Python tells the report's 2,000 sequences apart. With the five changes of its second network, about one run in eight stays at chance, and one of the five, depth, is to blame. A network that fits the question has 401 parameters and learned in each of 80 runs. On real peaks the negatives decide: the same network beats a motif scan or loses to it, depending on what it was trained against. Split by chromosome, look for copies on both strands, climb the ladder, and print the baselines in the same table.
#
# ## Further reading
#
# - J. Zou et al. A primer on deep learning in genomics. *Nature Genetics* 51, 12-18 (2019).
# - B. Alipanahi, A. Delong, M. T. Weirauch, B. J. Frey. Predicting the sequence specificities of DNA- and RNA-binding proteins by deep learning. *Nature Biotechnology* 33, 831-838 (2015).
# - X. Glorot, Y. Bengio. Understanding the difficulty of training deep feedforward neural networks. *Proceedings of Machine Learning Research* 9, 249-256 (2010).
# - M. Ghandi, D. Lee, M. Mohammad-Noori, M. A. Beer. Enhanced regulatory sequence prediction using gapped k-mer features. *PLoS Computational Biology* 10, e1003711 (2014).
# - K. He, X. Zhang, S. Ren, J. Sun. Delving deep into rectifiers: surpassing human-level performance on ImageNet classification. *International Conference on Computer Vision* (2015).
# - S. Whalen, J. Schreiber, W. S. Noble, K. S. Pollard. Navigating the pitfalls of applying machine learning in genomics. *Nature Reviews Genetics* 23, 169-181 (2022).
# - I. Rauluseviciute et al. JASPAR 2024: 20th anniversary of the open-access database of transcription factor binding profiles. *Nucleic Acids Research* 52, D174-D182 (2024).
#
# The peaks come from the repository const-ae/Neural_Network_DNA_Demo, which does not name the assembly; their letters agree with hg19. The report's data and code come from the book *Deep Learning for Genomics* (Packt).
#
# **Next:** [07 · Interpreting networks](07_interpreting_networks.ipynb), which opens the network that you trained here, and asks what it saw.
