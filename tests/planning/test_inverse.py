"""Searches for the largest argument that fits."""

from hypothesis import given
from hypothesis import strategies as st

from sizewise.planning.inverse import largest, largest_held, roundest


@given(answer=st.integers(0, 10**6), limit=st.integers(1, 10**6), guess=st.integers(-5, 2 * 10**6))
def test_the_guess_changes_nothing_but_the_cost(answer: int, limit: int, guess: int) -> None:
    asked: list[int] = []

    def fits(count: int) -> bool:
        asked.append(count)
        return count <= answer

    assert largest(fits, limit, guess) == min(answer, limit)
    assert all(1 <= count <= limit for count in asked)
    assert len(asked) <= 45


SHAPES = {
    "line": lambda n, a, b: a * n - b,
    "steps": lambda n, a, b: -(-n // 256) * 256 * a - b,
    "short steps": lambda n, a, b: -(-n // 16) * 16 * a - b,
    "curve": lambda n, a, b: a * n * n // 7 - b,
    "bend": lambda n, a, b: a * n + 9 * a * min(n, 512) - b,
    "cliff": lambda n, a, b: b if n > a else -b - 1,
}


@given(
    shape=st.sampled_from(sorted(SHAPES)),
    slope=st.integers(1, 10**6),
    room=st.integers(0, 10**12),
    limit=st.integers(1, 10**9),
    known=st.integers(1, 10**6),
)
def test_what_is_held_is_found_whatever_grows(shape: str, slope: int, room: int, limit: int, known: int):
    asked: list[int] = []

    def lacking(count: int) -> int:
        asked.append(count)
        return SHAPES[shape](count, slope, room)

    found = largest_held(lacking, limit, known)
    assert found == largest(lambda count: SHAPES[shape](count, slope, room) <= 0, limit)
    assert all(1 <= count <= limit for count in asked)
    assert len(asked) == len(set(asked)) <= 70


@given(slope=st.integers(1, 10**6), more=st.integers(0, 10**12), known=st.integers(2, 10**6))
def test_even_growth_takes_few_evaluations(slope: int, more: int, known: int):
    asked: list[int] = []
    room = slope * (known + 512) + more

    def lacking(count: int) -> int:
        asked.append(count)
        return slope * count - room

    largest_held(lacking, 10**15, known)
    assert len(asked) <= 4


@given(low=st.integers(1, 10**6), more=st.integers(0, 10**4))
def test_the_roundest_number_is_divided_by_the_highest_power_of_two(low: int, more: int):
    high = low + more
    found = roundest(low, high)
    power = found & -found
    assert low <= found <= high
    assert (high // (2 * power)) * 2 * power < low
