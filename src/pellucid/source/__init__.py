"""Independent review of source: what a review and a delta say, how deltas are measured, how a policy asks for them."""
