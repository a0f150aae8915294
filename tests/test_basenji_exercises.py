"""The exercises of lessons 09 and 10: their answers are the package's, and how features are judged."""

import numpy as np
import pytest

from course_utils.exercises import NOT_YET, lesson_09, lesson_10
from course_utils.exercises._lesson_10_baseline import BIN_SIZE, BINS, FAR_ENOUGH, _draw, _Judge
from course_utils.exercises.lesson_10 import beat_the_baseline

# --- the exercises ask for what the package does ---------------------------------------------------


def same_as_the_package(exercise, function):
    for seed in range(3):
        feedback = exercise(function, seed=seed)
        assert feedback.correct, repr(feedback)


def test_the_receptive_field_is_the_packages():
    from course_utils.receptive_fields import Layer, receptive_field

    same_as_the_package(
        lesson_09.receptive_field, lambda layers: receptive_field([Layer(*layer) for layer in layers])
    )


def test_the_lectures_network_sees_32785_bases_or_255_bins():
    squeeze = [(21, 2, 1), *[(7, 4, 1)] * 3]
    dilated = [(3, 1, 2**i) for i in range(7)]
    assert lesson_09.receptive_field.oracle(squeeze + dilated) == 32_785
    assert lesson_09.receptive_field.oracle(dilated) == 255
    assert lesson_09.plain_layers.oracle(255, 3, True) == 7
    assert lesson_09.plain_layers.oracle(255, 3, False) == 127


def test_the_glu_and_the_normalised_weight_are_pytorchs():
    import torch
    from torch import nn

    same_as_the_package(lesson_09.glu, lambda h: nn.functional.glu(h, dim=1))

    def by_pytorch(v, g):
        layer = nn.Conv1d(v.shape[1], v.shape[0], v.shape[2])
        layer = nn.utils.parametrizations.weight_norm(layer)
        with torch.no_grad():
            layer.parametrizations.weight.original0[:] = g[:, None, None]
            layer.parametrizations.weight.original1[:] = v
        return layer.weight

    same_as_the_package(lesson_09.weight_norm, by_pytorch)


def test_the_channels_are_those_of_the_lectures_network():
    from course_utils.models.basenji import Basenji

    network = Basenji()
    entering = [block.conv.in_channels for block in network.dilated] + [network.head.in_channels]
    assert lesson_09.dense_channels.oracle(96, 24, 7) == entering


def test_the_loss_and_the_schedule_are_the_packages():
    import torch

    from course_utils.losses import log_poisson
    from course_utils.schedules import cosine

    same_as_the_package(
        lesson_10.log_poisson,
        lambda log_rates, counts: log_poisson(torch.tensor(log_rates), torch.tensor(counts)).item(),
    )
    same_as_the_package(
        lesson_10.cosine_with_warmup, lambda step, steps, warmup: cosine(steps, warmup)(step)
    )


def test_the_turned_and_the_shifted_window_are_the_packages():
    import torch

    from course_utils.augmentation import reverse_complement, shift

    def turned(one_hot, tracks, swap):
        inputs = torch.from_numpy(one_hot.T.copy())[None]
        inputs, tracks = reverse_complement(inputs, torch.from_numpy(tracks)[None], swap.tolist())
        return inputs[0].numpy().T, tracks[0].numpy()

    same_as_the_package(lesson_10.reverse_complement_window, turned)
    same_as_the_package(
        lesson_10.shift_with_padding,
        lambda one_hot, by: shift(torch.from_numpy(one_hot.T.copy())[None], by)[0].numpy().T,
    )


def test_pearson_per_track_is_the_packages():
    from course_utils.tracks import pearson_per_track

    same_as_the_package(lesson_10.pearson_per_track, pearson_per_track)


# --- what is shown of a wrong answer ---------------------------------------------------------------


def came_and_expected(feedback) -> tuple[str, str]:
    """What is written after the two words, each of which may go on for several lines."""
    after = repr(feedback).split("Came:     ")[1].split("\nHint:")[0]
    came, expected = after.split("\nExpected: ")
    return came, expected


def test_of_a_pair_that_part_is_shown_whole_which_is_wrong():
    check = lesson_10.reverse_complement_window
    came, expected = came_and_expected(check(lambda x, tracks, swap: (x[::-1, ::-1], tracks[::-1])))
    assert came.startswith("one_hot is right; tracks: array of shape (2, 3)\n[[")
    assert expected.startswith("tracks: array of shape (2, 3)\n[[")
    assert came.split("\n")[1:] != expected.split("\n")[1:]
    came, expected = came_and_expected(check(lambda x, tracks, swap: [x, tracks[::-1, swap]]))
    assert came.startswith("tracks is right; one_hot: array of shape (6, 4)\n[[") and "tracks" not in expected
    came, expected = came_and_expected(check(lambda x, tracks, swap: (x, tracks)))
    for words in (came, expected):
        assert words.startswith("one_hot: array") and "\ntracks: array of shape (2, 3)" in words


@pytest.mark.parametrize(
    "answer",
    [lambda x, tracks, swap: x, lambda x, tracks, swap: (x, tracks, swap), lambda x, tracks, swap: (None, "ab")],
)
def test_what_is_no_pair_of_arrays_is_shown_as_it_is(answer):
    feedback = lesson_10.reverse_complement_window(answer)
    assert feedback.state == NOT_YET and "Came:" in repr(feedback) and "Expected:" in repr(feedback)


