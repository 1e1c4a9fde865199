"""The napari side: layers, controller, dock."""
