"""A note says one thing only: every spelling that two readers could read differently is refused."""

from __future__ import annotations

from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pellucid.statement.keys import PublicKey, Role, generate_key
from pellucid.tlog.errors import (
    BadSignatureError,
    KeyRoleError,
    MalformedNoteError,
    NoteError,
    UnsignedNoteError,
    VkeyError,
)
from pellucid.tlog.note import (
    MAX_NOTE,
    MAX_SIGNATURES,
    Note,
    NoteSignature,
    NoteSigner,
    SignatureKind,
    Verifier,
    decode_decimal,
    encode_base64,
    is_name,
)

# The example of C2SP signed-note v1.0.0.
SPEC_VKEY = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k"
SPEC_NOTE = """This is an example message.

\u2014 example.com/foo Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=
""".encode()

LINE = "\u2014 stranger.example AAAAAAA="


def with_tail(note: Note, tail: str) -> bytes:
    return f"{note.text}\n{tail}".encode()


def test_the_example_of_the_spec_verifies() -> None:
    verifier = Verifier.parse(SPEC_VKEY)
    assert verifier.vkey == SPEC_VKEY
    note = Note.parse(SPEC_NOTE)
    assert note.text == "This is an example message.\n"
    assert [item.verifier for item in note.verify([verifier])] == [verifier]
    assert note.to_bytes() == SPEC_NOTE
    with pytest.raises(BadSignatureError):
        Note.parse(SPEC_NOTE.replace(b"example message", b"Example message")).verify([verifier])


def test_text_with_empty_lines_is_split_at_the_last_one(log: NoteSigner) -> None:
    note = log.sign_note("one\n\ntwo\n\n\nthree\n")
    assert Note.parse(note.to_bytes()) == note
    assert note.verify([log.verifier])


@given(st.text(st.characters(min_codepoint=32, exclude_categories=["Cs"]) | st.just("\n"), max_size=60))
def test_every_text_reads_back(log: NoteSigner, text: str) -> None:
    note = log.sign_note(text + "\n")
    assert Note.parse(note.to_bytes()) == note
    assert Note.parse(note.to_bytes()).verify([log.verifier])


@given(st.binary(max_size=200) | st.text(max_size=100).map(lambda text: f"{text}\n\n{LINE}\n".encode()))
def test_any_bytes_are_a_note_in_one_way_or_refused(data: bytes) -> None:
    try:
        note = Note.parse(data)
    except MalformedNoteError:
        return
    assert note.to_bytes() == data


@given(st.integers(0, 200), st.integers(1, 255))
def test_no_byte_of_a_note_can_be_changed(log: NoteSigner, note: Note, place: int, change: int) -> None:
    data = bytearray(note.to_bytes())
    data[place % len(data)] ^= change
    with pytest.raises(NoteError):
        Note.parse(bytes(data)).verify([log.verifier])


@pytest.mark.parametrize(
    "tail",
    [
        "",
        "\n",
        LINE,
        f"{LINE}\n\n",
        f"\n{LINE}",
        f" {LINE}\n",
        f"{LINE} \n",
        f"{LINE}\nno signature\n",
        "- stranger.example AAAAAAA=\n",
        "\u2014stranger.example AAAAAAA=\n",
        "\u2014  AAAAAAA=\n",
        "\u2014 stranger.example  AAAAAAA=\n",
        "\u2014 stranger.example\u00a0x AAAAAAA=\n",
        "\u2014 stranger.example\u2003x AAAAAAA=\n",
        "\u2014 stranger.example\u2028x AAAAAAA=\n",
        "\u2014 stranger+example AAAAAAA=\n",
        "\u2014 stranger.example\n",
        "\u2014 stranger.example \n",
    ],
)
def test_signature_lines_are_spelled_in_one_way(note: Note, tail: str) -> None:
    with pytest.raises(MalformedNoteError):
        Note.parse(with_tail(note, tail))


@pytest.mark.parametrize(
    "encoded",
    [
        "AAAAAA==",
        "AAAA",
        "AAAAAAA",
        "AAAAAAB=",
        "AAAAAAA==",
        "AAAA AAA=",
        "AAAAAA_=",
        "=AAAAAAA",
        "AAAAAAA=\u00a0",
        "A",
    ],
)
def test_base64_is_canonical_and_longer_than_a_key_id(encoded: str) -> None:
    with pytest.raises(MalformedNoteError):
        NoteSignature.parse(f"\u2014 stranger.example {encoded}")
    assert NoteSignature.parse(LINE).signature == b"\0"


