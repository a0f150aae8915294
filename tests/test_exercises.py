"""Every exercise of every lesson is proved: solution, stub, wrong answers, constants."""

import contextlib
import copy
import io
import re
import tomllib
from functools import cache
from importlib import import_module

import pytest
from reading import NAMES, ROOT, lesson, output_text, tags

from course_utils import exercises as package
from course_utils.exercises import CORRECT, NOT_STARTED, NOT_YET, Exercise, Feedback


def exercises() -> list[tuple[str, str]]:
    """(lesson, exercise) in the order of the lessons."""
    found = []
    for name in NAMES:
        for cell in lesson(name).cells:
            for tag in tags(cell):
                pair = (name, tag.removeprefix("exercise:"))
                if tag.startswith("exercise:") and pair not in found:
                    found.append(pair)
    return found


# Some of the wrong answers divide by zero, which is what is wrong with them.
pytestmark = pytest.mark.filterwarnings("ignore:invalid value encountered:RuntimeWarning")
EXERCISES = exercises()
every_exercise = pytest.mark.parametrize("name, exercise", EXERCISES)


def parts(name: str, exercise: str) -> list:
    return [cell for cell in lesson(name).cells if f"exercise:{exercise}" in tags(cell)]


@cache
def check_of(name: str, exercise: str) -> Exercise:
    """The check of an exercise; it makes the inputs of a seed once for all the tests."""
    check = copy.copy(getattr(import_module(f"course_utils.exercises.lesson_{name[:2]}"), exercise))
    make, made = check.cases, {}

    def cases(rng):
        seed = str(rng.bit_generator.state)
        if seed not in made:
            made[seed] = list(make(rng))
        return made[seed]

    check.cases = cases
    return check


@pytest.fixture(scope="module", autouse=True)
def known_outcomes():
    """What oracles and known mistakes give for an input is computed once: many answers are held against it."""
    compute, known = package._outcome, {}
    lasting = set()
    for pair in EXERCISES:
        check = check_of(*pair)
        lasting |= {check.oracle, *(mistake.answer for mistake in check.mistakes)}

    def outcome(function, case):
        if function not in lasting:
            return compute(function, case)
        if (function, id(case)) not in known:  # the case lasts as long as its check
            known[function, id(case)] = compute(function, case), case
        return known[function, id(case)][0]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(package, "_outcome", outcome)
        yield


def run(name: str, code: str):
    """Execute code after the lesson's imports; return the function it defines last."""
    [imports] = [cell for cell in lesson(name).cells if "imports" in tags(cell)]
    namespace = {}
    with contextlib.redirect_stdout(io.StringIO()):
        exec(imports.source, namespace)
        exec(code, namespace)
    return namespace[re.findall(r"(?m)^def (\w+)", code)[-1]]


def solution(name: str, exercise: str) -> str:
    last = parts(name, exercise)[-1].source
    block = last.split("<summary>Solution</summary>")[1]
    return re.search(r"```python\n(.*?)```", block, re.DOTALL)[1]


@cache
def judged(name: str, exercise: str, answer: str, seed: int) -> Feedback:
    """What the check says to the code of an answer."""
    return check_of(name, exercise)(run(name, answer), seed=seed)


def hint_of(feedback) -> str:
    assert "Hint:" in repr(feedback), repr(feedback)
    return repr(feedback).split("Hint:", 1)[1].strip()


def wrong_answers() -> list:
    found = []
    for name in NAMES:
        path = ROOT / "tests/wrong_answers" / f"{name}.toml"
        for number, wrong in enumerate(tomllib.loads(path.read_text("utf-8"))["wrong"]):
            found.append(pytest.param(name, wrong, id=f"{name}-{wrong['exercise']}-{number}"))
    return found


def test_there_are_at_least_five_exercises():
    assert len(EXERCISES) >= 5


@pytest.mark.parametrize("name", NAMES)
def test_every_check_of_a_lesson_is_used_by_it(name):
    module = import_module(f"course_utils.exercises.lesson_{name[:2]}")
    defined = {key for key, value in vars(module).items() if isinstance(value, Exercise)}
    assert defined == {exercise for lesson_name, exercise in EXERCISES if lesson_name == name}


@every_exercise
def test_an_exercise_has_head_stub_check_hint_and_solution(name, exercise):
    head, stub, check, end = parts(name, exercise)
    assert [cell.cell_type for cell in (head, stub, check, end)] == [
        "markdown", "code", "code", "markdown",
    ]  # fmt: skip
    assert re.match(r"### Exercise \d+ · .+\n[●○]{3} · \d+ minutes · why it matters: .+", head.source)
    assert '"""' in stub.source and stub.source.rstrip().endswith("...")
    assert re.fullmatch(rf"check\.{exercise}\((\w+)\)", check.source.strip())
    assert "<details><summary>Hint</summary>" in end.source
    assert end.source.count("<details>") == end.source.count("</details>") == 2


@every_exercise
@pytest.mark.parametrize("seed", range(3))
def test_the_collapsed_solution_passes(name, exercise, seed):
    answer = run(name, solution(name, exercise))
    feedback = check_of(name, exercise)(answer, seed=seed)
    assert feedback.correct, repr(feedback)


@every_exercise
def test_the_untouched_stub_is_met_politely(name, exercise):
    _, stub, check, _ = parts(name, exercise)
    assert check_of(name, exercise)(run(name, stub.source)).state == NOT_STARTED
    assert NOT_STARTED in output_text(check), "the saved lesson shows the polite line"


@every_exercise
def test_at_least_two_wrong_answers_are_listed(name, exercise):
    listed = [p.values[1] for p in wrong_answers() if p.values[0] == name]
    answers = [wrong["answer"] for wrong in listed if wrong["exercise"] == exercise]
    hints = {hint_of(judged(name, exercise, answer, 0)) for answer in answers}
    assert len(hints) >= 2, "two wrong answers with two different hints are needed"


@pytest.mark.parametrize("name, wrong", wrong_answers())
@pytest.mark.parametrize("seed", range(3))
def test_a_listed_wrong_answer_gets_its_own_hint(name, wrong, seed):
    feedback = judged(name, wrong["exercise"], wrong["answer"], seed)
    assert feedback.state == NOT_YET
    assert wrong["says"] in hint_of(feedback), repr(feedback)
    others = [m.hint for m in check_of(name, wrong["exercise"]).mistakes]
    assert sum(wrong["says"] in other for other in others) <= 1, "two hints share these words"


@every_exercise
def test_the_hints_of_the_known_mistakes_are_told_apart(name, exercise):
    check = check_of(name, exercise)
    for mistake in check.mistakes:
        feedback = check(mistake.answer)
        assert feedback.state == NOT_YET and mistake.hint in repr(feedback), repr(feedback)


@every_exercise
def test_no_constant_passes(name, exercise):
    import numpy as np

    check = check_of(name, exercise)
    cases = check.cases(np.random.default_rng(0))
    right_once = [package._outcome(check.oracle, case).value for case in cases]
    for constant in [*right_once, None, 0, 1, 0.5, "", "A", [], True, False]:
        assert check(lambda *arguments: constant).state != CORRECT


@every_exercise
def test_the_solution_is_not_shown_by_the_check(name, exercise):
    wrong = repr(check_of(name, exercise)(lambda *arguments: 12345))
    code = [line.strip() for line in solution(name, exercise).splitlines()[1:] if line.strip()]
    assert not any(line in wrong for line in code if len(line) > 12)
