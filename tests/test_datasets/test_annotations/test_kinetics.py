"""Kinetics-400 in the form of the official csv files."""

import csv
import random

import pytest

from mmmutual.datasets.annotations import KINETICS400, Clip
from mmmutual.datasets.annotations.kinetics import normalize_name

HEADER = 'label,youtube_id,time_start,time_end,split'
TRAIN = [
    'skiing crosscountry,-3B32lodo2M,59,69,train',
    '"massaging person\'s head",zz5ILcR-cvY,0,10,train',
    'skiing (not slalom or crosscountry),abcdefghijk,123,133,train',
]
VAL = ['skiing crosscountry,0wR5jVB-WPk,417,427,validate']
TEST = ['---QUuC4vJs,84,94,test']


def write(folder, val_name='val.csv', **changes):
    files = dict(train=[HEADER, *TRAIN], val=[HEADER, *VAL], test=['youtube_id,time_start,time_end,split', *TEST])
    for name, lines in {**files, **changes}.items():
        (folder / (val_name if name == 'val' else f'{name}.csv')).write_text('\n'.join(lines) + '\n')
    return folder


@pytest.mark.parametrize('val_name', ['val.csv', 'validate.csv'])
def test_files(tmp_path, val_name):
    annotations = KINETICS400.read(write(tmp_path, val_name))
    # before normalisation "(" sorts before letters, after it "n" would sort after "c"
    assert annotations.classes == [
        'massaging_persons_head',
        'skiing_not_slalom_or_crosscountry',
        'skiing_crosscountry',
    ]
    assert annotations.splits == {
        'train': [
            Clip('-3B32lodo2M_000059_000069', 2),
            Clip('zz5ILcR-cvY_000000_000010', 0),
            Clip('abcdefghijk_000123_000133', 1),
        ],
        'val': [Clip('0wR5jVB-WPk_000417_000427', 2)],
        'test': [Clip('---QUuC4vJs_000084_000094', 0)],
    }
    assert list(annotations.splits) == list(KINETICS400.num_clips)


def test_labels_of_test_are_read_where_they_are(tmp_path):
    test = [HEADER, 'skiing crosscountry,---QUuC4vJs,84,94,test']
    assert KINETICS400.read(write(tmp_path, test=test)).splits['test'][0].label == 2


@pytest.mark.parametrize(
    ('changes', 'message'),
    [
        (dict(train=TRAIN), 'train.csv: the first line must name the columns'),
        (dict(train=[HEADER, *TRAIN, 'x,y,1.5,11.5,train']), 'train.csv, line 5: .* must be whole seconds'),
        (dict(train=[HEADER, *TRAIN, 'x,y']), 'train.csv, line 5: .* must be whole seconds'),
        (dict(val=[HEADER, 'juggling,y,1,11,validate']), "val.csv, line 2: 'juggling' is none of the 3 classes"),
    ],
)
def test_faulty_files(tmp_path, changes, message):
    with pytest.raises(ValueError, match=message):
        KINETICS400.read(write(tmp_path, **changes))


def test_missing_file(tmp_path):
    (write(tmp_path) / 'val.csv').unlink()
    with pytest.raises(FileNotFoundError, match='no file val.csv or validate.csv'):
        KINETICS400.read(tmp_path)


def test_the_official_order_of_classes(data_root, tmp_path):
    names = (data_root / 'label_maps' / 'kinetics400_label_map.txt').read_text().splitlines()
    shuffled = random.Random(0).sample(names, len(names))
    with (write(tmp_path, val=[HEADER]) / 'train.csv').open('w', newline='') as stream:
        rows = [HEADER.split(','), *([name, f'id{i}', i, i + 10, 'train'] for i, name in enumerate(shuffled))]
        csv.writer(stream).writerows(rows)
    annotations = KINETICS400.read(tmp_path)
    assert len(names) == KINETICS400.num_classes
    assert annotations.classes == [normalize_name(name) for name in names]
    assert [clip.label for clip in annotations.splits['train']] == [names.index(name) for name in shuffled]
