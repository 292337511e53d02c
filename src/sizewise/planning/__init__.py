"""Searches over questions: what fits, how far it goes, what to change."""
