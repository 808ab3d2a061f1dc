"""Optical flow as colours."""

import cv2
import numpy as np
from numpy import ndarray

NO_MOTION = 128  # grey level of zero displacement


def flow_to_color(flow: ndarray, full_level: float) -> ndarray:
    """Show 8-bit flow by a colour wheel: white is no motion; right is red, down green, left cyan and up violet.

    Args:
        flow: x and y displacements as grey levels around 128, uint8 (2, H, W).
        full_level: length of the displacement, in grey levels, from which on a colour is full.

    Returns:
        RGB, uint8 (H, W, 3).
    """
    x, y = flow.astype(np.float32) - NO_MOTION
    length, angle = cv2.cartToPolar(x, y, angleInDegrees=True)
    saturation = np.minimum(length / full_level, 1)
    hsv = np.stack([angle % 360, saturation, np.ones_like(length)], axis=2)
    return np.rint(cv2.cvtColor(hsv, cv2.COLOR_HSV2RGB) * 255).astype(np.uint8)


def color_wheel(size: int) -> ndarray:
    """The legend of :func:`flow_to_color`: what colour a displacement from the centre has, on white.

    Args:
        size: side in pixels.

    Returns:
        RGB, uint8 (size, size, 3).
    """
    offsets = np.linspace(-1, 1, size)
    x, y = np.meshgrid(offsets, offsets)
    flow = np.rint(np.stack([x, y]) * 127 + NO_MOTION).astype(np.uint8)
    wheel = flow_to_color(flow, full_level=127)
    wheel[np.hypot(x, y) > 1] = 255
    return wheel
