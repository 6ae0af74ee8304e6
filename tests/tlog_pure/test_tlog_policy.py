"""A tlog-policy file says whose cosignatures are enough; what it says badly is refused with its line."""

from __future__ import annotations

from collections.abc import Callable
from itertools import count

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pellucid.errors import InputError
from pellucid.statement.keys import Role, generate_key
from pellucid.tlog.cosignature import cosign
from pellucid.tlog.errors import BadSignatureError, NoteError, OriginError, PolicyError, QuorumError, UnsignedNoteError
from pellucid.tlog.note import Note, NoteSigner, SignatureKind
from pellucid.tlog.tlog_policy import MAX_POLICY, TlogPolicy


def make(name: str) -> NoteSigner:
    return NoteSigner(name, SignatureKind.COSIGNATURE, generate_key(Role.WITNESS, name))


WITNESSES = {name: make(f"{name.lower()}.example") for name in ("X1", "X2", "X3", "Y1", "Y2", "Y3")}
LINES = {name: f"witness {name} {signer.vkey}" for name, signer in WITNESSES.items()}


@pytest.fixture(scope="module")
def example(log: NoteSigner) -> TlogPolicy:
    """Return the two-level example of the spec."""
    text = "\n".join(
        [
            "# the example",
            f"log {log.vkey} https://vendor.example/log",
            "",
            LINES["X1"],
            f"\t{LINES['X2']}\thttps://x2.example  ",
            LINES["X3"],
            "group X-witnesses 2 X1 X2 X3",
            LINES["Y1"],
            LINES["Y2"],
            LINES["Y3"],
            "group Y-witnesses any Y1 Y2 Y3",
            "   # indented comment",
            "group X-and-Y all X-witnesses Y-witnesses",
            "quorum X-and-Y",
            "",
        ]
    )
    return TlogPolicy.parse(text.encode())


@pytest.mark.parametrize(
    ("cosigners", "enough"),
    [
        ("", False),
        ("X1 X2", False),
        ("X1 Y1", False),
        ("Y1 Y2 Y3", False),
        ("X1 X3 Y2", True),
        ("X1 X2 X3 Y1 Y2 Y3", True),
    ],
)
def test_the_example_of_the_spec(example: TlogPolicy, cosigners: str, enough: bool) -> None:
    assert example.met_by([WITNESSES[name].verifier for name in cosigners.split()]) is enough


def test_strangers_do_not_count(example: TlogPolicy) -> None:
    assert not example.met_by([make("x1.example").verifier, WITNESSES["X2"].verifier, WITNESSES["Y1"].verifier])


def test_a_policy_reads_back(example: TlogPolicy) -> None:
    assert TlogPolicy.parse(example.to_bytes()) == example
    assert example.logs[0].url == "https://vendor.example/log"
    assert example.witnesses[1].url == "https://x2.example"


def test_a_policy_decides_about_a_checkpoint(example: TlogPolicy, note: Note, log: NoteSigner) -> None:
    def cosigned(*names: str) -> bytes:
        return note.with_signatures([cosign(note, WITNESSES[name], 7) for name in names]).to_bytes()

    signed, found = example.open(cosigned("X1", "X2", "Y3"))
    assert signed.checkpoint.size == 70
    assert [item.timestamp for item in found] == [7, 7, 7]
    with pytest.raises(QuorumError, match="cosigned by 2"):
        example.open(cosigned("X1", "X2"), where="head")
    wrong = note.with_signatures([WITNESSES["X1"].sign("another\n", timestamp=5)])
    with pytest.raises(BadSignatureError):
        example.open(wrong)
    only_cosigned = Note(note.text, (cosign(note, WITNESSES["X1"], 7),))
    with pytest.raises(UnsignedNoteError, match=log.name):
        example.open(only_cosigned)
    with pytest.raises(OriginError):
        TlogPolicy((), (), (), "none").open(note)


def test_no_cosignatures_asked_for(note: Note, log: NoteSigner) -> None:
    policy = TlogPolicy.parse(f"quorum none\nlog {log.vkey}\n".encode())
    assert policy.open(note)[1] == []


