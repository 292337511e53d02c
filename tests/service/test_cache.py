from sizewise.service.cache import BoundedCache


def held(cache: BoundedCache[int]) -> list[str]:
    return [name for name in "abcdef" if name in cache._held]


def test_what_was_not_used_for_longest_goes_first():
    cache: BoundedCache[int] = BoundedCache(entries=3, most_bytes=100)
    for name in "abc":
        assert cache.put(name, 1, 1)
    assert cache.get("a") == 1
    cache.put("d", 1, 1)
    assert held(cache) == ["a", "c", "d"]
    assert cache.get("b") is None


def test_bytes_are_bounded_together_and_one_by_one():
    cache: BoundedCache[int] = BoundedCache(entries=9, most_bytes=10)
    cache.put("a", 1, 4)
    cache.put("b", 1, 4)
    cache.put("c", 1, 6)
    assert (held(cache), cache.bytes, len(cache)) == (["b", "c"], 10, 2)
    assert not cache.put("d", 1, 11)
    assert cache.get("d") is None


def test_a_value_that_is_replaced_is_counted_once():
    cache: BoundedCache[int] = BoundedCache(entries=9, most_bytes=10)
    cache.put("a", 1, 6)
    cache.put("a", 2, 7)
    assert (cache.get("a"), cache.bytes) == (2, 7)
    assert not cache.put("a", 3, 11)
    assert (cache.get("a"), cache.bytes) == (None, 0)
