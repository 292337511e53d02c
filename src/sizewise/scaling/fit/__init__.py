"""Fitting a scaling law to the losses of runs; the one room of the engine that computes with NumPy."""
