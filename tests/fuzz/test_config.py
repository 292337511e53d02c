"""Random configurations: a count of parameters or a typed error."""

import json
from random import Random
from typing import Any

from sizewise.catalog.models import find_preset
from sizewise.sources.config_json import from_config
from sizewise.sources.json_text import parse_object

from .driver import ODD_NAMES, ODD_VALUES, flipped, fuzz

PRESETS = ("llama-3.1-8b", "gpt2", "mixtral-8x7b-v0.1", "gemma-2-9b", "qwen2.5-0.5b", "phi-2")
BASES = [dict(preset.config) for preset in map(find_preset, PRESETS) if preset is not None]
SMALL = (1, 2, 3, 8, 16, 64, 96, 128, 1000, 4096)


def config_of(random: Random) -> dict[str, Any]:
    config = dict(random.choice(BASES))
    for _ in range(random.randint(0, 3)):
        key = random.choice(tuple(config))
        match random.randrange(5):
            case 0:
                config[key] = random.choice(ODD_VALUES)
            case 1:
                config.pop(key)
            case 2:
                config[random.choice(ODD_NAMES)] = random.choice(ODD_VALUES)
            case _ if type(config[key]) is int:
                config[key] = random.choice(SMALL)
        if not config:
            break
    return config


def one(random: Random) -> int:
    data = json.dumps(config_of(random)).encode("utf-8", "surrogatepass")
    if random.random() < 0.15:
        data = flipped(random, data)
    raw, duplicates = parse_object(data, "config.json")
    model = from_config(raw, name="x", origin="x", duplicates=duplicates)
    total = sum(weight.elements * layers for weight, layers in model.architecture.weights())
    assert total > 0
    return total


def test_configs() -> None:
    assert len(BASES) == len(PRESETS)
    outcomes = fuzz("config", one)
    assert outcomes.valid_share > 0.2
    assert len(outcomes.codes) >= min(3, outcomes.inputs // 500)
