"""The append-only log: tree, tiles, notes and proofs are pure; sequencer, witness, mirror and fsck store."""
