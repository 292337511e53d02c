"""One rank's parameters are those of vLLM 0.33.0's layers, worked out by hand from their source."""

import pytest

import sizewise as sw
from sizewise.architecture import Architecture
from sizewise.catalog.formats import find_format
from sizewise.configuration import Config
from sizewise.errors import UsageError
from sizewise.families import describe
from sizewise.footprint.weights import weight_bytes
from sizewise.operations import SequenceState, TokenCache
from sizewise.parallel.data import data_shares, replica_sequences
from sizewise.parallel.experts import expert_rank, narrow_expert_rank
from sizewise.parallel.tensor import check_groups, is_possible, replication_notice, tensor_rank
from sizewise.parallel.vocabulary import padded_vocabulary


def model(name: str) -> Architecture:
    return sw.load(name).architecture


def elements(architecture: Architecture, role: str = "") -> int:
    return sum(
        weight.elements * copies for weight, copies in architecture.weights() if role in ("", weight.role)
    )


def cached(architecture: Architecture) -> int:
    return sum(
        entry.numbers * layers for entry, layers in architecture.kept() if isinstance(entry, TokenCache)
    )


def test_llama_70b_on_eight_ranks() -> None:
    rank = tensor_rank(model("llama-3.1-70b"), 8)
    hidden, layers = 8192, 80
    attention = (8 * 128 + 2 * 128) * hidden + hidden * 8 * 128
    assert elements(rank, "attention") == layers * attention == 1_509_949_440
    assert elements(rank, "feed_forward") == layers * 3 * 3584 * hidden == 7_046_430_720
    assert elements(rank, "embedding") == elements(rank, "head") == 16_032 * hidden
    assert elements(rank, "norm") == (2 * layers + 1) * hidden
    assert elements(rank) == 8_820_367_360
    assert cached(rank) == 80 * 2 * 128
    assert weight_bytes(rank, find_format("bf16")).value == 2 * elements(rank)


def test_kv_heads_are_repeated_where_there_are_more_ranks() -> None:
    whole = model("llama-3.1-70b")
    assert cached(tensor_rank(whole, 16)) == cached(tensor_rank(whole, 8)) == cached(whole) // 8


def test_deepseek_keeps_latents_and_cache_whole() -> None:
    whole = model("deepseek-v3")
    rank = tensor_rank(whole, 8)
    assert cached(rank) == cached(whole) == 61 * 576
    attention = 1536 * 7168 + 16 * 192 * 1536 + 576 * 7168 + 16 * 256 * 512 + 7168 * 16 * 128
    assert elements(rank, "attention") == 61 * attention
    assert elements(rank, "router") == elements(whole, "router")


def test_vocabularies_are_padded_before_they_are_divided() -> None:
    gpt2 = model("gpt2")
    assert elements(tensor_rank(gpt2, 2), "embedding") == 50_304 // 2 * 768
    assert elements(tensor_rank(gpt2, 2), "position") == 1024 * 768
    assert elements(padded_vocabulary(gpt2), "embedding") == 50_304 * 768


def test_a_state_space_is_divided_by_heads() -> None:
    whole, rank = model("qwen3-next-80b-a3b-instruct"), tensor_rank(model("qwen3-next-80b-a3b-instruct"), 4)
    before = [entry for entry, _ in whole.kept() if isinstance(entry, SequenceState)]
    after = [entry for entry, _ in rank.kept() if isinstance(entry, SequenceState)]
    assert [entry.recurrent for entry in after] == [entry.recurrent // 4 for entry in before]
    assert [entry.channels for entry in after] == [entry.channels // 4 for entry in before]


def test_a_short_convolution_is_divided_by_channels() -> None:
    rank = tensor_rank(model("lfm2-1.2b"), 2)
    shapes = {weight.name: weight.shape for weight, _ in rank.weights() if weight.role == "state_space"}
    assert shapes == {
        "conv.weight": (1024, 1, 3),
        "in_proj.weight": (3072, 2048),
        "out_proj.weight": (2048, 1024),
    }


def test_impossible_layouts_are_refused_with_the_nearest_possible() -> None:
    with pytest.raises(UsageError, match=r"64 query heads cannot be divided by 3; possible are 2 and 4"):
        tensor_rank(model("llama-3.1-70b"), 3)
    with pytest.raises(UsageError, match="bad_option"):
        tensor_rank(model("llama-3.1-70b"), 0)
    assert not is_possible(model("llama-3.1-70b"), 5)


def test_groups_of_a_format_are_not_cut() -> None:
    whole = model("qwen2.5-7b")
    share = tensor_rank(whole, 4)
    check_groups(whole, share, columns=64)
    with pytest.raises(UsageError, match="groups of 512"):
        check_groups(whole, share, columns=512)


def test_what_has_no_rule_is_named() -> None:
    assert replication_notice(model("llama-3.1-8b"), 8) is None
    notice = replication_notice(describe(Config({}, "recurrent_gemma")), 2)
    assert notice is not None
    assert "RecurrentBlock" in notice.message


def test_experts_are_shared_whole_or_by_width() -> None:
    whole = model("mixtral-8x7b-v0.1")
    assert elements(expert_rank(whole, 8), "expert") == elements(whole, "expert") // 8
    assert elements(expert_rank(whole, 3), "expert") == elements(whole, "expert") // 8 * 3
    assert elements(narrow_expert_rank(whole, 8), "expert") == elements(whole, "expert") // 8
    assert elements(expert_rank(whole, 8), "attention") == elements(whole, "attention")
    assert elements(expert_rank(whole, 8, tensor=2), "attention") == elements(whole, "attention") // 2
    assert expert_rank(whole, 1) is whole
    with pytest.raises(UsageError, match="possible are 1 to 8"):
        expert_rank(whole, 9)
    with pytest.raises(UsageError, match="no routed experts"):
        expert_rank(model("llama-3.1-8b"), 2)


def test_data_parallel_attention_divides_the_sequences() -> None:
    shares = data_shares(model("deepseek-v3"), 8, 100)
    assert len(shares) == 8
    assert {share.sequences for share in shares} == {13} == {replica_sequences(100, 8)}
    assert elements(shares[0].architecture, "attention") == elements(model("deepseek-v3"), "attention")
    assert elements(shares[0].architecture, "expert") * 8 == elements(model("deepseek-v3"), "expert")
    dense = data_shares(model("llama-3.1-8b"), 2, 3)
    assert elements(dense[1].architecture) == elements(model("llama-3.1-8b"))
