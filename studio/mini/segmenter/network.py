"""The three parts as one network that trains at any size: our encoder, SAM's prompt encoder, SAM's mask decoder."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn

from studio.segmentation.sam_weights import decoding_parts
from studio.segmentation.small_encoder import STRIDE, SmallEncoder
from studio.segmentation.torchvision_names import segment_anything

SHARPER = 1.6  # of the first attention: about a twelfth of the picture's width gets most of the weight


class Segmenter(nn.Module):
    """SAM at its own sizes behind the small encoder. Points and boxes are in pixels of a 1024-pixel square."""

    def __init__(self) -> None:
        super().__init__()
        self.image_encoder = SmallEncoder()
        prompt_encoder, mask_decoder = decoding_parts(segment_anything().modeling)
        # segment_anything carries no types; these are its PromptEncoder and MaskDecoder.
        self.prompt_encoder: Any = prompt_encoder
        self.mask_decoder: Any = mask_decoder
        _look_where_it_was_clicked(self.mask_decoder.transformer)
        for module in self.image_encoder.modules():
            if isinstance(module, nn.BatchNorm2d):
                module.momentum = 0.02  # a step sees few pictures

    def at(self, side: int) -> None:
        """Pictures of ``side`` pixels from now on: the embedding is an eighth of it, whatever stands for 1024."""
        grid = side // STRIDE
        self.prompt_encoder.image_embedding_size = (grid, grid)
        self.prompt_encoder.mask_input_size = (4 * grid, 4 * grid)

    def decode(
        self,
        embeddings: torch.Tensor,
        points: torch.Tensor,
        labels: torch.Tensor,
        masks: torch.Tensor | None,
        keep: torch.Tensor,
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """One prompt for each picture: ``MaskDecoder.predict_masks``, which repeats a single picture, for a batch.

        Args:
            embeddings: (n, 256, g, g).
            points: (n, k, 2), labels: (n, k) with -1 padding.
            masks: (n, 1, 4g, 4g) logits of an earlier answer, or None.
            keep: (n,) bool, which of them have such an answer.

        Returns:
            (n, 4, 4g, 4g) logits and (n, 4) estimated IoU; index 0 is the single answer, 1 to 3 the candidates.
        """
        encoder, decoder = self.prompt_encoder, self.mask_decoder
        sparse = encoder._embed_points(points, labels, pad=False)
        dense = encoder.no_mask_embed.weight.reshape(1, -1, 1, 1).expand_as(embeddings)
        if masks is not None:
            dense = torch.where(keep.view(-1, 1, 1, 1), encoder._embed_masks(masks).to(dense.dtype), dense)
        own = torch.cat([decoder.iou_token.weight, decoder.mask_tokens.weight]).expand(len(points), -1, -1)
        tokens = torch.cat([own, sparse.to(own.dtype)], dim=1)
        position = encoder.get_dense_pe().expand_as(embeddings)
        hidden, image = decoder.transformer(embeddings + dense, position, tokens)
        return self._masks(hidden, image.transpose(1, 2).reshape(embeddings.shape))

    def _masks(self, hidden: torch.Tensor, image: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        decoder = self.mask_decoder
        scores = decoder.iou_prediction_head(hidden[:, 0])
        fine = decoder.output_upscaling(image)
        weights = torch.stack([decoder.output_hypernetworks_mlps[k](hidden[:, 1 + k]) for k in range(4)], dim=1)
        return torch.einsum("nkc,nchw->nkhw", weights, fine), scores


def _look_where_it_was_clicked(transformer: Any) -> None:
    """Start every attention between clicks and picture as nearness: keys are projected as queries are.

    Both carry the same Fourier positions (Tancik et al. 2020, arXiv:2006.10739). With independent projections a fresh
    decoder must first find out, over thousands of steps, that a click and the place beneath it belong together.
    """
    blocks = [(layer.cross_attn_token_to_image, layer.cross_attn_image_to_token) for layer in transformer.layers]
    with torch.no_grad():
        for attention in [one for pair in blocks for one in pair] + [transformer.final_attn_token_to_image]:
            attention.q_proj.weight.mul_(SHARPER)
            attention.k_proj.weight.copy_(attention.q_proj.weight)
            attention.q_proj.bias.zero_()
            attention.k_proj.bias.zero_()
