"""FLOPs of operators that torch's own counter has no rule for, from the shapes of their arguments.

torch 2.13's FlopCounterMode counts nothing for the CPU's attention kernel, grouped products of experts,
integer products, products with a vector and fused recurrent layers. One multiply-add is two FLOPs.
Attention is counted with all pairs of queries and keys, masked or not, as torch does, and its backward pass
with five products for three: fused kernels compute the scores again (Dao et al. 2022, arXiv:2205.14135).
"""

from collections.abc import Callable, Sequence
from math import prod
from typing import Any

Shape = Sequence[int]
Rule = Callable[..., int]


def vector_product(left: Shape, right: Shape, *_: Any, **__: Any) -> int:
    """Return the FLOPs of ``mv`` and ``dot``: [.., K] by [K].

    >>> vector_product((3, 4), (4,))
    24
    """
    return 2 * prod(left)


def added_vector_product(bias: Shape, left: Shape, right: Shape, *_: Any, **__: Any) -> int:
    """Return the FLOPs of ``addmv``; the bias is added, not multiplied."""
    return 2 * prod(left)


def product(left: Shape, right: Shape, *_: Any, **__: Any) -> int:
    """Return the FLOPs of a product of two matrices: [M, K] by [K, N].

    >>> product((2, 3), (3, 5))
    60
    """
    return 2 * prod(left) * right[-1]


def grouped_product(left: Shape, right: Shape, *_: Any, **__: Any) -> int:
    """Return the FLOPs of a product whose rows are shared among experts: each row meets one of them.

    In the gradient of the weights (2-D by 2-D) the inner axis is shared.

    >>> grouped_product((10, 4), (8, 4, 6)), grouped_product((4, 10), (10, 6))
    (480, 480)
    """
    return 2 * prod(left) * right[-1]


def attention(query: Shape, key: Shape, value: Shape, *_: Any, **__: Any) -> int:
    """Return the FLOPs of fused attention: scores and weighted values. Shapes [B, heads, S, H].

    Keys of fewer heads are repeated for every query head: the query's heads count.

    >>> attention((1, 4, 8, 16), (1, 2, 8, 16), (1, 2, 8, 16))
    16384
    """
    batch, heads, queries, features = query
    return 2 * batch * heads * queries * key[-2] * (features + value[-1])


def attention_backward(_gradient: Shape, query: Shape, key: Shape, value: Shape, *_: Any, **__: Any) -> int:
    """Return the FLOPs of its backward pass: scores again, and a product for each of five gradients.

    >>> attention_backward((1, 4, 8, 16), (1, 4, 8, 16), (1, 4, 8, 16), (1, 4, 8, 16))
    40960
    """
    batch, heads, queries, features = query
    return 2 * batch * heads * queries * key[-2] * (3 * features + 2 * value[-1])


def recurrent_layer(tokens: Shape, inputs: Shape, states: Shape, *_: Any, **__: Any) -> int:
    """Return the FLOPs of one direction of a fused LSTM layer: two products per step. Tokens [S, B, D]."""
    return 2 * tokens[0] * tokens[1] * (prod(inputs) + prod(states))


def recurrent_layer_backward(*shapes: Any, **__: Any) -> int:
    """Return the FLOPs of its backward pass: a gradient of what goes in and one of the weights."""
    return 2 * recurrent_layer(*shapes)


def packed_vector_product(tokens: Shape, _packed: Shape, shape: Shape, *_: Any, **__: Any) -> int:
    """Return the FLOPs of a product with a matrix in 4 bit, whose logical ``shape`` is [out, in].

    >>> packed_vector_product((1, 64), (2048, 1), (64, 64))
    8192
    """
    return 2 * prod(tokens) * shape[0]


