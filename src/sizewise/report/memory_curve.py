"""Memory against context as data: what a device needs at rising contexts, for each cache format."""

from sizewise.planning.context_curve import ContextCurve, ContextCurves
from sizewise.report.document import Document


def curve_block(found: ContextCurves) -> Document:
    """Return the devices, the asked one or the smallest first, and the points of each cache format.

    Bytes are those that the first device holds, by part and together.
    """
    return {
        "context": found.scenario.context,
        "devices": [{"device": fit.device, "usable": fit.usable} for fit in found.devices],
        "formats": [_format_block(curve) for curve in found.curves],
    }


def _format_block(curve: ContextCurve) -> Document:
    return {
        "kv_cache_dtype": curve.scenario.cache.name,
        "value_cache_dtype": curve.scenario.values.name,
        "points": [
            {"context": point.context, "needed": point.needed, "parts": dict(point.parts)}
            for point in curve.points
        ],
    }
