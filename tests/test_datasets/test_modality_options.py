import pytest

from mmmutual.datasets.modality_options import check_modality, frames_of_input, read_classes


def test_defaults():
    assert check_modality('rgb', dict(kind='frames', ann_file='a.txt')) == dict(
        kind='frames', ann_file='a.txt', data_prefix='', start_index=1, filename_tmpl='img_{:06d}.jpg'
    )
    assert check_modality('rgb', dict(kind='video', ann_file='a.txt')) == dict(
        kind='video', ann_file='a.txt', data_prefix=''
    )
    assert check_modality('audio', dict(kind='audio', ann_file='a.txt')) == dict(
        kind='audio', ann_file='a.txt', data_prefix=''
    )

    assert check_modality('flow', dict(kind='flow_frames', ann_file='a.txt'))['list_counts'] == 'pairs'
    assert check_modality('flow', dict(kind='packed_flow_frames', ann_file='a.txt')) == dict(
        kind='packed_flow_frames', ann_file='a.txt', data_prefix='', start_index=1, filename_tmpl='flow_{:05d}.jpg'
    )
    assert check_modality('flow', dict(kind='video_flow', ann_file='a.txt')) == dict(
        kind='video_flow', ann_file='a.txt', data_prefix='', algorithm='dis', bound=20.0
    )
    assert check_modality('flow', dict(kind='frames_flow', ann_file='a.txt', bound=15)) == dict(
        kind='frames_flow',
        ann_file='a.txt',
        data_prefix='',
        start_index=1,
        filename_tmpl='img_{:06d}.jpg',
        algorithm='dis',
        bound=15,
    )


def test_layout_of_something_something_v1():
    template = '{video}-{axis}_{:05d}.jpg'
    assert check_modality('flow', dict(kind='flow_frames', ann_file='a', filename_tmpl=template))


@pytest.mark.parametrize(
    ('kind', 'options', 'frames'),
    [
        ('video', {}, 12),
        ('frames', {}, 12),
        ('flow_frames', {}, 12),
        ('flow_frames', dict(list_counts='images'), 6),
        ('packed_flow_frames', {}, 12),
        ('video_flow', {}, 11),
        ('frames_flow', {}, 11),
        ('audio', {}, 12),
    ],
)
def test_what_a_number_in_a_list_stands_for(kind, options, frames):
    options = dict(options, kind=kind)
    assert frames_of_input(12, options) == frames
    assert frames_of_input(None, options) is None
    assert frames_of_input(0, options) == 0


@pytest.mark.parametrize(
    ('options', 'message'),
    [
        (dict(kind='picture', ann_file='a'), r"kind of modality 'm' must be one of \('video', .*got 'picture'"),
        (dict(ann_file='a'), "kind of modality 'm' .* got None"),
        (dict(kind='frames', ann_file='a', prefix='x'), r"unknown options \['prefix'\]; it takes .*data_prefix"),
        (dict(kind='video', ann_file='a', filename_tmpl='{}.jpg'), r"'video' has unknown options \['filename_tmpl'\]"),
        (dict(kind='frames'), "'m' needs ann_file"),
        (dict(kind='frames', ann_file='a', filename_tmpl='img.jpg'), "must hold the number .* got 'img.jpg'"),
        (dict(kind='frames', ann_file='a', filename_tmpl='{:05d}_{}.jpg'), "can't be filled in: IndexError"),
        (dict(kind='frames', ann_file='a', filename_tmpl='{name}.jpg'), "can't be filled in: KeyError"),
        (dict(kind='frames', ann_file='a', filename_tmpl='{:05q}.jpg'), "can't be filled in: ValueError"),
        (dict(kind='flow_frames', ann_file='a', filename_tmpl='{:05d}.jpg'), 'the number of an image and {axis}'),
        (dict(kind='flow_frames', ann_file='a', filename_tmpl='{axis}.jpg'), 'the number of an image and {axis}'),
        (
            dict(kind='packed_flow_frames', ann_file='a', filename_tmpl='flow.jpg'),
            "the number of an image, as 'flow_{:0",
        ),
        (dict(kind='flow_frames', ann_file='a', list_counts='files'), r"one of \('pairs', 'images'\), got 'files'"),
        (
            dict(kind='video_flow', ann_file='a', algorithm='brox'),
            r"modality 'm': algorithm must be one of \['dis', 'farneback', 'tvl1'\], got 'brox'",
        ),
        (dict(kind='frames_flow', ann_file='a', bound=0), "modality 'm': bound must be a positive .* got 0"),
        (dict(kind='video', ann_file='a', algorithm='dis'), r"'video' has unknown options \['algorithm'\]"),
    ],
)
def test_wrong_options(options, message):
    with pytest.raises(ValueError, match=message):
        check_modality('m', options)


def test_classes_file(tmp_path):
    (tmp_path / 'classes.txt').write_text('\ufeffPushing something \n\nÜben\n', encoding='utf-8')
    assert read_classes('classes.txt', str(tmp_path)) == ['Pushing something', 'Üben']
    (tmp_path / 'empty.txt').write_text('\n')
    with pytest.raises(ValueError, match="at least one class, got 'empty.txt'"):
        read_classes('empty.txt', str(tmp_path))


def test_real_label_maps(data_root):
    files = (data_root / 'label_maps').glob('*_label_map.txt')
    counts = {file.name.split('_')[0]: len(read_classes(str(file), '')) for file in files}
    assert counts == dict(hmdb51=51, kinetics400=400, sthv1=174, sthv2=174, ucf101=101)
