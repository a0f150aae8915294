# %% [markdown]
# {{ header }}

# %% [markdown]
# ## Why this matters
#
# A genome is easy to read and hard to understand. We can sequence three billion letters in a day, and still
# not say from the letters alone where a protein will bind, or what one changed letter will do. Deep learning
# finds such rules in data, where there are too many to write down by hand. It is also a very good way to fool
# yourself, and you will see how. This lesson gives you the few ideas and habits on which the others rest.

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
# *Shift + Enter*: it runs, and its result appears below it. Run the cells from top to bottom. If you lose
# your way, choose *Restart Kernel and Run All Cells* in the menu *Kernel*. You cannot break anything.
#
# - `make lab`, in the folder of this collection, opens JupyterLab, the editor of notebooks, in your web
#   browser. If none opens, copy the line that starts with `http://127.0.0.1` from the terminal into one; the
#   `token` in it is your key. You work on copies in the folder `my_lessons`; what you write stays yours.
# - With conda, or on Windows without `make`: see the README.
# - An *Open in Colab* badge, where the page has one, runs the lesson on a computer of Google's. Save a copy in
#   your Drive, or your answers are gone tomorrow.
#
# An exercise has a cell in which you write, a cell that checks your answer and tells you what went wrong, and
# a hint and a solution, closed until you open them. ●○○ needs a line or two, ●●● some thought. At *Predict
# first*, stop and guess before you run the next cell.
#
# The first cell with code is the **set-up cell**. It installs the helper package `course_utils` where it is
# missing, and says which versions are at work.

# %% tags=["set-up", "nbval-ignore-output"] reason="prints the versions of this machine"
# {{ set-up }}

# %% [markdown]
# Next come all the imports. Where `numpy`, the package for tables of numbers, does something surprising, a
# comment will say what.

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
from course_utils.motifs import read_motifs
from course_utils.notebook import Finding, check_environment, explain_environment
from course_utils.plotting import boxes_picture, picture_of
from course_utils.sequences import read_fasta

# %% [markdown]
# Is everything there that the lessons need? And what would you read if one package were too old?

# %%
print(explain_environment(check_environment()))

too_old = Finding("h5py", needed=">=3.10,<4", found="2.10.0", fits=False)  # pretended
advice = explain_environment([too_old]).splitlines()
print("\nOtherwise, for example:")
print(advice[0])
print(advice[1])

# %% [markdown] tags=["seed:002-genotype-phenotype"]
# ## 1 · From sequence to function
#
# A classical geneticist relates **genotype**, the letters, to **phenotype**, what comes of them: this allele,
# that eye colour. Between the two lies a long chain of events. We look at its first link only, at a
# **molecular phenotype**: something measured in the cell, close to the DNA. Is this stretch bound by a
# protein? How much RNA starts here?
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
# Five models of this kind you will meet again and again in papers:
#
# | model | reads | predicts |
# |---|---|---|
# | DeepBind (Alipanahi and colleagues, 2015) | a short piece of DNA or RNA | does this protein bind it? |
# | DeepSEA (Zhou and Troyanskaya, 2015) | 1,000 letters | proteins bound, histone marks, open chromatin |
# | Basset (Kelley and colleagues, 2016) | 600 letters | is it open, in each of 164 cell types? |
# | DeepCpG (Angermueller and colleagues, 2017) | the DNA around a CpG (a C followed by a G), and its neighbours' methylation | is it methylated in this cell? |
# | Basenji (Kelley and colleagues, 2018) | 131,072 letters | whole tracks of activity along them |

# %% [markdown] tags=["seed:002-samples-variables"]
# ## 2 · Samples × variables
#
# Statistics and machine learning put data into a table: each row is a **sample**, each column a
# **variable**. Let us make one from real data. The file holds 200 stretches of human DNA (version hg19 of the
# genome) where an experiment called ChIP-seq found the protein **CTCF**, which helps to fold the genome. Such a stretch is a
# **peak**. Peaks differ in length; these were cut to a **window**, a stretch of one fixed length, of 100
# letters. `data/README.md` says where they come from.

# %%
records = read_fasta(shipped("ctcf_peaks_200.fa"))
for record in records[:3]:
    print(record.name, record.sequence[:50] + "...")
print(f"{len(records)} records; lengths: {sorted({len(record.sequence) for record in records})}")

# %% [markdown]
# Lower-case letters mark repeats and are bases like the others, so we turn everything into upper case. As
# variables we take the share of each base. The table has the shape `(200, 4)`: 200 samples, 4 variables.

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
# Four variables keep little of a sequence: `AACC` and `CACA` get the same row. In lesson 01 every letter gets
# variables of its own, and nothing is lost.

