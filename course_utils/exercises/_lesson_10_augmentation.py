"""The exercises of lesson 10 that turn and move a window: reverse complement, and a shift that does not wrap."""

from collections.abc import Callable

import numpy as np

from course_utils.exercises import Exercise, Mistake, same, show

# --- reverse_complement_window: the same piece of genome, read from the other strand -------------


def _turned(one_hot, tracks, swap):
    length, (bins, count) = len(one_hot), tracks.shape
    bases, turned = np.zeros_like(one_hot), np.zeros_like(tracks)
    for position in range(length):
        for base in range(4):  # A, C, G, T: the partner of 0 is 3, that of 1 is 2
            bases[length - 1 - position, 3 - base] = one_hot[position, base]
    for at in range(bins):
        for track in range(count):
            turned[bins - 1 - at, swap[track]] = tracks[at, track]
    return bases, turned


def _window_cases(rng):
    def window(bins, bin_size, swap):
        codes = rng.integers(0, 4, bins * bin_size)
        codes[[0, -1]] = [0, 2]  # A to G: neither its own reverse complement nor the same backwards
        tracks = rng.permutation(np.arange(1, bins * len(swap) + 1)).reshape(bins, -1) / 2
        return np.eye(4, dtype=np.float32)[codes], tracks.astype(np.float32), np.array(swap)

    return [
        window(2, 3, [1, 0, 2]),
        window(3, 2, [0, 2, 1, 3]),
        window(4, 4, [1, 0, 3, 2, 4]),
        window(5, 8, [3, 4, 2, 0, 1]),
    ]


def _turn(bases: Callable | None = None, tracks: Callable | None = None) -> Callable:
    """Right but for the bases or the tracks."""

    def slip(one_hot, observed, swap):
        right = _turned(one_hot, observed, swap)
        return (
            bases(one_hot) if bases else right[0],
            tracks(observed, swap) if tracks else right[1],
        )

    return slip


class _PairExercise(Exercise):
    """An exercise whose answer is a pair: what differs is shown whole, and what is right is not."""

    def _what_happened(self, case, expected, given):
        tried, came, wanted, pictures = super()._what_happened(case, expected, given)
        if isinstance(given.value, (tuple, list)) and len(given.value) == 2:
            parts = list(zip(("one_hot", "tracks"), expected.value, given.value))
            wrong = [part for part in parts if not same(*part[1:])]
            if wrong:
                right = [f"{name} is right; " for name, want, got in parts if same(want, got)]
                came = "".join(right) + "\n".join(f"{name}: {show(got)}" for name, _, got in wrong)
                wanted = "\n".join(f"{name}: {show(want)}" for name, want, _ in wrong)
        return tried, came, wanted, pictures


reverse_complement_window = _PairExercise(
    oracle=_turned,
    cases=_window_cases,
    mistakes=[
        Mistake(
            _turn(tracks=lambda t, swap: t[:, swap]),
            "the sequence is turned round, and the bins are not: the counts now belong to other bases.",
        ),
        Mistake(
            _turn(tracks=lambda t, swap: t[::-1]),
            "the strands are not swapped: what was measured on + is now on -, in the partner's track.",
        ),
        Mistake(
            _turn(tracks=lambda t, swap: t),
            "the sequence is right, and the tracks are as they were; they must be turned, too.",
        ),
        Mistake(
            _turn(bases=lambda x: x),
            "the tracks are right, and the sequence is as it was.",
        ),
        Mistake(
            _turn(bases=lambda x: x[::-1]),
            "the bases are reversed and not complemented: A must become T, and C become G.",
        ),
        Mistake(
            _turn(bases=lambda x: x[:, ::-1]),
            "the bases are complemented and not reversed: the other strand is read from the other end.",
        ),
        Mistake(
            _turn(bases=lambda x: x[::-1][:, [2, 3, 0, 1]]),
            "the wrong partners: A with G and C with T. The columns are A, C, G, T; A pairs with T.",
        ),
        Mistake(
            _turn(bases=lambda x: x[::-1][:, [1, 0, 3, 2]]),
            "the wrong partners: A with C and G with T. The columns are A, C, G, T; A pairs with T.",
        ),
        Mistake(
            _turn(bases=lambda x: 1 - x[::-1]),
            "1 minus a one-hot has three ones in each row; the partner of a base is one column.",
        ),
        Mistake(
            _turn(tracks=lambda t, swap: t[::-1, ::-1]),
            "the tracks are turned round like the bases. Which tracks are partners, only `swap` says.",
        ),
        Mistake(
            _turn(tracks=lambda t, swap: t[:, ::-1]),
            "the tracks are turned round in place of the bins. The bins are the first axis, and which tracks are "
            "partners, only `swap` says.",
        ),
        Mistake(
            _turn(bases=lambda x: x[:, ::-1], tracks=lambda t, swap: t[:, swap]),
            "nothing is reversed: the other strand is read from the other end, and its bins with it.",
        ),
        Mistake(
            _turn(bases=lambda x: x[::-1], tracks=lambda t, swap: t[::-1]),
            "this is the window backwards: neither the bases nor the strands went to their partners.",
        ),
        Mistake(
            lambda x, t, swap: _turned(x, t, swap)[::-1],
            "the two came in the other order: first the sequence, then the tracks.",
        ),
        Mistake(
            lambda x, t, swap: _turned(x, t, swap)[0],
            "this is the sequence alone; its tracks must go with it.",
        ),
    ],
)

