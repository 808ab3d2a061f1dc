"""List files of clips: one per input, one line per clip, joined into samples."""

import re
from pathlib import Path, PurePosixPath
from typing import Dict, List, NamedTuple, Optional, Sequence, Tuple, Union

from mmengine.logging import print_log

KINDS = ('video', 'frames', 'flow_frames', 'packed_flow_frames', 'video_flow', 'frames_flow', 'audio')
FILE_KINDS = ('video', 'video_flow', 'audio')  # one file per clip; a list may leave its length out
# Flow that is computed when it is read -> kind of what it is computed from.
COMPUTED_FLOW = {'video_flow': 'video', 'frames_flow': 'frames'}
KEYS = ('stem', 'line')
UNMATCHED = ('raise', 'drop')


class ListEntry(NamedTuple):
    """One line of a list file.

    ``num_frames``: what the list says: images in the folder or frames in the video; of flow images the pairs; of sound
    the samples; ``None`` when a list of files does not say.
    ``line`` is counted from 1.
    """

    path: str
    num_frames: Optional[int]
    label: int
    line: int


def read_list(file: Union[str, Path], kind: str) -> List[ListEntry]:
    """Read a list file.

    Fields are separated by blanks and read from the right, so that paths may contain blanks: ``folder frames label``
    for folders; ``path label`` or ``path frames label`` for videos, and likewise ``path samples label`` for ``audio``.
    Empty lines are skipped.

    Args:
        file: the list.
        kind: one of :data:`KINDS`.

    Raises:
        FileNotFoundError: no such file.
        ValueError: no text in UTF-8; a line with too few fields or a field that is no integer >= 0; no line at all.
    """
    file = Path(file)
    if not file.is_file():
        raise FileNotFoundError(f'list file {file} does not exist')
    try:
        content = file.read_text(encoding='utf-8-sig')
    except UnicodeDecodeError as error:
        raise ValueError(f'list file {file} is not a text file in UTF-8: {error}') from error
    lines = enumerate(content.splitlines(), start=1)
    entries = [_parse_line(text, kind, f'{file}, line {number}', number) for number, text in lines if text.strip()]
    if not entries:
        raise ValueError(f'list file {file} is empty')
    return entries


def _parse_line(text: str, kind: str, where: str, number: int) -> ListEntry:
    count = 'samples' if kind == 'audio' else 'frames'
    layout = f'path [{count}] label' if kind in FILE_KINDS else 'folder frames label'
    fields = text.strip().rsplit(maxsplit=2)
    if kind in FILE_KINDS and len(fields) == 3 and not re.fullmatch(r'-?\d+', fields[1]):
        fields = text.strip().rsplit(maxsplit=1)  # no count: what looked like one belongs to the path
    path, numbers = fields[0], fields[1:]
    if len(numbers) < (1 if kind in FILE_KINDS else 2) or not all(re.fullmatch(r'\d+', field) for field in numbers):
        raise ValueError(f"{where}: expected '{layout}' with integers >= 0, got {text!r}")
    return ListEntry(path, int(numbers[0]) if len(numbers) == 2 else None, int(numbers[-1]), number)


def key_of(path: str, kind: str) -> str:
    """The name that a clip has in every list: of a file its name without suffix, of a folder its name."""
    name = PurePosixPath(path)
    return name.stem if kind in FILE_KINDS else name.name


def join_lists(
    lists: Dict[str, Sequence[ListEntry]],
    kinds: Dict[str, str],
    files: Dict[str, Union[str, Path]],
    key: str = 'stem',
    unmatched: str = 'raise',
) -> List[Tuple[str, Dict[str, ListEntry]]]:
    """Join the lists of several inputs into samples, in the order of the first list.

    Args:
        lists: input name -> its entries.
        kinds: input name -> kind of its list.
        files: input name -> its list file, for messages.
        key: ``'stem'``: entries with the same :func:`key_of` are one sample. ``'line'``: entries of the same position
            are one sample, as in the lists of TSM; the key then is that of the first input.
        unmatched: what becomes of keys that are not in every list: ``'raise'`` or ``'drop'``, which logs how many.

    Returns:
        Pairs of key and entries by input name.

    Raises:
        ValueError: a key twice in a list, keys or lines that are not in every list (unless dropped), no key that is in
            every list, or labels that disagree.
    """
    names = list(lists)
    first = names[0]
    if key == 'line':
        lengths = {str(files[name]): len(lists[name]) for name in names}
        if len(set(lengths.values())) > 1:
            raise ValueError(f"lists joined by key='line' must have the same number of lines, got {lengths}")
        rows = [dict(zip(names, row)) for row in zip(*lists.values())]
        joined = [(key_of(row[first].path, kinds[first]), row) for row in rows]
    else:
        by_key = {name: _by_key(lists[name], kinds[name], files[name]) for name in names}
        if unmatched == 'raise':
            for name in names[1:]:
                _require_same_keys(by_key[first], by_key[name], files[first], files[name])
        common = [clip for clip in by_key[first] if all(clip in found for found in by_key.values())]
        _log_left_out(by_key, len(common), files)
        joined = [(clip, {name: by_key[name][clip] for name in names}) for clip in common]
    for sample_key, row in joined:
        _require_same_label(sample_key, row, files)
    return joined


def _by_key(entries: Sequence[ListEntry], kind: str, file: Union[str, Path]) -> Dict[str, ListEntry]:
    found: Dict[str, ListEntry] = {}
    for entry in entries:
        key = key_of(entry.path, kind)
        if key in found:
            raise ValueError(
                f"{file}: lines {found[key].line} and {entry.line} both have the key '{key}' ({found[key].path}, "
                f"{entry.path}); name the clips differently, or join the lists by key='line'"
            )
        found[key] = entry
    return found


def _log_left_out(by_key: Dict[str, Dict[str, ListEntry]], common: int, files: Dict[str, Union[str, Path]]) -> None:
    left_out = {str(files[name]): len(found) - common for name, found in by_key.items() if len(found) > common}
    if common == 0:
        raise ValueError(f'lists of one data set must name the same clips, none is in all of {list(files.values())}')
    if left_out:
        print_log(f'clips that are not in every list are left out: {left_out}', logger='current')


def _require_same_keys(
    keys: Dict[str, ListEntry], others: Dict[str, ListEntry], file: Union[str, Path], other_file: Union[str, Path]
) -> None:
    missing = [key for key in keys if key not in others]
    extra = [key for key in others if key not in keys]
    if missing or extra:
        raise ValueError(
            f'lists of one data set must name the same clips: {file} has {len(keys)}, {other_file} has {len(others)}; '
            f'{len(missing)} only in the first {missing[:5]}, {len(extra)} only in the second {extra[:5]}. Write them '
            "again, or leave these clips out by unmatched='drop'"
        )


def _require_same_label(key: str, row: Dict[str, ListEntry], files: Dict[str, Union[str, Path]]) -> None:
    if len({entry.label for entry in row.values()}) > 1:
        labels = ', '.join(f'{entry.label} in {files[name]}, line {entry.line}' for name, entry in row.items())
        raise ValueError(f"the label of '{key}' must be the same in every list, got {labels}")
