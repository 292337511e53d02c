"""``llama-server``: one context for all sequences, layers on devices, experts on the host."""

from sizewise.architecture import Model
from sizewise.catalog.starting import Starting, startings
from sizewise.planning.commands.files import ModelFile, model_file
from sizewise.planning.commands.start import Start, cache_notes, cache_word, flag, shell, told
from sizewise.scenario import ENGINE_DEFAULTS, Scenario
from sizewise.units import MIB

DEFAULT = ENGINE_DEFAULTS


def llama_server(model: Model, scenario: Scenario) -> Start:
    """Return the command of llama.cpp's server.

    The slots are always named: without them it takes four that share the cells.
    """
    engine, file = startings()["llama.cpp"], model_file(model, scenario)
    words = [*engine.program, *_model(engine, file)]
    words += flag(engine, "context", scenario.context * scenario.sequences)
    words += flag(engine, "sequences", scenario.sequences)
    words += [*_devices(engine, scenario), *_cache(engine, scenario), *_options(engine, scenario)]
    notes = (file.missing,) if file.missing else ()
    return Start(command=shell(words), notes=(*notes, *cache_notes(engine, scenario)))


def _model(engine: Starting, file: ModelFile) -> list[str]:
    if file.path:
        return flag(engine, "model", file.path)
    if file.name:
        return [*flag(engine, "repository", file.repository), *flag(engine, "file", file.name)]
    return flag(engine, "repository", f"{file.repository}:{file.type}")


def _devices(engine: Starting, scenario: Scenario) -> list[str]:
    """Return where layers go; unequal devices are named in proportion to their memory."""
    devices = [row.device for row in scenario.placements for _ in range(row.count)]
    if devices and all(device.kind == "cpu" for device in devices):
        return flag(engine, "device", "none")
    words = told(engine, [("device_layers", scenario.engine.device_layers, None)])
    if len({device.memory_bytes for device in devices}) > 1:
        words += flag(engine, "split", ",".join(str(device.memory_bytes // MIB) for device in devices))
    return words


def _cache(engine: Starting, scenario: Scenario) -> list[str]:
    keys, values = cache_word(engine, scenario.cache), cache_word(engine, scenario.values)
    packed = scenario.values.block > 1 and scenario.engine.flash_attention
    attention = "on" if packed else None if scenario.engine.flash_attention else "off"
    return told(
        engine, [("keys", keys, None), ("values", values, None), ("flash_attention", attention, None)]
    )


def _options(engine: Starting, scenario: Scenario) -> list[str]:
    options = scenario.engine
    return told(
        engine,
        [
            (name, getattr(options, name), getattr(DEFAULT, name))
            for name in (
                "host_expert_layers",
                "cache_on_host",
                "batch",
                "ubatch",
                "full_windows",
                "unified_cache",
            )
        ],
    )
