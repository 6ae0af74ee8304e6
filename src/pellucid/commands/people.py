"""Invite, list and erase the people of a node, at its home: this is how its operators come in.

Works whether the node runs or not. An invitation is an address and a code: hand them over by two different ways. What
is done here is recorded in the node's audit log, at once where the node runs, else when it starts next.
"""

from __future__ import annotations

import argparse
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from pellucid.desk import Outcome
from pellucid.errors import InputError
from pellucid.people.roles import Role
from pellucid.record.home import Home
from pellucid.statement.moment import parse_time

if TYPE_CHECKING:
    from pellucid.people.portal.desk import PeopleDesk

EXAMPLES = """
  pellucid people invite otto@vendor.example --role operator
  pellucid people invite rita@lab.example --role reviewer --organisation 'Example Lab' --until 2027-06-30T00:00:00Z
  pellucid people grant rita@lab.example --role operator
  pellucid people list
  pellucid people erase rita@lab.example
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    actions = parser.add_subparsers(dest="action", required=True, metavar="invite|grant|list|erase")
    invite = actions.add_parser("invite", help="make a way in, or a new one for who lost theirs")
    invite.add_argument("email", metavar="MAIL", help="their mail address")
    roles = [role.value for role in Role]
    invite.add_argument(
        "--role", action="append", default=[], choices=roles, help="what they do here; give it again for more"
    )
    invite.add_argument("--organisation", default="", metavar="NAME", help="whom they work for")
    invite.add_argument("--until", metavar="TIME", help="when the roles end (RFC 3339; default: when they are ended)")
    invite.add_argument("--days", type=int, default=7, metavar="N", help="how long the invitation waits (default 7)")
    grant = actions.add_parser("grant", help="give a role to somebody who is here")
    grant.add_argument("person", metavar="MAIL|ID", help="their mail address, or the id that logs call them by")
    grant.add_argument("--role", required=True, choices=roles, help="what they do here from now on")
    grant.add_argument("--until", metavar="TIME", help="when the role ends (RFC 3339; default: when it is ended)")
    actions.add_parser("list", help="who is here, in which roles")
    erase = actions.add_parser("erase", help="forget somebody's name, address and reasons; logs stay as they are")
    erase.add_argument("person", metavar="MAIL|ID", help="their mail address, or the id that logs call them by")


def run(args: argparse.Namespace) -> Outcome:
    """Do it in the home's database."""
    desk = _desk(args)
    if args.action == "list":
        return _list(desk)
    if args.action == "erase":
        erased = desk.erase(args.person)
        return Outcome({"id": erased, "erased": True}, f"erased {erased}: its name is forgotten, logs stay as they are")
    return _grant(desk, args) if args.action == "grant" else _invite(desk, args)


def _grant(desk: PeopleDesk, args: argparse.Namespace) -> Outcome:
    account = desk.grant(args.person, Role(args.role), until=_until(args.until))
    return Outcome({"id": account, "role": args.role}, f"{account} is {args.role} now")


def _until(text: str | None) -> datetime | None:
    if not text:
        return None
    seconds = parse_time(text, where="--until")
    if seconds <= time.time():
        raise InputError("lies in the past", where="--until", remedy="give a later time")
    return datetime.fromtimestamp(seconds, UTC)


def _invite(desk: PeopleDesk, args: argparse.Namespace) -> Outcome:
    until = _until(args.until)
    if not 0 < args.days <= desk.most_days:
        raise InputError(f"{args.days} is no number of days", where="--days", remedy=f"give 1 to {desk.most_days}")
    roles = tuple(Role(role) for role in dict.fromkeys(args.role))
    invited = desk.invite(args.email, roles, organisation=args.organisation, until=until, days=args.days)
    lines = [
        f"invited {invited.account}; the invitation ends {invited.expires_at}",
        f"address: {invited.address}",
        f"code:    {invited.code}",
        "hand them over by two different ways; the code is shown this once",
    ]
    json = {
        "id": invited.account,
        "address": invited.address,
        "code": invited.code,
        "expires_at": invited.expires_at,
        "again": invited.again,
    }
    return Outcome(json, "\n".join(lines))


def _list(desk: PeopleDesk) -> Outcome:
    people = desk.everybody()
    lines = []
    for person in people:
        said = [person["id"], person["state"], person["email"] or "-", person["name"] or "-"]
        lines.append("  ".join([*said, ", ".join(person["roles"]) or "no role"]))
    return Outcome({"people": people}, "\n".join(lines) or "nobody is here yet")


def _desk(args: argparse.Namespace) -> PeopleDesk:
    home = Home.find(args.home)
    from pellucid.site import database  # noqa: PLC0415 - the light install has no pages

    database.prepare(home.path)
    from pellucid.people.portal.desk import PeopleDesk  # noqa: PLC0415 - models need the settings

    return PeopleDesk(home)
