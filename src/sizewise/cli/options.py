"""Options that several commands share, with the spellings of other tools as aliases."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import wraps
from typing import Any

import click

from sizewise.architecture import Model
from sizewise.cli.caller import model_of
from sizewise.durations import parse_seconds
from sizewise.errors import UsageError
from sizewise.sources.reference import default_tag, raw_configuration
from sizewise.sources.settings import apply_settings, parse_settings
from sizewise.units import parse_context, parse_pixels

Command = Callable[..., Any]

RUNTIME_HELP = "Engine: auto, ideal, transformers, vllm, sglang, llama.cpp, ollama, mlx; all: side by side."
FORMATS = ("table", "json", "jsonl", "csv", "md")


@dataclass(frozen=True, slots=True, kw_only=True)
class Output:
    """Where and how the answer is written."""

    format: str
    file: str | None
    plot: str | None
    quiet: bool
    color: bool


class Tokens(click.ParamType[int]):
    """A number of tokens: 8192, 32k."""

    name = "tokens"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Return tokens; click passes values through that are integers already."""
        return value if isinstance(value, int) else parse_context(value)


class Pixels(click.ParamType[tuple[int, int]]):
    """The size of a picture: 1024x768."""

    name = "size"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[int, int]:
        """Return width and height; click passes values through that are pairs already."""
        return value if isinstance(value, tuple) else parse_pixels(value)


class Sounds(click.ParamType[tuple[float, ...]]):
    """The lengths of sounds in seconds: 30 or 30,12.5."""

    name = "seconds"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[float, ...]:
        """Return seconds; click passes values through that are tuples already."""
        return value if isinstance(value, tuple) else parse_seconds(value)


def with_options(*options: Any) -> Callable[[Command], Command]:
    """Return what adds options to a command, in their order on the help page."""

    def add(function: Command) -> Command:
        for option in reversed(options):
            function = option(function)
        return function

    return add


NO_CALIBRATION = click.option(
    "--no-calibration",
    "calibration",
    flag_value=False,
    type=bool,
    default=True,
    help="Leave out what runs of this machine measured.",
)


def model_options(function: Command) -> Command:
    """Add references, shapes, ``--set`` and ``--offline``; the command receives ``models``."""

    @wraps(function)
    def collect(**options: Any) -> Any:
        references = options.pop("references")
        settings = options.pop("settings")
        offline, via = options.pop("offline"), options.pop("via")
        shape = {name: options.pop(name) for name in (*SHAPE_SIZES, *SHAPE_SWITCHES)}
        models = (
            _models(references, settings, shape, offline=offline)
            if via is None
            else _built(references, settings)
        )
        return function(models=models, **options)

    decorators = [
        click.argument("references", nargs=-1, metavar="[MODEL]..."),
        click.option(
            "--set", "settings", multiple=True, metavar="KEY=VALUE", help="Change a field of the config."
        ),
        click.option("--offline", is_flag=True, help="Never open a connection."),
        click.option(
            "--via",
            type=click.Choice(["transformers"]),
            help="Count the library's own class (extra lab); parameters only.",
        ),
        *_shape_options(),
    ]
    return with_options(*decorators)(collect)


SHAPE_SIZES = {
    "layers": "Shapes instead of a model: number of layers.",
    "hidden": "Hidden size.",
    "heads": "Query heads.",
    "vocab": "Vocabulary.",
    "kv_heads": "Key/value heads (default: all).",
    "head_size": "Head size (default: hidden / heads).",
    "ffn": "Feed-forward size (default: 4 × hidden).",
    "positions": "Learned positions.",
}
SHAPE_SWITCHES = {
    "gated": "Gated feed-forward (three matrices).",
    "tied": "Head tied to the embedding.",
    "biases": "Count biases.",
    "norms": "Count LayerNorms.",
}
"""The fields of a plain transformer's shape, with their help."""


def _shape_options() -> Sequence[Any]:
    size = click.IntRange(min=1, max=10**9)
    options = [
        click.option(f"--{name.replace('_', '-')}", name, type=size, help=text)
        for name, text in SHAPE_SIZES.items()
    ]
    options += [click.option(f"--{name}", is_flag=True, help=text) for name, text in SHAPE_SWITCHES.items()]
    return options


def _models(
    references: tuple[str, ...], settings: tuple[str, ...], shape: dict[str, Any], *, offline: bool
) -> list[Model]:
    required = {name: shape[name] for name in ("layers", "hidden", "heads", "vocab")}
    if not any(shape.values()):
        if not references:
            raise UsageError(
                "bad_option", "no model given; name one (llama-3.1-8b), a config.json or --layers …"
            )
        return [model_of(reference, settings, offline=offline) for reference in references]
    missing = [f"--{name}" for name, value in required.items() if value is None]
    if references:
        raise UsageError(
            "bad_option", "give a model or shapes (--layers …), not both; change a model with --set"
        )
    if missing:
        raise UsageError("bad_option", f"shapes also need {', '.join(missing)}")
    from sizewise.sources.shapes import Shape, from_shape

    return [from_shape(Shape(**shape), parse_settings(settings))]


