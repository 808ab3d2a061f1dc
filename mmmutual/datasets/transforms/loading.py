"""Decoding the frames of a sample, each image once."""

from typing import Any, Dict, Hashable, List, Sequence

import cv2
import numpy as np
import torch
from mmcv.transforms import BaseTransform
from numpy import ndarray
from torch import Tensor

from mmmutual.registry import TRANSFORMS
from mmmutual.utils.errors import UnreadableMediaError


@TRANSFORMS.register_module()
class LoadFrames(BaseTransform):
    """Decode the frames that :class:`SampleSegments` chose.

    Inputs with the same source (RGB and frame differences of one folder or video) share the decoded frames.

    Required keys: ``sources``, ``frame_inds``, and ``readers`` for videos, which are closed here.

    Added key: ``frames``, dict: input name -> uint8 (V * T * L, C, H, W) tensor, RGB (C = 3; a channels-last view) or
    flow x and y (C = 2).

    Raises:
        UnreadableMediaError: while running, an image or video that is missing or can't be decoded.
        ValueError: while running, images of different size in a folder or between the inputs of a sample.
    """

    def transform(self, results: Dict[str, Any]) -> Dict[str, Any]:
        """Replace the readers by frames; see the class."""
        sources, frame_inds = results['sources'], results['frame_inds']
        readers = results.pop('readers', {})
        shared: Dict[Hashable, List[str]] = {}
        for name, source in sources.items():
            identity = tuple(source.get(field) for field in ('kind', 'path', 'filename_tmpl', 'start_index'))
            shared.setdefault(identity, []).append(name)
        frames = {}
        try:
            for names in shared.values():
                wanted = np.unique(np.concatenate([frame_inds[name].ravel() for name in names]))
                images = _decode(sources[names[0]], wanted, readers)
                for name in names:
                    frames[name] = _select(images, np.searchsorted(wanted, frame_inds[name].ravel()))
        finally:
            for reader in readers.values():
                reader.close()
        results['frames'] = {name: frames[name] for name in sources}
        sizes = {name: tuple(images.shape[2:]) for name, images in frames.items()}
        if len(set(sizes.values())) > 1:
            paths = {name: sources[name]['path'] for name in sizes}
            raise ValueError(
                f'inputs of one sample must have frames of one size, got (H, W) {sizes} from {paths}: '
                'extract them again with the same size'
            )
        return results


def _decode(source: Dict[str, Any], numbers: ndarray, readers: Dict[str, Any]) -> ndarray:
    """Frames (n, H, W, 3) RGB or (n, 2, H, W) flow, uint8, of the frame numbers (n,) from 0."""
    if source['kind'] == 'video':
        return readers[source['path']].get_frames(numbers.tolist())
    template = f'{source["path"]}/{source["filename_tmpl"]}'
    numbers = numbers + source['start_index']
    if source['kind'] == 'flow_frames':
        files = [template.format(number, axis=axis) for number in numbers for axis in 'xy']
        images = _decode_images(files, cv2.IMREAD_GRAYSCALE)
        return images.reshape(-1, 2, *images.shape[1:])
    return _decode_images([template.format(number) for number in numbers], cv2.IMREAD_COLOR)


def _decode_images(files: Sequence[str], flag: int) -> ndarray:
    """Images of one size, (n, H, W, 3) RGB or (n, H, W) grey."""
    first = read_image(files[0], flag)
    images = np.empty((len(files), *first.shape), dtype=np.uint8)
    for index, file in enumerate(files):
        image = read_image(file, flag) if index else first
        if image.shape != first.shape:
            raise ValueError(
                f'images of one folder must have one size, got (H, W) {image.shape[:2]} of {file} and '
                f'{first.shape[:2]} of {files[0]}'
            )
        if flag == cv2.IMREAD_COLOR:
            cv2.cvtColor(image, cv2.COLOR_BGR2RGB, dst=images[index])
        else:
            images[index] = image
    return images


def read_image(file: str, flag: int) -> ndarray:
    """Decode an image file as BGR (H, W, 3) for ``cv2.IMREAD_COLOR`` or (H, W) for ``cv2.IMREAD_GRAYSCALE``, uint8.

    Raises:
        UnreadableMediaError: it is missing, truncated or no image.
    """
    try:
        # not cv2.imread, which takes no path with letters outside the code page of the system
        data = np.fromfile(file, dtype=np.uint8)
    except OSError as error:
        raise UnreadableMediaError(file, f'unreadable: {error.strerror}') from error
    image = cv2.imdecode(data, flag) if data.size else None
    if image is None:
        raise UnreadableMediaError(file, 'unreadable')
    return image


def _select(images: ndarray, positions: ndarray) -> Tensor:
    """Images (F, C, H, W) at the given positions; no copy where all are wanted as they are."""
    if not np.array_equal(positions, np.arange(len(images))):
        images = images[positions]
    frames = torch.from_numpy(images)
    return frames if frames.shape[1] == 2 else frames.permute(0, 3, 1, 2)
