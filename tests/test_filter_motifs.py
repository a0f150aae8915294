"""Filters fire where a plain loop says, and a filter that is a known PWM gives its motif back."""

import copy

import numpy as np
import pytest
import torch
from torch import nn

from course_utils.datasets import shipped
from course_utils.filter_motifs import filter_pfms, without_filter
from course_utils.models import seeded
from course_utils.models.motif_cnn import GlobalMaxCNN, MotifCNN
from course_utils.models.peaks import BothStrandsCNN
from course_utils.motif_matching import best_matches
from course_utils.motifs import consensus, pfm_from_sites, pfm_to_ppm, ppm_to_pwm, read_motifs, write_motifs
from course_utils.plotting import logo_picture
from course_utils.sequences import ALPHABET, one_hot, read_fasta, reverse_complement

JASPAR = read_motifs(shipped("jaspar_motifs.txt"))
CTCF, REST = JASPAR[8], JASPAR[9]


def encoded(sequences: list[str]) -> torch.Tensor:
    array = one_hot(sequences, dtype=np.float32, ambiguous="zeros")
    return torch.from_numpy(array).permute(0, 2, 1)  # (N, L, 4) -> (N, 4, L)


def random_sequences(many: int, length: int, rng: np.random.Generator, letters: str = ALPHABET) -> list[str]:
    return ["".join(rng.choice(list(letters), size=length)) for _ in range(many)]


def convolution(filters: int = 5, width: int = 6, seed: int = 0, **settings) -> nn.Conv1d:
    with seeded(seed):
        return nn.Conv1d(4, filters, width, **settings)


def of_pwms(*pwms: np.ndarray, bias: float = 0.0) -> nn.Conv1d:
    """A convolution whose filters are these matrices (width, 4)."""
    conv = nn.Conv1d(4, len(pwms), len(pwms[0]))
    with torch.no_grad():
        conv.weight.copy_(torch.from_numpy(np.stack([pwm.T for pwm in pwms])))
        conv.bias.fill_(bias)
    return conv


def pwm_of(motif) -> np.ndarray:
    return ppm_to_pwm(pfm_to_ppm(motif.pfm, 1))


def by_loop(conv: nn.Conv1d, sequences: list[str], number: int, both_strands: bool, share: float) -> list:
    """(sequence, start, strand, word) of the sites of a filter, base by base."""
    weights = conv.weight[number].detach().double().numpy()  # (4, width)
    bias, width = conv.bias[number].item(), weights.shape[1]
    best = []
    for sequence in sequences:
        found = (0.0, None, None, None)
        for strand in "+-" if both_strands else "+":
            for start in range(len(sequence) - width + 1):
                word = sequence[start : start + width]
                if "N" in word:
                    continue
                word = word if strand == "+" else reverse_complement(word)
                score = bias + sum(weights[ALPHABET.index(base), place] for place, base in enumerate(word))
                if score > found[0] + 1e-5:
                    found = (score, start, strand, word)
        best.append(found)
    highest = max(score for score, *_ in best)
    return [(n, *rest) for n, (score, *rest) in enumerate(best) if score > share * highest]


@pytest.mark.parametrize("both_strands", [True, False])
@pytest.mark.parametrize("share", [0, 0.5, 0.9])
def test_sites_and_counts_are_those_of_a_plain_loop(both_strands, share):
    rng = np.random.default_rng(1)
    sequences = random_sequences(20, 15, rng) + random_sequences(10, 15, rng, "ACGTNN") + ["N" * 15]
    conv = convolution()
    motifs = filter_pfms(conv, encoded(sequences), both_strands=both_strands, share=share)
    assert [motif.number for motif in motifs] == [0, 1, 2, 3, 4]
    for motif in motifs:
        expected = by_loop(conv, sequences, motif.number, both_strands, share)
        sites = motif.sites
        assert list(zip(sites.sequence, sites.start, sites.strand)) == [site[:3] for site in expected]
        assert len(motif) == len(expected) > 0
        assert motif.looked_at == 31 and motif.share == len(expected) / 31
        np.testing.assert_array_equal(motif.pfm, pfm_from_sites([word for *_, word in expected]))
        assert (sites.activation > share * motif.highest).all()
        assert motif.highest == sites.activation.max()
        assert motif.mean == pytest.approx(sites.activation.mean())


