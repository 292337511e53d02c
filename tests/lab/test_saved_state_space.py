"""Saved activations of state spaces and hybrids against torch, byte for byte, on random small models.

Here scans and convolutions run as torch operations, as transformers does where the kernels are not installed.
"""

from collections.abc import Iterator
from random import Random
from typing import Any

import pytest

from sizewise.activations.pieces import pieces
from sizewise.activations.saved import saved_bytes, style_of
from sizewise.sources.config_json import from_config
from sizewise.tape.tape import Setting

from . import saved_tensors as truth

pytestmark = [pytest.mark.lab, pytest.mark.filterwarnings("ignore")]

Fields = dict[str, Any]

EAGER = ("mamba", "falcon_mamba", "mamba2")
"""Classes that know no fused attention."""
CHUNKS = (8, 16, 64)


def shared(random: Random) -> Fields:
    """What a hybrid has beside its scans."""
    heads = random.choice((2, 4))
    return {
        "hidden_size": 64,
        "num_hidden_layers": 2,
        "intermediate_size": random.randint(3, 9) * 8,
        "vocab_size": random.randint(96, 160),
        "num_attention_heads": heads,
        "num_key_value_heads": random.choice((1, 2)),
    }


def experts(random: Random) -> Fields:
    return {"num_experts": random.choice((2, 4)), "num_experts_per_tok": random.choice((1, 2))}


def first(random: Random) -> Fields:
    """Mamba-1."""
    return {
        "hidden_size": random.choice((32, 48)),
        "num_hidden_layers": 2,
        "vocab_size": random.randint(96, 160),
        "state_size": random.randint(2, 12),
        "expand": random.choice((1, 2)),
        "time_step_rank": random.randint(1, 6),
        "conv_kernel": random.randint(2, 4),
        "use_bias": random.random() < 0.5,
        "use_conv_bias": random.random() < 0.5,
        "residual_in_fp32": random.random() < 0.5,
    }


def jamba(random: Random) -> Fields:
    return {
        **shared(random),
        **experts(random),
        "mamba_d_state": random.randint(2, 12),
        "mamba_dt_rank": random.randint(1, 6),
        "mamba_conv_bias": random.random() < 0.5,
        "attn_layer_period": 2,
        "attn_layer_offset": random.choice((0, 1)),
        "expert_layer_period": 2,
        "expert_layer_offset": random.choice((0, 1)),
    }


def second(random: Random, prefix: str = "") -> Fields:
    """Mamba-2 of eight heads, whose groups share the state projections."""
    return {
        f"{prefix}n_groups": random.choice((1, 2, 4)),
        f"{prefix}chunk_size": random.choice(CHUNKS),
    }


def mamba2(random: Random) -> Fields:
    return {
        **second(random),
        "hidden_size": 64,
        "num_hidden_layers": 2,
        "vocab_size": random.randint(96, 160),
        "num_heads": 8,
        "head_dim": 16,
        "state_size": random.randint(2, 12),
        "use_bias": random.random() < 0.5,
        "use_conv_bias": random.random() < 0.5,
        "residual_in_fp32": random.random() < 0.5,
    }


def bamba(random: Random) -> Fields:
    heads = {"mamba_n_heads": 8, "mamba_d_head": 16, "mamba_d_state": random.randint(2, 12)}
    return {**shared(random), **second(random, "mamba_"), **heads, "attn_layer_indices": [1]}


def granitemoehybrid(random: Random) -> Fields:
    fields = bamba(random) | {"layer_types": ["mamba", "attention"], "num_local_experts": 4}
    fields.pop("attn_layer_indices")
    position = random.choice((None, "rope"))
    routed = {"num_experts_per_tok": random.choice((1, 2)), "position_embedding_type": position}
    return {**fields, **routed, "shared_intermediate_size": random.randint(9, 40)}


def nemotron_h(random: Random) -> Fields:
    fields = shared(random)
    fields.pop("num_hidden_layers")
    heads = {"mamba_num_heads": 8, "mamba_head_dim": 16, "ssm_state_size": random.randint(2, 12)}
    kinds = {"layers_block_type": ["mamba", "attention", "mlp"], "head_dim": 16}
    return {**fields, **second(random), **heads, **kinds}


def delta_net(random: Random) -> Fields:
    keys = random.choice((2, 4))
    return {
        **shared(random),
        "head_dim": 16,
        "layer_types": ["linear_attention", "full_attention"],
        "linear_num_key_heads": keys,
        "linear_num_value_heads": keys * random.choice((1, 2)),
        "linear_key_head_dim": random.randint(2, 12),
        "linear_value_head_dim": random.randint(2, 12),
    }


def qwen3_next(random: Random) -> Fields:
    sizes = {"moe_intermediate_size": 8 * random.randint(1, 4), "shared_expert_intermediate_size": 24}
    return {
        **delta_net(random),
        **experts(random),
        **sizes,
        "mlp_only_layers": random.choice(([], [0])),
        "norm_topk_prob": random.random() < 0.5,
    }


def lfm2(random: Random) -> Fields:
    return {
        **shared(random),
        "layer_types": ["conv", "full_attention"],
        "conv_L_cache": random.randint(2, 4),
        "conv_bias": random.random() < 0.5,
        "block_auto_adjust_ff_dim": False,
    }


TYPES = {
    "mamba": first,
    "falcon_mamba": first,
    "jamba": jamba,
    "mamba2": mamba2,
    "bamba": bamba,
    "granitemoehybrid": granitemoehybrid,
    "nemotron_h": nemotron_h,
    "qwen3_next": qwen3_next,
    "qwen3_5_text": delta_net,
    "lfm2": lfm2,
}
"""By model type: how a configuration is drawn."""


def cases(model_type: str, count: int = 4) -> Iterator[tuple[Fields, Setting, bool]]:
    """Yield configurations and settings, the same ones each time, every other one recomputed."""
    random = Random(model_type)
    for number in range(count):
        attention = "eager" if model_type in EAGER else random.choice(("sdpa", "eager"))
        batch, sequence = random.choice(((1, 50), (2, 32), (3, 17), (1, 70), (2, 70)))
        width = random.choice((2, 4))
        setting = Setting(batch=batch, sequence=sequence, width=width, attention=attention, kernels=False)
        yield {"model_type": model_type, **TYPES[model_type](random)}, setting, number == count - 1


@pytest.mark.parametrize("model_type", TYPES)
def test_saved_bytes_are_those_of_torch(model_type: str) -> None:
    for fields, setting, recompute in cases(model_type):
        model = from_config(dict(fields), name=model_type, origin="random")
        found = pieces(model.architecture, setting, style_of(model))
        built = truth.build(fields, setting.width, setting.attention)
        measured = truth.saved_bytes(built, setting.batch, setting.sequence, recompute=recompute)
        assert saved_bytes(found, every=int(recompute)) == measured, (fields, setting)


@pytest.mark.parametrize("model_type", TYPES)
def test_fused_kernels_keep_less_than_torch_operations(model_type: str) -> None:
    for fields, setting, _ in cases(model_type):
        model = from_config(dict(fields), name=model_type, origin="random")
        sizes = {
            kernels: saved_bytes(
                pieces(
                    model.architecture,
                    Setting(batch=setting.batch, sequence=setting.sequence, kernels=kernels),
                    style_of(model),
                )
            )
            for kernels in (False, True)
        }
        assert sizes[True] < sizes[False]
