"""Synthetic data, data sets, losses and the training loop."""
