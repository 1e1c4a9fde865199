"""LayerWatch: the layers of one segmentation, and what is heard from them."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_simpleclick.plugin.image_layer import TRANSFORMS, transforms

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from napari.layers import Image, Labels, Layer, Points

    from napari_simpleclick.plugin.segmentation import Segmentation


@dataclass(frozen=True, eq=False)
class LayerWatch:
    """Connects a segmentation and keys to its layers, and lets go of them.

    Parameters
    ----------
    image, points, labels : layer
        What is segmented, the clicks, the masks.
    listener : Segmentation
        Hears what happens to them.
    keys : mapping of str to callable
        Key combinations of the clicks layer and of the mask layer.
    """

    image: Image
    points: Points
    labels: Labels
    listener: Segmentation
    keys: Mapping[str, Callable[[], None]]

    def __contains__(self, layer: object) -> bool:
        return layer in (self.image, self.points, self.labels)

    def connect(self) -> None:
        """Lay clicks and masks over the image, and begin to listen."""
        self._follow_image()
        self.points.mouse_drag_callbacks.append(self.listener.on_press)
        for event, callback in self._heard():
            event.connect(callback)
        for layer in (self.points, self.labels):
            for key, action in self.keys.items():
                layer.bind_key(key, _ignoring_layer(action), overwrite=True)

    def disconnect(self) -> None:
        """Stop listening; the layers keep nothing of ours."""
        self.points.mouse_drag_callbacks.remove(self.listener.on_press)
        for event, callback in self._heard():
            event.disconnect(callback)
        for layer in (self.points, self.labels):
            for key in self.keys:
                layer.bind_key(key, None)

    def _heard(self) -> list[tuple[Any, Callable[..., None]]]:
        layers, listener = (self.image, self.points, self.labels), self.listener
        moves = [x.events[name] for x, name in product(layers, TRANSFORMS)]
        return [
            (self.points.events.data, listener.on_points),
            (self.points.selected_data.events.items_changed, listener.on_selection),
            (self.image.events.data, listener.on_image_data),
            (self.image.events.set_data, listener.on_image_drawn),
            (self.labels.events.data, listener.on_mask_data),
            (self.labels.events.selected_label, listener.on_label),
            # Clicks and masks that were moved come back.
            *((moved, self._follow_image) for moved in moves),
        ]

    def _follow_image(self) -> None:
        for layer in (self.points, self.labels):
            for name, value in transforms(self.image).items():
                if not np.array_equal(getattr(layer, name), value):
                    setattr(layer, name, value)  # napari draws all layers anew


def _ignoring_layer(action: Callable[[], None]) -> Callable[[Layer], None]:
    def pressed(layer: Layer) -> None:
        action()

    return pressed
