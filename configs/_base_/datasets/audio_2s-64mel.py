# Sound of 2 s as a picture of 64 mel bands x 201 frames (10 ms each). A config puts these steps before those of its
# frames: train_pipeline = [*_base_.train_audio, *_base_.train_pipeline]. Training hears 1.6 s from anywhere.
train_audio = [
    dict(type='LoadAudio', sample_rate=16000),
    dict(type='CropOrPadAudio', duration=1.6, mode='random'),
    dict(type='LogMelSpectrogram', n_mels=64),
]
eval_audio = [
    dict(type='LoadAudio', sample_rate=16000),
    dict(type='CropOrPadAudio', duration=2.0, mode='center'),
    dict(type='LogMelSpectrogram', n_mels=64),
]
