"""The demonstration: a vendor, three centers, a real product, the whole chain, and everything that must fail."""
