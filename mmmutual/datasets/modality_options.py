"""Options of :class:`VideoListDataset`, checked and completed."""

from pathlib import Path
from typing import Any, Dict, List, Optional, Sequence, Union

from mmmutual.utils.optical_flow import check_flow

from .list_file import COMPUTED_FLOW, KINDS

DEFAULT_TEMPLATES = {
    'frames': 'img_{:06d}.jpg',
    'flow_frames': 'flow_{axis}_{:05d}.jpg',
    'packed_flow_frames': 'flow_{:05d}.jpg',
    'frames_flow': 'img_{:06d}.jpg',
}
LIST_COUNTS = ('pairs', 'images')
MODALITY_KEYS = {
    'video': ('ann_file', 'kind', 'data_prefix'),
    'frames': ('ann_file', 'kind', 'data_prefix', 'filename_tmpl', 'start_index'),
    'flow_frames': ('ann_file', 'kind', 'data_prefix', 'filename_tmpl', 'start_index', 'list_counts'),
    'packed_flow_frames': ('ann_file', 'kind', 'data_prefix', 'filename_tmpl', 'start_index'),
    'video_flow': ('ann_file', 'kind', 'data_prefix', 'algorithm', 'bound'),
    'frames_flow': ('ann_file', 'kind', 'data_prefix', 'filename_tmpl', 'start_index', 'algorithm', 'bound'),
    'audio': ('ann_file', 'kind', 'data_prefix'),
}


def check_modality(name: str, options: Dict[str, Any]) -> Dict[str, Any]:
    """The options of one input with their defaults."""
    kind = options.get('kind')
    if kind not in KINDS:
        raise ValueError(f"kind of modality '{name}' must be one of {KINDS}, got {kind!r}")
    unknown = sorted(set(options) - set(MODALITY_KEYS[kind]))
    if unknown:
        raise ValueError(
            f"modality '{name}' of kind '{kind}' has unknown options {unknown}; it takes {MODALITY_KEYS[kind]}"
        )
    if not options.get('ann_file'):
        raise ValueError(f"modality '{name}' needs ann_file, the list of its clips, got {options.get('ann_file')!r}")
    options.setdefault('data_prefix', '')
    if kind in DEFAULT_TEMPLATES:
        options.setdefault('start_index', 1)
        template = options.setdefault('filename_tmpl', DEFAULT_TEMPLATES[kind])
        _check_template(name, kind, template)
    if kind == 'flow_frames' and options.setdefault('list_counts', 'pairs') not in LIST_COUNTS:
        raise ValueError(
            f"list_counts of modality '{name}' must be one of {LIST_COUNTS}, got {options['list_counts']!r}"
        )
    if kind in COMPUTED_FLOW:
        try:
            check_flow(options.setdefault('algorithm', 'dis'), options.setdefault('bound', 20.0))
        except ValueError as error:
            raise ValueError(f"modality '{name}': {error}") from error
    return options


def frames_of_input(count: Optional[int], options: Dict[str, Any]) -> Optional[int]:
    """Number of frames, or of flow the pairs, that an input has where its list says ``count``."""
    if count is None:
        return None
    if options['kind'] in COMPUTED_FLOW:
        return max(count - 1, 0)
    return count // 2 if options.get('list_counts') == 'images' else count


def _check_template(name: str, kind: str, template: str) -> None:
    axes = ('x', 'y') if kind == 'flow_frames' else ('',)
    try:
        files = {template.format(number, axis=axis, video='') for number in (1, 2) for axis in axes}
    except (IndexError, KeyError, ValueError) as error:
        raise ValueError(f"filename_tmpl {template!r} of modality '{name}' can't be filled in: {error!r}") from error
    if len(files) < 2 * len(axes):
        fields = f'the number of an image{" and {axis}" if len(axes) == 2 else ""}'
        raise ValueError(
            f"filename_tmpl of modality '{name}' must hold {fields}, as {DEFAULT_TEMPLATES[kind]!r}, got {template!r}"
        )


def read_classes(classes: Union[str, int, Sequence[str]], data_root: str) -> List[str]:
    """Names of the classes."""
    if isinstance(classes, int):
        names = [str(number) for number in range(classes)]
    elif isinstance(classes, str):
        file = Path(data_root, classes)
        if not file.is_file():
            raise FileNotFoundError(f'classes of VideoListDataset: file {file} does not exist')
        names = [line.strip() for line in file.read_text(encoding='utf-8-sig').splitlines() if line.strip()]
    else:
        names = [str(name) for name in classes]
    if not names:
        raise ValueError(f'classes of VideoListDataset must name at least one class, got {classes!r}')
    return names
