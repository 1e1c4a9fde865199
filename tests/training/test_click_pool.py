from collections.abc import Iterator

import numpy as np
import pytest
import torch

from napari_simpleclick.evaluation.metrics import iou
from napari_simpleclick.evaluation.robot_user import next_click
from napari_simpleclick.inference.crops import crop_image, fill_box
from napari_simpleclick.inference.flooding import flooded
from napari_simpleclick.inference.transforms import ZoomIn, crop_clicks
from napari_simpleclick.training.click_pool import ClickPool
from napari_simpleclick.types import Click, Prediction, Roi

SIDE = 48


def canvases() -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
    number = 0
    while True:
        mask = torch.zeros(SIDE, SIDE, dtype=torch.bool)
        row, col = 3 + number % 20, 6 + number % 15
        mask[row : row + 18, col : col + 12] = True
        yield mask.to(torch.uint8) * 200, mask
        number += 1


def new_pool(**options: float) -> ClickPool:
    settings = {"users": 6, "max_clicks": 4, "stop_probability": 0.1} | options
    pool = ClickPool(canvases(), side=SIDE, **settings)
    pool.open()
    return pool


def test_the_first_view_is_the_whole_canvas_with_one_click_on_the_object() -> None:
    batch = new_pool().batch(6, SIDE)
    assert batch.image.shape == (6, 3, SIDE, SIDE)
    assert batch.points.shape == (6, 2, 3)
    assert (batch.prev_mask == 0).all()
    assert (batch.points[:, 1] == -1).all()
    for image, mask, points in zip(batch.image, batch.mask, batch.points, strict=True):
        row, col, order = points[0].long().tolist()
        assert mask[0, row, col]
        assert order == 0
        assert ((image[0] > 0.3) == mask[0]).all()


def test_a_right_answer_ends_the_work_on_a_canvas() -> None:
    pool = new_pool()
    batch = pool.batch(6, SIDE)
    report = pool.answer(batch, batch.mask.float())
    assert report.tolist() == [[1, 1]] * 6
    assert pool.drawn == 12
    assert pool.count.tolist() == [1] * 6


