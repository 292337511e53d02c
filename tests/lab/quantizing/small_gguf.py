"""GGUF files of random small models, written with the package gguf alone."""

from pathlib import Path
from typing import Any

import torch

import gguf

WIDTHS = {"hidden": 64, "ffn": 96, "heads": 4, "kv_heads": 2, "layers": 2, "vocab": 320}


def write(
    path: Path,
    *,
    tied: bool = True,
    hidden: int = 64,
    ffn: int = 96,
    seed: int = 0,
    bias: bool = False,
    split: int = 0,
) -> Path:
    """Write a Llama in f16; rows of 72 are no multiple of any block, those of 64 and 96 of 32 alone.

    With ``bias`` each layer has one of its queries, of which transformers' Llama from GGUF knows nothing.
    ``split`` is the most tensors of a part.
    """
    numbers = torch.Generator().manual_seed(seed)
    writer = gguf.GGUFWriter(str(path), "llama", split_max_tensors=split)
    writer.add_name("small")
    _metadata(writer, hidden, ffn)
    if bias:
        for layer in range(WIDTHS["layers"]):
            writer.add_tensor(f"blk.{layer}.attn_q.bias", torch.ones(hidden).numpy())
    for name, shape in _shapes(hidden, ffn, tied=tied).items():
        norm = name.endswith("_norm.weight")
        data = torch.ones(shape) if norm else torch.randn(shape, generator=numbers) * 0.1
        writer.add_tensor(name, data.numpy() if norm else data.half().numpy())
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


def write_experts(path: Path, *, architecture: str = "llama", hidden: int = 64, ffn: int = 96) -> Path:
    """Write a model with four experts in f16: a Mixtral, or with norms of heads a Qwen3."""
    numbers = torch.Generator().manual_seed(0)
    writer = gguf.GGUFWriter(str(path), architecture)
    _metadata(writer, hidden, ffn)
    writer.add_expert_count(4)
    writer.add_expert_used_count(2)
    writer.add_expert_feed_forward_length(ffn)
    dense = ("ffn_gate.weight", "ffn_up.weight", "ffn_down.weight")
    shapes = {
        name: shape for name, shape in _shapes(hidden, ffn, tied=False).items() if not name.endswith(dense)
    }
    for layer in range(WIDTHS["layers"]):
        shapes |= {
            f"blk.{layer}.ffn_gate_inp.weight": (4, hidden),
            f"blk.{layer}.ffn_gate_exps.weight": (4, ffn, hidden),
            f"blk.{layer}.ffn_up_exps.weight": (4, ffn, hidden),
            f"blk.{layer}.ffn_down_exps.weight": (4, hidden, ffn),
        }
        if architecture == "qwen3moe":
            head = (hidden // WIDTHS["heads"],)
            shapes |= {f"blk.{layer}.attn_q_norm.weight": head, f"blk.{layer}.attn_k_norm.weight": head}
    for name, shape in shapes.items():
        wide = name.endswith(("_norm.weight", "ffn_gate_inp.weight"))
        data = torch.randn(shape, generator=numbers) * 0.1
        writer.add_tensor(name, data.numpy() if wide else data.half().numpy())
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


def _metadata(writer: Any, hidden: int, ffn: int) -> None:
    writer.add_block_count(WIDTHS["layers"])
    writer.add_context_length(128)
    writer.add_embedding_length(hidden)
    writer.add_feed_forward_length(ffn)
    writer.add_head_count(WIDTHS["heads"])
    writer.add_head_count_kv(WIDTHS["kv_heads"])
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_rope_freq_base(10000.0)
    writer.add_rope_dimension_count(hidden // WIDTHS["heads"])
    writer.add_vocab_size(WIDTHS["vocab"])
    writer.add_file_type(1)
    writer.add_tokenizer_model("llama")
    writer.add_token_list([f"<{number}>" for number in range(WIDTHS["vocab"])])
    writer.add_token_scores([0.0] * WIDTHS["vocab"])
    writer.add_token_types([1] * WIDTHS["vocab"])


def _shapes(hidden: int, ffn: int, *, tied: bool) -> dict[str, tuple[int, ...]]:
    kv = hidden // WIDTHS["heads"] * WIDTHS["kv_heads"]
    shapes: dict[str, tuple[int, ...]] = {"token_embd.weight": (WIDTHS["vocab"], hidden)}
    if not tied:
        shapes["output.weight"] = (WIDTHS["vocab"], hidden)
    for layer in range(WIDTHS["layers"]):
        shapes |= {
            f"blk.{layer}.{name}.weight": shape
            for name, shape in {
                "attn_norm": (hidden,),
                "attn_q": (hidden, hidden),
                "attn_k": (kv, hidden),
                "attn_v": (kv, hidden),
                "attn_output": (hidden, hidden),
                "ffn_norm": (hidden,),
                "ffn_gate": (ffn, hidden),
                "ffn_up": (ffn, hidden),
                "ffn_down": (hidden, ffn),
            }.items()
        }
    return {**shapes, "output_norm.weight": (hidden,)}
