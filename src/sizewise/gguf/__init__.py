"""What llama.cpp's converter and quantizer write: tensors, file types, bytes."""
