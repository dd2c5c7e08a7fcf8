"""From a spec to a picture with its truth: rasterise at twice the size, shade, put on the scene, shrink."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from studio.mini.world.cloth import Noise
from studio.mini.world.clothes import draw_clothes
from studio.mini.world.figure import FULL, LOWER, STAND, UPPER, Stage, draw_body
from studio.mini.world.scenes import draw_scene
from studio.mini.world.spec import Spec
from studio.mini.world.surfaces import Buffers, F
from studio.pose.body import landmarks, place
from studio.pose.types import J, Pose

# How tall a figure stands in the frame (statures per frame height), and where its hips' midpoint is (of the frame's
# height).
FRAMING = {"head-to-toe": (0.885, 0.5), "knee-up": (1.22, 0.625), "waist-up": (1.72, 0.865)}


@dataclass(frozen=True)
class Drawing:
    """One picture of the world and everything that is true of it.

    Attributes:
        picture: RGB.
        masks: bool (H, W) for each of "upper", "lower", "full" that is worn, and "person" (wearer and clothes, no
            stand).
        pose: the 33 landmarks in pixels of the picture.
        caption: the picture in words.
    """

    picture: Image.Image
    masks: dict[str, NDArray[np.bool_]]
    pose: Pose
    caption: str

    @property
    def garment(self) -> NDArray[np.bool_]:
        """The main garment's mask: the full one, else the upper."""
        return self.masks["full"] if "full" in self.masks else self.masks["upper"]


@lru_cache(maxsize=8)
def _noise(seed: int) -> Noise:
    return Noise.seeded(seed)


def placement(spec: Spec, size: tuple[int, int]) -> tuple[float, tuple[float, float]]:
    """(stature in pixels, (x, y) of the hips' midpoint) for a frame of that size."""
    width, height = size
    tall, hip_line = FRAMING[spec.crop]
    body = landmarks(spec.angles, spec.person.proportions)
    stature = tall * height * spec.scale
    x = (
        width * (0.5 + spec.offset[0])
        - float(body[[J.LEFT_SHOULDER, J.RIGHT_SHOULDER, J.LEFT_HIP, J.RIGHT_HIP], 0].mean()) * stature
    )
    y = height * (hip_line + spec.offset[1])
    if spec.crop == "head-to-toe":
        # Feet on the floor line, however the pose bends.
        y = height * (0.955 + spec.offset[1]) - float(body[:, 1].max()) * stature
    return stature, (x, y)


def draw(spec: Spec, size: tuple[int, int] = (128, 192), *, oversample: int = 2) -> Drawing:
    """Draw ``spec`` at ``size`` (width, height). The same spec and size give the same bytes."""
    big = (size[0] * oversample, size[1] * oversample)
    stature, hips = placement(spec, big)
    buffers = Buffers(*big)
    stage = Stage.set(buffers, spec, stature=stature, hips=hips, noise=_noise(spec.seed % 8))
    draw_body(stage)
    draw_clothes(stage)
    scene = draw_scene(spec.scene, big, spec.seed, spec.light)
    picture = _composite(stage, scene)
    small = cv2.resize(picture, size, interpolation=cv2.INTER_AREA)
    body = landmarks(spec.angles, spec.person.proportions)
    pose = place(body, size=size, stature=stature / oversample, hips=(hips[0] / oversample, hips[1] / oversample))
    bytes_ = np.round(np.sqrt(np.clip(small, 0, 1)) * 255).astype(np.uint8)
    return Drawing(Image.fromarray(bytes_), _masks(buffers.group, size), pose, spec.caption)


def _masks(group: NDArray[np.uint8], size: tuple[int, int]) -> dict[str, NDArray[np.bool_]]:
    def shrink(part: NDArray[np.bool_]) -> NDArray[np.bool_]:
        return np.asarray(cv2.resize(part.astype(np.float32), size, interpolation=cv2.INTER_AREA) >= 0.5)

    out = {"person": shrink((group > 0) & (group != STAND))}
    for name, code in (("upper", UPPER), ("lower", LOWER), ("full", FULL)):
        if (group == code).any():
            out[name] = shrink(group == code)
    return out


def _composite(stage: Stage, scene: F) -> F:
    b = stage.buffers
    drawn = b.group > 0
    shaded = _shade(stage, drawn)
    ground = scene * (1 - _floor_shadow(stage, drawn)[..., None])
    # One pixel of blur at double size keeps the outline soft without a halo.
    alpha = cv2.GaussianBlur(drawn.astype(np.float32), (0, 0), 0.6)[..., None]
    spread = cv2.GaussianBlur(shaded * drawn[..., None], (0, 0), 0.6) / np.maximum(alpha, 1e-3)
    colour = np.where(drawn[..., None], shaded, spread)
    return np.asarray(ground * (1 - alpha) + colour * alpha, np.float32)


def _smooth_normals(stage: Stage, drawn: NDArray[np.bool_]) -> F:
    """Normals averaged within each material, so that limbs flow into each other, then bent by the relief."""
    b = stage.buffers
    out = np.zeros_like(b.normal)
    sigma = 0.006 * stage.stature
    for code in np.unique(b.group[drawn]):
        part = (b.group == code).astype(np.float32)
        weight = cv2.GaussianBlur(part, (0, 0), sigma)
        mean = cv2.GaussianBlur(b.normal * part[..., None], (0, 0), sigma) / np.maximum(weight, 1e-4)[..., None]
        out += (0.75 * mean + 0.25 * b.normal) * part[..., None]
    gx = cv2.Sobel(b.bump, cv2.CV_32F, 1, 0, ksize=3) / 8
    gy = cv2.Sobel(b.bump, cv2.CV_32F, 0, 1, ksize=3) / 8
    out[..., 0] -= np.clip(gx, -0.8, 0.8)
    out[..., 1] -= np.clip(gy, -0.8, 0.8)
    return np.asarray(out / np.maximum(np.linalg.norm(out, axis=2, keepdims=True), 1e-4), np.float32)


