"""The public names: all there, and none hidden by a room of the same name."""

import pkgutil

import pytest

import sizewise as sw


@pytest.mark.parametrize("name", [name for name in sw.__all__ if name != "__version__"])
def test_every_name_is_a_verb_or_a_type(name: str) -> None:
    assert callable(getattr(sw, name))


def test_no_room_bears_the_name_of_a_verb() -> None:
    rooms = {module.name for module in pkgutil.iter_modules(sw.__path__)}
    assert not rooms & set(sw.__all__)


def test_verbs_survive_the_import_of_every_room() -> None:
    sw.parameters("gpt2")
    sw.memory("gpt2")
    assert sw.step_flops("gpt2", tokens=8).value > 0
    assert sw.decode_step_flops("gpt2", context=8).value > 0


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="nonsense"):
        sw.nonsense  # noqa: B018 - the access is the test
