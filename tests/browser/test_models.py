"""Models of one's own: pasted, dropped, broken, hostile."""

import json
import struct
from base64 import b64encode
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ..corpus.writers_gguf import TEXT, U32, kv, sound_gguf
from .test_answers import said_total
from .visiting import Visit

pytestmark = pytest.mark.browser
CONFIG: dict[str, Any] = {
    "model_type": "llama",
    "hidden_size": 512,
    "intermediate_size": 1376,
    "num_hidden_layers": 8,
    "num_attention_heads": 8,
    "num_key_value_heads": 2,
    "vocab_size": 32000,
    "max_position_embeddings": 2048,
}
OPEN = "?tab=memory&model=llama-3.1-8b&context=1024&on=rtx-4090"
DROP = """([place, name, packed]) => {
  const bytes = Uint8Array.from(atob(packed), (one) => one.charCodeAt(0));
  const carried = new DataTransfer();
  carried.items.add(new File([bytes], name));
  place.dispatchEvent(new DragEvent("drop", { dataTransfer: carried, bubbles: true, cancelable: true }));
}"""


F32, Q8_0 = 0, 8
LAYER = {
    "attn_norm.weight": ([256], F32),
    "attn_q.weight": ([256, 256], Q8_0),
    "attn_k.weight": ([256, 64], Q8_0),
    "attn_v.weight": ([256, 64], Q8_0),
    "attn_output.weight": ([256, 256], Q8_0),
    "ffn_norm.weight": ([256], F32),
    "ffn_gate.weight": ([256, 512], Q8_0),
    "ffn_up.weight": ([256, 512], Q8_0),
    "ffn_down.weight": ([512, 256], Q8_0),
}
SHAPE = {
    "block_count": 2,
    "context_length": 2048,
    "embedding_length": 256,
    "feed_forward_length": 512,
    "attention.head_count": 4,
    "attention.head_count_kv": 1,
}


def gguf_file() -> bytes:
    """Return a small model as llama.cpp keeps it, tokenizer and data with it."""
    tensors = {"token_embd.weight": ([256, 2000], Q8_0), "output_norm.weight": ([256], F32)}
    tensors |= {f"blk.{layer}.{name}": entry for layer in range(2) for name, entry in LAYER.items()}
    pairs = [kv("general.architecture", TEXT, "llama"), kv("general.file_type", U32, 7)]
    pairs += [kv(f"llama.{key}", U32, value) for key, value in SHAPE.items()]
    return sound_gguf(tensors, pairs)


def paste(seen: Visit, text: str) -> None:
    seen.page.get_by_text("or paste a config.json").click()
    seen.field("config.json").fill(text)
    seen.field("config.json").press("Tab")


def drop(seen: Visit, name: str, content: bytes) -> None:
    place = seen.page.locator(".of-model div.model").element_handle()
    seen.page.evaluate(DROP, [place, name, b64encode(content).decode()])


def test_a_pasted_configuration_is_counted(
    visit: Callable[..., Visit], run: Callable, tmp_path: Path
) -> None:
    file = tmp_path / "config.json"
    file.write_text(json.dumps(CONFIG), encoding="utf-8")
    seen = visit().open(OPEN)
    seen.change(lambda: paste(seen, json.dumps(CONFIG, indent=2)))
    document = run("memory", str(file), "-c", "1024", "--on", "rtx-4090", "--json").document
    assert seen.total == said_total(document["memory"]["total"])
    assert "model_type" not in seen.page.url.partition("#")[0]
    again = visit(address=seen.address)
    again.page.goto(seen.page.url)
    assert again.rest().total == seen.total


@pytest.mark.parametrize("text", ['{"model_type": ', '{"hidden_size": 512}', "[]", '{"a": ' * 300])
def test_a_broken_configuration_is_told_beside_the_field(text: str, visit: Callable[..., Visit]) -> None:
    seen = visit().open(OPEN)
    seen.is_refused = True
    paste(seen, text)
    error = seen.page.locator(".of-model p.error")
    seen.until(lambda: len(error.inner_text()) > 10)
    assert seen.page.locator(".of-model [aria-invalid=true]").count() == 1


