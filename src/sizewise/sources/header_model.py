"""A model of which only the checkpoint's header is known: its parameters and bytes, nothing that runs.

Roles are read from names, which is a convention and not a fact; sums do not depend on it.
"""

import re
from collections.abc import Iterator

from sizewise.architecture import HEADER, Architecture, Model, Part
from sizewise.components.stored_tensor import StoredTensor
from sizewise.errors import InputError
from sizewise.listing import Listing
from sizewise.sources.logical import logical_tensors
from sizewise.tensors import Role, Weight

_ROLES: tuple[tuple[str, Role], ...] = (
    (r"vision|visual|image_encoder", "vision"),
    (r"audio|speech", "audio"),
    (r"projector|connector|mm_proj", "projector"),
    (r"lm_head|embed_out|^head\.|output_projection", "head"),
    (r"embed_positions|wpe|position_embeddings", "position"),
    (r"embed|wte|word_embeddings", "embedding"),
    (r"norm|ln_|layer_norm", "norm"),
    (r"shared_expert", "shared_expert"),
    (r"experts", "expert"),
    (r"router|mlp\.gate\.|block_sparse_moe\.gate", "router"),
    (r"ssm|mamba|mixer|linear_attn|recurrent", "state_space"),
    (r"attn|attention", "attention"),
    (r"mlp|ffn|feed_forward|fc\d|intermediate|dense", "feed_forward"),
)
_PATTERNS = [(re.compile(pattern), role) for pattern, role in _ROLES]


def model_of_listing(listing: Listing, *, name: str, origin: str) -> Model:
    """Return the model that a header tells: logical parameters, stored elements and bytes.

    Raises InputError (missing_tensor) for a checkpoint that holds no parameter.
    """
    parts = tuple(_parts(listing))
    if not parts:
        raise InputError("missing_tensor", f"{name} holds no parameters")
    architecture = Architecture(
        model_class="checkpoint header",
        body=parts,
        hidden=1,
        vocabulary=1,
        context=None,
        tied=False,
    )
    return Model(
        name=name,
        model_type=HEADER,
        architecture=architecture,
        origin=origin,
        listing=listing,
        notices=listing.notices,
    )


def _parts(listing: Listing) -> Iterator[Part]:
    for tensor in logical_tensors(listing):
        if tensor.is_parameter:
            weight = Weight(name=tensor.name, role=role_of(tensor.name), shape=tensor.shape)
            yield Part(name="", component=StoredTensor(weight=weight))


def role_of(name: str) -> Role:
    """Return the role that a tensor's name suggests.

    >>> role_of("model.layers.0.self_attn.q_proj.weight"), role_of("transformer.wte.weight")
    ('attention', 'embedding')
    """
    return next((role for pattern, role in _PATTERNS if pattern.search(name)), "other")
