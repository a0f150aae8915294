# %% [markdown]
# {{ header }}

# %% [markdown]
# ## Why this matters
#
# A genome is easy to read and hard to understand. We can sequence three billion letters in a day, and still
# not say from the letters alone where a protein will bind, or what one changed letter will do. Deep learning
# is one way to find such rules in data, when there are too many of them to write down by hand. It is also a
# very good way to fool yourself. This first lesson gives you the few ideas that the whole collection rests
# on, and the habits that keep a result honest. No deep learning is needed to begin, and there is little
# mathematics.

# %% [markdown]
# ## What you will be able to do
#
# - **lay out** a sequence-to-function problem as a table of samples and variables;
# - **tell** parameters from hyperparameters, and **give** training, validation and test set each its own job;
# - **show** in numbers what a hidden layer does for a problem that no straight line can solve;
# - **judge** a model of rare things by more than its accuracy;
# - **test** a rule of thumb instead of believing it.

# %% [markdown] tags=["seed:002-jupyterlab", "seed:002-conda"]
# ## How to use these lessons
#
# A lesson is a **notebook**: a page of text and of *cells* with code. Click on a cell with code and press
# **Shift + Enter**. The cell runs, its result appears below it, and the next cell is chosen. Run the cells
# from top to bottom; a later cell needs what the earlier ones have made. If you lose your way, choose
# *Restart Kernel and Run All Cells* in the menu *Kernel*. You cannot break anything: change the code, run it,
# see what happens.
#
# - **JupyterLab** is the editor that shows notebooks. It runs on your own computer and is displayed by your
#   web browser. If no browser opens by itself, copy the line that starts with `http://127.0.0.1` from the
#   terminal into one, to the last letter: the `token` in it is your key.
# - **`make lab`** in the folder of this collection prepares everything and opens JupyterLab. It puts copies
#   of the lessons into the folder `my_lessons`. Work there: what you write stays yours. If a lesson that you
#   have worked in changes later, the new one is put beside yours.
# - **conda**, which many biologists have already, works too, and so does Windows without `make`. The README
#   has the commands for both.
# - **Colab** runs a lesson on a computer of Google's, without installing anything on yours. Where the top of
#   the page shows an *Open in Colab* badge, click on it. Save a copy in your Drive, or your answers are gone
#   tomorrow.
#
# The first cell with code is the **set-up cell**, the same in every lesson. It installs the helper package
# `course_utils` where it is missing, and says which versions are at work.

# %% tags=["set-up", "nbval-ignore-output"] reason="prints the versions of this machine"
# {{ set-up }}

# %% [markdown]
# Next come all the imports of the lesson. You need to know some Python: lists, dictionaries, loops,
# functions. What `numpy` arrays do is said where it happens.

# %% tags=["imports"]
import matplotlib.pyplot as plt
import numpy as np
from sklearn.decomposition import PCA
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import (
    accuracy_score,
    average_precision_score,
    matthews_corrcoef,
    precision_score,
    recall_score,
)
from sklearn.neural_network import MLPClassifier
from torch import nn

from course_utils.datasets import shipped
from course_utils.exercises import lesson_00 as check
from course_utils.explorers.imbalance import imbalance_explorer
from course_utils.notebook import Finding, check_environment, explain_environment
from course_utils.plotting import boxes_picture, picture_of
from course_utils.sequences import read_fasta

# %% [markdown]
# Is everything there that the lessons need? Ask.

# %%
print(explain_environment(check_environment()))

# %% [markdown]
# And if something were missing? Let us pretend that one package is absent and another is too old. You would
# read this, with a line to copy into a cell:

# %%
pretended = [
    Finding("biopython", needed=">=1.83,<2", found=None, fits=False),
    Finding("h5py", needed=">=3.10,<4", found="2.10.0", fits=False),
]
answer = explain_environment(pretended)
print("\n".join(answer.splitlines()[:-1]))  # the last line says where this Python is installed

# %% [markdown]
# **Exercises** come in four parts: the task, a cell in which you write, a cell that checks your answer, and a
# hint and a solution that stay closed until you open them. The check tries your function on many inputs and
# tells you what went wrong. The dots say how hard it is: ●○○ needs a line or two,
# ●●● some thought. Where you read **Predict first**, stop and guess before you run the next cell. A wrong
# guess teaches more than a quick look.

# %% [markdown] tags=["seed:002-genotype-phenotype"]
# ## 1 · From sequence to function
#
# A classical geneticist relates **genotype** to **phenotype**: this allele, that eye colour. Between the two
# lies a long chain of events. We shall look at its first link only, where the phenotype is a **molecular
# phenotype**: something that can be measured on the DNA itself or right beside it. Is this stretch bound by a
# protein? Is this cytosine methylated? How much RNA starts here?
#
# A **sequence-to-function problem** asks for a model that takes the letters and predicts such a measurement.
# The measurement that belongs to a sequence is its **label**.

# %%
boxes_picture(
    {
        "sequence": (0, 0, "sequence\n...TGGCCACCAGGGGG...\n(genotype)"),
        "model": (1, 0, "model\nnumbers, learned\nfrom examples"),
        "function": (2, 0, "measurement\nbound? methylated?\nhow much RNA?\n(molecular phenotype)"),
    },
    arrows=[("sequence", "model"), ("model", "function")],
    alt="Three boxes joined by arrows: a DNA sequence (genotype) goes into a model, made of numbers "
    "learned from examples; out comes a measurement (molecular phenotype) such as whether a protein "
    "binds, whether a base is methylated, or how much RNA is made.",
    box=(172, 82),
)

# %% [markdown] tags=["seed:004-named-models", "seed:002-reference-alipanahi"]
# Five models that you will meet again and again in papers are all of this kind:
#
# - **DeepBind** (Alipanahi et al. 2015) predicts whether a protein binds a short piece of DNA or RNA; it made
#   convolutional networks known in genomics.
# - **DeepSEA** (Zhou & Troyanskaya 2015) reads 1,000 bp and predicts many chromatin measurements at once:
#   proteins bound, marks on histones, open chromatin.
# - **Basset** (Kelley, Snoek & Rinn 2016) reads 600 bp and predicts in which of 164 cell types the DNA is
#   open.
# - **DeepCpG** (Angermueller et al. 2017) predicts whether a CpG is methylated in a single cell, from the DNA
#   around it and from its neighbours' methylation.
# - **Basenji** (Kelley et al. 2018) reads 131,072 bp and predicts whole tracks of activity along them. You
#   will build a network of this kind in lessons 09 and 10.
#
# The full references stand at the end of the lesson.

