"""llama.cpp's compute buffer: the graph of one step, emitted block by block, and its allocation replayed.

Source: llama.cpp lib 0.5.0 (ggml 0.25.3, MIT), the graph of one CPU device. `graph_plan` turns an
architecture into the plan of its graph (None where the type is not modelled), `compute_bytes` and
`output_bytes` say what a plan needs under given `GraphSettings`.
"""

from sizewise.runtimes.llama_graph.decoder import compute_bytes, output_bytes
from sizewise.runtimes.llama_graph.from_architecture import graph_plan
from sizewise.runtimes.llama_graph.plan import GraphPlan
from sizewise.runtimes.llama_graph.step import GraphSettings

__all__ = [
    "GraphPlan",
    "GraphSettings",
    "compute_bytes",
    "graph_plan",
    "output_bytes",
]
