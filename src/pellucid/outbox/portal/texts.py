"""What notices say, in the language of whoever reads them: one template for each kind, filled with its words only."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from pellucid.outbox.notice import NoticeKind

Words = Mapping[str, str | int]

# The languages in which everything below is said; a person chooses once there is more than one.
LANGUAGES: tuple[tuple[str, str], ...] = (("en", "English"),)


@dataclass(frozen=True, slots=True)
class Telling:
    """A notice in words: a line, a sentence or two, and why somebody gets it."""

    line: str
    text: str
    why: str


@dataclass(frozen=True, slots=True)
class Voice:
    """Which node speaks, and the address under which its pages are; without one, paths have to do."""

    name: str
    operator: str
    address: str | None

    def page(self, path: str) -> str:
        """Return where a page is."""
        return f"{self.address.rstrip('/')}{path}" if self.address else path


def language_of(wish: str) -> str:
    """Return the language to write in for somebody who wishes this one."""
    return wish if wish in dict(LANGUAGES) else LANGUAGES[0][0]


def telling(kind: NoticeKind, words: Words) -> Telling:
    """Say a notice in the language that is active; words that are missing or unknown are said as they stand."""
    said = {name: _moment(value) if name in _MOMENTS else str(value) for name, value in words.items()}
    return _TELLERS[kind](said)


def subject_of(voice: Voice, lines: list[str]) -> str:
    """Return the subject of a mail with these notices."""
    if len(lines) == 1:
        return f"[{voice.name}] {lines[0]}"
    return f"[{voice.name}] " + ngettext("%(count)d notice", "%(count)d notices", len(lines)) % {"count": len(lines)}


def letter_text(voice: Voice, told: list[tuple[Telling, str]], *, has_account: bool) -> str:
    """Return the whole text of a mail: each notice with its page, then who speaks, why, and where to change that."""
    parts = [f"{telling.text}\n\n{voice.page(path)}" for telling, path in told]
    whys = dict.fromkeys(telling.why for telling, _path in told)
    foot = [_("%(node)s tells you this. It is run by %(operator)s.") % {"node": voice.name, "operator": voice.operator}]
    foot += whys
    if has_account:
        foot.append(_("Change what you are told: %(page)s") % {"page": voice.page("/account/notices")})
    else:
        foot.append(
            _("You need do nothing to be told no more: your address is erased here once this mail is delivered.")
        )
    foot.append(_("A program sent this; nobody reads answers. It never asks for a password or a code."))
    return "\n\n----\n\n".join([*parts, "\n".join(foot)]) + "\n"


def term(value: str) -> str:
    """Say a word of the program in the reader's language."""
    return str(TERMS.get(value, value.replace("-", " ")))


def _moment(value: str | int) -> str:
    return datetime.fromtimestamp(int(value), UTC).strftime("%Y-%m-%d %H:%M UTC")


def _invitation(said: dict[str, str]) -> Telling:
    filled = {"role": term(said["role"]), "expires": said["expires"]}
    return Telling(
        _("You are invited as %(role)s") % filled,
        _(
            "You are invited to work on this node as %(role)s, until %(expires)s. The page of the invitation asks for "
            "a code. The person who invited you tells it to you by another way; it is in no mail. If you do not know "
            "who that is, do nothing."
        )
        % filled,
        _("You get this because an operator of the node gave it your address to invite you."),
    )


def _job_ended(said: dict[str, str]) -> Telling:
    filled = {"job": term(said["job"]), "state": term(said["state"])}
    return Telling(
        _("Job %(job)s: %(state)s") % filled,
        _("The job %(job)s has ended: %(state)s. Its page has the result and what it said.") % filled,
        _("You get this because you asked for the job, or run the node."),
    )


def _expiry(said: dict[str, str]) -> Telling:
    filled = {"what": term(said["what"]), "expires": said["expires"], "role": term(said.get("role", ""))}
    text = _("%(what)s expires on %(expires)s.") % filled
    if "role" in said:
        text = _("%(what)s as %(role)s expires on %(expires)s.") % filled
    if "key" in said:
        text += " " + _("It is for the key %(key)s.") % {"key": said["key"]}
    return Telling(
        _("%(what)s expires on %(expires)s") % filled,
        text,
        _("You get this because it is yours, or because you gave it."),
    )


def _cosignature_lost(said: dict[str, str]) -> Telling:
    return Telling(
        _("%(node)s no longer cosigns") % said,
        _("%(node)s has not cosigned the log %(log)s since %(since)s, though it was asked.") % said,
        _("You get this because you run the node."),
    )


def _alarm(said: dict[str, str]) -> Telling:
    filled = {"alarm": term(said["alarm"]), "log": said.get("log", "")}
    text = _("Something is wrong: %(alarm)s.") % filled
    if "log" in said:
        text = _("Something is wrong with the log %(log)s: %(alarm)s.") % filled
    if "statement" in said:
        text += " " + _("It concerns the statement %(statement)s.") % said
    return Telling(_("Alarm: %(alarm)s") % filled, text, _("You get this because you run the node."))


