# Stage 1 of MML on HMDB51: RGB alone, from the RGB network of Kinetics-400.
_base_ = 'mml_tsm-r50_imagenet-8x1-50e_sthv2-rgb.py'

kinetics = 'work_dirs/mml_tsm-r50_imagenet-8x1-50e_kinetics400-rgb/epoch_50.pth'
encoder = dict(pretrained=None, backbone=dict(partial_bn=True))
tune_from = dict(checkpoint=kinetics, source_modality='rgb', keep_head=False)
rgb = dict(encoder=encoder, head=dict(dropout_ratio=0.8), tune_from=tune_from)
model = dict(num_classes=51, branches=dict(rgb=rgb))

# the first of the three official splits; the others: lists/split2, lists/split3
train_modalities = dict(
    rgb=dict(ann_file='lists/split1/train_rgb.txt'),
)
test_modalities = dict(
    rgb=dict(ann_file='lists/split1/test_rgb.txt'),
)
train_dataloader = dict(dataset=dict(data_root='data/hmdb51/', modalities=train_modalities))
val_dataloader = dict(dataset=dict(data_root='data/hmdb51/', modalities=test_modalities))
test_dataloader = dict(dataset=dict(data_root='data/hmdb51/', modalities=test_modalities))

# TSM's settings for fine-tuning on small sets
optim_wrapper = dict(optimizer=dict(lr=0.001))
param_scheduler = [dict(type='MultiStepLR', milestones=[10, 20], gamma=0.1, by_epoch=True)]
train_cfg = dict(max_epochs=25)
