"""tools/data/<data set>/build_lists.py as a user runs them, on five clips each."""

import json
import runpy
import subprocess
import sys

import pytest

from mmmutual.datasets import VideoListDataset
from mmmutual.datasets.annotations import lists

from .clip_folder import ROOT

TOOLS = ROOT / 'tools' / 'data'
KINETICS = 'label,youtube_id,time_start,time_end,split\n'

# Data set -> its official files, names of its frames, and the five clips: folder, split, label.
CASES = {
    'sthv1': (
        {
            'something-something-v1-labels.csv': 'Turning something\nHolding something\n',
            'something-something-v1-train.csv': '11;Turning something\n12;Holding something\n',
            'something-something-v1-validation.csv': '13;Turning something\n14;Holding something\n',
            'something-something-v1-test.csv': '15\n',
        },
        '{:05d}.jpg',
        [('11', 'train', 1), ('12', 'train', 0), ('13', 'val', 1), ('14', 'val', 0), ('15', 'test', 0)],
    ),
    'sthv2': (
        {
            'labels.json': json.dumps({'Holding something': '0', 'Turning something': '1'}),
            'train.json': json.dumps(
                [dict(id='11', template='Turning [something]'), dict(id='12', template='Holding [something]')]
            ),
            'validation.json': json.dumps(
                [dict(id='13', template='Turning [something]'), dict(id='14', template='Holding [something]')]
            ),
            'test.json': json.dumps([dict(id='15')]),
        },
        'img_{:06d}.jpg',
        [('11', 'train', 1), ('12', 'train', 0), ('13', 'val', 1), ('14', 'val', 0), ('15', 'test', 0)],
    ),
    'kinetics400': (
        {
            'train.csv': f'{KINETICS}surfing water,-a,1,11,train\nabseiling,b,0,10,train\n',
            'val.csv': f'{KINETICS}surfing water,c,100,110,validate\nabseiling,d,0,10,validate\n',
            'test.csv': f'{KINETICS}surfing water,e,5,15,test\n',
        },
        'img_{:06d}.jpg',
        [
            ('surfing_water/-a_000001_000011', 'train', 1),
            ('abseiling/b_000000_000010', 'train', 0),
            ('surfing_water/c_000100_000110', 'val', 1),
            ('abseiling/d_000000_000010', 'val', 0),
            ('surfing_water/e_000005_000015', 'test', 1),
        ],
    ),
    'ucf101': (
        {
            'classInd.txt': '1 Archery\n2 Diving\n',
            'trainlist01.txt': 'Archery/v_A_g08.avi 1\nDiving/v_D_g08.avi 2\nDiving/v_D_g09.avi 2\n',
            'testlist01.txt': 'Archery/v_A_g01.avi\nDiving/v_D_g01.avi\n',
            **{f'trainlist0{n}.txt': 'Archery/v_A_g01.avi 1\n' for n in (2, 3)},
            **{f'testlist0{n}.txt': 'Diving/v_D_g08.avi\n' for n in (2, 3)},
        },
        'img_{:06d}.jpg',
        [
            ('Archery/v_A_g08', 'split1/train', 0),
            ('Diving/v_D_g08', 'split1/train', 1),
            ('Diving/v_D_g09', 'split1/train', 1),
            ('Archery/v_A_g01', 'split1/test', 0),
            ('Diving/v_D_g01', 'split1/test', 1),
        ],
    ),
    'hmdb51': (
        {
            'clap_test_split1.txt': 'c_1.avi 1 \nc_2.avi 2 \nc_3.avi 0 \n',
            'wave_test_split1.txt': 'w_1.avi 1 \nw_2.avi 2 \nw_3.avi 1 \n',
            **{f'clap_test_split{n}.txt': 'c_1.avi 2 \nc_2.avi 1 \nc_3.avi 0 \n' for n in (2, 3)},
            **{f'wave_test_split{n}.txt': 'w_1.avi 0 \nw_2.avi 0 \nw_3.avi 0 \n' for n in (2, 3)},
        },
        'img_{:06d}.jpg',
        [
            ('clap/c_1', 'split1/train', 0),
            ('wave/w_1', 'split1/train', 1),
            ('wave/w_3', 'split1/train', 1),
            ('clap/c_2', 'split1/test', 0),
            ('wave/w_2', 'split1/test', 1),
        ],
    ),
    'jester': (
        {
            'jester-v1-labels.csv': 'Swiping Left\nNo gesture\n',
            'jester-v1-train.csv': '11;Swiping Left\n12;No gesture\n',
            'jester-v1-validation.csv': '13;Swiping Left\n14;No gesture\n',
            'jester-v1-test.csv': '15\n',
        },
        '{:05d}.jpg',
        [('11', 'train', 1), ('12', 'train', 0), ('13', 'val', 1), ('14', 'val', 0), ('15', 'test', 0)],
    ),
}


def write_images(folder, count, template):
    folder.mkdir(parents=True)
    for number in range(1, count + 1):
        for axis in 'xy':
            (folder / template.format(number, axis=axis)).touch()


