# As mml_adamw_30e.py, longer and slower: at 3e-3 RGB alone was still at chance on its training clips after 28 epochs.
_base_ = 'mml_adamw_30e.py'

optim_wrapper = dict(optimizer=dict(lr=1e-3))
param_scheduler = [
    dict(type='LinearLR', start_factor=0.05, by_epoch=False, begin=0, end=20),
    dict(type='CosineAnnealingLR', T_max=40, eta_min=0, by_epoch=True),
]

train_cfg = dict(max_epochs=40)
