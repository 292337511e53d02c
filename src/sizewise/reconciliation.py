"""Why totals differ: parameters of a model, elements of a checkpoint, and a published total.

Counters of files add up stored elements: a tied head that is stored again, buffers, scales, layers that
predict further tokens. `reconcile` finds, from a configuration, which of these make up the difference;
`reconcile_listing` reads them off the tensors of a checkpoint.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations

from sizewise.architecture import HEADER, Architecture, Model
from sizewise.catalog.formats import find_format
from sizewise.counting import total_parameters
from sizewise.footprint.weights import sixteen_bit, storage, stored_weights
from sizewise.formats.scheme import Scheme
from sizewise.ledger import Line, Status, leaf, total
from sizewise.listing import Listing
from sizewise.plans.beside import CORRECTIONS, MASKS, ROTARY
from sizewise.sources.content.kinds import Kind
from sizewise.sources.content.logical import TensorGroup, tensor_groups

UNIT = "elements"
CANDIDATE_LIMIT = 12
TIED_COPY = "tied_lm_head_copy"

_NAMES: dict[Kind, str] = {
    "mask": MASKS,
    "rotary": ROTARY,
    "correction": CORRECTIONS,
    "prediction": "mtp_layers",
    "tied_copy": TIED_COPY,
    "table_copy": "tied_embedding_copies",
    "other": "other_tensors",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """A named part of the difference, in elements; negative where packing stores fewer."""

    name: str
    elements: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Reconciliation:
    """The parameters of a model, the items that a total has beside them, and what no item explains.

    ``status`` of the items: exact when read off tensors, derived when they follow from a configuration.
    """

    parameters: int
    items: tuple[Item, ...]
    residual: int
    status: Status = "derived"

    @property
    def total(self) -> int:
        """The total that was reconciled."""
        return self.parameters + sum(item.elements for item in self.items) + self.residual

    @property
    def explained(self) -> bool:
        """Tell whether nothing is left over."""
        return self.residual == 0

    @property
    def line(self) -> Line:
        """The total as a line: parameters, items, and the residual where there is one."""
        parts = [leaf("parameters", self.parameters, UNIT)]
        parts.extend(leaf(item.name, item.elements, UNIT, status=self.status) for item in self.items)
        if self.residual:
            parts.append(leaf("residual", self.residual, UNIT, status="assumed"))
        return total("elements", parts, UNIT)


def reconciled(model: Model) -> Reconciliation | None:
    """Return how the model's own checkpoint or published total follows from it; None where it has neither."""
    if model.listing is not None and model.model_type != HEADER:
        return reconcile_listing(model, model.listing)
    if model.published is None:
        return None
    return reconcile(model, model.published)


def reconcile(model: Model, published: int) -> Reconciliation:
    """Return the items that make up the difference between a model and a published total.

    Of the candidates those that sum to the difference count: all of them, else with the fewest left
    out. Where no choice does, the one that comes nearest, and the residual says by how much it fails.

    >>> from sizewise.sources.config_json import from_config
    >>> config = {"model_type": "gpt2", "n_embd": 768, "n_layer": 12, "n_head": 12, "vocab_size": 50257}
    >>> gpt2 = from_config(config | {"n_positions": 1024}, name="gpt2", origin="example")
    >>> [item.elements for item in reconcile(gpt2, 137_022_720).items]
    [12582912]
    """
    parameters = total_parameters(model.architecture)
    difference = published - parameters
    chosen = nearest(tuple(candidates(model)), difference)
    items = _merged(item for group in chosen for item in group)
    residual = difference - sum(item.elements for item in items)
    return Reconciliation(parameters=parameters, items=items, residual=residual)


