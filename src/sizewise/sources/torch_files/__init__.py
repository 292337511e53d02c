"""Archives of torch.save: the zip's directory and an allow-listed walk of its pickle."""
