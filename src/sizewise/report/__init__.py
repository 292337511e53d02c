"""Faces of an answer: JSON, tables, Markdown, CSV. They print and add nothing up."""