def test_the_first_step_that_is_shown_of_a_schedule_is_one_of_the_warm_up():
    def divides(step, steps, warmup):
        rise = step / warmup
        return rise if step < warmup else lesson_10.cosine_with_warmup.oracle(step, steps, warmup)

    assert came_and_expected(lesson_10.cosine_with_warmup(divides)) == ("0.0", "0.25")


# --- beat_the_baseline -----------------------------------------------------------------------------


def counted(one_hot, bin_size):
    """The right features, CpGs, boxes and boxes beside."""
    return beat_the_baseline.oracle(one_hot, bin_size)


def test_the_answer_gets_windows_one_by_one_as_the_stub_promises():
    seen = []

    def answer(one_hot, bin_size):
        seen.append((one_hot.shape, one_hot.dtype, bool((one_hot.sum(axis=1) == 1).all()), bin_size))
        return np.ones((BINS, 1))

    beat_the_baseline(answer)
    assert set(seen) == {((BINS * BIN_SIZE, 4), np.dtype("float32"), True, BIN_SIZE)} and len(seen) == 240


@pytest.mark.parametrize("seed", range(3))
def test_the_true_rates_are_all_the_way_and_the_baseline_none_of_it(seed):
    judge = _Judge(seed)
    assert judge.way(judge.judge.rates) == pytest.approx(1)
    assert judge.way(judge.baseline) == pytest.approx(0)
    features = [np.log(drawn.rates)[..., None] for drawn in (judge.learn, judge.judge)]
    assert judge.way(judge.predict(*features)) > 0.95


@pytest.mark.parametrize("seed", range(3))
def test_composition_alone_or_boxes_alone_do_not_pass(seed):
    from course_utils.tracks import composition

    everything = beat_the_baseline(
        lambda one_hot, bin_size: composition(one_hot[None], bin_size, (1, 3, 5, 9))[0], seed=seed
    )
    assert everything.state == NOT_YET and "know next to nothing" in repr(everything)
    boxes = beat_the_baseline(lambda one_hot, bin_size: counted(one_hot, bin_size)[:, 1:], seed=seed)
    assert boxes.state == NOT_YET and "less of the CpGs" in repr(boxes)


def test_a_passing_answer_is_told_how_far_it_goes():
    said = repr(beat_the_baseline(counted))
    way = int(said.split("features go ")[1].split("%")[0])
    assert FAR_ENOUGH <= way / 100 <= 1.05


@pytest.mark.parametrize(
    "value, words",
    [
        (None, "does it end with `return`?"),
        (3.0, "an array is expected, and a number came"),
        (np.ones((BINS + 1, 2)), "make 24 rows"),
        (np.ones((BINS, 2, 2)), "two axes are expected"),
        (np.ones((BINS, 0)), "there is no feature in it"),
        (np.array([["a"]] * BINS), "numbers are expected"),
        (np.full((BINS, 2), np.nan), "holds NaN or infinity"),
        (np.full((BINS, 2), -1e308), "numbers beyond 1e+100"),
        (np.ones((BINS, 101)), "100 is the most"),
    ],
)
def test_what_are_no_features_is_told(value, words):
    answers = [value]
    feedback = beat_the_baseline(lambda one_hot, bin_size: answers[0])
    assert feedback.state == NOT_YET and words in repr(feedback)


def test_another_number_of_features_in_another_window_is_told():
    widths = iter(range(1, 300))
    feedback = beat_the_baseline(lambda one_hot, bin_size: np.ones((BINS, next(widths))))
    assert "each window is to have the same features" in repr(feedback)


def test_an_error_is_told_with_its_line_and_not_thrown():
    names = {}
    source = "def answer(one_hot, bin_size):\n    bins = len(one_hot)\n    return bins / 0\n"
    exec(compile(source, "<cell>", "exec"), names)
    (came,) = (line for line in beat_the_baseline(names["answer"]).lines if line.startswith("Came:"))
    assert came == "Came:     ZeroDivisionError: division by zero (line 3 of the cell)"


def test_huge_and_random_features_are_judged_without_complaint():
    def noise(one_hot, bin_size):
        rng = np.random.default_rng(int(one_hot[:200, 0].sum()))
        return rng.normal(size=(BINS, 20)) * 10.0 ** np.arange(-10, 10)

    feedback = beat_the_baseline(noise)
    assert feedback.state == NOT_YET and "know next to nothing" in repr(feedback)


def test_an_answer_may_spoil_its_input():
    def spoils(one_hot, bin_size):
        features = counted(one_hot, bin_size)
        one_hot[:] = 0
        return features

    assert beat_the_baseline(spoils).correct


def test_the_windows_are_poor_in_cpg_outside_islands_and_hold_boxes_by_chance():
    one_hot = _draw(100, np.random.default_rng(0)).one_hot
    features = np.array([counted(window, BIN_SIZE) for window in one_hot])
    cpgs, boxes = features[..., 0].ravel(), features[..., 1].ravel()
    assert np.median(cpgs) <= 2 and np.quantile(cpgs, 0.95) >= 8
    assert 0.05 < np.mean(boxes > 0) < 0.25
