"""What there is is documented: every command, setting, path, predicate, policy field and word."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from argparse import _SubParsersAction
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from pellucid.capabilities import PREDICATES
from pellucid.cli import COMMANDS, Command, parser_of
from pellucid.record.predicate import NODE_KINDS
from pellucid.record.settings import Settings
from pellucid.release.manifest import ManifestFile
from pellucid.statement.predicate import PredicateKind
from pellucid.trust.policy import Policy

KINDS: dict[str, PredicateKind] = {kind.name: kind for kind in (*PREDICATES.values(), *NODE_KINDS.values())}
WORDS = {
    "accreditation", "acceptance policy", "checkpoint", "commitment", "completeness", "consistency proof",
    "cosignature", "delta", "disclosure policy", "evidence pack", "inclusion proof", "log", "logged",
    "logged time", "mirror", "node", "opening", "operator", "origin", "party", "predicate", "receipt",
    "review debt", "sealed", "statement", "subject", "SWHID", "verdict", "vkey", "withdrawal", "witness",
    "witness quorum",
}  # fmt: skip
PLACEHOLDERS = {"docs/pictures/release.png"}


def fields_of(model: Any) -> Iterator[str]:
    """Yield the field names of a model and of every model inside it, as they are written."""
    info = msgspec.inspect.type_info(model)
    waiting, seen = [info], set()
    while waiting:
        kind = waiting.pop()
        if isinstance(kind, msgspec.inspect.StructType):
            if kind.cls in seen:
                continue
            seen.add(kind.cls)
            for field in kind.fields:
                yield field.encode_name
                waiting.append(field.type)
        waiting += _inner(kind)


def _inner(kind: msgspec.inspect.Type) -> Iterable[msgspec.inspect.Type]:
    for name in ("item_type", "value_type", "type"):
        inner = getattr(kind, name, None)
        if isinstance(inner, msgspec.inspect.Type):
            yield inner
    for name in ("types", "item_types"):
        yield from (item for item in getattr(kind, name, ()) if isinstance(item, msgspec.inspect.Type))


def undocumented(names: Iterable[str], text: str) -> list[str]:
    """Return the names that do not stand in `text` between backticks, alone or as the end of something longer."""
    spans = re.findall(r"`([^`\n]+)`", text)
    return [name for name in names if not any(re.search(rf"(?<![\w-]){re.escape(name)}(?![\w-])", s) for s in spans)]


def page(root: Path, name: str) -> str:
    return (root / "docs/reference" / name).read_text()


@pytest.mark.parametrize("name", sorted(KINDS))
def test_every_predicate_has_a_page_with_every_field(root: Path, name: str) -> None:
    text = page(root, f"predicates/{name}.md")
    assert KINDS[name].uri in text
    assert undocumented(fields_of(KINDS[name].model), text) == []


def test_no_page_is_about_a_predicate_that_is_gone(root: Path) -> None:
    pages = {file.stem for file in (root / "docs/reference/predicates").glob("*.md")}
    assert pages - {"index"} == set(KINDS)


def test_every_field_of_a_policy_is_explained(root: Path) -> None:
    assert undocumented(fields_of(Policy), page(root, "policy.md")) == []


def test_every_field_of_a_manifest_is_explained(root: Path) -> None:
    assert undocumented(fields_of(ManifestFile), page(root, "release-manifest.md")) == []


def test_every_setting_from_the_environment_is_explained(root: Path) -> None:
    code = "\n".join(file.read_text() for file in (root / "src").rglob("*.py"))
    settings = set(re.findall(r"""["'](PELLUCID_[A-Z_]+)["']""", code))
    assert undocumented(settings, page(root, "settings.md")) == []


def test_every_setting_of_a_node_is_explained(root: Path) -> None:
    assert undocumented(fields_of(Settings), page(root, "settings.md")) == []


def _inner_commands(command: Command) -> list[str]:
    try:
        parser = parser_of(command)
    except ModuleNotFoundError as error:
        pytest.skip(f"not there yet: {error}")
    return [name for action in parser._actions if isinstance(action, _SubParsersAction) for name in action.choices]


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.name)
def test_every_command_is_explained(root: Path, command: Command) -> None:
    full = [f"pellucid {command.name} {name}" for name in _inner_commands(command)] or [f"pellucid {command.name}"]
    assert undocumented(full, page(root, "commands.md")) == []


ADDRESSES = """
import json, os, django
os.environ["DJANGO_SETTINGS_MODULE"] = "pellucid.site.settings"
django.setup()
from django.urls import URLResolver, get_resolver
from pellucid.site.api import api
def pages(resolver, before="/"):
    for pattern in resolver.url_patterns:
        path = before + str(pattern.pattern)
        if not isinstance(pattern, URLResolver):
            yield path
        elif pattern.namespace is None:
            yield from pages(pattern, path)
print(json.dumps([*pages(get_resolver()), *api.get_openapi_schema(path_prefix="/api")["paths"]]))
"""


def test_every_address_of_a_node_is_explained(root: Path) -> None:
    asked = subprocess.run([sys.executable, "-c", ADDRESSES], capture_output=True, text=True, check=False)
    if "No module named 'pellucid." in asked.stderr:
        pytest.skip(f"not there yet: {asked.stderr.splitlines()[-1]}")
    assert asked.returncode == 0, asked.stderr
    addresses = [
        re.sub(r"<(?:[a-z0-9]+:)?([a-z_]+)>|\{([a-z_]+)\}", r"<\1\2>", path) for path in json.loads(asked.stdout)
    ]
    assert "/check" in addresses
    text = page(root, "api.md")
    assert [address for address in addresses if f"`{address}`" not in text] == []


def _glossary(root: Path) -> list[str]:
    return re.findall(r"^([A-Za-z][^\n]*)\n  \S", page(root, "glossary.md"), re.MULTILINE)


def test_the_glossary_has_every_word_in_order_and_once(root: Path) -> None:
    terms = _glossary(root)
    assert WORDS - set(terms) == set()
    assert terms == sorted(set(terms), key=str.lower)


def test_every_link_between_documents_leads_somewhere(root: Path, tracked: list[Path]) -> None:
    missing = []
    for file in (file for file in tracked if file.suffix == ".md" and "template" not in file.name):
        for target in re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", file.read_text()):
            there = (file.parent / target).resolve()
            if "://" not in target and not there.exists() and str(there.relative_to(root)) not in PLACEHOLDERS:
                missing.append(f"{file.relative_to(root)}: {target}")
    assert missing == []


def test_what_is_not_documented_is_found() -> None:
    assert undocumented(["scope", "lines"], "`scope.files` and lines") == ["lines"]
    assert undocumented(["file"], "`files`") == ["file"]
    assert "sha256" in set(fields_of(KINDS["release"].model))
    assert undocumented(["pellucid peer list"], "`pellucid peer invite`, `pellucid peer remove`") == [
        "pellucid peer list"
    ]
