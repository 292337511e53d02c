"""What must not be lost: the question, the focus, the answer, a file that falls beside its field."""

import shlex
from base64 import b64encode
from collections.abc import Callable
from urllib.parse import quote

import pytest

from .test_models import CONFIG, DROP, OPEN, drop, gguf_file, json, paste
from .visiting import NARROW, Visit, tab_names

pytestmark = pytest.mark.browser
RUNS = "params,tokens,loss\n" + "".join(
    f"{n:.0f},{d:.0f},{1.7 + 400 / n**0.34 + 410 / d**0.28:.4f}\n"
    for n in (1e7, 3e7, 1e8, 3e8, 1e9)
    for d in (1e9, 3e9, 1e10, 3e10)
)
OUTSIDE = """() => [...document.querySelectorAll("svg.chart text, .ticks > span")].filter((text) => {
  const own = text.getBoundingClientRect(), around = text.closest("svg, .of-slider").getBoundingClientRect();
  return own.width && (own.left < around.left - 1 || own.right > around.right + 1);
}).map((text) => text.textContent)"""
COVERED = """() => [...document.querySelectorAll("svg.chart")].flatMap((picture) => {
  const texts = [...picture.querySelectorAll("text")];
  const boxes = texts.map((one) => [one.textContent, one.getBoundingClientRect()]);
  const covers = (one, other) => Math.min(one.right, other.right) - Math.max(one.left, other.left) > 2
    && Math.min(one.bottom, other.bottom) - Math.max(one.top, other.top) > 4;
  return boxes.flatMap(([text, one], place) => boxes.slice(place + 1)
    .filter(([, other]) => covers(one, other)).map(([other]) => `${text} | ${other}`));
})"""


@pytest.mark.parametrize("place", [".skip", "#strip"])
def test_a_way_within_the_page_keeps_a_pasted_configuration(place: str, visit: Callable[..., Visit]) -> None:
    seen = visit(viewport=NARROW).open(OPEN)
    seen.change(lambda: paste(seen, json.dumps(CONFIG)))
    before = seen.page.url, seen.answers
    seen.page.locator(place).focus()
    seen.page.keyboard.press("Enter")
    seen.page.wait_for_timeout(200)
    seen.rest()
    assert (seen.page.url, seen.answers) == before
    goal = seen.page.locator(place).get_attribute("href")
    assert seen.page.evaluate("`#${document.activeElement.id}`") == goal


def test_what_means_something_else_is_not_carried_to_another_tab(visit: Callable[..., Visit]) -> None:
    seen = visit().open("?tab=memory&model=llama-3.1-8b&quant=q8_0&context=8192&on=h100-sxm:8")
    for tab, own in (("train", "loss=chunked"), ("laws", "")):
        seen.page.locator(f"#tab-{tab}").click()
        seen.until(lambda tab=tab: f"tab={tab}" in seen.page.url)
        seen.rest()
        assert "quant=q8_0" not in seen.page.url
        assert "loss=" not in seen.page.url
        assert not any(seen.page.locator("p.error").all_inner_texts())
        if own:
            seen.page.get_by_text("More options").click()
            seen.field("Logits").select_option("chunked")
            seen.until(lambda own=own: own in seen.page.url)
            seen.rest()
    seen.page.locator("#tab-train").click()
    seen.until(lambda: "loss=chunked" in seen.page.url)


def test_a_short_file_of_runs_stays_behind_the_hash(visit: Callable[..., Visit]) -> None:
    seen = visit().open("?tab=laws")
    seen.is_refused = True
    field = seen.field("Your own runs")
    field.fill("n,d,loss\n1e8,2e9,3.2\n")
    field.press("Tab")
    seen.until(lambda: "runs=" in seen.page.url)
    assert "runs=" not in seen.page.url.partition("#")[0]


