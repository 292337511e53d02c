"""Mechanisms: one file each, with the arithmetic of its weights, operations and cache."""
