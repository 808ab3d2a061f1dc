# Stage 2 of MML on Jester: RGB and Flow, each from the RGB network of stage 1, teach each other.
_base_ = 'mml_tsm-r50_rgb-init-8x1-50e_sthv2-rgb-flow.py'

stage1 = 'work_dirs/mml_tsm-r50_imagenet-8x1-50e_jester-rgb/epoch_50.pth'
peer = dict(tune_from=dict(checkpoint=stage1))
model = dict(num_classes=27, branches=dict(rgb=peer, flow=peer))

frames = dict(rgb=dict(filename_tmpl='{:05d}.jpg'))  # as the publishers name them
train_dataloader = dict(dataset=dict(data_root='data/jester/', modalities=frames))
val_dataloader = dict(dataset=dict(data_root='data/jester/', modalities=frames))
test_dataloader = dict(dataset=dict(data_root='data/jester/', modalities=frames))
