# As video_8x224px.py, with 16 segments.
_base_ = 'video_8x224px.py'

train_pipeline = [dict(_base_.train_pipeline[0], num_segments=16), *_base_.train_pipeline[1:]]
val_pipeline = [dict(_base_.val_pipeline[0], num_segments=16), *_base_.val_pipeline[1:]]
test_pipeline = [dict(_base_.test_pipeline[0], num_segments=16), *_base_.test_pipeline[1:]]
tta_pipeline = [dict(_base_.tta_pipeline[0], num_segments=16), *_base_.tta_pipeline[1:]]

train_dataloader = dict(dataset=dict(pipeline=train_pipeline))
val_dataloader = dict(dataset=dict(pipeline=val_pipeline))
test_dataloader = dict(dataset=dict(pipeline=test_pipeline))
