"""How weights are stored in a number format: layouts of one matrix, and schemes for a whole model."""
