"""mlx-lm as an engine: caches that grow in steps, a prompt in pieces, on memory that the host shares."""

from dataclasses import dataclass
from typing import ClassVar

from sizewise.catalog.devices import Device
from sizewise.ledger import total
from sizewise.runtimes.mlx import Mlx, mlx_habits, mlx_kept
from sizewise.runtimes.mlx_buffers import mlx_buffers
from sizewise.runtimes.working import Part, Working, cache_request, fixed_overhead, whole_device
from sizewise.scenario import Scenario


@dataclass(frozen=True, slots=True, kw_only=True)
class MlxLm:
    """mlx-lm's generation of one batch, prompts passing in pieces of its own size."""

    name: ClassVar[str] = Mlx.name
    version: ClassVar[str] = Mlx.version

    def usable(self, device: Device, scenario: Scenario) -> int:
        """Return all usable bytes of a device."""
        return whole_device(device, scenario)

    def working(self, part: Part) -> Working:
        """Return cache, buffers of a prompt of the whole context, and overhead.

        Raises InputError (unsupported_architecture) for a type whose cache in mlx-lm is not known.
        """
        habits = mlx_habits(part.model_type)
        engine = Mlx(habits=habits)
        kept = list(mlx_kept(part.cached, habits))
        request = cache_request(part)
        buffers = mlx_buffers(
            part.whole,
            context=part.scenario.context,
            sequences=part.sequences,
            number_bytes=part.scenario.number_bytes,
        )
        surplus = engine.prompt_surplus(kept, request)
        return Working(
            cache=engine.cache(kept, request),
            buffers=total("buffers", [*buffers.parts, surplus] if surplus.value else buffers.parts, "bytes"),
            overhead=fixed_overhead(self.name),
        )