def _built(references: tuple[str, ...], settings: tuple[str, ...]) -> list[Model]:
    """Return the models as transformers builds them."""
    from sizewise.sources.via_transformers import via_transformers

    if not references:
        raise UsageError("bad_option", "--via needs a model with a configuration")
    changes = parse_settings(settings)
    built = []
    for reference in references:
        model = via_transformers(apply_settings(raw_configuration(reference), changes), name=reference)
        built.append(replace(model, notices=(*default_tag(reference), *model.notices)))
    return built


def output_options(function: Command) -> Command:
    """Add ``--json``, ``--format``, ``-o``, ``--quiet`` and ``--no-color``; passed as ``output``."""
    return _with_output(function, "-o", "--output")


def output_file_options(function: Command) -> Command:
    """Add the same where ``--output`` has another meaning: the file is named by ``--output-file``."""
    return _with_output(function, "-o", "--output-file")


def answer_options(function: Command) -> Command:
    """Add the same where ``-o`` names what a command makes: the answer's file is ``--output-file`` alone."""
    return _with_output(function, "--output-file")


def _with_output(function: Command, *file_flags: str) -> Command:
    @wraps(function)
    def collect(**options: Any) -> Any:
        as_json = options.pop("as_json")
        chosen = options.pop("format")
        output = Output(
            format="json" if as_json else chosen,
            file=options.pop("output_file"),
            plot=options.pop("plot"),
            quiet=options.pop("quiet"),
            color=not options.pop("no_color"),
        )
        return function(output=output, **options)

    decorators = [
        click.option("--json", "as_json", is_flag=True, help="Same as --format json."),
        click.option(
            "--format", type=click.Choice(FORMATS), default="table", help="How to print the answer."
        ),
        click.option(*file_flags, "output_file", metavar="FILE", help="Write the answer to a new file."),
        click.option("--plot", metavar="FILE", help="Draw the answer into a new svg, png or pdf file."),
        click.option("--quiet", is_flag=True, help="No warnings on standard error."),
        click.option("--no-color", is_flag=True, help="No colours (also NO_COLOR)."),
    ]
    return with_options(*decorators)(collect)


def check_explained(output: Output, *, explain: bool, tensors: bool = False) -> None:
    """Raise UsageError (bad_option) where formulas are asked for in a format that has no place for them."""
    if explain and output.format in ("md", "csv"):
        raise UsageError("bad_option", f"--explain has no {output.format} form; drop --format or take --json")
    if explain and tensors and output.format == "table":
        raise UsageError(
            "bad_option", "--explain and --tensors go together in --json alone; drop one of them"
        )


def check_curve(output: Output, *, curve: bool) -> None:
    """Raise UsageError (bad_option) where points of curves are asked for in a format without them."""
    if curve and output.format not in ("json", "jsonl"):
        raise UsageError("bad_option", f"--curve has no {output.format} form; take --json, or --plot FILE")


SCENARIO: tuple[Any, ...] = (
    click.option(
        "--context",
        "-c",
        "--ctx-size",
        "--max-model-len",
        "context",
        type=Tokens(),
        help="Tokens per sequence, e.g. 32k.",
    ),
    click.option(
        "--sequences",
        "--batch",
        "--max-num-seqs",
        "--parallel",
        "-np",
        "sequences",
        type=click.IntRange(min=1, max=10**6),
        default=1,
        help="Sequences at once.",
    ),
    click.option("--quant", "-q", "quant", help="Weight format, e.g. bf16, fp8, nf4, awq, q4_k_m."),
    click.option(
        "--kv-cache-dtype", "--kv-dtype", "kv_cache_dtype", help="Cache format, e.g. fp16, fp8, q8_0."
    ),
    click.option(
        "--cache-type-k", "-ctk", "key_cache_dtype", help="Format of the cached keys alone, e.g. q8_0."
    ),
    click.option(
        "--cache-type-v",
        "-ctv",
        "value_cache_dtype",
        help="Format of the cached values alone, e.g. q8_0.",
    ),
    click.option("--runtime", default="auto", help=RUNTIME_HELP),
    click.option(
        "--images",
        type=click.IntRange(0, 10**6),
        default=0,
        help="Pictures per sequence, added to the context.",
    ),
    click.option(
        "--image-size",
        "image_size",
        type=Pixels(),
        default="1024x1024",
        help="Width x height, e.g. 1024x1024.",
    ),
    click.option(
        "--audio",
        "audio",
        type=Sounds(),
        multiple=True,
        help="Seconds of sound per sequence, added to the context, e.g. 30 or 30,12.5.",
    ),
    click.option("--on", "on", help="Devices: rtx-4090, h100-sxm:2, here."),
    click.option("--memory", "memory", help="Memory per device, e.g. 24GiB."),
)


scenario_options = with_options(*SCENARIO)
"""Adds context, sequences, formats, runtime and devices."""
