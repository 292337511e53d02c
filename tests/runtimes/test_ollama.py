"""Ollama's defaults against what its source (v0.33.0-rc2, v0.15.5, v0.11.0) and its documentation say."""

import pytest

from sizewise.errors import UsageError
from sizewise.runtimes.ollama import OllamaHost, OllamaModel, OllamaSettings, ollama_defaults
from sizewise.units import GIB, MIB

LONG = OllamaModel(context=1_000_000)


@pytest.mark.parametrize(
    ("memory", "context", "batch"),
    [
        (0, 4096, 512),
        (12 * GIB, 4096, 512),
        (23 * GIB - 1, 4096, 512),
        (23034 * MIB, 4096, 512),
        (24564 * MIB, 32768, 1024),
        (46068 * MIB, 32768, 1024),
        (47 * GIB, 262144, 2048),
        (81559 * MIB, 262144, 2048),
    ],
)
def test_the_context_follows_the_memory_of_the_devices(memory: int, context: int, batch: int) -> None:
    launch = ollama_defaults(OllamaHost(memory=memory), LONG)
    assert (launch.context, launch.sequences, launch.batch) == (context, 1, batch)
    assert (launch.cache_type, launch.flash_attention, launch.version) == ("f16", "auto", "0.30.0")


def test_parallel_requests_multiply_the_context() -> None:
    asked = OllamaSettings(parallel=4)
    launch = ollama_defaults(OllamaHost(memory=24 * GIB), LONG, asked)
    assert (launch.context_per_sequence, launch.context, launch.batch) == (32768, 131072, 2048)


@pytest.mark.parametrize("family", ["mllama", "qwen3vl", "qwen3next", "nemotron_h"])
def test_some_families_get_one_sequence(family: str) -> None:
    model = OllamaModel(family=family, context=8192)
    launch = ollama_defaults(OllamaHost(memory=24 * GIB), model, OllamaSettings(parallel=4))
    assert (launch.sequences, launch.context) == (1, 8192)


def test_the_context_is_at_most_the_trained_one_and_at_least_2048_with_images() -> None:
    host = OllamaHost(memory=80 * GIB)
    assert ollama_defaults(host, OllamaModel(context=2048)).context == 2048
    short = OllamaSettings(context=512)
    assert ollama_defaults(host, LONG, short).context == 512
    assert ollama_defaults(host, OllamaModel(images=True, context=9999), short).context == 2048


@pytest.mark.parametrize(
    ("predicted", "batch"),
    [(28 * GIB, 2048), (29 * GIB, 1024), (36 * GIB, 1024), (37 * GIB, 512), (48 * GIB, 512), (None, 2048)],
)
def test_a_model_that_fills_the_memory_gets_a_smaller_batch(predicted: int | None, batch: int) -> None:
    model = OllamaModel(context=1_000_000, predicted=predicted)
    assert ollama_defaults(OllamaHost(memory=48 * GIB), model).batch == batch


def test_without_flash_attention_a_cuda_device_gets_the_usual_batch_or_half() -> None:
    asked = OllamaSettings(flash_attention=False, context=32768)
    assert ollama_defaults(OllamaHost(memory=24 * GIB), LONG, asked).batch == 512
    assert ollama_defaults(OllamaHost(memory=8 * GIB), LONG, asked).batch == 256
    assert ollama_defaults(OllamaHost(memory=8 * GIB, cuda=False), LONG, asked).batch == 1024
    old = OllamaHost(memory=24 * GIB, flash_attention=False)
    assert ollama_defaults(old, LONG).flash_attention == "off"


def test_an_embedding_model_has_one_sequence_and_a_batch_no_longer_than_its_context() -> None:
    model = OllamaModel(context=512, completion=False)
    launch = ollama_defaults(OllamaHost(memory=24 * GIB), model, OllamaSettings(parallel=3))
    assert (launch.sequences, launch.context, launch.batch) == (1, 512, 512)


def test_older_versions_have_their_own_defaults() -> None:
    host = OllamaHost(memory=80 * GIB)
    before = ollama_defaults(host, LONG, version="0.15.4")
    assert (before.context, before.batch, before.flash_attention) == (4096, 512, "off")
    tiered = ollama_defaults(host, LONG, version="v0.20.0")
    assert (tiered.context, tiered.batch, tiered.flash_attention) == (262144, 512, "auto")
    assert ollama_defaults(host, LONG, version="0.33.0-rc2").version == "0.30.0"


@pytest.mark.parametrize("version", ["0.1", "latest", ""])
def test_an_unknown_version_is_refused(version: str) -> None:
    with pytest.raises(UsageError, match="Ollama"):
        ollama_defaults(OllamaHost(memory=0), LONG, version=version)


def test_a_quantized_cache_needs_flash_attention() -> None:
    quantized = OllamaSettings(cache_type="q8_0", flash_attention=False)
    with pytest.raises(UsageError, match="OLLAMA_FLASH_ATTENTION"):
        ollama_defaults(OllamaHost(memory=0), LONG, quantized)
    asked = OllamaSettings(cache_type="q8_0")
    assert ollama_defaults(OllamaHost(memory=0), LONG, asked).cache_type == "q8_0"
