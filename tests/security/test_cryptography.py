"""The inventory of cryptography is whole, and nothing in the program is weaker than what it says."""

from __future__ import annotations

import ast
import json
import os
import re
import ssl
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from django.conf import settings
from django.test import override_settings
from hypothesis import given
from hypothesis import strategies as st

from pellucid.errors import UnavailableError
from pellucid.people.codes import new_code
from pellucid.site.accounts import openid
from pellucid.site.accounts.adapters import FactorAdapter
from pellucid.site.accounts.passwords import NodeArgon2
from pellucid.statement import keys
from pellucid.statement.keys import KeyFileError, Role, generate_key, seal_key, unseal_key
from pellucid.tlog.web import tls_context

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "src/pellucid"
INVENTORY = ROOT / "docs/security/cryptography.md"
MODULES = {"cryptography", "hashlib", "hmac", "secrets", "jwt", "ssl", "random", "fido2", "argon2", "Crypto", "nacl"}
SPREADING = {"outbox/schedule.py", "outbox/portal/sending.py"}
HASHES = {"sha256", "sha1", "file_digest"}  # sha1 for git's names of trees, with usedforsecurity=False


def uses(path: Path) -> Iterator[str]:
    """Yield the cryptographic modules that a file imports, and `os.urandom` where it asks for that."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module.partition(".")[0]
        elif isinstance(node, ast.Attribute) and ast.unparse(node) == "os.urandom":
            yield "os.urandom"


def found() -> dict[str, set[str]]:
    """Return every file of the program that uses cryptography -> which."""
    files = {path.relative_to(SOURCE).as_posix(): {*uses(path)} & {*MODULES, "os.urandom"}
             for path in SOURCE.rglob("*.py")}  # fmt: skip
    return {file: used for file, used in files.items() if used}


def inventory() -> dict[str, set[str]]:
    """Return what the inventory says: file -> modules."""
    lines = re.findall(r"^\| `([a-z_/]+\.py)` \| ([^|]+) \|", INVENTORY.read_text(), re.MULTILINE)
    return {file: set(re.findall(r"`([a-z0-9.]+)`", used)) for file, used in lines}


def test_every_place_that_uses_cryptography_is_in_the_inventory() -> None:
    assert inventory() == found()


def test_hashes_are_of_256_bits_but_where_git_names_trees() -> None:
    for path in SOURCE.rglob("*.py"):
        text = path.read_text()
        named = set(re.findall(r"hashlib\.(\w+)", text)) | set(re.findall(r"from hashlib import (\w+)", text))
        assert named <= HASHES, path
        assert text.count("hashlib.sha1(") == text.count("usedforsecurity=False"), path
        assert not re.search(r"\bmd5\b|\bECB\b|PKCS1v15|\bDES\b|RC4|Fernet|\bCBC\b", text), path


def test_what_must_not_be_guessed_comes_from_the_systems_randomness() -> None:
    """`random` spreads what is sent, and nothing else."""
    assert {file for file, used in found().items() if "random" in used} <= SPREADING
    assert not [path for path in SOURCE.rglob("*.py") if re.search(r"uuid\.uuid[14]\(", path.read_text())]
    codes = {new_code() for _ in range(500)}
    assert len(codes) == 500
    assert {len(re.sub(r"\D", "", code)) for code in codes} == {40}, "40 digits: 132 bits"


def test_passphrases_are_stretched_as_is_asked_of_scrypt_today() -> None:
    """N = 2^15, r = 8, p = 3: 32 MiB and three passes."""
    program = "from pellucid.statement.keys import *; print(seal_key(generate_key(Role.PARTY, 'x'), b'horse').decode())"
    # in a process of its own: here other tests' homes are sealed in a hurry
    file = json.loads(subprocess.run([sys.executable, "-c", program], capture_output=True, check=True).stdout)
    assert (file["kdf"]["n"], file["kdf"]["r"], file["kdf"]["p"]) == (1 << 15, 8, 3)
    assert len(file["kdf"]["salt"]) >= 24


def test_a_key_file_of_before_opens_and_one_that_would_take_for_ever_does_not(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keys, "_SCRYPT_N", 1024)
    monkeypatch.setattr(keys, "_SCRYPT_P", 1)
    key = generate_key(Role.PARTY, "x")
    old = seal_key(key, b"correct horse")
    assert unseal_key(old, b"correct horse", where="x").seed == key.seed
    with pytest.raises(KeyFileError):
        unseal_key(old.replace(b'"p": 1', b'"p": 9'), b"correct horse", where="x")


def test_two_files_of_one_key_have_no_salt_and_no_nonce_in_common(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keys, "_SCRYPT_N", 1024)
    key = generate_key(Role.PARTY, "x")
    files = [msgspec.json.decode(seal_key(key, b"correct horse")) for _ in range(20)]
    assert len({file["nonce"] for file in files}) == len({file["kdf"]["salt"] for file in files}) == 20


@given(st.text(min_size=1, max_size=60))
def test_second_factors_are_sealed_anew_each_time_and_open_again(secret: str) -> None:
    adapter = FactorAdapter()
    first, second = adapter.encrypt(secret), adapter.encrypt(secret)
    assert first != second
    assert first[:16] != second[:16], "another nonce"
    assert adapter.decrypt(first) == adapter.decrypt(second) == secret


@pytest.mark.parametrize("place", [0, 5, 12, 20, -1])
def test_a_sealed_second_factor_that_was_changed_opens_no_more(place: int) -> None:
    import base64

    adapter = FactorAdapter()
    data = bytearray(base64.b64decode(adapter.encrypt("JBSWY3DPEHPK3PXP")))
    data[place] ^= 1
    with pytest.raises(UnavailableError):
        adapter.decrypt(base64.b64encode(bytes(data)).decode())
    for wrong in ("", "AAAA", "not base64!", base64.b64encode(os.urandom(11)).decode()):
        with pytest.raises(UnavailableError):
            adapter.decrypt(wrong)


def test_under_another_secret_key_nothing_opens() -> None:
    sealed = FactorAdapter().encrypt("JBSWY3DPEHPK3PXP")
    with override_settings(SECRET_KEY="another one"), pytest.raises(UnavailableError):  # noqa: S106
        FactorAdapter().decrypt(sealed)


def test_passwords_are_hashed_as_is_asked_of_argon2_today() -> None:
    assert settings.PASSWORD_HASHERS == ["pellucid.site.accounts.passwords.NodeArgon2"]
    source = (SOURCE / "site/accounts/passwords.py").read_text()
    assert "time_cost = 3" in source
    assert "memory_cost = 19_456" in source
    assert NodeArgon2.algorithm == "argon2"


def test_tokens_are_signed_by_public_keys_of_listed_algorithms() -> None:
    assert not [name for name in openid.ALGORITHMS if name.startswith("HS") or name.lower() == "none"]


def test_calls_to_others_are_encrypted_by_a_current_tls_and_ask_for_a_certificate() -> None:
    context = tls_context()
    assert context.minimum_version >= ssl.TLSVersion.TLSv1_2
    assert context.verify_mode is ssl.CERT_REQUIRED
    assert context.check_hostname
    weak = re.compile(r"NULL|RC4|DES|MD5|EXPORT|anon", re.IGNORECASE)
    assert not [cipher["name"] for cipher in context.get_ciphers() if weak.search(cipher["name"])]
    made = [path for path in SOURCE.rglob("*.py") if "create_default_context" in path.read_text()]
    assert made == [SOURCE / "tlog/web.py"]
    for path in SOURCE.rglob("*.py"):
        text = path.read_text()
        assert not re.search(r"CERT_NONE|check_hostname = False|_create_unverified|verify=False|SSLContext\(", text), (
            path
        )