def test_a_single_witness_as_quorum() -> None:
    policy = TlogPolicy.parse(f"{LINES['X1']}\nquorum X1\n".encode())
    assert policy.met_by([WITNESSES["X1"].verifier])
    assert not policy.met_by([])


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("", None),
        ("# nothing\n", None),
        ("quorum none", None),
        ("quorum X1\n", 1),
        ("quorum\n", 1),
        ("quorum none none\n", 1),
        ("quorum none\nquorum none\n", 2),
        ("Quorum none\n", 1),
        ("quorum\u00a0none\n", 1),
        ("log\nquorum none\n", 1),
        ("log not-a-key\nquorum none\n", 1),
        (f"log {WITNESSES['X1'].vkey}\nquorum none\n", 1),
        (f"{LINES['X1']}\n{LINES['X1']}\nquorum none\n", 2),
        (f"{LINES['X1']}\nwitness X2 {WITNESSES['X1'].vkey}\nquorum none\n", 2),
        (f"{LINES['X1']}\nwitness X1 {WITNESSES['X2'].vkey}\nquorum none\n", 2),
        (f"witness none {WITNESSES['X1'].vkey}\nquorum none\n", 1),
        ("witness X1\nquorum none\n", 1),
        (f"{LINES['X1']} url more\nquorum none\n", 1),
        ("group g any\nquorum none\n", 1),
        ("group g any X1\nquorum none\n", 1),
        (f"group g any X1\n{LINES['X1']}\nquorum none\n", 1),
        (f"{LINES['X1']}\ngroup g 0 X1\nquorum g\n", 2),
        (f"{LINES['X1']}\ngroup g 2 X1\nquorum g\n", 2),
        (f"{LINES['X1']}\ngroup g 01 X1\nquorum g\n", 2),
        (f"{LINES['X1']}\ngroup g +1 X1\nquorum g\n", 2),
        (f"{LINES['X1']}\ngroup g some X1\nquorum g\n", 2),
        (f"{LINES['X1']}\ngroup g any X1 X1\nquorum g\n", 2),
        (f"{LINES['X1']}\ngroup g any X1\ngroup h any X1\nquorum g\n", 3),
        (f"{LINES['X1']}\ngroup X1 any X1\nquorum X1\n", 2),
        (f"{LINES['X1']}\ngroup none any X1\nquorum none\n", 2),
        (f"{LINES['X1']}\ngroup g any g\nquorum none\n", 2),
        (f"{LINES['X1']}\ngroup g any none\nquorum none\n", 2),
        ("quorum none\r\n", 1),
        ("quorum none\n\x00\n", 2),
        ("# \x7f\nquorum none\n", 1),
    ],
    ids=count(1),
)
def test_what_the_spec_forbids_is_refused_with_its_line(text: str, line: int | None) -> None:
    with pytest.raises(InputError) as caught:
        TlogPolicy.parse(text.encode(), where="policy")
    assert caught.value.where == ("policy" if line is None else f"policy, line {line}")


def test_a_key_is_not_a_log_and_a_witness_at_once() -> None:
    key = generate_key(Role.WITNESS, "w")
    witness = NoteSigner("w.example", SignatureKind.COSIGNATURE, key).verifier
    log = type(witness)("w.example", SignatureKind.ED25519, key.public)
    with pytest.raises(PolicyError, match="stands in the policy already"):
        TlogPolicy.parse(f"log {log.vkey}\nwitness W {witness.vkey}\nquorum W\n".encode())


def test_names_are_opaque_bytes() -> None:
    vkeys = [WITNESSES["X1"].vkey.encode(), WITNESSES["X2"].vkey.encode()]
    text = b"witness K %s\nwitness \xe2\x84\xaa %s\ngroup \xff all K \xe2\x84\xaa\nquorum \xff\n" % tuple(vkeys)
    policy = TlogPolicy.parse(text)
    assert policy.groups[0].threshold == 2
    assert b"quorum \xff\n" in policy.to_bytes()


def test_many_logs_witnesses_and_groups() -> None:
    signers = [make(f"w{number}.example") for number in range(40)]
    lines = [f"witness w{number} {signer.vkey}" for number, signer in enumerate(signers)]
    lines += [f"group g{number} any w{number}" for number in range(40)]
    lines += ["group top 21 " + " ".join(f"g{number}" for number in range(40)), "quorum top", ""]
    policy = TlogPolicy.parse("\n".join(lines).encode())
    assert policy.met_by([signer.verifier for signer in signers[:21]])
    assert not policy.met_by([signer.verifier for signer in signers[:20]])
    with pytest.raises(PolicyError, match="bytes"):
        TlogPolicy.parse(b"#" * MAX_POLICY + b"\n")


def test_what_cannot_be_written_is_refused(example: TlogPolicy) -> None:
    spaced = TlogPolicy(example.logs, example.witnesses, example.groups, "two words")
    with pytest.raises(InputError):
        spaced.to_bytes()


@given(st.binary(max_size=80))
def test_any_bytes_are_a_policy_or_refused(data: bytes) -> None:
    parse: Callable[[bytes], TlogPolicy] = TlogPolicy.parse
    try:
        policy = parse(data + b"\nquorum none\n")
    except InputError:
        return
    assert parse(policy.to_bytes()) == policy


def test_a_missing_quorum_is_evidence_against_not_bad_input() -> None:
    assert issubclass(QuorumError, NoteError)
