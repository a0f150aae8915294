"""How explorers write numbers; `plotting.short_number` writes those on axes."""

import math


def write_many(number: int, thing: str) -> str:
    """A number of things: ``1 site``, ``2 sites``, ``16,384 sites``."""
    return f"{number:,} {thing}" + ("s" if number != 1 else "")


def write_bits(value: float) -> str:
    """A score or an information, to two decimals."""
    if value == -math.inf:
        return "−∞"
    return f"{round(value, 2) + 0.0:.2f}".replace("-", "−")  # + 0.0: never a minus before zero
