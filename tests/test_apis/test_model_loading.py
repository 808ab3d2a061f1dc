"""Configs by file and by name, weights, names of classes."""

import logging

import pytest
import torch
from mmengine.config import Config

import mmmutual
from mmmutual.apis import init_model, list_models, model_loading
from mmmutual.apis.model_loading import choose_device, load_model_config

from .action_model import CLASSES

SHIPPED = 'mml_tsm-r18-narrow_scratch-8x1-30e_mmshapes-rgb'


@pytest.fixture
def lines(monkeypatch):
    found = []
    monkeypatch.setattr(model_loading, 'print_log', lambda text, logger, level: found.append((level, text)))
    return found


def save(file, checkpoint, **changes):
    torch.save({**torch.load(checkpoint, weights_only=True), **changes}, file)
    return file


def test_list_models():
    names = list_models()
    assert SHIPPED in names
    assert names == sorted(names)
    assert list_models('*_mmshapes-rgb') == [SHIPPED]
    assert list_models('none') == []


def test_models_of_an_installed_wheel(monkeypatch, tmp_path):
    mim = tmp_path / 'mmmutual' / '.mim'
    mim.mkdir(parents=True)
    (mim / 'model-index.yml').write_text('Import: [meta.yml]')
    (mim / 'meta.yml').write_text('Models: [{Name: mine, Config: a/mine.py}]')
    (mim / 'a').mkdir()
    (mim / 'a' / 'mine.py').write_text("model = dict(type='MultiModalClassifier', branches=dict(), losses=dict())")
    monkeypatch.setattr(mmmutual, '__file__', str(tmp_path / 'mmmutual' / '__init__.py'))
    assert list_models() == ['mine']
    assert load_model_config('mine').model.type == 'MultiModalClassifier'


def test_a_shipped_model_with_random_weights(lines, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)  # where the config's data are not
    model = init_model(SHIPPED, device='cpu')
    assert list(model.branches) == ['rgb']
    assert not model.training
    assert model.dataset_meta == dict(classes=[str(number) for number in range(10)])
    assert lines == [(logging.WARNING, 'no checkpoint is given: the weights are random')]


def test_weights_and_classes_of_the_checkpoint(action_model, tmp_path, lines):
    checkpoint = save(
        tmp_path / 'a.pth', action_model.checkpoint, meta=dict(dataset_meta=dict(classes=['x', 'y', 'z']))
    )
    model = init_model(action_model.config, checkpoint, device='cpu')
    for name, value in torch.load(checkpoint, weights_only=True)['state_dict'].items():
        assert torch.equal(model.state_dict()[name], value), name
    assert model.dataset_meta['classes'] == ['x', 'y', 'z']
    assert model.cfg.model.branches.flow.input == 'flow'
    assert not lines


@pytest.mark.parametrize('meta', [dict(), dict(dataset_meta=dict(classes=['of', 'another', 'data', 'set']))])
def test_classes_of_the_config(action_model, tmp_path, meta):
    checkpoint = save(tmp_path / 'a.pth', action_model.checkpoint, meta=meta)
    assert init_model(action_model.config, checkpoint, 'cpu').dataset_meta['classes'] == CLASSES
    options = {'test_dataloader.dataset.classes': 'none.txt'}
    assert init_model(action_model.config, checkpoint, 'cpu', options).dataset_meta['classes'] == ['0', '1', '2']


def test_a_config_object_stays_as_it_is(action_model):
    cfg = Config.fromfile(action_model.config)
    before = cfg.pretty_text
    options = {'model.branches.rgb.head.dropout_ratio': 0.25}
    model = init_model(cfg, action_model.checkpoint, 'cpu', options)
    assert model.branches.rgb.head.dropout.p == 0.25
    assert cfg.pretty_text == before
    with pytest.raises(ValueError, match="there is no 'branhces' in model"):
        init_model(cfg, cfg_options={'model.branhces.rgb': 1})


def test_a_preprocessor_beside_the_model(action_model):
    cfg = Config.fromfile(action_model.config)
    cfg.data_preprocessor = cfg.model.pop('data_preprocessor')
    model = init_model(cfg, action_model.checkpoint, 'cpu')
    assert set(model.data_preprocessor.normalizers) == {'rgb', 'flow', 'rgbdiff'}


def test_weights_of_something_else(action_model, tmp_path):
    torch.save(dict(state_dict=dict(other=torch.zeros(3))), tmp_path / 'other.pth')
    with pytest.raises(ValueError, match='other.pth matches nothing of MultiModalClassifier'):
        init_model(action_model.config, tmp_path / 'other.pth', 'cpu')
    with pytest.raises(FileNotFoundError, match=r"checkpoint 'none\.pth' does not exist"):
        init_model(action_model.config, 'none.pth', 'cpu')


def test_no_such_config():
    with pytest.raises(
        ValueError, match=rf"'{SHIPPED[:-2]}' is neither .* nor a shipped model\. Similar ones: .*{SHIPPED}"
    ):
        init_model(SHIPPED[:-2])
    with pytest.raises(ValueError, match=r"'###' is neither a config file nor a shipped model\. list_models\(\) gives"):
        init_model('###')
    with pytest.raises(FileNotFoundError, match="config 'none.py' does not exist"):
        init_model('none.py')


def test_devices(monkeypatch):
    monkeypatch.setattr(torch.cuda, 'is_available', lambda: False)
    monkeypatch.setattr(torch.cuda, 'device_count', lambda: 0)
    assert choose_device() == torch.device('cpu')
    with pytest.raises(ValueError, match="device 'cuda' is not here: there are 0 GPUs"):
        choose_device('cuda')
    with pytest.raises(ValueError, match="device 'gpu' is none of torch"):
        choose_device('gpu')
    monkeypatch.setattr(torch.cuda, 'is_available', lambda: True)
    monkeypatch.setattr(torch.cuda, 'device_count', lambda: 2)
    assert choose_device() == torch.device('cuda')
    assert choose_device('cuda:1') == torch.device('cuda:1')
    with pytest.raises(ValueError, match="device 'cuda:2' is not here: there are 2 GPUs"):
        choose_device('cuda:2')
