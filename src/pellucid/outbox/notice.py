"""What people can be told: kinds of notices, each with the few public words and numbers that it may carry.

A notice has no field for free text. Each kind declares its words and how each is written; everything else is refused
where the notice is made, so nothing private can reach a message, whoever posts it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from pellucid.errors import InputError
from pellucid.statement.digest import sha256_hex


class NoticeKind(StrEnum):
    """Why somebody is told something."""

    INVITATION = "invitation"
    JOB_ENDED = "job-ended"
    EXPIRY = "expiry"
    COSIGNATURE_LOST = "cosignature-lost"
    ALARM = "alarm"
    SIGNATURE_WANTED = "signature-wanted"
    ACCOUNT_CHANGED = "account-changed"


# What nobody may switch off: a person has to hear what others do with the account.
ALWAYS_TOLD: frozenset[NoticeKind] = frozenset({NoticeKind.ACCOUNT_CHANGED, NoticeKind.INVITATION})


class NoticeError(InputError):
    """A notice carries what its kind does not allow."""


class WordForm(StrEnum):
    """How a word of a notice is written: none of these forms holds a sentence, an address or a name of a person."""

    TERM = "term"  # a word of the program: a state, a role, the name of a job
    ORIGIN = "origin"  # the name of a node or a log
    DIGEST = "digest"  # 64 hexadecimal digits
    MOMENT = "moment"  # whole seconds since 1970
    COUNT = "count"  # a whole number


_FORMS: Mapping[WordForm, re.Pattern[str]] = {
    WordForm.TERM: re.compile(r"[a-z][a-z0-9]*(?:-[a-z0-9]+)*"),
    WordForm.ORIGIN: re.compile(r"(?=.*[^\W\d_])[^\s+@\x00-\x20\x7f]+"),
    WordForm.DIGEST: re.compile(r"[0-9a-f]{64}"),
}
_LONGEST: Mapping[WordForm, int] = {WordForm.TERM: 60, WordForm.ORIGIN: 255, WordForm.DIGEST: 64}
_LAST_MOMENT = 253_402_300_799
_MOST = 2**53
_KEY = re.compile(r"[!-~]{1,200}")
_PATH = re.compile(r"/(?!/)[A-Za-z0-9/_.:~-]{0,250}")


@dataclass(frozen=True, slots=True)
class Word:
    """A word that a kind of notice carries; a notice without a `needed` one is refused."""

    form: WordForm
    needed: bool = True

    def fits(self, value: object) -> bool:
        """Tell whether a value is written in this form."""
        if self.form in {WordForm.MOMENT, WordForm.COUNT}:
            most = _LAST_MOMENT if self.form is WordForm.MOMENT else _MOST
            return isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= most
        if not isinstance(value, str) or len(value) > _LONGEST[self.form]:
            return False
        return _FORMS[self.form].fullmatch(value) is not None


def spoken(origin: str) -> str:
    """Return a node's or log's name as a notice may carry it: names that look like something else go by SHA-256."""
    return origin if Word(WordForm.ORIGIN).fits(origin) else sha256_hex(origin.encode())


def is_path(path: str) -> bool:
    """Tell whether a path is a plain address of a page, as notices have it."""
    return _PATH.fullmatch(path) is not None


def _optional(form: WordForm) -> Word:
    return Word(form, needed=False)


WORDS: Mapping[NoticeKind, Mapping[str, Word]] = {
    NoticeKind.INVITATION: {"role": Word(WordForm.TERM), "expires": Word(WordForm.MOMENT)},
    NoticeKind.JOB_ENDED: {"job": Word(WordForm.TERM), "state": Word(WordForm.TERM)},
    NoticeKind.EXPIRY: {
        "what": Word(WordForm.TERM),
        "expires": Word(WordForm.MOMENT),
        "role": _optional(WordForm.TERM),
        "key": _optional(WordForm.DIGEST),
    },
    NoticeKind.COSIGNATURE_LOST: {
        "log": Word(WordForm.ORIGIN),
        "node": Word(WordForm.ORIGIN),
        "since": Word(WordForm.MOMENT),
    },
    NoticeKind.ALARM: {
        "alarm": Word(WordForm.TERM),
        "log": _optional(WordForm.ORIGIN),
        "statement": _optional(WordForm.DIGEST),
    },
    NoticeKind.SIGNATURE_WANTED: {
        "kind": _optional(WordForm.TERM),
        "statement": _optional(WordForm.DIGEST),
        "expires": _optional(WordForm.MOMENT),
    },
    NoticeKind.ACCOUNT_CHANGED: {
        "change": Word(WordForm.TERM),
        "role": _optional(WordForm.TERM),
        "expires": _optional(WordForm.MOMENT),
    },
}


@dataclass(frozen=True, slots=True)
class Notice:
    """Something to tell: `key` makes it happen once however often it is posted.

    `path` leads to the page that tells all, for those who may see it; `words` are digests, terms, numbers, names of
    nodes - nothing secret and nothing private. NoticeError for words that `WORDS` does not give this kind.
    """

    kind: NoticeKind
    key: str
    path: str
    words: Mapping[str, str | int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Refuse what does not fit, without repeating it: it may be just what must not be told."""
        if _KEY.fullmatch(self.key) is None:
            raise NoticeError("its key is not 1 to 200 visible characters", where=f"notice {self.kind.value}")
        if not is_path(self.path):
            raise NoticeError(
                "its path is no plain address of a page",
                where=f"notice {self.kind.value}",
                remedy="give the path alone: no host, no query, nothing escaped",
            )
        allowed = WORDS[self.kind]
        for name, value in self.words.items():
            if name not in allowed or not allowed[name].fits(value):
                raise NoticeError(
                    "carries a word that its kind does not have, or one that is not written in its form",
                    where=f"notice {self.kind.value}: {name[:40]!r}",
                    remedy="see the reference of notices",
                )
        missing = [name for name, word in allowed.items() if word.needed and name not in self.words]
        if missing:
            raise NoticeError(f"lacks {', '.join(missing)}", where=f"notice {self.kind.value}")
