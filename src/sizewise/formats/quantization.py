"""Quantization: how a source says its matrices are packed."""

from dataclasses import dataclass

from sizewise.errors import InputError
from sizewise.escaping import shorten


@dataclass(frozen=True, slots=True, kw_only=True)
class PackingRule:
    """One format with the settings a source states, for the modules ``targets`` (none: all).

    None means the format's own value; ``group`` 0 means one group per row. ``ignored`` modules are not
    packed; with ``lists_all`` they are all the exceptions, so that an unlisted head is packed.
    """

    format: str
    bits: int | None = None
    group: int | None = None
    block: tuple[int, int] | None = None
    head_bits: int | None = None
    head: bool = False
    """The head is packed although the format leaves it."""
    zero_point: bool | None = None
    targets: tuple[str, ...] = ()
    ignored: tuple[str, ...] = ()
    lists_all: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Quantization:
    """The method a source names and its rules; the first rule that covers a module decides.

    Without rules the method is one that is not known: its bytes cannot be computed. ``text_only`` says
    that the settings belong to the language model of a larger one.
    """

    method: str
    rules: tuple[PackingRule, ...] = ()
    text_only: bool = False

    @property
    def format(self) -> str:
        """Name of the format of the last, most general rule.

        Raises InputError (unsupported_format) when the method is not known.
        """
        if not self.rules:
            raise InputError(
                "unsupported_format",
                f"quantization method {shorten(self.method)!r} is not known, so the bytes of this checkpoint "
                "are not; name a format to count the same model in it, e.g. --quant bf16",
            )
        return self.rules[-1].format

    @property
    def known(self) -> bool:
        """Tell whether the bytes can be computed."""
        return bool(self.rules)
