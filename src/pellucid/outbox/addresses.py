"""Where webhooks may lead: nowhere inside the operator's own networks, unless the operator says so."""

from __future__ import annotations

import socket
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from urllib.parse import urlsplit

from pellucid.errors import InputError

URL_LIMIT = 500
_EVERYBODYS = ip_network("2000::/3")  # all that is given out of IPv6 (RFC 4291 §2.4); the rest is for special uses
_FOR_EXAMPLES = ip_network("3fff::/20")  # RFC 9637, newer than what the standard library knows
Numeric = IPv4Address | IPv6Address


class WebhookAddressError(InputError):
    """An address is none that a webhook may have."""


@dataclass(frozen=True, slots=True)
class Target:
    """Where a webhook is called: `target` is the path with its query."""

    encrypted: bool
    host: str
    port: int
    target: str

    @property
    def named(self) -> str:
        """The host as the Host header has it."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == (443 if self.encrypted else 80) else f"{host}:{self.port}"


def read_target(url: str) -> Target:
    """Read a webhook's address; WebhookAddressError for what is not a plain `http` or `https` URL."""
    where, remedy = "webhook", "give https://host/path"
    if not 0 < len(url) <= URL_LIMIT or not url.isascii() or not all("!" <= char <= "~" for char in url):
        raise WebhookAddressError(f"not 1 to {URL_LIMIT} visible ASCII characters", where=where, remedy=remedy)
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise WebhookAddressError("not a URL", where=where, remedy=remedy) from None
    if parts.scheme not in {"http", "https"} or not parts.hostname or port == 0:
        raise WebhookAddressError("not an address by http or https", where=where, remedy=remedy)
    if parts.username is not None or parts.password is not None or parts.fragment:
        raise WebhookAddressError("names a user, a password or a fragment", where=where, remedy=remedy)
    encrypted = parts.scheme == "https"
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return Target(encrypted, parts.hostname, port or (443 if encrypted else 80), path)


def resolved(target: Target, networks: Sequence[str]) -> str | None:
    """Return the numeric address to call, None if the name leads to any that is not allowed; OSError if to none.

    An address is allowed when everybody can reach it and the target is encrypted, or when it lies in one of
    `networks`. One name with addresses of both sorts is refused whole.
    """
    found = socket.getaddrinfo(target.host, target.port, type=socket.SOCK_STREAM)
    addresses = [str(item[4][0]) for item in found]
    if not addresses or not all(allowed(address, networks, encrypted=target.encrypted) for address in addresses):
        return None
    return addresses[0]


def allowed(address: str, networks: Iterable[str], *, encrypted: bool) -> bool:
    """Tell whether a webhook may be called at this numeric address."""
    try:
        number = ip_address(address.partition("%")[0])
    except ValueError:
        return False
    forms = (number, *_inner(number))
    if any(form.version == net.version and form in net for net in map(ip_network, networks) for form in forms):
        return True
    if "%" in address or _inner(number) or (number.version == 6 and not _is_given_out(number)):
        return False
    return encrypted and number.is_global and not number.is_multicast


def _is_given_out(number: Numeric) -> bool:
    return number in _EVERYBODYS and number not in _FOR_EXAMPLES


def _inner(number: Numeric) -> tuple[IPv4Address, ...]:
    """Return the IPv4 addresses that an IPv6 address leads to: mapped, 6to4, Teredo and NAT64 forms."""
    if not isinstance(number, IPv6Address):
        return ()
    forms = [number.ipv4_mapped, number.sixtofour, *(number.teredo or ())]
    if number in ip_network("64:ff9b::/96"):
        forms.append(IPv4Address(int(number) & 0xFFFF_FFFF))
    return tuple(form for form in forms if form is not None)
