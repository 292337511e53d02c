"""How good the predictions are: predicted as the memory command does, compared with what was measured."""
