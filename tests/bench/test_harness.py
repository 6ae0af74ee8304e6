"""What a bench tells: rows of one shape, the raw ratio, an exit code, and never a time of a wrong answer."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest
from bench.__main__ import main
from bench.harness import (
    Bench,
    Better,
    Command,
    Options,
    PeerError,
    Report,
    Row,
    WrongAnswerError,
    as_table,
    interleave,
)
from bench.verify import existing_case

from pellucid.errors import InputError

ROW_FIELDS = {"name", "ours", "peer", "unit", "ratio", "better", "goal", "met"}


def python(name: str, program: str, **options: object) -> Command:
    return Command(name, (sys.executable, "-I", "-S", "-c", program), **options)  # type: ignore[arg-type]


QUICK = python("quick", "pass")
SLOW = python("slow", "import time; time.sleep(0.15)")


def bench_of(ours: Command, peer: Command, goal: float) -> Bench:
    def run(options: Options) -> Report:
        mine, theirs = interleave([ours, peer], options.pairs)
        row = Row("two commands", mine, theirs, "s", Better.LOWER, goal)
        return Report((row,), {"sleep": "1"})

    return Bench("two", "two commands", run)


def run_main(bench: Bench, *arguments: str) -> int:
    return main(["two", "--pairs", "2", *arguments], [bench])


def test_a_met_goal_is_one_json_document_with_exactly_the_promised_fields_and_exit_0(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert run_main(bench_of(QUICK, SLOW, 0.9), "--json") == 0
    document = json.loads(capsys.readouterr().out)
    assert set(document) == {"rows", "peers"}
    assert document["peers"] == {"sleep": "1"}
    (row,) = document["rows"]
    assert set(row) == ROW_FIELDS
    assert row["ratio"] == row["ours"] / row["peer"] < 0.9
    assert (row["better"], row["goal"], row["met"]) == ("lower", 0.9, True)


def test_a_missed_goal_is_told_as_such_with_exit_1(capsys: pytest.CaptureFixture[str]) -> None:
    assert run_main(bench_of(SLOW, QUICK, 0.9), "--json") == 1
    (row,) = json.loads(capsys.readouterr().out)["rows"]
    assert row["met"] is False
    assert row["ratio"] > 1


def test_without_json_people_get_a_table(capsys: pytest.CaptureFixture[str]) -> None:
    assert run_main(bench_of(QUICK, SLOW, 0.9)) == 0
    said = capsys.readouterr()
    assert "| two commands |" in said.out
    assert "≤ 0.9" in said.out
    assert "Peers: sleep 1" in said.out
    assert "median" in said.err


@pytest.mark.parametrize(
    ("failure", "code"),
    [(WrongAnswerError, 1), (PeerError, 3)],
    ids=["ours", "peer"],
)
def test_a_wrong_answer_is_never_timed(
    failure: type[WrongAnswerError | PeerError], code: int, capsys: pytest.CaptureFixture[str]
) -> None:
    broken = python("broken", "import sys; sys.exit('no such bundle')", failure=failure)
    assert run_main(bench_of(QUICK, broken, 0.9), "--json") == code
    said = capsys.readouterr()
    error = json.loads(said.out)["error"]
    assert error["where"] == "broken"
    assert "ended with 1 where 0 was expected" in error["what"]
    assert "no such bundle" in said.err


def test_a_command_that_is_not_there_is_a_reason_and_not_a_crash() -> None:
    with pytest.raises(PeerError, match="absent-program"):
        Command("peer", ("absent-program",), failure=PeerError).time()


def test_a_command_that_hangs_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bench.harness.COMMAND_TIMEOUT", 0.3)
    with pytest.raises(WrongAnswerError, match=r"did not end within 0\.3 s"):
        python("hangs", "import time; time.sleep(60)").time()


def test_an_expected_refusal_is_a_right_answer() -> None:
    assert python("refusal", "raise SystemExit(1)", expected=frozenset({1})).time() > 0


def test_rounds_turn_the_order_so_that_a_drifting_machine_favours_nobody(tmp_path: Path) -> None:
    journal = tmp_path / "journal"
    commands = [python(name, f"open({str(journal)!r}, 'a').write({name!r})") for name in ("a", "b", "c")]
    assert len(interleave(commands, 3)) == 3
    assert journal.read_text() == "abc" + "abc" + "cba" + "abc"


def test_switches_of_the_caller_that_would_slow_one_side_do_not_reach_the_commands(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
    program = "import sys; sys.exit(sys.dont_write_bytecode)"
    assert Command("switches", (sys.executable, "-c", program)).time() > 0


@pytest.mark.parametrize(
    ("better", "ours", "met"),
    [
        (Better.LOWER, 3.0, True),
        (Better.LOWER, 3.1, False),
        (Better.HIGHER, 3.0, True),
        (Better.HIGHER, 2.9, False),
    ],
)
def test_the_goal_bounds_the_ratio_on_the_side_that_is_good(better: Better, ours: float, met: bool) -> None:
    row = Row("r", ours, 1.0, "s", better, 3.0)
    assert row.met is met
    assert Report((row,), {}).met is met
    assert ("yes" if met else "no") in as_table(Report((row,), {}))


@pytest.mark.parametrize("arguments", [["three"], ["two", "--pairs", "0"], ["two", "--pairs", "x"]])
def test_unusable_arguments_are_exit_2(arguments: Sequence[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(list(arguments), [bench_of(QUICK, SLOW, 0.9)])
    assert stopped.value.code == 2


def test_without_a_name_it_lists_what_there_is(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 0
    assert "\nverify " in "\n" + capsys.readouterr().out


def test_a_home_gives_its_artifact_pack_and_policy_and_another_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no artifact with its evidence pack"):
        existing_case(tmp_path)
    for name in ("a.whl", "a.whl.evidence.json", "b.evidence.json", "policy.toml"):
        (tmp_path / name).write_text(name)
    case = existing_case(tmp_path)
    assert (case.file.name, case.pack.name) == ("a.whl", "a.whl.evidence.json")
    assert case.policy == tmp_path / "policy.toml"
