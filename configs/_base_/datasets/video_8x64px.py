# Clips of 8 segments at 64 x 64 pixels, small enough for CPUs. A data set adds its root, its lists and its metric.
train_pipeline = [
    dict(type='SampleSegments', num_segments=8, split='train'),
    dict(type='LoadFrames'),
    dict(type='MultiScaleCrop', size=64),
    dict(type='PackMultiModalInputs'),
]
val_pipeline = [
    dict(type='SampleSegments', num_segments=8, split='val'),
    dict(type='LoadFrames'),
    dict(type='ResizeShortSide', size=72),
    dict(type='CenterCrop', size=64),
    dict(type='PackMultiModalInputs'),
]
test_pipeline = [
    dict(type='SampleSegments', num_segments=8, split='test'),
    dict(type='LoadFrames'),
    dict(type='ResizeShortSide', size=72),
    dict(type='CenterCrop', size=64),
    dict(type='PackMultiModalInputs'),
]
tta_pipeline = [
    dict(type='SampleSegments', num_segments=8, split='test', twice_sample=True),
    dict(type='LoadFrames'),
    dict(type='ResizeShortSide', size=72),
    dict(type='ThreeCrop', size=72),
    dict(type='PackMultiModalInputs'),
]

train_dataloader = dict(
    batch_size=16,
    num_workers=1,
    persistent_workers=True,
    drop_last=True,
    sampler=dict(type='ResumableSampler', shuffle=True),
    collate_fn=dict(type='default_collate'),
    dataset=dict(type='VideoListDataset', classes='classes.txt', modalities={}, pipeline=train_pipeline),
)
eval_loader = dict(
    batch_size=32,
    num_workers=1,
    persistent_workers=True,
    sampler=dict(type='DefaultSampler', shuffle=False),
    collate_fn=dict(type='default_collate'),
)
eval_dataset = dict(type='VideoListDataset', classes='classes.txt', modalities={}, test_mode=True)
val_dataloader = dict(dataset=dict(pipeline=val_pipeline, **eval_dataset), **eval_loader)
test_dataloader = dict(dataset=dict(pipeline=test_pipeline, **eval_dataset), **eval_loader)
