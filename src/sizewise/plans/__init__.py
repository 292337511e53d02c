"""What many families share: the usual fields, the usual decoder, expert layers, windows per layer."""
