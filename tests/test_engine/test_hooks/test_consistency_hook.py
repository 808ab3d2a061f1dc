"""Models and data sets that do not fit together are refused before training."""

from types import SimpleNamespace

import pytest

from mmmutual.engine import ConsistencyHook


def runner(model, **datasets):
    loops = {f'_{name}_loop': None for name in ('train', 'val', 'test')}
    for name, dataset in datasets.items():
        loops[f'_{name}_loop'] = SimpleNamespace(dataloader=SimpleNamespace(dataset=dataset))
    return SimpleNamespace(model=model, **loops)


def thing(*names, classes=None):
    return SimpleNamespace(input_names=names, num_classes=classes)


def test_missing_modalities_are_named():
    hook = ConsistencyHook()
    hook.before_run(runner(thing('rgb'), train=thing('rgb', 'flow'), val=thing('flow', 'rgb')))
    with pytest.raises(
        ValueError, match=r"'rgb', 'flow'.*val_dataloader.dataset gives only \['rgb'\].*\['flow'\] missing"
    ):
        hook.before_run(runner(thing('rgb', 'flow'), train=thing('rgb', 'flow'), val=thing('rgb')))


def test_class_counts_must_agree():
    hook = ConsistencyHook()
    hook.before_run(runner(thing('rgb', classes=8), train=thing('rgb', classes=8)))
    with pytest.raises(ValueError, match=r"'model': 8, 'test_dataloader.dataset': 9"):
        hook.before_run(runner(thing('rgb', classes=8), train=thing('rgb', classes=8), test=thing('rgb', classes=9)))


def test_what_is_not_told_is_not_compared():
    untold = SimpleNamespace()
    ConsistencyHook().before_run(runner(untold, train=thing('rgb', classes=3)))
    ConsistencyHook().before_run(runner(thing('rgb', classes=3), train=untold))
    not_built = runner(thing('rgb', classes=3))
    not_built._train_loop = dict(max_epochs=3)
    ConsistencyHook().before_run(not_built)