# %% [markdown] tags=["exercise:gc_content"]
# ### Exercise 1 · One variable: GC content
# ●○○ · 5 minutes · why it matters: a model will gladly learn GC content in place of what you meant.
#
# Write a function that takes a list of sequences and gives back an array with one number for each: the
# fraction of its letters that are G or C. Lower-case letters count as well.

# %% tags=["exercise:gc_content"]
def gc_content(sequences):
    """The fraction of G and C in each sequence.

    sequences: a list of N strings of the letters A, C, G, T, a, c, g, t; lengths may differ.
    Returns: an array of shape (N,) with fractions from 0 to 1, not rounded;
        for ["GGCC", "ATat"] it is [1, 0].
    """
    ...

# %% tags=["exercise:gc_content"]
check.gc_content(gc_content)

# %% [markdown] tags=["exercise:gc_content"]
# <details><summary>Hint</summary>
#
# A string has the methods `upper()` and `count("G")`; a list becomes an array with `np.array(...)`.
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
# **Unsupervised learning** gets the table alone, without labels, and looks for patterns in it. **Supervised
# learning** gets the table *and* a label for each row, and learns to predict the label.
#
# Unsupervised first. We count in each peak how often each of the 16 two-letter words occurs, from `AA` to
# `TT`. Then **principal component analysis** (PCA) looks for the directions through these 16 variables along
# which the peaks differ most. Nobody tells it what they should mean. We take the first two.

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
likeness = np.corrcoef(found[:, 0], gc)[0, 1]  # a 2 x 2 table of correlations; we need one of them
found[:, 0] *= np.sign(likeness)  # turn the first column round if GC would grow to the left

figure, axes = plt.subplots(figsize=(6, 3.4))
dots = axes.scatter(found[:, 0], found[:, 1], c=gc, cmap="cividis", s=18, edgecolors="#5c5c5c", linewidths=0.4)
figure.colorbar(dots, label="GC content")
axes.set(xlabel="first direction found", ylabel="second direction found")
print(f"correlation of the first direction with GC content: {abs(likeness):.2f}")
picture_of(
    figure,
    f"Scatter plot of the 200 peaks along the two directions that PCA found. GC content grows from "
    f"left to right: its correlation with the first direction is {abs(likeness):.2f}.",
)

# %% [markdown]
# Without any label PCA has found what a biologist would call GC content. That is the strength of unsupervised
# learning and its limit: it finds what *varies* most, whether you care for it or not. If the question is
# "does CTCF bind here?", we must show the model examples of both answers. Most of this collection does.

# %% [markdown] tags=["seed:004-three-sets", "M20"]
# ## 4 · Three sets for three jobs
#
# The peaks are our **positives**: sequences of the kind that we look for. We also need **negatives**: sequences
# that CTCF does not bind. For now we shuffle the letters of each peak, so that counting single letters cannot
# give it away. This is weak: it destroys not only CTCF's **motif**, the pattern of letters that it recognises,
# but all else that is natural, such as repeats. Lessons 03 and 06 do better.
#
# A model can learn its examples by heart and know nothing else. So we divide the data *before* we begin:
#
# | set | its job | who looks at it |
# |---|---|---|
# | **training set** | finds the **parameters**: the numbers inside the model | the training procedure, all the time |
# | **validation set** | chooses the **hyperparameters**: what we decide *about* the model | you, when you compare settings |
# | **test set** | says how good the chosen model is on data that played no part in any choice | you, *once*, at the end |
#
# These lessons grew out of five lectures and articles: two Korean, one Japanese, one Chinese, and a student's
# report from Taiwan. Their mistakes are numbered, and each is corrected where it belongs. The three of this
# lesson come from the Chinese one, an overview of deep learning for omics posted by the bioinformatics group
# 生信菜鸟团. The first of them, M20, says that training learns the hyperparameters. You will see below why it
# cannot.
#
# How to divide? Neighbouring stretches of a genome resemble each other, and some overlap. A random split puts
# one neighbour into the training set and the other into the test set, where it is no longer news. So in
# genomics whole chromosomes are *held out*: kept away from training. This *leak*, as it is called, gets
# smaller, though genes that were copied from one chromosome to another still pass through it.

# %% [markdown] tags=["exercise:split_by_chromosome"]
# ### Exercise 2 · Hold out chromosomes
# ●●○ · 8 minutes · why it matters: a leak between the sets is a common reason why a fine result does not last.
#
# The records are named like `chr8:100-200`. Write a function that marks the records of certain chromosomes.
# You can read on without it; the lesson uses its own split.

