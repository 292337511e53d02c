"""The way out for a type that is not modelled: the library's own class, without memory and without code."""

import json
from pathlib import Path

import pytest

from sizewise.counting import count
from sizewise.sources.via_transformers import via_transformers

pytestmark = [pytest.mark.oracle, pytest.mark.filterwarnings("ignore")]


def test_a_modelled_type_counts_the_same_both_ways() -> None:
    pytest.importorskip("transformers")
    fields = {
        "model_type": "gpt2",
        "n_layer": 2,
        "n_embd": 64,
        "n_head": 4,
        "vocab_size": 300,
        "n_positions": 64,
    }
    expected = 300 * 64 + 64 * 64 + 2 * (12 * 64 * 64 + 13 * 64) + 2 * 64
    assert count(via_transformers(fields, name="gpt2")).total.value == expected


def test_named_code_is_not_run(tmp_path: Path) -> None:
    pytest.importorskip("transformers")
    mark = tmp_path / "executed"
    (tmp_path / "evil.py").write_text(f"open({json.dumps(str(mark))}, 'w')")
    fields = {
        "model_type": "xlnet",
        "d_model": 64,
        "n_layer": 2,
        "n_head": 4,
        "d_inner": 128,
        "vocab_size": 300,
    }
    fields |= {"auto_map": {"AutoConfig": "evil.Config"}}  # type: ignore[dict-item]
    assert count(via_transformers(fields, name="xlnet")).total.value > 300 * 64
    assert not mark.exists()
