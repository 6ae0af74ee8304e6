"""The page models of keys: whose they are, what the logs say of them, and the challenge that shows possession."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from django.utils.translation import gettext as _

from pellucid.people.portal.access import roles_of
from pellucid.people.portal.models import Account
from pellucid.signing.challenge import PAYLOAD_TYPE, Challenge
from pellucid.signing.portal.models import KeyChallenge, PartyKey
from pellucid.signing.portal.standing import Accredited, Grant, accredit_command, revoke_command, standing_of
from pellucid.trust.predicate import Custody

MOST_SHOWN = 100


@dataclass(frozen=True, slots=True)
class Crumb:
    """A step back; empty for the page itself."""

    text: str
    href: str = ""


@dataclass(frozen=True, slots=True)
class Mark:
    """A state in a word: `good`, `attention`, `failed` or `unknown`."""

    state: str
    text: str


@dataclass(frozen=True, slots=True)
class Command:
    """A line to run oneself."""

    caption: str
    text: str


@dataclass(frozen=True, slots=True)
class KeyLine:
    """An enrolled key and what the logs say of it."""

    key: str
    spki: str
    label: str
    custody: str
    kept: str
    account: str
    owner: str
    enrolled_at: datetime
    retired_at: datetime | None
    mark: Mark
    advice: str
    grants: tuple[Grant, ...]
    commands: tuple[Command, ...]


@dataclass(frozen=True, slots=True)
class KeysPage:
    """The keys of one account, or with `account` empty of everybody."""

    as_of: datetime
    title: str
    account: str
    keys: tuple[KeyLine, ...]

    @property
    def browser_keys(self) -> str:
        """The ids of keys kept in browsers and not retired, for the script of the page."""
        return " ".join(key.key for key in self.keys if key.custody == Custody.BROWSER and key.retired_at is None)


@dataclass(frozen=True, slots=True)
class ChallengePage:
    """A challenge that waits for its answer."""

    as_of: datetime
    title: str
    crumbs: tuple[Crumb, ...]
    id: str
    challenge: Challenge
    kept: str
    expires_at: datetime
    payload_type: str
    payload: str
    payload_base64: str
    file: str
    command: Command


def keys_page(account: Account) -> KeysPage:
    """Build the page of one's own keys."""
    keys = PartyKey.objects.filter(account=account).select_related("account").order_by("retired_at", "-id")
    return KeysPage(now(), _("Keys you sign with"), account.id, tuple(key_line(key) for key in keys[:MOST_SHOWN]))


def all_keys_page() -> KeysPage:
    """Build the operators' page of everybody's keys, newest first."""
    keys = PartyKey.objects.select_related("account").order_by("-id")[:MOST_SHOWN]
    return KeysPage(now(), _("Keys of people"), "", tuple(key_line(key, operator=True) for key in keys))


def challenge_page(waiting: KeyChallenge, challenge: Challenge) -> ChallengePage:
    """Build the page on which a challenge is answered."""
    payload = bytes(waiting.payload)
    file = f"challenge-{waiting.id[:8]}.json"
    return ChallengePage(
        as_of=now(),
        title=_("Show that the key is yours"),
        crumbs=(Crumb(_("Keys"), "/account/keys"), Crumb(_("Challenge"))),
        id=waiting.id,
        challenge=challenge,
        kept=_kept(challenge.custody),
        expires_at=waiting.expires_at,
        payload_type=PAYLOAD_TYPE,
        payload=payload.decode(),
        payload_base64=base64.b64encode(payload).decode(),
        file=file,
        command=Command(_("Sign it where the key is"), f"pellucid key prove {file} --key YOUR.key"),
    )


def now() -> datetime:
    """Return the moment that a page is made for."""
    return datetime.now(UTC)


def key_line(key: PartyKey, *, operator: bool = False) -> KeyLine:
    """Return a key as pages show it; with its owner for an operator."""
    held = standing_of(key)
    left = operator and key.retired_at is None and held.accredited is Accredited.YES and not roles_of(key.account)
    return KeyLine(
        key=key.key_id,
        spki=key.spki,
        label=key.label,
        custody=key.custody,
        kept=_kept(Custody(key.custody)),
        account=key.account_id,
        owner=(key.account.name or key.account_id) if operator else "",
        enrolled_at=key.enrolled_at,
        retired_at=key.retired_at,
        mark=_key_mark(key, held.accredited, sorted(held.roles)),
        advice=_left_advice() if left else _key_advice(key, held.accredited),
        grants=held.grants,
        commands=_key_commands(key, held.accredited, left=left),
    )


def _key_mark(key: PartyKey, accredited: Accredited, roles: Sequence[str]) -> Mark:
    if key.retired_at is not None:
        return Mark("unknown", _("retired here"))
    return {
        Accredited.NOT_YET: Mark("unknown", _("not accredited yet")),
        Accredited.YES: Mark("good", _("accredited as %(roles)s") % {"roles": ", ".join(roles)}),
        Accredited.OTHER_CUSTODY: Mark("attention", _("accredited as kept in another way")),
        Accredited.ENDED: Mark("failed", _("ended in the log")),
    }[accredited]


def _key_advice(key: PartyKey, accredited: Accredited) -> str:
    if key.retired_at is not None:
        return _("No signature by it is taken here. In the log it speaks until it is retired there too.")
    return {
        Accredited.NOT_YET: _("The log takes nothing by it before an operator has accredited it on the node's home."),
        Accredited.YES: "",
        Accredited.OTHER_CUSTODY: _(
            "The log says that this key is kept in another way than you enrolled it. Have the operator take that back "
            "and accredit it anew: policies go by what the log says."
        ),
        Accredited.ENDED: _("Nothing that it signs from now on counts. Enrol a new key."),
    }[accredited]


def _left_advice() -> str:
    return _("Its holder has no role here any more, and the log still lets it speak.")


def _key_commands(key: PartyKey, accredited: Accredited, *, left: bool) -> tuple[Command, ...]:
    if key.retired_at is not None or left:
        ended = accredited in {Accredited.NOT_YET, Accredited.ENDED}
        return () if ended else (Command(_("An operator says so in the log"), revoke_command(key)),)
    if accredited is Accredited.NOT_YET:
        command = accredit_command(key, roles_of(key.account))
        return (Command(_("An operator accredits it, on the node's home"), command),)
    return ()


def _kept(custody: Custody) -> str:
    return {
        Custody.FILE: _("in a key file"),
        Custody.TOKEN: _("in a hardware token"),
        Custody.BROWSER: _("in a browser; a hostile node's page could use it"),
    }[custody]
