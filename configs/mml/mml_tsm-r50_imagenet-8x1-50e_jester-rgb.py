# Stage 1 of MML on Jester: RGB alone, from ImageNet.
_base_ = 'mml_tsm-r50_imagenet-8x1-50e_sthv2-rgb.py'

model = dict(num_classes=27)

frames = dict(rgb=dict(filename_tmpl='{:05d}.jpg'))  # as the publishers name them
train_dataloader = dict(dataset=dict(data_root='data/jester/', modalities=frames))
val_dataloader = dict(dataset=dict(data_root='data/jester/', modalities=frames))
test_dataloader = dict(dataset=dict(data_root='data/jester/', modalities=frames))
