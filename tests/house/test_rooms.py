"""Rooms fit on a screen: no file of the program is over 400 lines, no function over 40."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

FILE_LINES = 400
FUNCTION_LINES = 40
TEST_FUNCTION_LINES = 60


def _program(root: Path, folder: str) -> list[Path]:
    return [file for file in (root / folder).rglob("*.py") if "migrations" not in file.parts]


def too_long_files(files: list[Path]) -> list[str]:
    counts = {file: len(file.read_text().splitlines()) for file in files}
    return [f"{file}: {count} lines" for file, count in counts.items() if count > FILE_LINES]


def too_long_functions(source: str, limit: int) -> Iterator[str]:
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            lines = (node.end_lineno or node.lineno) - node.lineno + 1
            if lines > limit:
                yield f"{node.lineno} {node.name}: {lines} lines"


def test_every_file_of_the_program_can_be_read_in_one_go(root: Path) -> None:
    assert too_long_files([*_program(root, "src"), *_program(root, "bench")]) == []


def test_every_function_fits_on_a_screen(root: Path) -> None:
    limits = {"src": FUNCTION_LINES, "bench": FUNCTION_LINES, "tests": TEST_FUNCTION_LINES}
    found = [
        f"{file.relative_to(root)}:{problem}"
        for folder, limit in limits.items()
        for file in _program(root, folder)
        for problem in too_long_functions(file.read_text(), limit)
    ]
    assert found == []


def test_what_does_not_fit_is_found(tmp_path: Path) -> None:
    body = "\n".join(f"    x{number} = {number}" for number in range(FUNCTION_LINES))
    source = f"def long() -> None:\n{body}\n"
    assert list(too_long_functions(source, FUNCTION_LINES)) == [f"1 long: {FUNCTION_LINES + 1} lines"]
    long = tmp_path / "long.py"
    long.write_text("x = 1\n" * (FILE_LINES + 1))
    assert too_long_files([long]) == [f"{long}: {FILE_LINES + 1} lines"]
