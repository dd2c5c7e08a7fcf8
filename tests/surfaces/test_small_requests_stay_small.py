"""What a request costs is bounded before it is paid: texts, pictures, units and cells are counted first."""

from __future__ import annotations

import struct
import zlib
from typing import Any

import pytest

from generation.surfaces import pictures
from generation.surfaces.a1111 import asked, control, extras, options, plot
from imodel_site.lib.errors import Refused
from tests.surfaces.conftest import photo


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
