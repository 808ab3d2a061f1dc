# Stage 2 of MML: two RGB networks, each from the RGB network of stage 1, teach each other.
_base_ = [
    '../_base_/models/mml_tsm-r50.py',
    '../_base_/datasets/video_lists.py',
    '../_base_/datasets/video_8x224px.py',
    '../_base_/schedules/mml_sgd-step_50e.py',
    '../_base_/default_runtime.py',
]

stage1 = 'work_dirs/mml_tsm-r50_imagenet-8x1-50e_sthv2-rgb/epoch_50.pth'
tune_from = dict(checkpoint=stage1, source_modality='rgb', keep_head=True)
branches = dict(
    rgb_0=dict(_base_.peers.rgb, tune_from=tune_from),
    rgb_1=dict(_base_.peers.rgb, tune_from=tune_from),
)
model = dict(num_classes=174, branches=branches)
optim_wrapper = dict(paramwise_cfg=dict(fc_lr5=False))  # the classifiers are kept

data_root = 'data/sthv2/'
train_modalities = dict(rgb=_base_.train_lists.rgb)
val_modalities = dict(rgb=_base_.val_lists.rgb)
train_dataloader = dict(dataset=dict(data_root=data_root, modalities=train_modalities))
val_dataloader = dict(dataset=dict(data_root=data_root, modalities=val_modalities))
test_dataloader = dict(dataset=dict(data_root=data_root, modalities=val_modalities))  # the test set has no labels

env_cfg = dict(cudnn_benchmark=True)
save_best = ['rgb_0/top1', 'rgb_1/top1', 'ensemble/top1']
default_hooks = dict(checkpoint=dict(save_best=save_best, rule='greater'))
