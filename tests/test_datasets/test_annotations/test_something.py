"""Something-Something v1, v2 and Jester, in the form of the official files."""

import json

import pytest

from mmmutual.datasets.annotations import JESTER, STHV1, STHV2, Clip

V2_LABELS = {'Approaching something with your camera': '0', 'Pushing something from left to right': '1'}


def entry(number, template):
    return dict(id=str(number), label='pushing a red cup', template=template, placeholders=['a red cup'])


V2 = dict(
    labels=V2_LABELS,
    train=[
        entry(78687, 'Pushing [something] from left to right'),
        entry(42326, 'Approaching [something] with your camera'),
    ],
    validation=[entry(74225, 'Pushing [something] from left to right')],
    test=[dict(id='1420'), dict(id='3574')],
)


def write_v2(folder, prefix='something-something-v2-', **changes):
    for name, content in {**V2, **changes}.items():
        (folder / f'{prefix}{name}.json').write_text(json.dumps(content))
    return folder


def write_csv(folder, prefix, **files):
    for name, lines in files.items():
        (folder / f'{prefix}-{name}.csv').write_text('\r\n'.join(lines) + '\r\n')
    return folder


@pytest.mark.parametrize('prefix', ['something-something-v2-', ''])
def test_v2(tmp_path, prefix):
    annotations = STHV2.read(write_v2(tmp_path, prefix))
    assert annotations.classes == list(V2_LABELS)
    assert annotations.splits == {
        'train': [Clip('78687', 1), Clip('42326', 0)],
        'val': [Clip('74225', 1)],
        'test': [Clip('1420', 0), Clip('3574', 0)],
    }
    assert list(annotations.splits) == list(STHV2.num_clips)


@pytest.mark.parametrize(
    ('changes', 'message'),
    [
        (dict(labels={'b': '1', 'a': '0'}), r'labels.json: labels must count 0, 1, 2'),
        (dict(train=[entry(7, 'Throwing [something]')]), r"train.json, id 7: 'Throwing something' is none of the 2"),
        (dict(validation=[dict(id='7')]), 'validation.json: entries must have id and template'),
        (dict(test=[{}]), 'test.json: entries must have id, got'),
    ],
)
def test_faulty_v2(tmp_path, changes, message):
    with pytest.raises(ValueError, match=message):
        STHV2.read(write_v2(tmp_path, **changes))


def test_missing_and_broken_files(tmp_path):
    with pytest.raises(FileNotFoundError, match='no file something-something-v2-labels.json or labels.json'):
        STHV2.read(tmp_path)
    (write_v2(tmp_path) / 'something-something-v2-train.json').write_text('[{"id":')
    with pytest.raises(ValueError, match='train.json is no JSON'):
        STHV2.read(tmp_path)
    with pytest.raises(FileNotFoundError, match='no file something-something-v1-labels.csv'):
        STHV1.read(tmp_path)


@pytest.mark.parametrize(('dataset', 'prefix'), [(STHV1, 'something-something-v1'), (JESTER, 'jester-v1')])
def test_classes_of_csv_files_are_alphabetical(tmp_path, dataset, prefix):
    write_csv(
        tmp_path,
        prefix,
        labels=['Turning something upside down', 'Holding something', 'Putting something, something and something'],
        train=['100218;Putting something, something and something', '24413;Holding something'],
        validation=['14;Turning something upside down'],
        test=['5', '6'],
    )
    annotations = dataset.read(tmp_path)
    assert annotations.classes == [
        'Holding something',
        'Putting something, something and something',
        'Turning something upside down',
    ]
    assert annotations.splits == {
        'train': [Clip('100218', 1), Clip('24413', 0)],
        'val': [Clip('14', 2)],
        'test': [Clip('5', 0), Clip('6', 0)],
    }
    assert list(annotations.splits) == list(dataset.num_clips)


@pytest.mark.parametrize('line', ['24413;Nothing', '24413'])
def test_faulty_v1(tmp_path, line):
    lines = dict(labels=['Holding something'], train=['1;Holding something', line], validation=[], test=[])
    with pytest.raises(ValueError, match='v1-train.csv, line 2: .* is none of the 1 classes'):
        STHV1.read(write_csv(tmp_path, 'something-something-v1', **lines))


def test_class_twice(tmp_path):
    with pytest.raises(ValueError, match=r"labels.csv: classes must be named once, got twice \['a'\]"):
        JESTER.read(write_csv(tmp_path, 'jester-v1', labels=['a', 'b', 'a']))


def test_real_classes_of_v2(data_root, tmp_path):
    names = (data_root / 'label_maps' / 'sthv2_label_map.txt').read_text().splitlines()
    labels = {name: str(label) for label, name in enumerate(names)}
    # the class of the real clip, which the publisher numbers 57
    train = [entry(166766, '[Poking] [something] so that [it] falls over')]
    annotations = STHV2.read(write_v2(tmp_path, labels=labels, train=train, validation=[]))
    assert len(annotations.classes) == STHV2.num_classes
    assert annotations.splits['train'] == [Clip('166766', 57)]


def test_real_classes_of_v1(data_root, tmp_path):
    names = (data_root / 'label_maps' / 'sthv1_label_map.txt').read_text().splitlines()
    annotations = STHV1.read(
        write_csv(tmp_path, 'something-something-v1', labels=names, train=[f'7;{names[0]}'], validation=[], test=[])
    )
    assert len(annotations.classes) == STHV1.num_classes
    assert (names[0], annotations.classes[0]) == ('Holding something', 'Approaching something with your camera')
    assert annotations.classes[annotations.splits['train'][0].label] == 'Holding something'
