"""What a service says instead of what a terminal shows."""

import pytest

from sizewise.errors import UsageError
from sizewise.service.answers import ask
from sizewise.service.schemas import checked
from sizewise.service.verbs import OFFERED, verb
from sizewise.service.wording import for_service

OPTIONS = {"on", "kv_cache_dtype", "force"}


@pytest.mark.parametrize(
    ("said", "wanted"),
    [
        ("--kv-cache-dtype goes with --on", "kv_cache_dtype goes with on"),
        ("add --force to extrapolate", "add force to extrapolate"),
        ("--offline is not offered here", "--offline is not offered here"),
        ("a--on is no flag, nor is ---on", "a--on is no flag, nor is ---on"),
        ("refused (LAW21)", "refused"),
        ("sizewise catalog devices lists them", "catalog, subject devices lists them"),
    ],
)
def test_the_terminal_is_not_spoken_of(said: str, wanted: str) -> None:
    assert for_service(said, OPTIONS) == wanted


def test_an_error_of_a_command_names_options_as_the_service_does() -> None:
    with pytest.raises(UsageError, match="add force to extrapolate"):
        ask(verb("laws optimal"), {"flops": "1e26"})


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"layers": -5}, "layers: at least 1"),
        ({"layers": 1.5}, "layers: a whole number"),
        ({"layers": "5"}, "layers: a whole number"),
        ({"explain": 1}, "explain: true or false"),
        ({"format": "xml"}, "format: one of 'json', 'table', 'csv' or 'md'"),
        ({"on": "x" * 201}, "on: at most 200 characters"),
        ({"on": ""}, "on: at least 1 characters"),
        ({"on": 3}, "on: a text"),
        ({"set": ["a=b"] * 17}, "set: at most 16 values"),
    ],
)
def test_a_refused_value_is_told_in_words(values: dict[str, object], said: str) -> None:
    with pytest.raises(UsageError) as caught:
        checked(verb("memory"), {"model": "7b", **values})
    assert caught.value.message == said


def test_no_verb_tells_what_its_validator_says() -> None:
    for name in OFFERED:
        with pytest.raises(UsageError) as caught:
            checked(verb(name), {option: [] for option in verb(name).options})
        assert "should" not in caught.value.message
