"""What people may send to the signing pages: every field with its bound and its message."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.core.validators import RegexValidator
from django.utils.translation import gettext_lazy as _

from pellucid.signing.states import DeclineReason
from pellucid.statement.dsse import ENVELOPE_LIMIT
from pellucid.trust.predicate import Custody, WithdrawalReason

_SPKI = RegexValidator(
    r"\AMCowBQYDK2VwAyEA[A-Za-z0-9+/]{43}=\Z",
    _("This is no Ed25519 key: paste the 60 characters that `pellucid key show` prints after `spki`."),
)
_SHA256 = RegexValidator(r"\A[0-9a-f]{64}\Z", _("A statement id has 64 lowercase hexadecimal digits."))


class EnrolForm(forms.Form):
    """A public key to enrol, how its secret half is kept, and its owner's word for it."""

    spki = forms.CharField(
        label=_("Public key"),
        help_text=_(
            "The line <code>spki</code> of <code>pellucid key show FILE</code>. The secret half stays with you."
        ),
        max_length=60,
        validators=[_SPKI],
        widget=forms.TextInput(attrs={"class": "mono", "autocomplete": "off", "spellcheck": "false"}),
    )
    custody = forms.ChoiceField(
        label=_("How it is kept"),
        help_text=_("It stands in the log for ever, and others may refuse keys that are kept in a browser."),
        choices=[
            (Custody.FILE.value, _("in a key file, sealed with a passphrase")),
            (Custody.TOKEN.value, _("in a hardware token")),
            (Custody.BROWSER.value, _("in a browser")),
        ],
    )
    label = forms.CharField(
        label=_("Your word for it"),
        help_text=_("For you and the operators, such as “laptop”. It is not logged and can be erased."),
        max_length=60,
        required=False,
    )


class _BytesForm(forms.Form):
    """Bytes that are pasted or uploaded, one of the two."""

    one_of_all = True  # so no field of it is called optional

    text = forms.CharField(
        max_length=ENVELOPE_LIMIT,
        required=False,
        strip=False,
        widget=forms.Textarea(attrs={"rows": 6, "class": "mono", "autocomplete": "off", "spellcheck": "false"}),
    )
    file = forms.FileField(required=False)

    def clean_file(self) -> Any:
        """Refuse a file that no log entry could hold."""
        file = self.cleaned_data.get("file")
        if file is not None and (file.size or 0) > ENVELOPE_LIMIT:
            raise ValidationError(_("This file is larger than anything that a log takes (65,535 bytes)."))
        return file

    def clean(self) -> dict[str, Any]:
        """Ask for exactly one of the two."""
        found = super().clean() or self.cleaned_data
        if not self.errors and bool(found.get("text", "").strip()) == bool(found.get("file")):
            raise ValidationError(_("Paste it or choose a file: one of the two."))
        return found

    @property
    def data_given(self) -> bytes:
        """The bytes; to be asked for after the form was found valid."""
        file = self.cleaned_data["file"]
        return file.read() if file is not None else str(self.cleaned_data["text"]).strip().encode()


class AnswerForm(_BytesForm):
    """The answer to a challenge."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["text"].label = _("The answer")
        self.fields["text"].help_text = _(
            "What stands in the <code>.dsse.json</code> file that <code>pellucid key prove</code> wrote."
        )
        self.fields["file"].label = _("or the file")


class EnvelopeForm(_BytesForm):
    """The statement, signed."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["text"].label = _("The signed statement")
        self.fields["text"].help_text = _(
            "What stands in the <code>.dsse.json</code> file that <code>pellucid statement sign</code> wrote."
        )
        self.fields["file"].label = _("or the file")


class StatementForm(_BytesForm):
    """A statement that somebody brings to sign."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["text"].label = _("The statement")
        self.fields["text"].help_text = _("An in-toto Statement v1, as JSON. Nothing is logged before you sign it.")
        self.fields["file"].label = _("or the file")


class DeclineForm(forms.Form):
    """Why somebody does not sign."""

    reason = forms.ChoiceField(
        label=_("Why not"),
        choices=[
            (DeclineReason.NOT_TRUE.value, _("it is not what I found")),
            (DeclineReason.NOT_MINE.value, _("it is not mine to say")),
            (DeclineReason.CONFLICT.value, _("I have a conflict of interest")),
            (DeclineReason.UNCLEAR.value, _("it is not clear what it says")),
            (DeclineReason.OTHER.value, _("another reason")),
        ],
    )
    note = forms.CharField(
        label=_("In your words"),
        help_text=_("For whoever asked. It is not logged and can be erased."),
        max_length=500,
        required=False,
        widget=forms.Textarea(attrs={"rows": 3}),
    )


class WithdrawForm(forms.Form):
    """A statement of one's own to take back."""

    statement = forms.CharField(
        label=_("Statement"),
        help_text=_("The id of a statement that one of your keys signed."),
        min_length=64,
        max_length=64,
        validators=[_SHA256],
        widget=forms.TextInput(attrs={"class": "mono", "autocomplete": "off", "spellcheck": "false"}),
    )
    reason = forms.ChoiceField(
        label=_("Reason"),
        help_text=_("It stands in the log for ever."),
        choices=[
            (WithdrawalReason.MISTAKE.value, _("a mistake")),
            (WithdrawalReason.SUPERSEDED.value, _("superseded by another statement")),
            (WithdrawalReason.VULNERABLE.value, _("what it speaks of is vulnerable")),
            (WithdrawalReason.OTHER.value, _("another reason")),
        ],
    )
