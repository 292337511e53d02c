"""What Ollama chooses before it starts llama.cpp: context, sequences, batch."""

from sizewise.architecture import Model
from sizewise.catalog.gguf_names import gguf_architecture_of
from sizewise.runtimes.ollama import OllamaHost, OllamaLaunch, OllamaModel, OllamaSettings, ollama_defaults
from sizewise.scenario import Placement


def ollama_launch(model: Model, settings: OllamaSettings, placements: tuple[Placement, ...]) -> OllamaLaunch:
    """Return the options that Ollama starts llama.cpp with on the devices; on none, those of a bare machine.

    Raises UsageError (bad_option) as `ollama_defaults` does.
    """
    memories = [row.device.memory_bytes for row in placements for _ in range(row.count)]
    row = gguf_architecture_of(model.architecture.model_class)
    host = OllamaHost(
        memory=sum(memories),
        smallest=min(memories, default=None),
        cuda=bool(placements) and all(placement.device.vendor == "NVIDIA" for placement in placements),
    )
    seen = OllamaModel(
        family="" if row is None else row.name,
        context=model.context,
        images=model.architecture.images is not None,
    )
    return ollama_defaults(host, seen, settings)
