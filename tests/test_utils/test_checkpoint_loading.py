"""Checkpoints are data: nothing in them runs."""

import logging
import pickle
import shutil
from unittest.mock import patch

import numpy as np
import pytest
import torch
from mmengine.logging import HistoryBuffer
from mmengine.runner import CheckpointLoader, load_checkpoint
from mmengine.runner import checkpoint as mmengine_checkpoint
from torch import nn
from torch.multiprocessing import ProcessRaisedException

from mmmutual.utils import checkpoint_loading
from mmmutual.utils.checkpoint_loading import load_checkpoint_file

from ..helpers import run_alone, run_distributed
from ..test_engine import toy_methods as toy

STOCK_HOOKS = dict(
    runtime_info=dict(type='RuntimeInfoHook'),
    checkpoint=dict(type='CheckpointHook', interval=1, save_best='top1', rule='greater'),
)
URL = 'https://example.org/models/net.pth?download=1'


class Foreign:
    """Makes a file when it is unpickled."""

    def __init__(self, marker):
        self.marker = marker

    def __reduce__(self):
        return open, (str(self.marker), 'w')


@pytest.fixture
def warnings(monkeypatch):
    lines = []
    monkeypatch.setattr(checkpoint_loading, 'print_log', lambda text, logger, level: lines.append((level, text)))
    return lines


@pytest.fixture(scope='module')
def stock(tmp_path_factory):
    """Folder of a training by mmengine's own hooks."""
    folder = tmp_path_factory.mktemp('stock')
    run_alone(train, dict(work_dir=folder, default_hooks=STOCK_HOOKS, validate=True))
    return folder


def train(options):
    runner = toy.run('plain', **options)
    return runner.iter, toy.state(runner), runner.optim_wrapper.state_dict()


def test_the_check_can_fail(tmp_path):
    torch.save(Foreign(tmp_path / 'marker'), tmp_path / 'x.pth')
    torch.load(tmp_path / 'x.pth', weights_only=False)
    assert (tmp_path / 'marker').exists()


@pytest.mark.parametrize('with_hub', [False, True])
@pytest.mark.parametrize('zipped', [False, True])
def test_foreign_code_is_refused_and_does_not_run(tmp_path, with_hub, zipped):
    file, marker = tmp_path / 'x.pth', tmp_path / 'marker'
    checkpoint = dict(state_dict=nn.Linear(1, 1).state_dict(), meta=dict(extra=Foreign(marker)))
    if with_hub:  # as one that only claims to be of mmengine
        checkpoint['message_hub'] = dict(log_scalars=dict(loss=HistoryBuffer()))
    torch.save(checkpoint, file, _use_new_zipfile_serialization=zipped)
    with pytest.raises(ValueError, match=r'x.pth.* is refused: it holds pickled code.*open.* Nothing of it was run'):
        load_checkpoint_file(str(file))
    for load in (load_checkpoint, lambda model, name: CheckpointLoader.load_checkpoint(name)):
        with pytest.raises(ValueError, match='is refused'):
            load(nn.Linear(1, 1), str(file))
    assert not marker.exists()


def test_tensors_and_plain_values_are_read(tmp_path, monkeypatch):
    monkeypatch.setenv('HOME', str(tmp_path))
    torch.save(dict(state_dict=dict(w=torch.arange(3)), meta=dict(epoch=1)), tmp_path / 'x.pth')
    assert load_checkpoint_file('~/x.pth')['state_dict']['w'].tolist() == [0, 1, 2]


def test_a_file_of_stock_mmengine_is_read_with_a_warning(stock, warnings):
    with pytest.raises(pickle.UnpicklingError):
        torch.load(stock / 'epoch_2.pth', weights_only=True)
    checkpoint = load_checkpoint_file(str(stock / 'epoch_2.pth'))
    assert sorted(checkpoint) == ['meta', 'optimizer', 'param_schedulers', 'state_dict']
    assert set(checkpoint['state_dict']) == set(toy.build('plain').state_dict())
    assert checkpoint['meta']['epoch'] == 2
    ((level, text),) = warnings
    assert level == logging.WARNING
    assert 'epoch_2.pth was written by stock mmengine. Left out' in text
    assert 'message hub' in text


def test_it_resumes_with_what_was_read(stock, tmp_path):
    options = dict(work_dir=tmp_path, epochs=3, load_from=str(stock / 'epoch_1.pth'), resume=True)
    _, expected, optimizer = run_alone(train, dict(work_dir=tmp_path / 'straight', epochs=3))
    iterations, state, resumed = run_alone(train, options)
    assert iterations == 9
    assert len(toy.recorded(tmp_path)) == 6
    for name, value in state.items():
        assert torch.equal(value, expected[name])
    assert resumed['param_groups'][0]['lr'] == optimizer['param_groups'][0]['lr']


