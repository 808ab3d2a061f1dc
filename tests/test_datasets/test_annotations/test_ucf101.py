"""UCF101: the real lists, and files in their form."""

import pytest

from mmmutual.datasets.annotations import UCF101, Clip
from mmmutual.datasets.annotations.ucf101 import read_ucf101

CLASSES = ['1 Archery', '2 HandstandPushups']
TRAIN = ['Archery/v_Archery_g08_c01.avi 1', 'HandstandPushups/v_HandStandPushups_g08_c01.avi 2']
TEST = ['HandstandPushups/v_HandStandPushups_g01_c01.avi', 'Archery/v_Archery_g01_c01.avi']


def write(folder, numbers=(1, 2, 3), classes=CLASSES, train=TRAIN, test=TEST):
    files = {'classInd': classes}
    for number in numbers:
        files.update({f'trainlist0{number}': train, f'testlist0{number}': test})
    for name, lines in files.items():
        (folder / f'{name}.txt').write_text('\r\n'.join(lines) + '\r\n')
    return folder


def test_three_splits(tmp_path):
    annotations = UCF101.read(write(tmp_path))
    assert annotations.classes == ['Archery', 'HandstandPushups']
    assert list(annotations.splits) == list(UCF101.num_clips)
    for number in (1, 2, 3):
        assert annotations.splits[f'split{number}/train'] == [
            Clip('v_Archery_g08_c01', 0),
            Clip('v_HandStandPushups_g08_c01', 1),
        ]
        assert annotations.splits[f'split{number}/test'] == [
            Clip('v_HandStandPushups_g01_c01', 1),
            Clip('v_Archery_g01_c01', 0),
        ]


@pytest.mark.parametrize(
    ('changes', 'message'),
    [
        (dict(classes=['0 Archery', '1 HandstandPushups']), 'classInd.txt, line 1: classes must be numbered 1, 2, 3'),
        (dict(classes=['1 Archery', '2 Archery']), 'classInd.txt: classes must be named once'),
        (dict(train=['Archery/v.avi 2']), 'trainlist01.txt, line 1: Archery is class 1 in classInd.txt, got 2'),
        (dict(test=['Diving/v.avi']), "testlist01.txt, line 1: 'Diving' is none of the 2 classes"),
    ],
)
def test_faulty_files(tmp_path, changes, message):
    with pytest.raises(ValueError, match=message):
        UCF101.read(write(tmp_path, **changes))


def test_all_splits_are_needed(tmp_path):
    with pytest.raises(FileNotFoundError, match='no file trainlist03.txt'):
        UCF101.read(write(tmp_path, numbers=(1, 2)))


def test_real_lists(data_root):
    annotations = read_ucf101(data_root / 'ucf101', splits=[1])
    counts = {split: len(clips) for split, clips in annotations.splits.items()}
    assert counts == {split: UCF101.num_clips[split] for split in ('split1/train', 'split1/test')}
    assert counts == {'split1/train': 9537, 'split1/test': 3783}
    assert annotations.classes == (data_root / 'label_maps' / 'ucf101_label_map.txt').read_text().splitlines()
    for clips in annotations.splits.values():
        assert {clip.label for clip in clips} == set(range(UCF101.num_classes))
        assert len({clip.key for clip in clips}) == len(clips)
    assert annotations.splits['split1/train'][-1].label == 100
    # groups 1 to 7 are those of the test
    assert all(int(clip.key.split('_g')[1][:2]) <= 7 for clip in annotations.splits['split1/test'])


def test_official_counts_add_up():
    assert {UCF101.num_clips[f'split{n}/train'] + UCF101.num_clips[f'split{n}/test'] for n in (1, 2, 3)} == {13320}
