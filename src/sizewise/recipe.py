"""Recipe: how a model is trained. Everything in it is printed with the answer."""

from dataclasses import dataclass
from typing import Literal

Method = Literal["full", "lora", "qlora", "dora"]
"""full: every weight is trained · lora, dora: low-rank matrices beside frozen ones (Hu et al. 2021,
arXiv:2106.09685; Liu et al. 2024, arXiv:2402.09353) · qlora: the frozen ones in 4 bit (Dettmers et al. 2023,
arXiv:2305.14314)."""

Recompute = Literal["none", "attention", "selective", "full", "offload"]
"""none: all that backward needs is
saved · attention: the scores of eager attention are done again (Korthikanti et al. 2022, arXiv:2205.05198)
· selective: attention and every second product are saved, the rest of a layer is done again (torchtitan) ·
full: of a layer only its input is saved · offload: as full, and the inputs wait in the host's memory."""

AttentionKernel = Literal["sdpa", "sdpa-repeated", "sdpa-traced", "eager", "flash"]
"""sdpa: torch's fused kernel · sdpa-repeated: the same with keys repeated for every query head (transformers
does so where it passes a mask) · sdpa-traced: as fake tensors show it, keys repeated and the output copied ·
eager: scores and probabilities are tensors · flash: flash-attn's kernel."""

LossKernel = Literal["full", "chunked", "fused"]
"""full: logits of all tokens, in fp32 · chunked: of an
eighth of the tokens at a time, done again in backward · fused: gradients are computed with the loss, a
chunk at a time (Liger kernels, arXiv:2410.10989)."""

OptimizerKernel = Literal["fused", "foreach", "loop"]
"""fused: one kernel updates all · foreach: all
tensors at once, with temporaries of their size · loop: one tensor after another."""


PipelineSchedule = Literal["1f1b", "zero-bubble", "dualpipe"]
"""Rows of ``facts/timing/schedules.toml``: one forward, one backward, with virtual stages in pieces ·
backward in two halves, so that less waits (Qi et al. 2024, arXiv:2401.10241) · micro-batches from both ends,
exchange of experts behind computing (DeepSeek-AI 2024, arXiv:2412.19437)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Precision:
    """Bytes per number of what training keeps, and of what it computes with.

    ``stored`` weights as the optimizer's loop sees them, ``gradient``, ``compute`` of activations and of the
    gathered or cast copies of weights, ``state`` of each number of optimizer state that is not packed.
    ``master`` are the bytes of a further copy of the weights that the optimizer updates (0: none).
    ``autocast`` says that products are cast one by one (torch.amp) instead of the whole model.
    """

    name: str
    stored: int
    gradient: int
    compute: int
    state: int
    master: int = 0
    autocast: bool = False

    @property
    def sums(self) -> bool:
        """Tell whether gradients are added up in memory of their own, wider than they are computed."""
        return self.gradient > self.compute and not self.autocast


PRECISIONS = {
    precision.name: precision
    for precision in (
        Precision(name="fp32", stored=4, gradient=4, compute=4, state=4),
        Precision(name="bf16", stored=2, gradient=2, compute=2, state=2),
        Precision(name="bf16-mixed", stored=4, gradient=4, compute=2, state=4),
        Precision(name="bf16-autocast", stored=4, gradient=4, compute=2, state=4, autocast=True),
        Precision(name="bf16-master", stored=2, gradient=2, compute=2, state=4, master=4),
        Precision(name="megatron", stored=2, gradient=4, compute=2, state=4, master=4),
    )
}
"""fp32, bf16: one format for all · bf16-mixed: fp32 weights, gradients and states, the model computes in
bf16 (FSDP's mixed precision) · bf16-autocast: the same with torch.amp · bf16-master: DeepSpeed's and Apex's
16 bytes per parameter with Adam · megatron: gradients are summed in fp32, 18 bytes per parameter."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Adapter:
    """Low-rank matrices of rank ``rank`` beside the matrices whose module names end in one of ``targets``.

    No targets: all products of the layers but routers. ``dropout`` before the first matrix; ``width`` bytes
    per number; ``magnitude`` adds a trained length per output (DoRA).
    """

    rank: int
    targets: tuple[str, ...] = ()
    dropout: float = 0.0
    width: int = 4
    magnitude: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Sharding:
    """How devices share a training run: data x tensor x pipeline x context replicas, ranks and stages.

    ``zero`` is the stage of ZeRO (3 is FSDP's full shard), over groups of ``group`` data-parallel devices
    (None: all of them; fewer is hybrid sharding). ``experts`` devices share the experts of a layer, within
    the data and context ones. ``sequence`` splits norms and dropouts over the tensor ranks as well.
    ``virtual`` stages per device interleave a pipeline; ``schedule`` orders its micro-batches.
    """

    data: int = 1
    tensor: int = 1
    pipeline: int = 1
    context: int = 1
    experts: int = 1
    zero: int = 0
    group: int | None = None
    sequence: bool = True
    virtual: int = 1
    schedule: PipelineSchedule = "1f1b"

    @property
    def devices(self) -> int:
        """Count the devices."""
        return self.data * self.tensor * self.pipeline * self.context


ONE_DEVICE = Sharding()


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """One training run: tokens per sequence, sequences per device and step, formats, optimizer, layout.

    ``accumulate`` micro-batches are summed before the optimizer steps; ``ema`` keeps a moving average of the
    weights; ``frozen`` names parts that are not trained by the start of their tensors' names.
    """

    sequence: int
    micro_batch: int = 1
    accumulate: int = 1
    tokens: int | None = None
    method: Method = "full"
    adapter: Adapter | None = None
    precision: Precision = PRECISIONS["bf16-mixed"]
    optimizer: str = "adamw"
    ema: bool = False
    frozen: tuple[str, ...] = ()
    recompute: Recompute = "none"
    recompute_every: int = 1
    """Every k-th layer is done again; the others keep all."""
    recompute_group: int = 1
    """So many neighbouring layers are done again as one piece."""
    attention: AttentionKernel = "sdpa"
    fused_norms: bool = False
    loss: LossKernel = "full"
    sharding: Sharding = ONE_DEVICE
    implementation: OptimizerKernel = "fused"
    keeps_outputs: bool = True
    """The training loop holds the model's output, logits with it, until the next step."""
    offload_optimizer: bool = False
    offload_weights: bool = False
    device: Literal["cuda", "cpu"] = "cuda"
    """Whose kernels torch calls: dropouts and norms keep other things on a CPU."""
    fused_scans: bool = True
    """Scans and short convolutions run as fused kernels (mamba-ssm, flash-linear-attention)."""

    @property
    def batch_tokens(self) -> int:
        """Tokens of one device's micro-batch."""
        return self.micro_batch * self.sequence

    @property
    def global_batch(self) -> int:
        """Sequences of one optimizer step, on all devices."""
        return self.micro_batch * self.accumulate * self.sharding.data
