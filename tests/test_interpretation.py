"""What a network looks at: against small steps, plain loops, captum's own, and the sums that are promised."""

import copy
import itertools
import sys

import numpy as np
import pytest
import torch
from captum.attr import IntegratedGradients
from torch import nn

from course_utils import attribution, interpretation
from course_utils.attribution import deep_lift, integrated_gradients
from course_utils.interpretation import input_x_gradient, logit_of, mutagenesis, saliency, seen_by
from course_utils.models import seeded
from course_utils.models.binding import MotifDetector, ReportCNN
from course_utils.models.motif_cnn import GlobalMaxCNN, MotifCNN, TinyMotifCNN
from course_utils.models.peaks import BothStrandsCNN
from course_utils.shuffles import shuffle_dinucleotides
from course_utils.sequences import one_hot

LENGTH = 50
pytestmark = pytest.mark.usefixtures("one_thread")


def as_inputs(sequences: list[str]) -> torch.Tensor:
    return torch.from_numpy(one_hot(sequences, ambiguous="zeros")).permute(0, 2, 1).float()


def sequences(count: int = 3, length: int = LENGTH, seed: int = 1) -> list[str]:
    rng = np.random.default_rng(seed)
    return ["".join(rng.choice(list("ACGT"), length)) for _ in range(count)]


def shuffled(count: int = 3, seed: int = 2) -> torch.Tensor:
    return as_inputs(shuffle_dinucleotides(sequences(count), np.random.default_rng(seed)))


class Linear(nn.Module):
    """A weight for each letter of each place, and one or two outputs of the shape asked for."""

    def __init__(self, outputs: int = 1, squeeze: bool = True, length: int = LENGTH):
        super().__init__()
        self.flatten, self.linear, self.squeeze = nn.Flatten(), nn.Linear(4 * length, outputs), squeeze

    def forward(self, inputs):
        outputs = self.linear(self.flatten(inputs))
        return outputs.squeeze(1) if self.squeeze and outputs.shape[1] == 1 else outputs

    @property
    def weights(self) -> torch.Tensor:
        """(4, L), of the logit."""
        rows = self.linear.weight.detach()
        return (rows[0] if len(rows) == 1 else rows[1] - rows[0]).view(4, -1)


def networks() -> dict[str, nn.Module]:
    """All kinds of the lessons; twice as loud as their first weights, so that no error is small by smallness."""
    with seeded(1):
        found = {
            "report": ReportCNN(),
            "report, improved": ReportCNN(padded=True, pool=5, outputs=2, deep=True, dropout=0.2),
            "detector": MotifDetector(),
            "both strands": BothStrandsCNN(filters=8, width=12),
            "lecture": MotifCNN(LENGTH),
            "article": TinyMotifCNN(LENGTH),
            "global max": GlobalMaxCNN(),
            "linear": Linear(),
        }
    for model in found.values():
        with torch.no_grad():
            for weights in model.parameters():
                weights *= 2
    return found


NETWORKS = networks()
METHODS = {
    "logit": lambda model, inputs: logit_of(model, inputs),
    "saliency": lambda model, inputs: saliency(model, inputs, centred=True),
    "input x gradient": lambda model, inputs: input_x_gradient(model, inputs),
    "mutagenesis": lambda model, inputs: mutagenesis(model, inputs),
    "integrated gradients": lambda model, inputs: integrated_gradients(model, inputs, shuffled()).values,
    "deep lift": lambda model, inputs: deep_lift(model, inputs, shuffled()).values,
}

each_network = pytest.mark.parametrize("name", NETWORKS)
each_method = pytest.mark.parametrize("method", METHODS)


# --- the number that is explained ----------------------------------------------------------------


def test_the_logit_is_the_one_output_or_the_difference_of_the_two():
    inputs, one, flat, two = as_inputs(sequences()), Linear(), Linear(squeeze=False), Linear(outputs=2)
    assert torch.equal(logit_of(one, inputs), one(inputs))
    assert torch.equal(logit_of(flat, inputs), flat(inputs)[:, 0])
    probability = two(inputs).softmax(dim=1)[:, 1]
    assert torch.allclose(logit_of(two, inputs).sigmoid(), probability)
    assert torch.allclose(logit_of(two, inputs[:1]).sigmoid(), probability[:1])