# %% [markdown] tags=["seed:002-samples-variables"]
# ## 2 · Samples × variables
#
# Statistics and machine learning put data into a table: **each row a sample, each column a variable**. Let us
# make one from real data. The file holds 200 stretches of human DNA, 100 letters each, in which the protein
# **CTCF** was found by ChIP-seq. CTCF helps to fold the genome. Such a stretch is called a **peak**.

# %%
records = read_fasta(shipped("ctcf_peaks_200.fa"))
for record in records[:3]:
    print(record.name, record.sequence[:50] + "...")
print(f"{len(records)} records; lengths: {sorted({len(record.sequence) for record in records})}")

# %% [markdown]
# Some letters are in lower case. They mark repeats and are bases like the others, so we turn everything into
# upper case. As variables we take the share of each base. The result has the **shape** `(200, 4)`: 200
# samples, 4 variables.

# %% tags=["seed:002-samples-variables"]
names = [record.name for record in records]
peaks = [record.sequence.upper() for record in records]
shares = np.array([[peak.count(base) / len(peak) for base in "ACGT"] for peak in peaks])

print("shape", shares.shape)
print(f"{'sample':26}" + "".join(f"{base:>6}" for base in "ACGT"))
for name, row in zip(names[:5], shares):
    print(f"{name:26}" + "".join(f"{share:6.2f}" for share in row))
print(f"{'... mean of all 200':26}" + "".join(f"{share:6.2f}" for share in shares.mean(axis=0)))

# %% [markdown]
# Four variables keep little of a sequence: `AACC` and `CACA` get the same row. In lesson 01 every single
# letter becomes a variable of its own, and nothing is lost. The table stays: samples down, variables across.

# %% [markdown] tags=["exercise:gc_content"]
# ### Exercise 1 · One variable: GC content
# ●○○ · 5 minutes · why it matters: a model will gladly learn GC content in place of what you meant
#
# Write a function that takes a list of sequences and gives back an array with one number for each: the
# fraction of its letters that are G or C. Lower-case letters count as well.

# %% tags=["exercise:gc_content"]
def gc_content(sequences):
    """The fraction of G and C in each sequence.

    Args:
        sequences: a list of N strings of the letters A, C, G, T, a, c, g, t; lengths may differ.

    Returns:
        An array of shape (N,) with fractions from 0 to 1.

    Example:
        gc_content(["GGCC", "ATat"]) gives array([1., 0.])
    """
    ...

# %% tags=["exercise:gc_content"]
check.gc_content(gc_content)

# %% [markdown] tags=["exercise:gc_content"]
# <details><summary>Hint</summary>
#
# A string has the methods `upper()` and `count("G")`. Collect one number for each sequence in a list, and
# turn the list into an array with `np.array(...)` at the end.
#
# </details>
# <details><summary>Solution</summary>
#
# ```python
# def gc_content(sequences):
#     fractions = []
#     for sequence in sequences:
#         letters = sequence.upper()
#         fractions.append((letters.count("G") + letters.count("C")) / len(letters))
#     return np.array(fractions)
# ```
#
# </details>

# %% [markdown] tags=["seed:004-supervised-unsupervised"]
# ## 3 · Two ways to learn
#
# **Unsupervised** learning gets the table alone, without labels, and looks for patterns in it. **Supervised**
# learning gets the table *and* a label for each row, and learns to predict the label.
#
# Unsupervised first. We count in each peak how often each of the 16 two-letter words occurs, from `AA` to
# `TT`. Then **principal component analysis** (PCA) looks for the one direction through these 16 variables
# along which the peaks differ most. Nobody tells it what the direction should mean.

# %%
def count_words(sequences, length):
    """A table of samples x words: how often each word of that length occurs in each sequence."""
    words = [""]
    for _ in range(length):
        words = [word + base for word in words for base in "ACGT"]
    column = {word: number for number, word in enumerate(words)}
    table = np.zeros((len(sequences), len(words)))
    for row, sequence in enumerate(sequences):
        for start in range(len(sequence) - length + 1):
            table[row, column[sequence[start : start + length]]] += 1
    return table


pairs = count_words(peaks, 2)
print("table", pairs.shape, "- the first peak has", int(pairs[0].sum()), "words of two letters")

# %% tags=["seed:004-supervised-unsupervised"]
found = PCA(n_components=2).fit_transform(pairs)  # (200, 2); no label was given
gc = shares[:, 1] + shares[:, 2]
likeness = np.corrcoef(found[:, 0], gc)[0, 1]
found[:, 0] *= np.sign(likeness)  # PCA may point either way; let GC grow to the right

figure, axes = plt.subplots(figsize=(6, 3.4))
dots = axes.scatter(found[:, 0], found[:, 1], c=gc, cmap="cividis", s=18)
figure.colorbar(dots, label="GC content")
axes.set(xlabel="first direction found", ylabel="second direction found")
print(f"correlation of the first direction with GC content: {abs(likeness):.2f}")
picture_of(
    figure,
    f"Scatter plot of the 200 peaks along the two directions that PCA found. GC content grows from "
    f"left to right: its correlation with the first direction is {abs(likeness):.2f}.",
)

# %% [markdown]
# Without any label PCA has found what a biologist would have called GC content. That is the strength of
# unsupervised learning and its limit: it finds what *varies* most, whether you care for it or not. If the
# question is "does CTCF bind here?", we must show the model examples of both answers. That is supervised
# learning, and most of this collection is about it.