def test_a_filter_that_is_a_known_pwm_gives_its_motif_back():
    peaks = [record.sequence.upper() for record in read_fasta(shipped("ctcf_peaks_200.fa"))]
    ctcf, rest = filter_pfms(of_pwms(pwm_of(CTCF), pwm_of(REST)[:19]), encoded(peaks))
    assert ctcf.share > 0.8
    match = best_matches(ctcf.ppm, JASPAR)[0]
    assert (match.motif, match.offset, match.strand) == (CTCF, 0, "+")
    assert match.e_value < 1e-10 and match.score > 0.9
    assert rest.highest < 0.5 * ctcf.highest  # no site of REST is among these peaks


def test_planted_sites_are_found_on_both_strands_and_counted_as_the_filter_reads_them():
    rng = np.random.default_rng(4)
    ppm = pfm_to_ppm(REST.pfm)
    words = ["".join(ALPHABET[rng.choice(4, p=row / row.sum())] for row in ppm) for _ in range(300)]
    sequences, planted = [], []
    for word in words:
        start, strand = int(rng.integers(41)), "+-"[rng.integers(2)]
        left, right = random_sequences(1, start, rng) + random_sequences(1, 40 - start, rng)
        sequences.append(left + (word if strand == "+" else reverse_complement(word)) + right)
        planted.append((start, strand))
    [motif] = filter_pfms(of_pwms(pwm_of(REST)), encoded(sequences))
    assert 0.8 < motif.share < 1  # words below half of the best one's score are no sites
    found = list(zip(motif.sites.start, motif.sites.strand))
    assert found == [planted[number] for number in motif.sites.sequence]
    expected = pfm_from_sites([words[number] for number in motif.sites.sequence])
    np.testing.assert_array_equal(motif.pfm, expected)


def test_sites_never_hang_over_a_padded_end():
    """The word lies half outside at each end: a padded convolution sees it there, and counts nothing."""
    word = "CGACCGAACTCC"
    pwm = ppm_to_pwm(pfm_to_ppm(pfm_from_sites([word]), 0.1))
    sequences = [word[6:] + "T" * 30, "T" * 30 + word[:6], "T" * 10 + word + "T" * 14]
    plain = of_pwms(pwm)
    padded = nn.Conv1d(4, 1, 12, padding=11)
    padded.load_state_dict(plain.state_dict())
    for conv in (plain, padded):
        [motif] = filter_pfms(conv, encoded(sequences))
        assert motif.sites.sequence.tolist() == [2] and motif.sites.start.tolist() == [10]
        np.testing.assert_array_equal(motif.pfm, pfm_from_sites([word]))


def test_a_filter_that_never_fires_is_named_and_kept_in_its_place():
    conv = of_pwms(pwm_of(CTCF), pwm_of(CTCF), pwm_of(CTCF))
    with torch.no_grad():
        conv.bias[1] = -1000
    inputs = encoded(random_sequences(30, 60, np.random.default_rng(0)))
    motifs = filter_pfms(conv, inputs)
    assert [motif.dead for motif in motifs] == [False, True, False]
    dead = motifs[1]
    assert repr(dead) == "filter 1: never fires"
    assert (len(dead), dead.share, dead.mean, dead.highest) == (0, 0, 0, 0)
    assert dead.pfm.shape == (19, 4) and not dead.pfm.any()
    with pytest.raises(ValueError, match="filter 1 never fires"):
        dead.ppm  # noqa: B018


def test_sequences_too_full_of_n_leave_no_site():
    [motif] = filter_pfms(of_pwms(pwm_of(CTCF), bias=100.0), encoded(["ACGT" * 4 + "N" + "ACGT" * 4]))
    assert motif.dead


def test_both_strands_of_a_sequence_give_one_motif():
    rng = np.random.default_rng(3)
    sequences = random_sequences(60, 40, rng)
    conv = convolution(width=9)
    there = filter_pfms(conv, encoded(sequences))
    back = filter_pfms(conv, encoded([reverse_complement(sequence) for sequence in sequences]))
    for one, other in zip(there, back):
        np.testing.assert_array_equal(one.pfm, other.pfm)
        np.testing.assert_array_equal(one.sites.start, 40 - 9 - other.sites.start)
        assert (one.sites.strand != other.sites.strand).all()


