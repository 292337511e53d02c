"""How weights, cache and work are shared over devices.

What a device holds is an architecture again, so that everything that adds up works on a share unchanged.
"""