@pytest.mark.parametrize("control", [*range(0x0A), *range(0x0B, 0x20)])
def test_control_characters_are_refused(note: Note, control: int) -> None:
    data = note.to_bytes()
    for place in (0, len(note.text) - 1, len(note.text) + 5):
        with pytest.raises(MalformedNoteError):
            Note.parse(data[:place] + bytes([control]) + data[place:])


def test_what_is_not_utf8_is_refused(note: Note) -> None:
    for bad in (b"\xff", b"\xc0\x80", b"\xed\xa0\x80", b"\xe2\x80"):
        with pytest.raises(MalformedNoteError, match="UTF-8"):
            Note.parse(bad + note.to_bytes())


def test_a_note_is_bounded(note: Note) -> None:
    lines = f"{LINE}\n" * MAX_SIGNATURES
    assert len(Note.parse(with_tail(note, lines)).signatures) == MAX_SIGNATURES
    with pytest.raises(MalformedNoteError, match="more than 100 signatures"):
        Note.parse(with_tail(note, f"{lines}{LINE}\n"))
    with pytest.raises(MalformedNoteError, match="bytes"):
        Note.parse(b"x" * MAX_NOTE + note.to_bytes())


def test_sixteen_large_signatures_are_accepted(note: Note) -> None:
    lines = [NoteSignature(f"pq.example/{number}", bytes(4), bytes(5000)) for number in range(16)]
    data = note.with_signatures(lines).to_bytes()
    assert len(Note.parse(data).signatures) == 17


def test_unknown_keys_are_ignored_even_with_a_known_name_or_key_id(log: NoteSigner, note: Note) -> None:
    known = note.signatures[0]
    strangers = [
        NoteSignature(log.name, b"\1\2\3\4", b"anything"),
        NoteSignature("stranger.example", known.key_id, b"anything"),
    ]
    data = note.with_signatures(strangers).to_bytes()
    assert [item.signature for item in Note.parse(data).verify([log.verifier])] == [known]


def test_a_known_key_whose_signature_fails_condemns_the_note(log: NoteSigner, asia: NoteSigner, note: Note) -> None:
    other = log.sign("another text\n")
    with pytest.raises(BadSignatureError, match=log.name):
        Note(note.text, (other,)).verify([log.verifier])
    cosigned = note.with_signatures([asia.sign("another text\n", timestamp=9)])
    with pytest.raises(BadSignatureError, match=asia.name):
        cosigned.verify([log.verifier, asia.verifier])
    assert cosigned.verify([log.verifier])


def test_a_known_key_signs_once(log: NoteSigner, asia: NoteSigner, note: Note) -> None:
    line = note.signatures[0]
    with pytest.raises(BadSignatureError, match="twice"):
        Note(note.text, (line, line)).verify([log.verifier])
    two_times = (asia.sign(note.text, timestamp=1), asia.sign(note.text, timestamp=2))
    with pytest.raises(BadSignatureError, match="twice"):
        Note(note.text, two_times).verify([asia.verifier])
    assert Note(note.text, (line, *two_times)).verify([log.verifier])


def test_a_new_signature_takes_the_place_of_the_old_one(asia: NoteSigner, note: Note) -> None:
    first, second = asia.sign(note.text, timestamp=1), asia.sign(note.text, timestamp=2)
    assert note.with_signatures([first]).with_signatures([second]).signatures == (*note.signatures, second)


def test_a_note_without_a_known_signature_says_who_was_known(note: Note, asia: NoteSigner) -> None:
    with pytest.raises(UnsignedNoteError, match=asia.name):
        note.verify([asia.verifier])
    with pytest.raises(UnsignedNoteError, match="nobody"):
        note.verify([])
    assert note.verified_by([asia.verifier]) == []


def test_two_keys_of_one_identity_are_ambiguous(note: Note) -> None:
    one = Verifier("twin.example", SignatureKind.ED25519, PublicKey(b"\7" * 32))

    class Twin(Verifier, frozen=True):
        @property
        def key_id(self) -> bytes:
            return one.key_id

    twin = Twin("twin.example", SignatureKind.ED25519, PublicKey(b"\1" * 32))
    with pytest.raises(VkeyError, match="two different keys"):
        note.verified_by([one, twin])
    assert note.verified_by([one, one]) == []


