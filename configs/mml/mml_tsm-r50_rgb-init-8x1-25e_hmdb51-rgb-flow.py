# Stage 2 of MML on HMDB51: RGB and Flow, each from the RGB network of stage 1, teach each other.
_base_ = 'mml_tsm-r50_rgb-init-8x1-50e_sthv2-rgb-flow.py'

encoder = dict(backbone=dict(partial_bn=True))
stage1 = 'work_dirs/mml_tsm-r50_kinetics400-init-8x1-25e_hmdb51-rgb/epoch_25.pth'
peer = dict(encoder=encoder, head=dict(dropout_ratio=0.8), tune_from=dict(checkpoint=stage1))
model = dict(num_classes=51, branches=dict(rgb=peer, flow=peer))

# the first of the three official splits; the others: lists/split2, lists/split3
train_modalities = dict(
    rgb=dict(ann_file='lists/split1/train_rgb.txt'),
    flow=dict(ann_file='lists/split1/train_flow.txt'),
)
test_modalities = dict(
    rgb=dict(ann_file='lists/split1/test_rgb.txt'),
    flow=dict(ann_file='lists/split1/test_flow.txt'),
)
train_dataloader = dict(dataset=dict(data_root='data/hmdb51/', modalities=train_modalities))
val_dataloader = dict(dataset=dict(data_root='data/hmdb51/', modalities=test_modalities))
test_dataloader = dict(dataset=dict(data_root='data/hmdb51/', modalities=test_modalities))

# TSM's settings for fine-tuning on small sets
optim_wrapper = dict(optimizer=dict(lr=0.001))
param_scheduler = [dict(type='MultiStepLR', milestones=[10, 20], gamma=0.1, by_epoch=True)]
train_cfg = dict(max_epochs=25)
