"""Which classes of models serving engines run: lists read off their registries.

Names are compared without case and underscores: published files spell some classes otherwise than
transformers does (``PhiMoEForCausalLM``).
"""

from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any, Literal

from sizewise.catalog.rows import machine_made, normalised, tables

Served = Literal["vllm", "sglang"]


def runs_class(engine: Served, model_class: str) -> bool:
    """Tell whether an engine has a class of its own for a class of transformers.

    vLLM turns a class into another of the same stem (``Qwen3Model`` into ``Qwen3ForCausalLM``).

    >>> runs_class("vllm", "LlamaForCausalLM"), runs_class("vllm", "MptForCausalLM")
    (True, False)
    >>> runs_class("vllm", "LlamaForSequenceClassification")
    True
    """
    name = tables("runtimes")["classes"]["names"].get(model_class, model_class)
    known = _known(engine)
    if normalised(name) in known:
        return True
    endings: Iterable[str] = _document(engine).get("endings", ())
    ending = next((one for one in endings if name.endswith(one)), None)
    if ending is None:
        return False
    stem = name.removesuffix(ending)
    return any(normalised(stem + other) in known for other in endings)


def last_version(engine: Served, model_class: str) -> str | None:
    """Return the last version of an engine that had a class which it no longer has.

    >>> last_version("vllm", "MptForCausalLM")
    '0.28.0'
    """
    found: str | None = _document(engine).get("until", {}).get(model_class)
    return found


@cache
def _known(engine: Served) -> frozenset[str]:
    return frozenset(normalised(name) for name in _document(engine)["classes"])


def _document(engine: Served) -> Mapping[str, Any]:
    found: Mapping[str, Any] = machine_made(f"runtimes/{engine}_classes.json")
    return found
