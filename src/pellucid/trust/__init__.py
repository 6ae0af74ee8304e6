"""From an acceptance policy, statements and a moment to a verdict. Pure: no I/O, no clock."""
