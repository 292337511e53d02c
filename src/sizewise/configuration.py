"""Config: a raw ``config.json`` read as data, with the class's declared defaults and aliases applied.

Files omit fields, spell them in several ways and hold nulls. A missing field takes the default that
the transformers class *declares* (never a value derived by another instance); a null is accepted only
where a family reads the field as optional, that is, where a rule for it is written down.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from sizewise.catalog.types import canonical_model_type, class_defaults
from sizewise.errors import InputError
from sizewise.escaping import shorten
from sizewise.notices import Notice

SIZE_LIMIT = 2**31
LAYER_LIMIT = 100_000
CONTEXT_LIMIT = 10**9
SECTION_DEPTH = 8


class Config:
    """Typed, checked access to the fields of one configuration.

    Every reader takes the standard name or any alias of the type (``attribute_map``) and raises
    InputError (bad_config) naming the field when its value cannot be meant.
    """

    def __init__(self, raw: Mapping[str, Any], model_type: str, *, depth: int = 0) -> None:
        """Lay the given fields over the declared defaults of ``model_type``.

        Where a field and its alias are both given, the one that is no declared field wins, as in the
        class, which sets those last.
        """
        if depth > SECTION_DEPTH:
            raise InputError("too_deep", "sections of the config are nested too deeply; flatten it")
        self.model_type = canonical_model_type(model_type)
        declared = class_defaults(self.model_type)
        self._aliases: Mapping[str, str] = declared.get("attribute_map", {})
        self._defaults = {self._canonical(k): v for k, v in declared.get("defaults", {}).items()}
        fields = declared.get("defaults", {})
        in_order = sorted(raw.items(), key=lambda item: item[0] not in fields)
        self._given = {self._canonical(k): v for k, v in in_order}
        self._spelled = raw
        self._depth = depth
        self._defaulted: set[str] = set()
        self.notices: list[Notice] = []
        if isinstance(raw.get("auto_map"), Mapping):
            self.notice("custom_code", "the config names custom code (auto_map); it was not executed")

    def _canonical(self, name: str) -> str:
        return self._aliases.get(name, name)

    def notice(self, code: str, message: str) -> None:
        """Add a warning to the answer."""
        self.notices.append(Notice(code=code, message=message))

    def given(self, name: str) -> bool:
        """Tell whether the source itself has the field with a value other than null."""
        return self._given.get(self._canonical(name)) is not None

    def present(self, name: str) -> bool:
        """Tell whether the source itself has the field, be its value null."""
        return self._canonical(name) in self._given

    def spelled(self, name: str) -> bool:
        """Tell whether the source has the field under this very name, not under an alias."""
        return name in self._spelled

    def raw(self, name: str) -> Any:
        """Return the unchecked value: given, else the class default, else None."""
        key = self._canonical(name)
        return self._given[key] if key in self._given else self._defaults.get(key)

    def declared(self, name: str) -> Any:
        """Return the default that the class declares, None where it declares none."""
        return self._defaults.get(self._canonical(name))

    def defaulted(self, name: str) -> bool:
        """Tell whether a number was read under this name that the source does not have."""
        return self._canonical(name) in self._defaulted

    @property
    def written(self) -> Mapping[str, Any]:
        """The fields of the source under their standard names, unchecked."""
        return self._given

    @property
    def outermost(self) -> bool:
        """Tell whether this is the file itself and no section of it."""
        return self._depth == 0

    def bad(self, name: str, why: str) -> InputError:
        """Return the error that says what is wrong with a field."""
        return InputError("bad_config", f"{self.model_type} config: {name} {why}")

    def _integer(self, name: str, low: int, high: int) -> int:
        value = self.raw(name)
        if not self.present(name):
            self._defaulted.add(self._canonical(name))
        if value is None:
            raise self.bad(name, "is missing or null and the class has no default; give it a number")
        if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
            shown = shorten(_shown(value), 40)
            raise self.bad(name, f"is {shown}; a whole number from {low} to {high:,} is needed")
        return value

    def size(self, name: str, *, high: int = SIZE_LIMIT) -> int:
        """Return an integer >= 1."""
        return self._integer(name, 1, high)

    def count(self, name: str, *, high: int = SIZE_LIMIT) -> int:
        """Return an integer >= 0, where zero means "none"."""
        return self._integer(name, 0, high)

    def layers(self, name: str = "num_hidden_layers") -> int:
        """Return the number of layers, 1 to 100,000."""
        return self._integer(name, 1, LAYER_LIMIT)

    def layers_as_spelled(self, name: str) -> int:
        """Return the number of layers that stands under this very name, where an alias may say another."""
        return Config({name: self._spelled[name]}, self.model_type).layers(name)

    def optional_size(self, name: str) -> int | None:
        """Return an integer >= 1, or None for null: the family has a rule for it."""
        return None if self.raw(name) is None else self.size(name)

    def optional_count(self, name: str) -> int | None:
        """Return an integer >= 0, or None for null: the family has a rule for it."""
        return None if self.raw(name) is None else self.count(name)

    def size_or_auto(self, name: str) -> int | None:
        """Return an integer >= 1, or None for "auto": the family has a rule for it."""
        return None if self.raw(name) == "auto" else self.size(name)

    def context(self, *names: str) -> int | None:
        """Return the longest trained context under the first of the names that has one."""
        for name in names or ("max_position_embeddings",):
            if self.raw(name) is not None:
                return self._integer(name, 1, CONTEXT_LIMIT)
        return None

    def flag(self, name: str, *, default: bool | None = None) -> bool:
        """Return true or false: a missing field is the class's default, else ``default``, else false.

        Null is an error where the class declares true or false.
        """
        value, key = self.raw(name), self._canonical(name)
        if value is None and key in self._given and self._defaults.get(key) is not None:
            raise self.bad(name, "is null; true or false is needed")
        if value is None:
            return bool(default) if key not in self._given else False
        if not isinstance(value, bool):
            raise self.bad(name, f"is {shorten(_shown(value), 40)}; true or false is needed")
        return value

    def ratio(self, name: str) -> float:
        """Return a number greater than 0 and at most 10^6."""
        value = self.raw(name)
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value <= 1e6:
            raise self.bad(name, f"is {shorten(_shown(value), 40)}; a positive number is needed")
        return float(value)

    def text(self, name: str) -> str | None:
        """Return a string, or None when the field is missing or null."""
        value = self.raw(name)
        if value is not None and not isinstance(value, str):
            raise self.bad(name, f"is {shorten(_shown(value), 40)}; a string is needed")
        return value

    def entries(self, name: str) -> Sequence[Any] | None:
        """Return a list, or None when the field is missing or null."""
        value = self.raw(name)
        if value is None:
            return None
        if not isinstance(value, list | tuple) or len(value) > LAYER_LIMIT:
            raise self.bad(name, f"is {shorten(_shown(value), 40)}; a list is needed")
        return value

    def per_layer(self, name: str, layers: int, known: Mapping[str, str]) -> list[str] | None:
        """Return one kind per layer, renamed by ``known``; None when missing or null.

        Raises InputError (inconsistent) when the list has another length than the model, and
        bad_config when it holds an unknown kind.
        """
        found = self.entries(name)
        if found is None:
            return None
        if len(found) != layers:
            raise InputError(
                "inconsistent",
                f"{self.model_type} config: {name} has {len(found)} entries for {layers} layers",
            )
        kinds = [known.get(kind) if isinstance(kind, str) else None for kind in found]
        for given, kind in zip(found, kinds, strict=True):
            if kind is None:
                shown = shorten(_shown(given), 40)
                raise self.bad(name, f"holds {shown}; known are {', '.join(known)}")
        return [kind for kind in kinds if kind is not None]

    def indices(self, name: str) -> frozenset[int] | None:
        """Return a set of layer indices; None when missing or null."""
        found = self.entries(name)
        if found is None:
            return None
        for index in found:
            if isinstance(index, bool) or not isinstance(index, int):
                raise self.bad(name, f"holds {shorten(_shown(index), 40)}; layer indices are needed")
        return frozenset(found)

    def sizes(self, name: str, layers: int) -> list[int]:
        """Return an integer >= 1 for each layer: those of a list, or one number for all."""
        found = self.raw(name)
        if not isinstance(found, list | tuple):
            return [self.size(name)] * layers
        if len(found) != layers:
            raise self.bad(name, f"has {len(found)} entries for {layers} layers")
        for size in found:
            if isinstance(size, bool) or not isinstance(size, int) or not 1 <= size <= SIZE_LIMIT:
                raise self.bad(name, f"holds {shorten(_shown(size), 40)}; whole numbers from 1 are needed")
        return list(found)

    def section(
        self, name: str, model_type: str | None = None, changes: Mapping[str, Any] | None = None
    ) -> "Config":
        """Return a nested configuration; its own ``model_type`` wins over the given one.

        ``changes`` are laid over its fields: what the outer file decides for the inner model.
        """
        value = self.raw(name)
        if not isinstance(value, Mapping):
            raise self.bad(name, f"is {shorten(_shown(value), 40)}; an object is needed")
        fields = {**value, **(changes or {})}
        own = fields.get("model_type")
        inner = own if isinstance(own, str) else model_type
        if inner is None:
            raise self.bad(name, "does not say its model_type")
        return self._inner(fields, inner)

    def read_as(self, model_type: str, changes: Mapping[str, Any] | None = None) -> "Config":
        """Return the same fields read as another type: older files have no section for the inner model."""
        return self._inner({**self._given, **(changes or {})}, model_type)

    def _inner(self, fields: Mapping[str, Any], model_type: str) -> "Config":
        """Return a configuration whose notices are those of this one."""
        inner = Config(fields, model_type, depth=self._depth + 1)
        self.notices.extend(notice for notice in inner.notices if notice not in self.notices)
        inner.notices = self.notices
        return inner

    def has_section(self, name: str) -> bool:
        """Tell whether a nested configuration is there and not null."""
        return isinstance(self.raw(name), Mapping)


def _shown(value: object) -> str:
    """Print a value of any size cheaply."""
    if isinstance(value, int) and abs(value) > 10**30:
        return "a number of over 30 digits"
    if isinstance(value, Mapping):
        return "an object"
    if isinstance(value, list | tuple):
        return f"a list of {len(value)}"
    return repr(value)[:200]
