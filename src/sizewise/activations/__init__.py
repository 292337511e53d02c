"""What training keeps of a forward pass, and its highest memory: pieces of a model recorded and replayed."""