# %% [markdown] tags=["seed:004-three-sets", "M20"]
# ## 4 · Three sets for three jobs
#
# For a supervised problem we need sequences that CTCF does *not* bind. For now we make them: shuffle the
# letters of each peak. A shuffled peak has the same letters in another order, so counting single letters
# cannot give it away. (It is a weak kind of negative. Lessons 03 and 06 do better, and show how much a choice
# like this flatters a model.)
#
# A model can learn its examples by heart, as a student can, and know nothing else. So we divide the data
# *before* we begin:
#
# | set | its job | who looks at it |
# |---|---|---|
# | **training set** | finds the **parameters**: the numbers inside the model | the training procedure, all the time |
# | **validation set** | chooses the **hyperparameters**: what we decide *about* the model | you, when you compare settings |
# | **test set** | says how good the chosen model is on data that played no part in any choice | you, **once**, at the end |
#
# The Chinese overview of deep learning for omics on which this lesson leans says that training learns the
# hyperparameters (mistake M20 in our list). It does not, and cannot, as you will see in a moment.
#
# How to divide? Neighbouring stretches of a genome resemble each other, and some overlap. A random split puts
# one of two neighbours into the training set and the other into the test set, where it is no longer news. So
# in genomics **whole chromosomes** are held out.

# %% [markdown] tags=["exercise:split_by_chromosome"]
# ### Exercise 2 · Hold out chromosomes
# ●●○ · 8 minutes · why it matters: a leak between the sets is a common reason why a fine result does not last
#
# The records are named like `chr8:100-200`. Write a function that marks the records of certain chromosomes.
# You can read on without it; the lesson uses its own split.

# %% tags=["exercise:split_by_chromosome"]
def split_by_chromosome(names, held_out):
    """Mark the records that lie on held-out chromosomes.

    Args:
        names: a list of N record names such as "chr8:100-200".
        held_out: a list of chromosome names such as ["chr1", "chr8"].

    Returns:
        A boolean array of shape (N,): True where the record lies on one of these chromosomes.

    Example:
        split_by_chromosome(["chr1:1-9", "chr7:1-9"], ["chr1"]) gives array([True, False])
    """
    ...

# %% tags=["exercise:split_by_chromosome"]
check.split_by_chromosome(split_by_chromosome)

# %% [markdown] tags=["exercise:split_by_chromosome"]
# <details><summary>Hint</summary>
#
# `"chr8:100-200".split(":")` gives a list of two strings. Take care: `"chr10:5-105"` also starts with
# `"chr1"`.
#
# </details>
# <details><summary>Solution</summary>
#
# ```python
# def split_by_chromosome(names, held_out):
#     marks = []
#     for name in names:
#         chromosome = name.split(":")[0]
#         marks.append(chromosome in held_out)
#     return np.array(marks)
# ```
#
# </details>

# %% [markdown]
# Here is the lesson's own split. The variables are the counts of the 64 three-letter words; the label is 1
# for a peak and 0 for a shuffled peak. A shuffled peak goes where its original goes.

# %% tags=["seed:004-three-sets"]
rng = np.random.default_rng(0)
shuffled = ["".join(rng.permutation(list(peak))) for peak in peaks]

table = count_words(peaks + shuffled, 3)  # (400, 64): samples x variables
labels = np.array([1] * len(peaks) + [0] * len(shuffled))
chromosomes = np.array([name.split(":")[0] for name in names + names])

in_validation = np.isin(chromosomes, ["chr2", "chr11", "chr19"])
in_test = np.isin(chromosomes, ["chr1", "chr8", "chr9", "chr17"])
in_training = ~(in_validation | in_test)
sets = {"training": in_training, "validation": in_validation, "test": in_test}
for name, members in sets.items():
    print(f"{name:11}{members.sum():4} samples on {len(set(chromosomes[members]))} chromosomes")

# %% [markdown]
# Our model is **logistic regression**: it gives each of the 64 words a weight, adds up weight × count, and
# calls the sequence a peak if the sum is large enough. The 64 weights and one offset are its *parameters*;
# training finds them. How large may the weights grow? That is decided beforehand by a *hyperparameter* that
# scikit-learn calls `C`: a small `C` holds the weights near 0, a large `C` lets them go.
# (`table[in_training]` keeps the rows that are marked `True`.)
#
# > **Predict first.** We train the same model with six values of `C`. Which will fit the *training* set best?
# > And which the *validation* set?

# %% tags=["M20"]
settings = [0.0001, 0.001, 0.01, 0.1, 1, 10]
models, training_scores, validation_scores = [], [], []
print("       C   parameters   training   validation      (accuracy: share of right answers)")
for C in settings:
    model = LogisticRegression(C=C, solver="newton-cholesky")  # a fast solver for small tables
    model.fit(table[in_training], labels[in_training])  # this line finds the parameters
    parameters = model.coef_.size + model.intercept_.size
    models.append(model)
    training_scores.append(model.score(table[in_training], labels[in_training]))
    validation_scores.append(model.score(table[in_validation], labels[in_validation]))
    print(f"{C:8} {parameters:12} {training_scores[-1]:10.2f} {validation_scores[-1]:12.2f}")

# %% tags=["M20"]
figure, axes = plt.subplots(figsize=(6, 3))
axes.semilogx(settings, training_scores, "o-", label="training")
axes.semilogx(settings, validation_scores, "s--", label="validation")
axes.set(xlabel="hyperparameter C (loose rein to the right)", ylabel="accuracy", ylim=(0.7, 1.02))
axes.legend()
training_likes = settings[int(np.argmax(training_scores))]
validation_likes = settings[int(np.argmax(validation_scores))]
picture_of(
    figure,
    f"Accuracy against C. On the training set it only rises, and is best at C = {training_likes}; on "
    f"the validation set it is best at C = {validation_likes} and falls after that.",
)

# %% [markdown] tags=["M20"]
# Every row has 65 parameters, and training has found them every time. Left to choose `C` as well, training
# would take the loosest rein: nothing fits the training set better than freedom to learn it by heart. That is
# **over-fitting**, and only data that were *not* trained on can show it. So: **training learns the
# parameters; validation chooses the hyperparameters.**
#
# Now the validation set has taken part in a choice, and its best score is a little too kind: it is the best
# of six. For an honest number we open the test set, once.

# %% tags=["M20"]
chosen = models[int(np.argmax(validation_scores))]
accuracy = chosen.score(table[in_test], labels[in_test])
margin = 2 * np.sqrt(accuracy * (1 - accuracy) / in_test.sum())
print(f"chosen by validation: C = {validation_likes}")
print(f"test accuracy {accuracy:.2f}, give or take {margin:.2f} with {in_test.sum()} test samples")

