# Any folder of videos as an arrow-of-time task (forward, reversed, still):
#   python tools/data/clips/prepare.py FOLDER --out data/clips
# A config picks its modalities: train_dataloader = dict(dataset=dict(modalities=dict(rgb=_base_.train_lists.rgb)))
_base_ = 'video_8x64px.py'

data_root = 'data/clips/'

train_lists = dict(
    rgb=dict(kind='frames', ann_file='lists/train_rgb.txt'),
    flow=dict(kind='flow_frames', ann_file='lists/train_flow.txt'),
)
val_lists = dict(
    rgb=dict(kind='frames', ann_file='lists/val_rgb.txt'),
    flow=dict(kind='flow_frames', ann_file='lists/val_flow.txt'),
)
test_lists = val_lists  # there are too few videos to hold out two parts

train_dataloader = dict(dataset=dict(data_root=data_root))
val_dataloader = dict(dataset=dict(data_root=data_root))
test_dataloader = dict(dataset=dict(data_root=data_root))

val_evaluator = dict(type='BranchAccuracy', topk=(1,))
test_evaluator = val_evaluator