def test_the_logit_carries_gradients_if_the_inputs_want_them_and_else_none():
    inputs, model = as_inputs(sequences()), NETWORKS["report"]
    assert not logit_of(model, inputs).requires_grad
    wanted = inputs.clone().requires_grad_()
    [gradient] = torch.autograd.grad(logit_of(model, wanted).sum(), wanted)
    assert torch.allclose(gradient, saliency(model, inputs), atol=1e-5)


@pytest.mark.parametrize("dtype", [torch.float64, torch.float16])
def test_the_inputs_take_the_type_of_the_weights(dtype):
    inputs, model = as_inputs(sequences()), NETWORKS["detector"]
    for method in METHODS.values():
        assert torch.equal(method(model, inputs.to(dtype)), method(model, inputs))
    twice = copy.deepcopy(model).double()
    assert torch.allclose(logit_of(twice, inputs).float(), logit_of(model, inputs), atol=1e-5)


@each_method
@each_network
def test_the_model_its_mode_its_gradients_the_inputs_and_random_numbers_stay(name, method):
    model, inputs = copy.deepcopy(NETWORKS[name]), as_inputs(sequences())
    model.train()
    next(model.modules()).training = True
    list(model.children())[0].eval()  # modes may differ inside
    for weights in model.parameters():
        weights.grad = torch.ones_like(weights)
    before, inputs_before = copy.deepcopy(model), inputs.clone()
    random = torch.get_rng_state()
    first, second = METHODS[method](model, inputs), METHODS[method](model, inputs)
    assert torch.equal(first, second), "dropout was on"
    assert torch.equal(torch.get_rng_state(), random)
    assert torch.equal(inputs, inputs_before) and not inputs.requires_grad and inputs.grad is None
    assert [module.training for module in model.modules()] == [module.training for module in before.modules()]
    for weights, kept in zip(model.parameters(), before.parameters(), strict=True):
        assert torch.equal(weights, kept) and torch.equal(weights.grad, torch.ones_like(weights))
        assert weights.requires_grad and weights.dtype == torch.float32
    assert not any(module._forward_hooks or module._forward_pre_hooks for module in model.modules())
    assert first.dtype == torch.float32 and not first.requires_grad


def test_the_methods_work_where_gradients_are_switched_off():
    inputs = as_inputs(sequences())
    wanted = {name: method(NETWORKS["detector"], inputs) for name, method in METHODS.items()}
    with torch.no_grad():
        for name, method in METHODS.items():
            assert torch.equal(method(NETWORKS["detector"], inputs), wanted[name]), name


def test_captum_says_nothing(recwarn):
    deep_lift(NETWORKS["global max"], as_inputs(sequences()), shuffled())
    integrated_gradients(NETWORKS["global max"], as_inputs(sequences()), shuffled())
    assert [str(warning.message) for warning in recwarn] == []


# --- the linear network, where all is known by hand ----------------------------------------------


@pytest.mark.parametrize("outputs", [1, 2])
def test_all_methods_agree_on_a_linear_network(outputs):
    model, inputs, references = Linear(outputs), as_inputs(sequences()), shuffled()
    weights = model.weights  # (4, L)
    assert torch.allclose(saliency(model, inputs), weights.expand(3, -1, -1))
    assert torch.allclose(input_x_gradient(model, inputs), weights * inputs)
    here = (weights * inputs).sum(dim=1, keepdim=True)  # (3, 1, L): the weight of the letter that is there
    assert torch.allclose(mutagenesis(model, inputs), weights - here, atol=1e-6)
    difference = logit_of(model, inputs) - logit_of(model, references)
    for found in (
        deep_lift(model, inputs, references),
        integrated_gradients(model, inputs, references, steps=1),
    ):
        assert torch.allclose(found.values, weights * (inputs - references), atol=1e-6)
        assert torch.allclose(found.difference, difference, atol=1e-5)
        assert found.error.abs().max() < 1e-6