# %% [markdown]
# Look at the margin. A hundred test samples say little about the second digit, and the same is true of the
# validation scores: a difference of one or two hundredths there is mostly luck. Lesson 05 makes this precise.

# %% [markdown] tags=["seed:004-representation-learning"]
# ## 5 · What "deep" means: learning the representation
#
# Logistic regression adds up its variables. Some questions cannot be answered by adding. Imagine a gene with
# two binding sites, A and B, that is expressed when exactly **one** of them is occupied: A alone, or B alone,
# but not both. We simulate 200 cells and measure how full each site is.

# %%
rng = np.random.default_rng(0)
corners = np.array([[0, 0], [0, 1], [1, 0], [1, 1]])  # (A, B): empty or occupied
sites = np.repeat(corners, 50, axis=0) + rng.normal(0, 0.12, size=(200, 2))  # samples x variables
expressed = np.repeat([0, 1, 1, 0], 50)


def best_line(points, labels):
    """The best accuracy of a straight line: 180 directions are tried, and every place to cut."""
    best = 0
    for angle in np.deg2rad(np.arange(180)):
        along = points @ np.array([np.cos(angle), np.sin(angle)])
        for cut in along:
            right = np.mean((along > cut) == labels)
            best = max(best, right, 1 - right)  # either side may be "expressed"
    return best


before = best_line(sites, expressed)
print(f"best straight line through the raw variables: accuracy {before:.2f}")

# %% [markdown]
# No straight line does better. A **neural network** first makes new variables out of the old ones, and then
# draws its line through those. One step of this kind is a **layer**: multiply by weights, add an offset, and
# bend the result with a fixed curve (here `tanh`). The layers between input and output are called **hidden**.
# Training finds the weights of all layers together. This is the smallest network that can do the job: one
# hidden layer with two new variables.

# %% tags=["seed:004-representation-learning"]
network = MLPClassifier(
    hidden_layer_sizes=(2,),  # one hidden layer with two variables
    activation="tanh",  # the curve that bends them
    solver="lbfgs",  # how training looks for good weights,
    alpha=1e-3,  # how it keeps them small,
    max_iter=2000,  # when it gives up,
    random_state=4,  # and from which random numbers it starts
)
network.fit(sites, expressed)

weights, offset = network.coefs_[0], network.intercepts_[0]  # (2, 2) and (2,)
hidden = np.tanh(sites @ weights + offset)  # (200, 2): the layer at work; @ multiplies and adds up

sizes = [array.size for array in (*network.coefs_, *network.intercepts_)]
print(f"parameters: {sum(sizes)}")
after = best_line(hidden, expressed)
print(f"best straight line through the hidden variables: accuracy {after:.2f}")

# %% [markdown]
# Here are the same 200 cells before and after the hidden layer.

# %% tags=["seed:004-representation-learning"]
figure, panels = plt.subplots(1, 2, figsize=(8.5, 3.4), layout="constrained")
for axes, points, title in zip(panels, (sites, hidden), ("raw variables", "hidden variables")):
    for value, marker, word in [(0, "o", "silent"), (1, "^", "expressed")]:
        here = expressed == value
        axes.scatter(*points[here].T, marker=marker, s=22, alpha=0.7, label=word)
    axes.set_title(title)
panels[0].set(xlabel="site A", ylabel="site B")
panels[1].set(xlabel="hidden variable 1", ylabel="hidden variable 2")
panels[1].set(xlim=(-1.3, 1.3), ylim=(-1.3, 1.3))
(weight_1, weight_2), constant = network.coefs_[1][:, 0], network.intercepts_[1][0]
ends = np.array([-1.3, 1.3])  # on the line, weight_1 * x + weight_2 * y + constant is 0
panels[1].plot(ends, -(weight_1 * ends + constant) / weight_2, "k--", label="the network's line")
panels[1].legend(loc="center left", bbox_to_anchor=(1, 0.5))
picture_of(
    figure,
    "Two scatter plots of the same 200 cells. In the raw variables the four groups lie on the corners of "
    f"a square, equal labels opposite each other, and the best straight line is right for {before:.2f} "
    f"of the cells. In the hidden variables one straight line separates expressed from silent cells; it is "
    f"right for {after:.2f} of them.",
)

# %% [markdown]
# The network has not found a cleverer line. It has found a **representation** in which an ordinary line is
# enough. That is **representation learning**, and *deep* learning stacks many such layers: letters, then
# motifs, then arrangements of motifs. What used to be designed by hand (our word counts, for example) is
# learned together with the rest.
#
# One word of warning: we chose a start (`random_state=4`) from which training succeeds. From some other
# starts this tiny network gets stuck halfway: try `random_state=1`. Larger networks get stuck less often,
# which is one reason why they are larger than they need to be.

# %% [markdown] tags=["seed:004-99-to-1", "M21"]
# ## 6 · 99 % right and worth nothing
#
# In a room with 99 women and one man, "everybody here is a woman" is 99 % right. And yet it will never find a
# man. Genomics is full of such rooms: most windows of a genome are *not* bound by a given protein. Take
# 10,000 windows, of which 100 are bound. This is 99 to 1. Each window that a model *calls* bound is a **true
# positive** if it is bound and a **false positive** (a type I error) if not; each bound window that it misses
# is a **false negative** (a type II error); the rest are **true negatives**. From these four counts come
#
# - **accuracy**: the share of all answers that are right;
# - **recall** (or sensitivity): the share of the bound windows that are found;
# - **precision**: the share of the calls that are right;
# - **MCC**, the Matthews correlation coefficient: the correlation of calls and truth, from −1 through 0 (no
#   better than guessing) to 1;
# - **AUPRC**, the area under the precision-recall curve: how well the *scores* rank bound windows above the
#   others, for all thresholds at once. A model that knows nothing gets the share of positives, here 0.01.
#
# What if a model calls nothing bound? Then precision is 0 divided by 0, which is undefined, and so is MCC. By
# convention both are then written as 0. We follow scikit-learn in this.
#
# The overview's advice, which you will meet elsewhere too: when classes are unequal, trust **recall**
# (mistake M21). Let us see.
#
# > **Predict first.** Four models: one always says no, one always says yes, one throws a coin, and one is
# > quite good. Which of them gets the best accuracy? Which the best recall?

