"""Every known hostile checkpoint ends in its typed error, every sound one in its total, within the limits."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from sizewise.errors import InputError
from sizewise.sources.checkpoint import listing_of

from ..corpus.build import Case, build

CPU_SECONDS = 1.0
MEMORY_BYTES = 200 * 10**6
PROGRAM = """
import json, resource, sys
from sizewise.errors import SizewiseError
from sizewise.sources.checkpoint import listing_of
code = 0
try:
    print(listing_of(sys.argv[1]).elements)
except SizewiseError as error:
    print(f"sizewise: error {error}", file=sys.stderr)
    code = error.exit_code
used = resource.getrusage(resource.RUSAGE_SELF)
try:
    # ru_maxrss survives exec and would speak of the parent too
    status = open("/proc/self/status").read()
    memory = 1024 * int(status.split("VmHWM:")[1].split()[0])
except OSError:
    memory = used.ru_maxrss * (1 if sys.platform == "darwin" else 1024)
print(json.dumps({"cpu": used.ru_utime + used.ru_stime, "memory": memory}))
sys.exit(code)
"""
COSTLY = (
    "g_nested.gguf",
    "g_texts.gguf",
    "g_many_tensors.gguf",
    "g_vocabulary.gguf",
    "g_100000.gguf",
    "tebibyte.gguf",
    "long_text.gguf",
    "many_keys.safetensors",
    "many_lists.safetensors",
    "lists_inside.safetensors",
    "numbers_inside.safetensors",
    "lists_in_metadata.safetensors",
    "quotes.safetensors",
    "wide_name.safetensors",
    "52MB.safetensors",
    "tebibyte.safetensors",
    "two.safetensors",
    "control.safetensors",
    "deep/model.safetensors.index.json",
    "x.safetensors",
    "bomb.pt",
    "hashing.pt",
    "nones.pt",
    "dicts.pt",
    "wrapping.pt",
    "texts.pt",
    "calls.pt",
    "names.pt",
)


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[Case]]:
    folder = tmp_path_factory.mktemp("corpus")
    return folder, build(folder)


def outcome(path: Path) -> tuple[str, int | None, int]:
    try:
        listing = listing_of(str(path))
    except InputError as error:
        assert "\n" not in str(error)
        assert str(error).isprintable()
        return error.code, None, 0
    if len(listing.tensors) <= 1000:
        assert listing.elements == sum(tensor.counted for tensor in listing.tensors)
    assert listing.elements == sum(total.elements for total in listing.by_dtype())
    assert listing.bytes == sum(total.bytes for total in listing.by_dtype())
    return "", listing.elements, len(listing.notices)


def test_every_case_ends_as_expected(corpus: tuple[Path, list[Case]]) -> None:
    folder, cases = corpus
    wrong = []
    for case in cases:
        code, total, notices = outcome(folder / case.path)
        right = code in case.codes if code else total == case.total and bool(notices) == case.flagged
        if not right:
            wrong.append((case, code, total, notices))
    assert not wrong
    assert len(cases) >= 150


@pytest.mark.skipif(sys.platform == "win32", reason="resource is of POSIX")
@pytest.mark.parametrize("path", COSTLY)
def test_a_process_stays_within_its_limits(
    corpus: tuple[Path, list[Case]], path: str, record_property: Callable[[str, object], None]
) -> None:
    folder, cases = corpus
    case = next(case for case in cases if case.path == path)
    runs = [measured(folder / path)]
    if runs[0][1] > CPU_SECONDS:
        runs.append(measured(folder / path))
    done, _, memory = runs[0]
    record_property("used", (min(cpu for _, cpu, _ in runs), memory))
    assert done.returncode == (3 if case.codes else 0)
    assert done.stdout.splitlines()[:-1] == ([] if case.codes else [str(case.total)])
    assert len(done.stderr.splitlines()) == (1 if case.codes else 0)
    assert len(done.stderr) <= 600
    assert min(cpu for _, cpu, _ in runs) <= CPU_SECONDS
    assert memory <= MEMORY_BYTES


def measured(path: Path) -> tuple["subprocess.CompletedProcess[str]", float, int]:
    """Return what a fresh process did, its CPU seconds and its peak memory in bytes."""
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(path)], check=False, capture_output=True, text=True, timeout=60
    )
    used = json.loads(done.stdout.splitlines()[-1])
    return done, used["cpu"], used["memory"]


def test_a_name_is_printed_escaped(corpus: tuple[Path, list[Case]]) -> None:
    listing = listing_of(str(corpus[0] / "control.safetensors"))
    assert listing.tensors[0].name == "\x1b[2J\x1b]0;pwn\x07"


def test_an_unknown_dtype_names_the_known_ones(corpus: tuple[Path, list[Case]]) -> None:
    with pytest.raises(InputError, match=r"'Q4'.*F8_E4M3.*BF16"):
        listing_of(str(corpus[0] / "Q4.safetensors"))
