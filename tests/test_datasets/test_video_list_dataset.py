import copy
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch
from torch.utils.data import DataLoader

from mmmutual.datasets import SampleIndex, VideoListDataset
from mmmutual.registry import DATASETS

from ..video_files import moving_frames, write_video
from .conftest import write_lists


def test_what_it_says_about_itself(options):
    dataset = DATASETS.build(dict(type='VideoListDataset', **options))
    assert isinstance(dataset, VideoListDataset)
    assert len(dataset) == 3
    assert dataset.input_names == ('rgb', 'flow')
    assert dataset.num_classes == 3
    assert dataset.metainfo == dict(classes=['walk left', 'walk right', 'jump'], dataset_type='VideoListDataset')


def test_sources(options, clips_root):
    options['modalities']['diff'] = dict(options['modalities']['rgb'], start_index=0)
    info = VideoListDataset(**options).get_data_info(1)
    rgb = dict(
        kind='frames',
        path=str(clips_root / 'rgb' / 'clip 1'),
        num_frames=9,
        filename_tmpl='img_{:06d}.png',
        start_index=1,
    )
    assert info['key'] == 'clip 1'
    assert info['gt_label'] == 1
    assert info['sample_idx'] == 1
    assert info['sources'] == dict(
        rgb=rgb,
        flow=dict(
            kind='flow_frames',
            path=str(clips_root / 'flow' / 'clip 1'),
            num_frames=8,
            filename_tmpl='flow_{axis}_{:05d}.png',
            start_index=1,
        ),
        diff=dict(rgb, start_index=0),
    )


def test_default_templates_and_videos(options, clips_root):
    (clips_root / 'video.txt').write_text('sub dir/clip 0.mp4 0\n')
    (clips_root / 'frames.txt').write_text('clip 0 9 0\n')
    modalities = dict(
        video=dict(ann_file='video.txt', kind='video', data_prefix='/elsewhere'),
        rgb=dict(ann_file='frames.txt', kind='frames'),
        flow=dict(ann_file='frames.txt', kind='flow_frames'),
    )
    sources = VideoListDataset(**dict(options, modalities=modalities)).get_data_info(0)['sources']
    assert sources['video'] == dict(kind='video', path='/elsewhere/sub dir/clip 0.mp4', num_frames=None)
    assert sources['rgb']['filename_tmpl'] == 'img_{:06d}.jpg'
    assert sources['flow']['filename_tmpl'] == 'flow_{axis}_{:05d}.jpg'
    assert sources['rgb']['path'] == str(clips_root / 'clip 0')


def test_a_wrong_folder_is_told_and_a_missing_file_is_not(options, clips_root):
    dataset = VideoListDataset(**options)
    dataset.check_media()
    gone = dataset.get_data_info(0)['sources']['rgb']['path']
    Path(gone).rename(f'{gone} moved')
    dataset.check_media()
    modalities = dict(options['modalities'])
    modalities['rgb'] = dict(modalities['rgb'], data_prefix='nowhere')
    wrong = VideoListDataset(**dict(options, modalities=modalities))
    with pytest.raises(FileNotFoundError, match="none of the first 3 clips of input 'rgb' exists.*prefix='nowhere'"):
        wrong.check_media()


def test_a_sample_through_its_pipeline(options):
    packed = VideoListDataset(**options)[2]
    rgb, flow = packed['inputs']['rgb'], packed['inputs']['flow']
    assert rgb.dtype == flow.dtype == torch.uint8
    assert rgb.shape == (4, 3, 32, 32)
    assert flow.shape == (4, 10, 32, 32)
    # x of pair n is 100 + n, y is 200 - n: 5 pairs one after the other, at the end the last one (6) again
    first = flow[:, 0, 0, 0].long() - 100
    expected = (first[:, None] + torch.arange(5)).clamp(max=6)
    assert torch.equal(flow[:, ::2, 0, 0].long() - 100, expected)
    assert torch.equal(200 - flow[:, 1::2, 0, 0].long(), expected)
    # RGB has one frame more: all its segments are shifted by 0 or 1 frame
    shift = rgb[:, 0, 0, 0].long() // 10 - first
    assert len(shift.unique()) == 1
    assert shift[0] in (0, 1)
    sample = packed['data_samples']
    assert sample.gt_label.tolist() == [2]
    assert sample.metainfo == dict(
        key='clip 2', sample_idx=2, frame_size=(40, 48), available=('rgb', 'flow'), num_views=1
    )


