"""Long work that survives a kill, with progress, log lines and cancel: a small port and its adapters."""
