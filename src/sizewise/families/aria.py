"""Aria: experts with shared ones in every layer; as a wrapper, a SigLIP tower and queries that read it.

Source: Li et al. 2024, arXiv:2410.05993; the configuration and modelling files of transformers 5.23.
"""

from collections.abc import Mapping

from sizewise.architecture import Architecture, Part, Tower
from sizewise.configuration import SIZE_LIMIT, Config
from sizewise.errors import InputError
from sizewise.families import Resolve
from sizewise.plans.expert_decoder import Style, expert_decoder
from sizewise.plans.experts import ExpertStyle
from sizewise.plans.tower_parts import dense, learned, norm
from sizewise.plans.towers import plain_siglip
from sizewise.plans.wrappers import Inner, Inside, WrapperPlan, wrapper

DEFAULT_QUERIES = 256
"""Queries of the projector where the file says nothing."""

TEXT = Style(
    model_class="AriaTextForCausalLM",
    experts=ExpertStyle(
        experts="moe_num_experts",
        active="moe_topk",
        shared_count="moe_num_shared_experts",
        router="router",
        transposed=True,
    ),
    mlp_bias="mlp_bias",
)


def _queries(config: Config) -> int:
    """Return the most queries that ``projector_patch_to_query_dict`` gives to any number of patches."""
    listed = config.raw("projector_patch_to_query_dict")
    if listed is None:
        return DEFAULT_QUERIES
    if not isinstance(listed, Mapping) or not listed:
        raise config.bad("projector_patch_to_query_dict", "is no object of numbers")
    for count in listed.values():
        if isinstance(count, bool) or not isinstance(count, int) or not 1 <= count <= SIZE_LIMIT:
            raise config.bad(
                "projector_patch_to_query_dict", "holds something else than whole numbers from 1"
            )
    most: int = max(listed.values())
    return most


def _projector(inside: Inside) -> tuple[Part, ...]:
    """Return the queries, the cross-attention (projected twice over) and the perceptron to the text model."""
    name, width, hidden = "model.multi_modal_projector", inside.vision.size("hidden_size"), inside.text.hidden
    attention, twice = f"{name}.cross_attn", f"{name}.cross_attn.multihead_attn"
    return (
        learned(f"{name}.query", _queries(inside.config), width, role="projector"),
        *(dense(f"{attention}.{each}_proj", width, width, bias=False) for each in "qkv"),
        learned(f"{twice}.in_proj_weight", 3 * width, width, role="projector"),
        learned(f"{twice}.in_proj_bias", 3 * width, role="projector"),
        dense(f"{twice}.out_proj", width, width),
        dense(f"{attention}.linear", width, width),
        norm(f"{attention}.layer_norm", width),
        norm(f"{attention}.layer_norm_kv", width),
        norm(f"{name}.layer_norm", width),
        dense(f"{name}.feed_forward.linear_in", width, hidden, bias=False),
        dense(f"{name}.feed_forward.linear_out", hidden, hidden, bias=False),
    )


def towers(inside: Inside) -> tuple[Tower, ...]:
    """Return the tower and the projector."""
    return (
        Tower(role="vision", body=plain_siglip(inside.vision, "model.vision_tower")),
        Tower(role="projector", body=_projector(inside)),
    )


WRAPPER = WrapperPlan(
    model_class="AriaForConditionalGeneration",
    text=Inner(field="text_config", model_type="aria_text", only=True),
    vision=Inner(field="vision_config", model_type="idefics3_vision", only=True),
    towers=towers,
)

MODEL_TYPES: dict[str, Style | WrapperPlan] = {"aria_text": TEXT, "aria": WRAPPER}


def _checked(config: Config) -> Config:
    """Return a text configuration whose heads divide the hidden size, as the class asks."""
    hidden, query = config.size("hidden_size"), config.size("num_attention_heads")
    if hidden % query:
        raise InputError(
            "inconsistent", f"aria_text config: {query} heads do not divide hidden size {hidden}"
        )
    return config


def describe(config: Config, resolve: Resolve) -> Architecture:
    """Return the architecture of one of these types."""
    if config.model_type == "aria":
        return wrapper(config, WRAPPER, resolve)
    return expert_decoder(_checked(config), TEXT)
