"""The bundled ``sam_mini`` as a ``segment_anything`` model in torch: to measure, to export anew, to train on from.

What serves photos is its ONNX (``onnx_encode``, ``onnx_decode``), which needs no torch.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load as load_tensors
from torch import nn
from torch.nn import functional

from studio.errors import WeightsError
from studio.segmentation.bundled import FOLDER, TORCH, bundled, read_checked
from studio.segmentation.sam_weights import IMAGE_SIZE, PIXEL_MEAN, PIXEL_STD, decoding_parts
from studio.segmentation.small_encoder import SIDE, SmallEncoder
from studio.segmentation.torchvision_names import segment_anything


class FullSizeEncoder(nn.Module):
    """The light encoder where SAM has its ViT: (n, 3, 1024, 1024), normalised and padded, in; (n, 256, 64, 64) out.

    ``Sam.preprocess`` pads with the mean colour, ``onnx_encode`` with black as in training: near the rim they differ.
    """

    img_size = IMAGE_SIZE

    def __init__(self, small: SmallEncoder) -> None:
        super().__init__()
        self.small = small

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        halved = functional.avg_pool2d(x, IMAGE_SIZE // SIDE)
        return torch.as_tensor(self.small(halved * self.small.std + self.small.mean))


def torch_folder(folder: Path = FOLDER) -> Path:
    """Where the safetensors lie: beside the ONNX, which a site serves as a whole."""
    return folder.with_name(f"{folder.name}_torch")


def load(folder: Path = FOLDER) -> torch.nn.Module:
    """``segment_anything.modeling.Sam`` in float32 with the bundled weights, in evaluation mode.

    Raises:
        WeightsError: ``weights_missing``, ``weights_damaged``, ``weights_mismatch``.
    """
    modeling = segment_anything().modeling
    small, (prompt_encoder, mask_decoder) = SmallEncoder(), decoding_parts(modeling)
    home = torch_folder(folder)
    said = bundled(folder).sha256
    encoder, decoder = (load_tensors(read_checked(home / name, said[name])) for name in TORCH)
    try:
        small.load_state_dict(_wide(encoder))
        both = nn.ModuleDict({"prompt_encoder": prompt_encoder, "mask_decoder": mask_decoder})
        both.load_state_dict(_wide(decoder))
    except RuntimeError as error:
        raise WeightsError("weights_mismatch", f"The weights in {home} are of another network: {error}") from error
    model: torch.nn.Module = modeling.Sam(
        image_encoder=FullSizeEncoder(small),
        prompt_encoder=prompt_encoder,
        mask_decoder=mask_decoder,
        pixel_mean=list(PIXEL_MEAN),
        pixel_std=list(PIXEL_STD),
    )
    return model.eval()


def _wide(state: dict[str, torch.Tensor]) -> dict[str, Any]:
    return {key: value.float() if value.is_floating_point() else value for key, value in state.items()}
