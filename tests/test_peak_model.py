"""BothStrandsCNN reads both strands alike, at every place and length; its weights travel with the package."""

import pytest
import torch

from course_utils.checkpoints import load_weights
from course_utils.datasets import shipped
from course_utils.models import seeded
from course_utils.models.peaks import BothStrandsCNN


def sequences(many: int, length: int = 100, seed: int = 0) -> torch.Tensor:
    """Random one-hot sequences (many, 4, length)."""
    codes = torch.randint(4, (many, length), generator=torch.Generator().manual_seed(seed))
    return torch.eye(4)[codes].permute(0, 2, 1)


@pytest.fixture(scope="module")
def trained() -> BothStrandsCNN:
    model = BothStrandsCNN()
    load_weights(model, shipped("ctcf_network.pt"))
    return model.eval()


@pytest.fixture(scope="module")
def fresh() -> BothStrandsCNN:
    with seeded(1):
        return BothStrandsCNN()


def test_the_network_has_48_filters_of_24_and_a_weight_for_each():
    model = BothStrandsCNN()
    assert isinstance(model.conv, torch.nn.Conv1d) and model.conv.weight.shape == (48, 4, 24)
    assert next(model.children()) is model.conv, "filters are read from the first layer"
    assert sum(parameter.numel() for parameter in model.parameters()) == 48 * (4 * 24 + 1) + 48 + 1 == 4_705


@pytest.mark.parametrize("which", ["fresh", "trained"])
@pytest.mark.parametrize("length", [24, 33, 100])
def test_a_sequence_and_its_reverse_complement_get_the_same_logit(which, length, request):
    model, inputs = request.getfixturevalue(which), sequences(9, length)
    with torch.no_grad():
        logits, opposite = model(inputs), model(inputs.flip(1, 2))
    assert logits.shape == (9,) and logits.std() > 0
    torch.testing.assert_close(opposite, logits, rtol=0, atol=1e-6)


def test_the_logit_is_what_a_loop_over_strands_places_and_filters_gives(trained):
    sequence = sequences(1, 40)
    weight, bias = trained.conv.weight, trained.conv.bias
    with torch.no_grad():
        logit = trained.linear.bias.clone()
        for number in range(len(weight)):
            matches = [
                (weight[number] * strand[:, start : start + 24]).sum() + bias[number]
                for strand in (sequence[0], sequence[0].flip(0, 1))
                for start in range(17)
            ]
            logit += trained.linear.weight[0, number] * max(0, *matches)
        torch.testing.assert_close(trained(sequence), logit, rtol=1e-4, atol=1e-4)


def test_a_match_counts_the_same_at_every_place(fresh):
    word, starts = sequences(1, 24, seed=4)[0], (24, 31, 40, 47, 52)
    quiet = torch.zeros(len(starts), 4, 100)  # nothing but the word, far from the ends
    for one, start in zip(quiet, starts):
        one[:, start : start + 24] = word
    with torch.no_grad():
        torch.testing.assert_close(fresh(quiet), fresh(quiet[:1]).expand(5))


def test_the_gradient_reaches_the_input_and_every_filter_that_is_used(trained):
    inputs = sequences(2).requires_grad_()
    trained(inputs).sum().backward()
    assert inputs.grad.shape == (2, 4, 100) and (inputs.grad != 0).any(dim=1).any(dim=1).all()
    trained.zero_grad()


def test_deep_lift_adds_up_when_the_pool_has_a_width(trained):
    """captum has no rule for an adaptive pool. With a max-pool over the 2 x 77 places in its stead, every module
    that is not linear runs once a pass, on a batch whose first half are the inputs: what its hooks rest on."""
    deep_lift = pytest.importorskip("captum.attr").DeepLift
    model = BothStrandsCNN()
    model.load_state_dict(trained.state_dict())
    model.pool = torch.nn.MaxPool1d(2 * 77)
    inputs, references = sequences(8).requires_grad_(), sequences(8, seed=1)
    with pytest.warns(UserWarning, match="hooks"):
        values = deep_lift(model).attribute(inputs, references)
    difference = (trained(inputs) - trained(references)).detach()
    assert difference.abs().min() > 1e-2
    torch.testing.assert_close(values.sum(dim=(1, 2)).detach(), difference, rtol=0, atol=1e-4)


@pytest.mark.parametrize(
    "shape, words",
    [
        ((8, 100, 4), ["(8, 100, 4)", "(N, 4, L)", "permute"]),
        ((4, 100), ["(4, 100)", "a batch of sequences"]),
        ((8, 4, 23), ["have 23 bases", "at least 24", "width of a filter"]),
    ],
)
def test_the_network_says_which_input_it_cannot_take(shape, words, fresh):
    with pytest.raises(ValueError) as caught:
        fresh(torch.zeros(shape))
    assert [word for word in words if word not in str(caught.value)] == [], caught.value


def test_the_shipped_weights_are_small_and_know_bound_from_random(trained):
    assert shipped("ctcf_network.pt").stat().st_size < 100_000
    site = "TGGCCACCAGGGGGCGCTA"  # the consensus of JASPAR's MA0139.1
    inputs = sequences(200)
    planted = inputs.clone()
    planted[:, :, 40:59] = torch.eye(4)[["ACGT".index(base) for base in site]].T
    with torch.no_grad():
        assert (trained(planted) > trained(inputs)).all()
        assert (trained(planted) > 0).float().mean() > 0.9 > 0.1 > (trained(inputs) > 0).float().mean()
