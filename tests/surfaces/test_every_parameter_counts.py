"""Each parameter reaches the engine, changes the answer, is warned of, or is refused: none is swallowed."""

from __future__ import annotations

import json
from typing import Any

import pytest

from generation.surfaces import pictures
from generation.surfaces.a1111 import fields
from tests.surfaces.conftest import Caller, half, photo, shoots_of

pytestmark = pytest.mark.django_db(transaction=True)


def text_of(image: Any) -> str:
    return pictures.text_of(pictures.png(image))


def info(answer: Any) -> dict[str, Any]:
    assert answer.status_code == 200, answer.text
    return json.loads(answer.json()["info"])


def refused(answer: Any) -> tuple[int, str]:
    body = answer.json()
    assert set(body) == {"error", "detail", "body", "errors"}
    return answer.status_code, body["errors"]


def requested(painter: Any) -> dict[str, Any]:
    return painter.asked[-1]["request"]


# What a field makes of the engine's own request.
REACHES = {
    "prompt": ("green hat", {"prompt": "green hat"}),
    "negative_prompt": ("blur", {"negative_prompt": "blur"}),
    "seed": (99, {"seed": 99}),
    "batch_size": (2, {"batch_size": 2}),
    "n_iter": (3, {"iterations": 3}),
    "steps": (9, {"steps": 9}),
    "cfg_scale": (3.5, {"guidance_scale": 3.5}),
    "width": (128, {"width": 128}),
    "height": (128, {"height": 128}),
    "sampler_name": ("Euler a", {"sampler": "Euler a"}),
    "scheduler": ("karras", {"scheduler": "Karras"}),
    "override_settings": ({"CLIP_stop_at_last_layers": 2}, {"clip_skip": 2}),
}


@pytest.mark.parametrize("name", REACHES)
def test_a_field_of_txt2img_reaches_the_engine(alice: Caller, painter: Any, name: str) -> None:
    value, expected = REACHES[name]
    more = {"sampler_name": "DPM++ 2M"} if name == "scheduler" else {}
    info(alice.txt2img(**{**more, name: value}))
    assert expected.items() <= requested(painter).items()


def test_the_old_name_of_the_sampler_counts_where_the_new_one_is_missing(alice: Caller, painter: Any) -> None:
    info(alice.txt2img(sampler_name=None, sampler_index="DPM++ 2M Karras"))
    assert (requested(painter)["sampler"], requested(painter)["scheduler"]) == ("DPM++ 2M", "Karras")


REACHES_IMAGE = {
    "denoising_strength": (0.5, {"denoising_strength": 0.5}),
    "inpainting_fill": (2, {"fill": 2}),
    "inpainting_mask_invert": (1, {"mask_invert": True}),
    "inpaint_full_res": (False, {"only_masked": False}),
    "inpaint_full_res_padding": (7, {"only_masked_padding": 7}),
    "mask_blur": (9, {"mask_blur": 9.0}),
    "resize_mode": (1, {"resize": "crop"}),
}


@pytest.mark.parametrize("name", REACHES_IMAGE)
def test_a_field_of_img2img_reaches_the_engine(alice: Caller, painter: Any, name: str) -> None:
    value, expected = REACHES_IMAGE[name]
    info(alice.img2img(init_images=[text_of(photo())], mask=text_of(half()), **{name: value}))
    assert expected.items() <= requested(painter).items()
    assert {"image", "mask"} <= set(requested(painter))


def test_without_a_mask_nothing_of_it_counts(alice: Caller, painter: Any) -> None:
    info(alice.img2img(init_images=["data:image/png;base64," + text_of(photo())], inpaint_full_res=True))
    assert "mask" not in requested(painter) and requested(painter)["only_masked"] is False


def test_the_second_pass_is_asked_for_with_all_its_fields(alice: Caller, painter: Any, atelier: Any) -> None:
    answer = alice.txt2img(
        enable_hr=True, hr_resize_x=128, denoising_strength=0.4, hr_second_pass_steps=5, hr_upscaler="Nearest",
        hr_prompt="silk", hr_negative_prompt="dust", hr_sampler_name="Euler", hr_scheduler="karras",
    )  # fmt: skip
    assert info(answer)["extra_generation_params"]["Hires resize"] == "128x192"
    assert painter.asked[-1]["second"] == {
        "width": 128, "height": 192, "steps": 5, "strength": 0.4, "enlarge": "nearest", "prompt": "silk",
        "negative_prompt": "dust", "sampler": "Euler", "scheduler": "Karras", "controls": True,
    }  # fmt: skip
    assert shoots_of(atelier)[-1].price == 2