def test_objects_are_left_out_of_meta_and_refused_elsewhere(tmp_path, warnings):
    file = str(tmp_path / 'x.pth')
    hub = dict(log_scalars=dict(loss=HistoryBuffer([1.0], [1])))
    meta = dict(epoch=1, palette=dict(colours=[np.zeros(3)]), best=np.float64(2))
    torch.save(dict(state_dict=dict(w=torch.ones(1)), meta=meta, message_hub=hub), file)
    assert load_checkpoint_file(file)['meta'] == dict(epoch=1)
    assert 'meta.palette, meta.best' in warnings[0][1]
    torch.save(dict(state_dict=dict(w=np.ones(1)), meta={}, message_hub=hub), file)
    with pytest.raises(ValueError, match="its 'state_dict' holds numpy or pickled objects"):
        load_checkpoint_file(file)
    torch.save(dict(state_dict=dict(w=np.ones(1))), file)
    with pytest.raises(ValueError, match=r'is refused.*numpy'):
        load_checkpoint_file(file)


def damaged():
    good = pickle.dumps(dict(a=1), protocol=4)
    return dict(
        empty=b'',
        text=b'hello, this is no checkpoint\n',
        html=b'<!DOCTYPE html><html><body>404</body></html>',
        plain_pickle=good,
        zip_start=b'PK\x03\x04' + bytes(50),
        noise=bytes(range(256)),
    )


@pytest.mark.parametrize('kind', [*damaged(), 'cut', 'cut_legacy'])
def test_damaged_files_are_named_and_not_called_dangerous(tmp_path, kind):
    file = tmp_path / 'x.pth'
    if kind.startswith('cut'):
        torch.save(dict(w=torch.ones(100)), file, _use_new_zipfile_serialization=kind == 'cut')
        file.write_bytes(file.read_bytes()[:200])
    else:
        file.write_bytes(damaged()[kind])
    with pytest.raises(ValueError, match=r'x.pth. is not a (readable checkpoint|checkpoint as torch.save writes it)'):
        load_checkpoint_file(str(file))


def test_flipped_bytes_raise_nothing_else(tmp_path):
    file = tmp_path / 'x.pth'
    torch.save(dict(w=torch.ones(10), m=dict(x=1.5)), file, _use_new_zipfile_serialization=False)
    good, generator = file.read_bytes(), np.random.default_rng(0)
    outcomes = set()
    for _ in range(300):
        bad = bytearray(good)
        for place in generator.integers(len(bad), size=3):
            bad[place] = generator.integers(256)
        file.write_bytes(bad)
        try:
            outcomes.add(type(load_checkpoint_file(str(file))))
        except ValueError as error:
            outcomes.add(type(error))
    assert ValueError in outcomes


def test_a_missing_file_is_named(tmp_path):
    for path in (tmp_path / 'none.pth', tmp_path):
        with pytest.raises(FileNotFoundError, match=f"checkpoint '{path}' does not exist"):
            load_checkpoint_file(str(path))


@pytest.fixture
def download(tmp_path, monkeypatch):
    """Pretends that the net has one file; returns its path and the list of downloads."""
    served, calls = tmp_path / 'served.pth', []

    def fake(url, target, progress):
        calls.append(url)
        shutil.copy(served, target)

    monkeypatch.setattr(torch.hub, 'download_url_to_file', fake)
    monkeypatch.setattr(torch.hub, 'get_dir', lambda: str(tmp_path / 'hub'))
    monkeypatch.setattr(mmengine_checkpoint, 'load_url', None)  # unpickles anything
    return served, calls


def test_downloads_are_read_in_the_same_way(tmp_path, download):
    served, calls = download
    torch.save(dict(w=torch.ones(2)), served)
    for _ in range(2):
        assert CheckpointLoader.load_checkpoint(URL)['w'].tolist() == [1, 1]
    assert calls == [URL]
    assert (tmp_path / 'hub' / 'checkpoints' / 'net.pth').exists()
    # the name by which mmengine's loaders of torchvision:// and openmmlab:// call it
    assert mmengine_checkpoint.load_from_http(URL, model_dir=str(tmp_path / 'other'))['w'].tolist() == [1, 1]
    assert len(calls) == 2

    torch.save(Foreign(tmp_path / 'marker'), served)
    with pytest.raises(ValueError, match='is refused'):
        CheckpointLoader.load_checkpoint('http://example.org/evil.pth')
    assert not (tmp_path / 'marker').exists()


def download_in_group(served, hub):
    calls = []

    def fake(url, target, progress):
        calls.append(url)
        shutil.copy(served, target)

    with patch.object(torch.hub, 'download_url_to_file', fake), patch.object(torch.hub, 'get_dir', lambda: hub):
        return CheckpointLoader.load_checkpoint(URL)['w'].tolist(), len(calls)


def test_one_process_of_a_machine_downloads(tmp_path):
    torch.save(dict(w=torch.ones(2)), tmp_path / 'served.pth')
    found = run_distributed(download_in_group, 2, str(tmp_path / 'served.pth'), str(tmp_path / 'hub'))
    assert found == [([1, 1], 1), ([1, 1], 0)]


def test_resume_from_foreign_code_stops(tmp_path):
    torch.save(dict(state_dict={}, meta=Foreign(tmp_path / 'marker')), tmp_path / 'x.pth')
    with pytest.raises(ProcessRaisedException, match='is refused'):
        run_alone(train, dict(work_dir=tmp_path, load_from=str(tmp_path / 'x.pth'), resume=True))
    assert not (tmp_path / 'marker').exists()
