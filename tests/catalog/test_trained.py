"""What models were trained on: known runs, complete rows."""

from typing import Any

import pytest

from sizewise.catalog.trained import read_trained, trained_models


@pytest.mark.parametrize(
    ("name", "params", "tokens"),
    [
        ("huggyllama/llama-7b", 6.7e9, 1e12),
        ("huggyllama/llama-65b", 65.2e9, 1.4e12),
        ("meta-llama/Llama-2-70b-hf", 70e9, 2e12),
        ("EleutherAI/pythia-12b-deduped", 12e9, 3e11),
        ("meta-llama/Llama-3.1-405B", 405e9, 15e12),
    ],
)
def test_tokens_are_those_of_the_papers(name: str, params: float, tokens: float) -> None:
    (found,) = [model for model in trained_models() if model.name == name]
    assert (found.params, found.tokens) == (params, tokens)


def test_rows_lie_where_models_are_trained() -> None:
    for model in trained_models():
        assert 1e7 < model.params < 1e12
        assert 1 < model.tokens / model.params < 1e4


ROW = ["someone/model", 1e9, 2e10]


@pytest.mark.parametrize(
    "table",
    [
        {"checked": "2026-11-22", "models": [ROW]},
        {"source": "a paper", "models": [ROW]},
        {"source": "a paper", "checked": "2026-11-22", "models": [ROW, ROW]},
        {"source": "a paper", "checked": "2026-11-22", "models": [["someone/model", 0, 2e10]]},
    ],
)
def test_incomplete_rows_are_refused(table: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"source|isoformat|twice|parameters"):
        read_trained([table])
