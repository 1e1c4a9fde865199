import threading
from dataclasses import dataclass, field, replace

import numpy as np
import pytest
from scipy.ndimage import uniform_filter

from napari_simpleclick.inference.flooding import doubled
from napari_simpleclick.inference.predictor import GLANCED, Predictor
from napari_simpleclick.inference.transforms import CropInputs, ZoomIn
from napari_simpleclick.types import Click, Prediction, Roi


@dataclass
class Recorder:
    """A model whose logits are ten times the brightness above one half."""

    calls: list[CropInputs] = field(default_factory=list)

    def __call__(self, image, prev_mask, points):
        self.calls.append(CropInputs(image, prev_mask, points))
        return 10 * (image.mean(1, keepdims=True) - 0.5)


@pytest.fixture
def model():
    return Recorder()


def square_image() -> np.ndarray:
    image = np.zeros((600, 500), dtype=np.uint8)
    image[200:300, 100:200] = 255
    return image


def test_first_click_sees_the_whole_image_and_no_mask(model):
    image = square_image()
    prediction = Predictor(model, input_size=64).predict(image, [Click(250, 150)])
    (call,) = model.calls
    assert call.image.shape == (1, 3, 64, 64)
    assert call.image.dtype == np.float32
    assert (call.image.min(), call.image.max()) == (0, pytest.approx(1))
    assert not call.prev_mask.any()
    assert call.points.shape == (1, 2, 3)
    assert call.points[0, 1].tolist() == [-1, -1, -1]
    assert prediction.roi == Roi(0, 599, 0, 499)
    assert prediction.probability.dtype == np.float32
    assert prediction.probability.shape == image.shape
    assert prediction.mask()[250, 150]
    assert not prediction.mask()[50, 50]


def test_a_second_look_answers_the_first_click_from_its_crop(model):
    image = square_image()
    predictor = Predictor(model, input_size=64, second_look=True)
    answer = predictor.predict(image, [Click(250, 150)])
    whole, closer = model.calls
    assert not whole.prev_mask.any()
    assert closer.prev_mask.any()
    assert answer.roi is not None
    assert answer.roi.shape == (201, 201)
    assert len(closer.points[0]) == 2
    predictor.predict(image, [Click(250, 150), Click(10, 10, False)], answer)
    assert len(model.calls) == 3
    without_zoom = Predictor(model, input_size=64, second_look=True, zoom_in=None)
    without_zoom.predict(image, [Click(250, 150)])
    assert len(model.calls) == 4


def test_the_first_look_at_a_small_image_is_a_glance(model):
    predictor = Predictor(model, input_size=64, second_look=True, glance_size=35)
    image, clicks = square_image()[230:270, 130:170], [Click(20, 20)]
    assert max(image.shape) <= GLANCED * 35
    answer = predictor.predict(image, clicks)
    predictor.predict(image, [*clicks, Click(2, 2, False)], answer)
    assert [call.image.shape[-1] for call in model.calls] == [35, 64, 64]
    assert answer.probability.shape == image.shape
    model.calls.clear()
    predictor.predict(square_image()[230:271, 130:170], clicks)
    replace(predictor, second_look=False).predict(image, clicks)
    replace(predictor, input_size=32).predict(image, clicks)
    sizes = [call.image.shape[-1] for call in model.calls]
    assert sizes == [64, 64, 64, 32, 32]


def test_a_glance_may_have_a_network_of_its_own(model):
    other = Recorder()
    predictor = Predictor(
        model, input_size=64, second_look=True, glance_size=48, glance_model=other
    )
    predictor.predict(square_image()[230:270, 130:170], [Click(20, 20)])
    assert [call.image.shape[-1] for call in other.calls] == [48]
    assert [call.image.shape[-1] for call in model.calls] == [64]


