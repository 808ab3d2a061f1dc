import pytest

from mmmutual.datasets.modality_options import check_modality, read_classes


def test_defaults():
    assert check_modality('rgb', dict(kind='frames', ann_file='a.txt')) == dict(
        kind='frames', ann_file='a.txt', data_prefix='', start_index=1, filename_tmpl='img_{:06d}.jpg'
    )
    assert check_modality('rgb', dict(kind='video', ann_file='a.txt')) == dict(
        kind='video', ann_file='a.txt', data_prefix=''
    )


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
