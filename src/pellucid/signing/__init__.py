"""Signing in the open: a person sees all that is signed, signs with a key of their own, and the node checks."""
