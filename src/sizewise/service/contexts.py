"""A command's context made from values: what parsing their words would find, without a parser.

Building a parser of sixty options and reading each of them costs as much as a small answer.
"""

from collections.abc import Mapping
from functools import cache
from typing import Any

import click
from click.core import ParameterSource

from sizewise.cli.caller import Caller
from sizewise.errors import SizewiseError, UsageError, did_you_mean
from sizewise.escaping import shorten
from sizewise.service.options import Option, place_name
from sizewise.service.verbs import Verb


def context_of(asked: Verb, values: Mapping[str, Any], caller: Caller) -> click.Context:
    """Return the context in which the command answers these values.

    Raises UsageError (bad_option) for unknown names, and for values that the command refuses SizewiseError,
    as their types do, or click.ClickException.
    """
    context = click.Context(asked.command, info_name=asked.name, obj=caller)
    context.params = dict(_unnamed(asked))
    named = set()
    for name, value in values.items():
        option = asked.options.get(name)
        if option is None:
            near = did_you_mean(name, asked.options)
            raise UsageError("bad_option", f"{asked.name} has no option {shorten(name, 60)!r}{near}")
        parameter = _parameters(asked)[option.flag or option.name]
        given = _given(option, parameter, value)
        if given is not None:
            assert parameter.name is not None
            context.params[parameter.name] = _processed(context, parameter, option, given)
            context.set_parameter_source(parameter.name, ParameterSource.COMMANDLINE)
            named.add(parameter.name)
    for parameter in asked.command.params:
        if parameter.required and parameter.name not in named:
            raise click.MissingParameter(ctx=context, param=parameter)
    return context


def _processed(context: click.Context, parameter: click.Parameter, option: Option, given: Any) -> Any:
    """Return what a command takes a value for. Raises as `context_of`; the option is named first."""
    try:
        return parameter.process_value(context, given)
    except SizewiseError as error:
        known = option.flag and error.message.startswith(option.flag)
        told = error.message if known else f"{option.name}: {error.message}"
        raise type(error)(error.code, told) from None


@cache
def _unnamed(asked: Verb) -> Mapping[str, Any]:
    """Return every parameter of a command as it is where nobody names it."""
    with asked.command.make_context(asked.name, [], resilient_parsing=True) as context:
        return dict(context.params)


@cache
def _parameters(asked: Verb) -> Mapping[str, click.Parameter]:
    """Return the parameters by their flags, those that have a place by the names of their options."""
    return {
        name: parameter
        for parameter in asked.command.params
        for name in (parameter.opts if isinstance(parameter, click.Option) else [place_name(parameter)])
    }


def _given(option: Option, parameter: click.Parameter, value: Any) -> Any:
    """Return what a parser would hand the parameter; None where the value says nothing."""
    words = option.words(value)
    if not words:
        return None
    if option.is_switch:
        assert isinstance(parameter, click.Option)
        return parameter.flag_value is not False  # a switch says yes, but for one that takes away
    texts = tuple(word.removeprefix(f"{option.flag}=") for word in words) if option.flag else tuple(words)
    return texts if parameter.multiple or parameter.nargs != 1 else texts[0]
