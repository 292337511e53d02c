"""Sizewise: how large a language model is, what it needs, and where it fits."""

__version__ = "0.1.0"
