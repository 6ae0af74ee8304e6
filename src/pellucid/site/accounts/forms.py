"""The forms of sign-in: those of the library, each field bounded and labelled as this portal labels fields."""

from __future__ import annotations

import json
from typing import Any

from allauth.account.forms import ChangePasswordForm, LoginForm, ReauthenticateForm
from allauth.account.models import EmailAddress
from allauth.mfa.adapter import get_adapter as factor_adapter
from allauth.mfa.base.forms import AuthenticateForm
from allauth.mfa.base.forms import ReauthenticateForm as ReauthenticateByCodeForm
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.forms import ActivateTOTPForm
from allauth.mfa.webauthn.forms import (
    AddWebAuthnForm,
    AuthenticateWebAuthnForm,
    EditWebAuthnForm,
    LoginWebAuthnForm,
    ReauthenticateWebAuthnForm,
)
from django import forms
from django.core.exceptions import ValidationError
from django.core.validators import MaxLengthValidator
from django.utils.translation import gettext_lazy as _

from pellucid.people.portal.models import Account
from pellucid.site.accounts.passwords import LONGEST

_ADDRESS = 254
_CODE = 40
_NAME = 60
_CREDENTIAL = 32_768
_PASSKEYS = 20


def _bound(field: forms.Field, longest: int, label: Any = None, help_text: Any = "") -> None:
    """Give a field of the library a bound, and its label and help in place of its placeholder."""
    field.validators.append(MaxLengthValidator(longest))
    field.widget.attrs.pop("placeholder", None)
    field.widget.attrs["maxlength"] = str(longest)
    field.help_text = help_text
    if label is not None:
        field.label = label


class SignInForm(LoginForm):
    """Address and password."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        _bound(self.fields["login"], _ADDRESS, _("E-mail address"))
        _bound(self.fields["password"], LONGEST, _("Password"))
        self.fields["login"].widget.attrs["autocomplete"] = "username webauthn"


class ConfirmForm(ReauthenticateForm):
    """The password once more."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        _bound(self.fields["password"], LONGEST, _("Password"))


class PasswordForm(ChangePasswordForm):
    """A new password."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        _bound(self.fields["oldpassword"], LONGEST, _("Present password"))
        rule = _(
            "At least 12 characters. Several words that do not belong together are good; so is what a program makes."
        )
        _bound(self.fields["password1"], LONGEST, _("New password"), rule)
        _bound(self.fields["password2"], LONGEST, _("New password, again"))


class AddressForm(forms.Form):
    """A new mail address, which is also the name to sign in with."""

    email = forms.EmailField(
        label=_("New e-mail address"),
        max_length=_ADDRESS,
        widget=forms.EmailInput(attrs={"autocomplete": "email"}),
    )

    def __init__(self, *args: Any, account: Account, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.account = account

    def clean_email(self) -> str:
        """Return the address in lower case; one that is taken is refused like one that is unfit."""
        email = str(self.cleaned_data["email"]).lower()
        if email == self.account.email:
            raise ValidationError(_("This is your address already."))
        if Account.objects.filter(email=email).exists() or EmailAddress.objects.filter(email__iexact=email).exists():
            raise ValidationError(_("This address cannot be used here."))
        return email


def _code(field: forms.Field) -> None:
    _bound(field, _CODE, _("Code"))
    field.widget.attrs |= {"inputmode": "numeric", "class": "code-entry", "spellcheck": "false"}


class CodeForm(AuthenticateForm):
    """A code of the authenticator app, or a recovery code."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        _code(self.fields["code"])


class ConfirmCodeForm(ReauthenticateByCodeForm):
    """A code once more."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        _code(self.fields["code"])


class NewTotpForm(ActivateTOTPForm):
    """The first code of a new authenticator app."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        _code(self.fields["code"])


class Credential(forms.JSONField):
    """What a browser says a passkey said: JSON, bounded."""

    widget = forms.HiddenInput

    def to_python(self, value: Any) -> Any:
        """Return a JSON object; ValidationError for anything else, however it is malformed."""
        if isinstance(value, str) and len(value) > _CREDENTIAL:
            raise ValidationError(self.error_messages["invalid"], code="invalid")
        try:
            read = super().to_python(value)
        except (RecursionError, json.JSONDecodeError):
            raise ValidationError(self.error_messages["invalid"], code="invalid") from None
        if read is not None and not isinstance(read, dict):
            raise ValidationError(self.error_messages["invalid"], code="invalid")
        return read

    def bound_data(self, data: Any, initial: Any) -> Any:
        """Return nothing: what was sent is good for one attempt, and is not written into a page again."""
        return None

    def prepare_value(self, value: Any) -> str:
        """Return nothing."""
        return ""


def _unfit() -> ValidationError:
    refusal: ValidationError = factor_adapter().validation_error("incorrect_code")
    return refusal


class PasskeyForm(AuthenticateWebAuthnForm):
    """A passkey as second factor."""

    credential = Credential()

    def clean_credential(self) -> Any:
        """Return the passkey that was used; whatever its parsers make of hostile bytes is one refusal."""
        try:
            return super().clean_credential()
        except ValidationError:
            raise
        except Exception:  # noqa: BLE001 - the parsers raise what they please, and none of it is ours
            raise _unfit() from None


class PasskeySignInForm(PasskeyForm, LoginWebAuthnForm):
    """A passkey and nothing else."""


class ConfirmPasskeyForm(PasskeyForm, ReauthenticateWebAuthnForm):
    """A passkey once more."""


class NewPasskeyForm(AddWebAuthnForm):
    """A new passkey and its name."""

    credential = Credential()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        del self.fields["passwordless"]  # each is one to sign in with
        _bound(self.fields["name"], _NAME, _("Name"), _("So that you know later which one it is."))

    def clean(self) -> dict[str, Any]:
        """Return the fields once the new passkey is proven; hostile bytes are one refusal."""
        if Authenticator.objects.filter(user=self.user, type=Authenticator.Type.WEBAUTHN).count() >= _PASSKEYS:
            raise ValidationError(_("You have as many passkeys as an account may have. Remove one first."))
        try:
            cleaned: dict[str, Any] = super().clean()
        except ValidationError:
            raise
        except Exception:  # noqa: BLE001 - the parsers raise what they please, and none of it is ours
            raise _unfit() from None
        return cleaned


class PasskeyNameForm(EditWebAuthnForm):
    """Another name for a passkey."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        _bound(self.fields["name"], _NAME, _("Name"))
