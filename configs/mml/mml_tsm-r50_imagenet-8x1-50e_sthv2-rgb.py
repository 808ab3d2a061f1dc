# Stage 1 of MML: RGB alone, from ImageNet.
_base_ = [
    '../_base_/models/mml_tsm-r50.py',
    '../_base_/datasets/video_lists.py',
    '../_base_/datasets/video_8x224px.py',
    '../_base_/schedules/mml_sgd-step_50e.py',
    '../_base_/default_runtime.py',
]

encoder = dict(_base_.peers.rgb.encoder, pretrained='torchvision://resnet50')
model = dict(num_classes=174, branches=dict(rgb=dict(_base_.peers.rgb, encoder=encoder)))

data_root = 'data/sthv2/'
train_modalities = dict(rgb=_base_.train_lists.rgb)
val_modalities = dict(rgb=_base_.val_lists.rgb)
train_dataloader = dict(dataset=dict(data_root=data_root, modalities=train_modalities))
val_dataloader = dict(dataset=dict(data_root=data_root, modalities=val_modalities))
test_dataloader = dict(dataset=dict(data_root=data_root, modalities=val_modalities))  # the test set has no labels

env_cfg = dict(cudnn_benchmark=True)
save_best = ['rgb/top1']
default_hooks = dict(checkpoint=dict(save_best=save_best, rule='greater'))
