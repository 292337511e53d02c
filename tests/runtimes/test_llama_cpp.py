"""What llama.cpp 0.5.0 reports for whole runs: caches of latent attention, refusals, compute buffers."""

from typing import Any

import pytest

import sizewise as sw
from sizewise.errors import UsageError

MIB = 2**20
MINICPM3 = {"model_type": "minicpm3", "vocab_size": 73448}
DEEPSEEK_V2 = {"model_type": "deepseek_v2", "num_hidden_layers": 4}


def memory(config: dict[str, Any], **options: Any) -> Any:
    cpu = {"on": "xeon-6980p", "memory": "30000GiB"}
    return sw.memory(config, runtime="llama.cpp", quant="f16", **cpu, **options)


def cache_mib(config: dict[str, Any], **options: Any) -> float:
    return memory(config, **options).part("cache").value / MIB


def test_minicpm3_keeps_the_keys_and_values_of_all_heads() -> None:
    assert cache_mib(MINICPM3, context=8192) == 6200


def test_one_row_for_key_and_value_has_one_type() -> None:
    with pytest.raises(UsageError, match="as one"):
        memory(DEEPSEEK_V2, kv_cache_dtype="q8_0", value_cache_dtype="f16")
