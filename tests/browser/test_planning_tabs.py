"""Training, scaling laws, sizes and the lessons: what they show is what the commands answer."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from .visiting import Visit

pytestmark = pytest.mark.browser
GIB = 2**30
RUNS = "\n".join(
    ["params,tokens,loss"]
    + [
        f"{n},{d},{1.8172 + 482.01 * n**-0.3478 + 2085.43 * d**-0.3658}"
        for n in (5e7, 1e8, 2e8, 4e8, 8e8)
        for d in (1e9, 2e9, 4e9, 8e9)
    ]
)


def drawn(seen: Visit) -> str:
    """Return the texts of the page when nothing is waited for."""
    seen.rest()
    seen.page.wait_for_selector("[data-waiting]", state="detached")
    return "\n".join(seen.page.locator(".drawn, .said").all_inner_texts())


def test_a_training_run_says_memory_days_and_money(visit: Callable[..., Visit], run: Callable) -> None:
    seen = visit().open("?tab=train&model=llama-3.1-8b&on=h100-sxm:8&tokens=100B&precision=bf16-mixed")
    words = "plan train llama-3.1-8b --on h100-sxm:8 --tokens 100B --precision bf16-mixed --json"
    document = run(*words.split()).document
    held = document["memory_per_device"]["total"]
    assert seen.total == f"{held / GIB:.2f} GiB ({held / 1e9:.2f} GB)"
    assert f"{document['days']['value']:.1f} days" in seen.answers
    assert f"${document['usd']['value']:,.0f}" in seen.answers
    assert "h100-sxm-80gb" in (seen.page.locator("svg.chart").first.text_content() or "")


def test_a_change_of_a_training_run_is_made_by_its_button(visit: Callable[..., Visit]) -> None:
    seen = visit().open("?tab=train&model=llama-3.1-70b&on=h100-sxm:8&tokens=1B")
    assert "does not fit" in seen.page.locator(".headline").inner_text()
    seen.change(lambda: seen.page.get_by_role("button", name="train low-rank adapters").click())
    assert "method=lora" in seen.page.url
    assert "does not fit" not in seen.page.locator(".headline").inner_text()


def test_the_best_use_of_a_budget_is_the_published_one(visit: Callable[..., Visit]) -> None:
    seen = visit().open("?tab=laws&flops=1e24")
    headline = seen.page.locator(".headline").inner_text()
    for told in ("95.9 B parameters", "1.74 T tokens", "18.1 tokens per parameter", "1.960"):
        assert told in headline
    titles = [one.text_content() for one in seen.page.locator("svg.chart .known title").all()]
    assert any(title and title.startswith("meta-llama/Llama-3.1-405B: 405 B") for title in titles)
    seen.change(lambda: seen.page.get_by_role("slider", name="Training budget").press("ArrowRight"))
    assert "flops=1.3e" in seen.page.url
    assert "95.9 B" not in seen.page.locator(".headline").inner_text()


def test_own_runs_are_fitted_and_the_card_is_saved(visit: Callable[..., Visit], tmp_path: Path) -> None:
    runs = tmp_path / "runs.csv"
    runs.write_text(RUNS, encoding="utf-8")
    seen = visit().open("?tab=laws&flops=1e21&bootstrap=20&hold_out=none")
    chosen = seen.page.locator("input[type=file]")
    seen.change(lambda: chosen.set_input_files(runs))
    seen.page.get_by_role("heading", name="Your own runs").wait_for()
    drawn(seen)
    table = seen.page.get_by_role("region", name="L = E + A/N^alpha + B/D^beta")
    assert "0.3478" in table.inner_text()
    assert "0.3658" in table.inner_text()
    for kind in ("HTML", "Markdown", "JSON"):
        with seen.page.expect_download() as download:
            seen.page.get_by_role("group", name="Scaling card").get_by_role("button", name=kind).click()
        text = Path(download.value.path()).read_text(encoding="utf-8")
        assert "Scaling card" in text
    assert json.loads(text)["fit"]["coefficients"]["alpha"] == pytest.approx(0.3478, abs=1e-4)


def test_a_dropped_file_of_runs_is_read(visit: Callable[..., Visit]) -> None:
    seen = visit().open("?tab=laws&flops=1e21&bootstrap=20&hold_out=none")
    dropped = seen.page.evaluate_handle(
        """text => { const data = new DataTransfer();
        data.items.add(new File([text], "runs.csv", {type: "text/csv"})); return data; }""",
        RUNS,
    )
    seen.field("Your own runs").dispatch_event("drop", {"dataTransfer": dropped})
    seen.page.get_by_role("heading", name="Your own runs").wait_for()
    assert "20 runs" in drawn(seen)


def test_a_link_brings_own_runs_along(visit: Callable[..., Visit]) -> None:
    seen = visit().open("?tab=laws&flops=1e21&bootstrap=20&hold_out=none")
    seen.change(lambda: seen.field("Your own runs").fill(RUNS) or seen.field("Your own runs").blur())
    seen.page.get_by_role("heading", name="Your own runs").wait_for()
    drawn(seen)
    again = visit(address=seen.address)
    again.page.goto(seen.page.url)
    again.page.get_by_role("heading", name="Your own runs").wait_for()
    assert drawn(again) == drawn(seen)


def test_sizes_are_those_that_choose_names(visit: Callable[..., Visit], run: Callable) -> None:
    seen = visit().open("?tab=size&task=mathematics&quality=70&on=rtx-4090&context=8192")
    words = "choose --task mathematics --quality 70 --on rtx-4090 -c 8k --json"
    found = run(*words.split()).document["choose"]
    assert found["size_class"]["model"].split("/")[-1] == seen.total
    text = drawn(seen)
    for one in found["candidates"]:
        assert one["model"].split("/")[-1] in text
    seen.page.get_by_role("link", name=seen.total).click()
    seen.rest()
    assert found["size_class"]["model"] in seen.page.locator(".answer").first.inner_text()


def test_popular_examples_come_out_right(visit: Callable[..., Visit]) -> None:
    text = drawn(visit().open("?tab=learn&model=llama-2-7b&context=4096"))
    for told in (
        "6,738,415,616",  # Llama-2-7B
        "14.00 GB = 13.04 GiB; 140.00 GB = 130.39 GiB",  # nominal sizes at two bytes
        "236 B parameters, 471.48 GB = 439.10 GiB",  # DeepSeek-V2
        "124,439,808 to 1,557,611,200 parameters",  # GPT-2
        "88,948,736 matrices, 63,348,736 tied, 89,029,632 with biases and norms",
        "12,582,912",  # attention of that model
        "355.8 MB = 339.3 MiB",  # its weights
        "1.33 GiB of weights, gradients and Adam",  # 1,357 MiB
        "2.173 (besiroglu2024-published) or 2.184 (hoffmann2022-a3-rounded)",
        "95.9 B parameters and 1.74 T tokens, loss 1.960",
        "4.20e22 FLOP, loss 2.084: 0.0158 above",
        "Llama-2-7b-hf 16.00 GiB; Llama-3.1-8B 4.00 GiB",  # caches
        "4.17 GB",  # NF4
    ):
        assert told in text


def test_bytes_a_parameter_are_sixteen_for_adam_in_full_precision(visit: Callable[..., Visit]) -> None:
    seen = visit().open("?tab=learn&model=llama-3.2-1b")
    seen.page.get_by_text("Bytes a parameter by recipe").click()
    drawn(seen)
    table = seen.page.get_by_role("region", name="Bytes a parameter")
    table.wait_for()
    rows = {row.split("\t")[0]: row.split("\t") for row in table.inner_text().splitlines() if "\t" in row}
    assert rows["fp32, Adam"][1:5] == ["4", "4", "8", "16"]
    assert rows["bf16 with an fp32 copy, Adam"][4] == "16"
    assert float(rows["adapters beside packed weights"][4]) < 2


def test_a_budget_and_a_fit_are_downloaded_as_tables(visit: Callable[..., Visit]) -> None:
    seen = visit().open("?tab=laws&flops=1e21&bootstrap=20&hold_out=none")
    seen.change(lambda: seen.field("Your own runs").fill(RUNS) or seen.field("Your own runs").blur())
    seen.page.get_by_role("heading", name="Your own runs").wait_for()
    drawn(seen)
    for section in seen.page.locator("section.answer").all():
        shared = section.get_by_role("group", name="Share and download")
        for button in ("CSV", "Markdown"):
            with seen.page.expect_download() as download:
                shared.get_by_role("button", name=button).click()
            assert Path(download.value.path()).stat().st_size > 100
        shared.get_by_role("button", name="Copy command").click()
        assert "--curve" not in section.locator(".happened").last.inner_text()


@pytest.mark.parametrize(
    ("query", "label"),
    [
        ("?tab=train&model=llama-3.1-8b&on=h100-sxm:8&tp=3", "Tensor parallel"),
        ("?tab=laws&flops=1e22&law=hoffmann2022-a1", "Law"),
    ],
)
def test_a_refusal_stands_at_its_field(query: str, label: str, visit: Callable[..., Visit]) -> None:
    seen = visit()
    seen.is_refused = True
    seen.open(query)
    seen.until(lambda: seen.field(label).get_attribute("aria-invalid") == "true")


@pytest.mark.parametrize("tab", ["train", "laws", "size", "learn"])
def test_nothing_is_wider_than_a_small_phone(tab: str, visit: Callable[..., Visit]) -> None:
    seen = visit(viewport={"width": 320, "height": 640}).open(f"?tab={tab}")
    seen.page.evaluate("document.querySelectorAll('main details').forEach((one) => { one.open = true; })")
    drawn(seen)
    assert seen.page.evaluate("document.documentElement.scrollWidth") <= 320


def test_a_count_that_was_found_is_told_apart(visit: Callable[..., Visit]) -> None:
    found = visit().open("?tab=train&model=llama-3.1-405b&on=rtx-4090")
    assert "the fewest found that hold it" in found.page.locator(".headline").inner_text()
    asked = visit().open("?tab=train&model=llama-3.1-8b&on=h100-sxm:8")
    assert "the fewest found" not in asked.page.locator(".headline").inner_text()


def test_the_budget_begins_inside_the_runs_of_the_law(visit: Callable[..., Visit]) -> None:
    assert "Extrapolated" not in visit().open("?tab=laws").page.locator(".headline").inner_text()
    far = visit().open("?tab=laws&flops=1e26")
    assert "Extrapolated 3.9 decades" in far.page.locator(".headline").inner_text()