def test_the_centred_gradient_of_a_linear_network_is_the_mean_effect_of_a_mutation():
    model, inputs = Linear(), as_inputs(sequences())
    centred = saliency(model, inputs, centred=True)
    assert torch.allclose(centred, (model.weights - model.weights.mean(dim=0)).expand(3, -1, -1), atol=1e-6)
    assert centred.sum(dim=1).abs().max() < 1e-6
    need = -mutagenesis(model, inputs).mean(dim=1, keepdim=True)  # (N, 1, L)
    assert torch.allclose(input_x_gradient(model, inputs, centred=True), need * inputs, atol=1e-6)


# --- gradients -----------------------------------------------------------------------------------


@each_network
def test_the_gradient_is_what_a_small_step_of_each_channel_gives(name):
    model, inputs = copy.deepcopy(NETWORKS[name]).double().eval(), as_inputs(sequences(1)).double()
    found, step = saliency(NETWORKS[name], inputs.float()), 1e-7
    moves = torch.eye(4 * LENGTH, dtype=torch.float64).view(-1, 4, LENGTH) * step
    with torch.no_grad():
        slopes = (logit_of(model, inputs + moves) - logit_of(model, inputs - moves)) / (2 * step)
    assert torch.allclose(found[0].double(), slopes.view(4, LENGTH), atol=1e-5)
    assert found.abs().max() > 0


def test_centring_takes_away_what_no_sequence_can_show():
    model, inputs = NETWORKS["both strands"], as_inputs(sequences())
    twin = copy.deepcopy(model)
    with torch.no_grad():
        offsets = torch.linspace(-1, 1, 12) + 0.3  # the same for all four letters: on sequences, a number
        twin.conv.weight += offsets
        twin.conv.bias -= offsets.sum()  # ... that is taken away here
    assert torch.allclose(logit_of(twin, inputs), logit_of(model, inputs), atol=1e-4)
    assert (saliency(twin, inputs) - saliency(model, inputs)).abs().max() > 0.1
    centred = saliency(model, inputs, centred=True)
    assert torch.allclose(saliency(twin, inputs, centred=True), centred, atol=1e-4)
    assert torch.allclose(mutagenesis(twin, inputs), mutagenesis(model, inputs), atol=1e-4)
    assert torch.equal(input_x_gradient(model, inputs, centred=True), centred * inputs)


def test_many_sequences_get_what_each_gets_alone(monkeypatch):
    model, inputs = NETWORKS["report"], as_inputs(sequences(7))
    references = shuffled(7)

    def all_of_them(batch_size):
        return (
            saliency(model, inputs),
            mutagenesis(model, inputs, batch_size=batch_size),
            deep_lift(model, inputs, references).values,
            integrated_gradients(model, inputs, references, steps=4).values,
        )

    whole = all_of_them(1024)
    monkeypatch.setattr(interpretation, "BATCH", 2)
    monkeypatch.setattr(attribution, "BATCH", 2)
    monkeypatch.setattr(attribution, "BLOCK", 3)
    parts = all_of_them(5)
    for one, other in zip(whole, parts, strict=True):
        assert torch.allclose(one, other, atol=1e-6)


# --- mutagenesis ---------------------------------------------------------------------------------


@each_network
def test_mutagenesis_is_the_plain_loop_over_mutants(name):
    model, letters = copy.deepcopy(NETWORKS[name]).double().eval(), sequences(2)
    wanted = torch.zeros(2, 4, LENGTH)
    for number, sequence in enumerate(letters):
        for place, base in itertools.product(range(LENGTH), range(4)):
            mutant = sequence[:place] + "ACGT"[base] + sequence[place + 1 :]
            logit, before = logit_of(model, as_inputs([mutant, sequence]).double())
            wanted[number, base, place] = logit - before
    found = mutagenesis(NETWORKS[name], as_inputs(letters))
    assert torch.allclose(found, wanted, atol=1e-5)
    assert (found[as_inputs(letters) == 1] == 0).all(), "the letter that is there changes nothing"