@pytest.mark.parametrize("shape", [(1500, 2000), (130, 1700), (300, 300), (1, 90)])
@pytest.mark.parametrize("obey", [True, False])
@pytest.mark.parametrize("flood", [True, False])
@pytest.mark.parametrize("snap", [0, 8])
def test_a_second_look_needs_no_more_than_it_is_given(shape, obey, flood, snap):
    """Half a whole map: the same as two passes over all of it."""
    for seed in range(6):
        rng = np.random.default_rng(seed)
        noise = rng.standard_normal((2, 1, 1, 64, 64), dtype=np.float32)
        smooth = uniform_filter(noise, (0, 0, 0, 9, 9), mode="constant")
        logits = 20 * smooth - np.float32(seed)
        recorder = Recorder()

        def model(image, prev_mask, points, recorder=recorder, logits=logits):
            recorder(image, prev_mask, points)
            return logits[(len(recorder.calls) - 1) % 2]

        predictor = Predictor(
            model,
            input_size=64,
            second_look=True,
            obey=obey,
            flood=flood,
            zoom_in=ZoomIn(snap=snap),
        )
        image = rng.integers(0, 255, shape).astype(np.uint8)
        clicks = [Click(0.4 * shape[0], 0.7 * shape[1])]
        answer = predictor.predict(image, clicks)
        first = replace(predictor, second_look=False).predict(image, clicks)
        first = predictor.for_second_look(first, image, clicks)
        second = predictor.predict(image, clicks, first)
        assert answer.roi == second.roi
        for given, whole in zip(recorder.calls[1], recorder.calls[3], strict=True):
            np.testing.assert_allclose(given, whole, atol=2e-6, rtol=0)
        np.testing.assert_array_equal(answer.probability, second.probability)


def test_a_second_look_sees_where_the_image_has_edges(model):
    """Such a model takes any bright pixel for object, also of a dim neighbour."""
    image = square_image().clip(60)
    image[200:300, 200:260] = 140
    clicks = [Click(250, 150)]
    seen = []
    for flood in (False, True):
        predictor = Predictor(model, input_size=64, second_look=True, flood=flood)
        roi = predictor.predict(image, clicks).roi
        col = round(63 * (230 - roi.col_min) / (roi.shape[1] - 1))
        seen.append(model.calls[-1].prev_mask[0, 0, 32, col].item())
    assert seen[0] > 0.55
    assert seen[1] < 0.35


def test_a_glance_holds_all_that_is_flooded(model):
    image, clicks = np.pad(square_image(), 400), [Click(650, 550)]
    for flood in (False, True):
        predictor = Predictor(model, input_size=64, second_look=True, flood=flood)
        inputs, roi = predictor.encode(image, clicks)
        logits = predictor.compute(inputs)
        glance = predictor.decode(logits, roi, image.shape, clicks, is_glance=True)
        crop = predictor.zoom_in.roi(image.shape, clicks, glance)
        needed = doubled(crop, image.shape)
        assert (glance.box.shared(needed) == needed) is flood
        assert glance.inside.size < image.size / 2


def test_a_second_look_may_begin_with_a_negative_click(model):
    image = square_image()
    predictor = Predictor(model, input_size=64, second_look=True)
    answer = predictor.predict(image, [Click(50, 50, is_positive=False)])
    assert answer.mask()[250, 150]
    assert answer.roi is not None
    assert answer.roi.shape == (201, 201)


def test_an_obedient_predictor_gives_clicked_pixels_their_class(model):
    clicks = [Click(250, 150), Click(210, 110, False), Click(50, 400)]
    image = square_image()
    assert not Predictor(model).predict(image, clicks).mask()[50, 400]
    mask = Predictor(model, obey=True).predict(image, clicks).mask()
    assert mask[250, 150]
    assert mask[50, 400]
    assert not mask[210, 110]
    assert mask[230, 110]


def test_second_click_zooms_in_and_sees_the_last_mask(model):
    image, predictor = square_image(), Predictor(model, input_size=64)
    first = predictor.predict(image, [Click(250, 150)])
    clicks = [Click(250, 150), Click(100, 300, is_positive=False)]
    second = predictor.predict(image, clicks, first)
    assert second.roi is not None
    assert second.roi.shape == (201, 201)
    top_left = model.calls[1].prev_mask[0, 0, 0, 0]
    corner = first.probability[second.roi.row_min, second.roi.col_min]
    assert top_left.item() == pytest.approx(corner)
    assert not second.probability[: second.roi.row_min].any()
    assert second.mask().sum() == pytest.approx(100 * 100, rel=0.1)


