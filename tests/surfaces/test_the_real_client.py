"""``webuiapi`` of PyPI, unmodified, against the running server and the bundled engine."""

from __future__ import annotations

import numpy as np
import pytest
import webuiapi
from PIL import Image

from tests.surfaces.conftest import Shop, client_of, half, photo

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("mini")]
SIZE = {"width": 64, "height": 96}


@pytest.fixture(autouse=True)
def _nothing_is_flagged(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two steps of the preview engine have any colours, and the first look goes by colours: here it says nothing."""
    monkeypatch.setattr("generation.publishing.state_after_look", lambda finding: {})


@pytest.fixture
def api(live_server, atelier: Shop):
    return client_of(live_server.url, atelier)


def pixels(image: Image.Image) -> np.ndarray:
    return np.asarray(image.convert("RGB")).astype(int)


def test_words_become_pictures_with_their_parameters_in_the_file(api):
    result = api.txt2img(prompt="navy coat", negative_prompt="blur", seed=11, batch_size=2, cfg_scale=2.5, **SIZE)
    assert result.info["warnings"] == []
    assert [image.size for image in result.images] == [(64, 96)] * 2
    assert result.info["all_seeds"] == [11, 12] and result.info["warnings"] == []
    assert result.images[0].info["parameters"] == result.info["infotexts"][0]
    assert result.info["infotexts"][1].startswith("navy coat\nNegative prompt: blur\nSteps: 2, Sampler: DDIM")
    assert "Seed: 12, Size: 64x96, Model: mini" in result.info["infotexts"][1]
    assert (pixels(result.images[0]) != pixels(result.images[1])).any()


def test_a_mask_says_what_is_repainted(api):
    source = photo()
    result = api.img2img(
        images=[source], mask_image=half(), mask_blur=0, inpaint_full_res=False, denoising_strength=1, seed=3, **SIZE
    )
    difference = np.abs(pixels(result.image) - pixels(source)).sum(axis=2)
    assert difference[48:].max() == 0 and (difference[:48] > 0).mean() > 0.5
    turned = api.img2img(
        images=[source], mask_image=half(), mask_blur=0, inpaint_full_res=False, denoising_strength=1, seed=3,
        inpainting_mask_invert=1, **SIZE
    )  # fmt: skip
    assert np.abs(pixels(turned.image) - pixels(source))[:48].max() == 0


def test_a_skeleton_steers_and_comes_back_as_the_detected_map(api):
    drawn = api.custom_post("controlnet/render_openpose_json", payload=standing()).image
    unit = webuiapi.ControlNetUnit(image=drawn, model="control_v11p_sd15_openpose [cab727d4]", weight=1.0)
    with_it = api.txt2img(prompt="navy coat", seed=5, controlnet_units=[unit], alwayson_scripts={}, **SIZE)
    without = api.txt2img(prompt="navy coat", seed=5, alwayson_scripts={}, **SIZE)
    assert len(with_it.images) == 2 and len(without.images) == 1
    assert (pixels(with_it.images[0]) != pixels(without.image)).any()
    assert (pixels(with_it.images[1]) == pixels(drawn)).mean() > 0.99
    assert "ControlNet 0" in with_it.info["extra_generation_params"]


def standing() -> dict:
    """Somebody upright, in OpenPose's JSON."""
    joints = [(32, 14), (32, 24), (25, 24), (22, 36), (21, 47), (39, 24), (42, 36), (43, 47), (28, 50), (27, 68),
              (27, 86), (36, 50), (37, 68), (37, 86), (30, 12), (34, 12), (28, 14), (36, 14)]  # fmt: skip
    numbers = [value for x, y in joints for value in (x, y, 1.0)]
    return {"people": [{"pose_keypoints_2d": numbers}], "canvas_width": 64, "canvas_height": 96}


def test_a_figure_that_was_drawn_is_found_again(api):
    from studio.mini.world import Garment, Person, Spec, draw

    person = Person(skin="white", mannequin=True, stand=True)
    picture = draw(
        Spec(person=person, upper=Garment("coat", "red", sleeve="long"), lower=Garment("trousers", "navy"),
             scene="grey studio"), (400, 600)).picture  # fmt: skip
    found = api.controlnet_detect([picture], module="openpose")
    assert found.images[0].size == (400, 600) and pixels(found.images[0]).max() > 100
    unit = webuiapi.ControlNetUnit(image=picture, module="openpose", model="openpose", resize_mode="Crop and Resize")
    result = api.txt2img(
        prompt="navy coat", seed=5, controlnet_units=[unit], alwayson_scripts={}, width=128, height=192
    )
    assert [image.size for image in result.images] == [(128, 192)] * 2
    assert pixels(result.images[1]).max() > 100 and (pixels(result.images[1]) == 0).mean() > 0.5


def test_lists_and_progress_are_read(api):
    api.util_wait_for_ready(check_interval=0.1)
    assert api.get_progress()["state"]["job_count"] == 0
    assert "mini" in api.util_get_model_names() and "DDIM" in api.util_get_sampler_names()
    assert "karras" in api.util_get_scheduler_names()
    assert api.get_loras() == [] and api.get_prompt_styles() == [] and api.get_sd_vae() == []
    assert "x/y/z plot" in api.get_scripts()["txt2img"]
    api.util_set_model("mini")
    assert api.util_get_current_model() == "mini"
    assert api.get_memory()["ram"]["used"] > 0 and api.get_cmd_flags()["api"] is True
    assert api.refresh_checkpoints() is None and api.interrupt() == {} and api.skip() is None


def test_the_plot_is_one_sheet(api):
    result = api.txt2img(
        prompt="navy coat", seed=4, script_name="X/Y/Z plot",
        script_args=[4, "1-2", [], 7, "navy, green", [], 0, "", [], False, True, *[False] * 5, 4], **SIZE
    )  # fmt: skip
    sheet, *lone = result.images
    assert sheet.size == (2 * 64 + 4, 2 * 96 + 4) and len(lone) == 4
    assert result.info["index_of_first_image"] == 1 and len(set(map(bytes, map(Image.Image.tobytes, lone)))) == 4
    assert (pixels(sheet)[:96, :64] == pixels(lone[0])).all() and (pixels(sheet)[100:, 68:] == pixels(lone[3])).all()


def test_larger_pictures_and_what_a_file_says(api):
    picture = photo()
    assert api.extra_single_image(picture, upscaler_1="Lanczos", upscaling_resize=2).image.size == (128, 192)
    several = api.extra_batch_images([picture, picture], upscaler_1="Nearest", upscaling_resize=3)
    assert [image.size for image in several.images] == [(192, 288)] * 2
    made = api.txt2img(prompt='navy coat, "wool"', seed=8, **SIZE)
    assert api.png_info(made.image).info == made.info["infotexts"][0]


def test_the_second_pass_is_larger(api):
    plain = api.txt2img(prompt="navy coat", seed=8, **SIZE)
    result = api.txt2img(
        prompt="navy coat", seed=8, enable_hr=True, hr_scale=2, hr_upscaler="Lanczos", denoising_strength=0.6, **SIZE
    )
    assert result.image.size == (128, 192) and result.info["denoising_strength"] == 0.6
    assert result.info["warnings"] == []
    assert (pixels(result.image.resize((64, 96))) != pixels(plain.image)).any()


def test_what_points_show_is_cut_out_and_grown(api):
    sam = webuiapi.SegmentAnythingInterface(api)
    assert sam.heartbeat() == {"msg": "Success!"} and sam.get_sam_models() == ["sam_mini"]
    picture = photo((240, 360))
    result = sam.sam_predict(picture, sam_positive_points=[[120, 180]], sam_negative_points=[[10, 10]])
    assert "1 positive prompts, 1 negative prompts" in result.message
    assert [mask.size for mask in result.masks] == [(240, 360)] * 3 and {mask.mode for mask in result.masks} == {"1"}
    shares = [np.asarray(mask).mean() for mask in result.masks]
    best = np.asarray(result.masks[int(np.argmin([abs(share - 0.25) for share in shares]))])
    assert best[180, 120] and not best[10, 10]
    assert np.asarray(result.masked_images[0])[~np.asarray(result.masks[0])].max() == 0

    mask = Image.new("L", picture.size)
    mask.paste(255, (100, 100, 120, 120))
    grown = sam.dilate_mask(picture, mask, dilate_amount=20)
    after = np.asarray(grown.mask)
    assert after[90, 110] and after[110, 129] and not after[91, 91] and not after[110, 131]
