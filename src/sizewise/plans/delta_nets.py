"""Gated delta nets as the Qwen families configure them."""

from sizewise.architecture import Part
from sizewise.components.gated_delta_net import GatedDeltaNet
from sizewise.configuration import Config


def delta_net(config: Config, *, fused: bool) -> Part:
    """Return the mixer of a layer with linear attention; ``fused``: its projections are stored as one."""
    mixer = GatedDeltaNet(
        hidden=config.size("hidden_size"),
        key_heads=config.size("linear_num_key_heads"),
        value_heads=config.size("linear_num_value_heads"),
        key_size=config.size("linear_key_head_dim"),
        value_size=config.size("linear_value_head_dim"),
        kernel=config.size("linear_conv_kernel_dim"),
        fused=fused,
    )
    return Part(name="linear_attn", component=mixer)
