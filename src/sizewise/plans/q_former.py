"""Q-Former: learned queries that attend to each other and, in some layers, to the patches of a tower.

Shapes: D hidden, F feed-forward size, W features of a patch; keys and values of the patches are [D, W].
Source: Li et al. 2023, arXiv:2301.12597, section 3.1; the modelling file of transformers 5.23.
"""

from sizewise.architecture import Part, stack
from sizewise.configuration import Config
from sizewise.plans.tower_parts import dense, norm, table
from sizewise.plans.towers import Body


def q_former(config: Config, name: str, *, hidden: int, patch_width: int, reads_text: bool) -> Body:
    """Return the layers of width ``hidden``; every ``cross_attention_frequency``-th attends to patches.

    A former that reads text has feed-forward layers of their own for it.
    """
    frequency, width = config.size("cross_attention_frequency"), config.size("intermediate_size")

    def layer(index: int) -> tuple[Part, ...]:
        crosses = index % frequency == 0
        return (
            *_attention("attention", hidden, hidden),
            *(_attention("crossattention", hidden, patch_width) if crosses else ()),
            *(_feed_forward("", hidden, width) if reads_text else ()),
            *_feed_forward("_query", hidden, width),
        )

    crossing = [index % frequency == 0 for index in range(config.layers())]
    return (stack(f"{name}.encoder.layer", crossing, layer),)


def text_tables(config: Config, name: str, hidden: int) -> Body:
    """Return the tables of tokens and positions of a former that reads text, and their norm."""
    return (
        table(f"{name}.embeddings.word_embeddings", config.size("vocab_size"), hidden),
        table(f"{name}.embeddings.position_embeddings", config.size("max_position_embeddings"), hidden),
        norm(f"{name}.embeddings.layernorm", hidden),
    )


def _attention(name: str, hidden: int, inputs: int) -> tuple[Part, ...]:
    return (
        dense(f"{name}.attention.query", hidden, hidden),
        dense(f"{name}.attention.key", inputs, hidden),
        dense(f"{name}.attention.value", inputs, hidden),
        dense(f"{name}.output.dense", hidden, hidden),
        norm(f"{name}.output.LayerNorm", hidden),
    )


def _feed_forward(suffix: str, hidden: int, width: int) -> tuple[Part, ...]:
    return (
        dense(f"intermediate{suffix}.dense", hidden, width),
        dense(f"output{suffix}.dense", width, hidden),
        norm(f"output{suffix}.LayerNorm", hidden),
    )
