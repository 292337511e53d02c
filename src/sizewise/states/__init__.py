"""States of training: which tensors are trained, and the bytes of weights, gradients and optimizer state."""
