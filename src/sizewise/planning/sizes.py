"""Weight bytes of the catalogue's models per format, for the table of size classes."""

from sizewise.catalog.formats import Format
from sizewise.catalog.models import Preset
from sizewise.footprint.weights import stored_bytes
from sizewise.planning.storage import asked_storage
from sizewise.sources.config_json import from_config


def class_bytes(preset: Preset, chosen: Format) -> int:
    """Return the bytes of a model's weights in a format."""
    model = from_config(preset.config, name=preset.id, origin="catalogue")
    return int(stored_bytes(model.architecture, asked_storage(model, chosen).scheme).value)
