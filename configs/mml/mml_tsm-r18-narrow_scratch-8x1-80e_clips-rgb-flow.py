# Arrow of time on real clips. MML: RGB and Flow teach each other.
_base_ = [
    '../_base_/models/mml_tsm-r18-narrow.py',
    '../_base_/datasets/clips_arrow.py',
    '../_base_/schedules/mml_adamw_80e.py',
    '../_base_/default_runtime.py',
]

model = dict(num_classes=3, branches=dict(rgb=_base_.peers.rgb, flow=_base_.peers.flow))

train_modalities = dict(rgb=_base_.train_lists.rgb, flow=_base_.train_lists.flow)
val_modalities = dict(rgb=_base_.val_lists.rgb, flow=_base_.val_lists.flow)
test_modalities = dict(rgb=_base_.test_lists.rgb, flow=_base_.test_lists.flow)
train_dataloader = dict(dataset=dict(modalities=train_modalities))
val_dataloader = dict(dataset=dict(modalities=val_modalities))
test_dataloader = dict(dataset=dict(modalities=test_modalities))

default_hooks = dict(checkpoint=dict(save_best=['rgb/top1', 'flow/top1', 'ensemble/top1'], rule='greater'))