# %% tags=["seed:004-99-to-1", "seed:004-recall", "M21"]
bound = np.array([1] * 100 + [0] * 9_900)
rng = np.random.default_rng(0)
scores_of = {
    "always no": np.zeros(10_000),
    "always yes": np.ones(10_000),
    "a coin": rng.random(10_000),
    "a good model": rng.normal(bound, 0.3),  # around 1 for bound windows, around 0 for the others
}
print(f"{'':13}accuracy  recall  precision    MCC  AUPRC")
for name, scores in scores_of.items():
    calls = (scores > 0.5).astype(int)  # a score above this threshold is called bound
    print(
        f"{name:13}{accuracy_score(bound, calls):8.2f}{recall_score(bound, calls):8.2f}"
        f"{precision_score(bound, calls, zero_division=0):11.2f}"
        f"{matthews_corrcoef(bound, calls):7.2f}{average_precision_score(bound, scores):7.2f}"
    )

# %% [markdown] tags=["M21"]
# *Always no* has the best accuracy of the four. *Always yes* has the best recall: it is 1.00, since whoever
# calls everything misses nothing. So recall alone is no more trustworthy than accuracy alone; each can be had
# for nothing. MCC and AUPRC are not taken in: they give about 0 and about 0.01 to every model that knows
# nothing, and a clear lead to the good one. But look at its precision: most of its calls are false. With 99
# unbound windows for each bound one, even a small share of false calls outnumbers the true ones.
#
# **Report precision and recall together, and MCC or AUPRC beside them; and say how rare the positives are.**
# (Chicco & Jurman 2020; Saito & Rehmsmeier 2015.) Lesson 05 is about nothing else.

# %% [markdown]
# ### Explorer: how rare is rare?
#
# The sliders set how many windows in 1,000 are bound, which share of these the model finds, and which share
# of the others it calls falsely. The squares show how many windows land in each cell of the **confusion
# matrix**, whose rows are the truth. You can drag a slider, or click on it and use the arrow keys.
#
# Try this: leave the model as it is (sensitivity 90, false-positive rate 5) and move only the first slider
# from 500 down to 1. What happens to accuracy? To recall? To precision? Then find the false-positive rate at
# which half of the calls are true when 10 windows in 1,000 are bound.

# %% tags=["explorer"]
imbalance_explorer()

# %% [markdown] tags=["exercise:metrics"]
# ### Exercise 3 · Four measures from four counts
# ●●○ · 10 minutes · why it matters: many papers print the counts and leave out the measure that hurts
#
# Write a function that turns the four counts into a dictionary with the four measures. Where a measure is
# undefined because you would divide by 0, give `0.0`.
#
# $$\text{MCC} = \frac{TP \times TN - FP \times FN}{\sqrt{(TP+FP)(TP+FN)(TN+FP)(TN+FN)}}$$

# %% tags=["exercise:metrics"]
def metrics(tp, fp, fn, tn):
    """Accuracy, recall, precision and MCC from the counts of a confusion matrix.

    Args:
        tp, fp, fn, tn: true positives, false positives, false negatives, true negatives; whole
            numbers, not all of them 0.

    Returns:
        A dictionary with the keys "accuracy", "recall", "precision" and "mcc"; the values are
        fractions (not percent), and 0.0 where a measure is undefined.

    Example:
        metrics(1, 0, 0, 1) gives {"accuracy": 1.0, "recall": 1.0, "precision": 1.0, "mcc": 1.0}
    """
    ...

# %% tags=["exercise:metrics"]
check.metrics(metrics)

# %% [markdown] tags=["exercise:metrics"]
# <details><summary>Hint</summary>
#
# Compute what stands above and below the line of each fraction, and divide only if the lower part is not 0. A
# small helper function saves you from writing this four times. `x ** 0.5` is the square root of `x`.
#
# </details>
# <details><summary>Solution</summary>
#
# ```python
# def metrics(tp, fp, fn, tn):
#     def divide(above, below):
#         return above / below if below > 0 else 0.0
#
#     product = (tp + fp) * (tp + fn) * (tn + fp) * (tn + fn)
#     return {
#         "accuracy": divide(tp + tn, tp + fp + fn + tn),
#         "recall": divide(tp, tp + fn),
#         "precision": divide(tp, tp + fp),
#         "mcc": divide(tp * tn - fp * fn, product**0.5),
#     }
# ```
#
# </details>

# %% [markdown] tags=["M23"]
# ## 7 · Rules of thumb, and where they end
#
# Overviews of deep learning for biology hand on rules of thumb. Good ones have a reason; and where the reason
# ends, the rule ends. Our Chinese overview gives six. The first three are too narrow as they stand (mistake
# M23); for each of the six we make a small measurement.
#
# | you will hear | the reason | where it ends |
# |---|---|---|
# | kernels shorter than 20 letters | most binding motifs are shorter | long motifs; stacked layers |
# | inputs up to 2,000 letters | promoters and many enhancers are near the gene | many enhancers are far away |
# | fewer than five layers | simple signals need few; more are harder to train | long reach needs depth |
# | a thousand samples | enough for a strong signal | a weak signal needs far more |
# | choose the model by the data | a model finds only what it can express | no limit; do it |
# | prefer the simpler model | fewer ways to go wrong, easier to explain | when it cannot express the signal |
#
# (A **kernel** is a short window of weights that a convolutional network slides along the sequence, to look
# for a motif anywhere. You will slide the first one yourself in lesson 02.)

# %% [markdown] tags=["seed:004-kernel-width", "seed:004-input-length", "M23"]
# ### Kernels under 20, inputs under 2,000
#
# The consensus of CTCF's core motif is written out below (JASPAR 2022, MA0139.1). An extended form with a
# second part upstream has 34 columns (MA1929.1). At the other end of the scale is the limb enhancer of the
# gene *SHH*, called ZRS: it lies about one million letters from the promoter that it controls, and changes of
# single letters in it give people extra fingers (Lettice et al. 2003). Let us put all this on one ruler.

