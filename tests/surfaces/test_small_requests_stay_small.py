"""What a request costs is bounded before it is paid: texts, pictures, units and cells are counted first."""

from __future__ import annotations

import struct
import threading
import zlib
from typing import Any

import numpy as np
import pytest
from PIL import Image

from accounts.actors import WRITE, Actor
from accounts.scoping import merchant_scope
from generation import services
from generation.surfaces import pictures
from generation.surfaces.a1111 import asked, control, extras, grid, options, plot
from imodel_site.lib import images
from imodel_site.lib.errors import Refused
from studio.pose import openpose
from studio.pose.openpose import draw_18, draw_people
from tests.surfaces.conftest import Caller, Shop, half, photo


def chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


# --- png-info ---------------------------------------------------------------------------------------------------------
def test_of_many_compressed_texts_so_many_are_inflated_and_no_more() -> None:
    bomb = zlib.compress(b"a" * 100_000)
    texts = b"".join(chunk(b"zTXt", b"k%d\0\0" % n + bomb) for n in range(500))
    found = pictures.parameters_in(pictures.HEAD + texts)
    assert sum(len(text) for text in found.values()) == 1_000_000
    small = b"".join(chunk(b"tEXt", b"k%d\0x" % n) for n in range(500))
    assert list(pictures.parameters_in(pictures.HEAD + small)) == [f"k{n}" for n in range(64)]
    assert pictures.parameters_in(pictures.HEAD + chunk(b"IDAT", b"") * 100 + small)["k0"] == "x"


