"""BART and the encoder-decoders in its shape: mBART, Pegasus, Marian, Blenderbot, M2M-100 (NLLB) and others.

BART's tables of positions have two rows that no position uses; Pegasus and Marian store their sines,
M2M-100 computes them. mBART, Pegasus, Blenderbot and M2M-100 norm before their blocks and at the end.
Source: Lewis et al. 2019, arXiv:1910.13461; Liu et al. 2020, arXiv:2001.08210 (mBART); Zhang et al.
2019, arXiv:1912.08777 (Pegasus); Fan et al. 2020, arXiv:2010.11125 (M2M-100); the modelling files of
transformers 5.23.
"""

from collections.abc import Mapping
from dataclasses import replace

from sizewise.architecture import Architecture
from sizewise.components.grouped_query_attention import AttentionNames
from sizewise.configuration import Config
from sizewise.errors import InputError
from sizewise.families import Resolve
from sizewise.plans.encoder_decoder import (
    ANSWERS,
    BARE,
    CAUSAL,
    GENERATION,
    LABELS,
    AttentionStyle,
    EncoderDecoderPlan,
    Half,
    Task,
    encoder_decoder,
    no_table,
    positions,
    positions_and,
)

SPARE_POSITIONS = positions_and(2)
BART_LABELS = 3
FURTHER = {"ForSequenceClassification": LABELS, "ForQuestionAnswering": ANSWERS}


def tasks(name: str, *further: str) -> Mapping[str, Task]:
    """Return the classes that all types have under a name; ``further`` are those of some."""
    known = {"ForConditionalGeneration": GENERATION, "Model": BARE, "ForCausalLM": CAUSAL}
    return {f"{name}{ending}": task for ending, task in (known | {it: FURTHER[it] for it in further}).items()}


def plan(name: str, *further: str) -> EncoderDecoderPlan:
    """Return BART's plan under another name."""
    return EncoderDecoderPlan(
        tasks=tasks(name, *further),
        default=f"{name}ForConditionalGeneration",
        causal=f"{name}ForCausalLM",
        rows=SPARE_POSITIONS,
        embedding_norm=True,
    )


def sparse_blocks(config: Config) -> int | None:
    """Return the tokens that the sparse attention looks at: 3 near, 2 global and random blocks."""
    if config.text("attention_type") != "block_sparse":
        return None
    return (5 + config.count("num_random_blocks")) * config.size("block_size")


def learned_rows(config: Config, half: Half) -> int | None:
    """Return the rows of TrOCR's table, which it has with ``use_learned_position_embeddings``."""
    learned = config.flag("use_learned_position_embeddings")
    return SPARE_POSITIONS(config, half) if learned else None


PEGASUS = replace(
    plan("Pegasus"), rows=positions, sines=("encoder", "decoder"), embedding_norm=False, final_norm=True
)
BIGBIRD_PEGASUS = replace(
    plan("BigBirdPegasus", *FURTHER),
    rows=positions,
    encoder_attention=AttentionStyle(
        names=AttentionNames(query="self.query", key="self.key", value="self.value", output="output"),
        bias="use_bias",
        reach=sparse_blocks,
    ),
    attention=AttentionStyle(bias="use_bias"),
)

MODEL_TYPES: dict[str, EncoderDecoderPlan] = {
    "bart": replace(plan("Bart", *FURTHER), labels=BART_LABELS),
    "mbart": replace(plan("MBart", *FURTHER), final_norm=True),
    "plbart": plan("PLBart", "ForSequenceClassification"),
    "mvp": plan("Mvp", *FURTHER),
    "pegasus": PEGASUS,
    "marian": replace(
        PEGASUS,
        tasks={"MarianMTModel": GENERATION, "MarianModel": BARE, "MarianForCausalLM": CAUSAL},
        default="MarianMTModel",
        causal="MarianForCausalLM",
        final_norm=False,
    ),
    "blenderbot": replace(plan("Blenderbot"), rows=positions, embedding_norm=False, final_norm=True),
    "blenderbot-small": replace(plan("BlenderbotSmall"), rows=positions),
    "bigbird_pegasus": replace(
        BIGBIRD_PEGASUS,
        embedding_norm=True,
        tasks={**BIGBIRD_PEGASUS.tasks, "BigBirdPegasusForCausalLM": replace(CAUSAL, tied=False)},
    ),
    "m2m_100": EncoderDecoderPlan(
        tasks={"M2M100ForConditionalGeneration": GENERATION, "M2M100Model": BARE},
        default="M2M100ForConditionalGeneration",
        rows=no_table,
        final_norm=True,
    ),
    "nllb-moe": EncoderDecoderPlan(
        tasks={"NllbMoeForConditionalGeneration": GENERATION, "NllbMoeModel": BARE},
        default="NllbMoeForConditionalGeneration",
        rows=no_table,
        final_norm=True,
        cross="cross_attention",
        feed_forward="ffn",
        feed_forward_norm="ff_layer_norm",
        sparse=True,
    ),
    "trocr": EncoderDecoderPlan(
        tasks={"TrOCRForCausalLM": CAUSAL},
        default="TrOCRForCausalLM",
        rows=learned_rows,
        embedding_norm="layernorm_embedding",
        head="output_projection",
    ),
}


def describe(config: Config, resolve: Resolve) -> Architecture:
    """Return the architecture of the class that the file names, the encoder-decoder if none.

    Raises InputError (unsupported_architecture) for a class that is not known, for prompts (MVP),
    vocabularies that differ (Marian) and an encoder of another width (TrOCR).
    """
    unusual = {
        "use_prompt": config.flag("use_prompt"),
        "share_encoder_decoder_embeddings": not config.flag("share_encoder_decoder_embeddings", default=True),
        "decoder_vocab_size": config.raw("decoder_vocab_size") not in (None, config.raw("vocab_size")),
        "cross_attention_hidden_size": config.raw("cross_attention_hidden_size")
        not in (None, config.raw("d_model")),
    }
    for name, given in unusual.items():
        if given:
            raise InputError(
                "unsupported_architecture",
                f"{config.model_type} config: {name} has a value that is not modelled; only the usual is",
            )
    return encoder_decoder(config, MODEL_TYPES[config.model_type])
