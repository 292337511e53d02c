"""Published rules for the FLOPs of training on one sequence, each beside the exact count.

N parameters, T tokens of the sequence, L layers, D hidden, V vocabulary, A = L*N*H the width of attention
over all layers (L*D in the models the rules were written for). Forward and backward, without recomputation
where the rule does not say otherwise; a rule "per token" is taken T times.
"""

from dataclasses import dataclass

from sizewise.architecture import Model
from sizewise.flops.dimensions import dimensions
from sizewise.flops.forward import UNIT, forward_flops
from sizewise.flops.training import model_flops, training_flops
from sizewise.ledger import Line, leaf
from sizewise.recipe import Recipe

KAPLAN = "Kaplan et al. 2020, arXiv:2001.08361, section 2.1 and table 1"


def two_n(parameters: int, tokens: int) -> Line:
    """Return the FLOPs of a forward pass: a multiply-add per parameter and token.

    >>> two_n(7_000_000_000, 1).value
    14000000000
    """
    return _rule("2N", 2 * parameters * tokens, "2 * N * T", {"N": parameters, "T": tokens}, KAPLAN)


def six_nd(parameters: int, tokens: int, name: str = "6ND") -> Line:
    """Return the FLOPs of training on D tokens; which parameters N counts is a convention of its own.

    >>> six_nd(7_000_000_000, 140_000_000_000).value
    5880000000000000000000
    """
    return _rule(name, 6 * parameters * tokens, "6 * N * D", {"N": parameters, "D": tokens}, KAPLAN)


def kaplan(non_embedding: int, attention: int, tokens: int) -> Line:
    """Return 3 (2N + 2 L n_ctx d_attn) per token: N without embeddings, a term for the context.

    The paper's table 1 counts Q·Kᵀ alone as 2 n_layer n_ctx d_attn a token.
    """
    inputs = {"N": non_embedding, "A": attention, "T": tokens}
    amount = 3 * tokens * (2 * non_embedding + 2 * attention * tokens)
    return _rule("Kaplan", amount, "3 * T * (2 * N + 2 * A * T)", inputs, KAPLAN)


def palm(parameters: int, attention: int, tokens: int) -> Line:
    """Return 6N + 12 L H Q T per token (H heads of size Q): all pairs of queries and keys."""
    inputs = {"N": parameters, "A": attention, "T": tokens}
    amount = tokens * (6 * parameters + 12 * attention * tokens)
    source = "Chowdhery et al. 2022, arXiv:2204.02311, appendix B"
    return _rule("PaLM", amount, "T * (6 * N + 12 * A * T)", inputs, source)


def deepseek(layers: int, hidden: int, tokens: int) -> Line:
    """Return M = 72 L D² + 12 L D T per token: neither embeddings nor head are counted."""
    inputs = {"L": layers, "D": hidden, "T": tokens}
    amount = tokens * (72 * layers * hidden**2 + 12 * layers * hidden * tokens)
    formula = "T * (72 * L * D ** 2 + 12 * L * D * T)"
    return _rule("DeepSeek", amount, formula, inputs, "DeepSeek-AI 2024, arXiv:2401.02954, eq. 2")


def megatron(
    layers: int, hidden: int, vocabulary: int, tokens: int, *, sequences: int = 1, recompute: bool = False
) -> Line:
    """Return 72 B s l h² (1 + s/6h + V/12lh); with layers done twice 96 B s l h² (1 + s/6h + V/16lh).

    A decoder of feed-forward size 4h with as many key as query heads. The head is not done twice: with
    either factor it costs 6 B s h V.

    >>> megatron(96, 12288, 51200, 2048, sequences=1536, recompute=True).value
    4510970753323106304
    """
    inputs = {"B": sequences, "L": layers, "D": hidden, "V": vocabulary, "T": tokens}
    block, pair, head = layers * hidden**2, layers * hidden * tokens, 6 * hidden * vocabulary
    if recompute:
        amount = sequences * tokens * (96 * block + 16 * pair + head)
        formula = "B * T * (96 * L * D ** 2 + 16 * L * D * T + 6 * D * V)"
        source = "Narayanan et al. 2021, arXiv:2104.04473, eq. 3"
        return _rule("Megatron, layers done twice", amount, formula, inputs, source)
    amount = sequences * tokens * (72 * block + 12 * pair + head)
    formula = "B * T * (72 * L * D ** 2 + 12 * L * D * T + 6 * D * V)"
    return _rule("Megatron", amount, formula, inputs, "Korthikanti et al. 2022, arXiv:2205.05198, appendix A")


def mosaicml(parameters: int, layers: int, hidden: int, tokens: int) -> Line:
    """Return 3 (2 N s + 4 L D s²): all parameters, embeddings included, and all pairs.

    >>> mosaicml(64_862_437_376, 80, 8192, 2048).value
    830014979309568
    """
    inputs = {"N": parameters, "L": layers, "D": hidden, "T": tokens}
    source = "mosaicml/llm-foundry, scripts/train/benchmarking/README.md at 8c8dd48"
    amount = 3 * (2 * parameters * tokens + 4 * layers * hidden * tokens**2)
    return _rule("MosaicML", amount, "3 * (2 * N * T + 4 * L * D * T ** 2)", inputs, source)


def _rule(name: str, amount: int, formula: str, inputs: dict[str, int], source: str) -> Line:
    return leaf(name, amount, UNIT, formula=formula, inputs=inputs, source=source, status="assumed")


@dataclass(frozen=True, slots=True, kw_only=True)
class Shortcut:
    """What a rule says for one sequence, and the exact count of what the rule means."""

    rule: Line
    exact: Line

    @property
    def error(self) -> float:
        """The rule's relative error: 0.1 is ten percent too many."""
        return self.rule.value / self.exact.value - 1


def shortcuts(model: Model, sequence: int) -> tuple[Shortcut, ...]:
    """Return the rules for one sequence of ``sequence`` tokens beside the exact counts, all pairs counted.

    The rules for training stand beside the model's FLOPs, Megatron's 96 beside those with layers done twice.
    """
    size = dimensions(model)
    layers, hidden = size.layers, size.hidden
    once = model_flops(model, Recipe(sequence=sequence))
    twice = training_flops(model, Recipe(sequence=sequence, attention="eager", recompute="full"))
    training = (
        six_nd(size.parameters, sequence, "6ND, all parameters"),
        six_nd(size.non_embedding, sequence, "6ND, without embeddings"),
        six_nd(size.matmul, sequence, "6ND, matmul parameters"),
        kaplan(size.non_embedding, size.attention, sequence),
        palm(size.parameters, size.attention, sequence),
        deepseek(layers, hidden, sequence),
        megatron(layers, hidden, size.vocabulary, sequence),
        mosaicml(size.parameters, layers, hidden, sequence),
    )
    return (
        Shortcut(rule=two_n(size.matmul, sequence), exact=forward_flops(model, tokens=sequence)),
        *(Shortcut(rule=rule, exact=once) for rule in training),
        Shortcut(rule=megatron(layers, hidden, size.vocabulary, sequence, recompute=True), exact=twice),
    )
