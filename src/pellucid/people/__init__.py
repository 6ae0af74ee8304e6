"""Accounts and roles: who may do what on a node, decided in one place."""
