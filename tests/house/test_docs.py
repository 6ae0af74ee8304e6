"""What there is is documented: every command, setting, path, predicate, policy field and word."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from argparse import ArgumentParser, _SubParsersAction
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from pellucid.capabilities import PREDICATES, REQUIREMENTS
from pellucid.cli import COMMANDS, Command, parser_of
from pellucid.record.predicate import NODE_KINDS
from pellucid.record.settings import Settings
from pellucid.release.manifest import ManifestFile
from pellucid.source.review import ReviewFile
from pellucid.statement.predicate import PredicateKind
from pellucid.trust.pack import Pack
from pellucid.trust.policy import Policy
from pellucid.trust.requirement import Result
from pellucid.trust.verdict import Answer, Verdict

KINDS: dict[str, PredicateKind] = {kind.name: kind for kind in (*PREDICATES.values(), *NODE_KINDS.values())}
WORDS = {
    "accreditation", "acceptance policy", "checkpoint", "commitment", "completeness", "consistency proof",
    "cosignature", "delta", "disclosure policy", "evidence pack", "inclusion proof", "log", "logged",
    "logged time", "mirror", "node", "opening", "operator", "origin", "party", "predicate", "receipt",
    "review debt", "sealed", "statement", "subject", "SWHID", "verdict", "vkey", "withdrawal", "witness",
    "witness quorum",
}  # fmt: skip


def types_of(model: Any) -> Iterator[msgspec.inspect.Type]:
    """Yield the type of a model and of everything inside it."""
    waiting, seen = [msgspec.inspect.type_info(model)], set()
    while waiting:
        kind = waiting.pop()
        if isinstance(kind, msgspec.inspect.StructType):
            if kind.cls in seen:
                continue
            seen.add(kind.cls)
            waiting += [field.type for field in kind.fields]
        yield kind
        waiting += _inner(kind)


def fields_of(model: Any) -> Iterator[str]:
    """Yield the field names of a model and of every model inside it, as they are written."""
    for kind in types_of(model):
        if isinstance(kind, msgspec.inspect.StructType):
            yield from (field.encode_name for field in kind.fields)


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


def values_of(model: Any) -> Iterator[str]:
    """Yield the words that a field of a model, or of a model inside it, may hold."""
    for kind in types_of(model):
        if isinstance(kind, msgspec.inspect.EnumType):
            yield from (str(member.value) for member in kind.cls)


@pytest.mark.parametrize("name", sorted(KINDS))
def test_every_predicate_has_a_page_with_every_field(root: Path, name: str) -> None:
    text = page(root, f"predicates/{name}.md")
    assert KINDS[name].uri in text
    assert undocumented(fields_of(KINDS[name].model), text) == []
    assert undocumented(values_of(KINDS[name].model), text) == []


def test_no_page_is_about_a_predicate_that_is_gone(root: Path) -> None:
    pages = {file.stem for file in (root / "docs/reference/predicates").glob("*.md")}
    assert pages - {"index"} == set(KINDS)


def test_every_field_of_a_policy_is_explained(root: Path) -> None:
    assert undocumented([*fields_of(Policy), *values_of(Policy)], page(root, "policy.md")) == []


def test_every_field_of_a_manifest_is_explained(root: Path) -> None:
    assert undocumented([*fields_of(ManifestFile), *values_of(ManifestFile)], page(root, "release-manifest.md")) == []


def test_every_setting_from_the_environment_is_explained(root: Path) -> None:
    code = "\n".join(file.read_text() for file in (root / "src").rglob("*.py"))
    settings = set(re.findall(r"""["'](PELLUCID_[A-Z_]+)["']""", code))
    assert undocumented(settings, page(root, "settings.md")) == []


def test_every_setting_of_a_node_is_explained(root: Path) -> None:
    assert undocumented([*fields_of(Settings), *values_of(Settings)], page(root, "settings.md")) == []


def test_every_field_of_an_evidence_pack_and_of_a_verdict_is_explained(root: Path) -> None:
    text = page(root, "evidence-pack.md")
    verdict = Verdict("", 0, (Result("name", met=False, why=""),)).as_json()
    requirement = verdict["requirements"][0]
    assert undocumented([*fields_of(Pack), *verdict, *requirement, *verdict["tolerates"], *Answer], text) == []


def test_every_field_of_a_review_in_toml_is_explained(root: Path) -> None:
    assert undocumented([*fields_of(ReviewFile), *values_of(ReviewFile)], page(root, "review-file.md")) == []


@pytest.mark.parametrize(("name", "model"), [("review-file", ReviewFile), ("release-manifest", ManifestFile)])
def test_the_example_of_a_file_can_be_read(root: Path, name: str, model: Any) -> None:
    example = page(root, f"{name}.md").partition("```toml\n")[2].partition("```")[0]
    assert msgspec.toml.decode(example, type=model)


def test_every_field_of_a_requirement_is_explained(root: Path) -> None:
    for name, requirement in REQUIREMENTS.items():
        text = page(root, "policy.md").partition(f"\n### `[require.{name}]`\n")[2].partition("\n#")[0]
        assert undocumented([*fields_of(requirement.model), *values_of(requirement.model)], text) == []


def parsers(command: Command) -> dict[str, ArgumentParser]:
    """Return the parser of a command, or those of its actions, each by what is typed."""
    top = parser_of(command)
    inner = [action for action in top._actions if isinstance(action, _SubParsersAction)]
    found = {f"pellucid {command.name} {name}": parser for action in inner for name, parser in action.choices.items()}
    return found or {f"pellucid {command.name}": top}


def options(parser: ArgumentParser) -> set[str]:
    return {name for action in parser._actions for name in action.option_strings if name.startswith("--")}


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.name)
def test_every_command_is_explained(root: Path, command: Command) -> None:
    assert undocumented(parsers(command), page(root, "commands.md")) == []


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.name)
def test_every_option_is_explained(root: Path, command: Command) -> None:
    text = page(root, "cli.md").partition(f"\n## {command.name}\n")[2].partition("\n## ")[0]
    for typed, parser in parsers(command).items():
        usage = text.partition(f"usage: {typed} ")[2].partition("```")[0]
        assert {name for name in options(parser) if name not in usage} == set(), typed


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.name)
def test_no_page_speaks_of_an_option_that_is_not_there(root: Path, tracked: list[Path], command: Command) -> None:
    known = {typed: options(parser) for typed, parser in parsers(command).items()}
    wrong = []
    for file in (file for file in tracked if file.suffix == ".md"):
        for span in re.findall(r"`(pellucid [^`\n]+)`", file.read_text()):
            words = re.sub(r"--home \S+ ", "", span)
            ours = [typed for typed in known if words == typed or words.startswith(f"{typed} ")]
            named = set(re.findall(r"--[a-z][a-z-]*", words))
            wrong += [f"{file.relative_to(root)}: {span}" for typed in ours if named - known[typed]]
    assert wrong == []


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
print(json.dumps({"pages": [*pages(get_resolver())], "api": api.get_openapi_schema(path_prefix="/api")}))
"""


@pytest.fixture(scope="module")
def addresses() -> Any:
    """Every page's address, and the API's OpenAPI document."""
    asked = subprocess.run([sys.executable, "-c", ADDRESSES], capture_output=True, text=True, check=False)
    assert asked.returncode == 0, asked.stderr
    return json.loads(asked.stdout)


def test_every_address_of_a_node_is_explained(root: Path, addresses: Any) -> None:
    paths = [
        re.sub(r"<(?:[a-z0-9]+:)?([a-z_]+)>|\{([a-z_]+)\}", r"<\1\2>", path)
        for path in [*addresses["pages"], *addresses["api"]["paths"]]
    ]
    assert "/check" in paths
    text = page(root, "api.md")
    assert [path for path in paths if f"`{path}`" not in text] == []


def test_every_parameter_and_field_of_the_api_is_explained(root: Path, addresses: Any) -> None:
    rows = dict(re.findall(r"^\| `(/api[^`]+)` \| (.*) \|$", page(root, "api.md"), re.MULTILINE))
    for path, methods in addresses["api"]["paths"].items():
        names = {
            parameter["name"]
            for method in methods.values()
            for parameter in method.get("parameters", ())
            if parameter["in"] == "query"
        }
        assert undocumented(names, rows[re.sub(r"\{([a-z_]+)\}", r"<\1>", path)]) == [], path
    assert undocumented(["log", "size", "refs"], rows["/api/lookup"]) == []


def _glossary(root: Path) -> list[str]:
    return re.findall(r"^([A-Za-z][^\n]*)\n  \S", page(root, "glossary.md"), re.MULTILINE)


def test_the_glossary_has_every_word_in_order_and_once(root: Path) -> None:
    terms = _glossary(root)
    assert WORDS - set(terms) == set()
    assert terms == sorted(set(terms), key=str.lower)


def test_every_link_between_documents_leads_somewhere(root: Path, tracked: list[Path]) -> None:
    missing = []
    for file in (file for file in tracked if file.suffix == ".md" and "template" not in file.name):
        text = file.read_text()
        pictures = re.findall(r'\bsrc(?:set)?="([^"]+)"', text)
        for target in [*re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", text), *pictures]:
            there = (file.parent / target).resolve()
            if "://" not in target and not there.exists():
                missing.append(f"{file.relative_to(root)}: {target}")
    assert missing == []


def test_what_is_not_documented_is_found() -> None:
    assert undocumented(["scope", "lines"], "`scope.files` and lines") == ["lines"]
    assert undocumented(["file"], "`files`") == ["file"]
    assert "sha256" in set(fields_of(KINDS["release"].model))
    assert undocumented(["pellucid peer list"], "`pellucid peer invite`, `pellucid peer remove`") == [
        "pellucid peer list"
    ]
    assert "no-longer-shipped" not in set(values_of(KINDS["release"].model))
    assert {"software", "update", "rules"} <= set(values_of(KINDS["release"].model))
