"""A model of which only the checkpoint's header is known: its parameters and bytes, nothing that runs.

Roles are read from names, which is a convention and not a fact; sums do not depend on it.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from functools import lru_cache

from sizewise.architecture import HEADER, Architecture, Model, Part
from sizewise.components.stored_tensor import StoredTensor
from sizewise.errors import InputError
from sizewise.listing import Listing
from sizewise.notices import Notice
from sizewise.sources.content.disagreement import other_shape, unmatched
from sizewise.sources.content.logical import LogicalTensor, logical_tensors, recognition_notices
from sizewise.tensors import Role, Weight

_ROLES: tuple[tuple[str, Role], ...] = (
    (r"^v\.(blk|patch|position|pre|post|class)", "vision"),
    (r"^a\.(blk|conv|position|pre|post)", "audio"),
    (r"^mm\.", "projector"),
    (r"vision|visual|image_encoder", "vision"),
    (r"audio|speech", "audio"),
    (r"projector|connector|mm_proj", "projector"),
    (r"lm_head|embed_out|^head\.|output_projection|^output\.weight", "head"),
    (r"embed_positions|wpe|position_embeddings|^position_embd", "position"),
    (r"embed|wte|word_embeddings|token_embd|token_types", "embedding"),
    (r"norm|ln_|layer_norm", "norm"),
    (r"shared_expert|_shexp\b", "shared_expert"),
    (r"experts|_exps\b", "expert"),
    (r"router|mlp\.gate\.|block_sparse_moe\.gate|ffn_gate_inp|exp_probs", "router"),
    (r"ssm|mamba|mixer|linear_attn|recurrent", "state_space"),
    (r"attn|attention", "attention"),
    (r"mlp|ffn|feed_forward|fc\d|intermediate|dense", "feed_forward"),
)
_NUMBER = re.compile(r"\d+")
_PATTERNS = [(re.compile(pattern), role) for pattern, role in _ROLES]


def model_of_listing(listing: Listing, *, name: str, origin: str) -> Model:
    """Return the model that a header tells: logical parameters, stored elements and bytes.

    Raises InputError (missing_tensor) for a checkpoint that holds no parameter.
    """
    tensors = tuple(logical_tensors(listing))
    return Model(
        name=name,
        model_type=HEADER,
        architecture=_architecture(tensors, name),
        origin=origin,
        listing=listing,
        notices=(*listing.notices, *recognition_notices(tensors)),
    )


def _architecture(tensors: Iterable[LogicalTensor], name: str) -> Architecture:
    """Return the parameters of a header as an architecture that only counts."""
    parts = tuple(_parts(tensors))
    if not parts:
        raise InputError("missing_tensor", f"{name} holds no parameters")
    return Architecture(
        model_class="checkpoint header",
        body=parts,
        hidden=1,
        vocabulary=1,
        context=None,
        tied=False,
    )


def _parts(tensors: Iterable[LogicalTensor]) -> Iterator[Part]:
    for tensor in tensors:
        if tensor.is_parameter:
            weight = Weight(name=tensor.name, role=role_of(tensor.name), shape=tensor.shape)
            yield Part(name="", component=StoredTensor(weight=weight))


def role_of(name: str) -> Role:
    """Return the role that a tensor's name suggests.

    >>> role_of("model.layers.0.self_attn.q_proj.weight"), role_of("transformer.wte.weight")
    ('attention', 'embedding')
    """
    return _role_of(_NUMBER.sub("0", name))


@lru_cache(maxsize=4096)
def _role_of(name: str) -> Role:
    return next((role for pattern, role in _PATTERNS if pattern.search(name)), "other")


def with_listing(model: Model, listing: Listing) -> Model:
    """Return the model with what its checkpoint says; the header's warnings come along.

    Where the two disagree on the parameters the header is the truth, and a warning says by how much and
    where. A header of codes whose packing is not known counts no parameters: then the configuration does.
    """
    notices = (*model.notices, *listing.notices)
    if model.quantization is not None and not model.quantization.known:
        return replace(model, listing=listing, notices=notices)
    tensors = tuple(logical_tensors(listing, model))
    held = sum(tensor.logical for tensor in tensors if tensor.is_parameter)
    counted = sum(weight.elements * layers for weight, layers in model.architecture.weights())
    first = other_shape(tensors, model.architecture)
    if held != counted:
        text = f"the header holds {held:,} parameters, the configuration describes {counted:,}"
        where = first or unmatched(tensors, model.architecture)
        notices = (*notices, _inconsistent(text, where), *recognition_notices(tensors))
        own = _architecture(tensors, model.name)
        return replace(model, listing=listing, counted=own, notices=notices)
    if first:
        notices = (*notices, _inconsistent("the header and the configuration differ", first))
    return replace(model, listing=listing, notices=notices)


def _inconsistent(text: str, where: str) -> Notice:
    return Notice(code="inconsistent", message=f"{text}: {where}" if where else text)