def test_the_focus_stays_where_an_answer_is_drawn_anew(visit: Callable[..., Visit]) -> None:
    seen = visit().open(OPEN)
    seen.page.get_by_role("button", name="use").nth(1).focus()
    seen.change(lambda: seen.page.keyboard.press("Enter"))
    assert seen.page.evaluate("document.querySelector('section.answer').contains(document.activeElement)")


def test_a_question_without_an_answer_leaves_no_old_one_at_the_foot(visit: Callable[..., Visit]) -> None:
    seen = visit(viewport=NARROW).open(OPEN)
    seen.is_refused = True
    assert "fits" in seen.page.locator("#strip").inner_text()
    model = seen.page.locator("[id^=model-]").first
    model.fill("no-such-model")
    model.press("Tab")
    seen.until(lambda: seen.page.locator("#strip").inner_text() == "Memory: not answered")


def test_a_service_that_comes_back_is_asked_again(visit: Callable[..., Visit]) -> None:
    seen = visit().open(OPEN)
    seen.page.route("**/api/**", lambda route: route.abort())
    seen.field("Context, tokens").fill("4096")
    seen.field("Context, tokens").press("Tab")
    error = seen.page.locator("section.answer p.error").first
    seen.until(lambda: error.inner_text() == "the service does not answer")
    seen.page.locator("[id^=model-]").first.click()
    seen.page.unroute("**/api/**")
    seen.until(lambda: error.inner_text() == "" and "4,096 tokens" in seen.answers)
    seen.page.locator("[id^=model-]").first.fill("qwen3")
    seen.until(lambda: seen.page.locator("[role=option]").count() > 0)
    seen.complaints.clear()


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_a_file_that_falls_beside_its_field_is_taken(encoding: str, visit: Callable[..., Visit]) -> None:
    seen = visit().open("?tab=laws")
    packed = b64encode(RUNS.encode(encoding)).decode()
    seen.change(
        lambda: seen.page.evaluate(DROP, [seen.page.locator("#answers").element_handle(), "runs.csv", packed])
    )
    seen.until(lambda: "20 runs" in seen.answers)


def test_a_file_too_large_for_runs_is_told_at_once(visit: Callable[..., Visit]) -> None:
    seen = visit().open("?tab=laws")
    before = seen.answers
    place = seen.page.locator(".of-area .drop").element_handle()
    seen.page.evaluate(DROP, [place, "checkpoint.bin", b64encode(bytes(2_000_000)).decode()])
    seen.until(lambda: "at most 1 MB" in seen.page.locator(".of-area").inner_text())
    assert seen.answers == before


def test_one_part_of_a_gguf_model_is_not_taken_for_all(visit: Callable[..., Visit]) -> None:
    seen = visit().open(OPEN)
    before = seen.answers
    drop(seen, "big-00001-of-00003.gguf", gguf_file())
    note = seen.page.locator(".of-model div.model > p[role=status]")
    seen.until(lambda: "one of 3 parts" in note.inner_text())
    assert seen.answers == before


def test_a_gguf_file_is_known_by_its_bytes(visit: Callable[..., Visit]) -> None:
    seen = visit().open(f"{OPEN}&runtime=vllm&quant=awq")
    seen.change(lambda: drop(seen, "sha256-8eeb52dfb3bb", gguf_file()))
    seen.until(lambda: "kind=gguf" in seen.page.url)
    assert not any(seen.page.locator("p.error").all_inner_texts())
    again = visit(address=seen.address)
    again.page.goto(seen.page.url.replace("tab=memory", "tab=speed"))
    again.rest()
    assert "a GGUF file is for llama.cpp" in again.page.locator("section.answer p.error").last.inner_text()


@pytest.mark.parametrize("tab", tab_names())
@pytest.mark.parametrize("width", [320, 1280])
def test_texts_of_pictures_are_whole_and_apart(tab: str, width: int, visit: Callable[..., Visit]) -> None:
    seen = visit(viewport={"width": width, "height": 800}).open(f"?tab={tab}")
    seen.until(lambda: seen.page.locator("svg.chart").count() > 0)
    assert seen.page.evaluate(OUTSIDE) == []
    assert seen.page.evaluate(COVERED) == []