# What changes the answer, and what is said of the rest.
WARNED = {
    "restore_faces": True, "tiling": True, "eta": 0.3, "s_churn": 0.2, "s_tmin": 0.1, "s_tmax": 5, "s_noise": 1.1,
    "s_min_uncond": 0.5, "styles": ["my style"], "infotext": "Steps: 3", "save_images": True, "comments": {"a": "b"},
    "refiner_switch_at": 0.8, "subseed": 4, "a_field_of_tomorrow": 1, "script_args": [1],
}  # fmt: skip


@pytest.mark.parametrize("name", WARNED)
def test_what_only_polishes_is_said_in_the_warnings(alice: Caller, painter: Any, name: str) -> None:
    said = info(alice.txt2img(**{name: WARNED[name]}))
    [warning] = said["warnings"]
    assert name in warning or "my style" in warning
    assert said["extra_generation_params"]["Warnings"] == warning


REFUSED = {
    "subseed_strength": (0.5, 422), "seed_resize_from_h": (128, 422), "seed_resize_from_w": (128, 422),
    "refiner_checkpoint": ("sdxl", 422), "script_name": ("outpainting", 422), "sampler_name": ("Sam", 400),
    "scheduler": ("never", 400), "steps": (0, 400), "batch_size": (40, 400), "width": (65, 422), "seed": (-7, 400),
    "cfg_scale": ("much", 422), "override_settings": ({"sd_hypernetwork": "x"}, 400), "n_iter": (17, 400),
    "alwayson_scripts": ({"Roop": {"args": [True]}}, 422), "prompt": (7, 422),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_what_can_not_be_done_is_refused_and_nothing_is_ordered(
    alice: Caller, atelier: Any, painter: Any, name: str
) -> None:
    value, status = REFUSED[name]
    answer = alice.txt2img(**{name: value})
    assert refused(answer)[0] == status, answer.text
    assert shoots_of(atelier) == [] and painter.asked == []


REFUSED_IMAGE = {
    "init_images": ([], 404), "mask": ("/etc/passwd", 422), "latent_mask": ("x", 422), "resize_mode": (3, 422),
    "mask_blur_x": (9, 422), "denoising_strength": (0, 400), "inpainting_fill": (9, 400),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED_IMAGE)
def test_what_img2img_can_not_do_is_refused(alice: Caller, atelier: Any, painter: Any, name: str) -> None:
    value, status = REFUSED_IMAGE[name]
    answer = alice.img2img(**{"init_images": [text_of(photo())], "mask": text_of(half()), name: value})
    assert refused(answer)[0] == status, answer.text
    assert shoots_of(atelier) == []


def test_a_path_of_the_server_is_no_picture(alice: Caller, painter: Any, tmp_path: Any) -> None:
    place = tmp_path / "secret.png"
    photo().save(place)
    for text in (str(place), f"file://{place}", "http://127.0.0.1/x.png", "https://localhost/x.png"):
        answer = alice.img2img(init_images=[text])
        assert answer.status_code in (400, 422), (text, answer.text)
    assert (
        refused(alice.post("sam/sam-predict", {"input_image": str(place), "sam_positive_points": [[1, 1]]}))[0] == 422
    )


def test_the_answer_obeys_what_is_about_the_answer(alice: Caller, painter: Any) -> None:
    assert alice.txt2img(send_images=False).json()["images"] == []
    source = text_of(photo())
    assert alice.img2img(init_images=[source]).json()["parameters"]["init_images"] is None
    told = alice.img2img(init_images=[source], include_init_images=True).json()["parameters"]
    assert told["init_images"] == [source] and told["steps"] == 2
    several = alice.txt2img(batch_size=3, override_settings={"return_grid": True})
    assert len(several.json()["images"]) == 4 and info(several)["index_of_first_image"] == 1
    bare = alice.txt2img(override_settings={"enable_pnginfo": False}).json()["images"][0]
    assert pictures.parameters_in(pictures.decoded(bare, field="")) == {}


def test_each_field_of_a1111_stands_in_the_documentation() -> None:
    from pathlib import Path

    page = Path(__file__).resolve().parents[2].joinpath("docs", "surfaces.md").read_text(encoding="utf-8")
    missing = [name for name in {**fields.TEXT, **fields.IMAGE} if f"`{name}`" not in page]
    assert missing == []


# --- ControlNet -------------------------------------------------------------------------------------------------------
def unit(**more: Any) -> dict[str, Any]:
    one = {"enabled": True, "image": text_of(photo()), "model": "openpose", **more}
    return {"controlnet": {"args": [one]}}


def test_a_unit_reaches_the_engine(alice: Caller, painter: Any) -> None:
    scripts = unit(weight=0.6, guidance_start=0.1, guidance_end=0.8, resize_mode="Resize and Fill")
    answer = alice.txt2img(alwayson_scripts=scripts)
    [control] = requested(painter)["controls"]
    assert {"kind": "openpose", "weight": 0.6, "start": 0.1, "end": 0.8}.items() <= control.items()
    assert "detect" not in painter.asked[-1] and len(answer.json()["images"]) == 2
    assert len(alice.txt2img(alwayson_scripts=unit(save_detected_map=False)).json()["images"]) == 1
    info(alice.txt2img(alwayson_scripts=unit(module="openpose_full", processor_res=512)))
    assert painter.asked[-1]["detect"] == [0]


def test_old_names_and_a_missing_switch_are_understood(alice: Caller, painter: Any) -> None:
    one = {
        "input_image": text_of(photo()),
        "model": "control_sd15_openpose [fef5e48e]",
        "guidance": 0.5,
        "resize_mode": 1,
    }
    info(alice.txt2img(alwayson_scripts={"ControlNet": {"args": [one, {"enabled": False, "image": "no picture"}, {}]}}))
    assert [control["end"] for control in requested(painter)["controls"]] == [0.5]


@pytest.mark.parametrize(
    "more, code",
    [
        ({"model": "None"}, "control_model_missing"), ({"model": "canny"}, "control_model_unknown"),
        ({"module": "canny"}, "control_module_unknown"), ({"image": ""}, "control_image_missing"),
        ({"mask": "x"}, "control_unsupported"), ({"weight": "heavy"}, "control_invalid"),
        ({"image": "/etc/passwd"}, "image_not_base64"), ({"weight": 3}, "control_out_of_range"),
    ],
)  # fmt: skip
def test_a_unit_that_can_not_be_served_is_refused(alice: Caller, painter: Any, more: dict[str, Any], code: str) -> None:
    assert refused(alice.txt2img(alwayson_scripts=unit(**more)))[1].startswith(code)


def test_a_control_mode_of_another_kind_is_said(alice: Caller, painter: Any) -> None:
    said = info(alice.txt2img(alwayson_scripts=unit(control_mode=["My prompt is more important"])))
    assert "control_mode" in said["warnings"][0]
    assert info(alice.txt2img(alwayson_scripts=unit(control_mode=["Balanced"])))["warnings"] == []


# --- the plot ---------------------------------------------------------------------------------------------------------
def plot(*axes: Any, flags: tuple[Any, ...] = (True, False, False, False, False, False, False, 0)) -> dict[str, Any]:
    filled = [*axes, *[(0, "")] * (3 - len(axes))]
    return {
        "script_name": "x/y/z plot",
        "script_args": [part for kind, text in filled for part in (kind, text, [])] + [*flags],
    }


def test_each_axis_changes_its_own_field_in_each_cell(alice: Caller, painter: Any) -> None:
    answer = alice.txt2img(**plot((1, "5, 9"), ("CFG Scale", "1-2 (+0.5)"), (9, "DDIM, Euler a")))
    asked = [(m["request"]["seed"], m["request"]["guidance_scale"], m["request"]["sampler"]) for m in painter.asked]
    assert asked == [(s, g, n) for n in ("DDIM", "Euler a") for g in (1, 1.5, 2) for s in (5, 9)]
    assert len(answer.json()["images"]) == 1 and info(answer)["index_of_first_image"] == 1


def test_a_seed_that_is_drawn_is_the_same_in_all_cells_unless_it_is_to_vary(alice: Caller, painter: Any) -> None:
    info(alice.txt2img(**{"seed": -1, **plot((4, "1-3"))}))
    assert len({message["request"]["seed"] for message in painter.asked}) == 1
    info(alice.txt2img(**plot((4, "1-3"), flags=(False, True, False, False, True, False, False, 0))))
    assert [message["request"]["seed"] for message in painter.asked[-3:]] == [7, 8, 9]


def test_the_old_layout_of_the_arguments_is_read(alice: Caller, painter: Any) -> None:
    args = [7, "coat, hat", 0, "", 0, "", False, True, False, False, 0]
    answer = alice.txt2img(script_name="X/Y/Z plot", script_args=args)
    assert [message["request"]["prompt"] for message in painter.asked] == ["red coat", "red hat"]
    assert len(answer.json()["images"]) == 3


@pytest.mark.parametrize(
    "axis",
    [(2, "1"), (4, "few"), (4, ""), (4, "1-900"), (7, "sock, shoe"), (9, "Sam"), (99, "1"), ("Checkpoint name", "x")],
)
def test_an_axis_that_makes_no_sense_is_refused(alice: Caller, atelier: Any, painter: Any, axis: Any) -> None:
    assert refused(alice.txt2img(**plot(axis)))[0] in (400, 404, 422)
    assert shoots_of(atelier) == []
