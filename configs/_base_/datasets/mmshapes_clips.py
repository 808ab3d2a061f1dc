# MMShapes, 2 s clips of 10 classes: python tools/data/mmshapes/generate.py --out data/mmshapes
# A config picks its modalities: train_dataloader = dict(dataset=dict(modalities=dict(rgb=_base_.train_lists.rgb)))
_base_ = 'video_8x64px.py'

data_root = 'data/mmshapes/'

train_lists = dict(
    rgb=dict(kind='video', ann_file='lists/train_rgb.txt'),
    flow=dict(kind='flow_frames', ann_file='lists/train_flow.txt'),
    rgbdiff=dict(kind='video', ann_file='lists/train_rgb.txt'),
    audio=dict(kind='audio', ann_file='lists/train_audio.txt'),
)
val_lists = dict(
    rgb=dict(kind='video', ann_file='lists/val_rgb.txt'),
    flow=dict(kind='flow_frames', ann_file='lists/val_flow.txt'),
    rgbdiff=dict(kind='video', ann_file='lists/val_rgb.txt'),
    audio=dict(kind='audio', ann_file='lists/val_audio.txt'),
)
test_lists = dict(
    rgb=dict(kind='video', ann_file='lists/test_rgb.txt'),
    flow=dict(kind='flow_frames', ann_file='lists/test_flow.txt'),
    rgbdiff=dict(kind='video', ann_file='lists/test_rgb.txt'),
    audio=dict(kind='audio', ann_file='lists/test_audio.txt'),
)

train_dataloader = dict(dataset=dict(data_root=data_root))
val_dataloader = dict(dataset=dict(data_root=data_root))
test_dataloader = dict(dataset=dict(data_root=data_root))

val_evaluator = dict(type='BranchAccuracy', topk=(1, 5))
test_evaluator = val_evaluator
