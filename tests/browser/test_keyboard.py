"""All of it by keyboard, and what has the focus is seen."""

from collections.abc import Callable

import pytest

from .visiting import Visit, tab_names

pytestmark = pytest.mark.browser
FOCUSED = """() => {
  const one = document.activeElement, style = getComputedStyle(one), box = one.getBoundingClientRect();
  return { tag: one.tagName, id: one.id, top: box.top + scrollY, wide: box.width > 0 && box.height > 0,
    ring: style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2 || style.boxShadow !== "none",
    label: one.labels?.[0]?.innerText ?? one.getAttribute("aria-label") ?? one.innerText };
}"""


def test_the_first_stop_leads_to_the_answers(visit: Callable[..., Visit]) -> None:
    seen = visit().open("?tab=memory")
    seen.page.keyboard.press("Tab")
    assert seen.page.evaluate(FOCUSED)["label"] == "Skip to the answers"
    seen.page.keyboard.press("Enter")
    seen.page.keyboard.press("Tab")
    assert seen.page.evaluate("document.querySelector('main').contains(document.activeElement)")


def test_every_stop_is_seen_and_named(visit: Callable[..., Visit]) -> None:
    seen = visit().open("?tab=memory")
    stops = []
    for _ in range(60):
        seen.page.keyboard.press("Tab")
        stop = seen.page.evaluate(FOCUSED)
        if stop["tag"] == "BODY":
            break
        stops.append(stop)
        assert stop["wide"], stop
        assert stop["ring"], stop
        assert stop["label"], stop
    names = [stop["label"] for stop in stops]
    wanted = [
        "Memory",
        "Model",
        "Weight format",
        "Context, tokens",
        "Sequences at once",
        "Engine",
        "Copy link",
    ]
    assert [name for name in names if name in wanted] == wanted


def test_arrows_change_the_tab(visit: Callable[..., Visit]) -> None:
    seen = visit().open("?tab=memory")
    seen.page.locator("#tab-memory").focus()
    for name in [*tab_names()[1:], tab_names()[0]]:
        seen.page.keyboard.press("ArrowRight")
        assert seen.page.evaluate(FOCUSED)["id"] == f"tab-{name}"
        seen.rest()
        assert f"tab={name}" in seen.page.url


def test_a_model_is_found_by_typing(visit: Callable[..., Visit]) -> None:
    seen = visit().open("?tab=memory&model=7b&context=1024")
    seen.page.locator("[role=combobox]").first.focus()
    seen.page.keyboard.press("Control+a")
    seen.page.keyboard.type("llama-3.1-8")
    seen.until(lambda: seen.page.locator("[role=option]").count() > 0)
    seen.page.keyboard.press("ArrowDown")
    seen.change(lambda: seen.page.keyboard.press("Enter"))
    seen.until(lambda: "llama-3.1-8b" in seen.page.url.lower())
