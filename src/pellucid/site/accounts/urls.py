"""The addresses of sign-in: these and no others of the library's; no page makes an account or mails a secret."""

from __future__ import annotations

from typing import Any

from django.urls import URLPattern, path
from django.views.decorators.cache import never_cache

from pellucid.site.accounts import factors, provider, views
from pellucid.site.accounts.shown import confirmed


def _at(address: str, view: Any, name: str) -> URLPattern:
    return path(address, never_cache(view), name=name)


urlpatterns: list[URLPattern] = [
    _at("login/", views.SignIn.as_view(), "account_login"),
    _at("logout/", views.SignOut.as_view(), "account_logout"),
    _at("reauthenticate/", views.Confirm.as_view(), "account_reauthenticate"),
    _at("password/change/", confirmed(views.Password.as_view()), "account_change_password"),
    _at("email/", confirmed(views.Address.as_view()), "account_email"),
    _at("sessions/", confirmed(views.Sessions.as_view()), "usersessions_list"),
    _at("2fa/", factors.Factors.as_view(), "mfa_index"),
    _at("2fa/authenticate/", views.SecondFactor.as_view(), "mfa_authenticate"),
    _at("2fa/reauthenticate/", views.ConfirmByCode.as_view(), "mfa_reauthenticate"),
    _at("2fa/totp/activate/", factors.AddTotp.as_view(), "mfa_activate_totp"),
    _at("2fa/totp/deactivate/", factors.RemoveTotp.as_view(), "mfa_deactivate_totp"),
    _at("2fa/recovery-codes/", factors.RecoveryCodes.as_view(), "mfa_view_recovery_codes"),
    _at("2fa/recovery-codes/generate/", factors.NewRecoveryCodes.as_view(), "mfa_generate_recovery_codes"),
    _at("2fa/webauthn/add/", factors.AddPasskey.as_view(), "mfa_add_webauthn"),
    _at("2fa/webauthn/login/", views.PasskeySignIn.as_view(), "mfa_login_webauthn"),
    _at("2fa/webauthn/reauthenticate/", views.ConfirmByPasskey.as_view(), "mfa_reauthenticate_webauthn"),
    _at("2fa/webauthn/keys/<int:pk>/edit/", factors.NamePasskey.as_view(), "mfa_edit_webauthn"),
    _at("2fa/webauthn/keys/<int:pk>/remove/", factors.RemovePasskey.as_view(), "mfa_remove_webauthn"),
    _at("3rdparty/", confirmed(factors.Disconnect.as_view()), "socialaccount_connections"),
    _at("oidc/<slug:provider_id>/login/", provider.go, "openid_connect_login"),
    _at("oidc/<slug:provider_id>/login/callback/", provider.come_back, "openid_connect_callback"),
]
