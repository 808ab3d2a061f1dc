"""Eight sounds that differ in pitch, timbre and rhythm, as waveforms."""

from typing import Callable, Dict

import numpy as np

SAMPLE_RATE = 16000

Sound = Callable[[np.ndarray, np.random.Generator], np.ndarray]


def _harmonics(t: np.ndarray, frequency: float, weights: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    phases = rng.uniform(0, 2 * np.pi, len(weights))
    orders = np.arange(1, len(weights) + 1)
    return sum(w * np.sin(2 * np.pi * k * frequency * t + p) for w, k, p in zip(weights, orders, phases))


def _hum(t: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    return _harmonics(t, rng.uniform(100, 130), np.array([1, 0.6, 0.35, 0.15]), rng)


def _buzz(t: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    flutter = 1 + 0.5 * np.sin(2 * np.pi * rng.uniform(25, 35) * t)
    return flutter * _harmonics(t, rng.uniform(270, 340), 1 / np.arange(1, 17), rng)


def _whistle(t: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    depth, rate = rng.uniform(1, 2), rng.uniform(4, 6)
    return np.sin(2 * np.pi * rng.uniform(1500, 1900) * t + depth * np.sin(2 * np.pi * rate * t))


def _hiss(t: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    noise = rng.standard_normal(len(t) + 2)
    return 0.5 * (noise[2:] - 1.2 * noise[1:-1] + 0.4 * noise[:-2])


def _since_beat(t: np.ndarray, rate: float, rng: np.random.Generator) -> np.ndarray:
    """Seconds since the last beat of a steady rhythm."""
    return ((t * rate + rng.uniform()) % 1.0) / rate


def _tick(t: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    since = _since_beat(t, rng.uniform(5, 7), rng)
    return 1.6 * np.exp(-since / 0.008) * np.sin(2 * np.pi * rng.uniform(2600, 3400) * since)


def _bell(t: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    since = _since_beat(t, rng.uniform(1.8, 2.4), rng)
    base = rng.uniform(600, 760)
    partials = ((1.0, 1.0, 0.25), (2.76, 0.6, 0.15), (5.4, 0.35, 0.08))
    return 1.3 * sum(w * np.exp(-since / d) * np.sin(2 * np.pi * base * k * since) for k, w, d in partials)


def _siren(t: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    phase = (t * rng.uniform(0.9, 1.2) + rng.uniform()) % 1.0
    frequency = rng.uniform(550, 650) * (1 + np.abs(2 * phase - 1))
    return np.sin(2 * np.pi * np.cumsum(frequency) / SAMPLE_RATE)


def _chirp(t: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    since = _since_beat(t, rng.uniform(3.5, 4.5), rng)
    low = rng.uniform(2400, 2800)
    envelope = np.clip(1 - since / 0.12, 0, 1) * np.clip(since / 0.01, 0, 1)
    return 1.4 * envelope * np.sin(2 * np.pi * (low + 6000 * since) * since)


SOUNDS: Dict[str, Sound] = {
    'hum': _hum,
    'tick': _tick,
    'hiss': _hiss,
    'whistle': _whistle,
    'buzz': _buzz,
    'bell': _bell,
    'siren': _siren,
    'chirp': _chirp,
}


def make_sound(name: str, seconds: float, rng: np.random.Generator) -> np.ndarray:
    """A sound whose pitch, phase and loudness vary from draw to draw.

    Args:
        name: one of :data:`SOUNDS`.
        seconds: length.
        rng: draws the variation.

    Returns:
        float64 (seconds * SAMPLE_RATE,), root mean square 0.05 to 0.12, within (-1, 1).
    """
    wave = SOUNDS[name](np.arange(round(seconds * SAMPLE_RATE)) / SAMPLE_RATE, rng)
    wave = wave * (rng.uniform(0.05, 0.12) / np.sqrt(np.mean(wave**2)))
    return np.tanh(wave)


def room_noise(seconds: float, level: float, rng: np.random.Generator) -> np.ndarray:
    """Hiss of a microphone: white noise of a root mean square, float64 (seconds * SAMPLE_RATE,)."""
    return level * rng.standard_normal(round(seconds * SAMPLE_RATE))


def gate(num_samples: int, start: float, end: float) -> np.ndarray:
    """1 between two times in seconds and 0 elsewhere, with ramps of 10 ms inside, float64 (num_samples,)."""
    t = np.arange(num_samples) / SAMPLE_RATE
    return np.clip(np.minimum(t - start, end - t) / 0.01, 0, 1)
