"""How weights, cache and work are shared over devices."""
