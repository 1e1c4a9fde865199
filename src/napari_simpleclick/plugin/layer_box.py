"""LayerBox: a box to choose a layer in, by the layer and not by its name."""

from __future__ import annotations

from typing import Any

from magicgui.widgets import ComboBox


class LayerBox(ComboBox):
    """A combo box of layers; the chosen one stays chosen when it is renamed.

    The parameters are those of magicgui's ComboBox, which goes by the names.
    """

    def reset_choices(self, *_: Any) -> None:
        """Offer the layers that there are now."""
        chosen = self.value
        with self.changed.blocked():
            super().reset_choices()
            if chosen in self.choices:
                self.value = chosen
        if self.value is not chosen:
            self.changed.emit(self.value)