def reconcile_listing(model: Model, listing: Listing) -> Reconciliation:
    """Return how the stored elements of a checkpoint follow from the parameters of a model.

    The items are read off the tensors; the residual counts tensors of the model that are missing
    (negative) and parameters that the model does not have.
    """
    parameters = total_parameters(model.architecture)
    items = _merged(item for group in tensor_groups(listing, model) for item in _of_group(group))
    residual = listing.elements - parameters - sum(item.elements for item in items)
    return Reconciliation(parameters=parameters, items=items, residual=residual, status="exact")


def candidates(model: Model) -> Iterator[tuple[Item, ...]]:
    """Yield what a file of this model may hold beside its parameters; items of one tuple go together."""
    architecture = model.architecture
    if architecture.tied:
        elements = architecture.vocabulary * architecture.hidden
        yield (Item(name=TIED_COPY, elements=elements),)
    for beside in architecture.beside:
        if beside.elements:
            yield (Item(name=beside.name, elements=beside.elements),)
    scheme = _own_scheme(model)
    if scheme is None:
        return
    bodies = (beside.body for beside in architecture.beside if beside.body)
    further = (replace(architecture, body=body, towers=()) for body in bodies)
    for packed in (architecture, *further):
        for items in packing_items(packed, scheme):
            if items:
                yield items


def packing_items(architecture: Architecture, scheme: Scheme) -> tuple[tuple[Item, ...], tuple[Item, ...]]:
    """Return, an item per format, the elements that packing saves, and those of scales and zero points.

    Some counters leave the scales out.
    """
    packed: dict[str, int] = {}
    scales: dict[str, int] = {}
    for entry in stored_weights(architecture, scheme):
        stem = entry.packing.format.name.replace("-", "_")
        codes, *rest = entry.packing.tensors
        fewer = entry.packing.copies * codes.elements - entry.logical
        further = entry.packing.copies * sum(tensor.elements for tensor in rest if not tensor.constant)
        packed[f"{stem}_packing"] = packed.get(f"{stem}_packing", 0) + entry.tensors * fewer
        scales[f"{stem}_scales"] = scales.get(f"{stem}_scales", 0) + entry.tensors * further
    return _items(packed), _items(scales)


def nearest(groups: Sequence[tuple[Item, ...]], difference: int) -> tuple[tuple[Item, ...], ...]:
    """Return the choice of groups that sums nearest to the difference, with the fewest left out.

    Only the first 12 groups can be left out or taken, 4,096 choices.
    """
    considered = groups[:CANDIDATE_LIMIT]
    best: tuple[tuple[Item, ...], ...] = ()
    distance = None
    for size in range(len(considered), -1, -1):
        for choice in combinations(considered, size):
            away = abs(difference - sum(item.elements for group in choice for item in group))
            if distance is None or away < distance:
                best, distance = choice, away
    return best


def _own_scheme(model: Model) -> Scheme | None:
    """Return how the source packs its weights, None where it does not or where that is not known."""
    packing = model.quantization
    if packing is None or not packing.known:
        return None
    base = sixteen_bit(model.dtype)
    return storage(model.architecture, find_format(packing.format), base, packing)


def _of_group(group: TensorGroup) -> Iterator[Item]:
    """Yield what a group of tensors of a checkpoint has beside the parameters."""
    stem = group.format.replace("-", "_")
    if group.kind in ("scale", "constant"):
        yield Item(name=f"{stem}_{group.kind}s", elements=group.stored)
        return
    if group.kind != "parameter":
        yield Item(name=_NAMES[group.kind], elements=group.logical)
    if group.stored != group.logical:
        yield Item(name=f"{stem}_packing", elements=group.stored - group.logical)


def _merged(items: Iterable[Item]) -> tuple[Item, ...]:
    """Return the items with those of one name added up, in their order."""
    found: dict[str, int] = {}
    for item in items:
        found[item.name] = found.get(item.name, 0) + item.elements
    return _items(found)


def _items(elements: Mapping[str, int]) -> tuple[Item, ...]:
    return tuple(Item(name=name, elements=amount) for name, amount in elements.items() if amount)
