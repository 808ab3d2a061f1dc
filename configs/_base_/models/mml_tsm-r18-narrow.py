# Peers of MML on a narrow TSM-ResNet18, small enough to train on two CPU cores. A config picks its branches:
#   model = dict(branches=dict(rgb=_base_.peers.rgb, flow=_base_.peers.flow))
backbone = dict(type='ResNetTSM', depth=18, base_channels=16, num_segments=8, shift_div=8)
audio_backbone = dict(type='ResNetTSM', depth=18, base_channels=16, is_shift=False)
head = dict(type='LinearHead', in_channels=128, dropout_ratio=0.2)

# Flow: 5 pairs of x and y per segment; RGBDiff: 5 differences of 3 channels. Audio: a spectrogram, read as one picture.
peers = dict(
    rgb=dict(input='rgb', encoder=dict(type='FrameEncoder', backbone=dict(in_channels=3, **backbone)), head=head),
    flow=dict(input='flow', encoder=dict(type='FrameEncoder', backbone=dict(in_channels=10, **backbone)), head=head),
    rgbdiff=dict(
        input='rgbdiff', encoder=dict(type='FrameEncoder', backbone=dict(in_channels=15, **backbone)), head=head
    ),
    audio=dict(
        input='audio', encoder=dict(type='FrameEncoder', backbone=dict(in_channels=1, **audio_backbone)), head=head
    ),
)

model = dict(
    type='MultiModalClassifier',
    data_preprocessor=dict(
        type='MultiModalDataPreprocessor',
        inputs=dict(
            rgb=dict(type='NormalizeFrames', mean=[123.675, 116.28, 103.53], std=[58.395, 57.12, 57.375]),
            flow=dict(type='NormalizeFrames', mean=127.5, std=57.63),
            rgbdiff=dict(type='FrameDifference', num_frames=6, std=255.0),
            audio=dict(type='NormalizeFrames', mean=-2.1, std=2.3),  # log-mel of MMShapes
        ),
    ),
    losses=dict(cls=dict(type='BranchCrossEntropy'), mutual=dict(type='MutualKLLoss')),
    fusion=dict(type='MeanLogits'),
)
