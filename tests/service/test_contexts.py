"""Values make the same context as their words on a command line."""

from collections.abc import Mapping
from typing import Any

import click
import pytest

from sizewise.cli.caller import Caller
from sizewise.errors import UsageError
from sizewise.service.answers import known_model
from sizewise.service.contexts import context_of
from sizewise.service.examples import EXAMPLES
from sizewise.service.verbs import OFFERED, arguments, verb

FURTHER = (
    ("memory", {"model": ["gpt2", "7b"], "context": 2048, "audio": ["30", "2"], "flash_attn": "off"}),
    ("memory", {"model": "7b", "set": ["vocab_size=10", "tie_word_embeddings=true"], "explain": True}),
    ("plan train", {"model": "7b", "no_sequence_parallel": True, "target": ["q_proj"], "zero": 3}),
    ("speed", {"model": "7b", "on": "rtx-4090", "concurrency": 2.5, "split": True, "enforce_eager": True}),
    ("laws fit", {"runs": "n,d,loss", "approach": "1", "bootstrap": 7}),
    ("catalog", {"subject": "models", "words": ["llama", "8b"]}),
)


@pytest.mark.parametrize(("name", "values"), [*EXAMPLES.items(), *FURTHER])
def test_values_and_words_make_one_context(name: str, values: Mapping[str, Any]) -> None:
    asked, caller = verb(name), Caller(load=known_model)

    parsed = asked.command.make_context(name, arguments(asked, values), obj=caller)
    made = context_of(asked, values, caller)

    assert made.params == parsed.params
    for parameter in parsed.params:
        told = parsed.get_parameter_source(parameter) is click.core.ParameterSource.COMMANDLINE
        assert (made.get_parameter_source(parameter) is click.core.ParameterSource.COMMANDLINE) == told


@pytest.mark.parametrize("name", OFFERED)
def test_what_a_command_needs_is_asked_for_in_its_words(name: str) -> None:
    asked, caller = verb(name), Caller(load=known_model)
    if not any(parameter.required for parameter in asked.command.params):
        assert context_of(asked, {}, caller).params
        return
    with pytest.raises(click.MissingParameter) as made:
        context_of(asked, {}, caller)
    with pytest.raises(click.MissingParameter) as parsed:
        asked.command.make_context(name, [], obj=caller)
    assert made.value.format_message() == parsed.value.format_message()


def test_a_value_beyond_its_bounds_is_refused_as_on_a_command_line() -> None:
    with pytest.raises(click.BadParameter, match="not in the range"):
        context_of(verb("memory"), {"model": "7b", "sequences": 0}, Caller(load=known_model))


def test_an_unknown_name_is_refused_with_the_nearest() -> None:
    with pytest.raises(UsageError, match="did you mean context"):
        context_of(verb("memory"), {"contxt": 3}, Caller(load=known_model))
