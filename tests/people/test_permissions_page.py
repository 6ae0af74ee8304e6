"""The table of roles and permissions that people read is the one that the program goes by."""

from __future__ import annotations

import re
from pathlib import Path

from pellucid.people import refusals
from pellucid.people.operator_session import DEFAULT_MINUTES, LONGEST_MINUTES, SHORTEST_REASON
from pellucid.people.permissions import GRANTS, IN_SESSION, Permission
from pellucid.people.portal import pages
from pellucid.people.portal.models import Account
from pellucid.people.roles import Role

PAGE = Path(__file__).parents[2] / "docs/reference/permissions.md"
YES = {"yes": True, "–": False}  # noqa: RUF001 - as the page has it


def rows() -> dict[str, dict[str, bool]]:
    """Return permission -> column -> what the cell says."""
    lines = [line for line in PAGE.read_text().splitlines() if line.startswith("|")]
    head = [cell.strip() for cell in lines[0].strip("|").split("|")]
    found = {}
    for line in lines[2:]:
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if len(cells) == len(head):
            found[cells[0].strip("`")] = {name: YES[cell] for name, cell in list(zip(head, cells, strict=True))[2:]}
    return found


def test_the_page_has_every_permission_and_every_role() -> None:
    assert list(rows()) == [permission.value for permission in Permission]
    assert set(rows()["see-people"]) == {"in a session", *(role.value for role in Role)}


def test_the_page_says_what_the_program_does() -> None:
    for permission in Permission:
        row = rows()[permission.value]
        assert row.pop("in a session") == (permission in IN_SESSION), permission
        assert row == {role.value: permission in GRANTS[role] for role in Role}, permission


def test_the_page_s_numbers_are_the_program_s() -> None:
    text = PAGE.read_text()
    assert f"at most {refusals.MOST_RECORDED} of one account in an hour" in text
    assert f"at least\n  {SHORTEST_REASON} characters" in text
    assert (LONGEST_MINUTES, DEFAULT_MINUTES) == (4 * 60, 60)
    assert "at most 4 hours (1 if nothing is said)" in text


def test_the_states_of_an_account_are_explained() -> None:
    explained = set(re.findall(r"^\| `([a-z]+)` \|", PAGE.read_text().partition("## Accounts")[2], re.MULTILINE))
    states = {pages._state(Account(**fields)) for fields in ({}, {"joined_at": 1}, {"erased_at": 1})}
    assert explained == states
