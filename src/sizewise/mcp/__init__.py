"""The verbs as tools for agents: read-only, typed, over standard input and output."""
