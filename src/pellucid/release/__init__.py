"""Publishing software, updates and rule sets: what is signed, how it is drafted, and how a policy asks for it."""
