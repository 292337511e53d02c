"""What the tensors of a checkpoint are: parameters, packed or not, and everything beside."""
