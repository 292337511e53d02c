"""safetensors files and shard indexes: headers read by a bounded scanner."""
