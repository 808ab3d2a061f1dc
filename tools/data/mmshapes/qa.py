"""Question-answer files in MSVD-QA's layout, over the clips and the event videos."""

import collections
import json
from pathlib import Path
from typing import List, Tuple

import numpy as np

from mmmutual.utils.whole_output import write_text

from .clip_specs import describe_clip
from .event_specs import describe_event
from .media import write_lines
from .questions import Question, ask_about_clip, ask_about_events
from .settings import Settings
from .vocabulary import SPLITS

QUESTIONS_PER_VIDEO = 5
_CLIPS, _EVENTS = 0, 1


def _videos(settings: Settings, split: str) -> List[Tuple[str, List[Question]]]:
    """Path without suffix and the chosen questions of every video of a split."""
    videos = []
    for index in range(settings.count('clips', split)):
        spec = describe_clip(settings, split, index)
        rng = settings.rng('qa', split, index, _CLIPS)
        videos.append((f'clips/{split}/{spec.key}', ask_about_clip(spec), rng))
    for index in range(settings.count('events', split)):
        spec = describe_event(settings, split, index)
        rng = settings.rng('qa', split, index, _EVENTS)
        videos.append((f'events/videos/{split}/{spec.key}', ask_about_events(spec), rng))
    return [(name, _choose(asked, rng)) for name, asked, rng in videos]


def _choose(asked: List[Question], rng: np.random.Generator) -> List[Question]:
    return [asked[i] for i in sorted(rng.permutation(len(asked))[:QUESTIONS_PER_VIDEO])]


def write_questions(root: Path, settings: Settings) -> None:
    """Write ``qa/{train,val,test}_qa.json``, the map of video numbers and the answers by frequency."""
    folder = root / 'qa'
    number, video_id, mapping = 0, 0, []
    for split in SPLITS:
        records = []
        for name, chosen in _videos(settings, split):
            video_id += 1
            mapping.append(f'{name} vid{video_id}')
            for question, answer in chosen:
                records.append({'answer': answer, 'id': number, 'question': question, 'video_id': video_id})
                number += 1
        write_text(folder / f'{split}_qa.json', json.dumps(records))
        if split == 'train':
            counts = collections.Counter(record['answer'] for record in records)
            write_lines(folder / 'answer_set.txt', (answer for answer, _ in counts.most_common()))
    write_lines(folder / 'mapping.txt', mapping)
