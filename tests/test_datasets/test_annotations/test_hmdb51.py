"""HMDB51 in the form of the official files."""

import pytest

from mmmutual.datasets.annotations import HMDB51, Clip
from mmmutual.datasets.annotations.hmdb51 import read_hmdb51

FILES = {
    'wave_test_split1': ['50_FIRST_DATES_wave_f_cm_np1_fr_med_36.avi 1 ', 'a.b_wave_u_cm_np1_fr_goo_9.avi 0 '],
    'wave_test_split2': ['50_FIRST_DATES_wave_f_cm_np1_fr_med_36.avi 2 ', 'a.b_wave_u_cm_np1_fr_goo_9.avi 1 '],
    'wave_test_split3': ['50_FIRST_DATES_wave_f_cm_np1_fr_med_36.avi 0 ', 'a.b_wave_u_cm_np1_fr_goo_9.avi 0 '],
    'brush_hair_test_split1': ['#20_brush_hair_u_nm_np1_ba_goo_0.avi 2 '],
    'brush_hair_test_split2': ['#20_brush_hair_u_nm_np1_ba_goo_0.avi 1 '],
    'brush_hair_test_split3': ['#20_brush_hair_u_nm_np1_ba_goo_0.avi 1 '],
}
WAVES, BRUSH = (
    ('50_FIRST_DATES_wave_f_cm_np1_fr_med_36', 'a.b_wave_u_cm_np1_fr_goo_9'),
    '#20_brush_hair_u_nm_np1_ba_goo_0',
)


def write(folder, **changes):
    for name, lines in {**FILES, **changes}.items():
        (folder / f'{name}.txt').write_text('\n'.join(lines) + '\n')
    return folder


def test_three_splits(tmp_path):
    annotations = HMDB51.read(write(tmp_path))
    assert annotations.classes == ['brush_hair', 'wave']
    assert annotations.splits == {
        'split1/train': [Clip(WAVES[0], 1)],
        'split1/test': [Clip(BRUSH, 0)],
        'split2/train': [Clip(BRUSH, 0), Clip(WAVES[1], 1)],
        'split2/test': [Clip(WAVES[0], 1)],
        'split3/train': [Clip(BRUSH, 0)],
        'split3/test': [],
    }
    assert list(annotations.splits) == list(HMDB51.num_clips)


@pytest.mark.parametrize('line', ['clip.avi 3', 'clip.avi', '1'])
def test_faulty_line(tmp_path, line):
    with pytest.raises(ValueError, match=r"wave_test_split2.txt, line 1: expected '<video>.avi 0\|1\|2', got"):
        read_hmdb51(write(tmp_path, wave_test_split2=[line]))


def test_missing_files(tmp_path):
    with pytest.raises(FileNotFoundError, match='no file <class>_test_split1.txt'):
        read_hmdb51(tmp_path)
    (write(tmp_path) / 'wave_test_split3.txt').unlink()
    with pytest.raises(FileNotFoundError, match='no file wave_test_split3.txt'):
        read_hmdb51(tmp_path)


def test_real_classes(data_root, tmp_path):
    names = (data_root / 'label_maps' / 'hmdb51_label_map.txt').read_text().splitlines()
    for name in reversed(names):
        for number in (1, 2, 3):
            (tmp_path / f'{name}_test_split{number}.txt').write_text(f'{name}_0.avi 1\n')
    annotations = read_hmdb51(tmp_path)
    assert annotations.classes == names
    assert len(names) == HMDB51.num_classes
    assert annotations.splits['split2/train'] == [Clip(f'{name}_0', label) for label, name in enumerate(names)]