# %% tags=["seed:004-kernel-width", "seed:004-input-length", "M23"]
lengths = {
    "CTCF core motif": len("TGGCCACCAGGGGGCGCTA"),
    "CTCF extended motif": 34,
    "one of our peaks": len(peaks[0]),
    "Basset reads": 600,
    "DeepSEA reads": 1_000,
    "Basenji reads": 2**17,
    "ZRS to SHH": 1_000_000,
}
figure, axes = plt.subplots(figsize=(8, 3.2))
for row, (name, length) in enumerate(lengths.items()):
    axes.plot([1, length], [row, row], color="#0072B2", linewidth=6)
    axes.text(length * 1.25, row, f"{length:,}", va="center", backgroundcolor="white")
for rule, words in [(20, "kernel rule: 20"), (2_000, "input rule: 2,000")]:
    axes.axvline(rule, color="#D55E00", linestyle="--", zorder=0)
    axes.text(rule, -0.9, words, ha="center", va="bottom")
axes.set(xscale="log", xlim=(1, 2e7), xlabel="letters (each step is ten times the last)")
axes.set_yticks(range(len(lengths)), lengths)
axes.set_ylim(len(lengths) - 0.5, -1)
print("\n".join(f"{name:20}{length:>10,}" for name, length in lengths.items()))
all_lengths = "; ".join(f"{name} {length:,}" for name, length in lengths.items())
picture_of(figure, f"Lengths on a logarithmic ruler, the rules at 20 and 2,000 marked: {all_lengths}.")

# %% [markdown] tags=["M23"]
# The core motif fits under the kernel rule by one letter, the extended one does not fit. But a kernel need
# not be as long as the motif, because a second layer sees several neighbouring outputs of the first: three
# stacked layers of width 7 see 7 + 6 + 6 = 19 letters together. ZRS lies 500 times as far away as the input
# rule reaches. **Two thousand letters are enough for what acts within two thousand letters.**

# %% [markdown] tags=["seed:004-five-layers", "M23"]
# ### Fewer than five layers
#
# How many layers are needed for one position to feel a letter far away on its right or left? With plain
# layers of width 3, each adds one letter on either side. There is a trick, called dilation and built in
# lesson 09, by which every layer reaches twice as far as the last.

# %% tags=["seed:004-five-layers", "M23"]
print("window seen    plain layers    layers that double")
for window in (19, 2_000, 2**17, 2_000_000):
    plain, doubling = 0, 0
    while 1 + 2 * plain < window:  # each plain layer adds one letter on both sides
        plain += 1
    while 1 + 2 * (2**doubling - 1) < window:  # 1, 2, 4, 8, ... letters on both sides
        doubling += 1
    print(f"{window:11,}{plain:16,}{doubling:22}")

# %% [markdown] tags=["M23"]
# For a motif a few layers are plenty: four that double, or three with kernels of width 7, as we saw. For a
# distant enhancer five layers are not nearly enough, not even with the trick. (In a window of two million
# letters with *SHH* in the middle, ZRS lies at one end.) **Depth is a question of reach.**

# %% [markdown] tags=["seed:004-millions-of-parameters", "M23"]
# ### "Even five layers hold millions of parameters"
#
# Do they? Count. Here is Basset, in PyTorch, with its published layers: three convolutions, two hidden layers
# that connect everything with everything, and the output for 164 cell types. You need not understand the
# lines yet. See that a famous network fits on half a screen.

# %% tags=["seed:004-millions-of-parameters", "M23"]
basset = nn.Sequential(
    nn.Conv1d(4, 300, 19), nn.ReLU(), nn.MaxPool1d(3),
    nn.Conv1d(300, 200, 11), nn.ReLU(), nn.MaxPool1d(4),
    nn.Conv1d(200, 200, 7), nn.ReLU(), nn.MaxPool1d(4),
    nn.Flatten(),
    nn.Linear(2000, 1000), nn.ReLU(),
    nn.Linear(1000, 1000), nn.ReLU(),
    nn.Linear(1000, 164),
)
narrow = nn.Sequential(
    nn.Conv1d(4, 16, 7), nn.ReLU(),
    nn.Conv1d(16, 16, 7), nn.ReLU(),
    nn.Conv1d(16, 16, 7), nn.ReLU(),
    nn.Conv1d(16, 16, 7), nn.ReLU(),
    nn.Conv1d(16, 16, 7), nn.ReLU(),
    nn.AdaptiveMaxPool1d(1), nn.Flatten(), nn.Linear(16, 1),
)


def count_parameters(network):
    return sum(array.numel() for array in network.parameters())


print(f"Basset, five hidden layers:            {count_parameters(basset):>9,} parameters")
print(f"a narrow net, five hidden layers:      {count_parameters(narrow):>9,} parameters")

# %% [markdown] tags=["M23"]
# Both have five hidden layers. The number of layers does not fix the number of parameters; their width does,
# and most of all the layers that connect everything with everything. The network of lessons 09 and 10 is
# deeper than both, and has no such layers. Its description is a short list, and so is the count:

# %% tags=["seed:004-millions-of-parameters", "M23"]
inputs, total, layers = 4, 0, 0
for filters, width in [(48, 21), (60, 7), (76, 7), (96, 7)]:  # four layers that shorten the sequence
    total += inputs * 2 * filters * width + 2 * filters + 2 * filters  # weights, offsets, gains
    inputs, layers = filters, layers + 1
for _ in range(7):  # seven layers that reach further and further, each reading all before it
    total += inputs * 2 * 24 * 3 + 2 * 24 + 2 * 24
    inputs, layers = inputs + 24, layers + 1
total += inputs * 10 + 10  # the output: ten tracks
print(f"the network of lessons 09 and 10: {layers} convolution layers, {total:,} parameters")
print(f"Basset has {count_parameters(basset) / total:.0f} times as many")

# %% [markdown] tags=["M23"]
# More than twice the layers, and far fewer parameters. It reads 131,072 letters at once. (Why twice the
# filters, what gains are, and how much of these letters one prediction can really use: lesson 09.)

