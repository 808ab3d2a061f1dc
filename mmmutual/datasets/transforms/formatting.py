"""From the results of a pipeline to what a data loader collates."""

from typing import Any, Dict

from mmcv.transforms import BaseTransform

from mmmutual.registry import TRANSFORMS
from mmmutual.structures import MultiModalDataSample


@TRANSFORMS.register_module()
class PackMultiModalInputs(BaseTransform):
    """Pack frames, spectrograms and annotations as ``dict(inputs=..., data_samples=...)``.

    ``inputs``: input name -> uint8 (T, L * C, H, W), frame after frame and its channels inside (frame differences
    f0r f0g f0b f1r ..., flow x0 y0 x1 y1 ...); or (V', T, L * C, H, W) where a sample has V' > 1 temporal views x
    crops, all views of the first crop first. Sound: float32 (1, 1, bands, frames), its spectrogram as one segment of
    one channel, in one view.

    ``data_samples``: a :class:`~mmmutual.structures.MultiModalDataSample` with ``gt_label`` (where it is known) and
    the meta information ``key``, ``sample_idx``, ``frame_size`` ((H, W) before any crop), ``available`` (names of the
    inputs) and ``num_views`` (V').

    Raises:
        ValueError: while running, a sample without frames and spectrograms.
    """

    def transform(self, results: Dict[str, Any]) -> Dict[str, Any]:
        """Pack; see the class."""
        num_views = results.get('num_views', 1) * results.get('num_crops', 1)
        inputs = {}
        for name, frames in results.get('frames', {}).items():
            packed = frames.reshape(num_views, results['num_segments'], -1, *frames.shape[2:])
            inputs[name] = (packed if num_views > 1 else packed[0]).contiguous()
        inputs.update({name: spectrogram[None] for name, spectrogram in results.get('spectrograms', {}).items()})
        if not inputs:
            raise ValueError('PackMultiModalInputs got nothing to pack: put LoadFrames or LogMelSpectrogram before it')
        metainfo = {field: results[field] for field in ('key', 'sample_idx', 'frame_size') if field in results}
        sample = MultiModalDataSample(metainfo=dict(metainfo, available=tuple(inputs), num_views=num_views))
        if 'gt_label' in results:
            sample.set_gt_label(results['gt_label'])
        return dict(inputs=inputs, data_samples=sample)
