# Peers of MML on mmaction2's ResNet18 without temporal shift (TSN).
backbone = dict(type='mmaction.ResNet', depth=18)
head = dict(type='LinearHead', in_channels=512, dropout_ratio=0.5)

peers = dict(
    rgb=dict(input='rgb', encoder=dict(type='FrameEncoder', backbone=dict(in_channels=3, **backbone)), head=head),
    flow=dict(input='flow', encoder=dict(type='FrameEncoder', backbone=dict(in_channels=10, **backbone)), head=head),
)

model = dict(
    type='MultiModalClassifier',
    data_preprocessor=dict(
        type='MultiModalDataPreprocessor',
        inputs=dict(
            rgb=dict(type='NormalizeFrames', mean=[123.675, 116.28, 103.53], std=[58.395, 57.12, 57.375]),
            flow=dict(type='NormalizeFrames', mean=127.5, std=57.63),
        ),
    ),
    losses=dict(cls=dict(type='BranchCrossEntropy'), mutual=dict(type='MutualKLLoss')),
    fusion=dict(type='MeanLogits'),
)
