"""What a person would rather look at."""

from .clip_sheet import clip_sheet, save_clip_sheet
from .flow_color import color_wheel, flow_to_color
from .prediction_sheet_hook import PredictionSheetHook
from .prediction_video import save_prediction_video
from .score_panel import score_panel

__all__ = [
    'PredictionSheetHook',
    'clip_sheet',
    'color_wheel',
    'flow_to_color',
    'save_clip_sheet',
    'save_prediction_video',
    'score_panel',
]
