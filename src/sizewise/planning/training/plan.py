"""The training question: memory on each device, FLOPs, the layout, whether it fits, what to change."""

from sizewise.architecture import Model
from sizewise.catalog.devices import CUSTOM, Device, custom_device, parse_devices
from sizewise.catalog.formats import find_format
from sizewise.errors import UsageError
from sizewise.flops.training import hardware_flops, model_flops, training_flops
from sizewise.formats.scheme import Scheme
from sizewise.parallel.training import check_layout
from sizewise.planning.answer import Change, Fit
from sizewise.planning.storage import asked_storage
from sizewise.planning.training.answer import Compute, Fewest, TrainingAnswer
from sizewise.planning.training.asked import TrainingAsked, given_sharding, recipe_for, recipe_notices
from sizewise.planning.training.changes import training_changes
from sizewise.planning.training.measures import measures_of
from sizewise.planning.training.memory import StageMemory, stage_memories
from sizewise.planning.training.search import Measures, best_layout, fewest_devices
from sizewise.recipe import Recipe
from sizewise.states.trained import trainable

MOST_DEVICES = 4096


def plan_training(model: Model, asked: TrainingAsked) -> TrainingAnswer:
    """Return what a training run needs on each device.

    Without a count of devices (``--on h100-sxm``) the fewest that hold it are taken. Raises UsageError
    (bad_option) for options and layouts that cannot be had, with the nearest that can.
    """
    device, count, counted = _devices(asked)
    frozen = _frozen_weights(model, asked)
    measures = measures_of(model, frozen)
    usable = None if device is None else device.memory_bytes
    found = None
    if device is not None and usable is not None and (not counted or not asked.layout_given):
        found = fewest_devices(model, asked, usable, measures, MOST_DEVICES)
    if not counted and found is not None:
        count = found.recipe.sharding.devices
    recipe, searched = _recipe(model, asked, count, usable, measures)
    check_layout(model.architecture, recipe, count)
    stages = stage_memories(model, recipe, frozen)
    fits = _fits(device, count, stages)
    changes: tuple[Change, ...] = ()
    if device is not None and usable is not None and not all(fit.fits for fit in fits):
        changes = training_changes(model, asked, recipe, usable, measures)
    trained = trainable(model.architecture, recipe)
    return TrainingAnswer(
        model=model,
        recipe=recipe,
        device=device,
        count=count,
        stages=stages,
        host=max(stage.host for stage in stages) * count,
        compute=compute(model, recipe),
        trained=trained.parameters,
        parameters=trained.total,
        fits=fits,
        fewest=None
        if found is None
        else Fewest(devices=found.recipe.sharding.devices, sharding=found.recipe.sharding),
        changes=changes,
        searched=searched,
        notices=recipe_notices(model, recipe),
    )


def _devices(asked: TrainingAsked) -> tuple[Device | None, int, bool]:
    """Return the kind of device, how many, and whether their number was named."""
    if asked.on is None:
        device = custom_device(asked.memory_bytes) if asked.memory_bytes is not None else None
        return device, given_sharding(asked, 1).devices, True
    found = parse_devices(asked.on, memory_bytes=asked.memory_bytes)
    if len(found) > 1:
        raise UsageError("bad_option", "--on: a training run is laid out on devices of one kind; name one")
    ((device, count),) = found
    if ":" in asked.on:
        return device, count, True
    given = given_sharding(asked, 1).devices
    return device, given, given > 1 or device.id == CUSTOM


def _recipe(
    model: Model, asked: TrainingAsked, count: int, usable: int | None, measures: Measures
) -> tuple[Recipe, bool]:
    """Return the recipe: on the layout that was named, or on the best one that is found."""
    if asked.layout_given or count == 1:
        return recipe_for(model, asked, given_sharding(asked, count)), False
    tried = best_layout(model, asked, count, usable, measures)
    if tried is None:
        return recipe_for(model, asked, given_sharding(asked, count)), False
    return tried.recipe, True


def _frozen_weights(model: Model, asked: TrainingAsked) -> Scheme | None:
    """Return how frozen weights are packed; None where they are not."""
    if asked.method != "qlora":
        if asked.quant is not None:
            raise UsageError("bad_option", "--quant packs frozen weights; it belongs to --method qlora")
        return None
    return asked_storage(model, find_format(asked.quant or "nf4-dq")).scheme


def _fits(device: Device | None, count: int, stages: tuple[StageMemory, ...]) -> tuple[Fit, ...]:
    if device is None or device.memory_bytes is None:
        return ()
    fullest = max(stages, key=lambda stage: stage.line.value)
    return (
        Fit(
            device=device.name,
            count=count,
            usable=device.memory_bytes,
            needed=int(fullest.line.value),
            needed_high=int(fullest.line.interval[1]),
            usable_status=device.memory_status,
        ),
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
