"""The light install is enough for everything but a node's pages: no package beyond it is ever imported."""

from __future__ import annotations

import subprocess
import sys

import pytest

PROGRAM = """
import importlib, pkgutil, sys
class Light:
    def find_spec(self, name, path=None, target=None):
        top = name.partition(".")[0]
        if top not in sys.stdlib_module_names and top not in ALLOWED:
            raise ModuleNotFoundError(f"{name} is not in the light install", name=name)
ALLOWED = {"pellucid", "cryptography", "_cffi_backend", "cffi", "pycparser"}
ALLOWED |= {"msgspec", "rfc8785", "tomlkit", "tqdm"}
sys.meta_path.insert(0, Light())
def everything_but_the_pages():
    root = importlib.import_module("pellucid")
    for module in pkgutil.walk_packages(root.__path__, "pellucid.", onerror=print):
        pages = (module.name + ".").startswith(("pellucid.site.", "pellucid.node.", "pellucid.jobs.durable."))
        if not (pages or ".portal" in module.name or module.name.endswith("__main__")):
            yield module.name
for module in sys.argv[1:] or everything_but_the_pages():
    importlib.import_module(module)
"""


def light(*modules: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", PROGRAM, *modules], capture_output=True, text=True, check=False)


def test_all_but_the_pages_is_importable_from_the_light_install() -> None:
    result = light()
    assert result.returncode == 0, result.stderr
    assert light("pellucid.jobs.durable").returncode == 0  # says what is missing when the first job waits


@pytest.mark.parametrize("module", ["django", "pydantic", "requests", "granian", "dbos"])
def test_anything_heavier_would_be_noticed(module: str) -> None:
    result = light(module)
    assert result.returncode == 1
    assert "is not in the light install" in result.stderr