# --- shift_with_padding: zeros come in, nothing wraps --------------------------------------------


def _shifted(one_hot, by):
    moved = np.zeros_like(one_hot)
    for position in range(len(one_hot)):
        if 0 <= position + by < len(one_hot):
            for base in range(4):
                moved[position + by, base] = one_hot[position, base]
    return moved


def _shift_cases(rng):
    def sequence(length):
        return np.eye(4, dtype=np.float32)[rng.integers(0, 4, length)]

    first = np.eye(4, dtype=np.float32)[[0, 1, 1, 2, 3]]
    cases = [(first, 2), (first, -1), (first, 0), (sequence(9), -3)]
    return cases + [(sequence(30), int(by)) for by in (*rng.integers(1, 9, 2), *-rng.integers(2, 9, 2))]


def _filled(value: float) -> Callable:
    def slip(one_hot, by):
        moved = _shifted(one_hot, by)
        moved[moved.sum(axis=1) == 0] = value
        return moved

    return slip


def _two_slices(one_hot, by, negative: Callable):
    """The usual way with slices, right for by > 0."""
    moved = np.zeros_like(one_hot)
    if by > 0:
        moved[by:] = one_hot[:-by]
        return moved
    return one_hot.copy() if by == 0 else negative(moved, one_hot, by)


def _one_short(moved, one_hot, by):
    moved[: by - 1] = one_hot[1 - by :]
    return moved


def _no_zero(one_hot, by):
    moved = np.zeros_like(one_hot)
    if by > 0:
        moved[by:] = one_hot[:-by]
    else:
        moved[:by] = one_hot[-by:]
    return moved


def _plus_alone(one_hot, by):
    moved = np.zeros_like(one_hot)
    moved[by:] = one_hot[:-by]
    return moved


def _wrapping_left(one_hot, by):
    return _shifted(one_hot, by) if by >= 0 else np.roll(one_hot, by, axis=0)


def _over_the_end(one_hot, by):
    if by > 0:
        raise IndexError(f"index {len(one_hot)} is out of bounds")
    return np.roll(one_hot, by, axis=0)


def _not_to_the_left(one_hot, by):
    if by < 0:
        raise ValueError("negative")
    return _shifted(one_hot, by)


def _rolled_and_cleared(one_hot, by):
    moved = np.roll(one_hot, by, axis=0)
    moved[:by] = 0
    return moved


shift_with_padding = Exercise(
    oracle=_shifted,
    cases=_shift_cases,
    mistakes=[
        Mistake(
            lambda x, by: np.roll(x, by, axis=0),
            "what leaves at one end comes in at the other, as in the lecture (mistake M31): these bases are no "
            "neighbours in any genome.",
        ),
        Mistake(
            lambda x, by: np.roll(x, -by, axis=0),
            "the wrong direction, and the ends wrap around.",
        ),
        Mistake(
            lambda x, by: np.roll(x, by, axis=1),
            "the bases are moved and not the positions, so A becomes C; positions are the first axis.",
        ),
        Mistake(
            lambda x, by: np.roll(x, by),
            "np.roll without an axis moves through rows and columns as if they were one long list.",
        ),
        Mistake(
            lambda x, by: _shifted(x, -by),
            "the wrong direction: by > 0 moves to the right, so the zeros come in on the left.",
        ),
        Mistake(
            lambda x, by: _shifted(x, abs(by)),
            "a negative number moves to the right here, too; it is to move to the left.",
        ),
        Mistake(
            lambda x, by: _two_slices(x, by, lambda moved, x, by: moved),
            "nothing is left after a shift to the left.",
        ),
        Mistake(
            lambda x, by: _two_slices(x, by, lambda moved, x, by: x.copy()),
            "a shift to the left leaves everything where it was.",
        ),
        Mistake(
            lambda x, by: _two_slices(x, by, _one_short),
            "right to the right, and one too far to the left: x[:-2] drops two already.",
        ),
        Mistake(
            _no_zero,
            "right but for a shift of 0: x[:0] is empty, and so is what -0 leaves.",
        ),
        Mistake(
            _plus_alone,
            "right for by > 0 alone: with a negative number the slices select another part, and with 0 nothing.",
        ),
        Mistake(
            _over_the_end,
            "i + by runs over the end for by > 0, and for by < 0 it is negative at first: moved[-1] is the last "
            "row, so the ends wrap. Copy only where 0 <= i + by < len(one_hot).",
        ),
        Mistake(
            _wrapping_left,
            "right to the right. To the left, what leaves comes in again at the other end: a negative index counts "
            "from there. Ask for 0 <= i + by, too; after np.roll, clear the last rows.",
        ),
        Mistake(
            _not_to_the_left,
            "by < 0 ends in an error: np.pad takes no negative number, and x[: L - by] reaches beyond the end. "
            "Treat left and right apart.",
        ),
        Mistake(
            _rolled_and_cleared,
            "after a roll to the left, the rows that wrapped are the last ones, x[by:]; x[:by] is all the others.",
        ),
        Mistake(
            lambda x, by: _shifted(x, by) if by else np.zeros_like(x),
            "a shift of 0 clears every row: x[by:] is all of x then. Only by < 0 has rows to clear there.",
        ),
        Mistake(
            _filled(0.25),
            "0.25 came in for each base; zeros are asked, which say 'nothing known here'.",
        ),
        Mistake(
            lambda x, by: x[: len(x) - by] if by >= 0 else x[-by:],
            "the window became shorter: put the zeros in, so that it keeps its length.",
        ),
    ],
)
