"""A hub's repositories: references, files, headers by range requests, what config and index prove."""
