"""From the results of a pipeline to what a data loader collates."""

from typing import Any, Dict

from mmcv.transforms import BaseTransform

from mmmutual.registry import TRANSFORMS
from mmmutual.structures import MultiModalDataSample


@TRANSFORMS.register_module()
class PackMultiModalInputs(BaseTransform):
    """Pack frames and annotations as ``dict(inputs=..., data_samples=...)``.

    ``inputs``: input name -> uint8 (T, L * C, H, W), frame after frame and its channels inside (frame differences
    f0r f0g f0b f1r ..., flow x0 y0 x1 y1 ...); or (V', T, L * C, H, W) where a sample has V' > 1 temporal views x
    crops, all views of the first crop first.

    ``data_samples``: a :class:`~mmmutual.structures.MultiModalDataSample` with ``gt_label`` (where it is known) and
    the meta information ``key``, ``sample_idx``, ``available`` (names of the inputs) and ``num_views`` (V').
    """

    def transform(self, results: Dict[str, Any]) -> Dict[str, Any]:
        """Pack; see the class."""
        num_segments = results['num_segments']
        num_views = results['num_views'] * results.get('num_crops', 1)
        inputs = {}
        for name, frames in results['frames'].items():
            packed = frames.reshape(num_views, num_segments, -1, *frames.shape[2:])
            inputs[name] = (packed if num_views > 1 else packed[0]).contiguous()
        metainfo = {field: results[field] for field in ('key', 'sample_idx') if field in results}
        sample = MultiModalDataSample(metainfo=dict(metainfo, available=tuple(inputs), num_views=num_views))
        if 'gt_label' in results:
            sample.set_gt_label(results['gt_label'])
        return dict(inputs=inputs, data_samples=sample)
