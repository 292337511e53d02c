"""How long the page takes: from the address to the first answer, from a slider's move to the next.

Needs the extra `browser` and a chromium (`SIZEWISE_CHROMIUM`, else Debian's). Asked: the first answer within
300 ms, a redraw within 100 ms. Browser and service share the cores. Single moves begin at rest; in a drag the
slider moves at each frame of 16 ms, and the time counts from one drawn answer to the next. Run it from the
root: ``python -m benchmarks.page_redraw``.

2026-11-22, two virtual cores with nothing else to do, Python 3.11.7, medians: first answers 334 ms (memory),
444 (speed), 292 (train), 334 (laws), 319 (what size), of which some 200 pass before the page's code runs;
redraws 48 and 63 ms (memory), 50 to 73 (speed), 53 (laws), one of 143 later than 100 ms; where a move is a
search of its own, 93 and 108 ms (train, 21 of 48 later than 100 ms) and 111 ms (what size).
"""

import os
import platform
import statistics
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

from tests.browser.visiting import launched, served, tab_names

if TYPE_CHECKING:
    from playwright.sync_api import Page

VISITS = 9
MOVES = 24
WINDOW = {"width": 1280, "height": 800}
FIRST = """
window.drawnAt = new Promise((done) => addEventListener("DOMContentLoaded", () => {
  const watch = new MutationObserver(() => {
    if (!document.querySelector("#answers .drawn > *")) return;
    watch.disconnect();
    requestAnimationFrame(() => setTimeout(() => done(performance.now())));
  });
  watch.observe(document.body, { childList: true, subtree: true });
}));
"""
WATCH = """
window.redraws = (place) => {
  const slider = document.querySelectorAll("input[type=range]")[place];
  const drawn = document.querySelector("#answers .drawn");
  const frame = () => new Promise((done) =>
    requestAnimationFrame(() => setTimeout(() => done(performance.now()))));
  const moveTo = (share) => {
    const stops = Number(slider.max);
    const next = Math.round(share * stops);
    if (Number(slider.value) === next) return false;
    slider.value = String(next);
    slider.dispatchEvent(new Event("input", { bubbles: true }));
    return true;
  };
  const redrawn = (most) => new Promise((done) => {
    const watch = new MutationObserver(async () => { watch.disconnect(); done(await frame()); });
    watch.observe(drawn, { childList: true });
    setTimeout(() => { watch.disconnect(); done(null); }, most);
  });
  return { slider, drawn, frame, moveTo, redrawn };
};
window.singleMoves = async ([place, moves]) => {
  const { moveTo, redrawn } = window.redraws(place);
  const times = [];
  for (let one = 0; one < moves; one += 1) {
    const begun = performance.now();
    const coming = redrawn(5000);
    if (!moveTo(((one * 7) % moves) / (moves - 1))) continue;
    const end = await coming;
    if (end !== null) times.push(end - begun);
    await new Promise((rest) => setTimeout(rest, 400));
  }
  return times;
};
window.drag = async ([place, moves]) => {
  const { slider, drawn, moveTo } = window.redraws(place);
  const times = [];
  let last = performance.now();
  const watch = new MutationObserver(() => {
    const now = performance.now();
    times.push(now - last);
    last = now;
  });
  watch.observe(drawn, { childList: true });
  const stops = Number(slider.max);
  for (let one = 0; one < 4 * moves; one += 1) {
    moveTo(Math.abs(((one % (2 * stops)) - stops) / stops));
    await new Promise((rest) => setTimeout(rest, 16));
  }
  watch.disconnect();
  return times;
};
"""


@dataclass(frozen=True, kw_only=True)
class Times:
    """Milliseconds of one kind."""

    name: str
    values: list[float]

    def __str__(self) -> str:
        ordered = sorted(self.values)
        late = sum(one > 100 for one in ordered)
        return (
            f"{self.name:58}{len(ordered):5}{statistics.median(ordered):9.0f}"
            f"{ordered[int(0.95 * (len(ordered) - 1))]:8.0f}{ordered[-1]:8.0f}{late:9}"
        )


def first_answers(browser: Any, address: str, tab: str) -> Times:
    """Measure from the navigation to the answer on the screen, each time with an empty cache."""
    times = []
    for _ in range(VISITS + 1):
        context = browser.new_context(viewport=WINDOW)
        page = context.new_page()
        page.add_init_script(FIRST)
        page.goto(f"{address}?tab={tab}")
        times.append(page.evaluate("window.drawnAt"))
        context.close()
    return Times(name=f"{tab}: first answer", values=times[1:])


def redraws(page: "Page", tab: str) -> list[Times]:
    """Measure each slider of the open tab."""
    labels = page.evaluate("[...document.querySelectorAll('input[type=range]')].map((one) => one.ariaLabel)")
    found = []
    for place, label in enumerate(labels):
        name = f"{tab}: {label.removesuffix(', slider')}"
        singles = page.evaluate("window.singleMoves", [place, MOVES])
        drags = page.evaluate("window.drag", [place, MOVES])
        found += [Times(name=name, values=singles)]
        if drags:
            found += [Times(name=f"{name}, dragged", values=drags)]
    return [one for one in found if one.values]


def main() -> None:
    """Open every tab with sliders, and print what it took."""
    busy = os.getloadavg()[0]
    print(
        f"{date.today()}, {os.cpu_count()} cores, Python {platform.python_version()}, load before: {busy:.1f}"
    )
    print(f"{'ms':58}{'moves':>5}{'median':>9}{'p95':>8}{'most':>8}{'> 100':>9}")
    with served() as address, launched() as browser:
        for tab in tab_names():
            if tab == "learn":
                continue
            print(first_answers(browser, address, tab), flush=True)
            page = browser.new_page(viewport=WINDOW)
            page.add_init_script(WATCH)
            page.goto(f"{address}?tab={tab}")
            page.wait_for_selector("body[data-ready='1']")
            for one in redraws(page, tab):
                print(one, flush=True)
            page.close()


if __name__ == "__main__":
    main()
