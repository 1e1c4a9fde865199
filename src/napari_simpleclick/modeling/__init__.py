"""The network: configuration, layers, checkpoints."""
