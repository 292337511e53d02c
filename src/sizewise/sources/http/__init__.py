"""Bounded range requests: connections, redirects, answers, proxies, budgets."""
