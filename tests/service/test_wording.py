"""What a service says instead of what a terminal shows."""

import pytest

from sizewise.errors import UsageError
from sizewise.service.answers import ask
from sizewise.service.schemas import UnfitError, checked, read_query
from sizewise.service.verbs import OFFERED, verb
from sizewise.service.wording import field_of, for_service

NAMES = {"on": "on", "kv-cache-dtype": "kv_cache_dtype", "force": "force", "tp": "tensor_parallel_size"}


@pytest.mark.parametrize(
    ("said", "wanted"),
    [
        ("--kv-cache-dtype goes with --on", "kv_cache_dtype goes with on"),
        ("add --force to extrapolate", "add force to extrapolate"),
        ("--offline is not offered here", "--offline is not offered here"),
        ("a--on is no flag, nor is ---on", "a--on is no flag, nor is ---on"),
        ("refused (LAW21)", "refused"),
        ("sizewise catalog devices lists them", "catalog, subject devices lists them"),
        ("--tp: too many", "tensor_parallel_size: too many"),
        ("take --json, or --plot FILE", "take format json"),
        ("read it, count the library's class (--via transformers) or give --on", "read it or give on"),
        ("name it with on=COLUMN (--on COLUMN)", "name it with on=COLUMN"),
        ("leave them out with force (--force)", "leave them out with force"),
        ("force is not on (--on)", "force is not on"),
        ("give on (--tp 2)", "give on (tensor_parallel_size 2)"),
        ("sizewise laws list names them all; sizewise is", "laws list names them all; sizewise is"),
    ],
)
def test_the_terminal_is_not_spoken_of(said: str, wanted: str) -> None:
    assert for_service(said, NAMES) == wanted


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


@pytest.mark.parametrize(
    ("code", "message", "values", "field"),
    [
        ("bad_option", "tp: too many", {"tp": 2, "on": "l4"}, "tp"),
        ("bad_option", "tp: too many", {"on": "l4"}, ""),
        ("bad_option", "no device is called 'x4'", {"model": "7b", "on": "x4:2,l4"}, "on"),
        ("bad_option", "'x' is no name", {"model": "x", "quant": "x"}, ""),
        ("bad_option", "'x' is no name", {"target": ["y", "x"], "on": "l4"}, "target"),
        ("bad_config", "no model_type", {"model": {"a": 1}}, "model"),
        ("bad_reference", "'x' is no name", {"model": "7b", "draft": "x"}, "draft"),
        ("bad_reference", "no name", {"on": "l4"}, ""),
        ("bad_option", "give one of 'flops', usd", {"loss": 2}, ""),
    ],
)
def test_an_error_is_of_the_option_that_it_names(
    code: str, message: str, values: dict[str, object], field: str
) -> None:
    assert field_of(code, message, values) == field


def test_an_option_that_nobody_named_may_be_meant_too() -> None:
    assert field_of("too_slow", "bootstrap: too many", {"runs": "n"}, {"bootstrap"}) == "bootstrap"


def test_a_refused_value_tells_its_option() -> None:
    cases = {"context": {"context": "x"}, "layers": {"layers": 0}, "audio": {"audio": "3"}, "": {"contxt": 3}}
    for field, values in cases.items():
        with pytest.raises(UnfitError) as caught:
            checked(verb("memory"), {"model": "7b", **values})
        assert caught.value.field == field
    with pytest.raises(UnfitError, match="audio: a list"):
        checked(verb("memory"), {"model": "7b", "audio": "3"})
    with pytest.raises(UnfitError, match="names of options"):
        checked(verb("memory"), {"\ud800": 3})


def test_a_name_that_is_repeated_is_told_so() -> None:
    with pytest.raises(UnfitError, match="context: given more than once") as caught:
        read_query(verb("memory"), [("context", "1k"), ("context", "2k")])
    assert caught.value.field == "context"
    assert read_query(verb("memory"), [("model", "7b"), ("model", "8b")]) == {"model": ["7b", "8b"]}


def test_a_text_that_an_option_cannot_be_is_told_with_its_name() -> None:
    with pytest.raises(UsageError, match=r"context: '0' is out of range"):
        ask(verb("memory"), {"model": "7b", "context": "0"})


def test_every_flag_of_an_option_leads_to_its_name() -> None:
    flags = verb("memory").flags
    assert flags["tp"] == flags["tensor-parallel-size"] == "tensor_parallel_size"
    assert set(flags.values()) <= set(verb("memory").options)
