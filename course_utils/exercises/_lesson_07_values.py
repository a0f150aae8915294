"""The exercises of lesson 07 on tensors of values: a gradient without its mean, and what is not complete."""

from collections.abc import Callable

import numpy as np

from course_utils.exercises import Exercise, Mistake


# --- centre: the mean over the four letters taken off --------------------------------------------


def _tensor(array: np.ndarray):
    """A float32 tensor, without loading torch before it is needed."""
    import torch

    return torch.from_numpy(np.asarray(array, dtype=np.float32))


def _centre(gradient):
    centred = gradient.clone()
    sequences, _, length = gradient.shape
    for sequence in range(sequences):
        for position in range(length):
            mean = sum(float(gradient[sequence, base, position]) for base in range(4)) / 4
            for base in range(4):
                centred[sequence, base, position] -= mean
    return centred


def _gradient_cases(rng):
    """Whole eighths, so that no way to add up rounds; four sequences, and four positions, set traps."""
    shapes = (1, 4, 3), (4, 4, 5), (3, 4, 4), (8, 4, 16)
    return [(_tensor(rng.integers(-32, 33, shape) / 8),) for shape in shapes]


def _less_mean(*axes: int) -> Callable:
    return lambda gradient: gradient - gradient.mean(dim=axes, keepdim=True)


centre = Exercise(
    oracle=_centre,
    cases=_gradient_cases,
    mistakes=[
        Mistake(
            _less_mean(2),
            "the mean is taken over the positions (axis 2). What is unknown is one number for each "
            "position, shared by its four letters: axis 1.",
        ),
        Mistake(
            _less_mean(0),
            "the mean is taken over the sequences (axis 0). Each has its own gradient; the four letters of "
            "a position are axis 1.",
        ),
        Mistake(
            _less_mean(0, 1, 2),
            "one mean of everything is subtracted. Each position of each sequence has a mean of its own, "
            "over its four letters.",
        ),
        Mistake(
            _less_mean(1, 2),
            "one mean is subtracted from a whole sequence. Each position has a mean of its own.",
        ),
        Mistake(
            _less_mean(0, 2),
            "each letter has one mean here, over all positions and sequences: four means in all. It is the "
            "other way: for each position one mean, over its four letters.",
        ),
        Mistake(
            _less_mean(0, 1),
            "the mean is also taken over the sequences; each has its own.",
        ),
        Mistake(
            lambda gradient: gradient - gradient.mean(dim=1),
            "the axis of the letters is gone after the mean, so that (N, L) is subtracted from (N, 4, L); "
            "where there are 4 sequences, each letter then gets the mean of another sequence. keepdim=True "
            "leaves (N, 1, L).",
        ),
        Mistake(
            lambda gradient: gradient.mean(dim=1, keepdim=True).expand_as(gradient).clone(),
            "these are the means; subtract them from the gradient.",
        ),
        Mistake(
            lambda gradient: gradient.mean(dim=1, keepdim=True),
            "these are the means, one for each position; subtract them from the gradient.",
        ),
        Mistake(
            lambda gradient: gradient.mean(dim=1, keepdim=True) - gradient,
            "the sign is turned: the gradient less the mean.",
        ),
        Mistake(
            lambda gradient: gradient + gradient.mean(dim=1, keepdim=True),
            "the mean is added; take it off.",
        ),
        Mistake(
            lambda gradient: gradient - gradient.sum(dim=1, keepdim=True),
            "the sum of the four is subtracted, four times their mean.",
        ),
        Mistake(
            lambda gradient: _less_mean(1)(gradient) / gradient.std(dim=1, keepdim=True),
            "each position is divided by its standard deviation, too. Then a position that hardly matters "
            "looks as large as the site.",
        ),
        Mistake(
            lambda gradient: gradient - gradient.median(dim=1, keepdim=True).values,
            "the median is subtracted; the mean is asked.",
        ),
        Mistake(
            lambda gradient: gradient.abs() - gradient.abs().mean(dim=1, keepdim=True),
            "the absolute values were taken first; which letters raise the logit and which lower it is lost.",
        ),
        Mistake(
            lambda gradient: (gradient - gradient.mean(dim=1, keepdim=True)).numpy(),
            "an array came; a tensor is asked, as came in.",
        ),
    ],
)


