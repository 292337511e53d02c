"""The GGUF file that llama.cpp and Ollama run: where it is, or what has to be made first."""

import os
from dataclasses import dataclass

from sizewise.architecture import Model
from sizewise.planning.commands.start import MODEL, guarded
from sizewise.scenario import Scenario

GGUF = ".gguf"


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelFile:
    """A GGUF file: a ``path``, or one of a ``repository`` by its ``type`` or ``name``.

    ``missing`` says what has to be made first.
    """

    path: str = ""
    repository: str = ""
    type: str = ""
    name: str = ""
    missing: str = ""


def model_file(model: Model, scenario: Scenario) -> ModelFile:
    """Return the file that holds a model in the scenario's file type."""
    place, file_type = model.place, scenario.weights.name
    own = file_type == model.default_format or scenario.shipped is not None
    if place.path.lower().endswith(GGUF):
        return ModelFile(path=guarded(place.path)) if own else _made(model, scenario)
    if place.repository and place.file:
        name = place.file if place.file.lower().endswith(GGUF) else ""
        if own or not name:
            return ModelFile(repository=place.repository, type=place.file, name=name)
    if place.repository.upper().endswith("-GGUF"):
        return ModelFile(repository=place.repository, type=file_type.upper())
    return _made(model, scenario)


def _made(model: Model, scenario: Scenario) -> ModelFile:
    """Return the file as llama.cpp's own tools would write and name it."""
    place, file_type = model.place, scenario.weights.name.upper()
    source = place.repository or place.path
    stem = os.path.basename(os.path.normpath(source)) if source else MODEL
    for ending in (GGUF, ".json", ".safetensors"):
        stem = stem.removesuffix(ending)
    if stem in ("", ".", "config", "model") and place.path:
        folder = os.path.dirname(os.path.abspath(place.path))
        stem = os.path.basename(folder) or MODEL
    name = f"{stem}-{file_type}{GGUF}"
    return ModelFile(
        path=guarded(name),
        missing=f"{name}: a file in {file_type}, as convert_hf_to_gguf.py and llama-quantize write it",
    )
