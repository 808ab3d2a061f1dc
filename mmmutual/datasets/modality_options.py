"""Options of :class:`VideoListDataset`, checked and completed."""

from pathlib import Path
from typing import Any, Dict, List, Sequence, Union

from .list_file import KINDS

DEFAULT_TEMPLATES = {'frames': 'img_{:06d}.jpg', 'flow_frames': 'flow_{axis}_{:05d}.jpg'}
MODALITY_KEYS = {
    'video': ('ann_file', 'kind', 'data_prefix'),
    'frames': ('ann_file', 'kind', 'data_prefix', 'filename_tmpl', 'start_index'),
    'flow_frames': ('ann_file', 'kind', 'data_prefix', 'filename_tmpl', 'start_index'),
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
    if kind != 'video':
        options.setdefault('start_index', 1)
        template = options.setdefault('filename_tmpl', DEFAULT_TEMPLATES[kind])
        _check_template(name, kind, template)
    return options


def _check_template(name: str, kind: str, template: str) -> None:
    axes = ('x', 'y') if kind == 'flow_frames' else ('',)
    try:
        files = {template.format(number, axis=axis) for number in (1, 2) for axis in axes}
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