def _shade(stage: Stage, drawn: NDArray[np.bool_]) -> F:
    b, spec = stage.buffers, stage.spec
    normal = _smooth_normals(stage, drawn)
    angle = np.radians(spec.light)
    light = np.array([np.sin(angle) * 0.75, -0.5, 0.72 * np.cos(angle) + 0.25], np.float32)
    light /= np.linalg.norm(light)
    facing = normal @ light
    diffuse = np.clip((facing + 0.35) / 1.35, 0, 1)
    lit = diffuse * _shadow(stage, light, drawn)
    warm = np.where((b.group == 1)[..., None], np.array([1.06, 0.98, 0.94], np.float32), np.float32(1))
    sky = (0.5 - 0.5 * normal[..., 1:2]) * np.array([0.36, 0.38, 0.42], np.float32) + (
        0.5 + 0.5 * normal[..., 1:2]
    ) * np.array([0.2, 0.18, 0.16], np.float32)
    occlusion = _occlusion(stage, drawn)[..., None]
    half = light + np.array([0, 0, 1], np.float32)
    half /= np.linalg.norm(half)
    gloss = np.where(b.group == 2, 0.16, np.where(b.group == 1, 0.05, 0.03)).astype(np.float32)
    shine = gloss * np.clip(normal @ half, 0, 1) ** 22 * lit
    rim = 0.08 * np.clip(1 - normal[..., 2], 0, 1)[..., None] ** 3
    colour = (
        b.colour * (sky * occlusion + lit[..., None] * 0.98 * (0.55 + 0.45 * occlusion)) * warm
        + shine[..., None]
        + rim * b.colour
    )
    return np.asarray(np.clip(colour, 0, 1), np.float32)


def _filled_depth(stage: Stage, drawn: NDArray[np.bool_]) -> F:
    return np.where(drawn, stage.buffers.depth, np.float32(-0.25 * stage.stature)).astype(np.float32)


def _occlusion(stage: Stage, drawn: NDArray[np.bool_]) -> F:
    """Darker where the surroundings stand nearer to the camera (screen-space ambient occlusion)."""
    depth = _filled_depth(stage, drawn)
    total = np.zeros_like(depth)
    for reach in (0.012, 0.035):
        sigma = reach * stage.stature
        around = cv2.GaussianBlur(np.maximum(depth, cv2.GaussianBlur(depth, (0, 0), sigma * 0.3)), (0, 0), sigma)
        total += np.clip((around - depth) / (sigma * 2.2), 0, 1)
    return np.clip(1 - 0.42 * total, 0.3, 1)


def _shadow(stage: Stage, light: F, drawn: NDArray[np.bool_]) -> F:
    """1 in light, down to 0.45 where a nearer part of the figure stands between a pixel and the light."""
    depth = _filled_depth(stage, drawn)
    flat = max(float(np.hypot(light[0], light[1])), 1e-3)
    ux, uy, climb = light[0] / flat, light[1] / flat, light[2] / flat
    covered = np.zeros_like(depth)
    for step in (0.02, 0.04, 0.065, 0.1):
        reach = step * stage.stature
        move = np.array([[1, 0, -ux * reach], [0, 1, -uy * reach]], np.float32)
        seen = cv2.warpAffine(
            depth, move, (depth.shape[1], depth.shape[0]), borderMode=cv2.BORDER_CONSTANT, borderValue=-1e4
        )
        covered = np.maximum(
            covered, np.clip((seen - depth - climb * reach - 0.004 * stage.stature) / (0.012 * stage.stature), 0, 1)
        )
    return 1 - 0.55 * np.asarray(cv2.GaussianBlur(covered, (0, 0), 0.006 * stage.stature))


def _floor_shadow(stage: Stage, drawn: NDArray[np.bool_]) -> F:
    """A soft pool of shade under the feet or the stand."""
    height, width = drawn.shape
    feet = stage.joints[[J.LEFT_HEEL, J.RIGHT_HEEL, J.LEFT_FOOT, J.RIGHT_FOOT]]
    x, y = float(feet[:, 0].mean()), float(feet[:, 1].max())
    if stage.spec.person.stand:
        x, y = float(stage.pelvis[0]), stage.hips[1] + 0.5 * stage.stature
    half = max(float(np.ptp(feet[:, 0])) * 0.6, 0.09 * stage.stature)
    yy, xx = np.mgrid[0:height, 0:width].astype(np.float32)
    side = -np.sin(np.radians(stage.spec.light)) * 0.05 * stage.stature
    pool = np.exp(-(((xx - x - side) / (half * 1.25)) ** 2 + ((yy - y) / (0.024 * stage.stature)) ** 2))
    wide = np.exp(-(((xx - x - side * 2.5) / (half * 2.4)) ** 2 + ((yy - y) / (0.05 * stage.stature)) ** 2))
    return np.asarray(np.clip(0.55 * pool + 0.25 * wide, 0, 0.75), np.float32)
