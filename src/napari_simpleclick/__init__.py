"""SimpleClick interactive segmentation for napari."""

__version__ = "0.1.0"
