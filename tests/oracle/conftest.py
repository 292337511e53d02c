"""Seed, number of configurations, and the summary of what was compared."""

import os
from collections import Counter, defaultdict
from dataclasses import dataclass, field

import pytest

SEED = os.environ.get("SIZEWISE_ORACLE_SEED", "5.23")
SKIPPED_SHARE = 0.2
CONFIGURATIONS = int(os.environ.get("SIZEWISE_ORACLE_CONFIGS", "5"))


@dataclass(slots=True)
class Tally:
    """What became of the configurations of one type."""

    compared: int = 0
    refused: int = 0
    """Refused by the class and by sizewise."""
    skipped: Counter[str] = field(default_factory=Counter)
    """Refused by the class alone, by its reason."""

    def skip(self, error: Exception) -> None:
        """Count a configuration that the class alone refuses."""
        self.skipped[f"{type(error).__name__}: {' '.join(str(error).split())[:120]}"] += 1

    def assert_enough(self) -> None:
        """The class alone may refuse one of five configurations, both together less than half."""
        assert self.skipped.total() <= SKIPPED_SHARE * self.generated, str(self)
        assert self.refused <= self.compared, str(self)

    @property
    def generated(self) -> int:
        return self.compared + self.refused + self.skipped.total()

    def __str__(self) -> str:
        reasons = "".join(f"; skipped {count}: {reason}" for reason, count in self.skipped.items())
        both = f"; refused by both: {self.refused}" if self.refused else ""
        return f"{self.compared} of {self.generated} compared{both}{reasons}"


@dataclass(frozen=True, slots=True)
class Oracle:
    """The settings of a run and its tallies by (question, model type)."""

    seed: str
    configurations: int
    tallies: dict[tuple[str, str], Tally] = field(default_factory=lambda: defaultdict(Tally))


ORACLE = pytest.StashKey[Oracle]()


@pytest.fixture(scope="session")
def oracle(request: pytest.FixtureRequest) -> Oracle:
    """Skip where torch or transformers is missing; one thread is fastest for models so small."""
    pytest.importorskip("torch").set_num_threads(1)
    pytest.importorskip("transformers").logging.set_verbosity(50)
    return request.config.stash.setdefault(ORACLE, Oracle(SEED, CONFIGURATIONS))


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, exitstatus: int, config: pytest.Config
) -> None:
    oracle = config.stash.get(ORACLE, None)
    if oracle is None:
        return
    terminalreporter.section(f"oracle: SIZEWISE_ORACLE_SEED={oracle.seed}")
    for (question, model_type), tally in sorted(oracle.tallies.items()):
        terminalreporter.write_line(f"{question} {model_type}: {tally}")
    compared = sum(tally.compared for tally in oracle.tallies.values())
    terminalreporter.write_line(f"{compared} configurations compared")
