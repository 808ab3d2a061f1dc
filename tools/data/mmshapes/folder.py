"""The folder of a generated data set: whose it is, and what of it is already there."""

import dataclasses
import json
from pathlib import Path
from typing import Dict, List, Sequence

from mmmutual.utils.whole_output import write_text

from .clips import FLOW_BOUND
from .settings import FORMAT_VERSION, PARTS, SIZES, Settings
from .vocabulary import CLIP_CLASSES, EVENT_CATEGORIES, FLIP_PAIRS

# Questions are about the videos of other parts.
NEEDS = {'qa': ('clips', 'events')}
COMPLETE, STARTED = 'mmshapes.json', 'mmshapes.started.json'


def _identity(settings: Settings) -> Dict[str, object]:
    return {'format_version': FORMAT_VERSION, **dataclasses.asdict(settings)}


def open_folder(root: Path, settings: Settings, parts: Sequence[str]) -> List[str]:
    """Claim a folder for these settings.

    Args:
        root: folder of the data set; made when absent.
        settings: what the content follows from.
        parts: parts that are wanted.

    Returns:
        The parts that are not complete yet, in order.

    Raises:
        ValueError: the folder holds something else, or MMShapes of other settings, or a part is wanted without those
            that it is about.
    """
    records = [root / name for name in (COMPLETE, STARTED) if (root / name).exists()]
    if not records and root.exists() and (not root.is_dir() or any(root.iterdir())):
        raise ValueError(f'--out {root} is not empty and holds no MMShapes: name a new folder')
    done: List[str] = []
    for record in records:
        there = json.loads(record.read_text())
        wanted = _identity(settings)
        other = [f'{k} is {there.get(k)!r}, not {v!r}' for k, v in wanted.items() if there.get(k) != v]
        if other:
            raise ValueError(f'--out {root} holds MMShapes of other settings ({"; ".join(other)}): name a new folder')
        done += there.get('parts', [])
    for part, needed in NEEDS.items():
        if part in parts and not {*parts, *done}.issuperset(needed):
            raise ValueError(f'--parts {part} is about the videos of {" and ".join(needed)}: name these parts as well')
    missing = [part for part in PARTS if part in parts and part not in done]
    if missing:
        write_text(root / STARTED, json.dumps(_identity(settings), indent=2) + '\n')
    return missing


def close_folder(root: Path, settings: Settings, parts: Sequence[str]) -> None:
    """Record that these parts are complete, beside those that were; the last thing that is written."""
    record = root / COMPLETE
    done = json.loads(record.read_text())['parts'] if record.exists() else []
    content = {
        **_identity(settings),
        'parts': [*done, *parts],
        'counts': {part: list(counts) for part, counts in SIZES[settings.size].items()},
        'classes': [clip_class.name for clip_class in CLIP_CLASSES],
        'flip_pairs': [list(pair) for pair in FLIP_PAIRS],
        'event_categories': [category.name for category in EVENT_CATEGORIES],
        'flow_bound': FLOW_BOUND,
    }
    write_text(record, json.dumps(content, indent=2) + '\n')
    (root / STARTED).unlink(missing_ok=True)
