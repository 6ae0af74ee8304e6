"""Statements in, views out: accept and append, look up, answer for completeness, build packs, reindex."""
