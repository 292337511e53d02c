"""Searches for the largest argument that fits."""

from hypothesis import given
from hypothesis import strategies as st

from sizewise.planning.inverse import largest, straight_guess


@given(answer=st.integers(0, 10**6), limit=st.integers(1, 10**6), guess=st.integers(-5, 2 * 10**6))
def test_the_guess_changes_nothing_but_the_cost(answer: int, limit: int, guess: int) -> None:
    asked: list[int] = []

    def fits(count: int) -> bool:
        asked.append(count)
        return count <= answer

    assert largest(fits, limit, guess) == min(answer, limit)
    assert all(1 <= count <= limit for count in asked)
    assert len(asked) <= 45


@given(slope=st.integers(1, 10**6), room=st.integers(0, 10**12), known=st.integers(2, 10**6))
def test_a_straight_line_is_found_at_once(slope: int, room: int, known: int) -> None:
    def lacking(count: int) -> int:
        return slope * count - room

    guess = straight_guess(lacking, known)
    assert guess == max(1, room // slope)


@given(known=st.integers(2, 10**6))
def test_without_a_slope_there_is_no_guess(known: int) -> None:
    assert straight_guess(lambda _: -5, known) == 1
