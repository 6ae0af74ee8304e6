"""The settings of a node, `node.toml` in its home: who it is, where it listens, how often it does what."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Literal

import msgspec

from pellucid.record.predicate import Origin, Text
from pellucid.storage.files import FileObjects
from pellucid.toml_file import load_toml

SETTINGS_FILE = "node.toml"

Seconds = Annotated[float, msgspec.Meta(gt=0, le=86_400)]
Address = Annotated[str, msgspec.Meta(pattern=r"^https?://[!-~]+$(?!\n)", max_length=300)]


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
    lines = [f"{name} = {json.dumps(value, ensure_ascii=False)}\n" for name, value in _values(settings).items()]
    FileObjects(home).replace(SETTINGS_FILE, "".join(lines).encode())


def change_settings(home: Path, **changes: str | float | None) -> Settings:
    """Change some settings in place, comments kept (None takes one away); returns all. Raises TomlError if unfit."""
    import tomlkit  # noqa: PLC0415 - only this needs it

    settings = msgspec.convert({**_values(load_settings(home)), **_given(changes)}, Settings)
    document = tomlkit.parse((home / SETTINGS_FILE).read_text())
    for name, value in changes.items():
        if value is None:
            document.pop(name, None)
        else:
            document[name] = value
    FileObjects(home).replace(SETTINGS_FILE, tomlkit.dumps(document).encode())
    return settings


def _given(changes: dict[str, str | float | None]) -> dict[str, str | float]:
    return {name: value for name, value in changes.items() if value is not None}


def _values(settings: Settings) -> dict[str, str | float]:
    return _given(msgspec.to_builtins(settings))
