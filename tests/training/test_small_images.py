import torch

from napari_simpleclick.training.small_images import made_small


def canvas(side: int = 224) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(3)
    image = torch.randint(0, 256, (side, side), generator=generator, dtype=torch.uint8)
    mask = torch.zeros(side, side, dtype=torch.bool)
    mask[side // 4 : side // 2, side // 3 : side // 2] = True
    return image, mask


def test_sides_and_shares_are_as_said() -> None:
    image, mask = canvas()
    generator = torch.Generator().manual_seed(0)
    sides, noise = [], []
    for _ in range(200):
        small, object_mask = made_small(image, mask, generator)
        assert small.shape == object_mask.shape
        assert small.dtype == torch.uint8
        assert abs(object_mask.float().mean() - mask.float().mean()) < 0.02
        sides.append(len(small))
        noise.append(small.float().std().item() / image.float().std().item())
    assert 40 <= min(sides) < 44
    assert 185 < max(sides) <= 200
    kept = sum(ratio > 0.95 for ratio in noise)  # single pixels, not averages
    assert 70 < kept < 130


def test_a_small_canvas_and_a_small_object_stay_as_they_are() -> None:
    image, mask = canvas(32)
    generator = torch.Generator().manual_seed(0)
    assert made_small(image, mask, generator)[0] is image
    image, mask = canvas()
    mask[:] = False
    mask[5:9, 5:9] = True
    assert all(
        len(made_small(image, mask, generator)[0]) in {224, *range(185, 201)}
        for _ in range(20)
    )
