"""Dicts without a type, and names at the top of a config that nothing reads."""

import pytest
from mmengine.config import Config

from mmmutual.apis import untyped_parts
from mmmutual.apis.untyped_parts import check_places, check_untyped, keys_taken

READ = ('model', 'optim_wrapper', 'train_cfg')


@pytest.mark.parametrize(
    ('node', 'message'),
    [
        (dict(env_cfg=dict(cudnn_benchmrk=True)), r"env_cfg does not take \['cudnn_benchmrk'\]"),
        (dict(env_cfg=dict(mp_cfg=dict(opencv_num_thread=4))), r'env_cfg.mp_cfg does not take'),
        (dict(optim_wrapper=dict(clip_grad=dict(max_nrm=1))), r'optim_wrapper.clip_grad does not take'),
        (dict(default_hooks=dict(checkpont={})), r"default_hooks.checkpont .* did you mean 'checkpoint'"),
        (dict(a=dict(modalities=dict(rgb=dict(annfile='x')))), r'a.modalities.rgb does not take'),
    ],
)
def test_unknown_keys_are_refused(node, message):
    with pytest.raises(ValueError, match=message):
        check_untyped(node)


def test_known_and_foreign_keys_pass():
    check_untyped(dict(env_cfg=dict(mp_cfg=dict(opencv_num_threads=0), dist_cfg=dict(backend='gloo'))))
    check_untyped(dict(default_hooks=dict(my_own=dict(type='X')), anything=dict(at=dict(all=1))))


def test_keys_taken_matches_the_end_of_a_path():
    assert 'ann_file' in keys_taken(('train_dataloader', 'dataset', 'modalities', 'rgb'))
    assert keys_taken(('train_dataloader', 'dataset', 'modalities')) is None
    assert keys_taken(('model',)) is None


@pytest.mark.parametrize(
    ('name', 'value', 'place'),
    [
        ('schedule', dict(type='JointSchedule'), 'model.schedule'),
        ('optimizer_config', dict(grad_clip=3), 'optim_wrapper.clip_grad'),
        ('total_epochs', 7, 'train_cfg.max_epochs'),
        ('lr_config', [1], 'param_scheduler'),
    ],
)
def test_a_part_that_nothing_takes_up_is_refused(name, value, place):
    cfg = Config(dict(model=dict(type='M'), optim_wrapper=dict(optimizer=dict(type='SGD', lr=0.1)), **{name: value}))
    with pytest.raises(ValueError, match=f'{name}.* is not used by anything: it belongs into {place}'):
        check_places(cfg, READ)


def test_a_variable_that_is_used_passes():
    losses = dict(cls=dict(type='BranchCrossEntropy'))
    optimizer = dict(type='SGD', lr=0.1)
    cfg = dict(model=dict(losses=losses), optim_wrapper=dict(optimizer=dict(weight_decay=1, **optimizer)))
    check_places(Config(dict(cfg, losses=losses, optimizer=optimizer, lr=0.1)), READ)


@pytest.fixture
def told(monkeypatch):
    lines = []
    monkeypatch.setattr(untyped_parts, 'print_log', lambda text, **_: lines.append(text))
    return lines


def test_variables_whose_place_is_overridden_or_computed_pass(told):
    """``lr=lr * 8``, and ``--cfg-options train_cfg.max_epochs=3``."""
    cfg = Config(dict(lr=0.01, max_epochs=7, optim_wrapper=dict(optimizer=dict(lr=0.08)), train_cfg=dict(max_epochs=3)))
    check_places(cfg, READ)
    assert not told


def test_a_part_beside_another_one_in_its_place_is_told(told):
    cfg = Config(dict(fusion=dict(type='Mine'), model=dict(fusion=dict(type='MeanLogits'))))
    check_places(cfg, READ)
    assert len(told) == 1
    assert "'fusion' stands at the top" in told[0]
    assert 'belongs into model.fusion' in told[0]
