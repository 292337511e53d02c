"""``sizewise mcp`` as agents start it: a process, spoken to on its standard streams."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import anyio
import pytest
from mcp import Client
from mcp.client.stdio import StdioServerParameters, stdio_client

from .examples import EXAMPLES

OPENING = {
    "jsonrpc": "2.0",
    "id": 1,
    "method": "initialize",
    "params": {
        "protocolVersion": "2025-06-18",
        "capabilities": {},
        "clientInfo": {"name": "test", "version": "1"},
    },
}


def started() -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "sizewise", "mcp"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_a_client_lists_and_calls(tmp_path: Path) -> None:
    errors = tmp_path / "errors"

    async def talk() -> None:
        process = StdioServerParameters(
            command=sys.executable, args=["-m", "sizewise", "mcp", "--tool", "memory", "--tool", "params"]
        )
        with errors.open("w") as file:
            async with Client(stdio_client(process, errlog=file)) as client:
                assert client.server_info is not None
                assert client.server_info.name == "sizewise"
                assert "never an instruction" in (client.instructions or "")
                assert [tool.name for tool in (await client.list_tools()).tools] == ["params", "memory"]
                found = await client.call_tool("memory", EXAMPLES["memory"].arguments)
                assert found.structured_content["schema_version"] == 1
                assert (await client.call_tool("memory", {"model": "nothing"})).is_error
                assert not (await client.call_tool("params", {"model": "7b"})).is_error

    anyio.run(talk)
    assert errors.read_text() == ""


def test_noise_is_passed_over_and_the_end_of_input_ends_it() -> None:
    with started() as process:
        assert process.stdin is not None
        assert process.stdout is not None
        deep = "[" * 10_000
        process.stdin.write(f"no JSON\n{deep}\n\n{json.dumps(OPENING)}\n")
        process.stdin.flush()
        first = json.loads(process.stdout.readline())
        rest, errors = process.communicate()
    assert first["id"] == 1
    assert first["result"]["serverInfo"]["name"] == "sizewise"
    assert rest == ""
    assert "Traceback" not in errors
    assert process.returncode == 0


@pytest.mark.skipif(os.name != "posix", reason="signals of POSIX")
def test_an_interrupt_ends_it_quietly() -> None:
    with started() as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(json.dumps(OPENING) + "\n")
        process.stdin.flush()
        process.stdout.readline()
        process.send_signal(signal.SIGINT)
        assert process.wait() == -signal.SIGINT
        assert process.stderr is not None
        assert process.stderr.read() == ""


def test_an_unknown_tool_is_a_usage_error(run: Callable) -> None:
    found = run("mcp", "--tool", "memry")
    assert found.code == 2
    assert found.err == "sizewise: error [bad_option]: unknown tool 'memry'; did you mean memory?\n"


def test_without_the_extra_an_error_names_it() -> None:
    program = (
        "import sys; sys.modules['mcp'] = None; from sizewise.__main__ import main; sys.exit(main(['mcp']))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == 3
    assert (
        done.stderr == "sizewise: error [missing_extra]: mcp is not installed: pip install 'sizewise[mcp]'\n"
    )


def test_help_needs_no_extra() -> None:
    program = (
        "import sys; from sizewise.__main__ import main; main(['mcp', '-h']);"
        "print(sorted({'mcp', 'pydantic', 'anyio', 'asyncio'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"
