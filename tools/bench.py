"""Run the comparisons of benchmarks/ and keep what they print, for the site.

    python tools/bench.py [NAME ...]      these scripts of benchmarks/, or all

Each script's output goes to the screen as it comes and, when the script has ended well, to
benchmarks/results/NAME.txt. A script that fails leaves its last result as it is, and the others run all the same.
"""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
SCRIPTS = sorted(path.stem for path in (ROOT / "benchmarks").glob("*.py"))


def run(name: str) -> int:
    """Run one script; returns how it ended."""
    lines = []
    command = [sys.executable, "-u", str(ROOT / "benchmarks" / f"{name}.py")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as script:
        for line in script.stdout:
            print(line, end="", flush=True)
            lines.append(line.rstrip() + "\n")
    if script.returncode == 0:
        result = ROOT / "benchmarks/results" / f"{name}.txt"
        result.parent.mkdir(exist_ok=True)
        beside = result.with_name(result.name + ".part")
        beside.write_text("".join(lines).strip("\n") + "\n", "utf-8")
        os.replace(beside, result)
    return script.returncode


def main(names: list[str]) -> int:
    if wrong := set(names) - set(SCRIPTS):
        print(f"no benchmark {', '.join(sorted(wrong))}; there are {', '.join(SCRIPTS)}", file=sys.stderr)
        return 2
    failed = []
    for name in names or SCRIPTS:
        print(f"== benchmarks/{name}.py", flush=True)
        failed += [name] if run(name) else []
    if failed:
        print(f"failed: {', '.join(failed)}", file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