def test_a_mask_drawn_by_hand_is_a_starting_mask(model):
    drawn = np.zeros((600, 500), dtype=np.float32)
    drawn[400:450, 300:340] = 1
    start = Prediction(drawn)
    result = Predictor(model).predict(square_image(), [Click(420, 320)], start)
    assert result.roi == Roi(324, 524, 220, 420)
    assert model.calls[0].prev_mask.max() == 1


def test_without_zoom_the_whole_image_is_resized(model):
    predictor = Predictor(model, input_size=32, zoom_in=None)
    first = predictor.predict(square_image(), [Click(250, 150)])
    second = predictor.predict(square_image(), [Click(250, 150), Click(1, 1)], first)
    assert second.roi == Roi(0, 599, 0, 499)
    assert model.calls[1].image.shape == (1, 3, 32, 32)
    np.testing.assert_array_equal(first.probability, second.probability)


def test_flip_averages_logits():
    def lopsided(image, prev_mask, points):
        assert len(image) == len(prev_mask) == len(points) == 2
        return np.full((2, 1, 8, 8), np.float32([2, 4])[:, None, None, None])

    predictor = Predictor(lopsided, input_size=8, flip=True)
    probability = predictor.predict(square_image(), [Click(1, 1)]).probability
    np.testing.assert_allclose(probability, 1 / (1 + np.exp(-3)), rtol=1e-6)


def test_prediction_is_a_pure_function_of_its_arguments(model):
    image, predictor = square_image(), Predictor(model)
    clicks = (Click(250, 150), Click(20, 30, is_positive=False))
    first = predictor.predict(image, clicks[:1])
    before = image.copy(), first.probability.copy()
    second = predictor.predict(image, clicks, first)
    predictor.predict(image[:50, :60], [Click(3, 3)])
    again = predictor.predict(image, clicks, first)
    np.testing.assert_array_equal(second.probability, again.probability)
    assert second.roi == again.roi
    np.testing.assert_array_equal(image, before[0])
    np.testing.assert_array_equal(first.probability, before[1])


