"""Random inputs that the exercises of more than one lesson need."""

import numpy as np

from course_utils.sequences import ALPHABET


def random_sequence(rng: np.random.Generator, length: int, letters: str = ALPHABET) -> str:
    """So many of these letters, all equally likely."""
    return "".join(rng.choice(list(letters), size=length))
