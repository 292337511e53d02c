"""Settings that reserve the same step have one graph."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from sizewise.runtimes.llama_graph.step import GraphSettings, alike, reserved_step

SETTINGS = st.builds(
    GraphSettings,
    context=st.integers(1, 20_000),
    batch=st.integers(1, 3000),
    micro_batch=st.integers(1, 1000),
    sequences=st.integers(1, 9),
    unified=st.booleans(),
)


@given(chosen=SETTINGS, window=st.integers(1, 5000))
def test_settings_of_one_graph_are_alike(chosen: GraphSettings, window: int) -> None:
    rounded = alike(chosen)
    before, after = reserved_step(chosen), reserved_step(rounded)
    assert replace(before, settings=rounded) == after
    assert before.window_cells(window) == after.window_cells(window)
    assert alike(rounded) == rounded
