"""Without a network: two revisions of this project's own source, as archives and wheels made from its checkout."""

from __future__ import annotations

import base64
import hashlib
import subprocess
import tarfile
import zipfile
from pathlib import Path

import pellucid
from pellucid.demo.product import Product, ProductRelease
from pellucid.errors import UnavailableError

_PACKAGE = "src/pellucid"
_STAMP = (1980, 1, 1, 0, 0, 0)
_LOOK_BACK = 50


class NoCheckoutError(UnavailableError):
    """The program does not run from a git checkout with two revisions."""


def own_product(folder: Path, checkout: Path | None = None) -> Product:
    """Write archive and wheel of two revisions of the checkout into `folder`; NoCheckoutError if there are none."""
    root = checkout or Path(pellucid.__file__).resolve().parents[2]
    new = _git(root, "rev-parse", "--verify", "HEAD^{commit}").decode().strip()
    old = _earlier(root, new)
    releases = [_release(root, commit, folder) for commit in (old, new)]
    words = (
        "no package index can be asked: two revisions of this project's own source, wheels made here without a build"
    )
    return Product("pellucid", releases[0], releases[1], words)


def _earlier(root: Path, new: str) -> str:
    """Return the nearest earlier revision whose package differs."""
    commits = _git(root, "rev-list", "--first-parent", f"--max-count={_LOOK_BACK}", new).decode().split()
    tree = _tree(root, new)
    for commit in commits[1:]:
        if _tree(root, commit) not in {tree, ""}:
            return commit
    raise NoCheckoutError(
        "there is no earlier revision of its source to take as the first release",
        where=str(root),
        remedy="connect to a network, or take a product from an index with --pypi NAME OLD NEW",
    )


def _tree(root: Path, commit: str) -> str:
    return _git(root, "rev-parse", "--verify", "--quiet", f"{commit}:{_PACKAGE}", may_fail=True).decode().strip()


def _release(root: Path, commit: str, folder: Path) -> ProductRelease:
    version = f"{pellucid.__version__}+g{commit[:10]}"
    name = f"pellucid-{version}"
    archive, wheel = folder / f"{name}.tar.gz", folder / f"{name}-py3-none-any.whl"
    archive.write_bytes(_git(root, "archive", "--format=tar.gz", f"--prefix={name}/", commit))
    _write_wheel(archive, f"{name}/src/", version, wheel)
    return ProductRelease(version, archive, name, (archive, wheel), (None, None))


def _write_wheel(archive: Path, prefix: str, version: str, path: Path) -> None:
    """Zip the package as it stands in the archive, with the metadata that makes it a wheel; always the same bytes."""
    info = f"pellucid-{version}.dist-info"
    files = {
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: pellucid\nVersion: {version}\n".encode(),
        f"{info}/WHEEL": b"Wheel-Version: 1.0\nGenerator: pellucid demo\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    with tarfile.open(archive) as tar:
        for member in tar:
            reader = tar.extractfile(member) if member.isfile() and member.name.startswith(prefix) else None
            if reader is not None:
                files[member.name.removeprefix(prefix)] = reader.read()
    record = "".join(f"{name},sha256={_urlsafe(data)},{len(data)}\n" for name, data in sorted(files.items()))
    files[f"{info}/RECORD"] = f"{record}{info}/RECORD,,\n".encode()
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as wheel:
        for name, data in sorted(files.items()):
            wheel.writestr(zipfile.ZipInfo(name, _STAMP), data)


def _urlsafe(data: bytes) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(data).digest()).decode().rstrip("=")


def _git(root: Path, *words: str, may_fail: bool = False) -> bytes:
    try:
        found = subprocess.run(["git", "-C", str(root), *words], capture_output=True, check=False, timeout=60)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise NoCheckoutError("git cannot be run", remedy="install git, or connect to a network") from error
    if found.returncode != 0 and not may_fail:
        raise NoCheckoutError(
            "it is no git checkout",
            where=str(root),
            remedy="connect to a network, or run the demonstration from a checkout",
        )
    return found.stdout
