"""GGUF files: a bounded reader, split files, and the configuration that the metadata tells."""
