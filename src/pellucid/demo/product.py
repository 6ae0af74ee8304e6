"""A product that nobody here made: two successive releases, found through the index that the user's pip is set to."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import urlsplit

from pellucid.errors import InputError, PellucidError, UnavailableError
from pellucid.statement.digest import sha256_file
from pellucid.terminal import say
from pellucid.unpack import sole_top_directory

if TYPE_CHECKING:
    from pypi_simple import DistributionPackage, PyPISimple

# A small security library in pure Python under the MIT licence, whose second release mends a weakness of the first in
# a few lines: what delta reviews are for.
DEFAULT = ("pyjwt", "2.10.0", "2.10.1")
_FILE_MOST = 64 << 20
_TIMEOUT = (5.0, 30.0)
_ARCHIVES = (".tar.gz", ".zip", ".tar.bz2", ".tar.xz")


class NoIndexError(UnavailableError):
    """The index cannot be asked from here."""


@dataclass(frozen=True, slots=True)
class ProductRelease:
    """One release on disk: the source archive (with the directory in it that is the tree), and all files shipped."""

    version: str
    source: Path
    root: str | None
    artifacts: tuple[Path, ...]
    purls: tuple[str | None, ...]


@dataclass(frozen=True, slots=True)
class Product:
    """Two successive releases of one product, and where they come from in words."""

    name: str
    old: ProductRelease
    new: ProductRelease
    origin: str


@dataclass(frozen=True, slots=True)
class PipSettings:
    """What of pip's settings matters for asking an index."""

    index: str | None = None
    is_off: bool = False
    cert: str | None = None
    client_cert: str | None = None
    proxy: str | None = None
    trusted_hosts: frozenset[str] = field(default_factory=frozenset)

    def trusts(self, url: str) -> bool:
        """Tell whether pip takes the host of `url`, alone or with its port, without a certificate."""
        parts = urlsplit(url)
        return not self.trusted_hosts.isdisjoint({parts.hostname, f"{parts.hostname}:{parts.port}"})


def pip_settings() -> PipSettings:
    """Return the settings as pip itself reads them: environment over files, a command's section over the global one."""
    found: dict[str, str] = {}
    listed = _pip_config()
    for section in ("global", "install", "download", ":env:"):
        found |= {name: value for (at, name), value in listed.items() if at == section}
    return PipSettings(
        index=found.get("index-url"),
        is_off=found.get("no-index", "").lower() in {"1", "true", "yes", "on"},
        cert=found.get("cert"),
        client_cert=found.get("client-cert"),
        proxy=found.get("proxy"),
        trusted_hosts=frozenset(found.get("trusted-host", "").split()),
    )


def fetch_product(name: str, old: str, new: str, folder: Path) -> Product:
    """Download source archive and wheel of both releases into `folder`, each checked against the index's SHA-256.

    NoIndexError if no index answers, InputError if it has not what is asked for.
    """
    settings = pip_settings()
    if settings.is_off:
        raise NoIndexError("pip is set to use no index")
    with _client(settings) as client:
        packages = _packages(client, name)
        chosen = {version: _choose(packages, name, version) for version in (old, new)}
        releases = [_download(client, name, version, files, folder) for version, files in chosen.items()]
    return Product(name, releases[0], releases[1], "from the package index that pip is set to, checked by hash")


def _pip_config() -> Mapping[tuple[str, str], str]:
    """Return (section, name) -> value; without pip, its environment variables."""
    found = {
        (":env:", key.removeprefix("PIP_").lower().replace("_", "-")): value
        for key, value in os.environ.items()
        if key.startswith("PIP_") and value
    }
    try:
        command = [sys.executable, "-m", "pip", "config", "list"]
        listed = subprocess.run(command, capture_output=True, text=True, check=False, timeout=30).stdout
    except (OSError, subprocess.TimeoutExpired):
        return found
    for line in listed.splitlines():
        name, _, value = line.partition("=")
        section, _, option = name.rpartition(".")
        try:
            found.setdefault((section, option), str(ast.literal_eval(value)))
        except (ValueError, SyntaxError):
            continue
    return found


