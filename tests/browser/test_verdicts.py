"""What the page says in words follows from the numbers: whether it fits, whether a cache grows."""

from collections.abc import Callable

import pytest

from .visiting import Visit

pytestmark = pytest.mark.browser


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("model=llama-3.1-8b&quant=q4_k_m&context=8192&on=rtx-4090", "fits"),
        ("model=llama-3.1-70b&quant=q4_k_m&context=8192&on=rtx-4090", "does not fit"),
    ],
)
def test_a_device_holds_it_or_not(query: str, words: str, visit: Callable[..., Visit]) -> None:
    seen = visit().open(f"?tab=memory&{query}")
    assert seen.page.locator(".headline span").inner_text() == words
    assert "upper end" not in seen.answers


def test_what_fits_at_the_value_alone_fits_tightly(visit: Callable[..., Visit], run: Callable) -> None:
    words = "llama-3.1-70b -q bf16 -c 8192 --runtime vllm --on h100-sxm:2"
    (fit,) = run("memory", *words.split(), "--json").document["fits"]
    assert fit["needed"] <= fit["usable"] < fit["needed_high"]
    seen = visit().open("?tab=memory&model=llama-3.1-70b&quant=bf16&context=8192&runtime=vllm&on=h100-sxm:2")
    assert seen.page.locator(".headline span").inner_text() == "fits tightly"
    assert "it fits at the value, not at the upper end of the interval" in seen.answers


@pytest.mark.parametrize(
    ("model", "words"),
    [
        ("llama-3.1-8b", "each token takes 131,072 bytes"),
        ("mamba-2.8b-hf", "keeps a state of one size"),
        ("gemma-3-27b-it", "grows by less than the context"),
    ],
)
def test_how_a_cache_grows_is_that_of_the_model(model: str, words: str, visit: Callable[..., Visit]) -> None:
    seen = visit().open(f"?tab=learn&model={model}&context=8192")
    seen.until(lambda: words in seen.answers)


def test_what_no_field_changes_is_asked_once(visit: Callable[..., Visit]) -> None:
    seen = visit().open("?tab=size")
    for context in ("16384", "4096"):
        seen.change(
            lambda told=context: seen.field("Context, tokens").fill(told) or seen.page.keyboard.press("Tab")
        )
    asked = [one.url for one in seen.requests if "/api/choose?" in one.url]
    assert len([url for url in asked if "guide=true" in url]) == 1
    assert len(asked) >= 4
