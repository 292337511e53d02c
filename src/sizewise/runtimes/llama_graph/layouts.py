"""How llama.cpp joins the blocks of a model type: the rows of ``facts/llama_graph/layouts.toml``."""

from dataclasses import dataclass
from functools import cache
from typing import Literal

from sizewise.catalog.rows import tables
from sizewise.runtimes.llama_graph.plan import Gating, LateRows, ResidualFirst, SharedGate, Sum, Tempered


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """What the graph of a type has beyond the sizes of its class."""

    sliding: bool = False
    sliding_depth: int = 0
    sliding_period: int = 0
    full_first: bool = False
    chunk: int = 0
    head_scaled: bool = False
    dense_rope: bool = False
    vocabulary: int = 0
    padded_vocabulary: int = 0
    latent: Literal["absorbed", "expanded"] = "absorbed"
    norm_before_rows: bool = False
    norm_kind: Literal["rms", "layer"] | None = None
    weighted_inputs: bool = False
    tempered: Tempered = "no"
    head_norm: Literal["none", "before", "after", "flat"] = "none"
    rope: bool = True
    positions: int = 1
    deep_inputs: int = 0
    no_rope_every: int = 0
    sliding_rope: bool = False
    norms: Literal["before", "after", "both"] = "before"
    residual_first: ResidualFirst = "none"
    parallel: Sum | None = None
    parallel_norm: bool = False
    parallel_if_one_norm: bool = False
    embedding_norm: bool = False
    late_rows: LateRows = "no"
    gating: Gating = "softmax"
    normalised: bool = False
    correction: bool = False
    shared_gate: SharedGate = "none"
    split_shared: bool = False
    fused_experts: bool = False
    dual_experts: bool = False
    value_norm: bool = False


def layout_of(model_type: str) -> Layout | None:
    """Return the layout of a model type, None where its graph is not modelled."""
    return _layouts().get(model_type)


@cache
def _layouts() -> dict[str, Layout]:
    rows = tables("llama_graph")["layouts"]["layout"]
    return {
        model_type: Layout(**{key: value for key, value in row.items() if key != "types"})
        for row in rows
        for model_type in row["types"]
    }
