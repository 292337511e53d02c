"""The verb, its command line, and the profiler of a module: what they answer and what they refuse."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch

import sizewise.lab
from sizewise.__main__ import main
from sizewise.errors import InputError, UsageError
from sizewise.lab import ModelProfiler, profile
from sizewise.lab.profiling.clock import quantile, timed

from .models import MODELS, Mlp, built

pytestmark = [pytest.mark.lab, pytest.mark.filterwarnings("ignore")]

LLAMA = {
    "model_type": "llama",
    "vocab_size": 500,
    "hidden_size": 64,
    "intermediate_size": 128,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "dtype": "float32",
}
DEVICE = "custom:8GiB,10GB/s,0.1TFLOPS"


@pytest.fixture
def config(tmp_path: Path) -> str:
    path = tmp_path / "config.json"
    path.write_text(json.dumps(LLAMA))
    return str(path)


def printed(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert main(["profile", *arguments]) == 0
    return capsys.readouterr().out


def test_json_has_the_blocks_that_stay(config: str, capsys: pytest.CaptureFixture[str]) -> None:
    found = json.loads(printed(capsys, config, "-s", "32", "--batch", "2", "--on", DEVICE, "--json"))
    assert found["schema_version"] == 1
    for block in ("parameters", "memory", "compute"):
        assert found[block]["ratio"] == pytest.approx(1, abs=0.05), block
    assert found["time"]["predicted"] > 0
    assert found["time"]["measured"] > 0
    assert {"prompt", "token", "step"} <= found["time"].keys()
    assert found["compute"]["uncounted"] == {}
    assert found["memory"]["training"]["measured"] > found["memory"]["inference"]["measured"]
    assert found["warnings"][0]["code"] == "random_weights"


def test_a_finished_profile_calibrates(
    config: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The times stand as if the machine were a quarter slower than predicted: such a run is learned from."""
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    document = json.loads(printed(capsys, config, "-s", "32", "--no-training", "--on", DEVICE, "--json"))
    for name in ("prompt", "token"):
        document["time"][name]["measured"] = 1.25 * document["time"][name]["predicted"]
    profiled = tmp_path / "profile.json"
    profiled.write_text(json.dumps(document))
    assert main(["calibrate", str(profiled), "--model", config, "--json"]) == 0
    (points,) = json.loads(capsys.readouterr().out)["calibration"].values()
    assert {point["quantity"] for point in points} == {"prompt", "token"}
    assert [point["ratio"] for point in points] == pytest.approx([1.25, 1.25], rel=0.02)


def test_shapes_alone(config: str, capsys: pytest.CaptureFixture[str]) -> None:
    text = printed(capsys, config, "-s", "32", "--shapes", "--training")
    assert "measured by: tensors without data" in text
    assert "uncounted: nothing" in text
    assert "median of" not in text


def test_fields_can_be_changed(config: str, capsys: pytest.CaptureFixture[str]) -> None:
    options = (config, "--set", "num_hidden_layers=1", "--dtype", "bf16", "--shapes", "--json")
    found = json.loads(printed(capsys, *options))
    layer = 64 * (64 + 2 * 32) + 64 * 64 + 3 * 64 * 128 + 2 * 64
    assert found["parameters"]["measured"] == found["parameters"]["predicted"] == 2 * 500 * 64 + layer + 64
    assert found["quant"] == "bf16"


