"""The product comes from the index that pip is set to, and is what the index says it is, or is not taken at all."""

from __future__ import annotations

import base64
import csv
import hashlib
import io
import os
import subprocess
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.demo.package_index import NAME, NEW, OLD, Index, serving, settings

from pellucid.demo.own_source import NoCheckoutError, own_product
from pellucid.demo.product import NoIndexError, fetch_product, pip_settings
from pellucid.errors import InputError
from pellucid.unpack import identify


@pytest.fixture
def own_index(monkeypatch: pytest.MonkeyPatch) -> Iterator[Index]:
    """Serve an index that the test may spoil, with pip set to it."""
    with serving() as found:
        for key in [key for key in os.environ if key.startswith("PIP_")]:
            monkeypatch.delenv(key)
        for key, value in settings(found).items():
            if key.startswith("PIP_"):
                monkeypatch.setenv(key, value)
        yield found


def test_both_releases_come_with_archive_wheel_and_the_directory_in_it(own_index: Index, tmp_path: Path) -> None:
    product = fetch_product(NAME, OLD, NEW, tmp_path)
    assert (product.old.version, product.new.version) == (OLD, NEW)
    assert [path.name for path in product.new.artifacts] == [
        f"tiny_guard-{NEW}.tar.gz",
        f"tiny_guard-{NEW}-py3-none-any.whl",
    ]
    assert product.new.root == f"tiny_guard-{NEW}"
    assert product.new.purls == (f"pkg:pypi/tiny-guard@{NEW}",) * 2
    assert product.new.source.read_bytes() == own_index.files[f"tiny_guard-{NEW}.tar.gz"]


def test_a_file_that_is_not_what_the_index_says_is_not_taken(own_index: Index, tmp_path: Path) -> None:
    own_index.files[f"tiny_guard-{NEW}.tar.gz"] += b"more"
    with pytest.raises(InputError, match="not what the index says"):
        fetch_product(NAME, OLD, NEW, tmp_path)
    assert not (tmp_path / f"tiny_guard-{NEW}.tar.gz").exists()


def test_a_file_that_was_changed_on_disk_is_not_taken_either(own_index: Index, tmp_path: Path) -> None:
    (tmp_path / f"tiny_guard-{NEW}.tar.gz").write_bytes(b"something else")
    with pytest.raises(InputError, match="not what the index says"):
        fetch_product(NAME, OLD, NEW, tmp_path)


def test_what_is_missing_or_yanked_is_named(own_index: Index, tmp_path: Path) -> None:
    own_index.yanked.add(f"tiny_guard-{NEW}-py3-none-any.whl")
    with pytest.raises(InputError, match=f"no wheel of {NAME} {NEW}"):
        fetch_product(NAME, OLD, NEW, tmp_path)
    with pytest.raises(InputError, match="no source archive"):
        fetch_product(NAME, OLD, "9.9", tmp_path)
    with pytest.raises(InputError, match="no project"):
        fetch_product("no-such-thing", OLD, NEW, tmp_path)


def test_an_index_that_does_not_answer_or_is_off_is_told_apart_from_a_wrong_name(
    own_index: Index, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:1/simple/")
    with pytest.raises(NoIndexError, match="does not answer"):
        fetch_product(NAME, OLD, NEW, tmp_path)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    with pytest.raises(NoIndexError, match="no index"):
        fetch_product(NAME, OLD, NEW, tmp_path)


def test_pips_own_file_of_settings_is_honoured_and_the_environment_wins(
    own_index: Index, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("pip", reason="without pip there are no pip files")
    monkeypatch.delenv("PIP_INDEX_URL")
    file = tmp_path / "pip.conf"
    file.write_text("[global]\nindex-url = http://127.0.0.1:9/a/\n[install]\ntrusted-host = a.example b.example\n")
    monkeypatch.setenv("PIP_CONFIG_FILE", str(file))
    found = pip_settings()
    assert found.index == "http://127.0.0.1:9/a/"
    assert found.trusted_hosts == {"a.example", "b.example"}
    monkeypatch.setenv("PIP_INDEX_URL", own_index.url)
    assert pip_settings().index == own_index.url


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """Make a git repository whose package changed between two revisions, and something else after that."""
    root = tmp_path / "checkout"
    (root / "src/pellucid").mkdir(parents=True)

    def git(*words: str) -> None:
        who = ["-c", "user.name=Example", "-c", "user.email=example@example.invalid"]
        subprocess.run(["git", "-C", str(root), *who, *words], check=True, capture_output=True)

    git("init", "-q")
    for number, path in enumerate(("src/pellucid/__init__.py", "src/pellucid/__init__.py", "README")):
        (root / path).write_text(f"{number}\n")
        git("add", "-A")
        git("commit", "-q", "-m", str(number))
    return root


def test_without_an_index_two_revisions_of_the_own_source_are_the_product(checkout: Path, tmp_path: Path) -> None:
    product = own_product(tmp_path, checkout)
    assert "two revisions of this project's own source" in product.origin
    trees = [identify(release.source, root=release.root) for release in (product.old, product.new)]
    assert trees[0].sha256 != trees[1].sha256
    with zipfile.ZipFile(product.old.artifacts[1]) as archive:
        assert archive.read("pellucid/__init__.py") == b"0\n"
        record = next(name for name in archive.namelist() if name.endswith("RECORD"))
        rows = {row[0]: row[1] for row in csv.reader(io.StringIO(archive.read(record).decode()))}
        assert set(rows) == set(archive.namelist())
        digest = hashlib.sha256(b"0\n").digest()
        assert rows["pellucid/__init__.py"] == f"sha256={base64.urlsafe_b64encode(digest).decode().rstrip('=')}"


def test_the_own_product_has_the_same_bytes_every_time(checkout: Path, tmp_path: Path) -> None:
    found = []
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        product = own_product(tmp_path / name, checkout)
        found.append([path.read_bytes() for path in (*product.old.artifacts, *product.new.artifacts)])
    assert found[0] == found[1]


def test_without_a_checkout_it_says_what_would_help(tmp_path: Path, checkout: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(NoCheckoutError) as found:
        own_product(tmp_path, tmp_path / "empty")
    assert found.value.remedy
    subprocess.run(["git", "-C", str(checkout), "update-ref", "HEAD", "HEAD~2"], check=True)
    with pytest.raises(NoCheckoutError, match="no earlier revision"):
        own_product(tmp_path, checkout)
