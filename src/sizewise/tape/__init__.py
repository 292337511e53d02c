"""A symbolic record of a forward pass: which tensors torch's autograd saves, and when memory is highest."""