def test_an_infotext_is_taken_apart_in_one_pass() -> None:
    # Each of these took minutes.
    for part in ("a", "a ", ',a:"', " ", "a:", '"', ",a:\\"):
        extras.parameters_of("x\n" + part * (100_000 // len(part)))
    said = 'a coat\nSteps: 20, Sampler: Euler a, junk, Lora hashes: "a: b, \\"c\\": d", Size: 64x96, Odd: "x" y, Z: '
    assert extras.parameters_of(said) == {
        "Prompt": "a coat", "Negative prompt": "", "Steps": "20", "Sampler": "Euler a", "Lora hashes": 'a: b, "c": d',
        "Odd": '"x" y', "Z": "", "Size-1": "64", "Size-2": "96",
    }  # fmt: skip


# --- ControlNet -------------------------------------------------------------------------------------------------------
def test_units_are_counted_before_one_of_them_is_decoded() -> None:
    units = [{"enabled": True, "model": "openpose", "image": "no picture"}] * 4
    with pytest.raises(Refused) as refused:
        control.units_of({"controlnet": {"args": units}}, size=(64, 96))
    assert refused.value.code == "control_out_of_range"
    stale = [{"enabled": False, "image": "no picture"}] * 9
    one = {"enabled": True, "model": "openpose", "image": pictures.text_of(pictures.png(photo()))}
    found, _warnings = control.units_of({"controlnet": {"args": [*stale, one]}}, size=(64, 96))
    assert len(found) == 1


# --- the plot ---------------------------------------------------------------------------------------------------------
def request(*axes: Any, picked: Any = (), prompt: str = "red coat") -> asked.Asked:
    three = [*axes, *[(0, "")] * (3 - len(axes))]
    args = [part for kind, text in three for part in (kind, text, list(picked) if kind and picked else [])]
    given = {"prompt": prompt, "script_name": "x/y/z plot", "script_args": args}
    return asked.read(given, image=False, set_options=options.defaults())


LONG = "9" * 400


@pytest.mark.parametrize(
    "axis",
    [
        (4, ",".join(["1-64"] * 5_000)), (7, f"red,{'x' * 30_000}"), (7, "red," * 20_000), (4, '1\r2,"\0'),
        (1, f"{LONG}-{LONG}"), (1, f"1-{LONG}"), (6, f"1-{LONG}"), (6, f"1-2 (+0.{'0' * 400}1)"), (1, f"1-9 [{LONG}]"),
        (7, "x" * 70_000), ("Seed", LONG),
    ],
)  # fmt: skip
def test_an_axis_without_measure_is_refused(axis: Any) -> None:
    with pytest.raises(Refused) as refused:
        plot.read(request(axis))
    assert (refused.value.code, refused.value.field) == ("axis_invalid", "script_args")


def test_search_and_replace_wants_something_to_look_for() -> None:
    with pytest.raises(Refused) as refused:
        plot.read(request((7, ""), picked=["", "x"]))
    assert refused.value.code == "axis_invalid"
    with pytest.raises(Refused) as refused:
        plot.read(request((7, "a,b" + "x" * 30), prompt="a" * 20_000))
    assert refused.value.code == "axis_invalid"


def test_lines_end_as_any_system_ends_them_and_what_is_picked_is_a_list() -> None:
    drawn, cells = plot.read(request((4, "1\r\n2\r3\n4")))
    assert drawn.x.values == (1, 2, 3, 4) and [cell["steps"] for cell in cells] == [1, 2, 3, 4]
    args = [4, "1", [], 0, "", 5, 4, "", [{}]]
    given = {"prompt": "", "script_name": "x/y/z plot", "script_args": args}
    with pytest.raises(Refused) as refused:
        plot.read(asked.read(given, image=False, set_options=options.defaults()))
    assert refused.value.code == "script_args_invalid"


# --- pixels -----------------------------------------------------------------------------------------------------------
LARGE = (4_000, 3_001)


def large() -> str:
    """More than is worked on while a client waits, in a few kB."""
    return pictures.text_of(pictures.png(Image.new("RGB", LARGE)))


@pytest.mark.django_db(transaction=True)
def test_a_picture_that_is_too_large_to_be_worked_on_is_refused(alice: Caller, settings: Any) -> None:
    settings.WAIT_SECONDS = 0
    text = large()
    for path, body in (
        ("sam/sam-predict", {"input_image": text, "sam_positive_points": [[1, 1]]}),
        ("sam/dilate-mask", {"input_image": text, "mask": text}),
        ("sdapi/v1/extra-single-image", {"image": text}),
        ("sdapi/v1/extra-batch-images", {"imageList": [{"data": text}]}),
        ("controlnet/detect", {"controlnet_input_images": [text]}),
        ("controlnet/detect", {"controlnet_input_images": [text], "controlnet_module": "openpose"}),
    ):
        answer = alice.post(path, body)
        assert answer.status_code == 422 and answer.json()["errors"].startswith("picture_too_large"), (path, body)
        assert "4000x3001" in answer.json()["detail"]


def test_the_results_of_a_batch_are_bounded_together() -> None:
    one = {"data": pictures.text_of(pictures.png(photo((320, 320))))}
    wishes = {"upscaler_1": "Nearest", "upscaling_resize": 14}  # 20 megapixels each
    with pytest.raises(Refused) as refused:
        extras.batch({**wishes, "imageList": [one] * 2 + [{"data": "no picture"}]})
    assert refused.value.field == "imageList.1"
    assert extras.batch({**wishes, "upscaling_resize": 2, "imageList": [one] * 2})["html_info"].count("640x640") == 2


def people(count: int, side: int) -> dict[str, Any]:
    person = {"pose_keypoints_2d": [30.0, 30.0, 1.0, 50.0, 50.0, 1.0] * 9}
    return {"people": [person] * count, "canvas_width": side, "canvas_height": side}


@pytest.mark.django_db(transaction=True)
def test_people_times_pixels_are_counted_before_one_is_drawn(alice: Caller) -> None:
    for asked_for in ([people(100, 4096)] * 8, [people(2, 4096)], [people(0, 4096)] * 3):
        answer = alice.post("controlnet/render_openpose_json", asked_for)
        assert answer.json()["errors"] == "skeleton_too_large: people"
    answer = alice.post("controlnet/render_openpose_json", [people(100, 64), people(1, 128)])
    assert len(answer.json()["images"]) == 2


def test_several_are_drawn_on_one_sheet() -> None:
    one, other = (np.zeros((18, 3), np.float32) for _person in range(2))
    one[[0, 1]], other[[0, 1]] = [[9, 9, 1], [9, 30, 1]], [[50, 9, 1], [50, 30, 1]]
    both = np.asarray(draw_people([one, other], (64, 64)))
    apart = np.maximum(*(np.asarray(draw_18(person, (64, 64))) for person in (one, other)))
    assert both.any() and (both == apart).all()


def test_what_is_left_out_of_a_limb_s_box_is_empty(monkeypatch: Any) -> None:
    rng = np.random.default_rng(7)
    points = np.dstack([rng.uniform(-40, 340, (6, 18)), rng.uniform(-40, 240, (6, 18)), np.ones((6, 18))])
    points[0, :, 1], points[1, :, 0] = 50, 50  # lying, and standing
    people = list(points.astype(np.float32))
    looked_at: list[int] = []
    ellipse = openpose._ellipse
    monkeypatch.setattr(openpose, "_ellipse", lambda x, y, r: looked_at.append(np.size(x + y)) or ellipse(x, y, r))
    drawn = [np.asarray(draw_18(person, (300, 200))) for person in people]
    few = sum(looked_at)
    monkeypatch.setattr(openpose, "BESIDE", 1e6)
    whole = [np.asarray(draw_18(person, (300, 200))) for person in people]
    assert all((one == other).all() for one, other in zip(drawn, whole, strict=True))
    assert few < (sum(looked_at) - few) / 2


def test_a_sheet_has_an_end_in_its_area() -> None:
    cells = [Image.new("RGB", (2_000, 2_000), (k, 0, 0)) for k in range(4)] * 4
    sheet = grid.labelled(cells, columns=4, across=["wide words " * 9] * 4, down=["a"] * 4, margin=500)
    assert 30_000_000 < sheet.width * sheet.height <= 40_000_000
    wide = grid.labelled([Image.new("RGB", (2_048, 8))] * 64, columns=64, across=["x"] * 64, down=(), margin=500)
    assert wide.width <= 16_000
    small = grid.labelled(cells[:1] * 4, columns=2, across=(), down=(), margin=10)
    assert small.size == (4_010, 4_010), "what fits stays as it is"
    assert grid.within(cells[0], 1_000_000).size == (1_000, 1_000)


@pytest.mark.django_db
def test_whatever_is_decoded_for_an_order_takes_its_room(atelier: Shop, monkeypatch: Any) -> None:
    free: list[int] = []

    def seen(read: Any) -> Any:
        def looks(*args: Any, **options: Any) -> Any:
            free.append(images.ROOM._value)
            return read(*args, **options)

        return looks

    monkeypatch.setattr(images, "ROOM", threading.BoundedSemaphore(2))
    for name in ("open_photo", "open_mask"):
        monkeypatch.setattr(images, name, seen(getattr(images, name)))
    actor, data = Actor(atelier.merchant, scopes=frozenset([WRITE])), pictures.png(photo())
    with merchant_scope(atelier.merchant):
        _key, size = services.store_picture(actor=actor, data=data, field="image")
        services.store_mask(actor=actor, data=pictures.png(half()), size=size)
    pictures.opened(data, field="image")
    images.take_picture(data)
    assert free == [1] * 4 and images.ROOM._value == 2
