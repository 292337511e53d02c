"""Write the compiled facts into the wheel: one JSON file per folder of TOML, and the list of model types.

Parsing TOML and scanning sources are slow at every start. The files are made in a temporary folder, so
the source tree stays as people wrote it; an editable installation reads the sources and gets none.
The order of rows is kept, and nothing in the files depends on the time or the place of the build.
"""

import json
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class CustomBuildHook(BuildHookInterface):
    """Add the compiled files to a standard wheel."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Compile and name the files to include."""
        self._folder = Path(tempfile.mkdtemp(prefix="sizewise-facts-"))
        if version != "editable":
            sources = Path(self.root, "src")
            for inside, document in _compiled(sources).items():
                file = self._folder / inside.replace("/", "__")
                file.write_text(json.dumps(document, separators=(",", ":")) + "\n", encoding="utf-8")
                build_data["force_include"][str(file)] = inside

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:
        """Remove the temporary folder."""
        shutil.rmtree(self._folder, ignore_errors=True)


def _compiled(sources: Path) -> dict[str, Any]:
    """Return {path in the wheel: document}."""
    sys.path.insert(0, str(sources))
    try:
        from sizewise.catalog.rows import COMPILED, FACTS, parse_tables
        from sizewise.families import scan_types
    finally:
        sys.path.remove(str(sources))
    folders = sorted({file.parent.name for file in Path(FACTS).glob("*/*.toml")})
    documents: dict[str, Any] = {
        f"sizewise/facts/{folder}/{COMPILED}": parse_tables(folder) for folder in folders
    }
    documents[f"sizewise/families/{COMPILED}"] = scan_types(str(sources / "sizewise" / "families"))
    return documents
