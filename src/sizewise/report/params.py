"""The parameter answer as tables for people; the numbers are those of the lines."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from sizewise.architecture import Model
from sizewise.counting import Count
from sizewise.escaping import shorten
from sizewise.report.table import Table
from sizewise.units import short_count

if TYPE_CHECKING:
    from sizewise.reconciliation import Reconciliation

_RIGHT = frozenset(("parameters", "share", "about"))

ROLE_NAMES = {
    "embedding": "embeddings",
    "position": "positions",
    "attention": "attention",
    "state_space": "state space",
    "feed_forward": "feed-forward",
    "expert": "experts",
    "shared_expert": "shared experts",
    "router": "routers",
    "norm": "norms",
    "head": "output head",
}
CONVENTIONS = {
    "all": "active per token, embeddings and head counted",
    "without_input_embedding": "active per token, without the input embedding (as FLOPs count)",
    "non_embedding": "active per token, without embeddings and head",
}


def params_tables(model: Model, count: Count) -> list[Table]:
    """Return the parameters by role and the totals by convention."""
    whole = count.total.value or 1
    by_role = [
        (ROLE_NAMES.get(role, role), f"{amount:,}", f"{100 * amount / whole:.1f} %")
        for role, amount in count.by_role.items()
    ]
    by_role.append(("total", f"{count.total.value:,}", f"{short_count(whole)}"))
    title = f"{model.name} ({model.architecture.model_class})"
    tables = [Table(title=title, columns=("part", "parameters", "share"), rows=tuple(by_role), right=_RIGHT)]
    if count.active_known and (count.active != count.total.value or model.architecture.tied):
        rows = [
            (CONVENTIONS[name], f"{amount:,}", short_count(amount))
            for name, amount in count.active_by_convention.items()
        ]
        tables.append(
            Table(title="", columns=("convention", "parameters", "about"), rows=tuple(rows), right=_RIGHT)
        )
    return tables


def compared_params(counts: Sequence[tuple[Model, Count]]) -> Table:
    """Return several models side by side: one column each."""
    roles = list(dict.fromkeys(role for _, found in counts for role in found.by_role))
    rows = [
        (ROLE_NAMES.get(role, role), *(f"{found.by_role.get(role, 0):,}" for _, found in counts))
        for role in roles
    ]
    rows.append(("total", *(f"{found.total.value:,}" for _, found in counts)))
    rows += [
        (
            text,
            *(f"{found.active_by_convention[name]:,}" if found.active_known else "?" for _, found in counts),
        )
        for name, text in CONVENTIONS.items()
    ]
    names = tuple(model.name for model, _ in counts)
    return Table(title="", columns=("part", *names), rows=tuple(rows), right=frozenset(names))


def tensor_table(model: Model) -> Table:
    """Return one row per stored tensor."""
    rows = tuple(
        (shorten(name, 90), " × ".join(map(str, weight.shape)), weight.role)
        for name, weight in model.architecture.tensors()
    )
    return Table(title="", columns=("tensor", "shape", "role"), rows=rows)


def params_notes(model: Model, count: Count, reconciliation: "Reconciliation | None" = None) -> list[str]:
    """Return the sentences under the table."""
    notes = [f"trainable {count.trainable:,}, frozen {count.non_trainable:,}; {count.total.status}"]
    if not count.active_known:
        notes.append("active is not known: the header does not say how many experts a token uses")
    if model.assumed:
        notes.append(f"assumed: {model.assumed}")
    if model.listing is not None and model.listing.elements != count.total.value:
        notes.append(
            f"the checkpoint stores {model.listing.elements:,} elements (packed, copies, buffers, scales)"
        )
    elif model.published is not None and model.published != count.total.value:
        notes.append(
            f"the published checkpoint stores {model.published:,} elements (copies, buffers, scales)"
        )
    if reconciliation is not None:
        notes += [f"  {item.name.replace('_', ' ')}: {item.elements:+,}" for item in reconciliation.items]
    if reconciliation is not None and reconciliation.residual:
        notes.append(f"  not explained: {reconciliation.residual:+,}")
    if model.model_type == "plain":
        notes.append("matrices only where --norms, --biases, --positions are not given")
    return notes
