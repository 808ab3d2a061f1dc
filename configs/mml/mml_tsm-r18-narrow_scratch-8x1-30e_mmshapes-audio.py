# Sound alone: one branch, no teacher.
_base_ = [
    '../_base_/models/mml_tsm-r18-narrow.py',
    '../_base_/datasets/mmshapes_clips.py',
    '../_base_/datasets/audio_2s-64mel.py',
    '../_base_/schedules/mml_adamw_30e.py',
    '../_base_/default_runtime.py',
]

model = dict(num_classes=10, branches=dict(audio=_base_.peers.audio))

train_pipeline = [*_base_.train_audio, dict(type='PackMultiModalInputs')]
val_pipeline = [*_base_.eval_audio, dict(type='PackMultiModalInputs')]
test_pipeline = val_pipeline
tta_pipeline = val_pipeline  # sound has one view
train_modalities = dict(audio=_base_.train_lists.audio)
val_modalities = dict(audio=_base_.val_lists.audio)
test_modalities = dict(audio=_base_.test_lists.audio)
train_dataloader = dict(dataset=dict(modalities=train_modalities, pipeline=train_pipeline))
val_dataloader = dict(dataset=dict(modalities=val_modalities, pipeline=val_pipeline))
test_dataloader = dict(dataset=dict(modalities=test_modalities, pipeline=test_pipeline))

default_hooks = dict(checkpoint=dict(save_best='audio/top1', rule='greater'))
