"""Colours as eyes have them: contrast (WCAG 2), colour-blindness simulated, distances in CIELAB.

The arithmetic is written down here once more, apart from `course_utils.plotting`, so that the package is held
against something else than itself. Colours are ``#rrggbb``.
"""

from itertools import combinations

import numpy as np

#: WCAG 2.1, success criteria 1.4.3 (words; large ones from 24 px, or 18.66 px and bold) and 1.4.11 (marks).
WORDS, LARGE_WORDS, MARKS = 4.5, 3.0, 3.0

#: In CIELAB, 2.3 is just noticeable where two fields touch (Mahy, Van Eycken & Oosterlinck 1994). Marks of a
#: picture are small and lie apart, and both make a difference harder to see: six times as much is asked for.
PLAIN_TO_SEE = 6 * 2.3

# Simulation of full colour-vision deficiencies, on linear RGB: Machado, Oliveira & Fernandes, "A
# Physiologically-based Model for Simulation of Color Vision Deficiency", IEEE Transactions on
# Visualization and Computer Graphics 15, 1291-1298 (2009), table 1, severity 1.0.
VISION = {
    "normal": np.eye(3),
    "protanopia": np.array(
        [
            [0.152286, 1.052583, -0.204868],
            [0.114503, 0.786281, 0.099216],
            [-0.003882, -0.048116, 1.051998],
        ]
    ),
    "deuteranopia": np.array(
        [
            [0.367322, 0.860646, -0.227968],
            [0.280085, 0.672501, 0.047413],
            [-0.011820, 0.042940, 0.968881],
        ]
    ),
    "tritanopia": np.array(
        [
            [1.255528, -0.076749, -0.178779],
            [-0.078411, 0.930809, 0.147602],
            [0.004733, 0.691367, 0.303900],
        ]
    ),
}


def channels(colour: str) -> np.ndarray:
    """Red, green, blue from 0 to 1, as a screen is told them."""
    return np.array([int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)])


def hexadecimal(rgb: np.ndarray) -> str:
    return "#" + "".join(f"{round(255 * float(channel)):02x}" for channel in rgb)


def linear(colour: str) -> np.ndarray:
    """The same as shares of light (IEC 61966-2-1)."""
    rgb = channels(colour)
    return np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)


def over(colour: str, ground: str, opacity: float) -> str:
    """What is seen of a colour that lets some of its ground through."""
    return hexadecimal(opacity * channels(colour) + (1 - opacity) * channels(ground))


def contrast(colour: str, other: str) -> float:
    """WCAG 2: from 1 (the same) to 21 (black on white)."""
    lights = (float(linear(one) @ (0.2126, 0.7152, 0.0722)) + 0.05 for one in (colour, other))
    darker, lighter = sorted(lights)
    return lighter / darker


def needed(size: float, bold: bool) -> float:
    """The contrast that words of `size` pixels need."""
    return LARGE_WORDS if size >= 24 or (bold and size >= 18.66) else WORDS


def seen(colour: str, vision: str) -> np.ndarray:
    """The colour as linear RGB that has the same look to someone with ordinary vision."""
    return np.clip(VISION[vision] @ linear(colour), 0, 1)


def lab(rgb: np.ndarray) -> np.ndarray:
    """CIELAB (white point D65) of a linear sRGB colour: IEC 61966-2-1 and CIE 15."""
    to_xyz = np.array(
        [
            [0.4124564, 0.3575761, 0.1804375],
            [0.2126729, 0.7151522, 0.0721750],
            [0.0193339, 0.1191920, 0.9503041],
        ]
    )
    x, y, z = (to_xyz @ rgb) / (0.95047, 1.0, 1.08883)
    fx, fy, fz = (np.cbrt(t) if t > (6 / 29) ** 3 else t / (3 * (6 / 29) ** 2) + 4 / 29 for t in (x, y, z))
    return np.array([116 * fy - 16, 500 * (fx - fy), 200 * (fy - fz)])


def distance(colour: str, other: str, vision: str = "normal") -> float:
    """How far apart two colours look: Euclidean in CIELAB (CIE 1976)."""
    return float(np.linalg.norm(lab(seen(colour, vision)) - lab(seen(other, vision))))


def too_close(colours, least: float = PLAIN_TO_SEE) -> dict[frozenset[str], tuple[float, str]]:
    """Pairs that some vision takes for much the same -> their smallest distance, and which vision that is."""
    found = {}
    for pair in combinations(sorted(colours), 2):
        nearest = min((distance(*pair, vision), vision) for vision in VISION)
        if nearest[0] < least:
            found[frozenset(pair)] = nearest
    return found
