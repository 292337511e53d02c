"""The placement that a fitted layout means: which layers, and which parts of layers, lie where.

Source: llama.cpp lib 0.5.0, common/fit.cpp (set_ngl_tensor_split_tbo, get_overflow_pattern).
"""

from collections.abc import Iterator

from sizewise.parallel.fit_request import Layout, Overflow, Trial
from sizewise.parallel.layer_split import HOST, LayerOverflow, LayerPlacement, layer_devices

PREFIXES: dict[Overflow, tuple[str, ...]] = {
    "attention": ("ffn_gate", "ffn_up", "ffn_down"),
    "up": ("ffn_gate", "ffn_down"),
    "gate": ("ffn_down",),
}
"""What lies elsewhere of a layer of which only the attention, also up, or also gate and up are kept."""


def trial_placement(trial: Trial, layers: int, free: tuple[int, ...]) -> LayerPlacement:
    """Return where the layers are in a trial on devices with so many bytes ``free``."""
    if trial.layout is None:
        devices = layer_devices(layers, free)
        every = frozenset(range(layers)) if trial.host_experts else frozenset()
        return LayerPlacement(device_of_layer=devices[:-1], output_device=devices[-1], experts_on_host=every)
    counts = [entry.layers for entry in trial.layout]
    devices = layer_devices(layers, counts if any(counts) else free, sum(counts))
    partial = list(partial_layers(trial.layout, layers))
    return LayerPlacement(
        device_of_layer=devices[:-1],
        output_device=devices[-1],
        experts_on_host=frozenset(layer for layer, overflow, _ in partial if overflow == "experts"),
        overflows=tuple(
            LayerOverflow(layer=layer, prefixes=PREFIXES[overflow], device=device)
            for layer, overflow, device in partial
            if overflow != "experts"
        ),
    )


def partial_layers(layout: Layout, layers: int) -> Iterator[tuple[int, Overflow, int | None]]:
    """Yield each partial layer with what lies elsewhere, and where.

    The output counts as the last device's full layer but is its last one: as in the engine, the partial
    layers of that device begin one layer late, and the one that falls on the output does nothing.
    """
    start = layers + 1 - sum(entry.layers for entry in layout)
    for device, entry in enumerate(layout):
        start += entry.full
        for layer in range(start, start + entry.partial):
            first = layer == start
            target = device + 1 if first and entry.overflows_to_next else HOST
            yield layer, entry.overflow if first else "experts", target
        start += entry.partial
