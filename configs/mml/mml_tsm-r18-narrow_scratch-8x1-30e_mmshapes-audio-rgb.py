# MML: sound and RGB teach each other.
_base_ = [
    '../_base_/models/mml_tsm-r18-narrow.py',
    '../_base_/datasets/mmshapes_clips.py',
    '../_base_/datasets/audio_2s-64mel.py',
    '../_base_/schedules/mml_adamw_30e.py',
    '../_base_/default_runtime.py',
]

model = dict(num_classes=10, branches=dict(audio=_base_.peers.audio, rgb=_base_.peers.rgb))

train_pipeline = [*_base_.train_audio, *_base_.train_pipeline]
val_pipeline = [*_base_.eval_audio, *_base_.val_pipeline]
test_pipeline = [*_base_.eval_audio, *_base_.test_pipeline]
tta_pipeline = [*_base_.eval_audio, *_base_.tta_pipeline]
train_modalities = dict(audio=_base_.train_lists.audio, rgb=_base_.train_lists.rgb)
val_modalities = dict(audio=_base_.val_lists.audio, rgb=_base_.val_lists.rgb)
test_modalities = dict(audio=_base_.test_lists.audio, rgb=_base_.test_lists.rgb)
train_dataloader = dict(dataset=dict(modalities=train_modalities, pipeline=train_pipeline))
val_dataloader = dict(dataset=dict(modalities=val_modalities, pipeline=val_pipeline))
test_dataloader = dict(dataset=dict(modalities=test_modalities, pipeline=test_pipeline))

default_hooks = dict(checkpoint=dict(save_best=['audio/top1', 'rgb/top1', 'ensemble/top1'], rule='greater'))
