"""Schemathesis reads the OpenAPI document as a stranger does, and asks what it allows and what not."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from .asking import Service

EXAMPLES = os.environ.get("SIZEWISE_SCHEMATHESIS", "1")
"""Questions of each kind to each address; more by hand."""
SEARCHES = r"/api/(plan|choose|recommend|validate|laws/(fit|design|compare))"
"""What takes seconds for each question is asked by hand."""
BOUNDARIES = r"^/api/(health|names|header|laws/loss)$"
"""Every bound of every option, from both sides, of a few."""
PHASES = {
    "examples,fuzzing": ("--max-examples", EXAMPLES, "--exclude-path-regex", SEARCHES),
    "coverage": ("--include-path-regex", BOUNDARIES),
}


@pytest.mark.parametrize("phase", PHASES)
def test_nothing_is_found(service: Service, phase: str, tmp_path: Path) -> None:
    config = Path(__file__).with_name("schemathesis.toml")
    command = [sys.executable, "-m", "schemathesis.cli", "--config-file", str(config), "run"]
    options = ["--checks", "all", "--phases", phase, "--seed", "1", "--no-color", *PHASES[phase]]
    document = f"http://127.0.0.1:{service.port}/api/openapi.json"
    done = subprocess.run(
        [*command, document, *options], capture_output=True, text=True, check=False, cwd=tmp_path
    )
    assert done.returncode == 0, done.stdout[-3_000:] + done.stderr[-1_000:]
    assert service.answers()
