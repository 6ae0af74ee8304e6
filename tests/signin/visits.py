"""What a person does at the sign-in pages, step by step."""

from __future__ import annotations

import re
import time
from typing import Any

from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value
from django.test import Client
from tests.world import PASSWORD, TOTP_SECRET

LOGIN = "/account/login/"
SECOND = "/account/2fa/authenticate/"
FACTORS = "/account/2fa/"


def totp_code(secret: str = TOTP_SECRET, ahead: int = 0) -> str:
    """Return what an authenticator app shows now, or `ahead` steps of 30 seconds later."""
    return str(format_hotp_value(hotp_value(secret, int(time.time()) // 30 + ahead)))


def give_password(browser: Client, name: str, password: str = PASSWORD, **more: Any) -> Any:
    """Send the first page of sign-in."""
    return browser.post(LOGIN, {"login": f"{name}@people.example", "password": password, **more})


def give_code(browser: Client, code: str) -> Any:
    """Send the second page."""
    return browser.post(SECOND, {"code": code})


def come_in(browser: Client, name: str) -> Any:
    """Sign in with password and authenticator app."""
    give_password(browser, name)
    return give_code(browser, totp_code())


def is_in(browser: Client) -> bool:
    """Tell whether the browser is signed in: the page of factors is for nobody else."""
    return bool(browser.get(FACTORS).status_code == 200)


def problems(page: Any) -> str:
    """Return what a page says is wrong with what was sent, empty if nothing."""
    text = re.sub(r"\s+", " ", page.content.decode())
    found = re.search(r'<section class="notice problems".*?</section>', text)
    return "\n".join(re.sub(r"<[^>]+>", "", item) for item in re.findall(r"<li>(.*?)</li>", found[0])) if found else ""
