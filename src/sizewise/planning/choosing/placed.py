"""A model in a format where it would run: its memory at the context, whether it fits, how fast it is."""

from dataclasses import dataclass

from sizewise.catalog.devices import parse_devices
from sizewise.durations import seconds_text
from sizewise.errors import SizewiseError
from sizewise.planning.answer import MemoryAnswer
from sizewise.planning.choosing.answer import Candidate, Excluded
from sizewise.planning.choosing.asked import ChooseAsked
from sizewise.planning.choosing.pool import Variety
from sizewise.planning.context_limit import context_limit, holds
from sizewise.planning.defaults import Asked
from sizewise.planning.memory import counted_memory
from sizewise.planning.serving.asked import SURE
from sizewise.planning.speed.answer import SpeedAnswer
from sizewise.planning.speed.asked import SpeedAsked
from sizewise.planning.speed.plan import plan_speed
from sizewise.units import binary_bytes

LLAMA_CPP, VLLM, TRANSFORMERS = "llama.cpp", "vllm", "transformers"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """Where models would run: an engine, and the bytes of all named devices (None: none is named)."""

    engine: str
    bytes: int | None


def ground_of(asked: ChooseAsked) -> Ground:
    """Return the engine that comes into question, and the memory that there is.

    Servers on datacenter devices, else llama.cpp. Raises UsageError (bad_option) for unknown devices.
    """
    if asked.on is None:
        return Ground(engine=asked.runtime or LLAMA_CPP, bytes=asked.memory_bytes)
    if asked.on.strip().lower() == "here":
        return Ground(engine=asked.runtime or LLAMA_CPP, bytes=None)
    devices = parse_devices(asked.on, memory_bytes=asked.memory_bytes)
    served = all(device.kind == "datacenter" for device, _ in devices)
    total = sum(device.memory_bytes * count for device, count in devices)
    return Ground(engine=asked.runtime or (VLLM if served else LLAMA_CPP), bytes=total)


def placed(asked: ChooseAsked, ground: Ground, variety: Variety, *, sure: bool) -> Candidate | Excluded:
    """Return a model as a candidate, or why it is none."""
    if not holds(variety.preset, asked.context):
        return too_short(variety, asked)
    if ground.bytes is not None and variety.least_bytes > ground.bytes:
        return _no(variety, "memory", f"weights of {_size(variety.least_bytes)} or more")
    try:
        return _looked(asked, ground, variety, sure=sure)
    except SizewiseError as error:
        return _no(variety, "engine", error.message)


def too_short(variety: Variety, asked: ChooseAsked) -> Excluded:
    """Return that a model was made for fewer tokens than are asked for."""
    limit = context_limit(variety.preset)
    assert limit is not None
    return _no(variety, "context", f"was trained for {limit:,} tokens, less than {asked.context:,}")


def _looked(asked: ChooseAsked, ground: Ground, variety: Variety, *, sure: bool) -> Candidate | Excluded:
    model, run = variety.model, _run(asked, ground, variety)
    memory = counted_memory(model, run)
    if asked.placed and not memory.all_fit:
        fullest = max(memory.fits, key=lambda fit: fit.needed - fit.usable)
        text = f"needs {_size(fullest.needed)} at {asked.context:,} tokens of {_size(fullest.usable)}"
        return _no(variety, "memory", text)
    speed = _speed(asked, run, variety)
    if speed is not None and speed.meets is not None and speed.meets < SURE:
        first, step = (seconds_text(one.value) for one in (speed.ttft, speed.tpot))
        chance = f"targets are met with a chance of {speed.meets:.0%}"
        return _no(variety, "time", f"first token after {first}, {step} per token: {chance}")
    return Candidate(
        variety=variety,
        sure=sure,
        quant=memory.scenario.weights.name,
        runtime=memory.runtime,
        memory=_whole(memory),
        fits=memory.all_fit if asked.placed else None,
        command=memory.command,
        speed=speed,
    )


def _run(asked: ChooseAsked, ground: Ground, variety: Variety) -> Asked:
    return Asked(
        context=asked.context,
        quant=variety.quant,
        runtime=ground.engine,
        on=asked.on,
        memory_bytes=asked.memory_bytes,
    )


def _speed(asked: ChooseAsked, run: Asked, variety: Variety) -> SpeedAnswer | None:
    """Return the times on a named device; None where none is, or where no times of it are known."""
    if asked.on is None:
        return None
    question = SpeedAsked(
        run=run,
        prompt=asked.prompt,
        answer=asked.answer,
        ttft=asked.first,
        tpot=asked.step,
        calibrated=asked.calibrated,
    )
    try:
        return plan_speed(variety.model, question, changed=False)
    except SizewiseError:
        if asked.first is not None or asked.step is not None:
            raise
        return None


def _whole(answer: MemoryAnswer) -> int:
    shares = sum(int(share.line.value) for share in answer.shares)
    return shares or int(answer.line.value)


def _no(variety: Variety, why: str, text: str) -> Excluded:
    return Excluded(variety=variety, why=why, text=text)


def _size(amount: float) -> str:
    return binary_bytes(int(amount))
