import numpy as np
import pytest

from napari_simpleclick.inference.crops import crop_image
from napari_simpleclick.inference.transforms import (
    ZoomIn,
    clicked_pixel,
    crop_clicks,
    whole,
)
from napari_simpleclick.types import Click, Prediction, Roi

SHAPE = (1000, 800)


def prediction(rows: slice, cols: slice, roi: Roi | None = None) -> Prediction:
    probability = np.zeros(SHAPE, dtype=np.float32)
    probability[rows, cols] = 0.9
    return Prediction(probability, roi)


def test_roi_is_the_expanded_box_of_mask_and_positive_clicks():
    previous = prediction(slice(400, 700), slice(300, 500))
    inside, outside = Click(450, 350), Click(450, 600)
    # Rows 400..699: centre 549.5, 1.4 * 300 / 2 = 210 on each side, half to even.
    assert ZoomIn().roi(SHAPE, [inside], previous) == Roi(340, 760, 260, 540)
    # Columns 300..600: centre 450, 1.4 * 301 / 2 = 210.7 on each side.
    assert ZoomIn().roi(SHAPE, [outside], previous) == Roi(340, 760, 239, 661)
    negative = Click(10, 10, is_positive=False)
    assert ZoomIn().roi(SHAPE, [negative], previous) == Roi(340, 760, 260, 540)


def test_roi_has_a_smallest_side_and_stops_at_the_edge():
    small = prediction(slice(0, 3), slice(500, 501))
    assert ZoomIn().roi(SHAPE, [Click(1, 500)], small) == Roi(0, 101, 400, 600)
    large = prediction(slice(10, 990), slice(5, 795))
    assert ZoomIn().roi(SHAPE, [Click(50, 50)], large) == whole(SHAPE)


def test_roi_is_the_whole_image_while_nothing_is_predicted():
    faint = Prediction(np.full(SHAPE, 0.5, dtype=np.float32), Roi(0, 9, 0, 9))
    assert ZoomIn().roi(SHAPE, [Click(50, 50)], faint) == whole(SHAPE)


@pytest.mark.parametrize(
    ("kept", "is_kept"),
    [
        (Roi(340, 760, 260, 540), True),
        (Roi(340, 760, 0, 561), True),  # columns 281 / 562, exactly one half
        (Roi(340, 760, 0, 562), False),
        (Roi(550, 760, 260, 540), True),  # rows 211 / 421 = 0.501
        (Roi(551, 760, 260, 540), False),  # rows 210 / 421 = 0.499
    ],
)
def test_roi_is_kept_while_it_overlaps_enough(kept, is_kept):
    previous = prediction(slice(400, 700), slice(300, 500), kept)
    chosen = ZoomIn().roi(SHAPE, [Click(600, 350)], previous)
    assert chosen == (kept if is_kept else Roi(340, 760, 260, 540))


@pytest.mark.parametrize(("recompute_iou", "is_kept"), [(0.11, True), (0.12, False)])
def test_roi_overlap_is_the_product_over_rows_and_columns(recompute_iou, is_kept):
    # 101 of 301 rows and as many columns: 0.336 squared is 0.113; areas give 0.144.
    wanted, kept = Roi(350, 550, 250, 450), Roi(450, 650, 350, 550)
    previous = prediction(slice(400, 501), slice(300, 401), kept)
    zoom_in = ZoomIn(recompute_iou=recompute_iou)
    chosen = zoom_in.roi(SHAPE, [Click(450, 350)], previous)
    assert chosen == (kept if is_kept else wanted)


def test_snapped_rois_lie_on_a_grid_around_the_object():
    previous = prediction(slice(400, 700), slice(300, 500))
    # Rows 340..760 are 421 // 8 = 52 long, columns 281 // 8 = 35: cells of 32 pixels.
    snapped = ZoomIn(snap=8).roi(SHAPE, [Click(450, 350)], previous)
    assert snapped == Roi(352, 767, 256, 543)
    at_edge = prediction(slice(990, 1000), slice(0, 10))
    assert ZoomIn(snap=8).roi(SHAPE, [Click(995, 5)], at_edge) == Roi(896, 999, 0, 111)
    tiny = ZoomIn(snap=8, min_crop=10).roi(SHAPE, [Click(995, 5)], at_edge)
    assert tiny == ZoomIn(min_crop=10).roi(SHAPE, [Click(995, 5)], at_edge)


def test_masks_that_hardly_differ_mostly_get_the_same_snapped_roi():
    def rois(zoom_in: ZoomIn) -> set[Roi]:
        return {
            zoom_in.roi(
                SHAPE, [Click(250, 250)], prediction(slice(a, 300), slice(200, 300 + a))
            )
            for a in range(200, 206)
        }

    assert len(rois(ZoomIn(min_crop=64))) == 6
    assert len(rois(ZoomIn(min_crop=64, snap=8))) <= 2


def test_roi_follows_a_positive_click_that_leaves_it():
    kept = Roi(340, 760, 260, 540)
    previous = prediction(slice(400, 700), slice(300, 500), kept)
    for click in (Click(339, 300), Click(400, 541), Click(760, 300)):
        assert ZoomIn().roi(SHAPE, [click], previous) != kept
    assert ZoomIn().roi(SHAPE, [Click(0, 0, is_positive=False)], previous) == kept


def test_clicks_scale_with_the_crop_and_keep_their_order():
    roi = Roi(10, 109, 20, 219)
    clicks = [
        Click(10, 20),
        Click(0, 30, is_positive=False),
        Click(59.6, 119.5),
        Click(60.4, 120.4),
    ]
    points = crop_clicks(clicks, roi, 448)
    pad = [-1, -1, -1]
    expected = [[0, 0, 0], [224, 224, 2], [224, 224, 3], [-44.8, 22.4, 1], pad, pad]
    np.testing.assert_allclose(points, expected, rtol=1e-6)


@pytest.mark.parametrize("pixel", [(10, 20), (41, 20), (41, 59), (27, 33)])
def test_exact_clicks_lie_where_the_crop_shows_their_pixels(pixel):
    roi, image = Roi(10, 41, 20, 59), np.zeros((64, 64), np.float32)
    image[pixel] = 1
    shown = crop_image(image, roi, 448)
    middle = np.argwhere(shown > shown.max() / 2).mean(axis=0)
    row, col, _ = crop_clicks([Click(*pixel)], roi, 448, exact=True)[0]
    inner = shown[round(float(row)), round(float(col))]
    assert inner > 0.9
    if pixel == (27, 33):  # of pixels at the crop's edge only a half is shown
        np.testing.assert_allclose((row, col), middle, atol=0.6)


def test_exact_clicks_on_a_single_pixel():
    assert crop_clicks([Click(3, 4)], Roi(3, 3, 4, 4), 64, exact=True)[0, 0] == 0


def test_clicked_pixel_spans_half_a_pixel_around_its_centre():
    assert clicked_pixel(Click(-0.5, 2.49)) == (0, 2)
    assert clicked_pixel(Click(0.5, 2.5)) == (1, 3)


def test_roi_of_a_part_of_a_map_is_that_of_the_whole():
    held = Roi(380, 720, 290, 520)
    known = prediction(slice(400, 700), slice(300, 500))
    part = Prediction(known.probability[held.slices], box=held, shape=SHAPE)
    clicks = [Click(450, 350)]
    assert ZoomIn().roi(SHAPE, clicks, part) == ZoomIn().roi(SHAPE, clicks, known)
