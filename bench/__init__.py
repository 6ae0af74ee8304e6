"""Speed measured against other people's tools, side by side on the same machine in the same run."""
