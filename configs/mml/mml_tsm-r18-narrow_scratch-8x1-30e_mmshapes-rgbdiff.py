# RGBDiff alone: one branch, no teacher.
_base_ = [
    '../_base_/models/mml_tsm-r18-narrow.py',
    '../_base_/datasets/mmshapes_clips.py',
    '../_base_/schedules/mml_adamw_30e.py',
    '../_base_/default_runtime.py',
]

model = dict(num_classes=10, branches=dict(rgbdiff=_base_.peers.rgbdiff))

train_modalities = dict(rgbdiff=_base_.train_lists.rgbdiff)
val_modalities = dict(rgbdiff=_base_.val_lists.rgbdiff)
test_modalities = dict(rgbdiff=_base_.test_lists.rgbdiff)
train_dataloader = dict(dataset=dict(modalities=train_modalities))
val_dataloader = dict(dataset=dict(modalities=val_modalities))
test_dataloader = dict(dataset=dict(modalities=test_modalities))

default_hooks = dict(checkpoint=dict(save_best='rgbdiff/top1', rule='greater'))
