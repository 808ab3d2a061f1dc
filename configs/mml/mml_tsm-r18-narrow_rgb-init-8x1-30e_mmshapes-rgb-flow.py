# Stage 2 of MML on MMShapes: RGB and Flow, each from the RGB network of stage 1, teach each other.
_base_ = [
    '../_base_/models/mml_tsm-r18-narrow.py',
    '../_base_/datasets/mmshapes_clips.py',
    '../_base_/schedules/mml_adamw_30e.py',
    '../_base_/default_runtime.py',
]

stage1 = 'work_dirs/mml_tsm-r18-narrow_scratch-8x1-30e_mmshapes-rgb/epoch_30.pth'
tune_from = dict(checkpoint=stage1, source_modality='rgb', keep_head=True)
branches = dict(
    rgb=dict(_base_.peers.rgb, tune_from=tune_from),
    flow=dict(_base_.peers.flow, tune_from=tune_from),
)
model = dict(num_classes=10, branches=branches)

train_modalities = dict(rgb=_base_.train_lists.rgb, flow=_base_.train_lists.flow)
val_modalities = dict(rgb=_base_.val_lists.rgb, flow=_base_.val_lists.flow)
test_modalities = dict(rgb=_base_.test_lists.rgb, flow=_base_.test_lists.flow)
train_dataloader = dict(dataset=dict(modalities=train_modalities))
val_dataloader = dict(dataset=dict(modalities=val_modalities))
test_dataloader = dict(dataset=dict(modalities=test_modalities))

default_hooks = dict(checkpoint=dict(save_best=['rgb/top1', 'flow/top1', 'ensemble/top1'], rule='greater'))
