"""Pellucid: what ships is what was reviewed, checkable by anyone, offline."""

__version__ = "0.1.0"
