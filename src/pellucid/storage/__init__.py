"""Where bytes are kept: ports whose docstrings promise durability, and the adapters that keep the promise."""
