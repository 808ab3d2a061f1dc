# As mml_adamw_30e.py, longer and slower, for few clips in which only order tells: at 1e-3 the classifier of RGB often
# shrinks to a constant in the first epochs and never comes back.
_base_ = 'mml_adamw_30e.py'

optim_wrapper = dict(optimizer=dict(lr=3e-4))
param_scheduler = [
    dict(type='LinearLR', start_factor=0.05, by_epoch=False, begin=0, end=20),
    dict(type='CosineAnnealingLR', T_max=80, eta_min=0, by_epoch=True),
]

train_cfg = dict(max_epochs=80, val_interval=10)
