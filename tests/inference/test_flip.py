import torch

from napari_simpleclick.inference.flip import add_flipped, merge_flipped
from napari_simpleclick.inference.transforms import CropInputs


def test_flip_mirrors_crops_and_points_but_not_padding():
    image = torch.arange(24.0).reshape(1, 3, 2, 4)
    points = torch.tensor([[[1.0, 0.5, 0.0], [-1.0, -1.0, -1.0]]])
    flipped = add_flipped(CropInputs(image, image[:, :1], points))
    assert torch.equal(flipped.image[0], image[0])
    assert flipped.image[1, 0, 0].tolist() == [3, 2, 1, 0]
    assert flipped.prev_mask[1, 0, 1].tolist() == [7, 6, 5, 4]
    assert flipped.points[1].tolist() == [[1, 2.5, 0], [-1, -1, -1]]


def test_merging_flipped_maps_averages_partners():
    batch = CropInputs(*(torch.rand(2, c, 5, 6) for c in (3, 1)), torch.ones(2, 2, 3))
    flipped = add_flipped(batch).prev_mask
    assert torch.equal(merge_flipped(flipped), batch.prev_mask)
    flipped[2:] += 1
    torch.testing.assert_close(merge_flipped(flipped), batch.prev_mask + 0.5)