# %% [markdown] tags=["seed:004-thousands-of-samples", "seed:002-how-many-examples"]
# ### A thousand samples
#
# How many examples does it take? One overview says about a thousand, another says thousands at the very least
# and better tens of thousands; the photographs of the ImageNet challenge that made deep learning famous were
# 1.4 million (Russakovsky et al. 2015). They cannot all be right, unless the answer depends on the question.
# So let us measure.
#
# We simulate sequences of 20 letters. Half of them, the positives, carry the word `CCGGAA`, of which each
# letter is kept with a certain probability and is otherwise random. Three problems:
#
# - **strong**: at positions 7 to 12 (counting from 0), each letter kept with probability 0.9;
# - **weak**: at the same place, each letter kept with probability 0.15;
# - **moving**: kept with probability 0.9, but the word may start anywhere.
#
# Since we made the data ourselves, we know the **ceiling**, the accuracy that no model can pass.

# %% tags=["seed:004-thousands-of-samples"]
WORD = np.array(["ACGT".index(base) for base in "CCGGAA"])


def simulate(rng, count, kept, moving):
    """Letters (count, 20) as numbers from 0 to 3, and labels; every second sequence is a positive."""
    letters = rng.integers(0, 4, (count, 20))
    labels = np.arange(count) % 2
    for row in np.flatnonzero(labels):
        start = rng.integers(0, 15) if moving else 7
        written = rng.random(6) < kept
        letters[row, start : start + 6][written] = WORD[written]
    return letters, labels


def as_table(letters):
    """Samples x 80 variables: for each of the 20 places, which of the 4 letters is there (0 or 1)."""
    return np.eye(4)[letters].reshape(len(letters), 80)


letters, labels_of_letters = simulate(np.random.default_rng(0), 4, kept=0.9, moving=False)
for row, label in zip(letters, labels_of_letters):
    print("".join("ACGT"[number] for number in row), "positive" if label else "negative")

# %% [markdown]
# You need not follow the next cell in detail. The best possible rule is to compare how likely the letters are
# under "positive" and under "negative", which only somebody who knows the generator can do. It gives the
# ceilings.

# %%
def ceiling(kept, moving):
    """Accuracy of the best rule on 20,000 fresh sequences, by someone who knows how they were made."""
    letters, labels = simulate(np.random.default_rng(1), 20_000, kept, moving)
    match = kept + (1 - kept) / 4  # probability that a letter of the word is as written
    ratios = []
    for start in range(15) if moving else [7]:
        matches = (letters[:, start : start + 6] == WORD).sum(axis=1)
        ratios.append((match / 0.25) ** matches * ((1 - match) / 0.75) ** (6 - matches))
    return np.mean((np.mean(ratios, axis=0) > 1) == labels)


problems = {"strong": (0.9, False), "weak": (0.15, False), "moving": (0.9, True)}
ceilings = {name: ceiling(*problem) for name, problem in problems.items()}
print({name: f"{best:.2f}" for name, best in ceilings.items()})

# %% [markdown]
# > **Predict first.** We train logistic regression on 100 to 10,000 examples of each problem. For which of
# > the three will 100 be enough? For which will 10,000 not be enough?

# %% tags=["seed:004-thousands-of-samples"]
counts = [100, 300, 1_000, 3_000, 10_000]
curves = {}
print(f"{'examples':9}" + "".join(f"{count:>8,}" for count in counts) + "   ceiling")
for name, problem in problems.items():
    test_letters, test_labels = simulate(np.random.default_rng(2), 20_000, *problem)
    curves[name] = []
    for count in counts:
        accuracies = []
        for repeat in range(3):  # three training sets of each size, to even out luck
            train_letters, train_labels = simulate(np.random.default_rng(10 + repeat), count, *problem)
            model = LogisticRegression(solver="newton-cholesky")
            model.fit(as_table(train_letters), train_labels)
            accuracies.append(model.score(as_table(test_letters), test_labels))
        curves[name].append(np.mean(accuracies))
    print(f"{name:9}" + "".join(f"{a:8.2f}" for a in curves[name]) + f"{ceilings[name]:10.2f}")

# %% tags=["seed:004-thousands-of-samples", "seed:004-choose-by-data", "seed:004-simpler-model"]
figure, axes = plt.subplots(figsize=(7, 3.6))
for (name, curve), marker in zip(curves.items(), "os^"):
    (line,) = axes.semilogx(counts, curve, marker + "-", label=name)
    axes.axhline(ceilings[name], color=line.get_color(), linestyle=":")
    axes.text(13_000, ceilings[name], f"ceiling: {name}", va="center", color=line.get_color())
axes.set(xlabel="training examples", ylabel="accuracy", ylim=(0.48, 1.02))
axes.legend(loc="center left", bbox_to_anchor=(0, 0.72), ncols=3)
in_words = [
    f"{name} from {curve[0]:.2f} to {curve[-1]:.2f}, ceiling {ceilings[name]:.2f}"
    for name, curve in curves.items()
]
picture_of(figure, "Accuracy against the number of training examples: " + "; ".join(in_words) + ".")

# %% [markdown] tags=["seed:004-choose-by-data", "seed:004-simpler-model"]
# Three problems, three answers:
#
# - *Strong*: a hundred examples take the model nearly to the ceiling. A thousand are plenty, and no network
#   is needed. **Prefer the simpler model**: here nothing is left for a larger one to gain.
# - *Weak*: a hundred are hardly better than guessing, and the thousand of the rule are not enough. It takes
#   ten thousand to come near. **The number of examples depends on the strength of the signal.**
# - *Moving*: even 10,000 examples do not help. The curve levels off far below its ceiling, because logistic
#   regression has a separate weight for every place and cannot say "this word, wherever it stands". **Choose
#   the model by the data**: what is missing is not data but a kernel that slides. Lesson 04 builds it.

# %% [markdown]
# ## Common mistakes
#
# | you may read | what you saw |
# |---|---|
# | "training learns the hyperparameters" | training found 65 parameters in every row; given the choice, it would take the loosest `C`. The validation set chooses (section 4) |
# | "with unequal classes, trust recall" | *always yes* has recall 1.00 and precision 0.01 (section 6) |
# | "fewer than five layers and 2,000 letters are enough" | for what acts within that reach; not for ZRS (section 7) |
#
# Three more, which nobody writes down and many make: using the test set twice; splitting at random where
# neighbours resemble each other; quoting accuracy without saying how common the larger class is.

