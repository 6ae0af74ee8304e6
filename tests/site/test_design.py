"""What holds for all pages' dress: the budget of styles and scripts, forms that say what is wrong, marked words."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from django import forms
from django.http import HttpRequest
from django.test import Client, RequestFactory

from pellucid.site import menu

STATIC = Path(menu.__file__).parent / "static" / "site"
LAYERS = ["tokens", "base", "forms", "layout", "components", "charts", "print"]


class Wish(forms.Form):
    name = forms.CharField(max_length=20, help_text="As others know you.")
    kind = forms.ChoiceField(choices=[("a", "A"), ("b", "B")], widget=forms.RadioSelect)
    note = forms.CharField(required=False)
    sure = forms.BooleanField(label="I am sure")


def test_all_styles_together_fit_in_40_kilobytes_and_each_script_is_small() -> None:
    assert sum(path.stat().st_size for path in STATIC.glob("*.css")) <= 40_000
    assert sum((STATIC / name).stat().st_size for name in ("copy.js", "times.js")) <= 4_000


def test_every_style_stands_in_its_layer() -> None:
    tokens = (STATIC / "tokens.css").read_text()
    assert f"@layer {', '.join(LAYERS)};" in tokens
    for name in LAYERS:
        text = re.sub(r"(?s)/\*.*?\*/", "", (STATIC / f"{name}.css").read_text())
        assert re.findall(r"^@layer ([a-z]+) \{", text, re.MULTILINE) == [name]
        assert not re.search(r"https?://|@import|!important(?!;)", text)


def test_every_colour_is_a_token() -> None:
    for path in STATIC.glob("*.css"):
        if path.name not in {"tokens.css", "print.css"}:
            assert not re.search(r"#[0-9a-fA-F]{3,8}\b(?![^{]*\{)|\brgb\(", path.read_text()), path.name


def test_a_form_names_labels_help_and_problems_to_everybody() -> None:
    page = str(Wish({"kind": "c"}))
    assert '<a href="#id_name">Name</a>: This field is required.' in page
    assert 'role="alert" tabindex="-1" autofocus' in page
    assert 'aria-describedby="id_name_helptext id_name_error"' in page
    assert 'id="id_name_error"' in page
    assert 'aria-invalid="true"' in page
    assert re.search(r'<fieldset aria-describedby="id_kind_error"><legend>Kind', page)
    assert '<span class="optional">(optional)</span>' in page
    for target in re.findall(r'href="#([^"]+)"', page):
        assert f'id="{target}"' in page


def test_a_form_at_rest_has_no_problems() -> None:
    page = str(Wish())
    assert "problems" not in page
    assert "wrong" not in page
    assert page.count("<label") == 5


@pytest.mark.parametrize("cookies", [{}, {"other": "1"}])
def test_without_a_session_cookie_there_is_no_menu_to_make(cookies: dict[str, str]) -> None:
    request: HttpRequest = RequestFactory().get("/")
    request.COOKIES = cookies
    assert menu.account(request) == {}


def test_the_page_of_the_design_shows_every_state_and_every_token_of_colour(client: Client) -> None:
    page = client.get("/design").content.decode()
    for state in ("good", "attention", "failed", "unknown"):
        assert f'data-state="{state}"' in page
    tones = re.findall(r"--([a-z0-9-]+): light-dark\(", (STATIC / "tokens.css").read_text())
    shown = set(re.findall(r"<code>--([a-z0-9-]+)</code>", page))
    assert set(tones) - {"on-tone"} <= shown


def test_the_partials_and_tests_that_the_reference_names_are_there() -> None:
    root = Path(__file__).parents[2]
    text = (root / "docs/reference/design.md").read_text()
    templates = STATIC.parents[1] / "templates"
    for name in re.findall(r"`?(parts/[a-z_]+\.html|[a-z]+\.html)", text):
        assert (templates / name).is_file(), name
    for name in re.findall(r"`(tests/[a-z_/]+\.py)`", text):
        assert (root / name).is_file(), name
