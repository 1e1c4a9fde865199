"""camera_of: what a viewer is seen through, in any release of napari."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from napari.components import Camera, ViewerModel


def camera_of(viewer: ViewerModel) -> Camera:
    """Return the camera, which belongs to the viewer's scene since napari 0.9."""
    camera: Camera = getattr(viewer, "scene", viewer).camera
    return camera
