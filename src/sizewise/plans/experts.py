"""Expert layers as configurations spell them: which layers have experts, and what is in such a layer.

A rule answers, for every layer, whether it is sparse (routed experts) or dense (one feed-forward
layer); `ExpertStyle` says how a type names the numbers and the modules; `expert_parts` builds them.
Source: configuration and modelling files of transformers 5.23.
"""

from collections.abc import Callable
from dataclasses import dataclass

from sizewise.architecture import Part
from sizewise.components.experts import Experts
from sizewise.components.feed_forward import FeedForward
from sizewise.components.linear import Linear
from sizewise.components.router import Router
from sizewise.configuration import Config

SparseRule = Callable[[Config, int], list[bool]]
"""From a configuration and a number of layers to one answer per layer: has it routed experts?"""


def every_layer(_config: Config, layers: int) -> list[bool]:
    """Make all layers sparse."""
    return [True] * layers


def no_layer(_config: Config, layers: int) -> list[bool]:
    """Make all layers dense."""
    return [False] * layers


def after_first_dense(config: Config, layers: int) -> list[bool]:
    """Make all layers sparse but the first ``first_k_dense_replace``."""
    dense = config.count("first_k_dense_replace")
    return [index >= dense for index in range(layers)]


def listed_or_after_first(config: Config, layers: int) -> list[bool]:
    """Follow ``mlp_layer_types``; without a list only the first layer is dense."""
    listed = _listed(config, layers)
    return [index >= 1 for index in range(layers)] if listed is None else listed


def listed_or_after_first_dense(config: Config, layers: int) -> list[bool]:
    """Follow ``mlp_layer_types``; without a list the first ``first_k_dense_replace`` are dense."""
    listed = _listed(config, layers)
    return after_first_dense(config, layers) if listed is None else listed


def listed_or_every(config: Config, layers: int) -> list[bool]:
    """Follow ``mlp_layer_types``; without a list all layers are sparse."""
    listed = _listed(config, layers)
    return every_layer(config, layers) if listed is None else listed


def listed_or_every_few(config: Config, layers: int) -> list[bool]:
    """Follow ``mlp_layer_types``; else every ``moe_layer_freq``-th from ``first_k_dense_replace`` on."""
    listed = _listed(config, layers)
    if listed is not None:
        return listed
    dense = config.count("first_k_dense_replace") if config.present("first_k_dense_replace") else 1
    step = config.size("moe_layer_freq") if config.present("moe_layer_freq") else 1
    return [index >= dense and index % step == 0 for index in range(layers)]


def listed_or_after_prefix(config: Config, layers: int) -> list[bool]:
    """Follow ``mlp_layer_types``; without a list the first ``first_k_dense_replace`` (0) are dense."""
    listed, prefix = _listed(config, layers), dense_prefix(config)
    return [index >= prefix for index in range(layers)] if listed is None else listed


def dense_prefix(config: Config) -> int:
    """Return ``first_k_dense_replace``, by default none."""
    return config.optional_count("first_k_dense_replace") or 0


def after_dense_layers(config: Config, layers: int) -> list[bool]:
    """Make all layers sparse but the first ``num_dense_layers``."""
    dense = config.count("num_dense_layers")
    return [index >= dense for index in range(layers)]


def _listed(config: Config, layers: int) -> list[bool] | None:
    kinds = config.per_layer("mlp_layer_types", layers, {"dense": "dense", "sparse": "sparse"})
    return None if kinds is None else [kind == "sparse" for kind in kinds]


def every_step(config: Config, layers: int) -> list[bool]:
    """Make every ``decoder_sparse_step``-th layer sparse that is not among ``mlp_only_layers``.

    ``num_experts`` 0 makes all layers dense.
    """
    if config.count("num_experts") == 0:
        return no_layer(config, layers)
    dense = config.indices("mlp_only_layers") or frozenset()
    step = config.size("decoder_sparse_step")
    return [index not in dense and (index + 1) % step == 0 for index in range(layers)]


def every_interval(config: Config, layers: int) -> list[bool]:
    """Make every ``moe_layer_interval``-th layer sparse, from the start to the end index (-1: the last)."""
    interval, start = config.size("moe_layer_interval"), config.count("moe_layer_start_index")
    to_the_last = config.raw("moe_layer_end_index") == -1
    end = layers - 1 if to_the_last else config.count("moe_layer_end_index")
    return [(index + 1) % interval == 0 and start <= index <= end for index in range(layers)]


def interleaved(config: Config, layers: int) -> list[bool]:
    """Make ``moe_layers`` sparse (an empty list: none); null: every ``interleave_moe_layer_step``-th."""
    sparse = config.indices("moe_layers")
    if sparse is not None:
        return [index in sparse for index in range(layers)]
    step = config.size("interleave_moe_layer_step")
    return [(index + 1) % step == 0 for index in range(layers)]


