"""The identity of a source tree: the same in every form, and the one that git and swh.model give."""

from __future__ import annotations

import os
import tarfile
import tempfile
import zipfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from swh.model.from_disk import Directory
from tests.unpack.conftest import Content, FileTree, git, write_directory, write_repository, write_tar, write_zip

from pellucid.statement.tree import Mode
from pellucid.unpack import Limits, TreeSource, UnpackError, identify, members, read_members, sole_top_directory


def _ids(source: Path, **options: str) -> tuple[str, str, str | None]:
    identity = identify(source, **options)  # type: ignore[arg-type]
    return identity.sha256, identity.sha1, identity.swhid


def _judged(at: Path, tree: FileTree) -> tuple[str, str]:
    """Return git's own tree ids, in the sha256 and the classic format."""
    repos = [write_repository(at / form, tree, form) for form in ("sha256", "sha1")]
    first, second = (git(repo, "rev-parse", "HEAD^{tree}") for repo in repos)
    return first, second


def test_every_form_has_the_identity_that_git_and_swh_give(tmp_path: Path, sample: dict[bytes, Content]) -> None:
    sha256, sha1 = _judged(tmp_path, sample)
    directory = write_directory(tmp_path / "d", sample)
    swhid = str(Directory.from_disk(path=os.fsencode(directory), max_content_length=None).swhid())
    expected = (sha256, sha1, swhid)
    assert swhid == f"swh:1:dir:{sha1}"
    assert _ids(directory) == expected
    assert _ids(tmp_path / "sha1", rev="HEAD") == expected
    assert _ids(tmp_path / "sha256", rev="HEAD") == expected
    for name in ("t.tar", "t.tar.gz", "t.tar.bz2", "t.tar.xz"):
        assert _ids(write_tar(tmp_path / name, sample)) == expected
    for form in (tarfile.GNU_FORMAT, tarfile.PAX_FORMAT):
        assert _ids(write_tar(tmp_path / "f.tar", sample, form=form)) == expected
    for method in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2):
        assert _ids(write_zip(tmp_path / "z.zip", sample, method=method)) == expected


@pytest.mark.parametrize(
    "change",
    [
        {b"README": Content(b"hellO\n")},
        {b"README": Content(b"hello\n", executable=True)},
        {b"link": Content(b"a/deep", link=True)},
        {b"link": Content(b"a/deep/er")},
        {b"new": Content(b"")},
    ],
)
def test_any_change_of_content_mode_or_link_is_another_identity(
    tmp_path: Path, sample: dict[bytes, Content], change: dict[bytes, Content]
) -> None:
    before, after = write_tar(tmp_path / "a.tar", sample), write_tar(tmp_path / "b.tar", {**sample, **change})
    assert identify(before).sha256 != identify(after).sha256
    assert identify(before).sha1 != identify(after).sha1


@pytest.mark.parametrize("pack", [write_tar, write_zip])
def test_archives_by_other_programs_agree(tmp_path: Path, sample: dict[bytes, Content], pack: object) -> None:
    directory = write_directory(tmp_path / "d" / "pkg-1", sample)
    expected = _ids(directory)
    archive = tmp_path / "x"
    command = ["tar", "-cf", str(archive), "pkg-1"] if pack is write_tar else ["zip", "-qry", str(archive), "pkg-1"]
    import shutil
    import subprocess

    if shutil.which(command[0]) is None:
        pytest.skip(f"{command[0]} is not installed")
    subprocess.run(command, cwd=directory.parent, check=True)
    found = archive if archive.exists() else archive.with_suffix(".zip")
    assert _ids(found, root="pkg-1") == expected


def test_git_archive_gives_the_revision_only_without_attributes(tmp_path: Path, sample: dict[bytes, Content]) -> None:
    plain = {name: content for name, content in sample.items() if name != b".gitattributes"}
    repo = write_repository(tmp_path / "r", plain)
    for form in ("tar", "zip", "tar.gz"):
        archive = tmp_path / f"x.{form}"
        git(repo, "archive", "--prefix=pkg-1/", "-o", str(archive), "HEAD")
        assert _ids(archive, root="pkg-1") == _ids(repo, rev="HEAD")
    repo = write_repository(tmp_path / "s", sample)
    git(repo, "archive", "-o", str(tmp_path / "y.tar"), "HEAD")
    assert _ids(tmp_path / "y.tar") != _ids(repo, rev="HEAD")


_NAMES = st.one_of(
    st.sampled_from([b"a", b"a.b", b"a0", b"a-", b"A", b"ab", b".gitignore", b"...", b"x y", b"-rf", b"con:aux"]),
    st.text(st.characters(blacklist_categories=("Cs", "Cc"), blacklist_characters="/\\"), min_size=1, max_size=40)
    .map(str.encode)
    .filter(lambda name: name not in {b".", b".."} and b"git" not in name.lower()),
)
_LINKS = st.builds(Content, st.sampled_from([b"a", b"./x y", b"no/where", b"a/.", b"."]), link=st.just(True))
_CONTENTS = st.one_of(st.builds(Content, st.binary(max_size=400), st.booleans()), _LINKS)
_TREES = st.dictionaries(st.lists(_NAMES, min_size=1, max_size=4).map(b"/".join), _CONTENTS, max_size=12)


