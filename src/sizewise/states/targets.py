"""Which modules the targets of adapters mean, as peft 0.21.2 reads them.

A target is a module's name or its last parts, "all-linear", or a stack of experts by its last two parts or
more (peft's ``target_parameters``). In classes whose experts became stacks, the old names of their matrices
stand for the stacks and no longer for modules. No target at all means every linear layer but routers and
the output head.
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

from sizewise.architecture import Architecture, Placed
from sizewise.catalog.adapter_targets import converted_targets, is_linear_router
from sizewise.components.embeddings import Head
from sizewise.errors import UsageError, did_you_mean
from sizewise.escaping import shorten
from sizewise.states.tensors import makes_logits
from sizewise.tensors import Weight

ALL_LINEAR = "all-linear"


@dataclass(frozen=True, slots=True, kw_only=True)
class Module:
    """A matrix, table or kernel that may be adapted: its module's name with ``{}`` for the layer.

    ``bare`` parameters, which are stacks and routers that are no linear layers, have their own names.
    """

    place: Placed
    name: str
    weight: Weight
    bare: bool = False

    @property
    def last(self) -> str:
        """The last part of its name."""
        return self.name.rpartition(".")[2]

    @property
    def linear(self) -> bool:
        """Tell whether it is a linear layer other than the output head."""
        output = makes_logits(self.place, self.weight)
        return self.weight.kind == "matrix" and not (self.bare or output)

    def is_called(self, targets: Collection[str]) -> bool:
        """Tell whether its name is one of the targets, or ends in one."""
        return any(self.name == target or self.name.endswith(f".{target}") for target in targets)


def targeted(architecture: Architecture, targets: tuple[str, ...]) -> Iterator[tuple[Module, int]]:
    """Yield every module that gets adapters, and how many times the rank.

    Raises UsageError (bad_option) for a target that names nothing, and for half of a stack.
    """
    found = tuple(modules(architecture))
    if not targets:
        yield from ((module, 1) for module in found if module.linear and module.weight.role != "router")
        return
    converted = converted_targets(architecture.model_class)
    names = set(targets)
    if ALL_LINEAR in names:
        names |= {m.last for m in found if m.linear} if converted else {m.name for m in found if m.linear}
        names = (names | converted.keys()) - {ALL_LINEAR}
    old = {name for name in names if name.rpartition(".")[2] in converted}
    times = _parameters({name.rpartition(".")[2] for name in old}, converted)
    _check_all_hit(targets, found, converted)
    hits = ((module, _times(module, names - old, times)) for module in found)
    yield from ((module, count) for module, count in hits if count)


def modules(architecture: Architecture) -> Iterator[Module]:
    """Yield everything that may be adapted, a tied head too."""
    for place in architecture.placed():
        for weight in place.weights():
            if weight.kind != "vector" and len(weight.shape) > 1:
                name = place.full_name(weight, "{}")
                module = name.removesuffix(".weight")
                special = weight.role == "router" and not is_linear_router(module, architecture.model_class)
                bare = special or weight.stacked or module == name
                yield Module(place=place, name=name if bare else module, weight=weight, bare=bare)
        if isinstance(place.component, Head) and place.component.tied:
            yield Module(place=place, name=place.prefix, weight=_tied(place.component))


def _tied(head: Head) -> Weight:
    return Weight(name="weight", role="head", shape=(head.vocabulary, head.hidden), kind="matrix")


def _parameters(old: set[str], converted: Mapping[str, str]) -> dict[str, int]:
    """Return how many of the old names mean each parameter: so many times it takes the rank."""
    times: dict[str, int] = {}
    for name in sorted(old):
        times[converted[name]] = times.get(converted[name], 0) + 1
    for parameter, count in times.items():
        together = [name for name, meant in converted.items() if meant == parameter]
        if count < len(together):
            raise UsageError(
                "bad_option", f"{' and '.join(together)} are one stack here: name all of them or none"
            )
    return times


def _times(module: Module, names: Collection[str], parameters: Mapping[str, int]) -> int:
    """Return how many times a module takes the rank; 0: it gets no adapters."""
    own = module.name if module.bare else f"{module.name}.weight"
    for parameter, count in parameters.items():
        if own.endswith(f".{parameter}"):
            return count
    if module.bare:
        names = [name for name in names if "." in name]
    return int(module.is_called(names))


def _check_all_hit(targets: tuple[str, ...], found: tuple[Module, ...], converted: Mapping[str, str]) -> None:
    for target in targets:
        meant = converted.get(target.rpartition(".")[2])
        names, parameters = ((target,), {}) if meant is None else ((), {meant: 1})
        if target != ALL_LINEAR and not any(_times(module, names, parameters) for module in found):
            stacks = [module for module in found if module.bare and module.is_called((target,))]
            near = did_you_mean(target, sorted({module.last for module in found if not module.bare}))
            hint = f"; for the experts: {'.'.join(stacks[0].name.split('.')[-2:])}" if stacks else near
            raise UsageError("bad_option", f"no module to adapt is called {shorten(target)!r}{hint}")
