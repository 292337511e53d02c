"""Bytes: of weights, of the cache, of what is saved for training."""
