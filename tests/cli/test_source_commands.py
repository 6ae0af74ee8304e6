"""`source`: identities, deltas and reviews as a reviewer types them."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pellucid.statement.dsse import Envelope
from pellucid.statement.intoto import Statement
from pellucid.unpack import identify

Run = Callable[..., Any]
SAID = (
    "--criterion", "no-backdoor", "--result", "pass", "--independence", "independent",
    "--paid-by", "reviewer", "--minutes", "90", "--expires", "2030-01-01",
)  # fmt: skip
REVIEW_TOML = """\
[review]
result = "pass-with-findings"
independence = "contractor"
paid_by = "vendor"
criteria = ["no-backdoor", "memory-safety"]
minutes = 120
expires = "2030-01-01"
exclude = ["vendored"]

[[finding]]
title = "A secret that must not be published"
severity = "low"
open = false

[[finding]]
title = "Another one"
severity = "high"
"""


@pytest.fixture
def old(tmp_path: Path) -> Path:
    tree = tmp_path / "scanner-4.1"
    (tree / "vendored").mkdir(parents=True)
    (tree / "main.py").write_text("one\ntwo\nthree\n")
    (tree / "vendored/lib.py").write_text("a\nb\n")
    (tree / "logo.png").write_bytes(b"\x89PNG\0")
    return tree


@pytest.fixture
def new(old: Path) -> Path:
    tree = shutil.copytree(old, old.with_name("scanner-4.2"))
    (tree / "main.py").write_text("one\n2\nthree\nfour\n")
    return tree


def reviewed(run: Run, home: Path, *words: str | Path) -> Any:
    answer = run("--home", home, "source", "review", *words, "--json")
    assert answer.code == 0, answer.err
    return answer.json


def test_one_tree_in_every_form_has_one_identity(run: Run, old: Path, tmp_path: Path) -> None:
    archive = shutil.make_archive(str(tmp_path / "packed"), "gztar", tmp_path, old.name)
    plain = run("source", "tree", old, "--json").json
    packed = run("source", "tree", archive, "--root", old.name, "--json").json
    assert plain["sha256"] == packed["sha256"] == identify(old).sha256
    whole = run("source", "tree", archive, "--json")
    assert whole.json["sha256"] != plain["sha256"]
    assert f"--root {old.name}" in whole.err


def test_what_is_no_source_is_told(run: Run, tmp_path: Path) -> None:
    (tmp_path / "text").write_text("no archive")
    for path in (tmp_path / "nowhere", tmp_path / "text"):
        answer = run("source", "tree", path)
        assert answer.code == 2
        assert "remedy" in answer.err


def test_a_delta_is_measured_and_logged_if_asked(run: Run, home: Path, old: Path, new: Path) -> None:
    measured = run("source", "delta", old, new, "--json").json
    assert (measured["files_changed"], measured["lines_added"], measured["lines_removed"]) == (1, 2, 1)
    logged = run("--home", home, "source", "delta", old, new, "--log", "--json").json
    assert logged["index"] == 0
    assert logged["lines_added"] == 2


def test_a_review_counts_its_scope_and_is_shown_before_it_is_signed(run: Run, home: Path, old: Path) -> None:
    answer = run("--home", home, "source", "review", old, *SAID, "--yes", "--json")
    assert answer.code == 0, answer.err
    said = answer.json["review"]
    assert said["subject"] == [{"digest": {"gitTree": identify(old).sha256}, "name": "source"}]
    assert said["predicate"]["scope"] == {"files": 3, "lines": 5}
    assert "You are about to sign" in answer.err
    assert json.dumps(said["predicate"]["criteria"][0]) in answer.err
    assert answer.json["index"] == 0


def test_without_a_person_nothing_is_signed_unasked(run: Run, home: Path, old: Path) -> None:
    answer = run("--home", home, "source", "review", old, *SAID)
    assert answer.code == 2
    assert "--yes" in answer.err
    assert not (home / "log.db").exists()


def test_a_delta_review_names_its_base_and_counts_what_changed(run: Run, home: Path, old: Path, new: Path) -> None:
    said = reviewed(run, home, new, "--base", old, *SAID, "--yes")["review"]["predicate"]
    assert said["extent"] == "delta"
    assert said["base"] == identify(old).sha256
    assert said["scope"] == {"files": 1, "lines": 3}


def test_findings_stay_private_and_are_committed_to(run: Run, home: Path, old: Path, tmp_path: Path) -> None:
    (tmp_path / "review.toml").write_text(REVIEW_TOML)
    output = tmp_path / "review.dsse.json"
    made = reviewed(run, home, old, "--from", tmp_path / "review.toml", "--minutes", "150", "--yes", "-o", output)
    statement = Statement.parse(Envelope.parse(output.read_bytes()).payload)
    said: Any = statement.predicate
    assert said["minutes"] == 150
    assert (said["findings"]["count"], said["findings"]["open"]) == (2, 1)
    assert [exclusion["lines"] for exclusion in said["exclusions"]] == [2]
    assert b"secret" not in output.read_bytes()
    assert b"A secret that must not be published" in Path(made["opening"]).read_bytes()
    assert Path(made["opening"]).is_relative_to(home / "blobs")
    assert not (home / "log.db").exists()


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (SAID[2:], "--criterion"),
        (SAID[:-2], "--expires"),
        ((*SAID, "--expires", "soon"), "not a time"),
        ((*SAID, "--exclude", "nowhere"), "not in the tree"),
        ((*SAID, "--criterion", "Not A Word"), "criteria"),
        ((*SAID, "--minutes", "-5"), "minutes"),
    ],
)
def test_what_a_review_lacks_is_told(run: Run, home: Path, old: Path, words: Any, told: str) -> None:
    answer = run("--home", home, "source", "review", old, *words, "--yes")
    assert answer.code == 2
    assert told in answer.err


def test_a_review_file_is_wrong_at_its_line(run: Run, home: Path, old: Path, tmp_path: Path) -> None:
    (tmp_path / "review.toml").write_text(REVIEW_TOML.replace("paid_by", "payed_by"))
    answer = run("--home", home, "source", "review", old, "--from", tmp_path / "review.toml", "--yes")
    assert answer.code == 2
    assert "review.toml:4:1" in answer.err


def test_an_update_is_reviewed_by_its_bytes(run: Run, home: Path, tmp_path: Path) -> None:
    (tmp_path / "update.bin").write_bytes(b"update")
    said = reviewed(run, home, tmp_path / "update.bin", "--of", "update", *SAID, "--yes")["review"]
    assert set(said["subject"][0]["digest"]) == {"sha256"}
