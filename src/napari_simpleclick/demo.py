"""The demo: the lateral ventricles of a real brain MRI, from clicks stored here."""

from __future__ import annotations

from importlib import resources
from typing import TYPE_CHECKING

from napari_simpleclick.inference.intensity import display_range, to_display
from napari_simpleclick.io.atomic import check_writable, replacing
from napari_simpleclick.io.clicks_file import read_clicks
from napari_simpleclick.io.overlay import draw_overlay, save_row
from napari_simpleclick.segment_file import place, segment_file

if TYPE_CHECKING:
    from importlib.resources.abc import Traversable
    from pathlib import Path

    from napari_simpleclick.modeling.devices import Device
    from napari_simpleclick.modeling.runtimes.runtime import RuntimeChoice
    from napari_simpleclick.segment_file import SegmentedVolume


def run_demo(
    output: Path,
    model: str | Path,
    device: Device,
    runtime: RuntimeChoice = "auto",
) -> str:
    """Segment the ventricles and write mask, picture and summary.

    The volume is the first of the example that nibabel installs with itself.

    Parameters
    ----------
    output : Path
        Folder; it gets ventricles.nii.gz, with the volume's own affine,
        ventricles.png and summary.txt.
    model : str or Path
        Name or file of a checkpoint.
    device : {"auto", "cpu", "cuda", "mps"}
        Where to compute.
    runtime : str
        What computes, as for `load_predictor`.

    Returns
    -------
    str
        The summary.

    Raises
    ------
    OSError
        If one of the files cannot be written, before anything is computed if possible.
    """
    example = resources.files("nibabel").joinpath("tests/data/example4d.nii.gz")
    names = "ventricles.nii.gz", "ventricles.png", "summary.txt"
    mask, picture, text = (output / name for name in names)
    check_writable(picture)
    check_writable(text)
    with resources.as_file(example) as volume, resources.as_file(_clicks()) as clicks:
        segmented = segment_file(
            volume, clicks, mask, model=model, device=device, runtime=runtime
        )
    save_picture(segmented, picture)
    summary = (
        "Lateral ventricles in a brain MRI (nibabel's example4d.nii.gz, volume 0)\n"
        f"{segmented.summary()}\npicture: {picture}"
    )
    with replacing(text) as partial:
        partial.write_text(summary + "\n", encoding="utf-8")
    return summary


def save_picture(segmented: SegmentedVolume, path: Path) -> None:
    """Draw every clicked slice with outlines and clicks, side by side, as PNG."""
    image, pictures = segmented.image, []
    for plane in dict.fromkeys(p.target.plane for p in segmented.clicks):
        row_axis, col_axis = plane.axes
        pictures.append(
            draw_overlay(
                to_display(image.data[plane.index], segmented.limits),
                segmented.labels[plane.index],
                [p.click for p in segmented.clicks if p.target.plane == plane],
                pixel_size=(image.scale[row_axis], image.scale[col_axis]),
            )
        )
    save_row(path, pictures)


def open_demo(
    model: str | Path, device: Device, runtime: RuntimeChoice = "auto"
) -> None:
    """Open the volume in napari, with the dock and the stored clicks."""
    import napari

    from napari_simpleclick.io.sample_data import brain_mri

    viewer = napari.Viewer()
    data, arguments, _ = brain_mri()[0]
    viewer.add_image(data, contrast_limits=display_range(data), **arguments)
    _, dock = viewer.window.add_plugin_dock_widget("napari-simpleclick", "SimpleClick")
    dock.choice.use(model, device, runtime)
    dock.begin()
    with resources.as_file(_clicks()) as path:
        clicks = [place(click) for click in read_clicks(path, data.shape)]
    dock.controller.place_clicks(clicks)
    viewer.dims.set_current_step(0, clicks[0].target.plane.position[0])
    napari.run()


def _clicks() -> Traversable:
    return resources.files("napari_simpleclick").joinpath("demo_clicks.json")
