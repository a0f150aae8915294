"""A small genome in a folder, FASTA, BigWig and tables, and what windows of it hold, by plain loops."""

from pathlib import Path

import numpy as np
import pybigtools

SIZES = {"chr1": 2000, "chr2": 1100, "chr3": 1000, "tiny": 50}
TABLE = """\tidentifier\tfile\tclip\tscale\tsum_stat\tstrand_pair\tdescription
0\tC1+\tplus.bw\t\t\tsum\t1\tCAGE: heart
1\tC1-\tminus.bw\t\t-1\tsum\t0\tCAGE: heart
2\tD1\tdnase.bw\t3\t0.5\tmean\t2\tDNase
3\tD2\tdnase.bw\t40\t2\t\t3\t
"""


def letters() -> dict[str, str]:
    """Chromosome -> its bases: some lower case, and N at the end of chr1 and the beginning of chr3."""
    rng = np.random.default_rng(1)
    shares = [0.2] * 4 + [0.05] * 4
    found = {name: "".join(rng.choice(list("ACGTacgt"), size, p=shares)) for name, size in SIZES.items()}
    found["chr1"] = found["chr1"][:1840] + 160 * "N"
    found["chr3"] = 10 * "n" + found["chr3"][10:]
    return found


def stretches() -> dict[str, list[tuple[str, int, int, float]]]:
    """File -> (chromosome, start, end, number), with gaps; numbers that add up without rounding."""
    rng = np.random.default_rng(2)
    found = {}
    for file, sign in (("plus.bw", 1), ("minus.bw", -1), ("dnase.bw", 1)):
        found[file] = []
        for name, size in SIZES.items():
            edges = np.sort(rng.choice(size, size // 10 * 2, replace=False)).tolist()
            for start, end in zip(edges[::2], edges[1::2]):
                found[file].append((name, start, end, sign * int(rng.integers(1, 40)) / 4))
    return found


def write_fasta(path: Path, sequences: dict[str, str], width: int = 60) -> Path:
    lines = []
    for name, sequence in sequences.items():
        lines += [f">{name} of a small genome"] + [sequence[at : at + width] for at in range(0, len(sequence), width)]
    path.write_text("\n".join(lines) + "\n", "utf-8")
    return path


def write_bigwig(path: Path, values: list, sizes: dict[str, int] = SIZES) -> Path:
    """Every chromosome gets a number, be it 0: the writer would leave it out else."""
    there = {name for name, *_ in values}
    values = [*values, *((name, size - 1, size, 0.0) for name, size in sizes.items() if name not in there)]
    pybigtools.open(str(path), "w").write(sizes, sorted(values, key=lambda value: list(sizes).index(value[0])))
    return path


def small_genome(folder: Path) -> Path:
    """Fill a folder: genome.fa, three BigWig files and targets.txt."""
    folder.mkdir(parents=True, exist_ok=True)
    write_fasta(folder / "genome.fa", letters())
    for name, values in stretches().items():
        write_bigwig(folder / name, values)
    (folder / "targets.txt").write_text(TABLE, "utf-8")
    return folder


def per_base(file: str, chromosome: str) -> list[float]:
    values = [0.0] * SIZES[chromosome]
    for name, start, end, value in stretches()[file]:
        if name == chromosome:
            for base in range(start, end):
                values[base] = value
    return values


def window_by_loops(chromosome: str, start: int, length: int, bin_size: int) -> tuple[np.ndarray, np.ndarray]:
    """One-hot ``(length, 4)`` and the four tracks ``(bins, 4)``, as the table says."""
    one_hot = np.zeros((length, 4), bool)
    for at, letter in enumerate(letters()[chromosome][start : start + length].upper()):
        if letter in "ACGT":
            one_hot[at, "ACGT".index(letter)] = True
    plus, minus, dnase = (per_base(file, chromosome) for file in ("plus.bw", "minus.bw", "dnase.bw"))
    tracks = np.zeros((length // bin_size, 4))
    for number in range(length // bin_size):
        bases = range(start + number * bin_size, start + (number + 1) * bin_size)
        total = [sum(values[base] for base in bases) for values in (plus, minus, dnase)]
        tracks[number] = [total[0], -total[1], min(total[2] / bin_size * 0.5, 3), min(total[2] * 2, 40)]
    return one_hot, tracks