# %% tags=["exercise:split_by_chromosome"]
def split_by_chromosome(names, held_out):
    """Mark the records that lie on held-out chromosomes.

    names: a list of N record names such as "chr8:100-200".
    held_out: a list of chromosome names such as ["chr1", "chr8"].
    Returns: a boolean array of shape (N,), that is, of True and False: True where the record lies
        on one of these chromosomes; for ["chr1:1-9", "chr7:1-9"] and ["chr1"] it is [True, False].
    """
    ...

# %% tags=["exercise:split_by_chromosome"]
check.split_by_chromosome(split_by_chromosome)

# %% [markdown] tags=["exercise:split_by_chromosome"]
# <details><summary>Hint</summary>
#
# `"chr8:100-200".split(":")` gives a list of two strings.
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

in_validation = np.isin(chromosomes, ["chr2", "chr11", "chr19"])  # True where it is one of these
in_test = np.isin(chromosomes, ["chr1", "chr8", "chr9", "chr17"])
in_training = ~(in_validation | in_test)  # ~ is "not", | is "or", for whole arrays
sets = {"training": in_training, "validation": in_validation, "test": in_test}
for name, members in sets.items():
    print(f"{name:11}{members.sum():4} samples on {len(set(chromosomes[members]))} chromosomes")

# %% [markdown]
# Our model is **logistic regression**: it multiplies the count of each of the 64 words by a number, the
# word's *weight*, adds up, and says "peak" if the sum is large enough. The 64 weights and one constant, the
# *bias*, are its parameters; training finds them. How large the weights may grow is decided beforehand, by a
# hyperparameter that scikit-learn calls `C`: a small `C` holds them near 0, a large `C` lets them go.
#
# > **Predict first.** We train the same model with six values of `C`. Which will fit the *training* set best?
# > And which the *validation* set?

# %% tags=["M20"]
settings = [0.0001, 0.001, 0.01, 0.1, 1, 10]
models, training_scores, validation_scores = [], [], []
print("       C   parameters   training   validation      (accuracy: share of right answers)")
for C in settings:
    model = LogisticRegression(C=C, solver="newton-cholesky")  # a fast solver for small tables
    model.fit(table[in_training], labels[in_training])  # the rows marked True; parameters are found
    parameters = model.coef_.size + model.intercept_.size
    models.append(model)
    training_scores.append(model.score(table[in_training], labels[in_training]))
    validation_scores.append(model.score(table[in_validation], labels[in_validation]))
    print(f"{C:8} {parameters:12} {training_scores[-1]:10.2f} {validation_scores[-1]:12.2f}")

# %% tags=["M20"]
figure, axes = plt.subplots(figsize=(6, 3))
axes.semilogx(settings, training_scores, "o-", label="training")
axes.semilogx(settings, validation_scores, "s--", label="validation")
axes.set(xlabel="hyperparameter C (free to the right)", ylabel="accuracy", ylim=(0.7, 1.02))
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
# would take the largest: nothing fits the training set better than freedom to learn it by heart. That is
# **over-fitting**, and only data that were *not* trained on can show it. So training learns the parameters,
# and validation chooses the hyperparameters.
#
# Now the validation set has taken part in a choice, and the best of six results tends to be a little too kind.
# For an honest number we open the test set, once.

# %% tags=["M20"]
chosen = models[int(np.argmax(validation_scores))]
accuracy = chosen.score(table[in_test], labels[in_test])
margin = 2 * np.sqrt(accuracy * (1 - accuracy) / in_test.sum())  # the luck of a small set: lesson 05
print(f"chosen by validation: C = {validation_likes}")
print(f"test accuracy {accuracy:.2f}, give or take {margin:.2f} with {in_test.sum()} test samples")

# %% [markdown]
# Here the test accuracy is *higher* than that of validation: with about a hundred samples in a set, luck
# outweighs that kindness. (The margin is a rough one, since a peak and its shuffle are not independent.) And
# mind what was tested: "not shuffled", which is not yet "CTCF binds".

# %% [markdown] tags=["seed:004-representation-learning"]
# ## 5 · What "deep" means: learning the representation
#
# Logistic regression adds up its variables. Some questions cannot be answered by adding. Imagine a gene with
# two binding sites, A and B, that is expressed when exactly *one* of them is occupied. We simulate 200 cells
# and measure how full each site is.

# %%
rng = np.random.default_rng(0)
corners = np.repeat([[0, 0], [0, 1], [1, 0], [1, 1]], 50, axis=0)  # (A, B): empty or occupied
expressed = np.repeat([0, 1, 1, 0], 50)
sites = corners + rng.normal(0, 0.12, size=(200, 2))  # samples x variables
fresh_sites = corners + rng.normal(0, 0.12, size=(200, 2))  # 200 more cells, kept for later


