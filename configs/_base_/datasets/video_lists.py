# The lists that tools/data/<data set>/build_lists.py write, the same for every data set: raw frames and stored flow.
# Videos instead of frames: kind='video', ann_file='lists/train_video.txt', data_prefix='videos'.
# Flow computed on the fly: kind='video_flow', ann_file='lists/train_video.txt', data_prefix='videos'.
train_lists = dict(
    rgb=dict(kind='frames', ann_file='lists/train_rgb.txt', data_prefix='frames'),
    flow=dict(kind='flow_frames', ann_file='lists/train_flow.txt', data_prefix='flow'),
    rgbdiff=dict(kind='frames', ann_file='lists/train_rgb.txt', data_prefix='frames'),
)
val_lists = dict(
    rgb=dict(kind='frames', ann_file='lists/val_rgb.txt', data_prefix='frames'),
    flow=dict(kind='flow_frames', ann_file='lists/val_flow.txt', data_prefix='flow'),
    rgbdiff=dict(kind='frames', ann_file='lists/val_rgb.txt', data_prefix='frames'),
)
