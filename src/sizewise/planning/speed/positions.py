"""A load of a model whose positions are a table: no request is longer than that."""

from dataclasses import replace

from sizewise.architecture import Model
from sizewise.notices import Notice
from sizewise.planning.context_limit import check_positions, last_position
from sizewise.planning.speed.asked import DEFAULT_PROMPT, SpeedAsked


def within_positions(model: Model, asked: SpeedAsked) -> tuple[SpeedAsked, tuple[Notice, ...]]:
    """Return the load with its default prompt as long as the positions leave room, and what is said of it.

    Raises UsageError (bad_option) where a named prompt, or the answer alone, is more than that.
    """
    last, tokens = last_position(model), asked.prompt + asked.answer
    if last is None or tokens <= last:
        return asked, ()
    if asked.prompt != DEFAULT_PROMPT or asked.answer >= last:
        check_positions(model, tokens, "--input and --output")
    room = last - asked.answer
    text = f"{model.name} has positions for {last:,} tokens: {room:,} of them are the prompt"
    return replace(asked, prompt=room), (Notice(code="prompt_shortened", message=text),)