def convolution_backward(
    gradient: Shape,
    inputs: Shape,
    weights: Shape,
    _bias: Any,
    _stride: Any,
    _padding: Any,
    _dilation: Any,
    transposed: bool,
    _output_padding: Any,
    _groups: int,
    wanted: Sequence[bool],
    *_: Any,
    **__: Any,
) -> int:
    """Return the FLOPs of a convolution's gradients: of input and weights each as many as it has itself.

    torch's own rule takes the gradient of the weights for that of one group, however many there are.

    >>> shapes = (1, 8, 10), (1, 8, 12), (8, 1, 3)
    >>> convolution_backward(*shapes, None, 1, 0, 1, False, 0, 8, [True, True, False])
    960
    """
    places = prod((inputs if transposed else gradient)[2:])
    return 2 * gradient[0] * places * prod(weights) * sum(wanted[:2])


def triangular_solution(system: Shape, right: Shape, *_: Any, left: bool = True, **__: Any) -> int:
    """Return the FLOPs of solving a triangular system [.., N, N] for [.., N, K]: half a product, N times N.

    >>> triangular_solution((2, 4, 4), (2, 4, 3))
    96
    """
    return prod(right) * system[-1]


def integer_product(left: Shape, right: Shape, *_: Any, **__: Any) -> int:
    """Return the FLOPs of a product with an integer matrix [out, in].

    >>> integer_product((2, 64), (32, 64))
    8192
    """
    return 2 * prod(left) * right[0]


RULES: dict[str, dict[str, Rule]] = {
    "aten": {
        "_scaled_dot_product_flash_attention_for_cpu": attention,
        "_scaled_dot_product_flash_attention_for_cpu_backward": attention_backward,
        "_scaled_dot_product_fused_attention_overrideable": attention,
        "_scaled_dot_product_fused_attention_overrideable_backward": attention_backward,
        "_grouped_mm": grouped_product,
        "_scaled_grouped_mm": grouped_product,
        "_int_mm": product,
        "mv": vector_product,
        "dot": vector_product,
        "vdot": vector_product,
        "addmv": added_vector_product,
        "mkldnn_rnn_layer": recurrent_layer,
        "mkldnn_rnn_layer_backward": recurrent_layer_backward,
        "linalg_solve_triangular": triangular_solution,
        "convolution_backward": convolution_backward,
    },
    "bitsandbytes": {
        "gemv_4bit": packed_vector_product,
        "int8_linear_matmul": integer_product,
        "int8_scaled_mm": integer_product,
    },
}
"""By namespace and name of the operator. Names that this torch does not have are passed over."""

CORRECTIONS = (convolution_backward,)
"""Rules that take the place of torch's own."""

PRODUCTS = (
    "mm",
    "matmul",
    "attention",
    "conv",
    "linear",
    "mv",
    "dot",
    "addr",
    "rnn",
    "lstm",
    "gru",
    "encoder_layer",
    "multi_head",
    "trilinear",
    "fft",
    "cdist",
    "linalg_",
    "cholesky",
    "triangular",
)
"""What the names of operators that multiply matrices hold."""

CHEAP = (
    "cumm",
    "linalg_vector_norm",
    "linalg_cross",
    "linalg_diagonal",
    "convert",
    "linear_gamma",
    "comm",
    "upsample",
    "linear_quantize",
    "summary",
    "unlinear",
)
"""What the names of others hold that PRODUCTS would take for one."""


def looks_like_product(namespace: str, name: str) -> bool:
    """Tell whether an operator multiplies matrices, or may: what torch itself did not write is unknown.

    >>> looks_like_product("aten", "_trilinear"), looks_like_product("aten", "add")
    (True, False)
    >>> looks_like_product("flash_attn", "_forward")
    True
    """
    if namespace not in KNOWN_SPACES:
        return True
    return any(part in name for part in PRODUCTS) and not any(part in name for part in CHEAP)


KNOWN_SPACES = ("aten", "prims", "prim", "profiler", "c10d", "inductor", "bitsandbytes")
"""Namespaces whose operators' names say what they do."""