def best_line(points, labels):
    """The best accuracy of a straight line: 180 directions are tried, and every place to cut."""
    best = 0
    for angle in np.deg2rad(np.arange(180)):
        along = points @ np.array([np.cos(angle), np.sin(angle)])  # how far along this direction
        for cut in along:
            right = np.mean((along > cut) == labels)
            best = max(best, right, 1 - right)  # either side may be "expressed"
    return best


before = best_line(sites, expressed)
print(f"best straight line through the raw variables: accuracy {before:.2f}")

# %% [markdown]
# A **neural network** first makes new variables out of the old ones, and then draws its line through those.
# One step of this kind is a **layer**: multiply by weights, add a bias, and bend the result with a fixed
# curve (here `tanh`). A layer between input and output is a **hidden layer**. Training finds the weights of
# all layers together. Here is the smallest network for the job: one hidden layer with two new variables.

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
weights, bias = network.coefs_[0], network.intercepts_[0]  # (2, 2) and (2,)
hidden = np.tanh(sites @ weights + bias)  # (200, 2): the layer at work; @ multiplies and adds up

sizes = [array.size for array in network.coefs_ + network.intercepts_]  # weights, then biases
print(f"parameters: {' + '.join(map(str, sizes))} = {sum(sizes)}")
for cells, words in [(sites, "cells it was trained on"), (fresh_sites, "fresh cells")]:
    print(f"right for {np.sum(network.predict(cells) == expressed)} of 200 {words}")

# %% [markdown]
# Here are the training cells before and after the hidden layer.

# %% tags=["seed:004-representation-learning"]
figure, panels = plt.subplots(1, 2, figsize=(8.5, 3.4), layout="constrained")
for axes, points, title in zip(panels, (sites, hidden), ("raw variables", "hidden variables")):
    for value, marker, word in [(0, "o", "silent"), (1, "^", "expressed")]:
        x, y = points[expressed == value].T  # .T turns rows into columns: all x, all y
        axes.scatter(x, y, marker=marker, s=22, alpha=0.7, label=word)
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
    "of the cells. In the hidden variables one straight line separates expressed from silent cells.",
)

# %% [markdown]
# The network has not found a cleverer line. It has found a **representation** in which an ordinary line is
# enough. That is **representation learning**, and **deep learning** stacks many such layers: letters, then
# motifs, then arrangements of motifs. What used to be designed by hand, such as our word counts, is learned
# together with the rest.
#
# One warning: we chose a start (`random_state=4`) from which training succeeds. From about a third of the
# other starts it gets stuck, with three quarters of the cells right or fewer; try `random_state=1`. Larger
# networks get stuck less often.

# %% [markdown] tags=["seed:004-99-to-1", "M21"]
# ## 6 · 99 percent right and worth nothing
#
# Most windows of a genome are *not* bound by a given protein. Take 10,000, of which 100 are bound: 99 to 1.
# "Nothing is bound" is then 99 percent right and finds nothing, like "all are women" in a room with 99 women
# and a man.
#
# A model gives each window a **score**, and *calls* it bound if the score is above a **threshold**. A call is
# a **true positive** if the window is bound and a **false positive** (a type I error) if not. A bound window
# that is not called is a **false negative** (a type II error), an unbound one that is not called a **true
# negative**. From these four counts come
#
# - **accuracy**: the share of all answers that are right;
# - **recall** (or sensitivity): the share of the bound windows that are found;
# - **precision**: the share of the calls that are right;
# - **MCC**, the Matthews correlation coefficient: the correlation of calls and truth, from -1 through 0
#   (guessing) to 1.
#
# **AUPRC** needs no threshold: it says how well the scores rank bound windows above the others. (It is the
# area under a curve that lesson 05 draws: precision against recall, for all thresholds.) A model that knows
# nothing gets the share of positives, here 0.01. If nothing is called, precision and MCC are 0 divided by 0;
# by convention we write 0.
#
# The overview's advice for unequal classes is to trust recall (M21). Let us see.
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
# *Always no* has the best accuracy. *Always yes* has the best recall, since whoever calls everything misses
# nothing. So either measure alone can be had for nothing. MCC and AUPRC are not taken in: they give about 0
# and about 0.01 to every model that knows nothing. (The coin's recall is 0.56 by luck: only 100
# windows are bound.)
#
# But how can the good model have an AUPRC of 0.77 when most of its calls are false? Its scores are good, and
# 0.5 is a poor threshold for them. With 99 unbound windows for each bound one, even a small share of false
# calls outnumbers the true ones. Try a higher threshold.