@pytest.mark.parametrize("batch_size", [1, 7, 1000])
def test_the_size_of_a_batch_changes_nothing(batch_size):
    inputs = encoded(random_sequences(50, 30, np.random.default_rng(2)))
    conv = convolution()
    for one, other in zip(filter_pfms(conv, inputs), filter_pfms(conv, inputs, batch_size=batch_size)):
        np.testing.assert_array_equal(one.pfm, other.pfm)
        np.testing.assert_allclose(one.sites.activation, other.sites.activation, rtol=1e-5)


def test_the_layer_and_the_inputs_stay_as_they_were():
    inputs = encoded(random_sequences(8, 30, np.random.default_rng(5))).requires_grad_()
    conv = convolution().train()
    before = copy.deepcopy(conv.state_dict())
    filter_pfms(conv, inputs)
    assert conv.training and inputs.grad is None and conv.weight.grad is None
    assert all(torch.equal(value, before[name]) for name, value in conv.state_dict().items())


def test_a_convolution_without_bias_and_one_in_double_are_read_too():
    inputs = encoded(random_sequences(20, 30, np.random.default_rng(6)))
    conv = convolution(bias=False)
    with_zeros = convolution()
    with torch.no_grad():
        with_zeros.weight.copy_(conv.weight)
        with_zeros.bias.zero_()
    expected = filter_pfms(with_zeros, inputs)
    for layer in (conv, copy.deepcopy(conv).double()):
        for one, other in zip(filter_pfms(layer, inputs), expected):
            np.testing.assert_array_equal(one.pfm, other.pfm)


def test_what_comes_out_goes_into_logos_matches_and_files(tmp_path):
    inputs = encoded(random_sequences(100, 40, np.random.default_rng(7)))
    motif = filter_pfms(convolution(), inputs)[2]
    assert "sequence logo of 6 positions" in logo_picture(motif.ppm, "filter 2").alt
    assert len(best_matches(motif.ppm, JASPAR)) == 12
    write_motifs(tmp_path / "filters.txt", [motif.motif])
    [again] = read_motifs(tmp_path / "filters.txt")
    assert (again.accession, again.name) == ("filter_2", "filter 2")
    np.testing.assert_array_equal(again.pfm, motif.pfm)
    assert repr(motif).startswith(f"filter 2: {consensus(motif.pfm)}, {len(motif)} sites in ")


def test_the_activations_are_those_that_the_lessons_network_goes_on_with():
    with seeded(2):
        model = BothStrandsCNN(filters=6, width=9)
    inputs = encoded(random_sequences(40, 30, np.random.default_rng(9)))
    activations = torch.zeros(40, 6)
    for motif in filter_pfms(model.conv, inputs, share=0):
        activations[motif.sites.sequence, motif.number] = torch.from_numpy(motif.sites.activation)
    torch.testing.assert_close(model.linear(activations).squeeze(1), model(inputs))


# --- a filter less -------------------------------------------------------------------------------


def test_a_copy_without_a_filter_does_what_the_network_would_do_without_it():
    with seeded(1):
        model = GlobalMaxCNN(filters=4).train()
    inputs = encoded(random_sequences(10, 30, np.random.default_rng(8)))
    before = model(inputs).detach()
    silenced = without_filter(model, 2)
    activation = model.pool(model.relu(model.conv(inputs)))[:, :, 0]  # (N, 4)
    activation[:, 2] = 0
    torch.testing.assert_close(silenced(inputs), model.linear(activation))
    assert silenced.training
    assert torch.equal(model(inputs), before)
    assert not torch.equal(silenced(inputs), before)


def test_every_filter_of_a_network_can_be_silenced():
    model = MotifCNN()
    for number in range(16):
        silenced = without_filter(model, np.int64(number))
        assert not silenced.conv.weight[number].any() and not silenced.conv.bias[number]
        others = [n for n in range(16) if n != number]
        assert torch.equal(silenced.conv.weight[others], model.conv.weight[others])
    bare = MotifCNN()
    bare.conv = nn.Conv1d(4, 16, 3, padding=1, bias=False)
    assert not without_filter(bare, 0).conv.weight[0].any()
