"""The settings of a node, `node.toml` in its home: who it is, where it listens, how often it does what."""

from __future__ import annotations

from collections.abc import Mapping
from ipaddress import ip_network
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec

from pellucid.record.predicate import Origin, Text
from pellucid.storage.files import FileObjects
from pellucid.toml_file import load_toml

SETTINGS_FILE = "node.toml"

Seconds = Annotated[float, msgspec.Meta(gt=0, le=86_400)]
Network = Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f.:]+/[0-9]{1,3}$(?!\n)", max_length=50)]
Address = Annotated[str, msgspec.Meta(pattern=r"^https?://[!-~]+$(?!\n)", max_length=300)]


class Mail(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The server that takes the node's mail; `password_file` is a path, the password stands nowhere else."""

    host: Annotated[str, msgspec.Meta(pattern=r"^[!-~]+$(?!\n)", max_length=253)]
    sender: Annotated[str, msgspec.Meta(pattern=r"^[!-?A-~]+@[!-?A-~]+$(?!\n)", max_length=254)]
    port: Annotated[int, msgspec.Meta(ge=1, le=65_535)] = 587
    security: Literal["starttls", "tls", "none"] = "starttls"
    user: Text | None = None
    password_file: Text | None = None

    def __post_init__(self) -> None:
        """Refuse to show a password to everybody on the way."""
        if self.security == "none" and self.user is not None:
            raise ValueError('`security = "none"` would send the password in the clear: use "starttls" or "tls"')
        if (self.user is None) != (self.password_file is None):
            raise ValueError("`user` and `password_file` stand together")


class OpenId(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An OpenID Connect provider that people may sign in by; `id` stands in its addresses and never changes."""

    id: Annotated[str, msgspec.Meta(pattern=r"^[a-z0-9-]+$(?!\n)", max_length=40)]
    name: Text
    issuer: Address
    client_id: Text
    secret_file: Text


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the operator of a node decides; times are seconds.

    `name` is the origin of its log and never changes. `quorum` is how many operators other than its own must have
    cosigned a checkpoint before it is published. `url` is the address that others are told, if it is not the one
    listened on.
    """

    name: Origin
    role: Literal["vendor", "center"]
    region: Text
    operator: Text
    url: Address | None = None
    listen: Annotated[str, msgspec.Meta(pattern=r"^[!-~]+:[0-9]{1,5}$(?!\n)", max_length=200)] = "127.0.0.1:8400"
    quorum: Annotated[int, msgspec.Meta(ge=0, le=100)] = 0
    publish_every: Seconds = 0.2
    republish_every: Seconds = 600.0
    mirror_every: Seconds = 5.0
    due_within: Annotated[int, msgspec.Meta(ge=1, le=604_800)] = 60
    webhook_networks: Annotated[tuple[Network, ...], msgspec.Meta(max_length=50)] = ()
    mail: Mail | None = None
    openid: Annotated[tuple[OpenId, ...], msgspec.Meta(max_length=10)] = ()

    def __post_init__(self) -> None:
        """Refuse what only looks like a network."""
        for network in self.webhook_networks:
            ip_network(network)

    @property
    def address(self) -> str | None:
        """The address that others are told: `url`, else what is listened on unless that names no one host."""
        host, _, port = self.listen.rpartition(":")
        if self.url is not None:
            return self.url
        return None if host in {"0.0.0.0", "[::]", "::", ""} or int(port) == 0 else f"http://{self.listen}"  # noqa: S104


def load_settings(home: Path) -> Settings:
    """Read `node.toml`; raises TomlError at the line and column of what does not fit."""
    return load_toml(home / SETTINGS_FILE, Settings)


def write_settings(home: Path, settings: Settings) -> None:
    """Write `node.toml` anew, without comments."""
    import tomlkit  # noqa: PLC0415 - only writers need it

    FileObjects(home).replace(SETTINGS_FILE, tomlkit.dumps(_values(settings)).encode())


def change_settings(home: Path, **changes: str | float | None) -> Settings:
    """Change some settings in place, comments kept (None takes one away); returns all. Raises TomlError if unfit."""
    import tomlkit  # noqa: PLC0415 - only writers need it

    settings = msgspec.convert({**_values(load_settings(home)), **_given(changes)}, Settings)
    document = tomlkit.parse((home / SETTINGS_FILE).read_text())
    for name, value in changes.items():
        if value is None:
            document.pop(name, None)
        else:
            document[name] = value
    FileObjects(home).replace(SETTINGS_FILE, tomlkit.dumps(document).encode())
    return settings


def _given(changes: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in changes.items() if value is not None}


def _values(settings: Settings) -> dict[str, Any]:
    """Return what is set, tables after plain values as TOML wants them."""
    values = {name: value for name, value in msgspec.to_builtins(settings).items() if value not in (None, (), [])}
    return {**values, "mail": _given(values["mail"])} if "mail" in values else values