@dataclass(frozen=True, slots=True, kw_only=True)
class ExpertStyle:
    """How a type names the fields and the modules of an expert layer."""

    experts: str = "num_local_experts"
    experts_override: str = ""
    """A second field that wins where it is given."""
    active: str = "num_experts_per_tok"
    active_may_be_null: bool = False
    always_active: int = 0
    """Experts that the class takes whatever that field says; 0: it asks the field."""
    width: str = "intermediate_size"
    shared_count: str = ""
    """Field with the number of shared experts, stored as one layer that many times as wide."""
    shared_width_without_count: str = ""
    """Field with its width where that number is zero."""
    shared_width: str = ""
    """Field with the width of the shared expert."""
    router: str = "gate"
    router_bias: bool = False
    correction: str = ""
    expert_bias: bool = False
    transposed: bool = False
    shared: str = "shared_experts"
    shared_may_be_absent: bool = False
    """Zero shared experts leave the module out; elsewhere it stays, with a width of zero."""
    shared_gate: str = ""
    """Name of a gate that scales the shared expert's output."""


def expert_parts(
    config: Config, style: ExpertStyle, name: str, *, shared_bias: bool = False
) -> tuple[Part, ...]:
    """Return router, routed experts and shared expert of one layer under the module ``name``."""
    hidden = config.size("hidden_size")
    experts = _expert_count(config, style)
    width = config.size(style.width)
    groups, used = expert_groups(config)
    router = Router(
        hidden=hidden,
        experts=experts,
        bias=style.router_bias,
        correction=style.correction,
        groups=groups,
        groups_used=used,
    )
    routed = Experts(
        hidden=hidden,
        width=width,
        experts=experts,
        active=_active(config, style, experts),
        bias=style.expert_bias,
        transposed=style.transposed,
    )
    return (
        Part(name=f"{name}.{style.router}", component=router),
        Part(name=f"{name}.experts", component=routed),
        *_shared_parts(config, style, name, width, shared_bias),
    )


def expert_groups(config: Config) -> tuple[int, int]:
    """Return the groups that experts stand in, and how many of them a token's experts come from."""
    groups, used = config.optional_count("n_group"), config.optional_count("topk_group")
    return (groups or 1, used or groups or 1)


def _expert_count(config: Config, style: ExpertStyle) -> int:
    override = style.experts_override
    return config.size(override if override and config.given(override) else style.experts)


def active_experts(config: Config, field: str, experts: int, *, may_be_null: bool = False) -> int:
    """Return the number of experts that a token uses, 1 to ``experts``.

    A number outside of that is a notice and the nearest possible one; a null, where the class allows
    it, is a notice and all experts.
    """
    active = config.optional_count(field) if may_be_null else config.count(field)
    if active is None:
        config.notice("inconsistent", f"{field} is missing; all {experts} experts count as active")
        return experts
    possible = min(max(active, 1), experts)
    if possible != active:
        config.notice("inconsistent", f"{field} is {active} of {experts} experts; {possible} count as active")
    return possible


def _active(config: Config, style: ExpertStyle, experts: int) -> int:
    """Return the experts that a token uses; a number in the file that the class ignores is a notice."""
    count = style.always_active
    if not count:
        return active_experts(config, style.active, experts, may_be_null=style.active_may_be_null)
    said = config.count(style.active)
    if said != count:
        config.notice("inconsistent", f"{style.active} is {said}; the class takes {count} whatever it says")
    return min(count, experts)


def _shared_parts(config: Config, style: ExpertStyle, name: str, width: int, bias: bool) -> tuple[Part, ...]:
    shared_width = _shared_width(config, style, width)
    if shared_width is None:
        return ()
    hidden = config.size("hidden_size")
    shared = FeedForward(hidden=hidden, width=shared_width, bias=bias, role="shared_expert")
    part = Part(name=f"{name}.{style.shared}", component=shared)
    if not style.shared_gate:
        return (part,)
    gate = Linear(inputs=hidden, outputs=1, role="router")
    return part, Part(name=f"{name}.{style.shared_gate}", component=gate)


def _shared_width(config: Config, style: ExpertStyle, width: int) -> int | None:
    """Return the width of the shared expert, None when there is none."""
    if style.shared_width:
        return config.count(style.shared_width)
    if not style.shared_count:
        return None
    count = config.count(style.shared_count)
    if count == 0 and style.shared_width_without_count:
        return config.size(style.shared_width_without_count)
    return None if count == 0 and style.shared_may_be_absent else count * width
