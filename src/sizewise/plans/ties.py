"""Whether a wrapper's file means a head of its own, where the class of transformers 5 may not see it.

Transformers 4 tied head and embedding as the text model's flag said; transformers 5 follows the
wrapper's, whose default most classes set to true. Its loader still leaves apart what a checkpoint
stores apart, so the files that transformers 4 wrote keep both tables.
Source: modeling_utils.py of transformers 4.57 and 5.23; the files of mistralai/Mistral-Small-3.1-24B.
"""

from sizewise.configuration import Config

_NEWER = 5
_FLAGS = ("tie_word_embeddings", "tie_embedding")


def as_written(config: Config, text: Config, *, by_class: bool) -> bool:
    """Return whether the head is the embedding's table in the file's own checkpoint.

    ``by_class`` is what the class does with the file. Where the wrapper's flag is not spelled, the text
    model decides for a file that says it is transformers 4's; for others the class does. A notice names
    the parameters at stake wherever the two differ.
    """
    own = _own(config, text, by_class)
    if own == by_class:
        return by_class
    major = _major(config, text)
    follows = major is not None and major < _NEWER
    config.notice("tie", _explained(text, own=own, follows=follows))
    return own if follows else by_class


def _own(config: Config, text: Config, by_class: bool) -> bool:
    """Return what the flag says that transformers 4 reads; ``by_class`` where the wrapper's decides alone."""
    if not config.has_section("text_config"):
        return config.flag(_FLAGS[0]) if config.present(_FLAGS[0]) else by_class
    return by_class if any(config.present(name) for name in _FLAGS) else _text_flag(text, by_class)


def _text_flag(text: Config, unsaid: bool) -> bool:
    """Return what the text model's flag says or its class declares; ``unsaid`` where neither does."""
    name = next((name for name in reversed(_FLAGS) if text.present(name)), _FLAGS[0])
    return unsaid if text.raw(name) is None else text.flag(name)


def _major(config: Config, text: Config) -> int | None:
    """Return the major version of the transformers that wrote the file, None where it does not say."""
    for source in (config, text):
        version = source.raw("transformers_version")
        number = version.partition(".")[0] if isinstance(version, str) else ""
        if number.isascii() and number.isdigit() and len(number) < 4:
            return int(number)
    return None


def _explained(text: Config, *, own: bool, follows: bool) -> str:
    """Say what decides and how many parameters are at stake."""
    size = text.size("vocab_size") * text.size("hidden_size")
    says = "ties" if own else "does not tie"
    if follows:
        return (
            f"the language model's own setting {says} head and embedding, and decides as in transformers 4; "
            f"the class of transformers 5 would count {size:,} parameters {'more' if own else 'fewer'}"
        )
    return (
        f"the class {'does not tie' if own else 'ties'} head and embedding, the language model's own setting "
        f"{says} them; a checkpoint that follows it has {size:,} parameters {'fewer' if own else 'more'}"
    )
