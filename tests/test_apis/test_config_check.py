"""Mistakes in configs and in --cfg-options are told by name; what is right passes."""

import pytest
from mmengine.config import Config
from mmengine.model import BaseModule

from mmmutual.apis.config_check import _arguments, apply_options, check_config, check_option


def config(**changes):
    """A small config with dicts of every kind, as its file has been read."""
    branch = dict(
        encoder=dict(type='FrameEncoder', backbone=dict(type='ResNetTSM', depth=18, norm_cfg=dict(type='BN'))),
        head=dict(type='LinearHead', num_classes=3, in_channels=512),
    )
    cfg = dict(
        default_scope='mmmutual',
        model=dict(type='MultiModalClassifier', branches=dict(rgb=branch), losses=dict()),
        optim_wrapper=dict(
            type='MutualOptimWrapper',
            constructor='BranchOptimWrapperConstructor',
            optimizer=dict(type='SGD', lr=0.1),
            paramwise_cfg=dict(groups='tsm'),
        ),
        param_scheduler=[dict(type='MultiStepLR', milestones=[1], convert_to_iter_based=True)],
        train_pipeline=[dict(type='SampleSegments', num_segments=8)],
        train_dataloader=dict(
            batch_size=2,
            sampler=dict(type='ResumableSampler', shuffle=True),
            dataset=dict(type='VideoListDataset', pipeline=[dict(type='SampleSegments', num_segments=8)]),
        ),
        train_cfg=dict(type='ResumableTrainLoop', max_epochs=1),
        val_cfg=dict(),
        default_hooks=dict(timer=dict(type='IterTimerHook', priority='LOW')),
        env_cfg=dict(dist_cfg=dict(backend='gloo')),
        randomness=dict(seed=0),
    )
    cfg = Config(cfg)
    cfg.merge_from_dict(changes)
    return cfg


def test_what_is_right_passes():
    check_config(config())


@pytest.mark.parametrize(
    'changes',
    [
        {'model.branches.rgb.encoder.backbone': dict(type='mmaction.ResNet', depth=18, _delete_=True)},
        {'train_dataloader.dataset.pipeline.0': dict(type='mmaction.RawFrameDecode', _delete_=True)},
        {'val_evaluator': dict(type='mmaction.AccMetric')},
        {'model_wrapper_cfg': dict(type='mmmutual.MutualDistributedDataParallel', bucket_cap_mb=5)},
        {'visualizer': dict(type='Visualizer', vis_backends=[dict(type='LocalVisBackend')])},
        {'test_pipeline': [], 'val_pipeline': [], 'data_root': 'x', 'dataset_type': 'y', 'base_lr': 0.1},
        {'compile': False},
        {'train_dataloader.num_batch_per_epoch': 3, 'train_dataloader.pin_memory': True},
        {'val_cfg.fp16': True},
    ],
    ids=lambda changes: next(iter(changes)),
)
def test_parts_of_other_packages_and_usual_names_pass(changes):
    check_config(config(**changes))


class ReadsItsOwnKeywords(BaseModule):
    """A user's part that takes arguments out of ``**kwargs``."""

    def __init__(self, **kwargs):
        self.width = kwargs.pop('width')
        super().__init__(**kwargs)


def test_parts_of_others_are_checked_as_far_as_they_can_be():
    """mmaction2 builds its consensus without a registry, and takes keyword arguments apart by itself."""
    head = dict(type='TSNHead', num_classes=3, in_channels=8, consensus=dict(type='AvgConsensus', dim=1))
    cfg = Config(dict(default_scope='mmaction', model=dict(type='Recognizer2D', cls_head=head)))
    check_config(cfg)
    cfg.model.cls_head.type = 'TSMHed'
    check_config(cfg)  # below a class that may build it as it likes
    cfg.model.type = 'Recogniser2D'
    with pytest.raises(ValueError, match="model.type='Recogniser2D' is not registered"):
        check_config(cfg)
    assert _arguments(ReadsItsOwnKeywords) is None


