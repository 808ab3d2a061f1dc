"""tools/model_converters as a user runs them: weights in and out, and the mistakes that they tell of."""

import pytest
import torch
from mmaction.registry import MODELS as MMACTION_MODELS
from mmengine.config import Config
from torch.multiprocessing import ProcessExitedException

from mmmutual.apis.launch import load_config
from mmmutual.registry import MODELS
from mmmutual.utils.checkpoint_names import mmaction_name

from ..test_models.test_encoders.test_pretrained import original_name
from ..test_models.test_encoders.test_resnet_tsm import spread_values
from .clip_folder import run_tool, write_clips, write_config

MML, EXPORT, IMPORT = (
    f'model_converters/{name}.py' for name in ('mml_to_mmmutual', 'mmmutual_to_mmaction', 'mmaction_to_mmmutual')
)


@pytest.fixture(scope='module')
def place(tmp_path_factory):
    """Two configs, of narrow networks and of published width, and weights of the model of each."""
    folder = tmp_path_factory.mktemp('converters')
    text = write_config(folder / 'narrow.py', write_clips(folder / 'data')).read_text()
    wide = text.replace('base_channels=4, ', '').replace('in_channels=32', 'in_channels=512')
    (folder / 'wide.py').write_text(wide)
    for name in ('narrow', 'wide'):
        model = MODELS.build(load_config(str(folder / f'{name}.py')).model)
        spread_values(model)
        torch.save(dict(state_dict=model.state_dict(), optimizer=dict(state={}), meta={}), folder / f'{name}.pth')
    return folder


def state(file):
    return torch.load(file, weights_only=True)['state_dict']


def peer(folder, branch, file, old=False):
    """Save a branch of the narrow model as the original would."""
    prefix, found = f'branches.{branch}.', {}
    for name, value in state(folder / 'narrow.pth').items():
        if name.startswith(prefix):
            name = original_name(mmaction_name(name[len(prefix) :]))
            found[f'module.{name.replace(".net.", ".") if old else name}'] = value
    rest = dict(epoch=50, arch='resnet18', optimizer=dict(state={}, param_groups=[]), best_prec1=torch.tensor(61.5))
    torch.save(dict(rest, state_dict=found), folder / file)


def fails(folder, *args):
    """What a failing tool says."""
    with pytest.raises(ProcessExitedException):
        run_tool(*args, cwd=folder)
    outputs = sorted(folder.glob('output-*'), key=lambda path: path.stat().st_mtime_ns)
    lines = outputs[-1].read_text().splitlines()
    assert not any('Traceback' in line for line in lines)
    return lines[-1]


@pytest.mark.parametrize('old', [False, True])
def test_peers_of_the_original(place, old):
    """Two files to one; with a config also names without ``.net``. The result is tested as any checkpoint is."""
    for branch in ('rgb', 'flow'):
        peer(place, branch, f'{branch}.pth.tar', old)
    config = ['--config', 'narrow.py'] if old else []
    said = run_tool(MML, 'rgb.pth.tar', 'flow.pth.tar', 'mml.pth', '--branches', 'rgb', 'flow', *config, cwd=place)
    made, expected = state(place / 'mml.pth'), state(place / 'narrow.pth')
    assert f'mml.pth: {len(expected)} weights.' in said
    assert 'optimizer' in said
    assert made.keys() == expected.keys()
    assert all(torch.equal(made[name], value) for name, value in expected.items())
    if old:
        said = run_tool('test.py', 'narrow.py', 'mml.pth', '--work-dir', 'test', cwd=place)
        assert f'mml.pth: {len(expected)} matched, 0 missing [], 0 unexpected []' in said
        assert 'ensemble/top1' in said


def test_to_mmaction_and_back(place):
    said = run_tool(EXPORT, 'wide.pth', 'tsm.pth', '--branch', 'flow', '--config', 'wide.py', 'tsm_flow.py', cwd=place)
    made, ours = state(place / 'tsm.pth'), state(place / 'wide.pth')
    expected = {name[len('branches.flow.') :]: value for name, value in ours.items() if '.flow.' in name}
    assert f'tsm.pth: {len(expected)} weights' in said
    cfg = Config.fromfile(place / 'tsm_flow.py')
    assert cfg.default_scope == 'mmaction'
    recognizer = MMACTION_MODELS.build(dict(cfg.model, _scope_='mmaction'))
    recognizer.load_state_dict(made)
    assert type(recognizer.backbone).__module__ == 'mmaction.models.backbones.resnet_tsm'
    assert cfg.model.cls_head.average_clips == 'score'
    assert torch.equal(recognizer.backbone.conv1.conv.weight, expected['encoder.backbone.conv1.conv.weight'])
    assert recognizer.data_preprocessor.std.flatten().tolist() == [60.0] * 10
    run_tool(IMPORT, 'tsm.pth', 'back.pth', '--branch', 'flow', '--config', 'wide.py', cwd=place)
    back = state(place / 'back.pth')
    assert back.keys() == {f'branches.flow.{name}' for name in expected}
    assert all(torch.equal(back[f'branches.flow.{name}'], value) for name, value in expected.items())


def test_mistakes(place):
    peer(place, 'flow', 'flow_only.pth.tar')
    for args, message in (
        ((MML, 'nowhere.pth', 'x.pth'), "checkpoint 'nowhere.pth' does not exist"),
        ((MML, 'flow_only.pth.tar', 'x.pth'), "its first kernel has 10 channels, 'rgb' has 3"),
        ((MML, 'narrow.pth', 'x.pth'), "no name begins with one of ('base_model.', 'new_fc.')"),
        ((MML, 'a', 'b', 'x.pth'), 'error: --branches must be one name for each of'),
        ((MML, 'flow_only.pth.tar', 'x.pth', '--branches', 'flow', '--config', 'wide.py'), 'of another network'),
        ((IMPORT, 'narrow.pth', 'x.pth'), "no name begins with one of ('backbone.', 'cls_head.')"),
        ((EXPORT, 'wide.pth', 'x.pth', '--branch', 'rgbdiff'), "has no branch 'rgbdiff': it holds the branches"),
        ((EXPORT, 'wide.pth', 'x.pth', '--branch', 'rgb', '--config', 'narrow.py', 'x.py'), 'base_channels=4'),
        ((EXPORT, 'narrow.pth', 'x.pth', '--branch', 'rgb', '--config', 'wide.py', 'x.py'), 'of another network'),
        ((EXPORT, 'wide.pth', 'x.pth', '--branch', 'rgb', '--config', 'wide.py', 'x'), 'OUT must end in .py'),
    ):
        assert message in fails(place, *args), args
    assert not list(place.glob('x*'))
