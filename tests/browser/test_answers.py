"""What the page says is what the command line says."""

import json
import shlex
from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree

import pytest

from .visiting import Visit, tab_names

pytestmark = pytest.mark.browser
GIB = 2**30


def said_total(total: int) -> str:
    return f"{total / GIB:.2f} GiB ({total / 1e9:.2f} GB)"


def test_the_number_is_that_of_the_command_line(visit: Callable[..., Visit], run: Callable) -> None:
    seen = visit().open("?tab=memory&model=qwen3-8b&quant=q8_0&context=16384&on=rtx-4090&kv_cache_dtype=q8_0")
    words = "memory qwen3-8b -q q8_0 -c 16k --on rtx-4090 --kv-cache-dtype q8_0 --json"
    assert seen.total == said_total(run(*words.split()).document["memory"]["total"])


@pytest.mark.parametrize("tab", tab_names())
def test_a_copied_command_answers_what_is_downloaded(
    tab: str, visit: Callable[..., Visit], run: Callable
) -> None:
    seen = visit().open(f"?tab={tab}")
    sections = seen.page.locator("section.answer").filter(has_text="Copy command").all()
    assert sections or tab == "learn"
    for section in sections:
        section.get_by_role("button", name="Copy command").click()
        copied = section.locator(".happened").inner_text().removeprefix("copied the command: ")
        with seen.page.expect_download() as download:
            section.get_by_role("button", name="JSON").click()
        document = json.loads(Path(download.value.path()).read_text(encoding="utf-8"))
        program, *words = shlex.split(copied)
        assert program == "sizewise"
        assert run(*words, "--json", "--quiet").document == document


def test_downloads_are_what_they_are_called(visit: Callable[..., Visit], run: Callable) -> None:
    seen = visit().open("?tab=memory&model=7b&quant=q4_k_m&context=4096&on=rtx-4090")
    words = "memory 7b -q q4_k_m -c 4096 --on rtx-4090 --quiet --format"
    for button, ending in (("CSV", "csv"), ("Markdown", "md")):
        with seen.page.expect_download() as download:
            seen.page.get_by_role("button", name=button).click()
        assert download.value.suggested_filename == f"sizewise-memory.{ending}"
        assert Path(download.value.path()).read_text(encoding="utf-8") == run(*words.split(), ending).out
    with seen.page.expect_download() as download:
        seen.page.get_by_role("button", name="Picture").click()
    picture = ElementTree.fromstring(Path(download.value.path()).read_text(encoding="utf-8"))
    assert picture.tag == "{http://www.w3.org/2000/svg}svg"
    assert "weights" in "".join(picture.itertext())


def test_a_shared_link_says_the_same(visit: Callable[..., Visit]) -> None:
    seen = visit().open("?tab=memory&model=mistral-7b-v0.3&quant=q6_k&context=8192&on=rtx-3090")
    seen.change(lambda: set_slider(seen, "Context, tokens, slider", 3))
    seen.change(lambda: seen.field("Cache format").fill("q8_0") or seen.field("Cache format").press("Tab"))
    seen.until(lambda: "kv_cache_dtype=q8_0" in seen.page.url)
    link = seen.page.url
    again = visit(address=seen.address)
    again.page.goto(link)
    again.rest()
    assert again.answers == seen.answers
    assert again.page.url == link


def set_slider(seen: Visit, label: str, steps: int) -> None:
    slider = seen.page.get_by_role("slider", name=label)
    slider.focus()
    for _ in range(steps):
        slider.press("ArrowRight")


@pytest.mark.parametrize(
    ("tab", "label", "name"),
    [
        ("memory", "Context, tokens, slider", "context"),
        ("memory", "Sequences at once, slider", "sequences"),
        ("speed", "Users at once, slider", "users"),
        ("train", "Tokens to train on, slider", "tokens"),
        ("laws", "Training budget, FLOP, slider", "flops"),
    ],
)
def test_a_slider_moves_the_answer_and_the_address(
    tab: str, label: str, name: str, visit: Callable[..., Visit]
) -> None:
    seen = visit().open(f"?tab={tab}")
    seen.change(lambda: set_slider(seen, label, 2))
    seen.until(lambda: f"{name}=" in seen.page.url)
    other = visit(address=seen.address)
    other.page.goto(seen.page.url)
    other.rest()
    seen.until(lambda: seen.answers == other.answers)


def test_a_fast_hand_gets_the_last_answer(visit: Callable[..., Visit], run: Callable) -> None:
    seen = visit().open("?tab=memory&model=llama-3.1-8b&quant=q4_k_m&context=2048&on=rtx-4090")
    slider = seen.page.get_by_role("slider", name="Context, tokens, slider")
    for place in (0, 30, 7, 22, 3, 28, 16):
        slider.fill(str(place))
    context = seen.field("Context, tokens").input_value()
    words = f"memory llama-3.1-8b -q q4_k_m -c {context} --on rtx-4090 --json"
    total = said_total(run(*words.split()).document["memory"]["total"])
    seen.until(lambda: seen.total == total)