def test_threads_share_a_predictor(model):
    predictor = Predictor(model, input_size=64)
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (8, 300, 310), dtype=np.uint8)
    expected = [predictor.predict(i, [Click(9, 9)]).probability for i in images]
    found = {}

    def run(k):
        found[k] = predictor.predict(images[k], [Click(9, 9)]).probability

    threads = [threading.Thread(target=run, args=(k,)) for k in range(len(images))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for k, probability in enumerate(expected):
        np.testing.assert_array_equal(found[k], probability)


def test_a_model_may_answer_in_half_precision():
    def half(image, prev_mask, points):
        return np.zeros((1, 1, *image.shape[2:]), dtype=np.float16)

    probability = Predictor(half).predict(square_image(), [Click(0, 0)]).probability
    assert probability.dtype == np.float32
    assert (probability == 0.5).all()


def test_colour_and_float_images_agree_with_grey(model):
    grey, predictor = square_image(), Predictor(model)
    colour = np.repeat(grey[..., None], 3, axis=2)
    unit = (grey / 255).astype(np.float32)
    expected = predictor.predict(grey, [Click(5, 5)]).probability
    for image in (colour, unit, np.asfortranarray(colour), grey[::-1][::-1]):
        found = predictor.predict(image, [Click(5, 5)]).probability
        np.testing.assert_allclose(found, expected, atol=1e-6)


@pytest.mark.parametrize("shape", [(1, 1), (1, 300), (300, 1), (2, 3), (700, 5)])
def test_narrow_images(model, shape):
    predictor, clicks = Predictor(model, flip=True), [Click(0, 0)]
    image = np.full(shape, 255, dtype=np.uint8)
    last = None
    for _ in range(3):
        last = predictor.predict(image, clicks, last)
        assert last.probability.shape == shape
        assert last.mask().all()
        clicks = [*clicks, Click(shape[0] - 1, shape[1] - 1)]


def test_an_answer_holds_the_crop_alone_however_large_the_image(model):
    image = np.zeros((3000, 4000), dtype=np.uint8)
    image[200:300, 100:200] = 255
    predictor = Predictor(model, input_size=64, second_look=True, obey=True)
    clicks, answer = [], None
    for col in range(110, 190, 20):
        clicks.append(Click(250, col))
        answer = predictor.predict(image, clicks, answer)
        assert answer.inside.nbytes < 2**20  # of 46 MiB
        assert answer.shape == image.shape


def test_large_images_are_not_copied_to_float(model):
    image = np.broadcast_to(np.uint8(255), (8192, 8192, 3))  # a single byte in memory
    inputs, roi = Predictor(model).encode(image, [Click(8191.4, -0.4)])
    assert roi == Roi(0, 8191, 0, 8191)
    assert inputs.image.shape == (1, 3, 448, 448)
    np.testing.assert_allclose(inputs.image, 1, rtol=1e-6)


@pytest.mark.parametrize(
    "click", [Click(-0.6, 3), Click(3, 499.5), Click(600, 3), Click(np.nan, 3)]
)
def test_clicks_outside_are_refused(model, click):
    with pytest.raises(ValueError, match=r"Click\(row=.*\(600, 500\)"):
        Predictor(model).predict(square_image(), [Click(1, 1), click])


def test_no_click_is_refused(model):
    with pytest.raises(ValueError, match="clicks: none"):
        Predictor(model).predict(square_image(), [])


@pytest.mark.parametrize(
    ("image", "error"),
    [
        (np.zeros((5, 5)), TypeError),
        (np.zeros((5, 5), bool), TypeError),
        (np.zeros((5, 5), np.uint16), TypeError),
        (np.zeros(5, np.uint8), ValueError),
        (np.zeros((5, 5, 4), np.uint8), ValueError),
        (np.zeros((2, 5, 5, 3), np.uint8), ValueError),
        (np.zeros((0, 5), np.uint8), ValueError),
        (np.full((5, 5), 255, np.float32), ValueError),
        (np.full((5, 5), np.nan, np.float32), ValueError),
    ],
)
def test_other_images_are_refused(model, image, error):
    with pytest.raises(error, match="image: "):
        Predictor(model).predict(image, [Click(0, 0)])


@pytest.mark.parametrize(
    ("previous", "error"),
    [
        (Prediction(np.zeros((600, 500))), TypeError),
        (Prediction(np.zeros((500, 600), np.float32)), ValueError),
        (Prediction(np.zeros((600, 500), np.float32), Roi(0, 600, 0, 9)), ValueError),
        (Prediction(np.zeros((600, 500), np.float32), Roi(9, 8, 0, 9)), ValueError),
        (Prediction(np.full((600, 500), 255, np.float32)), ValueError),
        (Prediction(np.full((600, 500), np.nan, np.float32)), ValueError),
    ],
)
def test_other_previous_predictions_are_refused(model, previous, error):
    with pytest.raises(error, match="previous: "):
        Predictor(model).predict(square_image(), [Click(0, 0)], previous)


def test_settings_out_of_range_are_refused(model):
    with pytest.raises(ValueError, match="input_size: 0"):
        Predictor(model, input_size=0)
    with pytest.raises(ValueError, match=r"threshold: 1\.5"):
        Predictor(model, threshold=1.5)


def test_zoom_in_can_be_set(model):
    predictor = Predictor(model, zoom_in=ZoomIn(min_crop=300))
    first = predictor.predict(square_image(), [Click(250, 150)])
    second = predictor.predict(square_image(), [Click(250, 150)] * 2, first)
    assert second.roi is not None
    assert second.roi.shape == (301, 301)