def test_a_wrong_answer_is_remembered_clicked_and_zoomed_in_on() -> None:
    pool = new_pool(stop_probability=1e-9, second_looks=0)
    pool.smallest[:] = 8
    batch = pool.batch(6, SIDE)
    half = batch.mask.float()
    half[..., : SIDE // 2] *= 0.9  # still above the threshold
    half[..., 12:] = 0
    pool.answer(batch, half)
    assert pool.drawn == 6
    assert pool.count.tolist() == [2] * 6
    assert pool.zoomed.all()
    assert ((pool.box[:, 2:] - pool.box[:, :2]) < SIDE).any(dim=1).all()
    second = pool.batch(6, 32)
    assert second.points.shape == (6, 4, 3)
    assert (second.points[:, :2, 0] >= 0).sum() == 12  # both positive, both in view
    assert second.prev_mask.max() > 0.85


@pytest.mark.parametrize("obey", [False, True])
def test_users_see_their_clicks_obeyed(obey: bool) -> None:
    pool = new_pool(stop_probability=1e-9, second_looks=0, obey=obey)
    for _ in range(3):
        clicks, count = pool.clicks.clone(), pool.count.clone()
        pool.answer(pool.batch(6, SIDE), torch.full((6, 1, SIDE, SIDE), 0.1))
        for user in range(6):
            rows, cols, signs = clicks[user, : count[user]].long().unbind(dim=1)
            assert (signs == 1).all()
            seen = pool.probability[user, rows, cols] / 255
            assert ((seen > 0.7) == obey).all()
    assert (pool.count == 4).all()


def test_a_click_speaks_for_its_surroundings() -> None:
    pool = new_pool(stop_probability=1e-9, second_looks=0, obey=True)
    pool.answer(pool.batch(6, SIDE), torch.full((6, 1, SIDE, SIDE), 0.4))
    assert ((pool.probability > 125).flatten(1).sum(dim=1) == 1).all()
    pool.answer(pool.batch(6, SIDE), torch.full((6, 1, SIDE, SIDE), 0.4))
    assert ((pool.probability > 125).flatten(1).sum(dim=1)).max() > 9


def test_users_see_late_clicks_change_only_what_is_near() -> None:
    pool = new_pool(stop_probability=1e-9, second_looks=0, steady=True)
    for row in (slice(0, 24), slice(24, 48)):  # of the canvas, which all of them see
        batch = pool.batch(6, SIDE)
        most = torch.ones(6, 1, SIDE, SIDE)
        most[:, :, row, :2] = 0
        pool.answer(batch, most)
    assert (pool.probability[:, :24, :2] == 0).all()
    assert (pool.probability[:, 24:, :2] == 255).all()


def test_negative_clicks_go_to_the_second_half_of_the_points() -> None:
    pool = new_pool(stop_probability=1e-9, second_looks=0)
    batch = pool.batch(6, SIDE)
    pool.answer(batch, torch.ones(6, 1, SIDE, SIDE))
    points = pool.batch(6, SIDE).points
    assert (points[:, 0, 2] == 0).all()
    assert (points[:, 1] == -1).all()
    assert (points[:, 2] == -1).all()
    assert (points[:, 3, 2] == 1).all()


def test_a_second_look_zooms_in_without_a_new_click() -> None:
    pool = new_pool(stop_probability=1e-9, second_looks=1)
    pool.smallest[:] = 8
    batch = pool.batch(6, SIDE)
    pool.answer(batch, 0.6 * batch.mask.float().roll(4, -1))
    assert pool.count.tolist() == [1] * 6
    assert pool.zoomed.all()
    assert pool.batch(6, SIDE).prev_mask.max() > 0.5


def pool_of(image: torch.Tensor, mask: torch.Tensor, **options: float) -> ClickPool:
    pool = ClickPool(
        iter([(image, mask)] * 100),
        side=224,
        users=12,
        stop_probability=1e-9,
        **{"second_looks": 0, "small_images": 1} | options,
    )
    pool.open()
    return pool


@pytest.mark.parametrize(("smallest", "small_images"), [(12, 0), (96, 0), (32, 1)])
def test_a_second_look_is_flooded_as_in_use(smallest: int, small_images: int) -> None:
    rows, cols = np.indices((224, 224))
    mask = (rows - 100) ** 2 + 2 * (cols - 100) ** 2 < 45**2
    image = np.where(mask, 170, 60) + np.random.default_rng(0).normal(0, 4, mask.shape)
    pool = pool_of(
        torch.from_numpy(image.astype(np.uint8)),
        torch.from_numpy(mask),
        second_looks=1,
        flood=True,
        small_images=small_images,
    )
    pool.smallest[:] = smallest
    batch = pool.batch(12, 224)
    shifted = 0.6 * batch.mask.float().roll(10, -1)
    pool.answer(batch, shifted)
    pool.batch(12, 224)  # takes all, so that nobody waits any longer
    zoomed = 0
    for place, user in enumerate(batch.users.tolist()):
        extent = int(pool.extent[user])
        roi = Roi(0, extent - 1, 0, extent - 1)
        before = Prediction(fill_box(shifted[place, 0].numpy(), roi), roi)
        click = Click(*pool.clicks[user, 0, :2].tolist())
        image = pool.image[user, :extent, :extent].numpy()
        crop = ZoomIn(min_crop=smallest).roi(image.shape, [click], before)
        mixed = flooded(before, image, [click], crop, 0.49).probability
        seen = pool.probability[user, :extent, :extent].numpy() / 255
        assert iou(seen > 0.49, mixed > 0.49) > 0.8  # crops may differ by a pixel
        truth = pool.mask[user, :extent, :extent].numpy()
        assert iou(seen > 0.49, truth) > iou(before.mask(), truth) + 0.1
        zoomed += crop.shape[1] < extent
    assert zoomed > 6
    pool.answer(batch, torch.full((12, 1, 224, 224), 0.8))
    seen = pool.probability[batch.users]  # a second time it is not
    assert ((seen == 0) | (seen == 204)).float().mean() > 0.99


def test_users_sit_out_one_batch_while_the_processor_works_for_them() -> None:
    pool = new_pool(users=12, stop_probability=1e-9, second_looks=1, flood=True)
    first = pool.batch(5, SIDE)
    pool.answer(first, 0.6 * first.mask.float().roll(4, -1))
    later = [pool.batch(5, SIDE)]
    assert not set(first.users.tolist()) & set(later[0].users.tolist())
    while len(later) < 9:
        pool.answer(later[-1], 0.6 * later[-1].mask.float().roll(4, -1))
        later.append(pool.batch(5, SIDE))
    assert set(first.users.tolist()) & {
        user for batch in later[1:] for user in batch.users.tolist()
    }


def test_nobody_clicks_more_than_allowed() -> None:
    pool = new_pool(stop_probability=1e-9, max_clicks=3)
    counts = []
    for _ in range(8):
        batch = pool.batch(4, SIDE)
        counts += pool.answer(batch, torch.rand(4, 1, SIDE, SIDE))[:, 0].tolist()
    assert set(counts) == {1, 2, 3}


def test_a_restored_pool_goes_on_in_the_same_way() -> None:
    options = {"flood": True, "second_looks": 0.5}
    pool = new_pool(**options)
    pool.answer(batch := pool.batch(4, SIDE), 0.6 * batch.mask)
    source = canvases()
    for _ in range(pool.drawn):
        next(source)
    settings = {"users": 6, "max_clicks": 4, "stop_probability": 0.1} | options
    other = ClickPool(source, side=SIDE, **settings)
    state = {
        name: value.clone() if isinstance(value, torch.Tensor) else value
        for name, value in pool.state_dict().items()
    }
    other.load_state_dict(state)
    for _ in range(4):
        one, two = pool.batch(4, SIDE), other.batch(4, SIDE)
        assert torch.equal(one.image, two.image)
        assert torch.equal(one.points, two.points)
        answer = torch.rand(4, 1, SIDE, SIDE)
        assert torch.equal(pool.answer(one, answer), other.answer(two, answer))


def test_saving_changes_nothing() -> None:
    options = {"second_looks": 0.7, "flood": True, "small_images": 0.5}
    one, two = (small_pool(**options) for _ in range(2))
    for number in range(5):
        batches = [pool.batch(5, 112) for pool in (one, two)]
        assert torch.equal(batches[0].image, batches[1].image)
        assert torch.equal(batches[0].points, batches[1].points)
        assert torch.equal(batches[0].prev_mask, batches[1].prev_mask)
        for pool, batch in zip((one, two), batches, strict=True):
            pool.answer(batch, 0.8 * batch.mask.roll(3 + number, -1))
        two.state_dict()


def small_pool(**options: float) -> ClickPool:
    rng = np.random.default_rng(0)
    image = torch.from_numpy(rng.integers(0, 255, (224, 224), dtype=np.uint8))
    mask = torch.zeros(224, 224, dtype=torch.bool)
    mask[60:140, 90:190] = True
    return pool_of(image, mask, **options)


def test_small_images_are_shown_as_in_use() -> None:
    pool = small_pool()
    assert (pool.extent < 224).sum() > 6
    pool.answer(batch := pool.batch(12, 112), 0.8 * batch.mask.roll(9, -1))
    batch = pool.batch(12, 112)
    zoomed = 0
    for view, mask, points, user in zip(
        batch.image, batch.prev_mask, batch.points, batch.users, strict=True
    ):
        top, left, bottom, right = pool.box[user].int().tolist()
        extent, roi = int(pool.extent[user]), Roi(top, bottom - 1, left, right - 1)
        assert max(bottom, right) <= extent
        zoomed += (bottom - top) < extent
        shown = crop_image(pool.image[user].numpy(), roi, 112) / 255
        seen = crop_image(pool.probability[user].numpy(), roi, 112) / 255
        tint = view.amax(dim=(1, 2)) / shown.max()
        np.testing.assert_allclose(view[0], shown * tint[0].item(), atol=1e-3)
        if mask.any():  # else it was forgotten on purpose
            np.testing.assert_allclose(mask[0], seen, atol=1e-3)
        clicks = [
            Click(row, col, sign > 0)
            for row, col, sign in pool.clicks[user, : pool.count[user]].tolist()
        ]
        expected = crop_clicks(clicks, roi, 112, exact=True)
        drawn = points[points[:, 2] >= 0].numpy()
        np.testing.assert_allclose(drawn, expected[expected[:, 2] >= 0], atol=1e-3)
    assert zoomed > 6


def test_users_of_small_images_mostly_click_like_the_robot_user() -> None:
    pool = small_pool()
    batch = pool.batch(12, 112)
    pool.answer(batch, 0.8 * batch.mask.roll(9, -1))
    pool.batch(12, 112)  # takes all, so that nobody waits any longer
    same = 0
    for user in torch.nonzero(pool.count == 2)[:, 0]:
        first, second = pool.clicks[user, :2].tolist()
        expected = next_click(
            pool.mask[user].numpy(),
            (pool.probability[user] > 0.49 * 255).numpy(),
            [Click(first[0], first[1])],
        )
        same += Click(second[0], second[1], second[2] > 0) == expected
    assert same >= 6
