"""The shape of the code: tests mirror modules, files and functions stay small, no room with a vague name."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = [ROOT / "billing" / "gembill", ROOT / "billing" / "gembill_simulator", ROOT / "reports" / "gembill_reports"]
SOURCES = sorted(path for package in PACKAGES for path in package.rglob("*.py"))
TESTS = sorted(path for package in PACKAGES for path in (ROOT / "tests" / package.name).rglob("test_*.py"))
UNTESTED_BY_NAME = {"__main__"}  # one line that calls `main`, run by the tests of the command line
VAGUE = {"utils", "util", "helpers", "helper", "common", "manager", "base", "misc", "core"}


def module_of(test: Path) -> Path:
    relative = test.relative_to(ROOT / "tests")
    source_root = next(package.parent for package in PACKAGES if package.name == relative.parts[0])
    return source_root / relative.with_name(relative.name.removeprefix("test_"))


def test_every_module_has_a_test_file_of_its_name():
    missing = []
    for source in SOURCES:
        relative = source.relative_to(ROOT).relative_to(source.relative_to(ROOT).parts[0])
        if source.stem == "__init__" or source.stem in UNTESTED_BY_NAME:
            continue
        mirrored = ROOT / "tests" / relative.with_name(f"test_{source.name}")
        if not mirrored.exists():
            missing.append(str(relative))
    assert missing == []


def test_every_test_file_belongs_to_a_module():
    orphans = [
        str(t.relative_to(ROOT))
        for t in TESTS
        if not module_of(t).exists() and t.stem != f"test_{t.parent.name}"  # the package itself
    ]
    assert orphans == []


@pytest.mark.parametrize(
    "path", [*SOURCES, *sorted((ROOT / "tests").rglob("*.py"))], ids=lambda p: str(p.relative_to(ROOT))
)
def test_a_file_has_at_most_400_lines(path):
    assert len(path.read_text().splitlines()) <= 400


@pytest.mark.parametrize("path", SOURCES, ids=lambda p: str(p.relative_to(ROOT)))
def test_no_function_is_longer_than_50_lines(path):
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            assert (node.end_lineno or 0) - node.lineno < 50, node.name


def test_the_median_function_is_under_ten_lines():
    lengths = sorted(
        (node.end_lineno or 0) - node.lineno + 1
        for path in SOURCES
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    )
    assert lengths[len(lengths) // 2] < 10


@pytest.mark.parametrize("path", SOURCES, ids=lambda p: str(p.relative_to(ROOT)))
def test_a_file_says_what_it_owns_and_has_a_telling_name(path):
    docstring = ast.get_docstring(ast.parse(path.read_text())) or ""
    assert "Owns" in docstring or path.stem == "__main__"
    assert path.stem not in VAGUE


CLOCKS = {"monotonic", "perf_counter", "process_time", "thread_time"}
BY_HAND = {"bench", "clients", "faults"}  # they measure; no landing waits for what they say
TIMED = [path for path in sorted((ROOT / "tests").rglob("test_*.py")) if path.parent.name not in BY_HAND]


def test_no_test_fails_because_the_machine_is_slow():
    """What took how long is asserted nowhere, and whoever waits for something waits for at least 30 seconds."""
    offenders = [
        f"{path.relative_to(ROOT)}:{node.lineno}"
        for path in TIMED
        for node in ast.walk(ast.parse(path.read_text()))
        if (isinstance(node, ast.Assert) and is_timed(node.test)) or (is_deadline(node) and node.right.value < 30)
    ]
    assert offenders == []


def is_timed(condition: ast.expr) -> bool:
    """Whether it says that a difference to a clock's time is less than something."""
    return (
        isinstance(condition, ast.Compare)
        and isinstance(condition.ops[0], ast.Lt | ast.LtE)
        and isinstance(condition.left, ast.BinOp)
        and isinstance(condition.left.op, ast.Sub)
        and any(reads_clock(node) for node in ast.walk(condition.left))
    )


def is_deadline(node: ast.AST) -> bool:
    """Whether it is a clock's time and a number of seconds more."""
    return isinstance(node, ast.BinOp) and reads_clock(node.left) and isinstance(node.right, ast.Constant)


def reads_clock(node: ast.AST) -> bool:
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in CLOCKS


def test_a_timed_assert_is_recognised():
    timed, waiting = ast.parse("assert time.monotonic() - began < 5\nassert time.monotonic() < until").body
    assert is_timed(timed.test)
    assert not is_timed(waiting.test)
    assert is_deadline(ast.parse("time.monotonic() + 5", mode="eval").body)
