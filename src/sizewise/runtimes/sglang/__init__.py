"""SGLang 0.5.23: pools of tokens sized from a static share of the memory that is free before loading.

`options` holds how it is started, `share` the static share of a device, `tokens` what a token costs and
`pools` what comes of it.
Source: SGLang 0.5.23 (Apache-2.0), ``sglang/srt``; constants in ``facts/runtimes/sglang.toml``.
"""

from typing import Final

NAME: Final = "sglang"
VERSION = "0.5.23"
SOURCE = "SGLang 0.5.23"
