"""Scheme: which format each weight of a model is stored in, and as which tensors.

A rule packs matrices (and tables, where the method packs them); everything else, and what a layout
cannot hold, is stored in the base format. Biases, norms, kernels and other small tensors are never
packed.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from fractions import Fraction

from sizewise.catalog.formats import Format, find_format
from sizewise.formats.layouts import layout
from sizewise.formats.modules import matrices, matrix_count
from sizewise.formats.patterns import Module, Patterns, compile_patterns
from sizewise.formats.quantization import PackingRule, Quantization
from sizewise.formats.stored import Stored
from sizewise.tensors import Weight

_BESIDE_TEXT = frozenset({"vision", "audio", "projector"})
_NEVER_LISTED = frozenset({"embedding", "position", "norm", "router"})


_NO_PATTERNS = Patterns()

Choice = tuple[tuple[int | None, int], ...]
"""How many of the published matrices of a weight the rule of an index packs (None: none does)."""

_NAMES_WORK = 25
"""Steps of a pattern that take as long as naming a matrix and looking its names up."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """A format for the modules that ``targets`` covers (none: all that the format packs) but ``ignored``."""

    format: Format
    targets: Patterns = _NO_PATTERNS
    ignored: Patterns = _NO_PATTERNS

    def covers(self, weight: Weight, module: Module) -> bool:
        """Tell whether the rule packs a matrix of a module."""
        if self.ignored.cover(module):
            return False
        return self.targets.cover(module) if self.targets else packs(self.format, weight)

    @property
    def work(self) -> int:
        """Estimate the steps of asking whether a matrix is covered."""
        return 1 + self.targets.work + self.ignored.work


@dataclass(frozen=True, slots=True, kw_only=True)
class Packing:
    """``copies`` times the same tensors, in one format."""

    format: Format
    tensors: tuple[Stored, ...]
    copies: int = 1

    @property
    def bytes(self) -> int:
        """Bytes of all copies, without constants."""
        return self.copies * sum(tensor.bytes for tensor in self.tensors if not tensor.constant)

    @property
    def elements(self) -> int:
        """Count the stored elements of all copies, without constants."""
        return self.copies * sum(tensor.elements for tensor in self.tensors if not tensor.constant)

    @property
    def constant_bytes(self) -> int:
        """Bytes of the code tables, states and markers of all copies."""
        return self.copies * sum(tensor.bytes for tensor in self.tensors if tensor.constant)


@dataclass(frozen=True, slots=True, kw_only=True)
class Scheme:
    """Rules over a base format.

    ``packer`` names the method (empty: none), ``assumed`` says that nothing names the base format.
    """

    base: Format
    rules: tuple[Rule, ...] = ()
    packer: str = ""
    assumed: bool = False

    def layer_numbers(self) -> frozenset[str]:
        """Return the numbers of layers (and of anything else) that rules name: others are all alike."""
        return frozenset().union(*(patterns.numbers for patterns in self._patterns()))

    def expert_numbers(self) -> frozenset[str]:
        """Return the numbers of experts that rules name: others are all alike."""
        return frozenset().union(*(patterns.expert_numbers for patterns in self._patterns()))

    def packings(self, weight: Weight, name: str = "") -> Iterator[Packing]:
        """Yield what a weight is stored as; ``name`` is its full name, needed where names matter."""
        yield from self.stored(weight, self.choose(weight, name, self.expert_numbers()))

    def choose(self, weight: Weight, name: str, experts: frozenset[str]) -> Choice:
        """Return which rules pack a weight of this full name; ``experts`` are `expert_numbers`."""
        if not _packable(weight) or not self.rules:
            return ()
        found: dict[int | None, int] = {}
        for entry in matrices(weight, name, experts):
            module = Module(entry.names)
            index = next((at for at, rule in enumerate(self.rules) if rule.covers(weight, module)), None)
            found[index] = found.get(index, 0) + entry.count
        return tuple(found.items())

    def stored(self, weight: Weight, choice: Choice) -> Iterator[Packing]:
        """Yield what a weight is stored as where these rules pack it."""
        formats: dict[Format | None, int] = {}
        for index, count in choice:
            format = None if index is None else self.rules[index].format
            formats[format] = formats.get(format, 0) + count
        yield from self._stored(weight, formats)

    def work(self, weight: Weight, experts: frozenset[str]) -> int:
        """Estimate the steps of `choose` for one name."""
        if not _packable(weight) or not self.rules:
            return 1
        return matrix_count(weight, experts) * (_NAMES_WORK + sum(rule.work for rule in self.rules))

    def _stored(self, weight: Weight, formats: dict[Format | None, int]) -> Iterator[Packing]:
        """Yield a packing per format of the published matrices, which are all alike."""
        if not formats:
            yield self._unpacked(weight.shape)
            return
        rows, left = weight.rows // weight.pieces, 0
        for format, copies in formats.items():
            tensors = None if format is None else self._packed(format, weight, rows)
            if format is None or tensors is None:
                left += copies
            else:
                yield Packing(format=format, tensors=tensors, copies=copies)
        if left == sum(formats.values()):
            yield self._unpacked(weight.shape)
        elif left:
            yield self._unpacked((rows, weight.columns), left)

    def _packed(self, format: Format, weight: Weight, rows: int) -> tuple[Stored, ...] | None:
        if weight.rows % weight.pieces or not weight.elements:
            return None
        if weight.role == "head" and format.head_bits is not None:
            format = replace(format, bits=format.head_bits)
        return layout(format)(rows, weight.columns, format, self.base.dtype)

    def _unpacked(self, shape: tuple[int, ...], copies: int = 1) -> Packing:
        tensor = Stored(name="weight", dtype=self.base.dtype, shape=shape)
        return Packing(format=self.base, tensors=(tensor,), copies=copies)

    def _patterns(self) -> Iterator[Patterns]:
        for rule in self.rules:
            yield rule.targets
            yield rule.ignored


def _packable(weight: Weight) -> bool:
    return weight.kind in ("matrix", "table") and len(weight.shape) in (2, 3)


def packs(format: Format, weight: Weight) -> bool:
    """Tell whether a format packs weights of that kind and role by default."""
    if weight.kind == "table" and not format.tables:
        return False
    return weight.role in format.only if format.only else weight.role not in format.leaves


def chosen_scheme(format: Format, base: str = "bf16", model_class: str = "") -> Scheme:
    """Return the scheme of one format for the whole model, over a 16-bit ``base``.

    ``model_class`` names the class whose linear layers a method may not recognise.
    """
    if format.plain:
        return Scheme(base=format)
    rules = () if model_class in format.leaves_classes else (_rule(format, PackingRule(format=format.name)),)
    return Scheme(base=find_format(base), rules=rules, packer=format.name)


def declared_scheme(quantization: Quantization, base: str = "bf16") -> Scheme:
    """Return the scheme that a source's own quantization settings describe.

    Raises UsageError (bad_option) for a format name that is not known.
    """
    outside = _BESIDE_TEXT if quantization.text_only else frozenset()
    rules = tuple(
        _rule(_adapted(find_format(rule.format), rule, outside), rule) for rule in quantization.rules
    )
    return Scheme(base=find_format(base), rules=rules, packer=quantization.format)


def _rule(format: Format, rule: PackingRule) -> Rule:
    return Rule(
        format=format,
        targets=compile_patterns(rule.targets),
        ignored=compile_patterns((*rule.ignored, *format.leaves_modules)),
    )


def _adapted(format: Format, rule: PackingRule, outside: frozenset[str]) -> Format:
    """Return the format with the settings that the source states."""
    leaves = _NEVER_LISTED if rule.lists_all else format.leaves - ({"head"} if rule.head else set())
    return replace(
        format,
        bits=format.bits if rule.bits is None else Fraction(rule.bits),
        group=format.group if rule.group is None else rule.group or None,
        block=rule.block or format.block,
        head_bits=format.head_bits if rule.head_bits is None else Fraction(rule.head_bits),
        zero_point=format.zero_point if rule.zero_point is None else rule.zero_point,
        leaves=leaves | outside,
        only=frozenset() if rule.lists_all else format.only,
    )
