"""Bytes of the cache that transformers fills on the CPU, for random small models that decode."""

import json
from random import Random

import pytest

from sizewise.configuration import Config
from sizewise.families import describe
from sizewise.runtimes import CacheRequest
from sizewise.runtimes.transformers import Transformers

from .classes import CAUSAL, Held, Run, configuration, fill_cache, resolved
from .conftest import Oracle
from .generators import ENCODERS, RECIPES, WRAPPERS, configurations
from .runnable import LONGEST, changes

pytestmark = [pytest.mark.oracle, pytest.mark.filterwarnings("ignore")]

BYTES = {"bfloat16": 2, "float32": 4}
ENCODER_DECODERS = {"bart": "BartForConditionalGeneration", "t5": "T5ForConditionalGeneration"}
IN_MODULES = {"recurrent_gemma"}
"""The class keeps its states in its modules and returns no cache."""
OWN_CACHES = {"deepseek_v4", "falcon_mamba", "mamba", "mamba2", "minimax", "qwen4_exp_text", "rwkv", "xlstm"}
"""The class has a cache of its own and takes no StaticCache."""
NO_CACHES = {"openai-gpt"}
"""The class keeps nothing."""
DECODERS = sorted(RECIPES.keys() - ENCODERS.keys() - WRAPPERS.keys() - IN_MODULES - NO_CACHES)


def drawn_run(random: Random, model_type: str, *, static: bool) -> Run:
    prompt, steps = random.randint(1, LONGEST - 4), random.randint(1, 4)
    return Run(
        dtype=random.choice(sorted(BYTES)),
        sequences=random.randint(1, 3),
        prompt=prompt,
        steps=steps,
        capacity=prompt + steps + random.randint(0, 9) if static else None,
        encoder_tokens=random.randint(1, 20) if model_type in ENCODER_DECODERS else None,
    )


def predicted(config: Config, run: Run) -> Held:
    """Return what sizewise says that the cache holds."""
    each = BYTES[run.dtype]
    request = CacheRequest(
        context=run.capacity or run.prompt + run.steps,
        sequences=run.sequences,
        cache_bytes=each,
        state_bytes=each,
        encoder_tokens=run.encoder_tokens,
    )
    kept = list(describe(config).kept())
    runtime = Transformers(static=run.capacity is not None)
    return Held(cache=runtime.cache(kept, request).value, counters=runtime.counters(kept).value)


def assert_same_bytes(model_type: str, oracle: Oracle, *, static: bool) -> None:
    tally = oracle.tallies["static cache" if static else "cache", model_type]
    drawn = configurations(model_type, oracle.seed, oracle.configurations, *changes(model_type))
    for index, fields in enumerate(drawn):
        run = drawn_run(Random(f"{oracle.seed} {model_type} {index}"), model_type, static=static)
        try:
            configured = configuration(model_type, fields)
            files = fields, resolved(configured)
            held = fill_cache(configured, ENCODER_DECODERS.get(model_type, CAUSAL), run)
        except Exception as error:
            tally.skip(error)
            continue
        tally.compared += 1
        for file in files:
            ours = predicted(Config(file, model_type), run)
            place = f"{model_type}, seed {oracle.seed}, configuration {index}, {run}"
            assert ours == held, f"{place}: sizewise {ours}, transformers {held}\n{json.dumps(file)}"
    tally.assert_enough()


@pytest.mark.parametrize("model_type", [*DECODERS, *ENCODER_DECODERS])
def test_a_cache_that_grows_holds_the_bytes(model_type: str, oracle: Oracle) -> None:
    assert_same_bytes(model_type, oracle, static=False)


@pytest.mark.parametrize("model_type", sorted(set(DECODERS) - OWN_CACHES))
def test_a_cache_allocated_at_once_holds_the_bytes(model_type: str, oracle: Oracle) -> None:
    assert_same_bytes(model_type, oracle, static=True)
