"""The engines by name; one is imported when it is first asked for."""

from collections.abc import Iterator, Mapping
from functools import cache
from importlib import import_module

from sizewise.runtimes.working import Engine

MODULES = {
    "ideal": ("sizewise.runtimes.ideal", "Ideal", {}),
    "transformers": ("sizewise.runtimes.transformers", "Transformers", {}),
    "vllm": ("sizewise.runtimes.vllm.engine", "Vllm", {}),
    "sglang": ("sizewise.runtimes.sglang.engine", "Sglang", {}),
    "llama.cpp": ("sizewise.runtimes.llama_cpp", "LlamaCpp", {}),
    "ollama": ("sizewise.runtimes.llama_cpp", "LlamaCpp", {"name": "ollama", "version": "0.33"}),
    "mlx": ("sizewise.runtimes.mlx_engine", "MlxLm", {}),
}
"""Where each engine is, its class, and what it is made with."""


class Engines(Mapping[str, Engine]):
    """The engines, each made at the first look."""

    def __getitem__(self, name: str) -> Engine:
        """Return the engine of that name."""
        return _made(name)

    def __iter__(self) -> Iterator[str]:
        """Yield the names."""
        return iter(MODULES)

    def __len__(self) -> int:
        """Count the engines."""
        return len(MODULES)


@cache
def _made(name: str) -> Engine:
    module, kind, options = MODULES[name]
    engine: Engine = getattr(import_module(module), kind)(**options)
    return engine


RUNTIMES: Mapping[str, Engine] = Engines()
