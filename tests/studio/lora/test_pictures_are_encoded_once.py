"""The cache holds what encoding at each step would give; mirrored pictures are their own entries."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from studio.dataset.types import DataSet, Entry
from studio.diffusion.types import FamilyFiles
from studio.errors import InputError
from studio.lora.cache import Cache, build_cache
from studio.lora.networks import load_networks
from studio.lora.order import bucket_sizes
from studio.lora.pictures import TASKS, VARIANTS, picture_size, prepare, repaint_masks, task_odds
from tests.studio.lora.conftest import PLAN
from tests.studio.lora.sets import entry, picture, small_set

CPU = torch.device("cpu")


def cached(files: FamilyFiles, dataset: DataSet, **changes: object) -> tuple[Cache, object]:
    plan = replace(PLAN, **changes)  # type: ignore[arg-type]
    networks = load_networks(files, plan, device=CPU)
    sizes = bucket_sizes(dataset, plan)
    cache = build_cache(networks, dataset, sizes, plan, on_picture=lambda *a: None, should_cancel=lambda: False)
    assert isinstance(cache, Cache)
    return cache, networks


def test_latents_are_the_autoencoders_own(families: dict[str, FamilyFiles], dataset: DataSet) -> None:
    cache, networks = cached(families["tiny"], dataset)
    vae = networks.parts["vae"]  # type: ignore[attr-defined]
    for flip in (False, True):
        photo = Image.open(dataset.entries[1].image).convert("RGB")
        photo = photo.transpose(Image.Transpose.FLIP_LEFT_RIGHT) if flip else photo
        x = torch.tensor(np.asarray(photo)).permute(2, 0, 1)[None].float() / 127.5 - 1
        with torch.no_grad():
            fresh = vae.encode(x).latent_dist
        found = cache.pictures[1, flip]
        assert torch.allclose(found.mean, fresh.mean[0] * vae.config.scaling_factor, atol=1e-6)
        assert torch.allclose(found.deviation, fresh.std[0] * vae.config.scaling_factor, atol=1e-6)
    assert not torch.allclose(cache.pictures[1, False].mean, cache.pictures[1, True].mean.flip(-1), atol=1e-3)


def test_masked_latents_are_those_of_diffusers_inpainting(families: dict[str, FamilyFiles], dataset: DataSet) -> None:
    """What the pipeline makes of picture and mask, for every kind of mask.

    Laid out alike in memory: of an all-grey picture the group norms blow another convolution's rounding up.
    """
    from diffusers.image_processor import VaeImageProcessor

    cache, networks = cached(families["tiny"], dataset)
    vae = networks.parts["vae"]  # type: ignore[attr-defined]
    ready = prepare(dataset.entries[0], (64, 96), flip=False)
    pixels = VaeImageProcessor(vae_scale_factor=8).preprocess(Image.fromarray(ready.pixels))
    masker = VaeImageProcessor(vae_scale_factor=8, do_normalize=False, do_binarize=True, do_convert_grayscale=True)
    found = cache.pictures[0, False]
    for variant, mask in enumerate(repaint_masks(ready.garment, (64, 96))):
        hard = masker.preprocess(Image.fromarray(mask).convert("L"))
        grey = (pixels * (hard < 0.5)).contiguous()
        with torch.no_grad():
            fresh = vae.encode(grey).latent_dist.mean * vae.config.scaling_factor
        assert torch.allclose(found.masked[variant], fresh[0], atol=1e-6)
        assert torch.equal(found.masks[variant], torch.nn.functional.interpolate(hard, size=(12, 8))[0, 0])


def test_a_family_that_does_not_inpaint_has_no_masked_latents(
    families: dict[str, FamilyFiles], dataset: DataSet
) -> None:
    cache, _ = cached(families["tiny_plain"], dataset)
    assert all(one.masked.numel() == one.masks.numel() == 0 for one in cache.pictures.values())


def test_only_what_may_be_mirrored_is(families: dict[str, FamilyFiles], tmp_path: Path) -> None:
    entries = (entry(tmp_path, 0), entry(tmp_path, 1, flip=False), entry(tmp_path, 2, held_out=True))
    cache, _ = cached(families["tiny"], DataSet("zkx", entries))
    assert set(cache.pictures) == {(0, False), (0, True), (1, False), (2, False)}
    cache, _ = cached(families["tiny"], DataSet("zkx", entries), flip=False)
    assert set(cache.pictures) == {(0, False), (1, False), (2, False)}


def test_sdxl_is_told_where_the_crop_lies(families: dict[str, FamilyFiles], tmp_path: Path) -> None:
    one = entry(tmp_path, 0, size=(96, 96))  # twice as wide, for its height, as the bucket: 96 wide at 96 high
    ready = prepare(one, (64, 96), flip=False)
    assert ready.time_ids == (96, 96, 0, 16, 96, 64)
    cache, _ = cached(families["tiny_xl"], DataSet("zkx", (entry(tmp_path, 1),)))
    assert cache.pictures[0, False].time_ids.tolist() == [96, 64, 0, 0, 96, 64]


def test_embeddings_are_the_pipelines(families: dict[str, FamilyFiles], dataset: DataSet) -> None:
    from studio.diffusion.pipelines import build

    for kind in ("tiny", "tiny_xl"):
        cache, networks = cached(families[kind], dataset)
        assert cache.words is not None
        pipeline = build(networks.files.inpaint, networks.parts, networks.files.arguments, scheduler=None)  # type: ignore[attr-defined]
        captions = [one.caption for one in dataset.entries]
        with torch.no_grad():
            made = pipeline.encode_prompt(
                captions, device=CPU, num_images_per_prompt=1, do_classifier_free_guidance=False
            )
        assert torch.allclose(cache.words.states[:-1], made[0], atol=1e-5)
        if kind == "tiny_xl":
            assert cache.words.pooled is not None
            assert torch.allclose(cache.words.pooled[:-1], made[2], atol=1e-5)
            assert not cache.words.states[-1].any() and not cache.words.pooled[-1].any()


def test_masks_reach_as_far_as_their_task_says(tmp_path: Path) -> None:
    garment = np.zeros((192, 128), bool)
    garment[60:120, 40:90] = True
    everything, keep, tight, loose, scene = repaint_masks(garment, (128, 192))
    assert everything.all()
    assert np.array_equal(keep, ~garment)
    assert garment[tight].sum() == garment.sum() and tight.sum() < loose.sum() < (~scene).sum()
    assert np.flatnonzero(tight.any(axis=0))[[0, -1]].tolist() == [38, 91]
    assert np.flatnonzero(loose.any(axis=0))[[0, -1]].tolist() == [29, 100]
    assert len(VARIANTS) == 5 and set(VARIANTS) == set(range(len(TASKS)))
    assert np.allclose(task_odds((1, 1, 2, 0), masked=True), [0.25, 0.5, 0.75, 1.0, 1.0])
    assert task_odds((0, 0, 1, 0), masked=False).tolist() == [1.0]


def test_a_caption_too_long_is_told(families: dict[str, FamilyFiles], tmp_path: Path) -> None:
    from studio.lora.training import train
    from studio.lora.types import Callbacks

    entries = (entry(tmp_path, 0), entry(tmp_path, 1, caption="zkx " + "long words without end " * 9))
    told: dict[str, object] = {}
    callbacks = Callbacks(on_log=lambda code, said: told.update({code: said}))
    train(families["tiny"], DataSet("zkx", entries), replace(PLAN, steps=1), out=tmp_path / "out", callbacks=callbacks,
          device="cpu")  # fmt: skip
    assert told["caption_cut"] == {"pictures": (1,)}


def test_a_rotated_photo_is_trained_upright(tmp_path: Path) -> None:
    image, _ = picture(0)
    exif = Image.Exif()
    exif[0x0112] = 6
    image.transpose(Image.Transpose.ROTATE_90).save(tmp_path / "r.jpg", exif=exif, quality=100, subsampling=0)
    one = Entry(tmp_path / "r.jpg", None, "zkx")
    assert picture_size(one) == (64, 96)
    ready = prepare(one, (64, 96), flip=False)
    assert np.abs(ready.pixels.astype(int) - np.asarray(image)).mean() < 3


@pytest.mark.parametrize("fault", ["text", "missing", "mask_size", "mask_black", "torn"])
def test_a_bad_picture_or_mask_is_refused_by_name(tmp_path: Path, fault: str) -> None:
    one = entry(tmp_path, 0)
    assert one.mask is not None
    if fault == "text":
        one.image.write_text("no picture at all")
    elif fault == "missing":
        one.image.unlink()
    elif fault == "mask_size":
        Image.new("L", (10, 10), 255).save(one.mask)
    elif fault == "mask_black":
        Image.new("L", (64, 96)).save(one.mask)
    elif fault == "torn":
        one.image.write_bytes(one.image.read_bytes()[:200])
    codes = {"mask_size": "mask_wrong_size", "mask_black": "mask_empty"}
    with pytest.raises(InputError) as caught:
        prepare(one, (64, 96), flip=False)
    assert caught.value.code == codes.get(fault, "picture_unreadable")


def test_the_data_hash_follows_content_and_not_places(tmp_path: Path) -> None:
    from studio.lora.identity import data_hash

    first, second = small_set(tmp_path / "a"), small_set(tmp_path / "b")
    assert data_hash(first) == data_hash(second)
    changed = replace(second, entries=(replace(second.entries[0], caption="zkx dress"), *second.entries[1:]))
    assert data_hash(changed) != data_hash(first)
    mask = second.entries[0].mask
    assert mask is not None
    Image.new("L", (64, 96), 255).save(mask)
    assert data_hash(second) != data_hash(first)