def test_a_clip_too_small_for_its_flow_is_replaced(options, tmp_path, data_root):
    tiny = data_root / 'media' / 'odd' / 'one_by_one_pixel.mp4'
    good = write_video(tmp_path / 'good.mp4', moving_frames(8))
    (tmp_path / 'videos.txt').write_text(f'{tiny} 0\n{good} 1\n')
    modalities = {
        name: dict(ann_file='videos.txt', kind=kind) for name, kind in dict(rgb='video', flow='video_flow').items()
    }
    dataset = VideoListDataset(**dict(options, modalities=modalities))
    packed = dataset[0]
    assert packed['data_samples'].key == 'good'
    assert packed['data_samples'].gt_label.tolist() == [1]
    assert packed['inputs']['flow'].shape == (4, 10, 32, 32)
    assert dataset.unreadable.count == 1


def test_augmentation_depends_on_seed_epoch_and_index_only(options):
    del options['modalities']['flow']  # 3 starts to choose from in each of 4 parts

    def draw(**seeds):
        return VideoListDataset(**options)[SampleIndex(0, **seeds)]['inputs']['rgb'][:, 0, 0, 0].tolist()

    draws = {name: draw(**seeds) for name, seeds in dict(a={}, b=dict(epoch=1), c=dict(seed=1)).items()}
    assert len({tuple(starts) for starts in draws.values()}) == 3
    torch.rand(3)
    assert draw(epoch=1) == draws['b']
    assert VideoListDataset(**options)[0]['inputs']['rgb'][:, 0, 0, 0].tolist() == draws['a']


@pytest.fixture
def sounds(options, clips_root):
    """Options with an input 'audio' beside RGB: 0.1 s at 8 kHz; by its list one sound has fewer than min_frames."""
    lines = []
    for label in range(3):
        noise = np.random.RandomState(label).randn(800)
        soundfile.write(clips_root / f'clip {label}.wav', 0.1 * noise, 8000)
        lines.append(f'clip {label}.wav {2 if label == 0 else 800} {label}\n')
    (clips_root / 'audio.txt').write_text(''.join(lines))
    audio = dict(ann_file='audio.txt', kind='audio')
    steps = [
        dict(type='LoadAudio', sample_rate=8000),
        dict(type='CropOrPadAudio', duration=0.05),
        dict(type='LogMelSpectrogram', n_fft=128, win_length=128, hop_length=40, n_mels=8),
    ]
    modalities = dict(rgb=options['modalities']['rgb'], audio=audio)
    return dict(options, modalities=modalities, pipeline=[*steps, *options['pipeline']])


def test_sound_beside_frames(sounds):
    dataset = VideoListDataset(**sounds)
    dataset.check_media()
    assert dataset.input_names == ('rgb', 'audio')
    assert len(dataset) == 3
    packed = dataset[SampleIndex(1)]
    assert packed['inputs']['rgb'].shape == (4, 3, 32, 32)
    assert packed['inputs']['audio'].shape == (1, 1, 8, 11)  # 400 samples
    assert packed['data_samples'].available == ('rgb', 'audio')
    # the crop of the sound, too, is drawn by seed, epoch and sample
    again, other = (dataset[SampleIndex(1, epoch=epoch)]['inputs']['audio'] for epoch in (0, 1))
    assert torch.equal(again, packed['inputs']['audio'])
    assert not torch.equal(other, again)


def test_sound_alone(sounds, clips_root):
    visual = ('SampleSegments', 'LoadFrames', 'MultiScaleCrop')
    steps = [step for step in sounds['pipeline'] if step['type'] not in visual]
    alone = dict(sounds, modalities=dict(audio=sounds['modalities']['audio']), pipeline=steps)
    dataset = VideoListDataset(**alone)
    assert list(dataset[0]['inputs']) == ['audio']
    (clips_root / 'clip 1.wav').write_bytes(b'')
    assert dataset[SampleIndex(1)]['data_samples'].key in ('clip 0', 'clip 2')
    assert dataset.unreadable.count == 1
    for label in range(3):
        (clips_root / f'clip {label}.wav').unlink()
    with pytest.raises(FileNotFoundError, match="none of the first 3 clips of input 'audio' exists"):
        dataset.check_media()


def test_workers_give_what_the_main_process_gives(options):
    dataset = VideoListDataset(**options)
    indices = [SampleIndex(index, epoch=3) for index in (2, 0, 1)]
    loader = DataLoader(dataset, batch_size=None, sampler=indices, num_workers=2)
    for index, packed in zip(indices, loader):
        here = dataset[index]['inputs']
        assert all(torch.equal(packed['inputs'][name], here[name]) for name in here)


