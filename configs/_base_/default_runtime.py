# What every run shares: the scope, the model wrapper that drives update schedules, hooks, logs.
default_scope = 'mmmutual'

# mmengine does not choose it by itself, and any other wrapper would leave schedules and modulators out.
model_wrapper_cfg = dict(type='mmmutual.MutualDistributedDataParallel')

default_hooks = dict(
    runtime_info=dict(type='DeferredRuntimeInfoHook'),
    timer=dict(type='IterTimerHook'),
    logger=dict(type='LoggerHook', interval=20, ignore_last=False),
    param_scheduler=dict(type='ParamSchedulerHook'),
    checkpoint=dict(type='ExactCheckpointHook', interval=1, max_keep_ckpts=1, save_best='auto'),
    sampler_seed=dict(type='DistSamplerSeedHook'),
    unify=dict(type='UnifyHook'),  # all processes validate the same network
    consistency=dict(type='ConsistencyHook'),
)

env_cfg = dict(
    cudnn_benchmark=False,
    mp_cfg=dict(mp_start_method='fork', opencv_num_threads=0),
    dist_cfg=dict(backend='auto'),  # nccl where there are GPUs, else gloo
)
randomness = dict(seed=0)

log_processor = dict(type='LogProcessor', window_size=20, by_epoch=True)
vis_backends = [dict(type='LocalVisBackend')]
visualizer = dict(type='Visualizer', vis_backends=vis_backends)
log_level = 'INFO'
load_from = None
resume = False
