"""Pairs of queries and keys, by brute force, and the same FLOPs in multiply-adds."""

from hypothesis import given
from hypothesis import strategies as st

from sizewise.api import load
from sizewise.flops import decode_flops, forward_flops, keys_seen, multiply_adds

LENGTHS = st.integers(0, 40)
GPT2 = load("gpt2")


def met(query: int, key: int, reach: int | None, chunked: bool) -> bool:
    if key > query or reach is None:
        return key <= query
    return key // reach == query // reach if chunked else query - key < reach


@given(st.integers(1, 40), LENGTHS, st.none() | st.integers(1, 50), st.booleans())
def test_causal_pairs_are_those_that_a_mask_leaves(
    tokens: int, past: int, reach: int | None, chunked: bool
) -> None:
    pairs = sum(
        met(query, key, reach, chunked)
        for query in range(past, past + tokens)
        for key in range(past + tokens)
    )
    assert keys_seen(tokens, past, reach, "causal", chunked=chunked) == pairs


@given(st.integers(1, 40), LENGTHS)
def test_decoding_token_by_token_costs_the_causal_prefill(tokens: int, past: int) -> None:
    whole = forward_flops(GPT2, tokens=tokens, past=past, scores="causal").value
    steps = sum(decode_flops(GPT2, context=past + token + 1).value for token in range(tokens))
    assert whole == steps


def test_multiply_adds_are_half() -> None:
    line = forward_flops(GPT2, tokens=128, sequences=2)
    assert multiply_adds(line).value * 2 == line.value
    assert multiply_adds(line).unit == "MACs"