# %% tags=["M21"]
calls = (scores_of["a good model"] > 0.8).astype(int)
print(
    f"above 0.8: recall {recall_score(bound, calls):.2f}, "
    f"precision {precision_score(bound, calls):.2f}, MCC {matthews_corrcoef(bound, calls):.2f}"
)

# %% [markdown] tags=["M21"]
# A little recall has bought much precision. (The threshold is a hyperparameter too: choose it on validation
# data.) Report precision and recall together, with MCC or AUPRC beside them, and say how rare the positives
# are (Chicco and Jurman, 2020; Saito and Rehmsmeier, 2015).

# %% [markdown]
# ### Explore: how rare is rare?
#
# The sliders set how many windows in 1,000 are bound, which share of these the model finds (its recall), and which
# share of the *others* it calls (its **false-positive rate**). The squares show how many windows land in each cell of
# the **confusion matrix**, whose rows are the truth.
#
# Leave the model as it is and move only the first slider from 500 down to 1. What happens to accuracy? To
# recall? To precision? Then find the false-positive rate at which half of the calls are true when 10 windows
# in 1,000 are bound.
#
# <details><summary>Answers</summary>
#
# Recall stays, accuracy climbs a little, precision falls from 0.95 to 0.02. Half of the calls are true at a
# false-positive rate of about 0.9 percent: 900 bound windows are found, and 0.9 percent of the 99,000 others
# are about 900 false calls.
#
# </details>

# %% tags=["explorer"]
imbalance_explorer()

# %% [markdown] tags=["exercise:metrics"]
# ### Exercise 3 · Four measures from four counts
# ●●○ · 10 minutes · why it matters: many papers print the counts and leave out the measure that hurts.
#
# Write a function that turns the four counts into a dictionary with the four measures. Where a measure is
# undefined because you would divide by 0, give `0.0`.
#
# $$\text{MCC} = \frac{TP \times TN - FP \times FN}{\sqrt{(TP+FP)(TP+FN)(TN+FP)(TN+FN)}}$$

# %% tags=["exercise:metrics"]
def metrics(tp, fp, fn, tn):
    """Accuracy, recall, precision and MCC from the counts of a confusion matrix.

    tp, fp, fn, tn: true positives, false positives, false negatives, true negatives; whole
        numbers, not all of them 0.
    Returns: a dictionary with the keys "accuracy", "recall", "precision" and "mcc"; the values
        are fractions (not percent, not rounded), and 0.0 where a measure is undefined; for
        1, 0, 0, 1 all four are 1.
    """
    ...

# %% tags=["exercise:metrics"]
check.metrics(metrics)

# %% [markdown] tags=["exercise:metrics"]
# <details><summary>Hint</summary>
#
# A small helper function for a careful division saves you from writing the same thing four times.
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
# The overview gives six rules of thumb. Each has a reason; where the reason ends, the rule ends. The first
# three are too narrow as they stand (M23). A **kernel**, from lesson 01 on called a *filter*, is a small table
# of weights that a network slides along the sequence, to look for a motif anywhere. You will slide the first
# one in lesson 01. A *promoter* is the stretch at which the RNA of a gene starts; an *enhancer* raises the
# activity of a gene from some distance.
#
# | you will hear | the reason | where it ends |
# |---|---|---|
# | kernels shorter than 20 letters | most binding motifs are shorter | long motifs; stacked layers |
# | inputs up to 2,000 letters | promoters and some enhancers are near the gene | other enhancers are far away |
# | fewer than five layers | simple signals need few; more are harder to train | long reach, narrow kernels |
# | a thousand samples | enough for a strong signal | a weak signal needs far more |
# | choose the model by the data | a model finds only what it can express | no limit; do it |
# | prefer the simpler model | fewer ways to go wrong, easier to explain | when it cannot express the signal |

# %% [markdown] tags=["seed:004-kernel-width", "seed:004-input-length", "M23"]
# ### Kernels under 20, inputs under 2,000
#
# The database JASPAR, of which lesson 02 uses more, has two motifs of CTCF: the core (MA0139.1) and an
# extended form (MA1929.2). At the other end of the scale is ZRS, the limb enhancer of the gene *SHH*, about
# one million letters from the promoter that it controls. Changes of single letters in it give people extra
# fingers (Lettice and colleagues, 2003). Here is all this on one ruler.

