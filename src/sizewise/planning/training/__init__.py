"""What a training run needs on each device, in which layout, and what to change if it does not fit."""
