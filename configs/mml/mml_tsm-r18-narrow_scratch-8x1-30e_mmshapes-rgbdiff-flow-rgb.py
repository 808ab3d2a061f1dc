# MML with three peers.
_base_ = [
    '../_base_/models/mml_tsm-r18-narrow.py',
    '../_base_/datasets/mmshapes_clips.py',
    '../_base_/schedules/mml_adamw_30e.py',
    '../_base_/default_runtime.py',
]

model = dict(num_classes=10, branches=dict(rgbdiff=_base_.peers.rgbdiff, flow=_base_.peers.flow, rgb=_base_.peers.rgb))

train_modalities = dict(rgbdiff=_base_.train_lists.rgbdiff, flow=_base_.train_lists.flow, rgb=_base_.train_lists.rgb)
val_modalities = dict(rgbdiff=_base_.val_lists.rgbdiff, flow=_base_.val_lists.flow, rgb=_base_.val_lists.rgb)
test_modalities = dict(rgbdiff=_base_.test_lists.rgbdiff, flow=_base_.test_lists.flow, rgb=_base_.test_lists.rgb)
train_dataloader = dict(dataset=dict(modalities=train_modalities))
val_dataloader = dict(dataset=dict(modalities=val_modalities))
test_dataloader = dict(dataset=dict(modalities=test_modalities))

default_hooks = dict(
    checkpoint=dict(save_best=['rgbdiff/top1', 'flow/top1', 'rgb/top1', 'ensemble/top1'], rule='greater')
)
