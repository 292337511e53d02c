"""GOT-OCR 2 and PP-Chart2Table: a SAM tower with windows and relative positions, two strided convolutions.

Source: Wei et al. 2024, arXiv:2409.01704; the modelling file of transformers 5.23.
"""

from sizewise.architecture import Architecture, Tower
from sizewise.configuration import Config
from sizewise.families import Resolve
from sizewise.plans.projectors import with_projector
from sizewise.plans.sam_tower import sam_vit
from sizewise.plans.tower_parts import convolution, dense
from sizewise.plans.wrappers import Inner, Inside, WrapperPlan, wrapper

TOWER, PROJECTOR = "model.vision_tower", "model.multi_modal_projector"


def towers(inside: Inside) -> tuple[Tower, ...]:
    """Return the tower and its projector: two convolutions of stride two, and one matrix."""
    channels, hidden = inside.vision.size("output_channels"), inside.text.hidden
    return with_projector(
        sam_vit(inside.vision, TOWER),
        convolution(f"{PROJECTOR}.conv_upsampler1", channels, 2 * channels, 3, 3),
        convolution(f"{PROJECTOR}.conv_upsampler2", 2 * channels, hidden, 3, 3),
        dense(f"{PROJECTOR}.multimodal_projector", hidden, hidden),
    )


PLAN = WrapperPlan(
    model_class="GotOcr2ForConditionalGeneration",
    text=Inner(field="text_config", model_type="qwen2"),
    vision=Inner(field="vision_config", model_type="got_ocr2_vision", fixed=True),
    towers=towers,
)

MODEL_TYPES: dict[str, WrapperPlan] = {"got_ocr2": PLAN, "pp_chart2table": PLAN}


def describe(config: Config, resolve: Resolve) -> Architecture:
    """Return the architecture of one of these types."""
    return wrapper(config, MODEL_TYPES[config.model_type], resolve)
