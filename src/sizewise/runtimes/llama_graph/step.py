"""The step that llama.cpp reserves memory for: a full micro-batch, every cache cell in use.

Source: llama.cpp (ggml 0.25.3), ``llama-context.cpp`` and ``llama-kv-cache-iswa.cpp``.
"""

from dataclasses import dataclass, replace

CELL_PADDING = 256
"""Cache cells come in multiples of this."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GraphSettings:
    """What the user of the engine chose. Sizes are tokens."""

    context: int
    micro_batch: int = 512
    batch: int = 2048
    flash_attention: bool = True
    quantized_keys: bool = False
    quantized_values: bool = False
    key_bits32: bool = False
    """Keys are cached in fp32; flash attention casts them."""
    value_bits32: bool = False
    sequences: int = 1
    unified: bool = False
    full_window: bool = False
    """Sliding layers keep all cells."""

    @property
    def batch_tokens(self) -> int:
        """Tokens of a micro-batch: no more than fit into a batch or the context."""
        return min(self.context, self.batch, self.micro_batch)


def alike(settings: GraphSettings) -> GraphSettings:
    """Return the settings with a context of whole cells: those of one graph have the same.

    >>> alike(GraphSettings(context=8000)) == alike(GraphSettings(context=8100))
    True
    """
    if settings.context <= min(settings.batch, settings.micro_batch):
        return settings
    step = reserved_step(settings)
    return replace(settings, context=step.cells * step.streams)


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """Sizes of the reserved graph. Everything is a count."""

    tokens: int
    outputs: int
    sequences: int
    streams: int
    cells: int
    """Cells of one stream."""
    settings: GraphSettings

    @property
    def sequence_tokens(self) -> int:
        """Tokens of one sequence in the micro-batch."""
        return self.tokens // self.sequences

    def window_cells(self, window: int) -> int:
        """Cells of one stream of the sliding cache."""
        settings = self.settings
        if settings.full_window:
            return self.cells
        windows = settings.sequences if settings.unified else 1
        return min(self.cells, _padded(window * windows + settings.batch_tokens, CELL_PADDING))


def _padded(number: int, multiple: int) -> int:
    return -(-number // multiple) * multiple


def reserved_step(settings: GraphSettings) -> Step:
    """Return the step that memory is reserved for.

    >>> step = reserved_step(GraphSettings(context=8000, sequences=4))
    >>> step.tokens, step.streams, step.cells
    (512, 4, 2048)
    """
    context = _padded(settings.context, CELL_PADDING)
    per_stream = context if settings.unified else _padded(context // settings.sequences, CELL_PADDING)
    tokens = settings.batch_tokens
    return Step(
        tokens=_padded(tokens, settings.sequences),
        outputs=tokens,
        sequences=settings.sequences,
        streams=1 if settings.unified else settings.sequences,
        cells=per_stream,
        settings=settings,
    )
