"""What every tab has from the page's shell: errors by question, links of files, models in parts, defaults."""

from collections.abc import Callable
from typing import Any

import pytest

from ..service.test_headers import safetensors
from .test_models import OPEN, drop, gguf_file
from .visiting import Visit

pytestmark = pytest.mark.browser


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("model=llama-3.1-8b&on=h100-sxm&runtime=llama.cpp&quant=q4_k_m", "is not known"),
        ("model=llama-3.1-405b&on=rtx-4090&users=4", "It does not fit into the memory"),
        ("model=llama-3.1-8b&on=rtx-4090&users=1000&quant=awq", "It does not fit into the memory"),
        ("model=llama-3.1-8b&on=rtx-4090&users=4&quant=q8_0&api_price=0.15,0.6", "Not compared"),
    ],
)
def test_an_answer_says_what_is_not_known(query: str, said: str, visit: Callable[..., Visit]) -> None:
    seen = visit().open(f"?tab=speed&{query}")
    assert said in seen.page.locator("section.answer").first.inner_text()
    assert seen.page.locator("section.answer p.error").all_inner_texts() == ["", ""]


def test_an_answer_leaves_the_errors_of_another(visit: Callable[..., Visit]) -> None:
    seen = visit().open("?tab=size&task=code&on=rtx-4090&ttft=x")
    seen.is_refused = True
    told = seen.page.locator("form p.error").all_inner_texts()
    assert [one for one in told if "500ms" in one]
    field = seen.field("Time to the first token at most")
    field.fill("5s")
    seen.change(lambda: field.press("Tab"))
    assert not any(seen.page.locator("form p.error").all_inner_texts())


def test_a_link_without_users_has_some(visit: Callable[..., Visit]) -> None:
    seen = visit().open("?tab=speed&model=llama-3.1-8b&on=h100-sxm")
    assert seen.field("Users at once").input_value() == "32"
    assert not any(seen.page.locator("p.error").all_inner_texts())


def test_a_model_that_is_cleared_stays_so(visit: Callable[..., Visit]) -> None:
    seen = visit().open(OPEN)
    model = seen.page.locator("[id^=model-]").first
    model.fill("")
    model.press("Tab")
    error = seen.page.locator(".of-model > p.error")
    seen.until(lambda: error.inner_text().startswith("name a model"))
    seen.rest()
    again = visit(address=seen.address)
    again.page.goto(seen.page.url)
    again.rest()
    assert again.page.locator(".of-model > p.error").inner_text().startswith("name a model")


def test_the_link_and_the_command_of_a_file_name_it(visit: Callable[..., Visit]) -> None:
    seen = visit().open(OPEN)
    seen.change(lambda: drop(seen, "small.gguf", gguf_file()))
    seen.page.get_by_role("button", name="Copy link").click()
    assert "it works here alone" in seen.page.locator(".happened").inner_text()
    again = visit(address=seen.address)
    again.page.goto(seen.page.url)
    again.rest()
    assert again.answers == seen.answers
    again.page.get_by_role("button", name="Copy command").click()
    assert again.page.locator(".happened").inner_text().endswith(" ./small.gguf")
    again.page.locator("#tab-speed").click()
    again.rest()
    assert again.page.locator("section.answer p.error").first.inner_text() == ""
    assert "vLLM and SGLang" in again.page.locator("section.answer p.error").last.inner_text()


def test_the_parts_of_a_model_are_dropped_together(visit: Callable[..., Visit]) -> None:
    entries: list[dict[str, Any]] = [
        {"model.embed_tokens.weight": ("BF16", [1000, 500], 1_000_000)},
        {"lm_head.weight": ("BF16", [1000, 500], 1_000_000)},
    ]
    seen = visit().open(OPEN)
    seen.is_refused = True
    files: list[Any] = [
        {
            "name": f"model-{place:05}-of-00002.safetensors",
            "mimeType": "application/octet-stream",
            "buffer": safetensors(entry) + bytes(1_000_000),
        }
        for place, entry in enumerate(entries, start=1)
    ]
    note = seen.page.locator(".of-model div.model > p[role=status]")
    chooser = seen.page.locator(".of-model div.model input[type=file]")
    chooser.set_input_files(files[:1])
    seen.until(lambda: "choose all of them together" in note.inner_text())
    chooser.set_input_files(files)
    seen.until(lambda: note.inner_text() == "header of model-*-of-00002.safetensors")
    assert len([one for one in seen.requests if "/api/header" in one.url]) == 1


@pytest.mark.parametrize("around", ["```json\n{}\n```", "// from the hub\n{}"])
def test_a_configuration_is_pasted_with_what_is_around_it(around: str, visit: Callable[..., Visit]) -> None:
    text = (
        '{"model_type": "llama", "hidden_size": 512, "intermediate_size": 1376, "num_hidden_layers": 8,'
        ' "num_attention_heads": 8, "num_key_value_heads": 2, "vocab_size": 32000}'
    )
    seen = visit().open(OPEN)
    seen.page.get_by_text("or paste a config.json").click()
    seen.field("config.json").fill(around.replace("{}", text))
    seen.change(lambda: seen.field("config.json").press("Tab"))
    assert not any(seen.page.locator("p.error").all_inner_texts())
