"""How long `import course_utils` takes: fresh interpreters with and without it, in turn.

    python benchmarks/import_time.py

Medians of five. The aim is under 0.2 seconds for the whole start.
"""

import subprocess
import sys
import time
from statistics import median

REPEATS = 5
STATEMENTS = {"python alone": "pass", "import course_utils": "import course_utils"}


def start(statement: str) -> float:
    """Seconds from starting an interpreter with this statement to its end."""
    begin = time.perf_counter()
    subprocess.run([sys.executable, "-c", statement], check=True)
    return time.perf_counter() - begin


def main() -> None:
    for statement in STATEMENTS.values():
        start(statement)  # so that all files are in the system's memory
    times = {name: [] for name in STATEMENTS}
    for _ in range(REPEATS):
        for name, statement in STATEMENTS.items():
            times[name].append(start(statement))
    alone, together = (median(times[name]) for name in STATEMENTS)
    print(f"python alone           {1e3 * alone:6.0f} ms")
    print(f"with the import        {1e3 * together:6.0f} ms (aim: under 200)")
    print(f"the import itself      {1e3 * (together - alone):6.0f} ms")


if __name__ == "__main__":
    main()
