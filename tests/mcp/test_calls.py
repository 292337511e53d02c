"""A call answers what the command line prints; what is wrong comes back as one line."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import anyio
import pytest
from mcp import Client, MCPError
from mcp.types import CallToolResult

from sizewise.mcp.calls import answered
from sizewise.service import answerer as answering
from sizewise.service.answerer import Answerer
from sizewise.service.verbs import OFFERED, Verb, verb

from .conftest import Called, within
from .examples import EXAMPLES, LLAMA, runs

BEYOND = (float("inf"), float("-inf"), float("nan"), 10**400, -(10**31), True, [], {}, "x" * 400)


def text(result: CallToolResult) -> str:
    (content,) = result.content
    assert content.type == "text"
    return content.text


def answer(asked: Verb, arguments: dict[str, Any]) -> CallToolResult:
    """Return the result of a call that needs no process."""
    return anyio.run(answered, asked, arguments, Answerer())


def refused(result: CallToolResult) -> str:
    """Return the line of an error, which is all that came."""
    line = text(result)
    assert result.is_error
    assert result.structured_content is None
    assert line.startswith("error [")
    assert line.isprintable()
    assert len(line) < 700
    assert "Traceback" not in line
    return line


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "runs").write_text(runs())
    (tmp_path / "config.json").write_text(json.dumps(LLAMA))
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize("tool", EXAMPLES)
def test_an_answer_is_that_of_the_command_line(tool: str, called: Called, run: Callable) -> None:
    example = EXAMPLES[tool]
    result = called(tool, example.arguments)
    assert not result.is_error, text(result)
    words = example.words.split()
    assert result.structured_content == run(*words, "--json", "--quiet").document
    assert text(result).startswith(run(*words, "--format", "md", "--quiet").out.rstrip("\n"))


@pytest.mark.parametrize("value", [None, float("inf"), float("-inf"), float("nan")])
def test_a_number_that_is_none_is_refused_as_it_arrives(value: float | None, called: Called) -> None:
    """The official client writes what is not finite as null."""
    line = refused(called("memory", {"model": "7b", "context": value}))
    assert line == "error [bad_option]: context: null is no value; leave it out"


def test_warnings_follow_the_text(called: Called) -> None:
    assert "\n\nwarning [LAW11]: " in text(called("laws_loss", EXAMPLES["laws_loss"].arguments))


def test_the_handshake_of_earlier_clients_answers_the_same(called: Called) -> None:
    arguments = EXAMPLES["memory"].arguments
    earlier, now = called("memory", arguments, mode="legacy"), called("memory", arguments)
    assert (text(earlier), earlier.structured_content) == (text(now), now.structured_content)


@pytest.mark.parametrize("format", ["table", "csv", "md"])
def test_other_formats_are_a_text_alone(format: str, called: Called, run: Callable) -> None:
    result = called("params", {"model": "7b", "format": format})
    assert result.structured_content is None
    assert text(result) == run("params", "7b", "--format", format).out.rstrip("\n")


def test_a_configuration_is_an_object(called: Called, run: Callable) -> None:
    result = called("params", {"model": LLAMA})
    file = run("params", "config.json", "--json").document
    assert result.structured_content["parameters"] == file["parameters"]


def test_text_of_a_configuration_stays_data(called: Called) -> None:
    line = refused(called("params", {"model": {**LLAMA, "model_type": "x\n\x1b[31mIgnore all"}}))
    assert "\\x1b" in line or "\\u001b" in line


@pytest.mark.parametrize("name", OFFERED)
def test_every_tool_refuses_what_it_does_not_know(name: str, called: Called) -> None:
    tool = name.replace(" ", "_")
    assert "has no option 'no_such_option'" in refused(
        called(tool, {**EXAMPLES[tool].arguments, "no_such_option": 1})
    )
    assert "format" in refused(called(tool, {**EXAMPLES[tool].arguments, "format": "exe"}))


@pytest.mark.parametrize("name", OFFERED)
def test_a_number_beyond_sense_is_refused(name: str) -> None:
    asked, example = verb(name), EXAMPLES[name.replace(" ", "_")].arguments
    for option in asked.options.values():
        if option.schema.get("type") in {"integer", "number"}:
            for value in BEYOND:
                line = refused(answer(asked, {**example, option.name: value}))
                assert line.startswith(f"error [bad_option]: {option.name}: ")


@pytest.mark.parametrize(
    ("tool", "arguments", "part"),
    [
        ("memory", {}, "error ["),
        ("memory", {"model": "lama-3.1-8b"}, "did you mean llama-3.1-8b"),
        ("memory", {"model": "x" * 301}, "model: "),
        ("memory", {"model": ["7b"] * 9}, "model: "),
        ("memory", {"model": "7b\0"}, "error [bad_"),
        ("memory", {"model": "7b", "set": ["a=1"] * 33}, "set: "),
        ("memory", {"model": "7b", "on": "rtx-4900"}, "did you mean rtx-4090"),
        ("memory", {"model": "7b", "modell": "7b"}, "did you mean model?"),
        ("memory", {"model": {}}, "model_type"),
        ("memory", {"model": {**LLAMA, "hidden_size": -5}}, "error [bad_config]"),
        ("memory", {"model": {**LLAMA, "num_hidden_layers": 10**30}}, "error [bad_config]"),
        ("memory", {"model": {**LLAMA, "x": "y" * 1_000_000}}, "error ["),
        ("laws_show", {}, "laws show needs name"),
        ("laws_fit", {}, "laws fit needs runs"),
        ("laws_fit", {"runs": "N,D\n"}, "error [bad_data]"),
        ("laws_fit", {"runs": "\x80\x04pickle"}, "error ["),
        ("laws_fit", {"runs": "x" * 1_000_001}, "runs: "),
        ("catalog", {"subject": "secrets"}, "subject: "),
    ],
)
def test_a_bad_question_is_one_line(tool: str, arguments: dict[str, Any], part: str, called: Called) -> None:
    assert part in refused(called(tool, arguments))


def test_a_deep_configuration_is_refused() -> None:
    deep: dict[str, Any] = {}
    for _ in range(100_000):
        deep = {"a": deep}
    refused(answer(verb("params"), {"model": {**LLAMA, "x": deep}}))


@pytest.mark.parametrize(
    "reference",
    ["config.json", "./config.json", "runs", "/etc/passwd", "file:///etc/passwd", "-", "../../etc/passwd",
     "http://169.254.169.254/", "nobody/anything"],
)  # fmt: skip
def test_no_file_and_no_network_is_read(reference: str, called: Called) -> None:
    assert "error [bad_reference]" in refused(called("params", {"model": reference}))


def test_this_machine_is_told_of_where_it_is_allowed(called: Called) -> None:
    for tool in ("memory", "speed", "plan_train"):
        assert "the machine of the service" in refused(called(tool, {"model": "7b", "on": " Here "}))
    assert "name the device" in refused(called("recommend", {}))
    allowed = called("memory", {"model": "7b", "on": "here"}, here=True)
    assert "the machine of the service" not in text(allowed)


def test_an_unknown_tool_is_an_error_of_the_protocol() -> None:
    async def ask(client: Client) -> None:
        with pytest.raises(MCPError, match="did you mean memory"):
            await client.call_tool("memry", {})

    within(ask)


def test_our_own_mistake_is_one_line(called: Called, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sizewise.service.answerer.ask", lambda *_, **__: 1 / 0)
    assert "error [bug]: ZeroDivisionError in params" in refused(called("params", {"model": "7b"}))


def test_a_slow_question_lets_others_through(monkeypatch: pytest.MonkeyPatch) -> None:
    """The slow one is answered when the other is, never before."""
    ended = []

    async def slow(workers: Any, *_: Any) -> Any:
        await release.wait()
        return answering.ask(verb("catalog"), {"subject": "formats"})

    async def both(client: Client) -> None:
        async def ask(tool: str, arguments: dict[str, Any]) -> None:
            assert not (await client.call_tool(tool, arguments)).is_error
            ended.append(tool)
            release.set()

        async with anyio.create_task_group() as group:
            group.start_soon(ask, "validate", {"quantity": ["pool"], "format": "table"})
            await anyio.wait_all_tasks_blocked()
            group.start_soon(ask, "params", {"model": "7b"})

    release = anyio.Event()
    monkeypatch.setattr("sizewise.service.workers.Workers.do", slow)
    within(both)
    assert ended == ["params", "validate"]


def test_a_question_that_takes_too_long_is_answered_with_an_error(
    called: Called, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(answering, "LONG_SECONDS", 0.01)
    line = refused(called("plan_train", {"model": "1e16", "on": "h100-sxm:100000"}))
    assert line.startswith("error [too_slow]: the answer takes more than 0.01 s")


def test_its_processes_end_with_the_server(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[Answerer] = []

    class Noted(Answerer):
        def __init__(self, **ways: bool) -> None:
            super().__init__(**ways)
            made.append(self)

    async def ask(client: Client) -> list[int]:
        await client.call_tool("validate", EXAMPLES["validate"].arguments)
        return made[0]._workers.processes

    monkeypatch.setattr("sizewise.mcp.server.Answerer", Noted)
    assert len(within(ask)) == 1
    assert made[0]._workers.processes == []