def test_classes_as_number_or_list(options):
    assert VideoListDataset(**dict(options, classes=5)).metainfo['classes'] == ['0', '1', '2', '3', '4']
    assert VideoListDataset(**dict(options, classes=['a', 'b', 'c'])).num_classes == 3


def test_indices(options):
    assert len(VideoListDataset(**options, indices=2)) == 2
    assert VideoListDataset(**options, indices=[2])[0]['data_samples'].key == 'clip 2'


def capture_log(monkeypatch, name):
    messages = []
    monkeypatch.setattr(f'mmmutual.datasets.{name}.print_log', lambda message, **_: messages.append(message))
    return messages


def test_joint_filter_drops_a_clip_that_is_short_in_any_input(options, clips_root, monkeypatch):
    # 3 RGB frames, but 2 flow pairs
    write_lists(clips_root, [('clip 0', 12, 0), ('clip 1', 3, 1), ('clip 2', 7, 2)])
    messages = capture_log(monkeypatch, 'video_list_dataset')
    dataset = VideoListDataset(**options)
    assert [dataset.get_data_info(index)['key'] for index in range(len(dataset))] == ['clip 0', 'clip 2']
    assert len(messages) == 1
    assert '1 of 3 samples' in messages[0]
    assert "min_frames=3 frames (by input: {'rgb': 0, 'flow': 1})" in messages[0]
    assert len(VideoListDataset(**options, min_frames=2)) == 3


def test_nothing_left(options):
    with pytest.raises(ValueError, match='no sample is left: 3 of 3 .* min_frames=50'):
        VideoListDataset(**options, min_frames=50)


def test_unknown_counts_are_kept(options, clips_root):
    (clips_root / 'video.txt').write_text('a.mp4 0\n')
    modalities = dict(rgb=dict(ann_file='video.txt', kind='video'))
    assert len(VideoListDataset(**dict(options, modalities=modalities), min_frames=99)) == 1


def test_label_outside_the_classes(options):
    with pytest.raises(ValueError, match=r'rgb.txt, line 3: label 2 of clip 2 must lie in \[0, 2\)'):
        VideoListDataset(**dict(options, classes=2))


def test_lists_of_different_length(options, clips_root):
    (clips_root / 'flow.txt').write_text('clip 0 11 0\nclip 1 8 1\n')
    with pytest.raises(ValueError, match=r"rgb.txt has 3, .*flow.txt has 2; 1 only in the first \['clip 2'\]"):
        VideoListDataset(**options)


def test_join_by_line(options, clips_root):
    (clips_root / 'flow.txt').write_text('clip 2 6 0\nclip 1 8 1\nclip 0 11 2\n')
    info = VideoListDataset(**options, key='line').get_data_info(0)
    assert info['key'] == 'clip 0'
    assert info['sources']['flow']['path'].endswith('clip 2')


@pytest.mark.parametrize(
    ('change', 'error', 'message'),
    [
        (dict(data_root='/no/such/folder'), FileNotFoundError, "data_root '/no/such/folder'"),
        (dict(modalities={}), ValueError, 'at least one input'),
        (dict(key='name'), ValueError, r"key .* must be one of \('stem', 'line'\), got 'name'"),
        (dict(classes='none.txt'), FileNotFoundError, 'none.txt does not exist'),
        (dict(classes=0), ValueError, 'at least one class, got 0'),
        (dict(classes=[]), ValueError, r'at least one class, got \[\]'),
        (dict(indices=[5]), ValueError, r'indices of VideoListDataset must lie in \[-3, 3\), got \[5\]'),
        (dict(indices=0), ValueError, 'indices=0 of VideoListDataset leaves none of its 3'),
        (dict(max_unreadable=-1), ValueError, 'max_unreadable must be .* got -1'),
    ],
)
def test_wrong_options(options, change, error, message):
    with pytest.raises(error, match=message):
        VideoListDataset(**dict(options, **change))


def test_missing_list(options):
    options = copy.deepcopy(options)
    options['modalities']['flow']['ann_file'] = 'lists/flow.txt'
    with pytest.raises(FileNotFoundError, match='lists/flow.txt does not exist'):
        VideoListDataset(**options)


