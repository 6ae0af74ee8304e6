"""Key files: sealed with their role, opened only by their passphrase."""

from __future__ import annotations

import json

import pytest

from pellucid.statement.keys import (
    KeyFileError,
    PublicKey,
    Role,
    Stretched,
    generate_key,
    read_public,
    seal_key,
    unseal_key,
)


def test_a_sealed_key_opens_with_its_passphrase_and_signs() -> None:
    key = generate_key(Role.PARTY, "vera")
    opened = unseal_key(seal_key(key, b"open"), b"open", where="vera.key", role=Role.PARTY)
    assert opened == key
    assert key.public.verify(opened.sign(b"message"), b"message")
    assert not key.public.verify(opened.sign(b"message"), b"another")


def test_a_wrong_passphrase_is_refused_by_name() -> None:
    with pytest.raises(KeyFileError, match="passphrase is wrong") as caught:
        unseal_key(seal_key(generate_key(Role.LOG, "log"), b"open"), b"shut", where="log.key")
    assert caught.value.where == "log.key"
    assert caught.value.remedy


def test_a_key_of_another_role_is_refused() -> None:
    sealed = seal_key(generate_key(Role.WITNESS, "w"), b"open")
    with pytest.raises(KeyFileError, match="role 'witness', not 'log'"):
        unseal_key(sealed, b"open", where="w.key", role=Role.LOG)


@pytest.mark.parametrize(
    ("field", "value"),
    [("role", "log"), ("name", "mallory"), ("public", PublicKey(b"\7" * 32).spki_base64)],
)
def test_an_edited_key_file_does_not_open(field: str, value: str) -> None:
    file = json.loads(seal_key(generate_key(Role.PARTY, "vera"), b"open"))
    file[field] = value
    with pytest.raises(KeyFileError):
        unseal_key(json.dumps(file).encode(), b"open", where="vera.key")


@pytest.mark.parametrize("data", [b"", b"{}", b"[]", b'{"format":"pellucid-key/v1"}', b"\xff", b"x" * 100_000])
def test_what_is_no_key_file_is_refused(data: bytes) -> None:
    with pytest.raises(KeyFileError, match="not a key file"):
        read_public(data, where="x.key")


def test_a_stretching_cost_that_would_exhaust_memory_is_refused() -> None:
    file = json.loads(seal_key(generate_key(Role.PARTY, "vera"), b"open"))
    file["kdf"]["n"] = 1 << 30
    with pytest.raises(KeyFileError, match="not a key file"):
        unseal_key(json.dumps(file).encode(), b"open", where="vera.key")


def test_the_secret_shows_in_no_text() -> None:
    key = generate_key(Role.PARTY, "vera")
    assert key.seed.hex() not in repr(key)
    assert repr(key.seed) not in repr(key)


def test_public_keys_read_back_from_the_form_in_which_they_are_printed() -> None:
    key = generate_key(Role.PARTY, "vera").public
    assert PublicKey.from_base64(key.spki_base64) == key
    for wrong in ("", "AAAA", "!" * 60, key.spki_base64[:-4], "AAAA" + key.spki_base64[4:]):
        with pytest.raises(KeyFileError):
            PublicKey.from_base64(wrong)


_SMALL = (
    "0000000000000000000000000000000000000000000000000000000000000000",
    "0100000000000000000000000000000000000000000000000000000000000000",
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
)


@pytest.mark.parametrize("encoded", _SMALL)
def test_a_public_key_that_binds_nobody_is_refused(encoded: str) -> None:
    """The eight points of small order, in every encoding that a lenient decoder takes."""
    raw = bytes.fromhex(encoded)
    for found in (raw, raw[:31] + bytes([raw[31] | 0x80])):
        with pytest.raises(KeyFileError, match="small order"):
            PublicKey(found)


def test_keys_sealed_together_open_with_one_stretching_and_alone_too() -> None:
    together = Stretched(b"open")
    sealed = {name: seal_key(generate_key(Role.PARTY, name), together) for name in ("rita", "vera")}
    assert len({json.loads(file)["kdf"]["salt"] for file in sealed.values()}) == 1
    assert len({json.loads(file)["nonce"] for file in sealed.values()}) == 2
    again = Stretched(b"open")
    assert [unseal_key(file, again, where=name).name for name, file in sealed.items()] == ["rita", "vera"]
    assert unseal_key(sealed["vera"], b"open", where="vera").name == "vera"
    with pytest.raises(KeyFileError, match="passphrase is wrong"):
        unseal_key(sealed["vera"], Stretched(b"shut"), where="vera")
