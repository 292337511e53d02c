"""Granite Docling: a SigLIP tower whose connector joins patches coarsely and, where asked, finely.

Each path also brings features of inner layers of the tower to the language model.
Source: Nassar et al. 2025, arXiv:2503.11576 (its forerunner); the modelling file of transformers 5.23.
"""

from sizewise.architecture import Architecture, Part, Tower
from sizewise.configuration import Config
from sizewise.errors import InputError
from sizewise.families import Resolve
from sizewise.plans.decoder import AttentionPlan, DecoderPlan, FeedForwardPlan, decoder
from sizewise.plans.projectors import two_layers
from sizewise.plans.tower_parts import dense, norm
from sizewise.plans.towers import Body, plain_siglip
from sizewise.plans.wrappers import Inner, Inside, WrapperPlan, wrapper

TOWER = "model.vision_model"
CONNECTOR = f"{TOWER}.connector"
MERGED_LAYERS = 3
"""Layers of the tower that are joined where a file does not list them."""


def towers(inside: Inside) -> tuple[Tower, ...]:
    """Return the tower, its connector and, with ``density_router_hidden_size``, the router of pages.

    Raises InputError (inconsistent) where the connector has another width than the language model, and
    where a router has no fine path to choose.
    """
    config, width = inside.vision, inside.vision.size("out_hidden_size")
    if width != inside.text.hidden:
        raise InputError(
            "inconsistent",
            f"{inside.config.model_type} config: out_hidden_size {width} is not the hidden size "
            f"{inside.text.hidden} of the language model",
        )
    projector = (*connector(config, width), *density_router(inside))
    return (
        Tower(role="vision", body=plain_siglip(config, TOWER)),
        Tower(role="projector", body=projector),
    )


def connector(config: Config, width: int) -> Body:
    """Return norms, both paths and the matrix behind them."""
    scale = config.size("scale_factor")
    fine = _path(config, "fine", scale // 2, width) if config.flag("use_fine_route") else ()
    return (
        norm(f"{CONNECTOR}.ln_in", config.size("hidden_size")),
        *_path(config, "coarse", scale, width),
        *fine,
        norm(f"{CONNECTOR}.ln_mid", width),
        dense(f"{CONNECTOR}.mlp_fc2", width, width, bias=False),
        norm(f"{CONNECTOR}.ln_out", width),
    )


def _path(config: Config, name: str, scale: int, width: int) -> Body:
    """Return the matrix over squares of ``scale`` x ``scale`` patches, and a merger per joined layer."""
    if scale == 0:
        raise config.bad("scale_factor", "is 1; the fine path halves it")
    joined, place = config.size("hidden_size") * scale**2, f"{CONNECTOR}.{name}"
    listed = config.entries("deepstack_visual_indexes")
    mergers = (
        f"{place}.deepstack_mergers.{index}"
        for index in range(MERGED_LAYERS if listed is None else len(listed))
    )
    return (
        dense(f"{place}.projection", joined, width, bias=False),
        *(part for merger in mergers for part in _merger(merger, joined, width)),
    )


def _merger(name: str, joined: int, width: int) -> tuple[Part, ...]:
    return norm(f"{name}.layer_norm", joined), *two_layers(name, joined, width)


def density_router(inside: Inside) -> Body:
    """Return the router that chooses a path for a page."""
    size = inside.config.optional_size("density_router_hidden_size")
    if size is None:
        return ()
    if not inside.vision.flag("use_fine_route"):
        raise InputError(
            "inconsistent", "granite_docling config: density_router_hidden_size without a fine path"
        )
    name, width = "model.density_router", inside.vision.size("hidden_size")
    return (
        dense(f"{name}.att", width, 1),
        norm(f"{name}.norm", width),
        dense(f"{name}.fc1", width, size),
        dense(f"{name}.fc2", size, 1),
    )


MODEL_TYPES: dict[str, WrapperPlan | DecoderPlan] = {
    "granite_docling": WrapperPlan(
        model_class="GraniteDoclingForConditionalGeneration",
        text=Inner(field="text_config", model_type="granite_docling_text", fixed=True),
        vision=Inner(field="vision_config", model_type="granite_docling_vision", fixed=True),
        towers=towers,
        new="model.text_model",
    ),
    "granite_docling_text": DecoderPlan(
        model_class="GraniteDoclingTextModel",
        attention=AttentionPlan(qkv_bias="attention_bias", out_bias="attention_bias"),
        feed_forward=FeedForwardPlan(bias="mlp_bias"),
    ),
}


def describe(config: Config, resolve: Resolve) -> Architecture:
    """Return the architecture of one of these types."""
    plan = MODEL_TYPES[config.model_type]
    return decoder(config, plan) if isinstance(plan, DecoderPlan) else wrapper(config, plan, resolve)
