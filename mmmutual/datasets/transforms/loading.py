"""Decoding the frames of a sample, each image once."""

from pathlib import Path
from typing import Any, Dict, Hashable, List, Sequence

import cv2
import numpy as np
import torch
from mmcv.transforms import BaseTransform
from numpy import ndarray
from torch import Tensor

from mmmutual.datasets.list_file import COMPUTED_FLOW
from mmmutual.registry import TRANSFORMS
from mmmutual.utils.errors import UnreadableMediaError
from mmmutual.utils.optical_flow import flow_estimator

IMAGE_FIELDS = ('kind', 'path', 'filename_tmpl', 'start_index')
FLOW_FIELDS = ('algorithm', 'bound')


@TRANSFORMS.register_module()
class LoadFrames(BaseTransform):
    """Decode the frames that :class:`SampleSegments` chose, and compute the flow that is not stored.

    Inputs with the same source (RGB, frame differences and computed flow of one folder or video) share the decoded
    frames; computed flow with the same options shares its pairs. Pair i is the flow from frame i to frame i + 1.

    Required keys: ``sources``, ``frame_inds``, and ``readers`` for videos, which are closed here. ``needed_inputs``, if
    there, names the only inputs to decode.

    Added key: ``frames``, dict: input name -> uint8 (V * T * L, C, H, W) tensor, RGB (C = 3; a channels-last view) or
    flow x and y (C = 2). Also ``frame_size``, their (H, W).

    Raises:
        UnreadableMediaError: while running, an image or video that is missing, can't be decoded, or is too small for
            the algorithm of the flow.
        ValueError: while running, images of different size in a folder or between the inputs of a sample; no input to
            decode.
    """

    def transform(self, results: Dict[str, Any]) -> Dict[str, Any]:
        """Replace the readers by frames; see the class."""
        needed = results.get('needed_inputs') or results['frame_inds']
        frame_inds = {name: inds.ravel() for name, inds in results['frame_inds'].items() if name in needed}
        if not frame_inds:
            raise ValueError(
                f'this process needs the inputs {tuple(needed)} only, none of which has frames, while the transforms '
                "of the pipeline need some: set model_wrapper_cfg.load='all'"
            )
        sources = {name: source for name, source in results['sources'].items() if name in frame_inds}
        images_of = {name: dict(source, kind=_kind_of_images(source)) for name, source in sources.items()}
        readers = results.pop('readers', {})
        frames = {}
        try:
            for names in _alike(images_of, IMAGE_FIELDS):
                wanted = [_images_for(sources[name], frame_inds[name]) for name in names]
                numbers = np.unique(np.concatenate(wanted))
                images = _decode(images_of[names[0]], numbers, readers)
                for same in _alike({name: sources[name] for name in names}, FLOW_FIELDS):
                    frames.update(_share(sources, {name: frame_inds[name] for name in same}, images, numbers))
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
        results['frame_size'] = next(iter(sizes.values()))
        return results


def _alike(sources: Dict[str, Dict[str, Any]], fields: Sequence[str]) -> List[List[str]]:
    """Names of the inputs, those together that agree in these fields."""
    groups: Dict[Hashable, List[str]] = {}
    for name, source in sources.items():
        groups.setdefault(tuple(source.get(field) for field in fields), []).append(name)
    return list(groups.values())


def _kind_of_images(source: Dict[str, Any]) -> str:
    return COMPUTED_FLOW.get(source['kind'], source['kind'])


def _images_for(source: Dict[str, Any], numbers: ndarray) -> ndarray:
    """What must be decoded for these frames or pairs."""
    return np.concatenate([numbers, numbers + 1]) if source['kind'] in COMPUTED_FLOW else numbers


def _share(
    sources: Dict[str, Dict[str, Any]], frame_inds: Dict[str, ndarray], images: ndarray, numbers: ndarray
) -> Dict[str, Tensor]:
    """Frames of inputs that are all the images themselves, or all the same flow of them.

    Args:
        sources: input name -> its source.
        frame_inds: name of each of these inputs -> frames or pairs (F,).
        images: as :func:`_decode` gives them.
        numbers: their numbers (n,), ascending.
    """
    source = sources[next(iter(frame_inds))]
    if source['kind'] in COMPUTED_FLOW:
        pairs = np.unique(np.concatenate(list(frame_inds.values())))
        images, numbers = _compute_flow(source, images, np.searchsorted(numbers, pairs)), pairs
    planar = 'flow' in source['kind']
    return {name: _select(images, np.searchsorted(numbers, inds), planar) for name, inds in frame_inds.items()}


def _compute_flow(source: Dict[str, Any], images: ndarray, positions: ndarray) -> ndarray:
    """Flow (n, 2, H, W), uint8, from each of these images (positions (n,)) to the next one."""
    estimate = flow_estimator(source['algorithm'], source['bound'])
    try:
        return np.stack([np.stack(estimate(images[position], images[position + 1])) for position in positions])
    except ValueError as error:
        raise UnreadableMediaError(source['path'], f'unreadable: no flow, {error}') from error


def _decode(source: Dict[str, Any], numbers: ndarray, readers: Dict[str, Any]) -> ndarray:
    """Frames (n, H, W, 3) RGB or (n, 2, H, W) flow, uint8, of the frame numbers (n,) from 0."""
    if source['kind'] == 'video':
        return readers[source['path']].get_frames(numbers.tolist())
    folder, template = Path(source['path']), source['filename_tmpl']
    axes = 'xy' if source['kind'] == 'flow_frames' else ('',)
    files = [
        f'{source["path"]}/{template.format(number, axis=axis, video=folder.name)}'
        for number in numbers + source['start_index']
        for axis in axes
    ]
    if source['kind'] == 'flow_frames':
        images = _decode_images(files, cv2.IMREAD_GRAYSCALE)
        return images.reshape(-1, 2, *images.shape[1:])
    images = _decode_images(files, cv2.IMREAD_COLOR)
    return np.moveaxis(images[..., :2], 3, 1) if source['kind'] == 'packed_flow_frames' else images


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


def _select(images: ndarray, positions: ndarray, planar: bool) -> Tensor:
    """Images at the given positions as (F, C, H, W); no copy where all are wanted as they are."""
    if not np.array_equal(positions, np.arange(len(images))):
        images = images[positions]
    frames = torch.from_numpy(images)
    return frames if planar else frames.permute(0, 3, 1, 2)
