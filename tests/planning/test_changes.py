"""What to change when it does not fit: each change does what it says when it is followed."""

import shlex

import pytest

from sizewise.catalog.starting import startings

ASKED = {
    "llama.cpp, long": "llama-3.1-70b -q q4_k_m -c 131072 --on h100-sxm --runtime llama.cpp --flash-attn off",
    "llama.cpp, cards": "llama-3.1-70b -q q4_k_m -c 32k --on rtx-4090",
    "llama.cpp, experts": "qwen3-30b-a3b -q q8_0 -c 64k --on rtx-3060 --sequences 2",
    "vllm, small card": "llama-3.1-8b -c 8k --on rtx-3060 --runtime vllm",
    "vllm, stages": "llama-3.1-70b -q bf16 -c 128k --on rtx-3060 --runtime vllm",
    "sglang": "qwen2.5-32b -c 32k --on l40s --runtime sglang",
    "transformers": "llama-3.1-8b -c 64k --on rtx-4070 --runtime transformers",
}


@pytest.fixture(params=ASKED)
def asked(request, run):
    words = ASKED[request.param].split()
    document = run("memory", *words, "--json").document
    return words, document


def followed(run, words, option):
    """Ask again with an option that takes the place of what was asked."""
    flags = [word for word in shlex.split(option) if word.startswith("-")]
    same = {"-q": "--quant", "--on": "--on", "--context": "-c", "--flash-attn": "--flash-attn"}
    kept, at = [words[0]], 1
    while at < len(words):
        if words[at] not in flags and words[at] not in [same.get(flag) for flag in flags]:
            kept += words[at : at + 2]
        at += 2
    return run("memory", *kept, *shlex.split(option), "--json").document


def test_every_change_that_is_followed_fits_as_it_says(asked, run):
    words, document = asked
    changes = [one for one in document["changes"] if not one["option"].startswith("without")]
    assert changes
    for change in changes:
        found = followed(run, words, change["option"])
        assert all(fit["fits"] for fit in found["fits"]) == change["fits"], change
        assert max(fit["needed"] for fit in found["fits"]) == change["needed"], change


def test_formats_that_are_offered_are_those_that_the_engine_loads(asked):
    _, document = asked
    loads = startings()[document["scenario"]["runtime"].split("@")[0]]
    offered = [one["option"].split()[1] for one in document["changes"] if one["option"].startswith("-q ")]
    if loads.file_types:
        assert not set(offered) & {"awq", "hqq", "nf4"}
    else:
        assert set(offered) <= set(loads.loads)
        assert document["best_format"] in (None, *loads.loads)


@pytest.mark.parametrize(
    ("words", "device", "fewest"),
    [
        ("llama-3.1-70b -q q4_k_m -c 32k", "rtx-4090", 3),
        ("qwen2.5-72b -q f16 -c 32k --sequences 4 --runtime llama.cpp", "rtx-4090", 9),
        ("llama-3.1-70b -q bf16 -c 128k --runtime vllm", "rtx-3060", 20),
    ],
)
def test_no_fewer_devices_of_the_kind_would_do(run, words, device, fewest):
    changes = run("memory", *words.split(), "--on", device, "--json").document["changes"]
    assert next(one["option"] for one in changes if one["cost"] == "money").endswith(f":{fewest}")
    fewer = run("memory", *words.split(), "--on", f"{device}:{fewest - 1}", "--json").document
    assert not all(fit["fits"] for fit in fewer["fits"])
