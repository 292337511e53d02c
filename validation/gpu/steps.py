"""The runs themselves: steps of torch and transformers, between the start and the end of a meter."""

from collections.abc import Callable
from contextlib import nullcontext
from typing import Any, Protocol

import torch
from cases import Case
from predictions import RANK, targets
from transformers import AutoConfig, AutoModelForCausalLM

WARM_STEPS = 2
"""Steps before the one that is measured: state of the optimizer is made, workspaces are there."""


class Meter(Protocol):
    """Peaks between two moments."""

    device: torch.device

    def track(self, *owners: Any) -> None:
        """Get to know what is there already."""

    def measure(self, run: Callable[[], None]) -> dict[str, int]:
        """Run and return the bytes of its peaks by name."""


def measured(case: Case, meter: Meter) -> dict[str, int]:
    """Build the model of a case at random and measure one step of it."""
    model = _model(case, meter.device)
    identifiers = torch.zeros(case.batch, case.sequence, dtype=torch.long, device=meter.device)
    if case.work == "train":
        return _train(case, model, identifiers, meter)
    model.eval()
    meter.track(model)
    if case.work == "prefill":
        return meter.measure(lambda: _prefill(model, identifiers))
    cache = _prefill(model, identifiers)
    meter.track(*(tensor for layer in cache.layers for tensor in (layer.keys, layer.values)))
    return meter.measure(lambda: _decode(model, identifiers[:, :1], cache))


def parameters(case: Case) -> int:
    """Count the weights as transformers has them."""
    with torch.device("meta"):
        return sum(entry.numel() for entry in _untouched(case).parameters())


def _untouched(case: Case) -> Any:
    fields = dict(case.config)
    settings = AutoConfig.for_model(fields.pop("model_type"), **fields)
    settings.use_cache = case.work != "train"
    dtype = torch.bfloat16 if case.precision == "bf16" else torch.float32
    return AutoModelForCausalLM.from_config(settings, attn_implementation=case.attention, dtype=dtype)


def _model(case: Case, device: torch.device) -> Any:
    with device:
        model = _untouched(case).train()
    if case.adapters:
        from peft import LoraConfig, get_peft_model

        model = get_peft_model(model, LoraConfig(r=RANK, target_modules=list(targets(case))))
    if case.recompute == "full":
        model.gradient_checkpointing_enable(gradient_checkpointing_kwargs={"use_reentrant": False})
        if case.adapters:
            model.enable_input_require_grads()
    return model


def _train(case: Case, model: Any, identifiers: torch.Tensor, meter: Meter) -> dict[str, int]:
    trained = [entry for entry in model.parameters() if entry.requires_grad]
    how = {"fused": {"fused": True}, "foreach": {"foreach": True}, "loop": {"foreach": False}}
    optimizer = torch.optim.AdamW(trained, **how[case.optimizer])
    mixed = case.precision == "bf16-autocast"

    def step() -> None:
        with torch.autocast(meter.device.type, torch.bfloat16) if mixed else nullcontext():
            loss = model(input_ids=identifiers, labels=identifiers, use_cache=False).loss
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()

    for _ in range(WARM_STEPS):
        step()
    meter.track(model, optimizer)
    return meter.measure(step)


def _prefill(model: Any, identifiers: torch.Tensor) -> Any:
    with torch.no_grad():
        return model(input_ids=identifiers, use_cache=True, logits_to_keep=1).past_key_values


def _decode(model: Any, identifiers: torch.Tensor, cache: Any) -> None:
    with torch.no_grad():
        model(input_ids=identifiers, past_key_values=cache, use_cache=True)
