"""Compare the estimated buffers of a prefill with peaks under fake tensors; write a CSV and a summary.

Needs the extra ``oracle``. Random configurations from small to real sizes of each family run a whole prompt
through the class as ``generate`` does (logits of the last position, a cache that grows), with fake
tensors: every storage that an operation makes is counted until it is freed. The peak less the bytes of
the cache at that length is the measured buffer. The bounds of the estimate were set on cases of other
seeds (20261122, 20261123); these here are held out.

    python validation/transformers_buffers.py [cases per family] [file.csv]
"""

import csv
import inspect
import json
import sys
import weakref
from collections.abc import Iterable
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from random import Random
from typing import Any
from unittest.mock import patch

import torch
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves
from transformers import CONFIG_MAPPING, MODEL_FOR_CAUSAL_LM_MAPPING, AutoConfig, AutoModelForCausalLM
from transformers.initialization import no_init_weights

from sizewise.configuration import Config
from sizewise.families import describe
from sizewise.footprint.buffers import Prefill, prefill_buffers
from sizewise.runtimes import CacheRequest
from sizewise.runtimes.transformers import Transformers

LAYERS = 6
SEED = 20261124
CONTEXTS = (256, 512, 1024, 2048, 4096, 8192, 16384)
RESULTS = Path(__file__).parent / "results" / "transformers_buffers.csv"
BYTES = {"bfloat16": 2, "float16": 2, "float32": 4}