@pytest.mark.parametrize("batch_size", [1, 7, 10**6])
def test_the_batch_size_changes_nothing_but_the_memory(batch_size, monkeypatch):
    model, inputs, most = NETWORKS["both strands"], as_inputs(sequences()), []
    forward = interpretation.LogitCopy.forward

    def counted(self, batch):
        most.append(len(batch))
        return forward(self, batch)

    monkeypatch.setattr(interpretation.LogitCopy, "forward", counted)
    found = mutagenesis(model, inputs, batch_size=batch_size)
    assert max(most) <= batch_size and sum(most) == 3 + 3 * 3 * LENGTH
    assert torch.allclose(found, mutagenesis(model, inputs), atol=1e-6)


def test_an_n_has_no_letter_of_its_own_so_all_four_are_tried():
    model, inputs = Linear(), as_inputs(["N" + sequence[1:] for sequence in sequences()])
    found = mutagenesis(model, inputs)
    assert torch.allclose(found[:, :, 0], model.weights[:, 0].expand(3, -1), atol=1e-6)
    inputs[:, :, 0] = 0.25
    shares = mutagenesis(model, inputs)[:, :, 0]
    assert torch.allclose(shares, (model.weights[:, 0] - model.weights[:, 0].mean()).expand(3, -1), atol=1e-6)


# --- what adds up --------------------------------------------------------------------------------

REFERENCES = {
    "shuffled": lambda: shuffled(),
    "zeros": lambda: torch.zeros(1, 4, LENGTH),
    "uniform": lambda: torch.full((1, 4, LENGTH), 0.25),
    "four shuffles each": lambda: torch.stack([shuffled(seed=seed) for seed in range(4)], dim=1),
}


@pytest.mark.parametrize("kind", REFERENCES)
@each_network
def test_the_values_of_deep_lift_add_up_to_the_difference_of_the_logits(name, kind):
    model, inputs, references = NETWORKS[name].eval(), as_inputs(sequences()), REFERENCES[kind]()
    found = deep_lift(model, inputs, references)
    there = references if references.dim() == 4 else references.expand(3, -1, -1).unsqueeze(1)  # (3, R, 4, L)
    nothing_there = torch.stack([logit_of(model, row) for row in there.transpose(0, 1)])  # (R, 3)
    wanted = logit_of(model, inputs) - nothing_there.mean(dim=0)
    assert torch.allclose(found.difference, wanted, atol=1e-4)
    assert torch.allclose(found.values.sum(dim=(1, 2)), wanted, atol=1e-4)
    assert found.error.abs().max() < 1e-6
    assert found.difference.abs().max() > 0.01


@pytest.mark.parametrize("name", ["detector", "both strands", "lecture", "article", "global max"])
def test_integrated_gradients_add_up_to_the_tolerance_that_is_asked(name):
    inputs = as_inputs(sequences())
    rough = integrated_gradients(NETWORKS[name], inputs, shuffled(), steps=10)
    fine = integrated_gradients(NETWORKS[name], inputs, shuffled(), steps=10, tolerance=5e-4)
    assert fine.error.abs().max() <= 5e-4 < rough.error.abs().max()
    for found in (rough, fine):
        assert torch.allclose(found.values.sum(dim=(1, 2)) - found.difference, found.error, atol=1e-5)


def test_integrated_gradients_are_captums_and_smooth_networks_need_few_steps():
    class Smooth(Linear):
        def forward(self, inputs):
            return torch.tanh(super().forward(inputs)) * 3

    inputs, references = as_inputs(sequences()), shuffled()
    with seeded(1):
        model = Smooth()
    theirs = IntegratedGradients(model).attribute(inputs, references, n_steps=200)
    ours = integrated_gradients(model, inputs, references, steps=200)
    assert torch.allclose(ours.values, theirs.float(), atol=1e-4)
    assert ours.error.abs().max() < 1e-4


