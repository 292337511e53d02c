"""GGUF files of a stand-in hub: which file is meant, and how much of it is fetched."""

import pytest

from sizewise.counting import count
from sizewise.errors import HubError, InputError
from sizewise.sources.reference import load_reference

from ..corpus.cases_gguf import parts
from ..corpus.writers_gguf import ARRAY, TEXT, kv, sound_gguf
from .lying_hub import REPO, Hub
from .test_gguf import PARAMETERS, llama


def test_a_file_by_its_name_and_by_its_type(hub: Hub) -> None:
    hub.files[REPO] |= {"sub/x-Q8_0.gguf": llama(), "x-Q4_K_M.gguf": b"", "mmproj-Q8_0.gguf": b""}
    for written in ("sub/x-Q8_0.gguf", "Q8_0", "q8_0"):
        model = load_reference(f"hf.co/{REPO}:{written}")
        assert count(model).total.value == PARAMETERS
        assert model.architecture.model_class == "LlamaForCausalLM"
        assert model.name == f"{REPO}:sub/x-Q8_0.gguf"


def test_the_folder_may_carry_the_type(hub: Hub) -> None:
    hub.files[REPO] |= {"Q8_0/x.gguf": llama(), "Q4_0/x.gguf": b""}
    assert count(load_reference(f"{REPO}:Q8_0")).total.value == PARAMETERS


def test_several_files_of_a_type_are_listed(hub: Hub) -> None:
    hub.files[REPO] |= {"a-Q8_0.gguf": llama(), "UD-Q8_0.gguf": llama(), "b-IQ8_0.gguf": b""}
    with pytest.raises(InputError, match=r"2 files for 'Q8_0'.*UD-Q8_0\.gguf, a-Q8_0\.gguf"):
        load_reference(f"{REPO}:Q8_0")


def test_parts_are_read_together(hub: Hub) -> None:
    files = parts("Q8_0", [{"a": ([83], 0)}, {"b": ([89], 0)}], 2)
    hub.files[REPO] |= files
    assert count(load_reference(f"{REPO}:Q8_0")).total.value == 172
    del hub.files[REPO]["Q8_0/m-00002-of-00002.gguf"]
    with pytest.raises(InputError) as caught:
        load_reference(f"{REPO}:Q8_0")
    assert caught.value.code == "missing_shard"


def test_a_file_that_is_not_there(hub: Hub) -> None:
    with pytest.raises(HubError) as caught:
        load_reference(f"{REPO}:none.gguf")
    assert caught.value.code == "http_status"


def test_a_large_tokenizer_is_fetched_in_pieces(hub: Hub) -> None:
    words = ["tokens of it"] * 500_000
    data = sound_gguf({"a": ([2**22], 0)}, [kv("tokenizer.ggml.tokens", ARRAY, (TEXT, words))])
    header = len(data) - 2**24
    hub.files[REPO]["x.gguf"] = data
    assert count(load_reference(f"{REPO}:x.gguf")).total.value == 2**22
    assert header > 10_000_000
    assert hub.sent < header + 2**23
    assert len(hub.requests) <= 12
