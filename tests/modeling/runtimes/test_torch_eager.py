"""A network in torch: of what memory, and in what mode."""

from __future__ import annotations

import copy

import numpy as np
import pytest
import torch
from torch import Tensor

from napari_simpleclick.modeling.runtimes.torch_eager import TorchEager
from napari_simpleclick.modeling.simpleclick import SimpleClick


def test_no_gradients_and_no_copy_where_none_is_needed(network: SimpleClick) -> None:
    modes = []

    def note(module: torch.nn.Module, given: tuple[Tensor, ...]) -> None:
        modes.append((torch.is_inference_mode_enabled(), given[0].dtype))

    own = copy.deepcopy(network)
    handle = own.backbone.register_forward_pre_hook(note)
    crop = np.ones((1, 3, 64, 64), np.float32)
    crop.flags.writeable = False  # nor a warning
    given = crop, crop[:, :1], np.full((1, 2, 3), -1, np.float32)
    answers = [TorchEager(own, dtype)(*given) for dtype in (torch.float32, torch.half)]
    assert [answer.dtype for answer in answers] == [np.float32, np.float32]
    assert answers[0].shape == (1, 1, 64, 64)
    assert modes == [(True, torch.float32), (True, torch.float16)]
    handle.remove()
    assert next(own.parameters()).dtype == torch.float32


def test_crops_that_do_not_fit_are_refused(network: SimpleClick) -> None:
    crop = np.zeros((1, 3, 60, 60), np.float32)
    with pytest.raises(ValueError, match=r"image: shape \(1, 3, 60, 60\), expected"):
        TorchEager(network)(crop, crop[:, :1], np.zeros((1, 2, 3), np.float32))
