"""The engines by name."""

from collections.abc import Mapping

from sizewise.runtimes.ideal import Ideal
from sizewise.runtimes.llama_cpp import LlamaCpp
from sizewise.runtimes.mlx_engine import MlxLm
from sizewise.runtimes.sglang.engine import Sglang
from sizewise.runtimes.transformers import Transformers
from sizewise.runtimes.vllm.engine import Vllm
from sizewise.runtimes.working import Engine

RUNTIMES: Mapping[str, Engine] = {
    "ideal": Ideal(),
    "transformers": Transformers(),
    "vllm": Vllm(),
    "sglang": Sglang(),
    "llama.cpp": LlamaCpp(),
    "ollama": LlamaCpp(name="ollama", version="0.33"),
    "mlx": MlxLm(),
}
