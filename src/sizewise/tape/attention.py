"""Attention of queries to keys, by the kernel of the setting.

Shapes: N heads of size H over B sequences of S tokens; eager attention has B*N*S*S scores.
Source: transformers 5.23, integrations/sdpa_attention.py and masking_utils.py; torch 2.13.
"""

from sizewise.tape.scores import masked_scores
from sizewise.tape.style import Style
from sizewise.tape.tape import WIDE, Setting, Tape
from sizewise.tape.tensors import Tensor

LARGEST_HEAD = 256
"""Features of a head up to which keys of grouped queries are given to torch's kernel as they are."""


def attend(
    tape: Tape,
    queries: Tensor,
    keys: Tensor,
    values: Tensor,
    *,
    heads: int,
    groups: int,
    outputs: int,
    window: int | None = None,
    sinks: bool = False,
) -> Tensor:
    """Record attention; ``groups`` query heads share a key head; ``outputs`` numbers leave it.

    ``sinks``: a learned score per head beside those of the keys.
    ``window`` (or chunk) of the layer: where it is not longer than the sequence, torch's kernel needs a mask.
    """
    kernel = "eager" if is_eager(tape.setting, tape.style) else tape.setting.attention
    masked = tape.style.always_masked or (window is not None and tape.setting.sequence >= window)
    if groups > 1 and (kernel == "eager" or _repeats(tape, queries, kernel, heads, outputs, masked=masked)):
        keys, values = (_repeated(tape, entry, groups, heads, kernel) for entry in (keys, values))
    if kernel == "eager":
        return _eager(
            tape,
            queries,
            keys,
            values,
            heads=heads,
            outputs=outputs,
            sinks=sinks,
            windowed=window is not None,
        )
    unequal = queries.numbers != outputs
    if kernel != "flash" and (_composes(tape, unequal=unequal) or (groups > 1 and tape.style.always_masked)):
        return _composed(tape, queries, keys, values, heads=heads, outputs=outputs, looked=masked)
    mask = _mask(tape) if masked and kernel != "flash" else None
    attended = tape.attention(queries, keys, values, heads, outputs, mask=mask)
    ordered = queries.heads_first and heads > 1 and kernel != "flash"
    return tape.copy(attended) if ordered or kernel == "sdpa-traced" else attended


def _repeats(tape: Tape, queries: Tensor, kernel: str, heads: int, outputs: int, *, masked: bool) -> bool:
    """Tell whether keys and values are repeated before torch's kernel."""
    if kernel == "flash" or tape.style.always_masked:
        return False
    size, value_size = (numbers // (tape.tokens * heads) for numbers in (queries.numbers, outputs))
    return kernel != "sdpa" or masked or size != value_size or size > LARGEST_HEAD


def _composes(tape: Tape, *, unequal: bool) -> bool:
    """Tell whether torch has no kernel for attention: on a CPU where shares are dropped, or widths differ.

    ``unequal``: values of another width than keys.
    """
    setting = tape.setting
    drops = bool(tape.style.attention_dropout) and setting.training
    return setting.device == "cpu" and (drops or unequal)


def is_eager(setting: Setting, style: Style) -> bool:
    """Tell whether scores are tensors: asked for, or the class knows nothing else."""
    return style.eager_only or setting.attention == "eager"


def _repeated(tape: Tape, source: Tensor, groups: int, heads: int, kernel: str) -> Tensor:
    """Record heads repeated for every query head: a single head is only looked at repeatedly.

    A batched product needs a copy of it nevertheless where there are several sequences, and so has a cast.
    """
    batched = kernel == "eager" and tape.setting.batch > 1
    if groups == heads and not batched and source.width == tape.setting.width:
        return tape.view(source)
    return tape.copy(source, source.numbers * groups)


def _mask(tape: Tape) -> Tensor:
    """Return the mask as torch's kernel reads it: a number per pair of tokens, cast anew in every layer."""
    setting = tape.setting
    return tape.once("mask", setting.batch * setting.sequence**2, setting.width)


def _eager(
    tape: Tape,
    queries: Tensor,
    keys: Tensor,
    values: Tensor,
    *,
    heads: int,
    outputs: int,
    sinks: bool,
    windowed: bool,
) -> Tensor:
    scores, narrow = _scores(tape, heads), tape.setting.width
    queries, keys, values = (_rows(tape, entry, heads) for entry in (queries, keys, values))
    began = len(tape.steps)
    logits = tape.scale(tape.matmul(queries, keys, scores, wide=tape.style.wide_scores))
    if tape.style.score_cap:
        logits = tape.scale(tape.unary("tanh", tape.scale(logits), "output"))
    masked = masked_scores(tape, logits, windowed=windowed)
    masked = _with_sinks(tape, masked, heads) if sinks else masked
    wide = masked.width if tape.style.narrow_softmax and not tape.setting.widens else WIDE
    shares = tape.cast(tape.softmax(masked, wide), narrow)
    tape.steps[-1].beside = (masked,)
    shares = tape.view(shares, scores) if sinks else shares
    shares = tape.dropout(shares, tape.style.attention_dropout)
    attended = tape.matmul(shares, values, outputs)
    for step in tape.steps[began:]:
        step.core = True
    return tape.copy(attended)


def _with_sinks(tape: Tape, scores: Tensor, heads: int) -> Tensor:
    """Record one more score per query, less the highest of each: it keeps where that stands (8 bytes)."""
    rows = tape.tokens * heads
    joined = tape.step("join", (scores, tape.weight(heads)), scores.numbers + rows, scores.width)
    highest = tape.step("highest", (joined,), rows, scores.width, extra=8 * rows)
    return tape.add(joined, highest)


def _composed(
    tape: Tape, queries: Tensor, keys: Tensor, values: Tensor, *, heads: int, outputs: int, looked: bool
) -> Tensor:
    """Record torch's own composition in fp32, which takes the kernel's place.

    Its softmax looks for rows without a key: a truth value per score, and the shares once more.

    ``looked``: a single key head comes as a repeated look; values of one fp32 sequence stay so.
    """
    narrow = tape.setting.width
    looked = looked and narrow == WIDE and tape.setting.batch == 1
    groups = queries.numbers // keys.numbers
    queries, keys, values = (tape.cast(tape.cast(entry, narrow), WIDE) for entry in (queries, keys, values))
    if groups > 1 and not (tape.style.always_masked and tape.setting.batch == 1):
        keys = tape.copy(keys, keys.numbers * groups)
        values = values if looked else tape.copy(values, values.numbers * groups)
    logits = tape.matmul(tape.scale(queries), tape.scale(keys), _scores(tape, heads), width=WIDE)
    masked = tape.add(logits, tape.once("mask", tape.setting.sequence**2, WIDE))
    shares = tape.softmax(masked, WIDE)
    tape.steps[-1].forward_scratch = shares.bytes + shares.numbers
    shares = tape.dropout(shares, tape.style.attention_dropout)
    return tape.cast(tape.matmul(shares, _rows(tape, values, heads), outputs, width=WIDE), narrow)


def _scores(tape: Tape, heads: int) -> int:
    """Count B*N*S*S scores."""
    return tape.setting.batch * heads * tape.setting.sequence**2


def _rows(tape: Tape, source: Tensor, heads: int) -> Tensor:
    """Record the copy that a batched product needs of a part of memory, or of a repeated look at it.

    For a single sequence there is none.
    """
    part = source.bytes != source.storage.bytes
    return tape.copy(source) if part and tape.setting.batch > 1 and heads > 1 else source