# %% tags=["seed:004-kernel-width", "seed:004-input-length", "M23"]
width = {motif.accession: len(motif.pfm) for motif in read_motifs(shipped("jaspar_motifs.txt"))}
lengths = {
    "CTCF core motif": width["MA0139.1"],
    "CTCF extended motif": width["MA1929.2"],
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
# The core motif fits under the kernel rule by one letter, the extended one does not. But a kernel need not be
# as long as the motif, because a second layer sees several neighbouring outputs of the first: three layers
# with kernels of 7 see 7 + 6 + 6 = 19 letters together. From ZRS to *SHH* it is 500 times as far as the input
# rule reaches. Two thousand letters are enough for what acts within two thousand letters.

# %% [markdown] tags=["seed:004-five-layers", "M23"]
# ### Fewer than five layers
#
# How many layers are needed for one position to feel a letter far away on its right or left? With plain
# kernels of 3, each layer adds one letter on either side. With *dilation*, a trick of lesson 09, every layer
# reaches twice as far as the last.

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
# For a motif four layers that double are plenty. For ZRS, at one end of a window of two million letters with
# *SHH* in the middle, five are not nearly enough. There are other ways to reach far: wide kernels, layers that
# connect everything with everything, and **pooling**, which shortens the sequence on the way. With narrow
# kernels and no pooling it is depth, the number of layers, that decides reach.

# %% [markdown] tags=["seed:004-millions-of-parameters", "M23"]
# ### "Even five layers hold millions of parameters"
#
# Do they? Here are five layers three times. Only the number of kernels in a layer differs.

# %% tags=["seed:004-millions-of-parameters", "M23"]
for kernels in (16, 100, 500):
    first = nn.Conv1d(4, kernels, 7)  # reads the four bases; its kernels are 7 letters long
    others = [nn.Conv1d(kernels, kernels, 7) for _ in range(4)]
    five = nn.Sequential(first, *others)  # one after the other
    parameters = sum(array.numel() for array in five.parameters())  # numel: how many numbers
    print(f"five layers with {kernels:3} kernels each: {parameters:>9,} parameters")

# %% [markdown] tags=["seed:004-millions-of-parameters", "M23"]
# What counts is not the number of layers but of kernels in them, and above all how many layers connect
# everything with everything. Basset has five hidden layers, two of them of that kind, and
# 4.1 million parameters (not counting its batch normalisation, which is for lesson 06). The network of lessons
# 09 and 10 has none of that kind: its 11 hidden layers, of which four shorten the sequence, read 131,072 letters
# with 388,154 parameters.

# %% [markdown] tags=["seed:004-thousands-of-samples", "seed:002-how-many-examples"]
# ### A thousand samples
#
# The overview says that a thousand examples will do; another of the five sources, thousands at least and
# better tens of thousands; the ImageNet challenge that made deep learning famous had 1.4 million photographs
# (Russakovsky and colleagues, 2015). Let us measure.
#
# We simulate sequences of 20 letters. Half of them, the positives, carry the word `CCGGAA`, of which each
# letter is kept with a certain probability and is otherwise random. Three problems:
#
# - *strong*: at positions 7 to 12 (counting from 0), each letter kept with probability 0.9;
# - *weak*: at the same place, each letter kept with probability 0.15;
# - *moving*: kept with probability 0.9, but the word may start anywhere.

# %% tags=["seed:004-thousands-of-samples"]
WORD = np.array(["ACGT".index(base) for base in "CCGGAA"])


def simulate(rng, count, kept, moving):
    """Letters (count, 20) as numbers from 0 to 3, and labels; every second sequence is a positive."""
    letters = rng.integers(0, 4, (count, 20))
    labels = np.arange(count) % 2
    for row in np.flatnonzero(labels):  # the rows whose label is not 0
        start = rng.integers(0, 15) if moving else 7
        written = rng.random(6) < kept  # which of the six letters are kept
        letters[row, start : start + 6][written] = WORD[written]
    return letters, labels


def by_place(letters):
    """Samples x 80 variables: for each of the 20 places, which of the 4 letters is there (0 or 1)."""
    return np.eye(4)[letters].reshape(len(letters), 80)  # row n of np.eye(4) has its 1 at place n


def by_word(letters):
    """Samples x 256 variables: how often each four-letter word occurs, wherever it stands."""
    return count_words(["".join("ACGT"[number] for number in row) for row in letters], 4)


letters, truth = simulate(np.random.default_rng(0), 4, kept=0.9, moving=False)
for row, label in zip(letters, truth):
    print("".join("ACGT"[number] for number in row), "positive" if label else "negative")

# %% [markdown]
# Since we made the data, we know the **ceiling**: the accuracy that no model can pass, because some negatives
# carry a good word by chance, and some positives have lost theirs. Lesson 03 shows how to compute it; the
# tests of this collection do so for the three ceilings below. The moving word gets two tables: letters by
# place, and counts of words.
#
# > **Predict first.** We train logistic regression on 100 to 10,000 examples of each. For which will 100 be
# > enough? For which will 10,000 not be enough?

# %% tags=["seed:004-thousands-of-samples"]
problems = {  # name: letters kept, moving?, the table, the ceiling
    "strong": (0.9, False, by_place, 0.978),
    "weak": (0.15, False, by_place, 0.619),
    "moving, by place": (0.9, True, by_place, 0.935),
    "moving, by word": (0.9, True, by_word, 0.935),
}
counts = [100, 300, 1_000, 3_000, 10_000]
curves = {}
print(f"{'examples':17}" + "".join(f"{count:>8,}" for count in counts) + "   ceiling")
for name, (kept, moving, as_table, ceiling) in problems.items():
    test_letters, test_labels = simulate(np.random.default_rng(2), 20_000, kept, moving)
    test_table = as_table(test_letters)
    curves[name] = []
    for count in counts:
        scores = []
        for repeat in range(3):  # three training sets of each size, to even out luck
            letters, truth = simulate(np.random.default_rng(10 + repeat), count, kept, moving)
            model = LogisticRegression(solver="newton-cholesky").fit(as_table(letters), truth)
            scores.append(model.score(test_table, test_labels))
        curves[name].append(np.mean(scores))
    print(f"{name:17}" + "".join(f"{a:8.2f}" for a in curves[name]) + f"{ceiling:10.3f}")

# %% tags=["seed:004-thousands-of-samples", "seed:004-choose-by-data", "seed:004-simpler-model"]
figure, axes = plt.subplots(figsize=(7.5, 3.6))
for (name, curve), marker in zip(curves.items(), "os^v"):
    axes.semilogx(counts, curve, marker + "-", label=name)
for place, words in [(0.978, "strong"), (0.935, "moving"), (0.619, "weak")]:
    axes.axhline(place, color="#5c5c5c", linestyle=":")
    axes.text(13_000, place, f"ceiling: {words}", va="center", backgroundcolor="white")
axes.set(xlabel="training examples", ylabel="accuracy", ylim=(0.48, 1.02))
axes.legend(loc="upper left", bbox_to_anchor=(1.02, 0.72))
in_words = [f"{name} from {curve[0]:.2f} to {curve[-1]:.2f}" for name, curve in curves.items()]
picture_of(
    figure,
    "Accuracy against the number of training examples: " + "; ".join(in_words)
    + ". Ceilings: strong 0.978, moving 0.935, weak 0.619.",
)

# %% [markdown] tags=["seed:004-choose-by-data", "seed:004-simpler-model"]
# - *Strong*: a hundred examples take the model nearly to the ceiling. Prefer the simpler model: here nothing is
#   left for a larger one to gain.
# - *Weak*: a hundred are hardly better than guessing, and it takes about three thousand to come near the
#   ceiling. How many examples are enough depends on the strength of the signal.
# - *Moving*: by place, more examples help at first, then hardly. A weight for every place cannot say "this
#   word, wherever it stands". Word counts can: with 100 examples they do better than places with 10,000.
#   Choose the model by the data: what was missing is not examples but variables that ignore position. Word
#   counts supply some; a sliding kernel *learns* them, in lesson 04.

# %% [markdown]
# ## Common mistakes
#
# - **"Training learns the hyperparameters"** (M20). Given the choice, it would take the largest `C`. The
#   validation set chooses.
# - **"With unequal classes, trust recall"** (M21). *Always yes* has recall 1.00 and precision 0.01.
# - **"Fewer than five layers and 2,000 letters are enough"** (M23). For what acts within that reach; not for
#   ZRS.
# - **The test set used twice.** By then it has taken part in a choice.
# - **A random split of neighbours.** Hold out whole chromosomes.
# - **Accuracy alone.** Say how common the larger class is.

# %% [markdown] tags=["seed:004-frameworks", "seed:004-courses", "seed:002-learn-by-reading"]
# ## Tools and courses
#
# Networks are written with a **framework**, which works out how each parameter should change, on a graphics
# card (GPU) if there is one. The best known are [PyTorch](https://pytorch.org),
# [TensorFlow](https://www.tensorflow.org), and [Keras](https://keras.io), which runs on top of either. These
# lessons use PyTorch, because its training loop is in plain sight. To go deeper:
#
# - [fast.ai](https://www.fast.ai): a free course that starts with working programs and digs down from there;
# - [Deep Learning Specialization](https://www.coursera.org/specializations/deep-learning) on Coursera: from
#   the mathematics up;
# - Michael Nielsen, [*Neural Networks and Deep Learning*](http://neuralnetworksanddeeplearning.com) (2015): a
#   free book that starts from nothing;
# - other people's code on [GitHub](https://github.com) and [Kaggle](https://www.kaggle.com): read it, run it,
#   change it.

# %% [markdown]
# ## A map of the lessons
#
# Read down each column. The first is about sequences and numbers. In the second a network is trained, judged,
# tried on real data, and asked what it has learned. The third goes on to other networks and to very long
# sequences.

# %%
lessons = {
    "00": "Start here",
    "01": "One-hot encoding",
    "02": "PFM, PPM, PWM\nand scanning",
    "03": "Simulating sequences",
    "04": "A CNN classifier",
    "05": "Evaluation\nand thresholds",
    "06": "Transcription factor\nbinding",
    "07": "Interpreting networks",
    "08": "Network families",
    "09": "Dilated convolutions",
    "10": "Basenji",
}
places = {number: divmod(place, 4) for place, number in enumerate(lessons)}  # column, row
in_words = [f"{n} {title}".replace("\n", " ") for n, title in lessons.items()]
boxes_picture(
    {n: (*places[n], f"{n}\n{title}") for n, title in lessons.items()},
    arrows=list(zip(list(lessons), list(lessons)[1:])),
    alt="Map of the lessons, each leading to the next: " + "; ".join(in_words) + ".",
    box=(170, 60),
    gap=(60, 24),
    colours={n: ["#d7ecdf", "#e4ecf7", "#f7ecd7"][column] for n, (column, _) in places.items()},
)

# %% [markdown]
# ## Recap
#
# A sequence-to-function model predicts a molecular phenotype from letters. Data are a table of samples ×
# variables; with labels, learning is supervised. Training finds parameters, validation chooses
# hyperparameters, the test set is opened once. A hidden layer makes new variables in which the problem becomes
# easy. With rare positives, accuracy and recall can each be had for nothing: report precision and recall, and
# MCC or AUPRC.
#
# Rules of thumb end where their reason ends. Depth decides reach (with narrow kernels and no pooling), the
# strength of the signal how many examples are enough, the variables what can be found at all.

# %% [markdown] tags=["seed:004-references", "seed:004-named-models"]
# ## Further reading
#
# *Overviews*
#
# - G. Eraslan et al. Deep learning: new computational modelling techniques for genomics. *Nature Reviews
#   Genetics* 20, 389-403 (2019).
# - J. Zou et al. A primer on deep learning in genomics. *Nature Genetics* 51, 12-18 (2019).
# - A. Esteva et al. A guide to deep learning in healthcare. *Nature Medicine* 25, 24-29 (2019).
#
# *The five models*
#
# - B. Alipanahi et al. Predicting the sequence specificities of DNA- and RNA-binding proteins by deep
#   learning. *Nature Biotechnology* 33, 831-838 (2015).
# - J. Zhou, O. G. Troyanskaya. Predicting effects of noncoding variants with deep learning-based sequence
#   model. *Nature Methods* 12, 931-934 (2015).
# - D. R. Kelley et al. Basset: learning the regulatory code of the accessible genome with deep convolutional
#   neural networks. *Genome Research* 26, 990-999 (2016).
# - C. Angermueller et al. DeepCpG: accurate prediction of single-cell DNA methylation states using deep
#   learning. *Genome Biology* 18, 67 (2017).
# - D. R. Kelley et al. Sequential regulatory activity prediction across chromosomes with convolutional neural
#   networks. *Genome Research* 28, 739-750 (2018).
#
# *Measures, motifs, enhancers, data*
#
# - D. Chicco, G. Jurman. The advantages of the Matthews correlation coefficient (MCC) over F1 score and
#   accuracy in binary classification evaluation. *BMC Genomics* 21, 6 (2020).
# - T. Saito, M. Rehmsmeier. The precision-recall plot is more informative than the ROC plot when evaluating
#   binary classifiers on imbalanced datasets. *PLoS ONE* 10, e0118432 (2015).
# - I. Rauluseviciute et al. JASPAR 2024: 20th anniversary of the open-access database of transcription factor
#   binding profiles. *Nucleic Acids Research* 52, D174-D182 (2024).
# - L. A. Lettice et al. A long-range *Shh* enhancer regulates expression in the developing limb and fin and is
#   associated with preaxial polydactyly. *Human Molecular Genetics* 12, 1725-1735 (2003).
# - O. Russakovsky et al. ImageNet large scale visual recognition challenge. *International Journal of Computer
#   Vision* 115, 211-252 (2015).
#
# **Next:** [01 · One-hot encoding](01_one_hot_encoding.ipynb), where every letter becomes a variable.
