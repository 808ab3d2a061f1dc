"""Clips named in list files, one list per input: raw frames, optical flow images, videos and sound."""

import os.path as osp
from typing import Any, Dict, List, Sequence, Tuple, Union

from mmengine.logging import print_log

from mmmutual.registry import DATASETS

from .base_dataset import MultiModalDataset
from .list_file import KEYS, UNMATCHED, ListEntry, join_lists, read_list
from .modality_options import check_modality, frames_of_input, read_classes

NUM_LOOKED_FOR = 10


@DATASETS.register_module()
class VideoListDataset(MultiModalDataset):
    """Classification of clips that list files name (spec/mml.md 2.1 and 2.2).

    Args:
        modalities: input name -> dict of

            - ``ann_file``: list of the clips, see :func:`mmmutual.datasets.list_file.read_list`.
            - ``kind``: ``'video'`` (a file), ``'frames'`` (a folder of images), ``'flow_frames'`` (a folder with one
              grey image per axis and frame pair), ``'packed_flow_frames'`` (a folder with one image per pair, x in its
              red and y in its green channel), ``'video_flow'`` and ``'frames_flow'`` (flow that is computed from a
              video, or a folder of images, when it is read: one pair less than frames), ``'audio'`` (a sound file, or
              a video's sound track).
            - ``data_prefix``: folder that the paths in the list start from, below ``data_root``. Default ``''``.
            - ``filename_tmpl`` (of folders): names of the images, default ``'img_{:06d}.jpg'``,
              ``'flow_{axis}_{:05d}.jpg'`` (axis is x or y) and, packed, ``'flow_{:05d}.jpg'``. ``{video}`` in it is the
              name of the folder: ``'{video}-{axis}_{:05d}.jpg'`` is the layout of Something-Something v1.
            - ``start_index`` (of folders): number of the first image, default 1.
            - ``list_counts`` (of ``'flow_frames'``): what the numbers in the list count, ``'pairs'`` (default) or
              ``'images'`` of both axes, as in TSM's lists of Something-Something v1.
            - ``algorithm``, ``bound`` (of computed flow): see :func:`mmmutual.utils.optical_flow.flow_estimator`;
              default ``'dis'`` and 20 pixels.

            Two inputs may read the same files (RGB and frame differences).
        classes: names of the classes: a file with one per line (below ``data_root``), a list, or just their number.
        min_frames: a sample is left out when any of its inputs, sound aside, is known to have fewer frames.
        key: what joins the lists: ``'stem'``, the name of the clip, or ``'line'``, its position.
        unmatched: what becomes of clips that are not in every list, by ``'stem'``: ``'raise'``, or ``'drop'`` with a
            word on how many.
        **kwargs: of :class:`MultiModalDataset`: ``data_root, pipeline, test_mode, indices, max_unreadable, ...``.

    Raises:
        FileNotFoundError: ``data_root``, a list or the file of classes doesn't exist.
        ValueError: wrong or missing options; lists that are empty, malformed, don't name the same clips or disagree
            about a label; a label outside [0, number of classes); no sample with enough frames.

    Whether the media exist is seen when they are read, where a missing file counts as unreadable, or asked of
    :meth:`check_media`.
    """

    def __init__(
        self,
        modalities: Dict[str, dict],
        classes: Union[str, int, Sequence[str]],
        min_frames: int = 3,
        key: str = 'stem',
        unmatched: str = 'raise',
        **kwargs: Any,
    ) -> None:
        kwargs['data_root'] = data_root = kwargs.get('data_root') or ''
        if data_root and not osp.isdir(data_root):
            raise FileNotFoundError(f'data_root {data_root!r} of VideoListDataset is not a folder')
        if not modalities:
            raise ValueError('modalities of VideoListDataset must name at least one input, got none')
        if key not in KEYS:
            raise ValueError(f'key of VideoListDataset must be one of {KEYS}, got {key!r}')
        if unmatched not in UNMATCHED:
            raise ValueError(f'unmatched of VideoListDataset must be one of {UNMATCHED}, got {unmatched!r}')
        self.modalities = {name: check_modality(name, dict(modality)) for name, modality in modalities.items()}
        self.min_frames = min_frames
        self.key = key
        self.unmatched = unmatched
        metainfo = dict(kwargs.pop('metainfo', None) or {}, classes=read_classes(classes, data_root))
        super().__init__(metainfo=metainfo, **kwargs)

    @property
    def input_names(self) -> Tuple[str, ...]:
        """Names of the inputs, in the order of ``modalities``."""
        return tuple(self.modalities)

    def load_data_list(self) -> List[dict]:
        """Read, check and join the lists."""
        files = {name: osp.join(self.data_root, options['ann_file']) for name, options in self.modalities.items()}
        kinds = {name: options['kind'] for name, options in self.modalities.items()}
        lists = {name: self._read_list(name, file) for name, file in files.items()}
        for name, entries in lists.items():
            self._check_labels(entries, files[name])
        joined = join_lists(lists, kinds, files, self.key, self.unmatched)
        joined = self._drop_short(joined, files)
        return [
            dict(
                key=key,
                gt_label=next(iter(row.values())).label,
                sources={name: self._source(name, entry) for name, entry in row.items()},
            )
            for key, row in joined
        ]

    def check_media(self) -> None:
        """Refuse a wrong folder before training; single missing files are no such thing.

        Raises:
            FileNotFoundError: none of the first clips of an input exists.
        """
        sources = [self.get_data_info(i)['sources'] for i in range(min(len(self), NUM_LOOKED_FOR))]
        for name, options in self.modalities.items():
            paths = [source[name]['path'] for source in sources]
            if not any(osp.exists(path) for path in paths):
                raise FileNotFoundError(
                    f'none of the first {len(paths)} clips of input {name!r} exists, e.g. {paths[0]}: paths start from '
                    f'data_root={self.data_root!r} and modalities.{name}.data_prefix={options["data_prefix"]!r}'
                )

    def _read_list(self, name: str, file: str) -> List[ListEntry]:
        options = self.modalities[name]
        entries = read_list(file, options['kind'])
        return [entry._replace(num_frames=frames_of_input(entry.num_frames, options)) for entry in entries]

    def _check_labels(self, entries: Sequence[ListEntry], file: str) -> None:
        for entry in entries:
            if entry.label >= self.num_classes:
                raise ValueError(
                    f'{file}, line {entry.line}: label {entry.label} of {entry.path} must lie in '
                    f'[0, {self.num_classes}): the data set has {self.num_classes} classes, counted from 0'
                )

    def _drop_short(
        self, joined: List[Tuple[str, Dict[str, ListEntry]]], files: Dict[str, str]
    ) -> List[Tuple[str, Dict[str, ListEntry]]]:
        def is_short(name: str, entry: ListEntry) -> bool:
            has_frames = self.modalities[name]['kind'] != 'audio' and entry.num_frames is not None
            return has_frames and entry.num_frames < self.min_frames

        kept = [(key, row) for key, row in joined if not any(is_short(*item) for item in row.items())]
        if len(kept) < len(joined):
            by_input = {name: sum(is_short(name, row[name]) for _, row in joined) for name in files}
            message = (
                f'{len(joined) - len(kept)} of {len(joined)} samples of {", ".join(files.values())} have fewer than '
                f'min_frames={self.min_frames} frames (by input: {by_input})'
            )
            if not kept:
                raise ValueError(f'no sample is left: {message}')
            print_log(f'{message} and are left out', logger='current')
        return kept

    def _source(self, name: str, entry: ListEntry) -> Dict[str, Any]:
        options = self.modalities[name]
        path = osp.join(self.data_root, options['data_prefix'], entry.path)
        source = dict(kind=options['kind'], path=path, num_frames=entry.num_frames)
        how = ('filename_tmpl', 'start_index', 'algorithm', 'bound')
        source.update({field: options[field] for field in how if field in options})
        return source
