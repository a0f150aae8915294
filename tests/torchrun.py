"""Runs a program in several processes, as `torchrun` starts them."""

import os
import subprocess
import sys
from pathlib import Path


def torchrun(processes: int, *program: str | Path, timeout: float = 120) -> subprocess.CompletedProcess:
    """`program` is a file and its arguments, or ``"-m"``, a module and its arguments."""
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", str(processes)]
    here = os.pathsep.join(filter(None, [str(Path(__file__).parent), os.environ.get("PYTHONPATH")]))
    return subprocess.run(
        [*command, *map(str, program)],
        capture_output=True,
        text=True,
        timeout=timeout,
        env={**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": here},
    )
