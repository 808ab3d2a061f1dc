# The TSM recipe: a tenth of the learning rate after 40 % and after 80 % of the epochs, no warm-up, every peer clipped
# by its own norm. Cosine: param_scheduler = [dict(type='CosineAnnealingLR', T_max=50, eta_min=0, by_epoch=True)].
optim_wrapper = dict(
    type='MutualOptimWrapper',
    constructor='BranchOptimWrapperConstructor',
    optimizer=dict(type='SGD', lr=0.01, momentum=0.9, weight_decay=5e-4),
    paramwise_cfg=dict(groups='tsm', fc_lr5=True),
    clip_grad=dict(max_norm=20),
)
param_scheduler = [dict(type='MultiStepLR', milestones=[20, 40], gamma=0.1, by_epoch=True)]

train_cfg = dict(type='ResumableTrainLoop', max_epochs=50, val_interval=1)
val_cfg = dict()
test_cfg = dict()
auto_scale_lr = dict(enable=False, base_batch_size=64)
