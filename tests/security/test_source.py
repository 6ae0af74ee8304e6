"""What the program never does, read from its source: a test fails where somebody begins to."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[2] / "src/pellucid"
CODE = {path.relative_to(SOURCE).as_posix(): path.read_text() for path in SOURCE.rglob("*.py")}
SCRIPTS = {
    path.relative_to(SOURCE).as_posix(): path.read_text() for path in SOURCE.rglob("*.js") if "vendor" not in path.parts
}
TEMPLATES = {path.relative_to(SOURCE).as_posix(): path.read_text() for path in SOURCE.rglob("*.html")}

FORBIDDEN = {
    *("eval", "exec", "__import__", "os.system", "os.popen", "pickle", "shelve", "marshal", "yaml", "csrf_exempt"),
    *("lxml", "defusedxml", "xml.etree", "xml.dom", "xml.sax", "jinja2"),
}
ALLOWED = {("site/language.py", "csrf_exempt")}  # a cookie of no weight; it looks at the origin
NETWORK = {
    "http.client",
    "smtplib",
    "requests",
    "urllib.request",
    "aiohttp",
    "httpx",
    "ftplib",
    "telnetlib",
    "paramiko",
}
OWN_SQL = {
    "record/index.py",
    "record/index_reader.py",
    "storage/sqlite.py",
    "site/database.py",
    "storage/sqlite_sequence.py",
}


def calls(text: str) -> Iterator[ast.Call]:
    yield from (node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Call))


def named(text: str) -> set[str]:
    """Return the modules that a file imports, and the plain functions that it calls or decorates with."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module, *(alias.name for alias in node.names if alias.name == "csrf_exempt")}
        elif isinstance(node, ast.Call):
            found.add(ast.unparse(node.func)[:80])
    return found


def test_nothing_is_evaluated_unpickled_or_read_as_xml() -> None:
    assert {(file, name) for file, text in CODE.items() for name in named(text) & FORBIDDEN} == ALLOWED


def test_programs_are_called_by_lists_of_words_and_never_through_a_shell() -> None:
    for file, text in CODE.items():
        for call in calls(text):
            if ast.unparse(call.func).startswith("subprocess."):
                assert not any(item.arg == "shell" for item in call.keywords), file
                assert not isinstance(call.args[0], ast.Constant | ast.JoinedStr), file


def is_put_together(call: ast.Call) -> bool:
    """Tell whether a call runs a query that is made with values inside of its text."""
    if not isinstance(call.func, ast.Attribute) or call.func.attr not in {
        "execute",
        "executemany",
        "executescript",
        "raw",
    }:
        return False
    parts = [part for given in call.args[:1] for part in ast.walk(given)]
    return any(isinstance(part, ast.JoinedStr | ast.Mod) for part in parts)


def test_no_value_is_written_into_a_query() -> None:
    """Where a query is put together at all, it is of the program's own names of tables and columns."""
    assert {file for file, text in CODE.items() if any(map(is_put_together, calls(text)))} <= OWN_SQL
    assert not [file for file, text in CODE.items() if "RawSQL" in text or ".extra(" in text]
    assert is_put_together(next(calls("rows.execute(f'SELECT {name}')")))


@pytest.mark.parametrize("function", ["compile", "search", "match", "fullmatch", "sub", "split", "findall"])
def test_no_pattern_is_made_of_what_somebody_sent(function: str) -> None:
    for file, text in CODE.items():
        for call in calls(text):
            if ast.unparse(call.func) == f"re.{function}" and isinstance(call.args[0], ast.JoinedStr):
                parts = [part.value for part in call.args[0].values if isinstance(part, ast.FormattedValue)]
                assert all(ast.unparse(part).isupper() or "escape" in ast.unparse(part) for part in parts), file


def test_no_template_is_made_of_what_somebody_sent_and_none_leaves_escaping() -> None:
    assert not [file for file, text in CODE.items() if re.search(r"\bTemplate\(|from_string\(", text)]
    unescaped = {file for file, text in TEMPLATES.items() if re.search(r"\|\s*safe\b|autoescape off|\{% debug", text)}
    assert unescaped == {"site/templates/parts/field.html"}
    assert re.findall(r"\{\{ ([a-z_.]+)\|safe", TEMPLATES["site/templates/parts/field.html"]) == ["field.help_text"] * 1


def test_scripts_write_text_and_never_markup_or_code() -> None:
    markup = r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|javascript:"
    code = r"\beval\(|new Function|setTimeout\(\s*[\"']|__proto__"
    kept = r"localStorage|sessionStorage|document\.cookie"
    heard = r"(?:window|opener|parent)\.addEventListener\(\s*[\"']message"
    wrong = re.compile(f"{markup}|{code}|{kept}|{heard}")
    assert {file: found[0] for file, text in SCRIPTS.items() if (found := wrong.search(text))} == {}
    merged = re.compile(r"Object\.assign\(|\.\.\.JSON\.parse|for \((?:const|let|var) \w+ in ")
    assert {file: found[0] for file, text in SCRIPTS.items() if (found := merged.search(text))} == {}


def test_other_machines_are_called_from_these_places_only() -> None:
    """Those that the page on data lists: other nodes, webhooks, the mail server, providers; and the demo."""
    found = {file for file, text in CODE.items() if named(text) & NETWORK or "socket.create_connection(" in text}
    found = {file for file in found if not file.startswith("demo/")}
    assert found == {"tlog/web.py", "outbox/webhook.py", "outbox/mail.py", "site/accounts/openid.py"}


def test_what_must_not_be_done_would_be_found() -> None:
    assert named("import pickle\neval('1')") & FORBIDDEN == {"pickle", "eval"}
    assert named("from django.views.decorators.csrf import csrf_exempt") & FORBIDDEN == {"csrf_exempt"}