def test_markup_stays_text(visit: Callable[..., Visit]) -> None:
    hostile = "<img src=x onerror=alert(1)>"
    seen = visit().open(OPEN)
    seen.is_refused = True
    paste(seen, json.dumps({**CONFIG, "model_type": hostile}))
    error = seen.page.locator(".of-model p.error")
    seen.until(lambda: "<img" in error.inner_text())
    link = visit(address=seen.address)
    link.is_refused = True
    link.open(f"?tab=memory&model={hostile}&on=<b>rtx</b>")
    for one in (seen, link):
        assert one.page.locator("main img, main b, main script").count() == 0


def test_a_dropped_gguf_sends_its_header_alone(
    visit: Callable[..., Visit], run: Callable, tmp_path: Path
) -> None:
    content = gguf_file()
    file = tmp_path / "small.gguf"
    file.write_bytes(content)
    seen = visit().open(OPEN)
    seen.change(lambda: drop(seen, "small.gguf", content))
    (sent,) = [one for one in seen.requests if "/api/header" in one.url]
    assert 500 < int(sent.all_headers()["content-length"]) < len(content) / 100
    document = run("memory", str(file), "-c", "1024", "--on", "rtx-4090", "--json").document
    assert seen.total == said_total(document["memory"]["total"])


def test_a_chosen_safetensors_file_is_read_with_its_configuration(visit: Callable[..., Visit]) -> None:
    entry = {"dtype": "BF16", "shape": [1000, 500], "data_offsets": [0, 1_000_000]}
    header = json.dumps({"model.embed_tokens.weight": entry}).encode()
    content = struct.pack("<Q", len(header)) + header + bytes(1_000_000)
    seen = visit().open(OPEN)
    seen.is_refused = True
    files = [
        {"name": "model.safetensors", "mimeType": "application/octet-stream", "buffer": content},
        {"name": "config.json", "mimeType": "application/json", "buffer": json.dumps(CONFIG).encode()},
    ]
    note = seen.page.locator(".of-model div.model > p[role=status]")
    seen.page.locator(".of-model div.model input[type=file]").set_input_files(files)
    seen.until(lambda: "header of" in note.inner_text() or ": " in note.inner_text())
    (sent,) = [one for one in seen.requests if "/api/header" in one.url]
    assert int(sent.all_headers()["content-length"]) == 8 + len(header) + len(json.dumps(CONFIG))


@pytest.mark.parametrize("name", ["a.gguf", "a.safetensors", "config.json"])
def test_a_file_that_is_something_else_is_told(name: str, visit: Callable[..., Visit]) -> None:
    seen = visit().open(OPEN)
    seen.is_refused = True
    drop(seen, name, b"GIF89a, or so it says" if name.endswith("s") else b"PK\x03\x04 not this")
    note = seen.page.locator(".of-model div.model > p[role=status]")
    seen.until(lambda: note.inner_text().startswith(f"{name}: "))


def test_an_unknown_device_is_told_beside_its_field(visit: Callable[..., Visit]) -> None:
    seen = visit().open(OPEN)
    seen.is_refused = True
    device = seen.page.locator("[id^=on-]").first
    device.fill("rtx-4900")
    device.press("Tab")
    seen.until(lambda: "did you mean rtx-4090" in seen.page.locator("form").inner_text())
    assert device.get_attribute("aria-invalid") == "true"
    device.fill("rtx-3090")
    device.press("Tab")
    seen.until(lambda: device.get_attribute("aria-invalid") is None)


def test_runs_of_ones_own_are_fitted(visit: Callable[..., Visit], tmp_path: Path) -> None:
    rows = [
        f"{n:.0f},{d:.0f},{1.69 + 406.4 / n**0.34 + 410.7 / d**0.28:.6f}"
        for n in (5e7, 1e8, 2e8, 4e8, 8e8)
        for d in (1e9, 2e9, 4e9, 8e9, 16e9)
    ]
    file = tmp_path / "runs.csv"
    file.write_text("\n".join(["N,D,loss", *rows, ""]), encoding="utf-8")
    seen = visit().open("?tab=laws&bootstrap=20")
    seen.page.get_by_label("Your own runs: a file").set_input_files(file)
    seen.until(lambda: "Your own runs" in seen.page.locator("#answers").inner_text())
    seen.rest()
    seen.until(lambda: "0.34" in seen.answers)
