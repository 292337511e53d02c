"""Inputs per layer: beside the hidden state every layer gets a small vector of its own for each token.

A table of L*P features per token is looked up (it may stay outside of the accelerator), a projection of
the first hidden state is added, and each layer takes its P features.
Shapes: D hidden, L layers, P features. Source: modelling files of Gemma 3n and Gemma 4, transformers 5.23.
"""

from collections.abc import Iterator

from sizewise.architecture import Part
from sizewise.components.embeddings import Embedding
from sizewise.components.linear import Linear
from sizewise.components.norms import Norm
from sizewise.configuration import Config


def layer_input_tables(config: Config, features: int) -> Iterator[Part]:
    """Yield the table [V, L*P], the projection [L*P, D] and its norm [P]."""
    total = config.layers() * features
    table = Embedding(rows=config.size("vocab_size_per_layer_input"), width=total)
    projection = Linear(inputs=config.size("hidden_size"), outputs=total, role="feed_forward")
    yield Part(name="model.embed_tokens_per_layer", component=table)
    yield Part(name="model.per_layer_model_projection", component=projection)
    yield Part(name="model.per_layer_projection_norm", component=Norm(width=features))


def layer_input_parts(hidden: int, features: int) -> Iterator[Part]:
    """Yield what each layer does with its features: a gate [P, D], a projection [D, P] and a norm [D]."""
    gate = Linear(inputs=hidden, outputs=features, role="feed_forward")
    projection = Linear(inputs=features, outputs=hidden, role="feed_forward")
    yield Part(name="per_layer_input_gate", component=gate)
    yield Part(name="per_layer_projection", component=projection)
    yield Part(name="post_per_layer_input_norm", component=Norm(width=hidden))