def _client(settings: PipSettings) -> PyPISimple:
    try:
        import requests  # noqa: PLC0415 - the index's library is an extra
        from pypi_simple import PyPISimple  # noqa: PLC0415
    except ModuleNotFoundError as error:
        raise NoIndexError(
            f"the package {error.name} is not installed", remedy="pip install 'pellucid[demo]'"
        ) from error
    session = requests.Session()
    if settings.cert:
        session.verify = settings.cert
    if settings.client_cert:
        session.cert = settings.client_cert
    if settings.proxy:
        session.proxies = {"http": settings.proxy, "https": settings.proxy}
    if settings.index and settings.trusts(settings.index):
        session.verify = False
    return PyPISimple(settings.index, session=session) if settings.index else PyPISimple(session=session)


def _packages(client: PyPISimple, name: str) -> list[DistributionPackage]:
    import requests  # noqa: PLC0415
    from pypi_simple import NoSuchProjectError, UnsupportedContentTypeError  # noqa: PLC0415

    say(f"asking the package index for {name}")
    try:
        return client.get_project_page(name, timeout=_TIMEOUT).packages
    except NoSuchProjectError as error:
        raise InputError(
            f"the index has no project {name!r}", remedy="give another with --pypi NAME OLD NEW"
        ) from error
    except (requests.RequestException, UnsupportedContentTypeError, ValueError) as error:
        raise NoIndexError(f"the index does not answer: {type(error).__name__}") from error


def _choose(packages: Iterable[DistributionPackage], name: str, version: str) -> list[DistributionPackage]:
    """Return source archive and wheel of a version, the wheel for every platform where there is one."""
    files = [p for p in packages if p.version == version and not p.is_yanked]
    archives = [p for p in files if p.package_type == "sdist" and p.filename.endswith(_ARCHIVES)]
    wheels = [p for p in files if p.package_type == "wheel"]
    if not archives or not wheels:
        missing = "source archive" if not archives else "wheel"
        raise InputError(
            f"the index has no {missing} of {name} {version}", remedy="give another with --pypi NAME OLD NEW"
        )
    wheels.sort(key=lambda p: (not p.filename.endswith("-none-any.whl"), p.filename))
    chosen = [archives[0], wheels[0]]
    for package in chosen:
        if "sha256" not in package.digests:
            raise InputError("the index gives no SHA-256 for it", where=package.filename, remedy="take another product")
    return chosen


class _Bounded:
    """Counts what is downloaded and stops at the bound; the shape is the library's progress tracker."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._left = _FILE_MOST

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        return None

    def update(self, amount: int) -> None:
        """Count."""
        self._left -= amount
        if self._left < 0:
            raise InputError(f"more than {_FILE_MOST >> 20} MiB", where=self._name, remedy="take a smaller product")


def _download(
    client: PyPISimple, name: str, version: str, files: Iterable[DistributionPackage], folder: Path
) -> ProductRelease:
    paths: list[Path] = []
    for package in files:
        path = folder / Path(package.filename).name
        if not path.exists():
            say(f"downloading {package.filename}")
            _fetch(client, package, path)
        if sha256_file(path) != package.digests["sha256"]:
            raise InputError("is not what the index says it is", where=str(path), remedy="remove it and try again")
        paths.append(path)
    purl = f"pkg:pypi/{name.lower().replace('_', '-')}@{version}"
    return ProductRelease(version, paths[0], sole_top_directory(paths[0]), tuple(paths), (purl,) * len(paths))


def _fetch(client: PyPISimple, package: DistributionPackage, path: Path) -> None:
    import requests  # noqa: PLC0415
    from pypi_simple import DigestMismatchError  # noqa: PLC0415

    def tracker(_size: int | None) -> Any:
        return _Bounded(package.filename)

    try:
        client.download_package(package, path, verify=True, progress=tracker, timeout=_TIMEOUT)
    except PellucidError:
        raise
    except DigestMismatchError as error:
        raise InputError("is not what the index says it is", where=package.filename, remedy="try again") from error
    except requests.RequestException as error:
        raise NoIndexError(f"the download broke off: {type(error).__name__}", where=package.filename) from error
    except OSError as error:
        raise UnavailableError(f"cannot be written: {error.strerror}", where=str(path)) from error