def test_video_of_another_package_in_the_pipeline(options):
    """mmaction2's transforms are found as mmaction.X and are seeded as ours are."""
    options['pipeline'] = [dict(type='mmaction.SampleFrames', clip_len=1, num_clips=4)]
    options['pipeline'].insert(0, _CountFrames())
    dataset = VideoListDataset(**options)
    draws = [dataset[SampleIndex(0, epoch=epoch)]['frame_inds'].tolist() for epoch in (0, 0, 1)]
    assert draws[0] == draws[1]
    assert draws[0] != draws[2]


class _CountFrames:
    def __call__(self, results):
        return dict(results, total_frames=results['sources']['rgb']['num_frames'], start_index=1)


def test_real_videos_some_of_them_unreadable(data_root, tmp_path):
    videos = ['good/realshort.mp4', 'odd/zero_bytes.webm', 'odd/audio_only.mp4', 'odd/corrupt_empty_stsc.mp4']
    (tmp_path / 'list.txt').write_text(''.join(f'{video} {label}\n' for label, video in enumerate(videos)))
    source = dict(ann_file=str(tmp_path / 'list.txt'), kind='video')
    dataset = VideoListDataset(
        modalities=dict(rgb=source, rgbdiff=source),
        classes=4,
        data_root=str(data_root / 'media'),
        pipeline=[
            dict(type='SampleSegments', num_segments=2),
            dict(type='LoadFrames'),
            dict(type='MultiScaleCrop', size=32),
            dict(type='PackMultiModalInputs'),
        ],
    )
    for index in range(4):
        packed = dataset[SampleIndex(index, epoch=1)]
        assert packed['data_samples'].key == 'realshort'
        assert packed['data_samples'].gt_label.tolist() == [0]
        assert packed['inputs']['rgbdiff'].shape == (2, 18, 32, 32)
        # both have the same number of frames, so the first frame of a segment is the same
        assert torch.equal(packed['inputs']['rgbdiff'][:, :3], packed['inputs']['rgb'])
    assert dataset.unreadable.count == 3


def test_computed_flow_of_frames_and_videos(options, clips_root):
    """One list for RGB and its flow; min_frames asks for pairs of flow."""
    flow = dict(options['modalities']['rgb'], kind='frames_flow', algorithm='farneback', bound=15.0)
    modalities = dict(rgb=options['modalities']['rgb'], flow=flow)
    write_lists(clips_root, [('clip 0', 12, 0), ('clip 1', 3, 1), ('clip 2', 7, 2)])
    dataset = VideoListDataset(**dict(options, modalities=modalities))
    assert [dataset.get_data_info(index)['key'] for index in range(len(dataset))] == ['clip 0', 'clip 2']
    sources = dataset.get_data_info(1)['sources']
    extra = dict(kind='frames_flow', num_frames=6, algorithm='farneback', bound=15.0)
    assert sources['flow'] == dict(sources['rgb'], **extra)
    inputs = dataset[1]['inputs']
    assert inputs['flow'].shape == (4, 10, 32, 32)
    assert (inputs['flow'].long() - 128).abs().max() <= 1  # each frame has one grey level

    (clips_root / 'videos.txt').write_text('a.mp4 0\nb.mp4 3 1\nc.mp4 4 2\n')
    flow = dict(kind='video_flow', ann_file='videos.txt')
    dataset = VideoListDataset(**dict(options, modalities=dict(flow=flow)))
    infos = [dataset.get_data_info(index) for index in range(len(dataset))]
    assert [(info['key'], info['sources']['flow']['num_frames']) for info in infos] == [('a', None), ('c', 3)]
    assert infos[0]['sources']['flow']['algorithm'] == 'dis'


def test_flow_in_the_layout_of_something_something_v1(options, clips_root):
    """Names begin with the folder's, and the list counts the images of both axes."""
    for folder in (clips_root / 'flow').iterdir():
        for image in folder.iterdir():  # flow_x_00001.png
            _, axis, number = image.name.split('_')
            image.rename(folder / f'{folder.name}-{axis}_{number}')
    (clips_root / 'flow.txt').write_text('clip 0 22 0\nclip 1 16 1\nclip 2 12 2\n')
    flow = dict(options['modalities']['flow'], filename_tmpl='{video}-{axis}_{:05d}.png', list_counts='images')
    modalities = dict(rgb=options['modalities']['rgb'], flow=flow)
    dataset = VideoListDataset(**dict(options, modalities=modalities))
    assert [dataset.get_data_info(index)['sources']['flow']['num_frames'] for index in range(3)] == [11, 8, 6]
    assert dataset[2]['inputs']['flow'][:, 0].max() <= 106
    assert dataset[2]['inputs']['flow'][:, 1].max() == 199
