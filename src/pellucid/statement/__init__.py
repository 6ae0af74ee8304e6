"""Who says what about which bytes: digests, tree ids, keys, envelopes, statements, commitments.

Pure: the only file that is ever read is the one given to `digest.sha256_file`.
"""