def test_several_references_give_the_mean_of_what_each_gives():
    model, inputs, several = NETWORKS["detector"], as_inputs(sequences()), REFERENCES["four shuffles each"]()
    for method in (deep_lift, integrated_gradients):
        each = [method(model, inputs, several[:, number]).values for number in range(4)]
        assert torch.allclose(method(model, inputs, several).values, torch.stack(each).mean(dim=0), atol=1e-5)


def test_the_error_of_equal_steps_falls_with_their_number_and_is_told():
    model, inputs, references = NETWORKS["detector"], as_inputs(sequences()), shuffled()
    errors = []
    for steps in (5, 50, 500):
        errors.append(integrated_gradients(model, inputs, references, steps=steps).error.abs().max())
    assert errors[0] > 3 * errors[1] > 9 * errors[2]


def test_a_logit_that_jumps_ends_with_an_error_and_not_never():
    class Step(Linear):
        def forward(self, inputs):
            outputs = super().forward(inputs)
            return outputs + (outputs > outputs.mean()).float()

    with seeded(1):
        found = integrated_gradients(Step(), as_inputs(sequences()), shuffled(), steps=2, tolerance=1e-4)
    assert torch.isfinite(found.values).all()


def test_a_tolerance_that_rounding_forbids_ends_as_near_as_it_can_be():
    found = integrated_gradients(NETWORKS["detector"], as_inputs(sequences(1)), shuffled(1), tolerance=1e-300)
    assert found.error.abs().max() < 1e-8


def test_what_captum_has_no_rule_for_is_told_and_not_given_as_deep_lift():
    class Hidden(nn.Module):
        def __init__(self):
            super().__init__()
            self.linear, self.out = Linear(8), nn.Linear(8, 1)

        def forward(self, inputs):
            return self.out(torch.relu(self.linear(inputs)))  # no module: no rule

    class Twice(Hidden):
        def __init__(self):
            super().__init__()
            self.relu = nn.ReLU()

        def forward(self, inputs):
            return self.out(self.relu(self.relu(self.linear(inputs)) - 0.1))

    with seeded(1):
        hidden, twice = Hidden(), Twice()
    with pytest.raises(ValueError, match="do not add up"):
        deep_lift(hidden, as_inputs(sequences()), shuffled())
    with pytest.raises(ValueError, match="more than once"):
        deep_lift(twice, as_inputs(sequences()), shuffled())
    found = integrated_gradients(hidden, as_inputs(sequences()), shuffled(), tolerance=1e-3)
    assert found.error.abs().max() <= 1e-3


def test_the_room_brings_captum_only_when_it_is_asked(monkeypatch):
    monkeypatch.setitem(sys.modules, "captum.attr", None)  # as if it were not installed
    inputs = as_inputs(sequences())
    mutagenesis(NETWORKS["detector"], inputs), saliency(NETWORKS["detector"], inputs)
    with pytest.raises(ImportError):
        deep_lift(NETWORKS["detector"], inputs, shuffled())


def test_an_attribution_says_its_size_and_its_error():
    found = deep_lift(NETWORKS["linear"], as_inputs(sequences()), shuffled())
    assert "3 x 50 bases" in repr(found) and "completeness error up to" in repr(found)


# --- the reach -----------------------------------------------------------------------------------


def test_an_output_with_bins_is_no_logit_but_has_a_reach():
    model = nn.Conv1d(4, 6, 3)  # (N, 6, L - 2): six "bins"
    with pytest.raises(ValueError, match="one logit each"):
        logit_of(model, as_inputs(sequences()))
    assert seen_by(model, as_inputs(sequences()), 0).all()


def test_an_output_that_asks_nothing_of_the_input_has_no_reach():
    class Deaf(nn.Module):
        def __init__(self):
            super().__init__()
            self.rates = nn.Parameter(torch.ones(6))

        def forward(self, inputs):
            return self.rates.expand(len(inputs), 6)

    assert not seen_by(Deaf(), as_inputs(sequences()), 0).any()
