"""Jobs that a worker of a test is given."""

import os
import sys
import time
from dataclasses import dataclass

from sizewise.errors import InputError


@dataclass(frozen=True)
class Named:
    """Tell who does it, after a while."""

    seconds: float = 0.0

    def done(self) -> int:
        print("what is printed is no answer")  # noqa: T201 - on purpose
        time.sleep(self.seconds)
        return os.getpid()


@dataclass(frozen=True)
class Dying:
    """End the process."""

    def done(self) -> None:
        os._exit(3)


@dataclass(frozen=True)
class Refusing:
    """Raise an error of the package."""

    def done(self) -> None:
        raise InputError("bad_config", "this is refused")


@dataclass(frozen=True)
class Hungry:
    """Take more memory than a process is given."""

    def done(self) -> int:
        return len(bytes(2**40))


@dataclass(frozen=True)
class Broken:
    """Come to a bug."""

    def done(self) -> None:
        raise ZeroDivisionError("what was asked")


@dataclass(frozen=True)
class Busy:
    """Compute for ever, once it has said who does."""

    path: str

    def done(self) -> None:
        with open(self.path, "w") as file:
            file.write(f"{os.getpid()}\n")
        while True:
            pass


@dataclass(frozen=True)
class Loaded:
    """Tell whether a module is loaded already."""

    name: str

    def done(self) -> bool:
        return self.name in sys.modules
