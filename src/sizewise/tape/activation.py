"""Activation functions as the classes write them. Source: transformers 5.23, activations.py."""

from collections.abc import Callable

from sizewise.tape.tape import NotRecordable, Tape
from sizewise.tape.tensors import Tensor

INPUT_KERNELS = (
    "silu",
    "swish",
    "gelu",
    "gelu_pytorch_tanh",
    "mish",
    "leaky_relu",
    "relu6",
    "sigmoid_input",
)
"""One torch kernel each that saves its input."""

OUTPUT_KERNELS = ("relu", "sigmoid", "tanh")
"""One torch kernel each that saves its output."""


def activation(tape: Tape, source: Tensor) -> Tensor:
    """Record the activation that the style names. Raises NotRecordable where no record is known."""
    name = tape.style.activation
    if name in INPUT_KERNELS:
        return tape.unary(name, source, "input")
    if name in OUTPUT_KERNELS:
        return tape.unary(name, source, "output")
    written = _WRITTEN.get(name)
    if written is None:
        raise NotRecordable(f"activation {name}")
    return written(tape, source)


def tanh_approximation(tape: Tape, source: Tensor) -> Tensor:
    """Record 0.5 * x * (1 + tanh(c * (x + 0.044715 * x³))), operation by operation."""
    half = tape.scale(source)
    cube = tape.unary("power", source, "input")
    inner = tape.scale(tape.add(source, tape.scale(cube)))
    bent = tape.scale(tape.unary("tanh", inner, "output"))
    return tape.multiply(half, bent)


def fast_approximation(tape: Tape, source: Tensor) -> Tensor:
    """Record 0.5 * x * (1 + tanh(x * c * (1 + 0.044715 * x * x))), operation by operation."""
    half = tape.scale(source)
    square = tape.scale(tape.multiply(tape.scale(source), source))
    inner = tape.multiply(tape.scale(source), square)
    return tape.multiply(half, tape.scale(tape.unary("tanh", inner, "output")))


def clipped_gelu(tape: Tape, source: Tensor) -> Tensor:
    """Record GELU cut to a range."""
    return tape.unary("clamp", tape.unary("gelu", source, "input"), "input")


def written_gelu(tape: Tape, source: Tensor) -> Tensor:
    """Record 0.5 * x * (1 + erf(x / sqrt 2))."""
    share = tape.scale(tape.unary("erf", tape.scale(source), "input"))
    return tape.multiply(tape.scale(source), share)


def laplace(tape: Tape, source: Tensor) -> Tensor:
    """Record 0.5 * (1 + erf((x - mean) / deviation))."""
    return tape.scale(tape.unary("erf", tape.scale(source), "input"))


def squared_relu(tape: Tape, source: Tensor) -> Tensor:
    """Record relu(x)²."""
    return tape.unary("power", tape.unary("relu", source, "output"), "input")


def quick_gelu(tape: Tape, source: Tensor) -> Tensor:
    """Record x * sigmoid(1.702 * x)."""
    return tape.multiply(source, tape.unary("sigmoid", tape.scale(source), "output"))


def xielu(tape: Tape, source: Tensor) -> Tensor:
    """Record xIELU: a*x² + b*x above zero, (exp(min(x, 0)) - 1 - x) * c + b*x below; a and c are trained.

    Source: Huang and Schlag 2024, arXiv:2411.13010; written out as transformers does without its kernel.
    """
    above, below = (tape.unary("softplus", tape.weight(1), "input") for _ in range(2))
    square = tape.multiply(tape.multiply(above, source), source)
    positive = tape.add(square, tape.scale(source))
    bent = tape.unary("expm1", tape.unary("minimum", source, "input"), "output")
    negative = tape.add(tape.multiply(tape.add(bent, source), tape.scale(below)), tape.scale(source))
    where = tape.step("above zero", (), source.numbers, 1)
    return tape.step("choose", (positive, negative), source.numbers, source.width, saved=(where,))


_WRITTEN: dict[str, Callable[[Tape, Tensor], Tensor]] = {
    "linear": lambda _tape, source: source,
    "gelu_10": clipped_gelu,
    "gelu_python": written_gelu,
    "gelu_python_tanh": tanh_approximation,
    "laplace": laplace,
    "gelu_new": tanh_approximation,
    "gelu_fast": fast_approximation,
    "relu2": squared_relu,
    "quick_gelu": quick_gelu,
    "xielu": xielu,
}