def _without_conflicts(tree: dict[bytes, Content]) -> dict[bytes, Content]:
    above = {name[:at] for name in tree for at in range(len(name)) if name[at : at + 1] == b"/"}
    return {name: content for name, content in tree.items() if name not in above and name[1:2] != b":"}


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(_TREES.map(_without_conflicts))
@example({})
@example({b"a" * 240 + b"/" + b"b" * 240 + b"/" + b"c" * 240: Content(b"long")})
def test_any_tree_is_the_same_in_every_form(tree: dict[bytes, Content]) -> None:
    with tempfile.TemporaryDirectory() as name:
        at = Path(name)
        expected = _judged(at, tree)
        found = [
            identify(write_directory(at / "d", tree)),
            identify(write_tar(at / "t.tar.gz", tree)),
            identify(write_tar(at / "u.tar", tree, form=tarfile.GNU_FORMAT)),
            identify(write_zip(at / "z.zip", tree)),
            identify(at / "sha1", rev="HEAD"),
            identify(at / "sha256", rev="HEAD"),
        ]
        assert {(identity.sha256, identity.sha1) for identity in found} == {expected}
        assert {identity.members for identity in found} == {found[0].members}
        assert {member.path for member in found[0].members} == set(tree)


def test_names_that_are_no_text_keep_their_bytes(tmp_path: Path) -> None:
    tree = {b"caf\xe9/\xff\xfe": Content(b"latin"), b"tab\tnew\nline": Content(b"odd")}
    sha256, sha1 = _judged(tmp_path, tree)
    directory = write_directory(tmp_path / "d", tree)
    assert _ids(directory)[:2] == (sha256, sha1)
    assert _ids(write_tar(tmp_path / "t.tar", tree))[:2] == (sha256, sha1)
    assert _ids(write_tar(tmp_path / "g.tar", tree, form=tarfile.GNU_FORMAT))[:2] == (sha256, sha1)
    assert _ids(tmp_path / "sha1", rev="HEAD")[:2] == (sha256, sha1)


def test_empty_directories_are_counted_and_take_the_swhid_away(tmp_path: Path) -> None:
    tree = {b"a/b": Content(b"x")}
    directory = write_directory(tmp_path / "d", tree)
    full = identify(directory)
    assert (full.empty_directories, full.swhid) == (0, f"swh:1:dir:{full.sha1}")
    (directory / "e" / "f").mkdir(parents=True)
    with tarfile.open(tmp_path / "t.tar", "w") as tar:
        tar.add(directory, ".")
    with zipfile.ZipFile(tmp_path / "z.zip", "w") as archive:
        archive.writestr("e/f/", b"")
        archive.writestr("a/b", b"x")
    for source in (directory, tmp_path / "t.tar", tmp_path / "z.zip"):
        identity = identify(source)
        assert (identity.sha256, identity.sha1) == (full.sha256, full.sha1)
        assert (identity.empty_directories, identity.swhid) == (2, None)
    assert str(Directory.from_disk(path=os.fsencode(directory), max_content_length=None).swhid()) != full.swhid


def test_empty_trees_inside_a_revision_are_empty_directories(tmp_path: Path) -> None:
    repo = write_repository(tmp_path / "r", {b"a": Content(b"x")})
    empty = git(repo, "mktree")
    blob = git(repo, "rev-parse", "HEAD:a")
    tree = git(repo, "mktree", stdin=f"100644 blob {blob}\ta\n040000 tree {empty}\te\n".encode())
    identity = identify(repo, rev=tree)
    assert (identity.empty_directories, identity.swhid) == (1, None)
    assert identity.sha256 == identify(repo, rev="HEAD").sha256


def test_an_empty_source_has_gits_empty_tree(tmp_path: Path) -> None:
    (tmp_path / "d").mkdir()
    identity = identify(tmp_path / "d")
    assert identity.sha1 == "4b825dc642cb6eb9a060e54bf8d69288fbee4904"
    assert identity.sha256 == "6ef19b41225c5369f1c104d45d8d85efa9b057b53b14b4b9b939dd74decc5321"
    assert identify(write_tar(tmp_path / "t.tar", {})) == identify(write_zip(tmp_path / "z.zip", {})) == identity


def test_the_modes_that_do_not_count_change_nothing(tmp_path: Path) -> None:
    directory = write_directory(tmp_path / "d", {b"f": Content(b"x"), b"g": Content(b"y", executable=True)})
    before = identify(directory)
    (directory / "f").chmod(0o611)
    (directory / "g").chmod(0o2740)
    assert identify(directory) == before
    (directory / "f").chmod(0o744)
    assert identify(directory) != before


