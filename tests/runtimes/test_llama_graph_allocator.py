"""Laws of the allocator: live blocks share no byte, and only what nothing reads is overwritten."""

from hypothesis import given
from hypothesis import strategies as st

from sizewise.runtimes.llama_graph.allocator import Arena, peak_bytes
from sizewise.runtimes.llama_graph.graph import Graph, computed, elementwise, leaf, part
from sizewise.runtimes.llama_graph.repetition import KEPT, longest_repetition

ALIGNED = 32
STEPS = st.lists(st.tuples(st.booleans(), st.integers(1, 40)), max_size=60)


@given(STEPS)
def test_blocks_never_overlap(steps: list[tuple[bool, int]]) -> None:
    arena, live = Arena(), []
    for release, size in steps:
        if release and live:
            arena.release(*live.pop(size % len(live)))
        else:
            address = arena.place(size)
            assert all(address + size <= start or start + length <= address for start, length in live)
            live.append((address, size))
    used = sum(length for _, length in live)
    assert arena.end == used + sum(arena.sizes)
    assert arena.peak >= arena.end


@given(STEPS)
def test_everything_returned_leaves_nothing(steps: list[tuple[bool, int]]) -> None:
    arena = Arena()
    live = [(arena.place(size), size) for _, size in steps]
    for block in sorted(live, key=lambda block: block[1]):
        arena.release(*block)
    assert (arena.end, arena.starts, arena.sizes) == (0, [], [])


def test_the_tightest_gap_is_taken() -> None:
    arena = Arena()
    first, _, second, _ = (arena.place(size) for size in (96, 32, 64, 32))
    arena.release(first, 96)
    arena.release(second, 64)
    assert arena.place(64) == second
    assert arena.place(64) == first


def test_an_element_wise_operation_takes_the_place_of_its_operand() -> None:
    graph = Graph()
    x = computed((8, 4), leaf((8, 4)))
    graph.expand(elementwise(x))
    assert peak_bytes(graph.leaves, graph.nodes) == 2 * 8 * 4 * 4


def test_an_operand_that_is_read_again_is_not_overwritten() -> None:
    graph = Graph()
    x = computed((8, 4), leaf((8, 4)))
    graph.expand(elementwise(elementwise(x), x))
    assert peak_bytes(graph.leaves, graph.nodes) == 2 * 8 * 4 * 4


def test_an_input_that_is_read_again_is_not_overwritten() -> None:
    graph = Graph()
    x = leaf((8, 4))
    graph.expand(computed((1,), elementwise(x), x))
    assert peak_bytes(graph.leaves, graph.nodes) == 2 * 8 * 4 * 4 + ALIGNED


def test_a_view_keeps_what_it_is_a_part_of() -> None:
    graph = Graph()
    x = computed((8, 4), leaf((1,)))
    graph.expand(computed((8, 4), part(x, 4, 4)))
    assert peak_bytes(graph.leaves, graph.nodes) == ALIGNED + 2 * 8 * 4 * 4


@given(st.lists(st.integers(0, 2), max_size=30))
def test_a_repetition_repeats(items: list[int]) -> None:
    found = longest_repetition(items)
    run = items[found.start : found.start + found.period * found.times]
    assert run == run[: found.period] * found.times
    assert found.left_out == max(found.times - KEPT, 0) * found.period
