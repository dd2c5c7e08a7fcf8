"""The light image encoder of the bundled SAM (``sam_mini``): 4.2 M parameters in the place of ViT-B's 90 M.

A convolutional pyramid with a few attention blocks at its coarsest level, read out at an eighth of its input: 512
pixels in, (256, 64, 64) out, which is what SAM's mask decoder expects of a 1024-pixel photo. Sources: feature pyramids,
Lin et al. 2017, https://arxiv.org/abs/1612.03144; conditional positions, Chu et al. 2021,
https://arxiv.org/abs/2102.10882.
"""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional

SIDE = 512  # of the picture it reads, half of SAM's 1024
STRIDE = 8
CHANNELS = 256
WIDTHS = (32, 64, 128, 256)
ATTENTION = 3
HEADS = 4
PYRAMID = 128
# The mean and spread of ImageNet's pixels, as SAM's own preprocessing has them; pixels come in 0..255.
MEAN = (123.675, 116.28, 103.53)
STD = (58.395, 57.12, 57.375)


def _conv(inputs: int, outputs: int, kernel: int, stride: int = 1) -> nn.Sequential:
    padding = kernel // 2 if stride < kernel else 0
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, kernel, stride, padding, bias=False), nn.BatchNorm2d(outputs), nn.ReLU(inplace=True)
    )


class _Residual(nn.Module):
    """Two 3x3 convolutions beside the identity."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.first = _conv(width, width, 3)
        self.second = nn.Sequential(nn.Conv2d(width, width, 3, padding=1, bias=False), nn.BatchNorm2d(width))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return functional.relu(x + self.second(self.first(x)))


class _Attention(nn.Module):
    """A transformer block over the coarsest level; a depthwise convolution tells each place where it is."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.place = nn.Conv2d(width, width, 3, padding=1, groups=width)
        self.before = nn.LayerNorm(width)
        self.qkv = nn.Linear(width, 3 * width)
        self.out = nn.Linear(width, width)
        self.between = nn.LayerNorm(width)
        self.widen = nn.Linear(width, 4 * width)
        self.narrow = nn.Linear(4 * width, width)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = x + self.place(x)
        batch, width, height, side = x.shape
        rows = x.flatten(2).transpose(1, 2)
        q, k, v = self.qkv(self.before(rows)).reshape(batch, height * side, 3, HEADS, width // HEADS).unbind(2)
        seen = functional.scaled_dot_product_attention(q.transpose(1, 2), k.transpose(1, 2), v.transpose(1, 2))
        rows = rows + self.out(seen.transpose(1, 2).flatten(2))
        rows = rows + self.narrow(functional.gelu(self.widen(self.between(rows))))
        return torch.as_tensor(rows.transpose(1, 2).reshape(batch, width, height, side))


class SmallEncoder(nn.Module):
    """(n, 3, S, S) RGB in 0..255 -> (n, 256, S/8, S/8); S a multiple of 32, 512 where it serves."""

    mean: torch.Tensor
    std: torch.Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("mean", torch.tensor(MEAN).view(1, 3, 1, 1), persistent=False)
        self.register_buffer("std", torch.tensor(STD).view(1, 3, 1, 1), persistent=False)
        a, b, c, d = WIDTHS
        self.quarter = nn.Sequential(_conv(3, a, 4, 4), _Residual(a))
        self.eighth = nn.Sequential(_conv(a, b, 3, 2), _Residual(b), _Residual(b))
        self.sixteenth = nn.Sequential(_conv(b, c, 3, 2), _Residual(c), _Residual(c))
        self.coarsest = nn.Sequential(_conv(c, d, 3, 2), *(_Attention(d) for _ in range(ATTENTION)))
        self.from_coarsest = nn.Conv2d(d, PYRAMID, 1)
        self.from_sixteenth = nn.Conv2d(c, PYRAMID, 1)
        self.from_eighth = nn.Conv2d(b, PYRAMID, 1)
        # What the quarter sees of fine outlines, folded into the eighth: four pixels become four times the channels.
        self.from_quarter = nn.Conv2d(a, PYRAMID, 2, 2)
        self.merge = _Residual(PYRAMID)
        self.finish = _Residual(PYRAMID)
        self.out = nn.Conv2d(PYRAMID, CHANNELS, 1)

    def forward(self, pixels: torch.Tensor) -> torch.Tensor:
        quarter = self.quarter((pixels - self.mean) / self.std)
        eighth = self.eighth(quarter)
        sixteenth = self.sixteenth(eighth)
        coarse = self.from_coarsest(self.coarsest(sixteenth))
        middle = self.merge(self.from_sixteenth(sixteenth) + _twice(coarse))
        fine = self.from_eighth(eighth) + self.from_quarter(quarter) + _twice(middle)
        return torch.as_tensor(self.out(self.finish(fine)))


def _twice(x: torch.Tensor) -> torch.Tensor:
    return functional.interpolate(x, scale_factor=2.0, mode="nearest")
