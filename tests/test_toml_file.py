"""Errors in the files that people write name the line and column."""

from __future__ import annotations

import msgspec
import pytest

from pellucid.toml_file import TomlError, find_place, parse_toml


class Inner(msgspec.Struct, forbid_unknown_fields=True):
    number: int
    deep: tuple[dict[str, int], ...] = ()


class Outer(msgspec.Struct, forbid_unknown_fields=True):
    title: str
    inner: tuple[Inner, ...] = ()
    table: Inner | None = None


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ('title = "a"\nwrong = 1\n', "2:1"),
        ("title = 1\n", "1:1"),
        ('title = "a"\n[[inner]]\nnumber = 1\n[[inner]]\nnumber = "x"\n', "5:1"),
        ('title = "a"\n[[inner]]\nnumber = 1\n[[inner]]\n  nmber = 1\n', "5:3"),
        ('title = "a"\n[[inner]]\nnumber = 1\n[[inner]]\n', "4:1"),
        ('title = """\n[table]\nnumber = 1\n"""\n[table]\nnumber = "x"', "6:1"),
        ('title = "a"\n[table]\nnumber = 1\ndeep = [{a = "x"}]\n', "4:1"),
        ('title = "a"\n\n  ["table"]\n"number" = []\n', "4:1"),
        ("title = \n", "1:9"),
        ('title = "a"\ntitle = "b"\n', "2:12"),
        ('title = "a', "1:1"),
    ],
)
def test_an_error_names_its_place(text: str, at: str) -> None:
    with pytest.raises(TomlError) as caught:
        parse_toml(text.encode(), Outer, where="p.toml")
    assert caught.value.where == f"p.toml:{at}"
    assert caught.value.remedy


def test_a_right_file_is_read() -> None:
    assert parse_toml(b'title = "a"\n[table]\nnumber = 1', Outer, where="p") == Outer("a", (), Inner(1))


def test_what_is_not_text_is_refused_at_its_line() -> None:
    with pytest.raises(TomlError, match="UTF-8") as caught:
        parse_toml(b'title = "a"\n# \xff', Outer, where="p.toml")
    assert caught.value.where == "p.toml:2"


def test_a_flood_is_refused() -> None:
    with pytest.raises(TomlError):
        parse_toml(b"#" * (2 << 20), Outer, where="p")
    with pytest.raises(TomlError):
        parse_toml(b"a = " + b"[" * 100_000, Outer, where="p")


def test_the_place_of_what_is_not_written_is_its_nearest_parent() -> None:
    assert find_place("[a]\n[a.b]\nc = 1\n", ("a", "b", "d")) == (2, 1)
