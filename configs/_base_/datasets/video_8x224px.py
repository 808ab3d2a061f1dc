# Clips of 8 segments at 224 x 224 pixels. A config adds the root and the lists of its data set:
#   train_dataloader = dict(dataset=dict(data_root=_base_.data_root, modalities=dict(rgb=_base_.train_lists.rgb)))
train_pipeline = [
    dict(type='SampleSegments', num_segments=8, split='train'),
    dict(type='LoadFrames'),
    dict(type='MultiScaleCrop', size=224),
    dict(type='PackMultiModalInputs'),
]
val_pipeline = [
    dict(type='SampleSegments', num_segments=8, split='val'),
    dict(type='LoadFrames'),
    dict(type='ResizeShortSide', size=256),
    dict(type='CenterCrop', size=224),
    dict(type='PackMultiModalInputs'),
]
test_pipeline = [
    dict(type='SampleSegments', num_segments=8, split='test'),
    dict(type='LoadFrames'),
    dict(type='ResizeShortSide', size=256),
    dict(type='CenterCrop', size=224),
    dict(type='PackMultiModalInputs'),
]
# 2 clips x 3 crops at full resolution: tools/test.py --tta
tta_pipeline = [
    dict(type='SampleSegments', num_segments=8, split='test', twice_sample=True),
    dict(type='LoadFrames'),
    dict(type='ResizeShortSide', size=256),
    dict(type='ThreeCrop', size=256),
    dict(type='PackMultiModalInputs'),
]

# The recipe's batch of 64 on 8 GPUs. What is read are small jpgs: many workers, and uint8 in pinned memory.
train_dataloader = dict(
    batch_size=8,
    num_workers=8,
    persistent_workers=True,
    pin_memory=True,
    drop_last=True,
    sampler=dict(type='ResumableSampler', shuffle=True),
    collate_fn=dict(type='default_collate'),
    dataset=dict(type='VideoListDataset', classes='classes.txt', modalities={}, pipeline=train_pipeline),
)
eval_loader = dict(
    batch_size=8,
    num_workers=8,
    persistent_workers=True,
    pin_memory=True,
    sampler=dict(type='DefaultSampler', shuffle=False),
    collate_fn=dict(type='default_collate'),
)
eval_dataset = dict(type='VideoListDataset', classes='classes.txt', modalities={}, test_mode=True)
val_dataloader = dict(dataset=dict(pipeline=val_pipeline, **eval_dataset), **eval_loader)
test_dataloader = dict(dataset=dict(pipeline=test_pipeline, **eval_dataset), **eval_loader)

val_evaluator = dict(type='BranchAccuracy', topk=(1, 5))
test_evaluator = val_evaluator