def _signature_wanted(said: dict[str, str]) -> Telling:
    text = _("A statement waits for your signature. Its page shows it in full, in words and in bytes.")
    if "kind" in said:
        text += " " + _("Its kind: %(kind)s.") % {"kind": term(said["kind"])}
    if "statement" in said:
        text += " " + _("Its id: %(statement)s.") % said
    if "expires" in said:
        text += " " + _("The request ends on %(expires)s.") % said
    return Telling(_("Your signature is asked for"), text, _("You get this because you hold a role in which you sign."))


def _account_changed(said: dict[str, str]) -> Telling:
    filled = {"change": term(said["change"]), "role": term(said.get("role", "")), "expires": said.get("expires", "")}
    text = _("Your account has changed: %(change)s.") % filled
    if "role" in said:
        text = _("Your account has changed: %(change)s (%(role)s).") % filled
    if "expires" in said:
        text += " " + _("Until: %(expires)s.") % filled
    text += " " + _("If you do not know of it, end your other sessions and tell an operator of the node.")
    return Telling(
        _("Your account: %(change)s") % filled,
        text,
        _("You get this because it is your account; this kind of notice cannot be switched off."),
    )


_MOMENTS = {"expires", "since"}
_TELLERS: Mapping[NoticeKind, Callable[[dict[str, str]], Telling]] = {
    NoticeKind.INVITATION: _invitation,
    NoticeKind.JOB_ENDED: _job_ended,
    NoticeKind.EXPIRY: _expiry,
    NoticeKind.COSIGNATURE_LOST: _cosignature_lost,
    NoticeKind.ALARM: _alarm,
    NoticeKind.SIGNATURE_WANTED: _signature_wanted,
    NoticeKind.ACCOUNT_CHANGED: _account_changed,
}
TERMS: Mapping[str, Any] = {
    "operator": gettext_lazy("operator"),
    "vendor-contact": gettext_lazy("vendor contact"),
    "reviewer": gettext_lazy("reviewer"),
    "assessor": gettext_lazy("assessor"),
    "attestor": gettext_lazy("attestor"),
    "researcher": gettext_lazy("researcher"),
    "done": gettext_lazy("done"),
    "failed": gettext_lazy("failed"),
    "cancelled": gettext_lazy("cancelled"),
    "totp-added": gettext_lazy("an authenticator app was set up"),
    "totp-removed": gettext_lazy("an authenticator app was removed"),
    "passkey-added": gettext_lazy("a passkey was added"),
    "passkey-removed": gettext_lazy("a passkey was removed"),
    "recovery-codes-added": gettext_lazy("new recovery codes were made"),
    "recovery-codes-removed": gettext_lazy("the recovery codes were removed"),
    "openid-added": gettext_lazy("a sign-in provider was added"),
    "openid-removed": gettext_lazy("a sign-in provider was removed"),
    "password-changed": gettext_lazy("the password was changed"),
    "address-changed": gettext_lazy("the mail address was changed"),
    "role-granted": gettext_lazy("a role was granted"),
    "role-ended": gettext_lazy("a role was ended"),
    "key-enrolled": gettext_lazy("a signing key was enrolled"),
    "key-retired": gettext_lazy("a signing key was retired"),
    "invited-again": gettext_lazy("a new way in was made for it"),
    "webhook-added": gettext_lazy("a webhook was added"),
    "feed-renewed": gettext_lazy("the address of the personal feed was made anew"),
    "role": gettext_lazy("A role"),
    "accreditation": gettext_lazy("An accreditation"),
    "invitation": gettext_lazy("An invitation"),
    "signing-request": gettext_lazy("A request for a signature"),
    "doubled-release": gettext_lazy("two live releases of one name"),
    "inconsistent-log": gettext_lazy("a log that contradicts itself"),
    "stale-log": gettext_lazy("a log that nobody independent has cosigned lately"),
    "missing": gettext_lazy("entries that were shown before are missing"),
    "doubled": gettext_lazy("two live releases of one name"),
    "inconsistent": gettext_lazy("a log that contradicts itself"),
    "stale": gettext_lazy("a log that too few have cosigned lately"),
    "unreachable": gettext_lazy("nobody shows it"),
}

KIND_NAMES: Mapping[NoticeKind, Any] = {
    NoticeKind.INVITATION: gettext_lazy("Invitations"),
    NoticeKind.JOB_ENDED: gettext_lazy("Jobs that ended"),
    NoticeKind.EXPIRY: gettext_lazy("What expires soon"),
    NoticeKind.COSIGNATURE_LOST: gettext_lazy("Cosignatures that are missing"),
    NoticeKind.ALARM: gettext_lazy("Alarms"),
    NoticeKind.SIGNATURE_WANTED: gettext_lazy("Signatures asked of you"),
    NoticeKind.ACCOUNT_CHANGED: gettext_lazy("Changes to your account"),
}
