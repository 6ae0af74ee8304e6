"""How the documentation is built: Sphinx, pages in Markdown (MyST), the furo theme, nothing fetched."""

from __future__ import annotations

import tomllib
from pathlib import Path

_project = tomllib.loads((Path(__file__).parents[1] / "pyproject.toml").read_text())["project"]

project = "Pellucid"
author = "the Pellucid authors"
release = version = _project["version"]
language = "en"

extensions = ["myst_parser"]
myst_enable_extensions = ["colon_fence", "deflist"]
myst_heading_anchors = 3
myst_all_links_external = False
nitpicky = True
exclude_patterns = ["_build", "adr/template.md", "pictures/README.md"]

html_theme = "furo"
html_title = "Pellucid"
html_static_path: list[str] = []
html_show_sphinx = False
html_show_copyright = False
