"""How likely a colour is, given examples: small Gaussian mixtures over CIELAB.

The mixture is fitted once by k-means and the spread of each cluster, which is enough for a handful of garment or skin
tones and, unlike EM from random starts, gives the same answer each time.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]

# Density of a colour that could be anything: about one over the volume of sRGB's gamut in CIELAB.
ANYTHING = 1e-6
# The Monk Skin Tone scale's ten tones (Monk 2019, https://skintone.google), for figures whose face is not in view.
MONK_TONES = (
    (246, 237, 228), (243, 231, 219), (247, 234, 208), (234, 218, 186), (215, 189, 150),
    (160, 126, 86), (130, 92, 67), (96, 65, 52), (58, 49, 42), (41, 36, 32),
)  # fmt: skip


@dataclass(frozen=True)
class ColourModel:
    """A mixture of Gaussians over CIELAB (L 0..100, a and b about -110..110).

    Attributes:
        weights: (k,) summing to 1.
        means: (k, 3).
        inverses: (k, 3, 3) inverse covariances.
        log_peaks: (k,) log density at each mean.
    """

    weights: NDArray[np.float64]
    means: NDArray[np.float64]
    inverses: NDArray[np.float64]
    log_peaks: NDArray[np.float64]

    def density(self, lab: Floats) -> Floats:
        """Density at each colour of (..., 3)."""
        flat = lab.reshape(-1, 3)
        total = np.zeros(len(flat), np.float32)
        for weight, mean, inverse, peak in zip(self.weights, self.means, self.inverses, self.log_peaks, strict=True):
            offset = flat - mean.astype(np.float32)
            distance = np.einsum("ni,ij,nj->n", offset, inverse.astype(np.float32), offset, optimize=True)
            total += np.float32(weight) * np.exp(np.float32(peak) - distance / 2)
        return total.reshape(lab.shape[:-1])


def to_lab(rgb: NDArray[np.uint8]) -> Floats:
    """CIELAB of (H, W, 3) uint8 sRGB, float32."""
    return np.asarray(cv2.cvtColor(rgb.astype(np.float32) / 255, cv2.COLOR_RGB2LAB), np.float32)


def fit(samples: Floats, *, components: int, floor: tuple[float, float, float] = (16.0, 6.0, 6.0)) -> ColourModel:
    """A mixture of at most ``components`` Gaussians.

    Args:
        samples: (n, 3) CIELAB, n at least 1.
        components: clusters asked for; fewer when there are few samples.
        floor: variance added to L, a and b: what light and noise change in any cloth.
    """
    thinned = samples[:: max(1, len(samples) // 4000)]
    labels = clusters(thinned, components)
    groups = [thinned[labels == i] for i in range(components)]
    return _mixture([group for group in groups if len(group)], len(thinned), np.diag(floor))


def clusters(samples: Floats, count: int) -> NDArray[np.int32]:
    """(n,) the k-means cluster, 0..count-1, of each of (n, 3) samples; fewer clusters when there are few samples."""
    # The seed is set because OpenCV's k-means draws its starts from a generator that others advance.
    cv2.setRNGSeed(7)
    stop = (cv2.TERM_CRITERIA_EPS + cv2.TERM_CRITERIA_MAX_ITER, 20, 0.1)
    least = max(1, min(count, len(samples) // 8))
    _, labels, _ = cv2.kmeans(np.ascontiguousarray(samples, np.float32), least, None, stop, 1, cv2.KMEANS_PP_CENTERS)
    return np.asarray(labels[:, 0], np.int32)


def around(tones: Floats, *, floor: tuple[float, float, float]) -> ColourModel:
    """One Gaussian of variance ``floor`` around each of the (k, 3) colours."""
    return _mixture([tone[None] for tone in tones], len(tones), np.diag(floor))


def _mixture(groups: list[Floats], total: int, floor: NDArray[np.float64]) -> ColourModel:
    covariances = [np.cov(c, rowvar=False) + floor if len(c) > 3 else floor for c in groups]
    determinants = np.array([np.linalg.det(c) for c in covariances])
    return ColourModel(
        weights=np.array([len(c) / total for c in groups]),
        means=np.array([c.mean(axis=0) for c in groups], np.float64),
        inverses=np.array([np.linalg.inv(c) for c in covariances]),
        log_peaks=-0.5 * np.log((2 * np.pi) ** 3 * determinants),
    )


def in_other_light(samples: Floats) -> Floats:
    """(n, 3) CIELAB samples, and the same surfaces from half in shadow to lit more brightly."""
    factors = (0.5, 0.7, 0.85, 1.0, 1.12)
    # Less light scales linear RGB, and so XYZ: in CIELAB that scales L + 16 and the chroma alike, by the cube root.
    shifted = [(samples + (16, 0, 0)) * np.cbrt(factor) - (16, 0, 0) for factor in factors]
    return np.asarray(np.concatenate(shifted), np.float32)


def generic_skin() -> ColourModel:
    """Skin of any person, in ordinary light."""
    tones = to_lab(np.array([MONK_TONES], np.uint8))[0]
    return around(in_other_light(tones), floor=(30.0, 16.0, 16.0))


def separation(first: ColourModel, second: ColourModel, of_first: Floats, of_second: Floats) -> float:
    """How surely the two models tell each other's (n, 3) samples apart: 0 not at all, 1 always."""
    right_first = np.mean(first.density(of_first) > second.density(of_first))
    right_second = np.mean(second.density(of_second) > first.density(of_second))
    return float(np.clip(right_first + right_second - 1, 0, 1))
