"""Answers as tables for people; the numbers are those of the lines."""

from collections.abc import Sequence

from sizewise.architecture import Model
from sizewise.counting import Count
from sizewise.escaping import shorten
from sizewise.ledger import Line
from sizewise.planning.answer import Fit, MemoryAnswer
from sizewise.report.table import Table
from sizewise.report.terminal import stacked_bar
from sizewise.units import GB, GIB, binary_bytes, short_count

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
    if count.active != count.total.value or model.architecture.tied:
        rows = [
            (CONVENTIONS[name], f"{amount:,}", short_count(amount))
            for name, amount in count.active_by_convention.items()
        ]
        tables.append(Table(title="", columns=("convention", "parameters", "about"), rows=tuple(rows), right=_RIGHT))
    return tables


def compared_params(counts: Sequence[tuple[Model, Count]]) -> Table:
    """Return several models side by side: one column each."""
    roles = list(dict.fromkeys(role for _, found in counts for role in found.by_role))
    rows = [
        (ROLE_NAMES.get(role, role), *(f"{found.by_role.get(role, 0):,}" for _, found in counts)) for role in roles
    ]
    rows.append(("total", *(f"{found.total.value:,}" for _, found in counts)))
    rows += [
        (text, *(f"{found.active_by_convention[name]:,}" for _, found in counts))
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


def params_notes(model: Model, count: Count) -> list[str]:
    """Return the sentences under the table."""
    notes = [f"trainable {count.trainable:,}, frozen {count.non_trainable:,}; {count.total.status}"]
    if model.assumed:
        notes.append(f"assumed: {model.assumed}")
    if model.published is not None and model.published != count.total.value:
        notes.append(f"the published checkpoint stores {model.published:,} elements (copies, buffers, scales)")
    if model.model_type == "plain":
        notes.append("matrices only where --norms, --biases, --positions are not given")
    return notes


def memory_tables(answer: MemoryAnswer) -> list[Table]:
    """Return the parts, the devices and the changes."""
    columns = ("part", "GiB", "GB", "90 % interval", "status")
    rows = [_part_row(part) for part in answer.line.parts] + [_part_row(answer.line)]
    title = answer.model.name
    tables = [Table(title=title, columns=columns, rows=tuple(rows), right=_RIGHT)]
    if len(answer.shares) > 1:
        share_rows = tuple(
            (share.device, *(f"{part.value / GIB:,.2f}" for part in share.line.parts), f"{share.line.value / GIB:,.2f}")
            for share in answer.shares
        )
        parts = tuple(part.name for part in answer.line.parts)
        tables.append(
            Table(
                title="Per device, GiB (even split, assumed)",
                columns=("device", *parts, "total"),
                rows=share_rows,
                right=frozenset((*parts, "total")),
            )
        )
    if answer.fits:
        fits = tuple(_fit_row(fit) for fit in answer.fits)
        tables.append(Table(title="Devices", columns=("device", "usable", "needed", "spare", "fits"), rows=fits, right=_RIGHT))
    if answer.changes:
        changes = tuple(
            (change.what, binary_bytes(change.saves), binary_bytes(change.needed), _yes(change.fits), change.cost)
            for change in answer.changes
        )
        columns = ("what to change", "saves", "then needs", "fits", "cost")
        tables.append(Table(title="", columns=columns, rows=changes, right=_RIGHT))
    return tables


def memory_notes(answer: MemoryAnswer) -> list[str]:
    """Return what was assumed, and how far the devices reach."""
    scenario = answer.scenario
    plural = "" if scenario.sequences == 1 else "s"
    notes = [
        f"weights {scenario.weights.name}, cache {scenario.cache.name}, context {scenario.context:,} tokens, "
        f"{scenario.sequences} sequence{plural}, runtime {answer.runtime}"
    ]
    if answer.largest_context is not None:
        notes.append(
            f"largest context that fits: {answer.largest_context:,} tokens; "
            f"sequences at {scenario.context:,} tokens: {answer.largest_sequences or 0:,}"
        )
    if answer.model.assumed:
        notes.append(f"assumed: {answer.model.assumed}")
    return notes


def memory_bar(answer: MemoryAnswer) -> str:
    """Return the parts as a bar against the asked device, or the smallest one that holds them."""
    fit = bar_device(answer.fits)
    line = answer.shares[0].line if answer.shares else answer.line
    parts = [(part.name, float(part.value)) for part in line.parts if part.value]
    return stacked_bar(parts, float(fit.usable), f"{fit.device}: {binary_bytes(fit.usable)}") if fit else ""


def bar_device(fits: Sequence[Fit]) -> Fit | None:
    """Return the device to draw: the smallest that fits, else the largest."""
    holding = [fit for fit in fits if fit.fits]
    if holding:
        return min(holding, key=lambda fit: fit.usable)
    return max(fits, key=lambda fit: fit.usable, default=None)


_RIGHT = frozenset(("parameters", "share", "about", "GiB", "GB", "usable", "needed", "spare", "saves", "then needs"))


def _part_row(line: Line) -> tuple[str, ...]:
    low, high = line.interval
    between = f"{low / GIB:,.2f} to {high / GIB:,.2f} GiB" if line.uncertain else ""
    return line.name, f"{line.value / GIB:,.2f}", f"{line.value / GB:,.2f}", between, line.status


def _fit_row(fit: Fit) -> tuple[str, ...]:
    name = fit.device if fit.count == 1 else f"{fit.device}:{fit.count}"
    spare = fit.usable - fit.needed
    sign = "-" if spare < 0 else ""
    usable = binary_bytes(fit.usable) + ("" if fit.usable_status != "assumed" else " (assumed)")
    return name, usable, binary_bytes(fit.needed), sign + binary_bytes(abs(spare)), _yes(fit.fits)


def _yes(answer: bool) -> str:
    return "yes" if answer else "no"
