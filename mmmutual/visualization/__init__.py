"""What a person would rather look at."""

from .clip_sheet import clip_sheet
from .flow_color import color_wheel, flow_to_color

__all__ = ['clip_sheet', 'color_wheel', 'flow_to_color']
