"""SimpleClickConfig: the numbers that fix one SimpleClick network, and the variants."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final, Literal, Self, get_args

if TYPE_CHECKING:
    from collections.abc import Mapping


IMAGENET_MEAN: Final = (0.485, 0.456, 0.406)
IMAGENET_STD: Final = (0.229, 0.224, 0.225)
LAYER_NORM_EPS: Final = 1e-6
GROUP_NORM_EPS: Final = 1e-5
WINDOW_PIXELS: Final = 224
"""Side of an attention window in pixels: the input size of the pre-training."""

Pyramid = Literal["simple", "single-scale", "parallel", "partial"]
"""Designs of the feature pyramid, see `modeling.pyramid`."""

PYRAMIDS: Final[tuple[Pyramid, ...]] = get_args(Pyramid)


@dataclass(frozen=True, slots=True)
class SimpleClickConfig:
    """Architecture of a SimpleClick network.

    Parameters
    ----------
    image_size : int
        Side in pixels of the square input that the position embedding is made for.
    patch_size : int
        Side in pixels of a patch.
    embed_dim : int
        Channels of a token.
    depth : int
        Number of transformer blocks; a multiple of 4.
    num_heads : int
        Attention heads of a block; divides `embed_dim`.
    neck_dims : tuple of int
        Channels of the four pyramid levels, finest first.
    head_dim : int
        Channels of the MLP head.
    mlp_ratio : float
        Hidden over outer channels in a block's MLP.
    click_radius : int
        Radius in pixels of the disk that stands for a click.
    pyramid : str
        Design of the feature pyramid, one of `PYRAMIDS`; `modeling.pyramid` describes
        them.
    min_crop : int
        Smallest side in pixels of the crops that it is zoomed in to when used.
    recompute_iou : float
        The crop is kept from click to click while its IoU with the one around the
        newest mask is at least this, in [0, 1].
    crop_snap : int
        Sides of crops lie on a grid of 1/crop_snap to half of that of their length; 0
        for no grid.
    second_look : bool
        Whether the first click's mask is at once refined by a pass over its crop: for
        networks that are trained so.
    glance_size : int
        Side in pixels of the input for the first of these two passes where the image is
        small, see `Predictor`; 0 for `image_size`.
    flood : bool
        Whether the first pass's answer is mixed with floodings of the image from the
        click before the second pass, see `inference.flooding`.
    exact_clicks : bool
        Whether clicks are drawn where the crop shows their pixels; the published code
        draws them up to a pixel of the image too far up and left.
    obey_clicks : bool
        Whether clicked pixels get the clicked class even where the network errs, and
        what is around them the more readily.
    steady : bool
        Whether late clicks change little of what is far from them, see
        `inference.steadiness`.

    Raises
    ------
    ValueError
        If the numbers do not fit together.

    References
    ----------
    Liu et al., SimpleClick, ICCV 2023, section 3 and the appendix on ViT-xTiny. The
    click radius, 5, is `norm_radius` of the published model files; 200 and 0.5 are
    the published evaluation's numbers for zoom-in.
    """

    image_size: int = 448
    patch_size: int = 16
    embed_dim: int = 160
    depth: int = 8
    num_heads: int = 4
    neck_dims: tuple[int, int, int, int] = (96, 192, 288, 384)
    head_dim: int = 128
    mlp_ratio: float = 4.0
    click_radius: int = 5
    pyramid: Pyramid = "simple"
    min_crop: int = 200
    recompute_iou: float = 0.5
    crop_snap: int = 0
    second_look: bool = False
    glance_size: int = 0
    flood: bool = False
    exact_clicks: bool = False
    obey_clicks: bool = False
    steady: bool = False

    def __post_init__(self) -> None:
        if self.image_size % self.patch_size:
            raise ValueError(
                f"image_size: {self.image_size} is not a multiple of the patch size, "
                f"{self.patch_size}"
            )
        if self.depth % 4:
            raise ValueError(f"depth: {self.depth} is not a multiple of 4")
        if self.embed_dim % self.num_heads:
            raise ValueError(
                f"num_heads: {self.num_heads} does not divide embed_dim, "
                f"{self.embed_dim}"
            )
        if len(self.neck_dims) != 4:
            raise ValueError(f"neck_dims: {self.neck_dims} has not four entries")
        if self.pyramid not in PYRAMIDS:
            raise ValueError(
                f"pyramid: {self.pyramid!r}, expected one of {', '.join(PYRAMIDS)}"
            )
        if not 0 <= self.recompute_iou <= 1:
            raise ValueError(f"recompute_iou: {self.recompute_iou}, expected 0 to 1")
        if self.glance_size < 0 or self.glance_size % self.patch_size:
            raise ValueError(
                f"glance_size: {self.glance_size}, expected 0 or a multiple of the "
                f"patch size, {self.patch_size}"
            )
        if self.crop_snap < 0:
            raise ValueError(f"crop_snap: {self.crop_snap}, expected at least 0")
        smallest = min(*self.neck_dims, *_whole_numbers(self))
        if smallest < 1:
            raise ValueError(f"{self}: every number must be at least 1")

    @property
    def grid_size(self) -> int:
        """Patches along one side of the square `image_size`."""
        return self.image_size // self.patch_size

    @property
    def is_multi_scale(self) -> bool:
        """Whether the pyramid's levels are at 4, 2, 1 and 1/2 times the token grid."""
        return self.pyramid in ("simple", "parallel")

    @property
    def feature_depths(self) -> tuple[int, int, int, int]:
        """After how many blocks each pyramid level takes its features, finest first."""
        if self.pyramid in ("simple", "single-scale"):
            return (self.depth,) * 4
        quarter = self.depth // 4
        return (quarter, 2 * quarter, 3 * quarter, self.depth)

    @property
    def global_block_interval(self) -> int:
        """Every how many blocks attention is global; windowed in between.

        Four global blocks, but two (every sixth) in ViT-B's twelve, as published.
        """
        return 6 if self.depth == 12 else self.depth // 4

    def window_count(self, tokens: int) -> int:
        """Count the attention windows along a side of so many tokens.

        They have 14 tokens or more each, 16 for patches of 14 pixels.
        """
        return max(1, tokens // (WINDOW_PIXELS // self.patch_size))

    def to_dict(self) -> dict[str, Any]:
        """Return the fields as JSON-ready values."""
        return asdict(self) | {"neck_dims": list(self.neck_dims)}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """Build a configuration from what `to_dict` gave.

        Raises
        ------
        ValueError
            If a name is unknown or a number does not fit.
        """
        unknown = set(values) - {field.name for field in fields(cls)}
        if unknown:
            raise ValueError(f"unknown configuration entries: {sorted(unknown)}")
        converted = dict(values)
        if "neck_dims" in converted:
            converted["neck_dims"] = tuple(converted["neck_dims"])
        return cls(**converted)


def _whole_numbers(config: SimpleClickConfig) -> tuple[int, ...]:
    return (
        config.patch_size,
        config.embed_dim,
        config.depth,
        config.num_heads,
        config.head_dim,
        config.click_radius,
        config.min_crop,
    )


VARIANTS = MappingProxyType(
    {
        "xtiny": SimpleClickConfig(),
        "base": SimpleClickConfig(
            embed_dim=768,
            depth=12,
            num_heads=12,
            neck_dims=(128, 256, 512, 1024),
            head_dim=256,
        ),
        "large": SimpleClickConfig(
            embed_dim=1024,
            depth=24,
            num_heads=16,
            neck_dims=(192, 384, 768, 1536),
            head_dim=256,
        ),
        "huge": SimpleClickConfig(
            patch_size=14,
            embed_dim=1280,
            depth=32,
            num_heads=16,
            neck_dims=(240, 480, 960, 1920),
            head_dim=256,
        ),
    }
)
"""The published variants by name."""