def test_plans_that_miss_say_why_and_are_asked_for(visit: Callable[..., Visit]) -> None:
    seen = visit().open("?tab=speed&model=deepseek-v3&on=h200-sxm:8&users=1000&input=100000&ttft=2s")
    plan = seen.page.locator("section.answer").last
    seen.until(lambda: "No plan meets the targets" in plan.inner_text())
    assert "time to first token; without it" in plan.inner_text()
    button = plan.locator("td button").first
    device = button.inner_text().split()[-1]
    seen.change(button.click)
    assert seen.field("Devices").input_value().startswith(device)


def test_a_tab_that_is_left_at_once_leaves_nothing_behind(visit: Callable[..., Visit]) -> None:
    seen = visit().open(OPEN)
    seen.page.evaluate(
        "['train', 'laws', 'size', 'speed'].forEach((tab) => document.getElementById(`tab-${tab}`).click())"
    )
    seen.until(lambda: "tab=speed" in seen.page.url)
    seen.rest()
    assert seen.page.locator("h2").all_inner_texts() == ["Speed and cost", "What to rent"]
    seen.page.go_back()
    seen.until(lambda: "tab=memory" in seen.page.url)
    seen.rest()
    assert seen.field("Context, tokens").input_value() == "1024"


@pytest.mark.parametrize("name", ["<img src=x onerror=alert(1)>.gguf", "a'; rm -rf $HOME #.gguf"])
def test_the_name_of_a_file_stays_text(name: str, visit: Callable[..., Visit]) -> None:
    seen = visit().open(OPEN)
    seen.change(lambda: drop(seen, name, gguf_file()))
    assert seen.page.locator("main img").count() == 0
    seen.page.get_by_role("button", name="Copy command").click()
    words = shlex.split(seen.page.locator(".happened").inner_text().removeprefix("copied the command: "))
    assert words[-1] == f"./{name}"


def test_long_words_of_a_configuration_widen_nothing(visit: Callable[..., Visit]) -> None:
    long = {**CONFIG, "architectures": ["L" * 150]}
    seen = visit(viewport={"width": 320, "height": 640})
    for tab in ("memory", "learn"):
        seen.open(f"?tab={tab}&context=1024#model={quote(json.dumps(long))}")
        seen.page.reload()
        seen.rest()
        assert seen.page.evaluate("document.documentElement.scrollWidth") <= 320


def test_a_field_of_the_configuration_that_is_none_is_told_where_it_was_set(
    visit: Callable[..., Visit],
) -> None:
    seen = visit()
    seen.is_refused = True
    seen.open(f"{OPEN}&set=a=1")
    error = seen.page.locator(".of-area p.error").last
    assert error.inner_text() == "set a: llama has no such field"


def test_a_list_of_names_is_taken_by_a_tap_and_scrolled_by_a_finger(visit: Callable[..., Visit]) -> None:
    seen = visit(viewport=NARROW, has_touch=True).open(OPEN)
    model = seen.page.locator("[id^=model-]").first
    model.tap()
    model.fill("qwen3")
    option = seen.page.locator("[role=option]").nth(1)
    seen.until(lambda: option.count() > 0)
    option.dispatch_event("pointerdown", {"pointerType": "touch"})
    assert seen.page.locator("[role=listbox]").first.is_visible()
    name = option.locator(".name").inner_text()
    seen.change(option.tap)
    assert model.input_value() == name
    assert seen.page.locator("[role=listbox]").first.is_hidden()


def test_what_was_done_is_said_until_the_question_changes(visit: Callable[..., Visit]) -> None:
    seen = visit().open(OPEN)
    said = seen.page.locator(".happened").first
    with seen.page.expect_download():
        seen.page.get_by_role("button", name="CSV").click()
    seen.until(lambda: said.inner_text() == "saved sizewise-memory.csv")
    seen.change(seen.page.get_by_role("button", name="use").first.click)
    assert said.inner_text() == ""