def write_case(folder, name):
    """Annotations, and frames and flow of the five clips: 4 to 8 frames; clip 1 has no flow."""
    files, template, clips = CASES[name]
    (folder / 'official').mkdir()
    for file, text in files.items():
        (folder / 'official' / file).write_text(text)
    for index, (path, _, _) in enumerate(clips):
        write_images(folder / 'data' / 'frames' / path, 4 + index, template)
        if index != 1:
            write_images(folder / 'data' / 'flow' / path, 3 + index, 'flow_{axis}_{:05d}.jpg')
    return ['--annotations', str(folder / 'official'), '--root', str(folder / 'data')]


def run(name, *args):
    command = [sys.executable, str(TOOLS / name / 'build_lists.py'), *args]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def call(monkeypatch, name, *args):
    """The tool in this process."""
    monkeypatch.setattr(sys, 'argv', ['build_lists.py', *args])
    monkeypatch.setattr(lists, 'run_jobs', lambda function, items, *rest: {item: function(item) for item in items})
    runpy.run_path(str(TOOLS / name / 'build_lists.py'), run_name='__main__')


def read_dataset(root, name, split):
    """(key, label, number of RGB frames, number of flow pairs) of the samples that the data set makes of the lists."""
    modalities = dict(
        rgb=dict(kind='frames', data_prefix='frames', filename_tmpl=CASES[name][1]),
        flow=dict(kind='flow_frames', data_prefix='flow'),
    )
    for modality, options in modalities.items():
        options['ann_file'] = f'lists/{split}_{modality}.txt'
    dataset = VideoListDataset(modalities, 'classes.txt', data_root=str(root), pipeline=[], test_mode=True)
    dataset.check_media()
    items = [dataset.get_data_info(index) for index in range(len(dataset))]
    counts = [tuple(item['sources'][modality]['num_frames'] for modality in modalities) for item in items]
    return [(item['key'], item['gt_label'], *count) for item, count in zip(items, counts)]


@pytest.mark.parametrize('name', CASES)
def test_lists_are_what_the_data_set_reads(tmp_path, monkeypatch, capsys, name):
    call(monkeypatch, name, *write_case(tmp_path, name), '--inputs', 'rgb', 'flow')
    clips = list(enumerate(CASES[name][2]))
    for split in dict.fromkeys(split for _, (_, split, _) in clips):
        expected = [
            (path.split('/')[-1], label, 4 + index, 3 + index)
            for index, (path, of, label) in clips
            if of == split and index != 1
        ]
        assert read_dataset(tmp_path / 'data', name, split) == expected
    assert '2 classes (official ' in capsys.readouterr().out


@pytest.mark.parametrize('name', ['ucf101', 'hmdb51'])
def test_every_split_has_lists(tmp_path, monkeypatch, name):
    call(monkeypatch, name, *write_case(tmp_path, name))
    found = {file.relative_to(tmp_path / 'data' / 'lists').as_posix() for file in tmp_path.glob('data/lists/*/*')}
    assert found == {f'split{n}/{part}_rgb.txt' for n in (1, 2, 3) for part in ('train', 'test')}


def test_from_the_shell(tmp_path):
    result = run('sthv2', *write_case(tmp_path, 'sthv2'), '--inputs', 'rgb', 'flow', '--num-workers', '2')
    assert result.returncode == 0, result.stderr
    assert [line.split() for line in result.stdout.splitlines()[:4]] == [
        ['split', 'official', 'annotated', 'no', 'rgb', 'no', 'flow', 'listed'],
        ['train', '168913', '2', '0', '1', '1'],
        ['val', '24777', '2', '0', '0', '2'],
        ['test', '27157', '1', '0', '0', '1'],
    ]
    assert '2 classes (official 174); lists in' in result.stdout
    assert (tmp_path / 'data' / 'lists' / 'train_flow.txt').read_text() == '11 3 1\n'


def test_absent_split(tmp_path, monkeypatch, capsys):
    args = write_case(tmp_path, 'jester')
    (tmp_path / 'data' / 'frames' / '15').rename(tmp_path / '15')
    call(monkeypatch, 'jester', *args)
    assert 'no list written, as no clip of it is there: test' in capsys.readouterr().out
    assert not (tmp_path / 'data' / 'lists' / 'test_rgb.txt').exists()


@pytest.mark.parametrize(
    ('options', 'message'),
    [
        (['--inputs', 'video'], "videos, where the media of kind 'video' are looked for, is not a folder"),
        (['--frames-tmpl', 'img.jpg'], 'must hold the number of an image'),
        (['--frames-tmpl', 'img_{:05d}.jpg'], 'frames with images img_{:05d}.jpg'),
        (['--annotations', 'nowhere'], 'annotation folder nowhere has no file'),
        (['--num-workers', '0'], '--num-workers must be at least 1, got 0'),
        (['--inputs', 'sound'], "invalid choice: 'sound'"),
    ],
)
def test_mistakes_are_told_in_one_line(tmp_path, monkeypatch, capsys, options, message):
    with pytest.raises(SystemExit) as error:
        call(monkeypatch, 'sthv2', *write_case(tmp_path, 'sthv2'), *options)
    assert error.value.code == 2
    assert message in capsys.readouterr().err.splitlines()[-1]
    assert not (tmp_path / 'data' / 'lists').exists()