def test_folders_with_weights_are_profiled_with_them(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    built(LLAMA).save_pretrained(tmp_path / "model")
    found = json.loads(printed(capsys, str(tmp_path / "model"), "-s", "16", "--no-time", "--json"))
    assert found["parameters"]["ratio"] == 1
    assert not [one for one in found["warnings"] if one["code"] == "random_weights"]
    assert found["time"]["measured"] is None


@pytest.mark.parametrize(
    "options",
    [{"batch": 0}, {"sequence": -1}, {"dtype": "int3"}, {"input_shape": (0, 4)}],
)
def test_values_that_cannot_be_meant(options: dict[str, Any]) -> None:
    with pytest.raises(UsageError):
        profile(LLAMA, **options)


def test_something_that_is_no_model() -> None:
    with pytest.raises(UsageError, match="no model"):
        profile(3)


def test_what_does_not_fit_is_followed_on_shapes(monkeypatch: pytest.MonkeyPatch) -> None:
    from sizewise.lab.profiling import profiled

    monkeypatch.setattr(profiled, "memory_by_library", lambda: (None, 2**18))
    found = profile(LLAMA, sequence=16)
    assert found.measured.source == "tensors without data"
    assert any(notice.code == "not_run" for notice in found.notices)


def test_a_step_that_does_not_fit_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    from sizewise.lab.profiling import profiled

    weights = profile(LLAMA, sequence=16, data=False).predicted.memory["weights"]
    monkeypatch.setattr(profiled, "memory_by_library", lambda: (None, int(2 * weights)))
    found = profile(LLAMA, sequence=16, timed=False)
    assert found.measured.source == "run"
    assert "training" not in found.measured.memory
    assert any("a step of training" in notice.message for notice in found.notices)


class Looking(torch.nn.Module):
    """Decides by its numbers: shapes alone do not say what it does."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = torch.nn.Linear(4, 4)

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        """Return [B, 4]."""
        return self.layer(features) if features.sum().item() > 0 else features


def test_what_shapes_cannot_tell_is_measured_nevertheless() -> None:
    found = profile(Looking(), inputs=torch.ones(2, 4), timed=False, training=False)
    assert found.measured.compute["forward_macs"] == 32
    assert not found.predicted.compute
    assert any("nothing is predicted" in notice.message for notice in found.notices)
    with pytest.raises(InputError, match="Looking"):
        profile(Looking(), inputs=torch.ones(2, 4), data=False)


def test_given_identifiers_are_sequences_of_tokens() -> None:
    row = MODELS["mixtral"]
    found = profile(
        built(row["config"]), inputs={"input_ids": torch.ones(2, 128, dtype=torch.long)}, timed=False
    )
    assert (found.batch, found.sequence, found.predicted.source) == (2, 128, "architecture")
    assert found.figures("compute")["forward_flops"].ratio == 1
    assert found.measured.memory["inference"] == row["memory"]["forward_peak_bytes_measured"]


def test_given_tensors_say_how_many_rows_there_are() -> None:
    module = torch.nn.Bilinear(4, 5, 6)
    found = profile(module, inputs=(torch.randn(3, 4), torch.randn(3, 5)), timed=False)
    assert (found.batch, found.sequence) == (3, 4)


def test_a_cell_reads_its_own_size() -> None:
    found = profile(torch.nn.LSTMCell(16, 32), batch=2, timed=False)
    assert found.figures("compute")["forward_flops"].measured == 2 * 2 * 4 * 32 * (16 + 32)


def test_a_script_without_a_signature_asks_for_inputs() -> None:
    with pytest.raises(UsageError, match="signature"):
        profile(torch.jit.script(torch.nn.Linear(8, 8)), timed=False)


def test_what_shapes_refuse_in_another_way_is_measured_nevertheless() -> None:
    packed = torch.ao.quantization.quantize_dynamic(torch.nn.Sequential(torch.nn.Linear(8, 8)))
    found = profile(packed, inputs=torch.randn(2, 8), timed=False)
    assert found.measured.memory["inference"] > 0
    assert any("nothing is predicted" in notice.message for notice in found.notices)


def test_kernels_whose_memory_no_shape_shows_are_named() -> None:
    found = profile(torch.nn.Conv1d(4, 8, 3), batch=2, sequence=16, timed=False)
    assert any("not seen on shapes: convolution" in notice.message for notice in found.notices)


def test_a_small_module_takes_the_starts_of_its_operators() -> None:
    """Its bytes and its FLOPs alone would take a tenth of what it does."""
    module = torch.nn.Sequential(*(torch.nn.Linear(4, 4) for _ in range(50)))
    found = profile(module, batch=1, sequence=1, training=False)
    assert found.predicted.operators == found.measured.operators == 50
    ratio = found.figures("time")["forward"].ratio
    assert ratio is not None
    assert 0.2 < ratio < 5
    assert any("50 starts of operators" in notice.message for notice in found.notices)


def test_the_cache_of_a_window_is_what_it_looks_at() -> None:
    config = LLAMA | {"model_type": "mistral", "sliding_window": 8}
    cache = profile(config, sequence=32, timed=False, training=False).figures("memory")["cache"]
    assert cache.ratio == pytest.approx(1, abs=0.02)


def test_the_package_of_the_lab_is_light() -> None:
    assert "profile" in sizewise.lab.__all__
    assert callable(sizewise.lab.profile)


class TestModelProfiler:
    """The three questions of a widely read lesson, answered right."""

    def test_parameters(self) -> None:
        found = ModelProfiler(built(MODELS["qwen2"]["config"])).count_parameters()
        assert (found["total"], found["trainable"], found["non_trainable"]) == (473_216, 473_216, 0)

    def test_frozen_parameters(self) -> None:
        module = Mlp()
        module.first.requires_grad_(False)
        found = ModelProfiler(module).count_parameters()
        assert (found["total"], found["trainable"], found["non_trainable"]) == (505_510, 5_010, 500_500)

    @pytest.mark.parametrize(("kv_heads", "gib"), [(32, 16), (8, 4)], ids=["Llama-2-7B", "Llama-3.1-8B"])
    def test_the_cache_of_a_batch(self, kv_heads: int, gib: int) -> None:
        """32 sequences of 1,024 tokens in 16 bits: 128 and 32 times what the lesson says."""
        raw = LLAMA | {
            "hidden_size": 4096,
            "num_hidden_layers": 32,
            "num_attention_heads": 32,
            "num_key_value_heads": kv_heads,
        }
        with torch.device("meta"):
            module = built(raw, dtype=torch.bfloat16)
        found = ModelProfiler(module).estimate_memory(batch_size=32, seq_len=1024)
        assert found["cache_gib"] == gib
        assert found["total"] == found["peak"] + found["cache"]
        assert found["peak"] > found["parameters"]

    def test_training_takes_gradients_and_states(self) -> None:
        profiler = ModelProfiler(built(MODELS["llama_untied"]["config"]))
        found = profiler.estimate_memory(batch_size=2, seq_len=128, training=True)
        known = MODELS["llama_untied"]["memory"]["train_peak_bytes_measured"]
        assert found["total"] == pytest.approx(known, rel=0.03)

    def test_the_work_of_a_forward_pass(self) -> None:
        """12 layers of width 512 over 50,000 tokens at 512 tokens, head tied: 7.13e10 FLOPs."""
        raw = {"model_type": "gpt2", "n_embd": 512, "n_layer": 12, "n_head": 8, "vocab_size": 50_000}
        found = ModelProfiler(built(raw)).profile_inference(input_shape=(1, 512))
        assert found["flops"] == 2 * found["macs"] == pytest.approx(7.13e10, rel=0.001)
        assert found["params"] == 63_953_920
        assert found["seconds"] > 0
        assert found["predicted_peak_bytes"] == pytest.approx(found["peak_bytes"], rel=0.05)
        assert not found["uncounted"]

    def test_numbers_that_are_no_identifiers(self) -> None:
        assert ModelProfiler(Mlp()).profile_inference((32, 1000))["macs"] == 16_160_000


def test_quantiles_stand_between_neighbours() -> None:
    assert quantile([3.0, 1.0, 2.0], 0.5) == 2.0
    assert quantile([0.0, 10.0], 0.1) == 1.0


def test_the_first_call_stands_apart_and_long_ones_are_few() -> None:
    calls: list[int] = []
    found = timed(lambda: calls.append(1), torch.device("cpu"))
    assert (len(calls), found.repeats) == (1 + 2 + 20, 20)
    assert found.least <= found.low <= found.seconds <= found.high
