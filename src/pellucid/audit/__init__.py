"""The audit log of a node: every access to anything private, recorded before it happens and cosigned by others."""