def test_one_key_in_two_kinds_has_two_ids_and_no_shared_signatures() -> None:
    key = generate_key(Role.WITNESS, "w")
    cosigner = NoteSigner("w.example", SignatureKind.COSIGNATURE, key)
    as_log = Verifier("w.example", SignatureKind.ED25519, key.public)
    assert cosigner.verifier.key_id != as_log.key_id
    note = Note("text\n", (cosigner.sign("text\n", timestamp=5),))
    with pytest.raises(UnsignedNoteError):
        note.verify([as_log])


@pytest.mark.parametrize(
    "vkey",
    [
        "",
        "example.com/foo",
        "example.com/foo+530d903a",
        "example.com/foo+530d903a+",
        "example.com/foo+530D903A+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k",
        "example.com/foo+530d903b+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k",
        "example.com/bar+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k",
        "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2l",
        "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U0=",
        "example.com/foo+530d903a+BukyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k",
        "example.com /foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k",
        "+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k",
        SPEC_VKEY + "\n",
        " " + SPEC_VKEY,
        SPEC_VKEY + "+more",
    ],
)
def test_what_is_no_verifier_key_is_refused(vkey: str) -> None:
    with pytest.raises(VkeyError):
        Verifier.parse(vkey)


@given(st.text(max_size=80))
def test_any_text_is_a_verifier_key_or_refused(text: str) -> None:
    with pytest.raises(VkeyError):
        Verifier.parse(text)


@given(
    st.sampled_from(SignatureKind), st.binary(min_size=32, max_size=32).filter(any), st.text(min_size=1, max_size=40)
)
def test_verifier_keys_read_back(kind: SignatureKind, raw: bytes, name: str) -> None:
    if is_name(name):
        verifier = Verifier(name, kind, PublicKey(raw))
        assert Verifier.parse(verifier.vkey) == verifier


@pytest.mark.parametrize(
    "name", ["", "a b", "a+b", "a\tb", "a\nb", "a\u3000b", "a\x85b", "a\x00", "a\ud800", "x" * 256]
)
def test_key_names(name: str) -> None:
    with pytest.raises(VkeyError):
        Verifier(name, SignatureKind.ED25519, PublicKey(b"\7" * 32))


@pytest.mark.parametrize("role", list(Role))
def test_a_key_signs_only_what_its_role_does(role: Role) -> None:
    key = generate_key(role, "name")
    allowed = {
        SignatureKind.ED25519: role in (Role.LOG, Role.AUDIT),
        SignatureKind.COSIGNATURE: role in (Role.WITNESS, Role.MIRROR),
    }
    for kind, may in allowed.items():
        if may:
            assert NoteSigner("name", kind, key).vkey
        else:
            with pytest.raises(KeyRoleError, match=role.value):
                NoteSigner("name", kind, key)


@pytest.mark.parametrize("text", ["", "no newline", "a\tb\n", "a\rb\n", "a\ud800b\n"])
def test_nothing_unreadable_is_signed(log: NoteSigner, text: str) -> None:
    with pytest.raises(MalformedNoteError):
        log.sign(text)


@pytest.mark.parametrize("text", ["", "00", "01", "+1", "-1", "1 ", " 1", "1_0", "0x1", "1.0", "\u0661", str(2**63)])
def test_decimals_are_spelled_in_one_way(text: str) -> None:
    with pytest.raises(MalformedNoteError):
        decode_decimal(text, what="the size", where="here")
    assert decode_decimal(str(2**63 - 1), what="the size", where="here") == 2**63 - 1
    assert decode_decimal("0", what="the size", where="here") == 0


def test_a_signature_line_reads_back() -> None:
    line = NoteSignature("name.example", b"\1\2\3\4", b"signature")
    assert NoteSignature.parse(line.line) == line
    assert line.line == "\u2014 name.example " + encode_base64(b"\x01\x02\x03\x04signature")


def test_a_verifier_key_of_small_order_is_refused() -> None:
    key = b"\1" + bytes(32)
    key_id = sha256(b"log.example\n" + key).hexdigest()[:8]
    with pytest.raises(VkeyError, match="small order"):
        Verifier.parse(f"log.example+{key_id}+{encode_base64(key)}")