# --- completeness: what is missing, or too much --------------------------------------------------


def _completeness(values, logits, reference_logits):
    errors = logits.clone()
    for number in range(len(values)):
        total = float(sum(value for row in values[number].tolist() for value in row))
        errors[number] = total - (float(logits[number]) - float(reference_logits[number]))
    return errors


def _attribution_cases(rng):
    """Whole sixteenths, so that no way to add up rounds; four sequences of four letters set traps."""
    cases = []
    for sequences, length in ((1, 3), (4, 4), (3, 6), (6, 12)):
        values = rng.integers(-16, 17, (sequences, 4, length)) / 16
        values *= rng.random(values.shape) < 0.5
        reference = rng.integers(-64, 65, sequences) / 16
        error = rng.integers(-8, 9, sequences) / 16
        error[error == 0] = 0.25
        logits = values.sum(axis=(1, 2)) + reference - error
        cases.append((_tensor(values), _tensor(logits), _tensor(reference)))
    return cases


def _of_sums(slip: Callable) -> Callable:
    """An answer that has the right sum of each sequence, and does something with it and the logits."""
    return lambda values, logits, references: slip(values.sum(dim=(1, 2)), logits, references)


completeness = Exercise(
    oracle=_completeness,
    cases=_attribution_cases,
    mistakes=[
        Mistake(
            _of_sums(lambda total, logits, references: total - logits),
            "the logit of the reference is forgotten. The values explain the way from the reference to the "
            "sequence, not from 0.",
        ),
        Mistake(
            _of_sums(lambda total, logits, references: total - (logits + references)),
            "the two logits are added; what is explained is their difference.",
        ),
        Mistake(
            _of_sums(lambda total, logits, references: total - (references - logits)),
            "the way is walked backwards: from the reference to the sequence, so the sequence's logit less "
            "the reference's.",
        ),
        Mistake(
            _of_sums(lambda total, logits, references: logits - references - total),
            "the sign is turned: what the values add up to, less what they should. Above 0 is then too much.",
        ),
        Mistake(
            _of_sums(lambda total, logits, references: (total - (logits - references)).abs()),
            "the absolute value hides whether too much or too little was handed out; leave the sign.",
        ),
        Mistake(
            _of_sums(lambda total, logits, references: total),
            "these are the sums; subtract the difference of the logits, which they should be.",
        ),
        Mistake(
            _of_sums(lambda total, logits, references: logits - references),
            "this is what the values should add up to; compare it with what they do.",
        ),
        Mistake(
            lambda values, logits, references: values.sum() - (logits - references),
            "the values of all sequences are added up; each sequence has its own sum: over letters and "
            "positions, axes 1 and 2.",
        ),
        Mistake(
            lambda values, logits, references: values.sum() - (logits.sum() - references.sum()),
            "one number came for all sequences together, and there too much of one cancels too little of "
            "another. Each sequence has its own.",
        ),
        Mistake(
            _of_sums(lambda total, logits, references: (total - (logits - references)).mean()),
            "this is the mean over the sequences, in which too much of one cancels too little of another. "
            "Each sequence has its own.",
        ),
        Mistake(
            lambda values, logits, references: values.mean(dim=(1, 2)) - (logits - references),
            "the mean of the values is taken; complete means that their sum is the difference.",
        ),
        Mistake(
            lambda values, logits, references: values.abs().sum(dim=(1, 2)) - (logits - references),
            "the values lost their signs. What lowers the logit counts against what raises it.",
        ),
        Mistake(
            lambda values, logits, references: values.sum(dim=1) - (logits - references)[:, None],
            "there is a number for each position: sum over the positions, too.",
        ),
        Mistake(
            lambda values, logits, references: values.sum(dim=2) - (logits - references)[:, None],
            "there is a number for each letter: sum over the letters, too.",
        ),
        Mistake(
            lambda values, logits, references: (
                values.sum(dim=(1, 2)) - (logits.sigmoid() - references.sigmoid())
            ),
            "the probabilities are compared. The values are in logits, as the network gives them, before "
            "the sigmoid.",
        ),
        Mistake(
            _of_sums(lambda total, logits, references: total / (logits - references)),
            "this is a ratio; the difference is asked. Where the two logits are equal, a ratio says nothing.",
        ),
    ],
)
