"""What computes a network: torch or OpenVINO, in this precision or that."""
