"""The exercise whose answer trains a network: how its check judges what comes back."""

import pytest
import torch
from torch import nn

from course_utils.exercises import NOT_YET
from course_utils.exercises.lesson_04 import at_the_ceiling
from course_utils.simulation import CCGGAA
from course_utils.models import seeded
from course_utils.models.motif_cnn import GlobalMaxCNN
from course_utils.motifs import pfm_to_ppm, ppm_to_pwm


class BestRule(nn.Module):
    """The best rule of lesson 03 as a network, so that an answer can pass without any training.

    Args:
        columns: 1 gives the positives column 1, as is asked; -1 swaps the columns.
        dropout: of the inputs, which spoils it in train mode.
        noise: of the logits, in either mode, from torch's global random numbers.
    """

    def __init__(self, columns: int = 1, dropout: float = 0.0, noise: float = 0.0):
        super().__init__()
        pwm = ppm_to_pwm(pfm_to_ppm(CCGGAA, pseudocount=0.01))  # no probability of 0
        self.register_buffer("filter", torch.tensor(pwm.T[None], dtype=torch.float32))
        self.columns, self.noise, self.dropout = columns, noise, nn.Dropout(dropout)

    def forward(self, inputs):
        scores = nn.functional.conv1d(self.dropout(inputs), self.filter)[:, 0]  # (M, 15)
        logit = self.columns * torch.exp2(scores).mean(dim=1).log()
        logit = logit + self.noise * torch.randn(len(logit))
        return torch.stack([torch.zeros_like(logit), logit], dim=1)


class Gives(nn.Module):
    """A network that gives what a function makes of its inputs."""

    def __init__(self, function):
        super().__init__()
        self.function = function

    def forward(self, inputs):
        return self.function(inputs)


def judged(model, seed: int = 0):
    return at_the_ceiling(lambda inputs, labels: model, seed=seed)


def test_the_answer_is_called_once_with_what_the_stub_promises():
    calls = []
    at_the_ceiling(lambda inputs, labels: calls.append((inputs, labels)))
    [(inputs, labels)] = calls
    assert inputs.shape == (100_000, 4, 20) and inputs.dtype == torch.float32
    assert (inputs.sum(dim=1) == 1).all()
    assert labels.shape == (100_000,) and labels.dtype == torch.int64
    assert labels.sum() == 50_000
    assert 400 < labels[:1000].sum() < 600, "a part cut off holds both classes"


@pytest.mark.parametrize("seed", range(3))
def test_the_best_rule_passes_and_the_ceiling_is_named(seed):
    feedback = judged(BestRule(), seed)
    assert feedback.correct, repr(feedback)
    said = repr(feedback)
    right, ceiling = (float(part.split("%")[0]) for part in said.split("right in ")[1].split(" is "))
    assert abs(right - ceiling) < 0.05 and 91 < ceiling < 92


def test_a_network_just_more_than_half_a_percent_below_does_not_pass():
    """Noise in the logits takes a little off: about 0.2 percent with 0.3, and 0.7 with 0.7."""
    assert judged(BestRule(noise=0.3)).correct
    feedback = judged(BestRule(noise=0.7))
    assert feedback.state == NOT_YET and "it is not bound to the places" in repr(feedback)


def test_a_network_left_in_train_mode_is_judged_in_eval_mode_and_given_back_as_it_came():
    model = BestRule(dropout=0.5).train()
    assert judged(model).correct
    assert model.training


def test_a_network_that_flattens_is_known_however_it_pools_before():
    def by_fives(inputs, labels):  # trained a little, to be better than a coin
        with seeded(0):
            model = nn.Sequential(
                nn.Conv1d(4, 8, 3, padding=1), nn.ReLU(), nn.MaxPool1d(5), nn.Flatten(), nn.Linear(32, 2)
            )
        optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
        for _ in range(60):
            optimizer.zero_grad()
            nn.functional.cross_entropy(model(inputs[:2000]), labels[:2000]).backward()
            optimizer.step()
        return model

    assert "What could pool over all places?" in repr(at_the_ceiling(by_fives))


def test_swapped_columns_are_told():
    said = repr(judged(BestRule(columns=-1)))
    assert "column 1 is to be the positives" in said


@pytest.mark.parametrize("column, word", [(0, "negative"), (1, "positive")])
def test_a_network_that_always_says_the_same_is_told_what(column, word):
    always = nn.functional.one_hot(torch.tensor(column), 2).float()
    feedback = judged(Gives(lambda inputs: always.repeat(len(inputs), 1)))
    assert f"it calls every sequence {word}" in repr(feedback)
    assert "right in 50.00%" in repr(feedback)


@pytest.mark.parametrize(
    "function, words",
    [
        (lambda x: x[:, 0, 0], "one number came for each sequence"),
        (lambda x: x[:, :3, 0], "maps (8, 4, 20) to (8, 3)"),
        (lambda x: x[:, :2], "maps (8, 4, 20) to (8, 2, 20)"),
        (lambda x: (x[:, :2, 0], x), "a network that gives a tuple"),
        (lambda x: x[:, :2, 0] / 0, "a network whose outputs are NaN"),
        (lambda x: x.permute(0, 1), "it raises RuntimeError"),
        (lambda x: x.mean(), "to ()"),
        (lambda x: None, "its outputs are to be one tensor"),
    ],
)
def test_outputs_that_are_no_two_logits_are_told(function, words):
    assert words in repr(judged(Gives(function)))


@pytest.mark.parametrize(
    "value, words",
    [
        ((BestRule(), [0.3]), "a network is among them: return it alone"),
        (BestRule, "Came:     the class BestRule"),
        (0.9145, "a network is expected, and a number came"),
        (torch.zeros(5, 2), "a network is expected, and a Tensor came"),
    ],
)
def test_what_is_no_network_is_told(value, words):
    assert words in repr(judged(value))


def test_a_network_in_place_of_the_function_is_told():
    feedback = at_the_ceiling(BestRule())
    assert feedback.state == NOT_YET
    assert "this is a network, BestRule" in repr(feedback)


def test_an_error_in_the_answer_is_told_with_its_line_and_not_thrown():
    names = {"torch": torch}
    source = "def answer(inputs, labels):\n    few = inputs[:3]\n    return few @ labels\n"
    exec(compile(source, "<cell>", "exec"), names)
    (came,) = (line for line in at_the_ceiling(names["answer"]).lines if line.startswith("Came:"))
    assert came.startswith("Came:     RuntimeError: ") and came.endswith("(line 3 of the cell)")


def test_torchs_random_numbers_go_on_as_if_there_had_been_no_check():
    before = torch.get_rng_state()

    def seeds_and_draws(inputs, labels):
        torch.manual_seed(99)
        torch.rand(10)
        return BestRule(noise=0.1)

    def fails(inputs, labels):
        torch.rand(10)
        raise ValueError("no")

    for answer in (seeds_and_draws, fails):
        at_the_ceiling(answer)
        assert torch.equal(torch.get_rng_state(), before)


def test_an_answer_that_sets_no_seed_is_told_the_same_each_time():
    def untrained(inputs, labels):
        return GlobalMaxCNN()

    with seeded(1):
        first = repr(at_the_ceiling(untrained))
    with seeded(2):
        assert repr(at_the_ceiling(untrained)) == first
        assert repr(at_the_ceiling(untrained, seed=1)) != first
