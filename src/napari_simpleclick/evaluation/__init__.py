"""Simulated users, metrics and the evaluation loop."""
