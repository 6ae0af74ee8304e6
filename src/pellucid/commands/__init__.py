"""The commands that belong to no capability: one file per command or group."""
