"""Train the networks that the classifier explorer of lesson 04 shows: data/classifier_runs.json.

    python tools/classifier_runs.py

Takes about a minute and a half. Run it again when `course_utils/explorers/classifier.py` trains in another way;
`tests/test_classifier_explorer.py` compares some of the runs with the file.
"""

import json
from itertools import product
from pathlib import Path

from course_utils.explorers.classifier import FILTERS, PLACES, POOLINGS, RUNS, WIDTHS, make_runs

PATH = Path(__file__).resolve().parents[1] / "data" / RUNS


def main() -> None:
    content = make_runs(list(product(FILTERS, WIDTHS, POOLINGS, PLACES)))
    runs = [
        f"{json.dumps(key)}: {json.dumps(run, separators=(',', ':'))}"
        for key, run in content["runs"].items()
    ]
    head = f'{{"ceilings": {json.dumps(content["ceilings"])},\n"runs": {{\n'
    PATH.write_text(head + ",\n".join(runs) + "\n}}\n", encoding="utf-8")
    print(f"{len(runs)} runs, {PATH.stat().st_size:,} bytes: {PATH.name}")


if __name__ == "__main__":
    main()
