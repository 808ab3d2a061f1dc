"""Annotations of the 10 s videos, in the layouts of AVE, AVVP (LLP), AVSBench and VGGSound's prompts."""

import dataclasses
from pathlib import Path
from typing import List

from .event_specs import EVENT_SECONDS, EventSpec, describe_event
from .media import write_json_lines, write_lines
from .settings import Settings
from .vocabulary import EVENT_CATEGORIES, SPLITS

_AVVP_FILES = {'train': 'AVVP_train.csv', 'val': 'AVVP_val_pd.csv', 'test': 'AVVP_test_pd.csv'}


def _ave_row(spec: EventSpec) -> str:
    main = spec.events[0]
    return f'{main.category}&{spec.key}&good&{main.both[0]}&{main.both[1]}'


def _avvp_name(spec: EventSpec) -> str:
    return f'{spec.key}_0_{EVENT_SECONDS}'


def _avvp_rows(specs: List[EventSpec], sense: str) -> List[str]:
    """One event per row: name, onset, offset (exclusive), category, separated by tabs."""
    rows = []
    for spec in specs:
        for event in spec.events:
            onset, offset = getattr(event, sense)
            if onset < offset:
                rows.append(f'{_avvp_name(spec)}\t{onset}\t{offset}\t{event.category}')
    return rows


def write_event_lists(root: Path, settings: Settings) -> None:
    """Write all annotation files of the event videos into ``events/``."""
    folder = root / 'events'
    specs = {s: [describe_event(settings, s, i) for i in range(settings.count('events', s))] for s in SPLITS}
    everything = [spec for split in SPLITS for spec in specs[split]]
    write_lines(folder / 'categories.txt', (category.name for category in EVENT_CATEGORIES))
    prompts = (f'{c.name},a {c.shape} moves about and the sound of a {c.sound} is heard' for c in EVENT_CATEGORIES)
    write_lines(folder / 'categories2prompts.csv', ['label,prompt', *prompts])
    write_lines(folder / 'Annotations.txt', map(_ave_row, everything))
    for split in SPLITS:
        write_lines(folder / f'{split}Set.txt', map(_ave_row, specs[split]))
        labels = (','.join(event.category for event in spec.events) for spec in specs[split])
        rows = (f'{_avvp_name(spec)}\t{names}' for spec, names in zip(specs[split], labels))
        write_lines(folder / _AVVP_FILES[split], ['filename\tevent_labels', *rows])
        write_json_lines(folder / 'ground_truth' / f'{split}.jsonl', map(dataclasses.asdict, specs[split]))
    header = 'filename\tonset\toffset\tevent_labels'
    for name, sense in (('audio', 'audible'), ('visual', 'visible')):
        held_out = specs['val'] + specs['test']
        write_lines(folder / f'AVVP_eval_{name}.csv', [header, *_avvp_rows(held_out, sense)])
    # The second column is the second at which the clip starts in the video that it was cut from.
    rows = (f'{spec.key},0,{spec.events[0].category},{spec.split}' for spec in everything)
    write_lines(folder / 's4_meta_data.csv', ['name,start,category,split', *rows])
