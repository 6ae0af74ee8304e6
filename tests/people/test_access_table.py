"""Every page and operation of the API asks for what is written in `access_table.toml`, of everybody."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.urls import URLResolver, get_resolver

from pellucid.people.permissions import Permission
from pellucid.site.api import api

TABLE: dict[str, dict[str, list[str]]] = tomllib.loads((Path(__file__).parent / "access_table.toml").read_text())
PUBLIC, ACCOUNT = "public", "account"
OUR_OWN = "pellucid.site.accounts"  # pages of sign-in guard themselves in their own way; `test_walk.py` walks them


def written(part: str) -> dict[str, str]:
    """Return address -> what the table says it asks for."""
    return {what: who for who, items in TABLE[part].items() for what in items}


def pages(resolver: Any = None, before: str = "/") -> Iterator[tuple[str, Any]]:
    """Yield every page's address and view."""
    for pattern in (resolver or get_resolver()).url_patterns:
        path = before + str(pattern.pattern)
        if not isinstance(pattern, URLResolver):
            yield path, pattern.callback
        elif pattern.namespace is None:
            yield from pages(pattern, path)


def operations() -> Iterator[tuple[str, list[Any]]]:
    """Yield every operation of the API as `METHOD path`, and what it asks for; `ANY` where no method is asked for."""
    for _prefix, router in api._routers:
        for path, view in router.path_operations.items():
            for operation in view.operations:
                method = operation.methods[0] if len(operation.methods) == 1 else "ANY"
                yield f"{method} {path}", list(operation.auth_callbacks or ())


def name_of(permission: Permission | None) -> str:
    return ACCOUNT if permission is None else permission.value


def pages_ask() -> dict[str, str | None]:
    """Return page -> what its view asks for; None where the view guards itself, which `test_walk.py` sees to."""
    return {
        path: None
        if view.__module__.startswith(OUR_OWN)
        else name_of(view.permission)
        if hasattr(view, "permission")
        else PUBLIC
        for path, view in pages()
    }


def operations_ask() -> dict[str, str | None]:
    """Return operation of the API -> what it asks for."""
    return {what: name_of(guards[0].asked) if guards else PUBLIC for what, guards in operations()}


def misfits(table: dict[str, str], asked: dict[str, str | None]) -> set[str]:
    """Return what is new, gone, or asks for something else than the table says."""
    return {
        address
        for address in {*table, *asked}
        if address not in table or address not in asked or asked[address] not in {None, table[address]}
    }


PARTS = pytest.mark.parametrize(("part", "asking"), [("pages", pages_ask), ("api", operations_ask)])


@PARTS
def test_everything_is_in_the_table_and_asks_for_what_it_says(
    part: str, asking: Callable[[], dict[str, str | None]]
) -> None:
    assert misfits(written(part), asking()) == set(), "say in the table who gets in"


@PARTS
def test_each_row_that_is_wrong_missing_or_too_many_is_found(
    part: str, asking: Callable[[], dict[str, str | None]]
) -> None:
    table, asked = written(part), asking()
    for address, who in table.items():
        assert misfits({row: said for row, said in table.items() if row != address}, asked) == {address}
        if asked[address] is not None:
            for other in {PUBLIC, ACCOUNT, *Permission} - {who}:
                assert misfits({**table, address: other}, asked) == {address}, other
    assert misfits({**table, "/new": PUBLIC}, asked) == {"/new"}


def test_below_the_api_there_is_nothing_but_its_operations_and_their_document() -> None:
    parts = (part for part in get_resolver().url_patterns if isinstance(part, URLResolver))
    (found,) = [part for part in parts if part.namespace is not None]
    known = {re.sub(r"[<{].*?[>}]", "", what.partition(" /")[2]) for what in written("api")}
    below = {re.sub(r"<.*?>", "", str(part.pattern)) for part in found.url_patterns}
    assert below - known == {"openapi.json"}


def test_the_table_knows_only_permissions_that_there_are() -> None:
    known = {PUBLIC, ACCOUNT, *(permission.value for permission in Permission)}
    assert {*TABLE["pages"], *TABLE["api"]} <= known
