"""The training question: memory on each device, FLOPs, the layout, time and money, what to change."""

from dataclasses import replace

from sizewise.architecture import Model
from sizewise.catalog.device_trust import suggested_devices
from sizewise.catalog.devices import CUSTOM, Device
from sizewise.catalog.formats import find_format
from sizewise.errors import UsageError
from sizewise.flops.training import hardware_flops, model_flops, training_flops
from sizewise.formats.scheme import Scheme
from sizewise.notices import Notice
from sizewise.parallel.training import check_layout
from sizewise.planning.answer import Change, Fit
from sizewise.planning.context_limit import check_positions
from sizewise.planning.storage import asked_storage
from sizewise.planning.training.answer import Compute, Fewest, TrainingAnswer
from sizewise.planning.training.asked import TrainingAsked, packing, recipe_notices
from sizewise.planning.training.changes import training_changes
from sizewise.planning.training.devices import Wanted, wanted_devices
from sizewise.planning.training.measures import measures_of
from sizewise.planning.training.memory import StageMemory, stage_memories
from sizewise.planning.training.search import Chosen, Measures, Tried, chosen, fewest_devices
from sizewise.planning.training.time import check_products, ranking, run_time
from sizewise.recipe import Recipe
from sizewise.states.trained import Trained, trainable

MOST_DEVICES = 4096


def plan_training(model: Model, asked: TrainingAsked) -> TrainingAnswer:
    """Return what a training run needs on each device.

    Without a count of devices (``--on h100-sxm``) the fewest that hold it are taken. Raises UsageError
    (bad_option) for options and layouts that cannot be had, with the nearest that can.
    """
    packed = packing(asked)
    if asked.sequence is not None:
        check_positions(model, asked.sequence, "--seq")
    wanted = wanted_devices(asked)
    check_products(asked, wanted.device)
    measures = replace(
        measures_of(model, lambda: packed_weights(model, packed)),
        seconds=ranking(model, asked, wanted.device),
    )
    found = _found(model, asked, wanted, measures)
    count = wanted.count if wanted.counted or found is None else found.recipe.sharding.devices
    choice = chosen(model, asked, count, wanted.usable, measures)
    check_layout(model.architecture, choice.recipe, count)
    answer = _measured(model, asked, wanted, choice, packed)
    unheld = () if wanted.usable is None or wanted.counted or found else (_held_by_none(count),)
    changes: tuple[Change, ...] = ()
    if wanted.usable is not None and not answer.all_fit:
        changes = training_changes(model, asked, choice.recipe, wanted.usable, measures, fewest=found)
    return replace(
        answer,
        ranked=measures.seconds is not None,
        fewest=_fewest(wanted, found, choice.recipe, answer.fits),
        changes=changes,
        notices=(*answer.notices, *unheld),
    )


def _measured(
    model: Model, asked: TrainingAsked, wanted: Wanted, choice: Chosen, packed: str
) -> TrainingAnswer:
    """Return the answer for a recipe, without the fewest devices and what to change."""
    recipe = choice.recipe
    trained = _trained(model, recipe)
    frozen = packed_weights(model, packed) if recipe.method == "qlora" else None
    stages = stage_memories(model, recipe, frozen)
    fits = _fits(wanted.device, recipe.sharding.devices, stages)
    computed = compute(model, recipe)
    held = wanted.device is None or all(fit.fits for fit in fits)
    time, said = run_time(model, recipe, asked, wanted.device, computed, fits=held)
    return TrainingAnswer(
        model=model,
        asked=asked,
        recipe=recipe,
        device=wanted.device,
        count=recipe.sharding.devices,
        stages=stages,
        packed=packed if frozen is not None else None,
        host=max(stage.host for stage in stages) * recipe.sharding.devices,
        compute=computed,
        time=time,
        trained=trained.parameters,
        parameters=trained.total,
        fits=fits,
        searched=choice.searched,
        runner_up=choice.runner_up,
        tight=choice.tight,
        notices=(*recipe_notices(model, recipe), *wanted.notices, *said),
    )


def _found(model: Model, asked: TrainingAsked, wanted: Wanted, measures: Measures) -> Tried | None:
    """Return the layout on the fewest devices that holds it; None without a device, or where none does."""
    if wanted.usable is None:
        return None
    return fewest_devices(model, asked, wanted.usable, measures, MOST_DEVICES)


def _held_by_none(count: int) -> Notice:
    text = f"no number of devices up to {MOST_DEVICES:,} holds it as it is; shown for {count:,}"
    return Notice(code="does_not_fit", message=text)


def _trained(model: Model, recipe: Recipe) -> Trained:
    """Return what is trained. Raises UsageError (bad_option) where nothing is."""
    trained = trainable(model.architecture, recipe)
    if not trained.tensors and recipe.method == "full":
        raise UsageError("bad_option", "--freeze leaves nothing to train; name fewer parts")
    return trained


def _fewest(wanted: Wanted, found: Tried | None, recipe: Recipe, fits: tuple[Fit, ...]) -> Fewest | None:
    """Return the fewest devices that hold it: those found, or those of the answer where these are no more."""
    layouts = [] if found is None else [found.recipe.sharding]
    if wanted.device is not None and fits and all(fit.fits for fit in fits):
        layouts.insert(0, recipe.sharding)
    fewest = min(layouts, key=lambda sharding: sharding.devices, default=None)
    return None if fewest is None else Fewest(devices=fewest.devices, sharding=fewest)


def packed_weights(model: Model, name: str) -> Scheme:
    """Return how frozen weights are packed in a format. Raises UsageError for llama.cpp's file types."""
    chosen = find_format(name)
    if chosen.is_file_type:
        text = f"{chosen.name} is a file type of llama.cpp, which adapters are not trained beside; use nf4-dq"
        raise UsageError("bad_option", text)
    return asked_storage(model, chosen).scheme


def _fits(device: Device | None, count: int, stages: tuple[StageMemory, ...]) -> tuple[Fit, ...]:
    """Return whether it fits on the asked device; where none was asked, on which of the catalogue's."""
    fullest = max(stages, key=lambda stage: stage.line.value)
    chosen = suggested_devices() if device is None else (device,)
    return tuple(
        Fit(
            device=one.id if one.id != CUSTOM else one.name,
            count=count,
            usable=one.memory_bytes,
            needed=int(fullest.line.value),
            needed_high=int(fullest.line.interval[1]),
            usable_status=one.memory_status,
        )
        for one in chosen
    )


def compute(model: Model, recipe: Recipe) -> Compute:
    """Return the FLOPs of a step on all devices and of the run."""
    sequences = recipe.global_batch
    useful = int(model_flops(model, recipe).value)
    done = int(hardware_flops(model, recipe).value)
    steps = None if recipe.tokens is None else -(-recipe.tokens // (sequences * recipe.sequence))
    return Compute(
        parts=training_flops(model, recipe),
        step_model=useful * sequences,
        step_hardware=done * sequences,
        steps=steps,
        run_model=None if recipe.tokens is None else useful * recipe.tokens // recipe.sequence,
        run_hardware=None if recipe.tokens is None else done * recipe.tokens // recipe.sequence,
    )
