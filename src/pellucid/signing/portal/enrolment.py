"""Enrolling a key: the node gives a challenge, its holder signs it, and the public key is kept with the account."""

from __future__ import annotations

import time
from datetime import UTC, datetime

from django.db import IntegrityError, transaction
from django.utils import timezone

from pellucid.audit.events import EventType
from pellucid.audit.portal import door as audit
from pellucid.errors import EvidenceError
from pellucid.outbox.notice import Notice, NoticeKind
from pellucid.outbox.portal import door as outbox
from pellucid.people.portal.models import Account
from pellucid.signing.challenge import Challenge, ChallengeError, check_answer, make_challenge
from pellucid.signing.checks import NotFitError
from pellucid.signing.portal.door import ground
from pellucid.signing.portal.models import KeyChallenge, PartyKey, SigningRequest
from pellucid.signing.states import TRANSITIONS, Action, after
from pellucid.signing.states import State as RequestState
from pellucid.statement.dsse import Envelope
from pellucid.statement.keys import PublicKey
from pellucid.statement.moment import parse_time
from pellucid.trust.predicate import Custody

MOST_KEYS = 20
_MOST_OPEN = 5


def begin(account: Account, spki: str, custody: Custody, label: str) -> KeyChallenge:
    """Return a challenge for a key (base64 SubjectPublicKeyInfo); KeyFileError or NotFitError for one not to take."""
    public = PublicKey.from_base64(spki, where="key")
    _refuse_taken(public.id)
    if PartyKey.objects.filter(account=account, retired_at=None).count() >= MOST_KEYS:
        raise NotFitError(f"you have {MOST_KEYS} keys already", where="key", remedy="retire one that you do not use")
    now = int(time.time())
    challenge = make_challenge(ground().origin, account.id, public, custody, now)
    mine = KeyChallenge.objects.filter(account=account)
    mine.filter(expires_at__lte=timezone.now()).delete()
    kept = mine.order_by("-expires_at").values_list("id", flat=True)[: _MOST_OPEN - 1]
    mine.exclude(id__in=list(kept)).delete()
    return KeyChallenge.objects.create(
        account=account,
        spki=public.spki_base64,
        label=label,
        payload=challenge.payload(),
        expires_at=datetime.fromtimestamp(parse_time(challenge.expires), UTC),
    )


def challenge_of(waiting: KeyChallenge) -> Challenge:
    """Return the challenge that was given."""
    return Challenge.parse(bytes(waiting.payload), where="challenge")


def finish(waiting: KeyChallenge, data: bytes) -> PartyKey:
    """Keep the key if `data` is its signed challenge; ChallengeError otherwise, and then the challenge stays open.

    An answer is taken once: the challenge is gone with it.
    """
    challenge, public = challenge_of(waiting), PublicKey.from_base64(waiting.spki)
    try:
        envelope = Envelope.parse(data, where="answer")
    except EvidenceError as error:
        remedy = "give the .dsse.json file that `pellucid key prove` wrote"
        raise ChallengeError(error.what, where="answer", remedy=remedy) from None
    check_answer(envelope, challenge, public, int(time.time()))
    _refuse_taken(public.id)
    details = {"key": public.id, "custody": challenge.custody.value}
    try:
        with transaction.atomic():
            if not KeyChallenge.objects.filter(id=waiting.id).delete()[0]:
                raise ChallengeError("this challenge was answered already", where="answer", remedy="begin again")
            key = PartyKey.objects.create(
                account=waiting.account,
                key_id=public.id,
                spki=waiting.spki,
                custody=challenge.custody.value,
                label=waiting.label,
            )
            audit.record(EventType.KEY_ENROLLED, actor=waiting.account_id, target=f"key:{public.id}", details=details)
    except IntegrityError:
        _refuse_taken(public.id)
        raise
    _tell(key, "key-enrolled")
    return key


def retire(key: PartyKey) -> None:
    """Take no more signatures of a key here; that the log says so too is its holder's or the accreditor's to do."""
    with transaction.atomic():
        if not PartyKey.objects.filter(id=key.id, retired_at=None).update(retired_at=timezone.now()):
            return
        details = {"key": key.key_id, "custody": key.custody}
        audit.record(EventType.KEY_RETIRED, actor=key.account_id, target=f"key:{key.key_id}", details=details)
        _tell(key, "key-retired")


def keys_of(account: Account) -> dict[str, PublicKey]:
    """Return the keys, by id, whose signatures are taken from an account."""
    return {key.key_id: key.public for key in PartyKey.objects.filter(account=account, retired_at=None)}


def forget(account: Account) -> None:
    """Erase the prose that is kept with an account, and end what waits for it; keys and signatures stay known by ids.

    A public key and a statement are in logs for ever: what is forgotten here is what people wrote about them.
    """
    PartyKey.objects.filter(account=account).update(label="")
    requests = SigningRequest.objects.filter(account=account)
    requests.update(why="", note="")
    for state in RequestState:
        if Action.TAKE_BACK in TRANSITIONS[state]:
            ended = after(state, Action.TAKE_BACK).value
            requests.filter(state=state.value).update(state=ended, ended_at=timezone.now())
    PartyKey.objects.filter(account=account, retired_at=None).update(retired_at=timezone.now())
    KeyChallenge.objects.filter(account=account).delete()


def _tell(key: PartyKey, change: str) -> None:
    notice = Notice(NoticeKind.ACCOUNT_CHANGED, f"{change}:{key.key_id}", "/account/keys", {"change": change})
    outbox.post(notice, (key.account_id,))


def _refuse_taken(key_id: str) -> None:
    views = ground().views()
    keys = [*views.node().keys, *(key for peer in views.peers() for key in peer.keys)]
    if any(key.fingerprint == key_id for key in keys):
        remedy = "make a key of your own with `pellucid key new`"
        raise NotFitError("this is a key of a node, which nobody enrols", where="key", remedy=remedy)
    if PartyKey.objects.filter(key_id=key_id).exists():
        remedy = "make a new key: one key is one person's, once"
        raise NotFitError("this key is or was enrolled here already", where="key", remedy=remedy)
