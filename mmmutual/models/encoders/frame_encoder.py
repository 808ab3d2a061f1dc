"""A 2-D network on the frames of a clip."""

from typing import Optional

from torch import Tensor, nn

from mmmutual.registry import MODELS

from .backbone import BackboneEncoder, check_channels


@MODELS.register_module()
class FrameEncoder(BackboneEncoder):
    """Run a frame-wise backbone, with or without temporal shift, and pool over space (spec/mml.md 3.1).

    Args:
        backbone (dict): takes (B * T, C, H, W) and gives (B * T', D, h, w): ``ResNetTSM``, ``MobileNetV2TSM``,
            ``mmaction.ResNet`` or any other frame-wise backbone of mmaction2.
        pretrained (str, optional): weights for the backbone: a path, a URL or ``torchvision://resnet50``, of an image
            network, of mmaction2, of the original MML code or of one branch of ours. A stem of another number of
            channels gets the mean kernel; a branch's ``tune_from`` takes the modality into account, and the head.

    Raises:
        ValueError: in forward, if clips have another number of segments than the backbone's shift.
    """

    def __init__(self, backbone: dict, pretrained: Optional[str] = None) -> None:
        super().__init__(backbone, pretrained)
        if getattr(self.backbone, 'pretrained', '') is None:
            self.backbone.pretrained2d = False  # by default mmaction2's ResNetTSM would load None in init_weights

    @property
    def out_channels(self) -> Optional[int]:
        """D, if the backbone tells."""
        backbone = self.backbone
        stages = getattr(backbone, 'res_layers', getattr(backbone, 'layers', ()))  # of ResNet, of MobileNetV2
        indices = getattr(backbone, 'out_indices', None)
        if indices is not None and tuple(indices) != (len(stages) - 1,):
            return None  # what they tell is the width of the last stage
        return getattr(backbone, 'feat_dim', getattr(backbone, 'out_channel', None))

    def check_input(self, clips: Tensor) -> None:
        """Refuse clips (B, T, C, H, W) that the backbone cannot take, before training.

        Raises:
            ValueError: naming T or C and the option that differs.
        """
        self._check_segments(clips.shape[1])
        check_channels(self.backbone, clips, nn.Conv2d)

    def _check_segments(self, given: int) -> None:
        segments = getattr(self.backbone, 'num_segments', None)
        over_time = any(getattr(self.backbone, name, False) for name in ('is_shift', 'temporal_pool', 'non_local_cfg'))
        if over_time and segments != given:
            raise ValueError(
                f'clips have T={given} segments, but the backbone looks over num_segments={segments}: make '
                'SampleSegments.num_segments and backbone.num_segments equal'
            )

    def forward(self, clips: Tensor) -> Tensor:
        """Encode clips.

        Args:
            clips: (B, T, C, H, W).

        Returns:
            (B, T', D), T' = T unless the backbone pools over time.
        """
        self._check_segments(clips.shape[1])
        maps = self.backbone(clips.flatten(0, 1))
        return maps.mean(dim=(2, 3)).unflatten(0, (clips.shape[0], -1))
