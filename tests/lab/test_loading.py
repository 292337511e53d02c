"""A real model of a folder or of a configuration alone."""

import json
from pathlib import Path

import pytest

pytestmark = pytest.mark.lab

torch = pytest.importorskip("torch")

from sizewise.errors import InputError  # noqa: E402 - torch is optional
from sizewise.lab import extras  # noqa: E402
from sizewise.lab.loading import load_module, random_module  # noqa: E402

TINY = {
    "model_type": "llama",
    "hidden_size": 32,
    "intermediate_size": 48,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "vocab_size": 64,
    "max_position_embeddings": 64,
}


def same(one: object, other: object) -> bool:
    mine, theirs = one.state_dict(), other.state_dict()  # type: ignore[attr-defined]
    return mine.keys() == theirs.keys() and all(torch.equal(mine[name], theirs[name]) for name in mine)


def test_a_saved_folder_is_loaded_as_it_was(tmp_path: Path) -> None:
    made = random_module(TINY, name="tiny")
    made.module.save_pretrained(tmp_path / "model")
    found = load_module(str(tmp_path / "model"))
    assert found.origin == "folder"
    assert found.tokenizer is None
    assert not found.module.training
    assert same(made.module, found.module)


def test_a_configuration_alone_gives_random_weights_and_says_so(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text(json.dumps(TINY))
    state = torch.random.get_rng_state()
    one, other = load_module(str(tmp_path / "config.json")), load_module(str(tmp_path))
    assert torch.equal(state, torch.random.get_rng_state())
    assert [notice.code for notice in one.notices] == ["random_weights"]
    assert same(one.module, other.module)
    assert not same(one.module, load_module(str(tmp_path), seed=1).module)


def test_code_that_a_configuration_names_is_not_run() -> None:
    hostile = TINY | {
        "auto_map": {"AutoModelForCausalLM": "evil.Model"},
        "_attn_implementation": "org/kernel",
    }
    assert type(random_module(hostile, name="tiny").module).__name__ == "LlamaForCausalLM"


@pytest.mark.parametrize(
    ("raw", "code"),
    [({"model_type": "nonsense"}, "unsupported_architecture"), (TINY | {"hidden_size": "x"}, "bad_config")],
)
def test_what_cannot_be_built_is_refused_in_one_line(raw: dict[str, object], code: str) -> None:
    with pytest.raises(InputError) as refused:
        random_module(raw, name="tiny")
    assert refused.value.code == code
    assert "\n" not in refused.value.message


def test_a_broken_checkpoint_is_an_input_error(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text(json.dumps(TINY))
    (tmp_path / "model.safetensors").write_bytes(b"\x10\0\0\0\0\0\0\0nonsense")
    with pytest.raises(InputError):
        load_module(str(tmp_path))


def test_parameters_that_are_in_no_file_are_said(tmp_path: Path) -> None:
    random_module(TINY, name="tiny").module.model.save_pretrained(tmp_path)
    (said,) = load_module(str(tmp_path)).notices
    assert said.code == "missing_weights"
    assert "1 parameters are not in" in said.message
    assert "lm_head.weight" in said.message


def test_a_tokenizer_without_a_vocabulary_is_none(tmp_path: Path) -> None:
    """GemmaTokenizer is made of nothing, and finds every text to be one unknown token."""
    random_module(TINY | {"model_type": "gemma", "head_dim": 8}, name="tiny").module.save_pretrained(tmp_path)
    assert load_module(str(tmp_path)).tokenizer is None


def test_a_missing_package_names_the_extra() -> None:
    with pytest.raises(InputError) as refused:
        extras.required("no_such_package.inside", needed_for="pruning")
    assert refused.value.code == "missing_extra"
    assert refused.value.message == "pruning needs no_such_package; run: pip install 'sizewise[lab]'"


def test_loading_shows_no_bars_and_leaves_the_settings(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    from transformers.utils import logging

    before = logging.get_verbosity(), logging.is_progress_bar_enabled()
    random_module(TINY, name="tiny").module.save_pretrained(tmp_path / "model")
    capfd.readouterr()
    load_module(str(tmp_path / "model"))
    assert capfd.readouterr() == ("", "")
    assert (logging.get_verbosity(), logging.is_progress_bar_enabled()) == before


def test_a_type_whose_tokenizer_needs_no_files_has_none_without_them(tmp_path: Path) -> None:
    random_module(TINY | {"model_type": "qwen3", "head_dim": 8}, name="tiny").module.save_pretrained(tmp_path)
    assert load_module(str(tmp_path)).tokenizer is None
