# The TSM recipe with its multipliers, every peer clipped by its own norm: a tenth of the learning rate after 40 % and
# after 80 % of the epochs. The warm-up is not the recipe's: networks from random weights need it.
optim_wrapper = dict(
    type='MutualOptimWrapper',
    constructor='BranchOptimWrapperConstructor',
    optimizer=dict(type='SGD', lr=0.01, momentum=0.9, weight_decay=5e-4),
    paramwise_cfg=dict(groups='tsm', fc_lr5=True),
    clip_grad=dict(max_norm=20),
)
param_scheduler = [
    dict(type='LinearLR', start_factor=0.05, by_epoch=False, begin=0, end=20),
    dict(type='MultiStepLR', milestones=[8, 16], gamma=0.1, by_epoch=True),
]

train_cfg = dict(type='ResumableTrainLoop', max_epochs=20, val_interval=1)
val_cfg = dict()
test_cfg = dict()
auto_scale_lr = dict(enable=False, base_batch_size=16)