def test_the_kind_of_clipping_is_no_registered_type():
    cfg = config()
    cfg.optim_wrapper = dict(
        type='OptimWrapper', optimizer=dict(type='SGD', lr=1), clip_grad=dict(type='value', clip_value=1)
    )
    check_config(cfg)


def test_plain_names_belong_to_the_default_scope():
    """A config of mmaction2 that uses parts of ours by their full name."""
    cfg = Config(
        dict(
            default_scope='mmaction',
            model=dict(type='Recognizer2D', backbone=dict(type='mmmutual.ResNetTSM', depth=18, base_channels=8)),
            optim_wrapper=dict(optimizer=dict(type='SGD', lr=0.1)),
        )
    )
    check_config(cfg)
    cfg.model.type = 'MultiModalClassifier'
    with pytest.raises(ValueError, match="model.type='MultiModalClassifier' is not registered"):
        check_config(cfg)


@pytest.mark.parametrize(
    ('changes', 'message'),
    [
        (
            {'model.losses.cls': dict(type='BranchCrossEntropi')},
            r"model.losses.cls.type='BranchCrossEntropi' is not registered; did you mean one of \['BranchCrossEntropy'",
        ),
        (
            {'train_dataloader.dataset.pipeline.0.type': 'SampleSegment'},
            r"train_dataloader.dataset.pipeline\[0\].type='SampleSegment' is not registered; did you mean .*'Samp",
        ),
        ({'val_evaluator': dict(type='mmaction.AcMetric')}, "val_evaluator.type='mmaction.AcMetric' is not registered"),
        ({'val_evaluator': dict(type='nobody.Metric')}, "val_evaluator.type='nobody.Metric' is not registered"),
        (
            {'model.branches.rgb.head.dropout': 0.5},
            r"model.branches.rgb.head: LinearHead does not take \['dropout'\]; it takes \['dropout_ratio', 'in_ch",
        ),
        (
            {'model.branches.rgb.encoder.backbone.base_channel': 8},
            r"backbone: ResNetTSM does not take \['base_channel'\]; it takes .*'base_channels', .*'with_cp'",
        ),
        ({'optim_wrapper.clip_gard': dict(max_norm=1)}, r"MutualOptimWrapper does not take \['clip_gard'\]"),
        ({'param_scheduler.0.milestone': [2]}, r"param_scheduler\[0\]: MultiStepLR does not take \['milestone'\]"),
        ({'train_dataloader.dataset.modality': {}}, r"VideoListDataset does not take \['modality'\]"),
        ({'train_dataloader.batchsize': 4}, r"train_dataloader: DataLoader does not take \['batchsize'\]"),
        ({'val_cfg.fp_16': True}, r"val_cfg: ValLoop does not take \['fp_16'\]; it takes .*'fp16'"),
        ({'randomness.sed': 1}, r"randomness: set_randomness does not take \['sed'\]; it takes .*'seed'"),
        ({'optim_wraper': {}}, "config key 'optim_wraper' is not used by anything; did you mean 'optim_wrapper'"),
        ({'train_dataloaders': {}}, "config key 'train_dataloaders' is not used .* did you mean 'train_dataloader'"),
        ({'default_hook': {}}, "config key 'default_hook' is not used .* did you mean 'default_hooks'"),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else '',
)
def test_mistakes(changes, message):
    with pytest.raises(ValueError, match=message):
        check_config(config(**changes))


@pytest.mark.parametrize(
    'option',
    [
        'optim_wrapper.optimizer.lr',
        'train_dataloader.dataset.pipeline.0.num_segments',
        'param_scheduler.0.gamma',  # an argument that is not there yet
        'model.branches.rgb.head.init_std',
        'model.branches.rgb.encoder.backbone.partial_bn',
        'optim_wrapper.amp_dtype',
        'optim_wrapper.paramwise_cfg.fc_lr5',
        'env_cfg.dist_cfg.timeout',
        'train_dataloader.num_workers',
        'val_cfg.fp16',
        'randomness.deterministic',
        'load_from',
        'custom_hooks',
    ],
)
def test_options_that_name_something(option):
    check_option(config(), option)


@pytest.mark.parametrize(
    ('option', 'message'),
    [
        ('lr', r"there is no 'lr' in the config, which has \['default_hooks'"),
        ('optim_wrapper.optimiser.lr', r"no 'optimiser' in optim_wrapper, which has \['constructor', 'optimizer'"),
        ('optim_wrapper.optimizer.learning_rate', r"no 'learning_rate' in optim_wrapper.optimizer, which has \['lr'"),
        ('optim_wrapper.optimizer.lr.x', "there is no 'x' in optim_wrapper.optimizer.lr, which has a float"),
        ('train_dataloader.dataset.pipeline.1.size', "pipeline is a list of 1, and '1' none of them"),
        ('train_dataloader.dataset.pipeline.mode', "pipeline is a list of 1, and 'mode' none of them"),
        ('model.branches.flow.head.init_std', r"there is no 'flow' in model.branches, which has \['rgb'\]"),
        ('train_dataloader.batchsize', r"no 'batchsize' in train_dataloader, which has \['batch_size'"),
        ('model.losses.kl', r"there is no 'kl' in model.losses, which has \[\]"),
        ('train_pipeline.0.num_segments', "'train_pipeline' is a variable of the config file, .* change nothing now"),
    ],
)
def test_options_that_name_nothing(option, message):
    with pytest.raises(ValueError, match=f'--cfg-options {option}: .*{message}'):
        check_option(config(), option)


def wrapped():
    """A config whose wrapper takes no ``load``."""
    return config(model_wrapper_cfg=dict(type='mmmutual.MutualDistributedDataParallel'))


@pytest.mark.parametrize(
    'options',
    [
        {'model_wrapper_cfg.load': 'own', 'model_wrapper_cfg.type': 'PeerParallel'},
        {'model_wrapper_cfg.type': 'mmmutual.PeerParallel', 'model_wrapper_cfg.load': 'own'},
        {'param_scheduler.0.gamma': 0.5, 'param_scheduler.0.type': 'MultiStepLR'},
        {'optim_wrapper.optimizer.betas': (0.9, 0.99), 'optim_wrapper.optimizer.type': 'AdamW'},
        {'optim_wrapper.clip_grad.type': 'value', 'optim_wrapper.clip_grad.clip_value': 1},
    ],
)
def test_options_for_a_type_that_changes_with_them(options):
    cfg = wrapped()
    cfg.optim_wrapper.clip_grad = dict(max_norm=20)
    apply_options(cfg, options)
    check_config(cfg)
    for option, value in options.items():
        assert _value(cfg, option) == value


def _value(cfg, option):
    node = cfg._cfg_dict
    for part in option.split('.'):
        node = node[int(part)] if isinstance(node, list) else node[part]
    return node


@pytest.mark.parametrize(
    ('options', 'message'),
    [
        ({'model_wrapper_cfg.load': 'own'}, r"no 'load' in model_wrapper_cfg, which has \['type'\]"),
        (
            {'model_wrapper_cfg.type': 'PeerParallel', 'model_wrapper_cfg.lod': 'own'},
            r"no 'lod' in model_wrapper_cfg, which has \['type'\]",
        ),
        (
            {'model_wrapper_cfg.type': 'PearParallel', 'model_wrapper_cfg.load': 'own'},
            r"model_wrapper_cfg.load: model_wrapper_cfg.type='PearParallel' is not registered; .*\['PeerParallel'",
        ),
        (
            {'optim_wrapper.optimizer.type': 'AdamW', 'optim_wrapper.optimizer.dampening': 0.1},
            "no 'dampening' in optim_wrapper.optimizer",
        ),
        ({'model.branches.flow.head.type': 'LinearHead'}, "there is no 'flow' in model.branches"),
        ({'val_cfg.typ': 'ValLoop'}, "there is no 'typ' in val_cfg"),
    ],
)
def test_options_that_a_changed_type_does_not_take(options, message):
    with pytest.raises(ValueError, match=f'--cfg-options .*{message}'):
        apply_options(wrapped(), options)
