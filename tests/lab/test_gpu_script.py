"""The script that measures on a GPU, taken the whole way on fake tensors, and without a GPU."""

import csv
import subprocess
import sys
from pathlib import Path

import pytest

torch = pytest.importorskip("torch")

pytestmark = pytest.mark.lab

SCRIPT = Path(__file__).parents[2] / "validation" / "gpu" / "measure_training.py"
NO_GPU = 3


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-W", "ignore", str(SCRIPT), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_a_dry_run_scores_every_kind_of_case(tmp_path: Path) -> None:
    done = run("--dry-run", "--folder", str(tmp_path))
    assert done.returncode == 0, done.stderr
    (path,) = tmp_path.glob("dry-run-*.csv")
    rows = list(csv.DictReader(path.read_text(encoding="utf-8").splitlines()))
    assert {row["work"] for row in rows} == {"train", "prefill", "decode"}
    assert {row["precision"] for row in rows} == {"bf16", "fp32", "bf16-autocast"}
    assert {row["optimizer"] for row in rows} == {"fused", "foreach", "loop"}
    for row in rows:
        assert int(row["parameters"]) > 0
        assert float(row["predicted_low"]) <= float(row["predicted_total"]) <= float(row["predicted_high"])
        assert bool(row["allocated_peak"]) != bool(row["note"])
    simple = [row for row in rows if row["optimizer"] == "loop"]
    assert all(abs(float(row["allocated_error"])) < 0.01 for row in simple)
    assert f"{len(rows)} rows" in done.stdout


@pytest.mark.skipif(torch.cuda.is_available(), reason="a GPU is here")
def test_without_a_gpu_it_says_so(tmp_path: Path) -> None:
    done = run("--folder", str(tmp_path))
    assert done.returncode == NO_GPU
    assert "no NVIDIA GPU" in done.stdout
    assert not done.stderr
    assert not list(tmp_path.iterdir())
