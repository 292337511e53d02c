"""Bytes that a forward pass keeps for the backward pass, under a policy of recomputation.

Source of the rules: torch 2.13 (derivatives.yaml) and the modelling files of transformers 5.23, by type;
selective recomputation: torchtitan's per-operation policy (every second product and attention is kept).
"""

from dataclasses import replace

from sizewise.activations.estimate import estimated_pieces
from sizewise.activations.freezing import NOTHING, Frozen, frozen_parts
from sizewise.activations.pieces import Pieces, pieces
from sizewise.architecture import Architecture, Model, Part
from sizewise.catalog.training import class_style
from sizewise.recipe import Recipe
from sizewise.states.targets import targeted
from sizewise.tape.adapters import NO_ADAPTERS, Adapters
from sizewise.tape.replay import costs
from sizewise.tape.style import Style
from sizewise.tape.tape import NotRecordable, Setting


def style_of(model: Model) -> Style:
    """Return how the model's class writes its mechanisms, with what its configuration says."""
    text_type = model.architecture.text_type
    style = model.traits.over(class_style(text_type or model.model_type).style)
    return _wrapped(style, model) if text_type else style


def _wrapped(style: Style, model: Model) -> Style:
    """Return a text model's style inside a wrapper, which may compute logits and loss itself."""
    wrapper = class_style(model.model_type)
    if not wrapper.checked or class_style(model.architecture.text_type).alone:
        return replace(style, refused=f"the class of {model.model_type} around its text model")
    if not _has_own_head(model.architecture):
        return style
    capped = style.logit_cap and "logit_cap" in wrapper.keeps
    balanced = style.routing.balance and "balance" in wrapper.keeps
    return replace(style, logit_cap=capped, routing=replace(style.routing, balance=balanced))


def _has_own_head(architecture: Architecture) -> bool:
    """Tell whether the head stands beside the language model, not inside it."""
    return any(isinstance(item, Part) and item.name == "lm_head" for item in architecture.body)


def setting_of(recipe: Recipe) -> Setting:
    """Return what a device's forward pass runs on and with."""
    sharding = recipe.sharding
    return Setting(
        batch=recipe.micro_batch,
        sequence=recipe.sequence // sharding.context,
        width=recipe.precision.compute,
        trained=recipe.method == "full",
        attention=recipe.attention,
        autocast=recipe.precision.autocast,
        split=sharding.tensor if sharding.sequence else 1,
        fused_norms=recipe.fused_norms,
        loss=recipe.loss,
        device=recipe.device,
        kernels=recipe.fused_scans,
        ranks=sharding.tensor,
    )


def recorded(model: Model, recipe: Recipe) -> Pieces:
    """Return the pieces of a model in a recipe; ``assumed`` says so where they are an estimate."""
    setting = replace(setting_of(recipe), adapters=adapters_of(model.architecture, recipe))
    frozen = frozen_parts(model.architecture, recipe.frozen, adapted=recipe.method != "full")
    return recorded_in(model, setting, frozen)


def adapters_of(architecture: Architecture, recipe: Recipe) -> Adapters:
    """Return the low-rank matrices beside the products of each component."""
    adapter = recipe.adapter
    if recipe.method == "full" or adapter is None:
        return NO_ADAPTERS
    times: dict[tuple[int, str], int] = {}
    for module, count in targeted(architecture, adapter.targets):
        times[id(module.place.component), module.weight.name] = count * adapter.rank
    ranks = {
        id(place.component): tuple(
            times.get((id(place.component), weight.name), 0)
            for weight in place.component.weights()
            if weight.kind == "matrix"
        )
        for place in architecture.placed()
    }
    return Adapters(
        ranks=ranks,
        width=adapter.width,
        dropout=adapter.dropout,
        magnitude=adapter.magnitude or recipe.method == "dora",
        packed=recipe.method == "qlora",
    )


def recorded_in(model: Model, setting: Setting, frozen: Frozen = NOTHING) -> Pieces:
    """Return the pieces of a model on a device: as its class does it, or else estimated.

    An estimate counts what is frozen as if it were trained.
    """
    model_type, style = model.architecture.text_type or model.model_type, style_of(model)
    if not class_style(model_type).checked:
        why = f"class of {model_type} not compared with torch"
        return estimated_pieces(model.architecture, setting, style, why)
    try:
        found = pieces(model.architecture, setting, style, frozen)
    except NotRecordable as reason:
        return estimated_pieces(model.architecture, setting, style, f"no record of {reason}")
    kinds = {operation.kind for operation, _ in model.architecture.operations()}
    if setting.kernels and kinds & {"scan", "convolution"}:
        return replace(found, assumed="what the fused kernels of scans keep was not compared with them")
    return found


def saved_bytes(found: Pieces, *, every: int = 0) -> int:
    """Count the bytes saved: all that backward needs, or of every ``every`` layers only what enters them.

    Memory that several pieces look at is counted once.
    """
    known = {id(piece): costs(piece) for piece in {id(piece): piece for piece in found.all}.values()}
    total = found.checkpointed if every else 0
    shared: dict[str, int] = {}
    kept_exit = False
    for number, piece in enumerate(found.layers if every else ()):
        total += known[id(piece)].entering if number % every == 0 else 0
    chosen = [piece for piece in (found.before, found.after) if piece is not None] if every else found.all
    for piece in chosen:
        one = known[id(piece)]
        total += one.saved + (one.entering if one.saves_entry and not kept_exit else 0)
        shared |= one.shared
        kept_exit = one.saves_exit
    return total + sum(shared.values())
