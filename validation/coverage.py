"""Write docs/method/coverage.md: which model types of transformers are exact, and which are refused.

Needs the extra ``oracle``. A type is exact when every fresh random configuration of the oracle suite has
the total, names and shapes of the class on the meta device.

    python validation/coverage.py [configurations per type]
"""

import os
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as ET
from datetime import UTC, datetime
from pathlib import Path

from sizewise.families import known_types

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "method" / "coverage.md"
TEXT = """# Coverage

Model types that transformers {version} maps to a causal or an image-text class, made by
`validation/coverage.py` on {date} with {count} fresh random configurations per type (seed `{seed}`):
total, tensor names and shapes equal to the class on the meta device, from sparse and resolved files.

| | types |
|---|---:|
| known to transformers, causal or image-text | {known} |
| exact here | {exact} |
| refused here with a clear error | {refused} |
| wrong | {wrong} |
| exact beside these (encoders, encoder-decoders, inner types) | {beside} |

A refused type names its neighbours and the ways out: the checkpoint's header, or shapes.

## Exact

{exact_names}

## Refused

{refused_names}

## Exact beside these

{beside_names}
"""


def mapped_types() -> tuple[str, set[str]]:
    """Return the version of transformers and its causal and image-text model types."""
    import transformers
    from transformers.models.auto import modeling_auto as auto

    names = {*auto.MODEL_FOR_CAUSAL_LM_MAPPING_NAMES, *auto.MODEL_FOR_IMAGE_TEXT_TO_TEXT_MAPPING_NAMES}
    return transformers.__version__, names


def compared(count: int, seed: str) -> tuple[set[str], set[str]]:
    """Run the oracle suite and return the types that agree and those that differ."""
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.xml"
        environment = {**os.environ, "SIZEWISE_ORACLE_CONFIGS": str(count), "SIZEWISE_ORACLE_SEED": seed}
        suite = [str(ROOT / "tests/oracle/test_parameters.py"), "-m", "oracle", f"--junitxml={report}"]
        subprocess.run([sys.executable, "-m", "pytest", *suite], env=environment, cwd=ROOT, check=False)
        cases = ET.parse(report).getroot().iter("testcase")
        outcome = {
            case.get("name", ""): case.find("failure") is None and case.find("error") is None
            for case in cases
        }
    types = {
        name.partition("[")[2].removesuffix("]"): passed for name, passed in outcome.items() if "[" in name
    }
    agreeing = {name for name, passed in types.items() if passed}
    return agreeing, types.keys() - agreeing


def main() -> None:
    """Compare and write the page; exit with 1 when a type is wrong."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 20
    now = datetime.now(UTC)
    seed = f"coverage-{now:%Y-%m-%d}"
    version, mapped = mapped_types()
    agreeing, differing = compared(count, seed)
    exact = mapped & agreeing
    refused = mapped - set(known_types())
    beside = agreeing - mapped
    PAGE.write_text(
        TEXT.format(
            version=version,
            date=f"{now:%Y-%m-%d}",
            count=count,
            seed=seed,
            known=len(mapped),
            exact=len(exact),
            refused=len(refused),
            wrong=len(differing),
            beside=len(beside),
            exact_names=" ".join(f"`{name}`" for name in sorted(exact)),
            refused_names=" ".join(f"`{name}`" for name in sorted(refused)),
            beside_names=" ".join(f"`{name}`" for name in sorted(beside)),
        ),
        encoding="utf-8",
    )
    print(
        f"{len(exact)} exact, {len(refused)} refused, {len(differing)} wrong: {' '.join(sorted(differing))}"
    )
    sys.exit(bool(differing))


if __name__ == "__main__":
    main()
