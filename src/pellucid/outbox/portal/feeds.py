"""Atom feeds (RFC 4287): one for everybody, of what the logs and the node itself say, and one for each person."""

from __future__ import annotations

import secrets
import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from itertools import islice

from django.utils import translation
from django.utils.feedgenerator import Atom1Feed
from django.utils.translation import gettext as _

from pellucid.outbox.portal.models import Concern, Preferences
from pellucid.outbox.portal.pages import SHOWN, notice_lines
from pellucid.outbox.portal.texts import language_of
from pellucid.outbox.portal.watches import alarm_id
from pellucid.people.portal.models import Account
from pellucid.record.facts import Record, Views

_LOOKED_AT = 200
_SPACE = uuid.UUID("5d2faecf-d467-4196-b5d6-c7fd3c4032e0")  # the project's own
_START = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Item:
    """One entry of a feed; `name` makes its id, which never changes."""

    name: str
    title: str
    text: str
    path: str
    at: datetime


def public_feed(read: Views, base: str) -> bytes:
    """Return releases that were logged, alarms, and cosigners that are missing, newest first; in English for all."""
    with translation.override("en"):
        found = [*_releases(read), *_alarms(read), *_missing(read)]
        items = sorted(found, key=lambda item: (item.at, item.name), reverse=True)[:SHOWN]
        return _written(read, base, _("What is logged and what is wrong"), items, name="public", path="/feed.atom")


def personal_feed(read: Views, base: str, account: Account) -> bytes:
    """Return what an account was told; the same words, in the same language, as in its mails."""
    with translation.override(language_of(Preferences.objects.get(account=account).language)):
        items = [Item(f"{line.kind}:{line.at}:{line.path}", line.line, line.text, line.path, line.at)
             for line in notice_lines(account)]  # fmt: skip
        return _written(read, base, _("Your notices"), items, name=f"account:{account.id}", path=None)


def renewed(account: Account) -> str:
    """Make a new secret part for the address of the personal feed; the one before leads nowhere from now on."""
    token = secrets.token_urlsafe(32)
    Preferences.objects.update_or_create(account=account, defaults={"feed": _kept(token)})
    return token


def reader_of(token: str) -> Account | None:
    """Return whose personal feed the secret part of an address is, None if nobody's."""
    found = Preferences.objects.filter(feed=_kept(token), account__is_active=True).select_related("account").first()
    return None if found is None else found.account


def _kept(token: str) -> str:
    return sha256(token.encode()).hexdigest()


def _releases(read: Views) -> Iterable[Item]:
    for log in read.logs():
        entries = (
            record for _index, record in read.newest(log.id, before=None, limit=_LOOKED_AT) if record is not None
        )
        for record in islice((entry for entry in entries if entry.kind == "release" and not entry.problem), SHOWN):
            yield _release(record)


def _release(record: Record) -> Item:
    names = {"product": record.predicate["product"], "version": record.predicate["version"]}
    title = _("%(product)s %(version)s was logged") % names
    if record.withdrawn is not None:
        title = _("%(product)s %(version)s was logged, and withdrawn") % names
    text = _("The statement %(statement)s stands in a public log.") % {"statement": record.id}
    return Item(f"release:{record.id}", title, text, f"/releases/{record.id}", record.logged_at or _START)


def _alarms(read: Views) -> Iterable[Item]:
    for alarm in read.alarms():
        yield Item(f"alarm:{alarm_id(alarm)}", _("Alarm"), alarm.what, "/", alarm.at or _START)


def _missing(read: Views) -> Iterable[Item]:
    log = read.node().name
    for concern in Concern.objects.filter(watch="cosignatures").exclude(told_at=None):
        title = _("%(node)s no longer cosigns") % {"node": concern.subject}
        text = _("%(node)s has not cosigned the log %(log)s for some time.") % {"node": concern.subject, "log": log}
        yield Item(f"cosignature:{concern.subject}:{concern.since}", title, text, "/nodes", concern.since)


def _written(read: Views, base: str, title: str, items: list[Item], *, name: str, path: str | None) -> bytes:
    """Write a feed; without a `path` it does not repeat its own address, which is a secret."""
    node = read.node()
    feed = _Feed(
        title=f"{node.name}: {title}",
        link=base + "/",
        description=_("This node is run by %(operator)s.") % {"operator": node.operator},
        feed_url=None if path is None else base + path,
        feed_guid=_urn(node.name, name),
        author_name=node.name,
    )
    for item in items:
        guid = _urn(node.name, item.name)
        feed.add_item(item.title, base + item.path, item.text, unique_id=guid, pubdate=item.at, updateddate=item.at)
    text: str = feed.writeString("utf-8")
    return text.encode()


class _Feed(Atom1Feed):
    """Atom with an update time that follows from its entries, so that an unchanged feed has unchanged bytes."""

    def latest_post_date(self) -> datetime:
        return max((item["updateddate"] for item in self.items), default=_START)


def _urn(*parts: str) -> str:
    return uuid.uuid5(_SPACE, "\0".join(parts)).urn
