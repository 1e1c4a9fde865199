"""CheckpointError: what every file that cannot be used as a checkpoint raises."""


class CheckpointError(ValueError):
    """A file is not a checkpoint that can be used; the message says why."""