def test_a_zip_without_unix_modes_holds_plain_files(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "z.zip", "w") as archive:
        info = zipfile.ZipInfo("f")
        info.create_system, info.external_attr = 0, 0x20
        archive.writestr(info, b"x")
    assert identify(tmp_path / "z.zip").members[0].mode is Mode.FILE


def test_a_hard_link_in_a_tar_is_a_copy(tmp_path: Path) -> None:
    directory = write_directory(tmp_path / "d", {b"a": Content(b"x" * 5000, executable=True), b"z": Content(b"z")})
    os.link(directory / "a", directory / "b")
    os.link(directory / "a", directory / "c")
    with tarfile.open(tmp_path / "t.tar.gz", "w:gz") as tar:
        tar.add(directory, "pkg-1")
        assert sum(info.islnk() for info in tar.getmembers()) == 2
    source = TreeSource(tmp_path / "t.tar.gz", root="pkg-1")
    assert identify(source) == identify(directory)
    contents = {
        path: b"".join(member.chunks())
        for paths, member in read_members(source, {b"b", b"c", b"z", b"none"})
        for path in paths
        if path == paths[0]
    }
    assert contents == {b"z": b"z", b"b": b"x" * 5000}
    assert sorted(path for paths, _ in read_members(source, [b"b", b"c", b"z"]) for path in paths) == [b"b", b"c", b"z"]


def test_names_that_fall_together_elsewhere_are_reported_and_no_fault(tmp_path: Path) -> None:
    tree = {
        b"A/x": Content(b"1"),
        b"a/x": Content(b"2"),
        "e\u0301".encode(): Content(b"3"),
        "\u00e9".encode(): Content(b"4"),
    }
    assert identify(write_tar(tmp_path / "t.tar", tree)).collisions == 3
    assert identify(write_tar(tmp_path / "u.tar", {b"a": Content(b""), b"b/A": Content(b"")})).collisions == 0


def test_the_root_is_named_and_never_guessed(tmp_path: Path, sample: dict[bytes, Content]) -> None:
    archive = write_tar(tmp_path / "t.tar.gz", sample, top="pkg-1.0/")
    bare = identify(write_tar(tmp_path / "bare.tar", sample))
    assert sole_top_directory(archive) == "pkg-1.0"
    assert identify(archive).sha256 != bare.sha256
    assert identify(archive, root="pkg-1.0") == bare
    assert identify(write_zip(tmp_path / "z.zip", sample, top="pkg-1.0/"), root="pkg-1.0") == bare
    with pytest.raises(UnpackError, match="outside of the root 'pkg'"):
        identify(archive, root="pkg")
    with pytest.raises(UnpackError, match="cannot be the root"):
        identify(archive, root="../pkg")


def test_no_sole_top_directory_where_anything_lies_beside_it(tmp_path: Path) -> None:
    tree = {b"pkg/a": Content(b""), b"other": Content(b"")}
    assert sole_top_directory(write_zip(tmp_path / "z.zip", tree)) is None
    assert sole_top_directory(write_zip(tmp_path / "y.zip", {b"pkg": Content(b"")})) is None
    with pytest.raises(UnpackError, match="no directory 'pkg'"):
        identify(write_zip(tmp_path / "x.zip", {}), root="pkg")


def test_members_gives_content_and_refuses_as_identify_does(tmp_path: Path, sample: dict[bytes, Content]) -> None:
    archive = write_tar(tmp_path / "t.tar", sample)
    assert {m.path: b"".join(m.chunks()) for m in members(archive)} == {n: c.data for n, c in sample.items()}
    bad = write_tar(tmp_path / "bad.tar", {b"x": Content(b"../out", link=True)})
    with pytest.raises(UnpackError, match="leads out"):
        list(members(bad))


@pytest.mark.parametrize(
    ("limits", "what"),
    [
        (Limits(members=3), "more than 3 members"),
        (Limits(member_size=1000), "more than 1000"),
        (Limits(total=2000), "more than 2000 bytes together|more than 2000"),
        (Limits(path_length=6), "more than 6 bytes|too long"),
        (Limits(depth=1), "1 directories"),
    ],
)
def test_every_form_keeps_the_limits(tmp_path: Path, sample: dict[bytes, Content], limits: Limits, what: str) -> None:
    sources = [
        TreeSource(write_directory(tmp_path / "d", sample)),
        TreeSource(write_tar(tmp_path / "t.tar.gz", sample)),
        TreeSource(write_zip(tmp_path / "z.zip", sample)),
        TreeSource(write_repository(tmp_path / "r", sample), "HEAD"),
    ]
    for source in sources:
        assert identify(source).files == len(sample)
        with pytest.raises(UnpackError, match=what) as caught:
            identify(source, limits=limits)
        assert caught.value.remedy