OWN: dict[str, dict[str, str]] = {
    "gpt2": {"intermediate_size": "n_inner"},
    "falcon": {"intermediate_size": "ffn_hidden_size", "num_key_value_heads": "num_kv_heads"},
    "opt": {"intermediate_size": "ffn_dim"},
}
"""Fields that a family calls otherwise and does not map."""
FIXED: dict[str, dict[str, Any]] = {
    "falcon": {"new_decoder_architecture": True, "head_dim": None},
    "deepseek_v3": {"first_k_dense_replace": 1, "head_dim": None},
    "glm4_moe": {"first_k_dense_replace": 1},
    "qwen3_next": {"head_dim": None},
    "nemotron_h": {"layers_block_type": ["mamba", "moe", "mamba", "attention", "mamba", "moe"]},
    "jamba": {"attn_layer_period": 3, "attn_layer_offset": 1, "use_mamba_kernels": False},
    "bloom": {"head_dim": None},
}
EXPERTS = {"mixtral", "qwen3_moe", "gpt_oss", "deepseek_v3", "glm4_moe", "olmoe", "qwen3_next", "jamba"}
GROUPED = {*EXPERTS, "nemotron_h"}
"""Families with grouped products of experts: the fake one knows bf16 alone."""
FAMILIES = (
    *("llama", "mistral", "qwen2", "qwen3", "gemma", "gemma2", "gemma3_text", "phi3", "olmo2", "cohere2"),
    *("gpt2", "gpt_neox", "falcon", "opt", "bloom", "starcoder2", "stablelm", "granite", "smollm3", "glm4"),
    *("mixtral", "qwen3_moe", "gpt_oss", "deepseek_v3", "glm4_moe", "olmoe"),
    *("lfm2", "mamba2", "nemotron_h", "qwen3_next", "jamba", "falcon_h1"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One prompt through one small-to-real model; bytes."""

    family: str
    case: int
    attention: str
    dtype: str
    sequences: int
    tokens: int
    hidden: int
    heads: int
    kv_heads: int
    feed_forward: int
    vocabulary: int
    measured: int
    estimated: int
    low: int
    high: int

    @property
    def inside(self) -> bool:
        """Tell whether the measured peak lies in the interval."""
        return self.low <= self.measured <= self.high


class LiveStorages(TorchDispatchMode):
    """Counts the bytes of the storages that operations make, while they live."""

    def __init__(self, uncounted: Iterable[torch.Tensor]) -> None:
        super().__init__()
        self.live = self.peak = 0
        self.known = weakref.WeakSet(tensor.untyped_storage() for tensor in uncounted)

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        result = func(*args, **(kwargs or {}))
        for tensor in tree_leaves(result):
            if isinstance(tensor, torch.Tensor):
                self.hold(tensor.untyped_storage())
        self.peak = max(self.peak, self.live)
        return result

    def hold(self, storage: torch.UntypedStorage) -> None:
        """Count a storage once, until it dies."""
        if storage not in self.known:
            size = storage.nbytes()
            self.known.add(storage)
            self.live += size
            weakref.finalize(storage, self.release, size)

    def release(self, size: int) -> None:
        """Stop counting a storage."""
        self.live -= size


def drawn_fields(random: Random, family: str) -> dict[str, Any]:
    """Return a random size of a family: its hidden size, heads, feed-forward size, vocabulary, experts."""
    head = random.choice((64, 128))
    heads = random.choice((8, 12, 16, 24, 32, 40, 64))
    divisors = [number for number in (1, 2, 4, 8, heads) if heads % number == 0]
    drawn = {
        "num_hidden_layers": LAYERS,
        "hidden_size": head * heads,
        "num_attention_heads": heads,
        "num_key_value_heads": random.choice(divisors),
        "head_dim": head,
        "intermediate_size": round(head * heads * random.uniform(1.5, 6)) // 64 * 64,
        "vocab_size": random.choice((32000, 50257, 128256, 151936, 262144)),
        "pad_token_id": 0,
    }
    if family in EXPERTS:
        drawn["moe_intermediate_size"] = random.choice((512, 768, 1408, 2048))
        drawn["num_experts_per_tok"] = random.choice((1, 2, 4, 8))
    if family in {"gpt2", "opt"}:
        drawn["max_position_embeddings"] = max(CONTEXTS)
    if family == "deepseek_v3":
        drawn["num_key_value_heads"] = heads
    if family == "mamba2":
        drawn |= {"num_heads": 2 * heads, "expand": 2}
    named = {OWN.get(family, {}).get(name, name): value for name, value in drawn.items()}
    fixed = FIXED.get(family, {})
    if family == "opt":
        named["word_embed_proj_dim"] = named["hidden_size"]
    return {name: value for name, value in {**named, **fixed}.items() if value is not None}


def fused_attention(query: Any, key: Any, value: Any, attn_mask: Any = None, **_: Any) -> torch.Tensor:
    """Stand in for a fused kernel of an accelerator: it writes the output, and a truth mask as numbers.

    The CPU's own kernel falls back to written-out scores where keys and values have other sizes.
    """
    if attn_mask is not None and attn_mask.dtype == torch.bool:
        attn_mask = torch.empty_like(attn_mask, dtype=query.dtype)
    return query.new_empty(*query.shape[:-1], value.shape[-1])


def prefill(config: Any, case: dict[str, Any]) -> int:
    """Return the peak bytes of a prefill, weights apart."""
    dtype = getattr(torch, case["dtype"])
    with FakeTensorMode(allow_non_fake_inputs=True), torch.no_grad():
        with no_init_weights():
            model = AutoModelForCausalLM.from_config(
                config, dtype=dtype, attn_implementation=case["attention"]
            ).eval()
        tokens = torch.zeros(case["sequences"], case["tokens"], dtype=torch.long)
        last = (
            {"logits_to_keep": 1} if "logits_to_keep" in inspect.signature(model.forward).parameters else {}
        )
        storages = LiveStorages((*model.parameters(), *model.buffers()))
        fused = "torch.nn.functional.scaled_dot_product_attention"
        with storages, patch(fused, fused_attention):
            output = model(tokens, use_cache=True, **last)
            output.last = output.logits[:, -1].to(copy=True, dtype=torch.float32)
        return storages.peak


def measured(family: str, number: int) -> Case:
    """Draw a case, run it and estimate it."""
    random = Random(f"{SEED} {family} {number}")
    fields_drawn = drawn_fields(random, family)
    attention = random.choice(("sdpa", "eager"))
    case = {
        "attention": attention,
        "dtype": random.choice(
            ("bfloat16",) if family in GROUPED else ("bfloat16", "bfloat16", "bfloat16", "float32")
        ),
        "sequences": random.choice((1, 1, 2, 4)),
        "tokens": random.choice(CONTEXTS if attention == "sdpa" else CONTEXTS[:5]),
    }
    config = AutoConfig.for_model(family, **fields_drawn)
    if not class_has_fused(family):
        case["attention"] = "eager"
    architecture = describe(Config(json.loads(json.dumps(config.to_dict())), family))
    line = prefill_buffers(
        architecture,
        Prefill(
            tokens=case["tokens"],
            sequences=case["sequences"],
            number_bytes=BYTES[case["dtype"]],
            eager=case["attention"] == "eager",
        ),
    )
    low, high = line.interval
    each = BYTES[case["dtype"]]
    request = CacheRequest(
        context=case["tokens"], sequences=case["sequences"], cache_bytes=each, state_bytes=each
    )
    cache = Transformers().cache(architecture.kept(), request)
    return Case(
        family=family,
        case=number,
        **case,
        hidden=config.hidden_size,
        heads=config.num_attention_heads,
        kv_heads=getattr(config, "num_key_value_heads", 0) or 0,
        feed_forward=getattr(config, "intermediate_size", 0) or 0,
        vocabulary=config.vocab_size,
        measured=prefill(config, case) - cache.value,
        estimated=line.value,
        low=low,
        high=high,
    )


def class_has_fused(family: str) -> bool:
    """Tell whether the family's class has a fused attention kernel."""
    return MODEL_FOR_CAUSAL_LM_MAPPING[CONFIG_MAPPING[family]]._supports_sdpa


SCANNING = {"mamba2", "nemotron_h", "qwen3_next", "jamba", "falcon_h1"}
"""Families with state-space scans, which the fake run does without fused kernels."""


def coverage(cases: Iterable[Case]) -> str:
    """Return how many of the cases lie in their interval, and how far off the estimates are."""
    rows = list(cases)
    if not rows:
        return "none"
    inside = sum(case.inside for case in rows)
    ratios = sorted(case.measured / case.estimated for case in rows)
    tenth, middle, ninetieth = (ratios[int(share * (len(ratios) - 1))] for share in (0.1, 0.5, 0.9))
    return (
        f"{inside} of {len(rows)} inside; measured / estimated: "
        f"{tenth:.2f} (10 %), {middle:.2f} (50 %), {ninetieth:.2f} (90 %)"
    )


def main(count: int, path: Path) -> None:
    """Measure every family, write the rows and print how many lie inside."""
    cases = [measured(family, number) for family in FAMILIES for number in range(count)]
    path.parent.mkdir(exist_ok=True)
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, [field.name for field in fields(Case)], lineterminator="\n")
        writer.writeheader()
        writer.writerows(asdict(case) for case in cases)
    for scans in (False, True):
        chosen = [case for case in cases if (case.family in SCANNING) == scans]
        print(f"{'with' if scans else 'without'} scans: {coverage(chosen)}")


if __name__ == "__main__":
    arguments = sys.argv[1:]
    main(int(arguments[0]) if arguments else 4, Path(arguments[1]) if arguments[1:] else RESULTS)
