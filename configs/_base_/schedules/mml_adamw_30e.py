# AdamW for small data sets: from random weights and few clips it is far steadier than the SGD of the TSM recipe.
optim_wrapper = dict(
    type='MutualOptimWrapper',
    constructor='BranchOptimWrapperConstructor',
    optimizer=dict(type='AdamW', lr=3e-3, weight_decay=0.02),
    paramwise_cfg=dict(groups='tsm', fc_lr5=False),
    clip_grad=dict(max_norm=20),
)
param_scheduler = [
    dict(type='LinearLR', start_factor=0.05, by_epoch=False, begin=0, end=20),
    dict(type='CosineAnnealingLR', T_max=30, eta_min=0, by_epoch=True),
]

train_cfg = dict(type='ResumableTrainLoop', max_epochs=30, val_interval=1)
val_cfg = dict()
test_cfg = dict()
auto_scale_lr = dict(enable=False, base_batch_size=16)
