"""Mutation testing of the kit: ``python tools/mutation.py [PATTERN ...]``, or ``make mutation``.

mutmut changes one thing in the kit's code at a time and runs the tests that come by that place. A
change that no test notices is a survivor: a missing test, or code that does not matter. A pattern
such as ``tap_kit.flow.windows*`` limits the run; without one, what has no result yet and what
survived the last time is run. The changes are tried by thirds, chosen by chance: whenever a run is
broken off, the thirds that are complete are a fair sample, and the table is of them.

Everything happens in ``.mutation/``, which holds copies of the kit and of its tests, mutmut's
results, and the survivors as diffs. mutmut itself leaves decorated functions alone; here those
whose decorators only wrap (``@override``, ``@property`` and the like) take part.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import sys
from collections import Counter
from itertools import accumulate
from pathlib import Path
from typing import TYPE_CHECKING

import libcst as cst
import mutmut.__main__
from mutmut.mutation import file_mutation
from mutmut.mutation.data import SourceFileMutationData
from mutmut.mutation.diff_apply import get_diff_for_mutant
from mutmut.runners.harness import PytestRunner
from mutmut.state import state
from mutmut.stats import status_by_exit_code
from mutmut.utils.file_utils import walk_mutatable_files
from typing_extensions import override

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    Statements = Sequence[file_mutation.MODULE_STATEMENT]

ROOT = Path(__file__).parents[1]
WORK = ROOT / ".mutation"
SURVIVORS = WORK / "survivors.diff"
COPIES = {
    "pyproject.toml": "pyproject.toml",
    "tap-kit/tap_kit": "tap_kit",
    "tests/kit": "tests/kit",
    "tests/__init__.py": "tests/__init__.py",
    "tests/broken.py": "tests/broken.py",
    "tests/fork_server.py": "tests/fork_server.py",
    "tests/forks.py": "tests/forks.py",
    "tests/processes.py": "tests/processes.py",
    "tests/properties.py": "tests/properties.py",
    "tests/singer.py": "tests/singer.py",
}
WRAPPING = {"override", "property", "cached_property", "contextmanager"}
NOTICED = {"killed", "timeout", "segfault"}
SEED, PARTS = b"proofs", 3
FIRST = 12  # tests
ENOUGH_S = 20.0  # seconds of tests for one change
HANGS = "--timeout=8"  # the limit for a test of mutated code; the measuring run takes longer


class Visitor(file_mutation.MutationVisitor):
    """Mutates decorated functions too."""

    @override
    def _skip_node_and_children(self, node: cst.CSTNode) -> bool:
        if isinstance(node, cst.FunctionDef) and _only_wrapped(node):
            node = node.with_changes(decorators=())
        return super()._skip_node_and_children(node)


def _only_wrapped(function: cst.FunctionDef) -> bool:
    names = {_name(decorator.decorator) for decorator in function.decorators}
    return names <= WRAPPING


def _name(decorator: cst.BaseExpression) -> str:
    last = decorator.attr if isinstance(decorator, cst.Attribute) else decorator
    return last.value if isinstance(last, cst.Name) else ""


_arrangement = file_mutation.function_trampoline_arrangement


def _arranged(
    function: cst.FunctionDef, mutants: Iterable[file_mutation.Mutation], class_name: str | None
) -> tuple[Statements, Statements, Statements, Sequence[str]]:
    """Keep the decorators on the function that selects a variant, not on the variants."""
    declaration, methods, assignment, names = _arrangement(function, mutants, class_name)
    chooser, *variants = methods
    if _only_wrapped(function):
        variants = [variant.with_changes(decorators=()) for variant in variants]
    return declaration, [chooser, *variants], assignment, names


def _copy() -> None:
    """Copy the kit and its tests into the work folder; unchanged files keep their results."""
    for source, place in COPIES.items():
        origin, target = ROOT / source, WORK / place
        target.parent.mkdir(parents=True, exist_ok=True)
        if origin.is_dir():
            shutil.rmtree(target, ignore_errors=True)
            shutil.copytree(origin, target, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy2(origin, target)
    shutil.rmtree(WORK / "mutants" / "tests", ignore_errors=True)


def _forget_survivors() -> None:
    """Make the run try these mutants again, since new tests may find them."""
    for path in walk_mutatable_files():
        data = SourceFileMutationData(path=path)
        data.load()
        for name, code in data.exit_code_by_key.items():
            if status_by_exit_code[code] not in NOTICED:
                data.exit_code_by_key[name] = None
        if data.exit_code_by_key:  # in the first run there is no file to save to
            data.save()


def _fast_ones_first(runner: PytestRunner, *, mutant_name: str | None, tests: Iterable[str]) -> int:
    """Run the tests of one change until one fails; return the exit code.

    The first ``FIRST`` by themselves, as most changes are noticed by them, and to collect the
    others takes longer than that. Where hundreds of tests come by a place, the slowest are not
    asked: ``ENOUGH_S`` is the time that those before them took. It makes the figures lower, never
    higher.
    """
    if mutant_name is None:
        return _run(runner, mutant_name=None, tests=tests)
    seconds = state().duration_by_test
    ordered = sorted(tests, key=lambda test: seconds.get(test, 0.0))
    spent = accumulate(seconds.get(test, 0.0) for test in ordered)
    asked = [test for test, so_far in zip(ordered, spent, strict=True) if so_far <= ENOUGH_S]
    asked = asked or ordered[:1]
    code = _run(runner, mutant_name=mutant_name, tests=[*asked[:FIRST], HANGS])
    if code == 0 and asked[FIRST:]:
        code = _run(runner, mutant_name=mutant_name, tests=[*asked[FIRST:], HANGS])
    return code


_run = PytestRunner.run_tests


def _results() -> Iterator[tuple[Path, str, str]]:
    """Return each mutant: the path of its module, its name and its result."""
    for path in sorted(walk_mutatable_files()):
        data = SourceFileMutationData(path=path)
        data.load()
        for name, code in data.exit_code_by_key.items():
            yield path, name, status_by_exit_code[code]


def _part(name: str) -> int:
    """Return the third in which a change is tried: random, but the same in every run."""
    digest = hashlib.blake2b(SEED + name.encode(), digest_size=4).digest()
    return int.from_bytes(digest, "big") % PARTS


def _by_thirds(name: str) -> float:
    """Return the order of the changes: by thirds, in each those with the fastest tests first."""
    return _part(name) * 1e6 + _seconds_of_tests(name)


_seconds_of_tests = mutmut.__main__.estimated_worst_case_time


def _fair(results: Sequence[tuple[Path, str, str]]) -> list[tuple[Path, str, str]]:
    """Return the results of the complete thirds; all results if none is complete."""
    unfinished = {_part(name) for _, name, status in results if status == "not checked"}
    return [one for one in results if _part(one[1]) not in unfinished] or list(results)


def _table(results: Sequence[tuple[Path, str, str]]) -> Iterator[str]:
    yield "| module | mutants | killed | survived | killed, % |"
    yield "|---|---:|---:|---:|---:|"
    tried = [(path.stem, status) for path, _, status in results if status != "not checked"]
    every, killed = Counter(module for module, _ in tried), Counter[str]()
    killed.update(module for module, status in tried if status in NOTICED)
    for module, count in every.items():
        yield _line(f"`{module}`", count, killed[module])
    yield _line("all", every.total(), killed.total())


def _line(name: str, count: int, killed: int) -> str:
    share = 100 * killed / count if count else 0
    return f"| {name} | {count} | {killed} | {count - killed} | {share:.1f} |"


def main(patterns: tuple[str, ...]) -> None:
    """Mutate, test, and print the survivors."""
    _copy()
    os.chdir(WORK)
    sys.path.remove(str(Path(__file__).parent))  # the script's folder, which is not needed
    # Processes that a test starts import the mutated kit too.
    os.environ["PYTHONPATH"] = str(WORK / "mutants")
    file_mutation.MutationVisitor = Visitor  # type: ignore[misc]
    file_mutation.function_trampoline_arrangement = _arranged
    PytestRunner.run_tests = _fast_ones_first  # type: ignore[method-assign,assignment]
    mutmut.__main__.estimated_worst_case_time = _by_thirds  # type: ignore[assignment]
    _forget_survivors()
    mutmut.__main__._run(patterns, None)  # noqa: SLF001
    results = list(_results())
    left = [(path, name) for path, name, status in results if status in {"survived", "no tests"}]
    diffs = [f"# {name}\n{get_diff_for_mutant(name, path=path)}\n" for path, name in left]
    SURVIVORS.write_text("\n".join(diffs), encoding="utf-8")
    print(*_table(_fair(results)), f"\nThe survivors: {SURVIVORS}", sep="\n")  # noqa: T201


if __name__ == "__main__":
    main(tuple(sys.argv[1:]))