# %% [markdown] tags=["seed:004-frameworks", "seed:004-courses", "seed:002-learn-by-reading"]
# ## Tools and courses
#
# Networks are written with a **framework**, which does the derivatives and talks to the GPU. The three best
# known are [PyTorch](https://pytorch.org), [TensorFlow](https://www.tensorflow.org), and
# [Keras](https://keras.io), which today runs on top of either. These lessons use PyTorch, because its
# training loop is in plain sight. What you learn carries over.
#
# To go deeper into neural networks themselves:
#
# - [fast.ai](https://www.fast.ai): a free course that starts with working programs and digs down from there;
# - [Deep Learning Specialization](https://www.coursera.org/specializations/deep-learning) on Coursera: from
#   the mathematics up;
# - Michael Nielsen, [*Neural Networks and Deep Learning*](http://neuralnetworksanddeeplearning.com) (2015): a
#   free book that starts from nothing;
# - other people's code on [GitHub](https://github.com) and [Kaggle](https://www.kaggle.com): read it, run it,
#   change it. It is how most of us learned.

# %% [markdown]
# ## A map of the lessons
#
# Read down the first column, then the second, then the third. A box says whether its lesson is here or still
# to come.

# %%
lessons = {
    "00": "Start here",
    "01": "One-hot encoding",
    "02": "PFM, PPM, PWM\nand scanning",
    "03": "Simulating sequences",
    "04": "CNN classifier",
    "05": "Evaluation\nand thresholds",
    "06": "Transcription factor\nbinding",
    "07": "Interpreting networks",
    "08": "Network families",
    "09": "Dilated convolutions",
    "10": "Basenji",
}
state = {number: "here" if number in ("00", "01") else "coming" for number in lessons}
places = {number: divmod(place, 4) for place, number in enumerate(lessons)}  # column, row
in_words = [f"{n} {title} ({state[n]})".replace("\n", " ") for n, title in lessons.items()]
boxes_picture(
    {n: (*places[n], f"{n}\n{title}\n({state[n]})") for n, title in lessons.items()},
    arrows=list(zip(list(lessons), list(lessons)[1:])),
    alt="Map of the lessons, each leading to the next: " + "; ".join(in_words) + ".",
    box=(170, 72),
    gap=(60, 24),
    colours={n: "#d7ecdf" if state[n] == "here" else "#f2f2f2" for n in lessons},
)

# %% [markdown]
# The first column is about sequences and numbers. In the second a network appears; it is trained, judged,
# tried on real data, and asked what it has learned. The third goes further, to other kinds of network and to
# very long sequences.

# %% [markdown]
# ## Recap
#
# - A **sequence-to-function** model predicts a molecular phenotype from letters. Data are a table of
#   **samples × variables**; with labels, learning is **supervised**.
# - **Training** finds parameters, **validation** chooses hyperparameters, the **test** set is opened once.
#   Hold out whole chromosomes.
# - A **hidden layer** makes new variables in which the problem becomes easy.
# - With rare positives, accuracy and recall can each be had for nothing. Report **precision and recall, and
#   MCC or AUPRC**.
# - Rules of thumb end where their reason ends: **reach** decides depth and input length, the **strength of
#   the signal** decides how many examples.
#
# **Next:** [01 · One-hot encoding](01_one_hot_encoding.ipynb), where every letter becomes a variable.

# %% [markdown] tags=["seed:004-references", "seed:004-named-models"]
# ## Further reading
#
# *Overviews*
#
# - Eraslan G, Avsec Ž, Gagneur J, Theis FJ. Deep learning: new computational modelling techniques for
#   genomics. *Nature Reviews Genetics* 20, 389–403 (2019).
# - Zou J, Huss M, Abid A, Mohammadi P, Torkamani A, Telenti A. A primer on deep learning in genomics. *Nature
#   Genetics* 51, 12–18 (2019).
# - Esteva A, Robicquet A, Ramsundar B, et al. A guide to deep learning in healthcare. *Nature Medicine* 25,
#   24–29 (2019).
#
# *The five models*
#
# - Alipanahi B, Delong A, Weirauch MT, Frey BJ. Predicting the sequence specificities of DNA- and RNA-binding
#   proteins by deep learning. *Nature Biotechnology* 33, 831–838 (2015).
# - Zhou J, Troyanskaya OG. Predicting effects of noncoding variants with deep learning–based sequence model.
#   *Nature Methods* 12, 931–934 (2015).
# - Kelley DR, Snoek J, Rinn JL. Basset: learning the regulatory code of the accessible genome with deep
#   convolutional neural networks. *Genome Research* 26, 990–999 (2016).
# - Angermueller C, Lee HJ, Reik W, Stegle O. DeepCpG: accurate prediction of single-cell DNA methylation
#   states using deep learning. *Genome Biology* 18, 67 (2017).
# - Kelley DR, Reshef YA, Bileschi M, Belanger D, McLean CY, Snoek J. Sequential regulatory activity
#   prediction across chromosomes with convolutional neural networks. *Genome Research* 28, 739–750 (2018).
#
# *Measures, motifs, enhancers, data*
#
# - Chicco D, Jurman G. The advantages of the Matthews correlation coefficient (MCC) over F1 score and
#   accuracy in binary classification evaluation. *BMC Genomics* 21, 6 (2020).
# - Saito T, Rehmsmeier M. The precision-recall plot is more informative than the ROC plot when evaluating
#   binary classifiers on imbalanced datasets. *PLoS ONE* 10, e0118432 (2015).
# - Castro-Mondragon JA, Riudavets-Puig R, Rauluseviciute I, et al. JASPAR 2022: the 9th release of the
#   open-access database of transcription factor binding profiles. *Nucleic Acids Research* 50, D165–D173
#   (2022).
# - Lettice LA, Heaney SJH, Purdie LA, et al. A long-range *Shh* enhancer regulates expression in the
#   developing limb and fin and is associated with preaxial polydactyly. *Human Molecular Genetics* 12,
#   1725–1735 (2003).
# - Russakovsky O, Deng J, Su H, et al. ImageNet large scale visual recognition challenge. *International
#   Journal of Computer Vision* 115, 211–252 (2015).
