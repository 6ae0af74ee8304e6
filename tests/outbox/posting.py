"""What the tests of the outbox post."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.utils import timezone

from pellucid.outbox.notice import WORDS, Notice, NoticeKind, WordForm
from pellucid.outbox.portal.models import Delivery, Preferences
from pellucid.people.portal.models import Account

DIGEST = "ab" * 32
EXAMPLES: dict[WordForm, str | int] = {
    WordForm.TERM: "check-logs",
    WordForm.ORIGIN: "log.center.example/2",
    WordForm.DIGEST: DIGEST,
    WordForm.MOMENT: 1_800_000_000,
    WordForm.COUNT: 3,
}


def sample(kind: NoticeKind, key: str | None = None) -> Notice:
    """Return a notice of a kind with every word that it may have."""
    words: dict[str, str | int] = {name: EXAMPLES[word.form] for name, word in WORDS[kind].items()}
    return Notice(kind, key or f"test:{kind.value}", "/account", words)


def job_ended(key: str = "job:1") -> Notice:
    """Return the notice of a job that is done."""
    return Notice(NoticeKind.JOB_ENDED, key, "/jobs/check-logs:1", {"job": "check-logs", "state": "done"})


def invitation(key: str = "invitation:1") -> Notice:
    """Return the notice of an invitation."""
    words: dict[str, str | int] = {"role": "reviewer", "expires": 1_800_000_000}
    return Notice(NoticeKind.INVITATION, key, "/invitations/0123456789abcdef", words)


def wishes(account: Account, **fields: Any) -> Preferences:
    """Keep how an account wants to be told."""
    return Preferences.objects.update_or_create(account=account, defaults=fields)[0]


def make_due() -> None:
    """Let the time pass until everything that waits is due."""
    Delivery.objects.filter(state="waiting").update(due_at=timezone.now() - timedelta(seconds=1))
