"""Which modules a base family has and how large they are, computed from its architecture: no torch, no weights needed.

Follows diffusers' UNet2DConditionModel and transformers' CLIPTextModel; a test holds it against the classes themselves.
A shape is that of the module's weight: (out, in) of a linear layer, (out, in, k, k) of a convolution.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache

Shape = tuple[int, ...]
Module = tuple[str, str]
"""Component and path, such as ("unet", "mid_block.attentions.0.proj_in")."""


@dataclass(frozen=True)
class Text:
    """A CLIP text encoder: width, width of the layers between, layers, and of the projection (0: none)."""

    width: int
    between: int
    layers: int
    projection: int = 0


@dataclass(frozen=True)
class Architecture:
    """What the tables of one base follow from.

    Attributes:
        channels: of the denoiser's levels.
        depths: transformer layers of each level's attentions, 0 where there are none.
        layers: residual blocks a level on the way down.
        cross: width of the text embeddings.
        linear: whether the transformers' own projections are linear rather than 1x1 convolutions.
        texts: the text encoders.
        added: width of what SDXL adds to the time embedding, 0 for none.
        inputs: input channels taken: the plain family's and the inpainting one's.
    """

    channels: tuple[int, ...]
    depths: tuple[int, ...]
    layers: int
    cross: int
    linear: bool
    texts: tuple[Text, ...]
    added: int = 0
    inputs: tuple[int, ...] = (9, 4)

    @property
    def xl(self) -> bool:
        """Whether it is an SDXL."""
        return len(self.texts) == 2


ARCHITECTURES: Mapping[str, Architecture] = {
    "mini": Architecture((64, 128, 192), (0, 1, 1), 1, 128, False, (Text(128, 384, 3),)),
    "sd15": Architecture((320, 640, 1280, 1280), (1, 1, 1, 0), 2, 768, False, (Text(768, 3072, 12),)),
    "sdxl": Architecture(
        (320, 640, 1280), (0, 2, 10), 2, 2048, True, (Text(768, 3072, 12), Text(1280, 5120, 32, 1280)), added=2816
    ),
}


@cache
def module_shapes(name: str) -> Mapping[Module, tuple[Shape, ...]]:
    """Every linear and convolutional module of a base, with the shapes its weight may have."""
    found = ARCHITECTURES[name]
    table: dict[Module, tuple[Shape, ...]] = {("unet", path): (shape,) for path, shape in unet_modules(found)}
    table["unet", "conv_in"] = tuple((found.channels[0], inputs, 3, 3) for inputs in found.inputs)
    for index, text in enumerate(found.texts):
        component = f"text_encoder{'_2' if index else ''}"
        table |= {(component, path): (shape,) for path, shape in text_modules(text)}
    return table


def unet_modules(found: Architecture) -> Iterator[tuple[str, Shape]]:
    """(path, weight's shape) of the denoiser's modules, but for ``conv_in``."""
    first, last, time = found.channels[0], found.channels[-1], found.channels[0] * 4
    yield "conv_out", (4, first, 3, 3)
    yield "time_embedding.linear_1", (time, first)
    yield "time_embedding.linear_2", (time, time)
    if found.added:
        yield "add_embedding.linear_1", (time, found.added)
        yield "add_embedding.linear_2", (time, time)
    yield from _down(found, time)
    for index in (0, 1):
        yield from _resnet(f"mid_block.resnets.{index}", last, last, time)
    yield from _attention("mid_block.attentions.0", last, max(found.depths[-1], 1), found)
    yield from _up(found, time)


def text_modules(text: Text) -> Iterator[tuple[str, Shape]]:
    """(path, weight's shape) of a text encoder's modules, with the level ``text_model`` that files have."""
    width = text.width
    for layer in range(text.layers):
        start = f"text_model.encoder.layers.{layer}"
        for name in ("q_proj", "k_proj", "v_proj", "out_proj"):
            yield f"{start}.self_attn.{name}", (width, width)
        yield f"{start}.mlp.fc1", (text.between, width)
        yield f"{start}.mlp.fc2", (width, text.between)
    if text.projection:
        yield "text_projection", (text.projection, width)


def _down(found: Architecture, time: int) -> Iterator[tuple[str, Shape]]:
    before = found.channels[0]
    for level, (width, depth) in enumerate(zip(found.channels, found.depths, strict=True)):
        start = f"down_blocks.{level}"
        for layer in range(found.layers):
            yield from _resnet(f"{start}.resnets.{layer}", before, width, time)
            if depth:
                yield from _attention(f"{start}.attentions.{layer}", width, depth, found)
            before = width
        if level < len(found.channels) - 1:
            yield f"{start}.downsamplers.0.conv", (width, width, 3, 3)


def _up(found: Architecture, time: int) -> Iterator[tuple[str, Shape]]:
    skips, before = _skips(found), found.channels[-1]
    levels = list(reversed(list(zip(found.channels, found.depths, strict=True))))
    for level, (width, depth) in enumerate(levels):
        start = f"up_blocks.{level}"
        for layer in range(found.layers + 1):
            yield from _resnet(f"{start}.resnets.{layer}", before + skips.pop(), width, time)
            if depth:
                yield from _attention(f"{start}.attentions.{layer}", width, depth, found)
            before = width
        if level < len(levels) - 1:
            yield f"{start}.upsamplers.0.conv", (width, width, 3, 3)


def _skips(found: Architecture) -> list[int]:
    """Channels of what the way down hands over, in the order it is made."""
    made = [found.channels[0]]
    for level, width in enumerate(found.channels):
        made += [width] * found.layers
        if level < len(found.channels) - 1:
            made.append(width)
    return made


def _resnet(path: str, before: int, width: int, time: int) -> Iterator[tuple[str, Shape]]:
    yield f"{path}.conv1", (width, before, 3, 3)
    yield f"{path}.time_emb_proj", (width, time)
    yield f"{path}.conv2", (width, width, 3, 3)
    if before != width:
        yield f"{path}.conv_shortcut", (width, before, 1, 1)


def _attention(path: str, width: int, depth: int, found: Architecture) -> Iterator[tuple[str, Shape]]:
    square: Shape = (width, width) if found.linear else (width, width, 1, 1)
    yield f"{path}.proj_in", square
    yield f"{path}.proj_out", square
    for block in range(depth):
        start = f"{path}.transformer_blocks.{block}"
        for attention, read in (("attn1", width), ("attn2", found.cross)):
            yield f"{start}.{attention}.to_q", (width, width)
            yield f"{start}.{attention}.to_k", (width, read)
            yield f"{start}.{attention}.to_v", (width, read)
            yield f"{start}.{attention}.to_out.0", (width, width)
        yield f"{start}.ff.net.0.proj", (8 * width, width)
        yield f"{start}.ff.net.2", (width, 4 * width)
