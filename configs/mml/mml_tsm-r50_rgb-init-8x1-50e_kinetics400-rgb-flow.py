# Stage 2 of MML on Kinetics-400: RGB and Flow, each from the RGB network of stage 1, teach each other.
_base_ = 'mml_tsm-r50_rgb-init-8x1-50e_sthv2-rgb-flow.py'

stage1 = 'work_dirs/mml_tsm-r50_imagenet-8x1-50e_kinetics400-rgb/epoch_50.pth'
peer = dict(tune_from=dict(checkpoint=stage1))
model = dict(num_classes=400, branches=dict(rgb=peer, flow=peer))

val_dataloader = dict(dataset=dict(data_root='data/kinetics400/'))
test_dataloader = dict(dataset=dict(data_root='data/kinetics400/'))

# TSM's settings for Kinetics: a batch of 128 (16 on each of 8 GPUs), twice the learning rate, less weight decay
train_dataloader = dict(batch_size=16, dataset=dict(data_root='data/kinetics400/'))
optim_wrapper = dict(optimizer=dict(lr=0.02, weight_decay=1e-4))
auto_scale_lr = dict(base_batch_size=128)
