# As mml_tsm-r50.py, with 16 segments.
_base_ = 'mml_tsm-r50.py'

segments = dict(encoder=dict(backbone=dict(num_segments=16)))
peers = dict(rgb=segments, flow=segments, rgbdiff=segments)
