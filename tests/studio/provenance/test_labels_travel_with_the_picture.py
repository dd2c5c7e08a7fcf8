from __future__ import annotations

import io
import json
from datetime import UTC, datetime
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest
from PIL import Image

from studio.errors import InputError
from studio.images import open_photo
from studio.provenance import Aigc, Format, Labels, SourceType, label, read_labels

FORMATS: list[Format] = ["png", "jpeg", "webp"]
TC260_PROPERTY = "{http://www.tc260.org.cn/ns/AIGC/1.0/}AIGC"


def picture() -> Image.Image:
    return Image.fromarray(np.random.default_rng(2).integers(0, 256, (70, 90, 3), np.uint8))


def labelled(format: Format = "png", **changes: Any) -> bytes:
    arguments: dict[str, Any] = {"composite": True, "producer": "Studio <A> & Söhne 工作室", "content_id": "pic-0007"}
    return label(picture(), format=format, **(arguments | changes))


@pytest.mark.parametrize("format", FORMATS)
@pytest.mark.parametrize(("composite", "source"), [(True, SourceType.COMPOSITE), (False, SourceType.MADE)])
def test_labels_are_read_back_as_written(format: Format, composite: bool, source: SourceType) -> None:
    expected = Labels(source, Aigc("1", "Studio <A> & Söhne 工作室", "pic-0007"))
    assert read_labels(labelled(format, composite=composite)) == expected


@pytest.mark.parametrize("format", FORMATS)
def test_pillow_finds_the_packet_where_the_standard_puts_it(format: Format) -> None:
    packet = Image.open(io.BytesIO(labelled(format))).info["xmp"]
    root = ElementTree.fromstring(packet)
    values = {element.tag: element.text for element in root.iter()}
    assert values["{http://iptc.org/std/Iptc4xmpExt/2008-02-29/}DigitalSourceType"] == (
        "http://cv.iptc.org/newscodes/digitalsourcetype/compositeWithTrainedAlgorithmicMedia"
    )
    assert json.loads(values[TC260_PROPERTY] or "") == {
        "Label": "1",
        "ContentProducer": "Studio <A> & Söhne 工作室",
        "ProduceID": "pic-0007",
        "ReservedCode1": "",
        "ContentPropagator": "",
        "PropagateID": "",
        "ReservedCode2": "",
    }


@pytest.mark.parametrize("format", FORMATS)
def test_the_same_picture_gives_the_same_bytes_and_another_id_does_not(format: Format) -> None:
    assert labelled(format) == labelled(format)
    assert labelled(format) != labelled(format, content_id="pic-0008")


def test_a_date_is_written_only_when_given() -> None:
    moment = datetime(2026, 11, 22, 8, 30, tzinfo=UTC)
    assert b"2026-11-22T08:30:00+00:00" in labelled(created=moment)
    assert b"CreateDate" not in labelled()


def test_a_png_keeps_every_pixel() -> None:
    assert np.array_equal(np.asarray(Image.open(io.BytesIO(labelled("png")))), np.asarray(picture()))


@pytest.mark.parametrize("format", FORMATS)
def test_metadata_of_the_source_does_not_come_along(format: Format) -> None:
    source = picture()
    exif = Image.Exif()
    exif[0x010F] = "SecretCamera"
    source.info |= {
        "exif": exif.tobytes(),
        "icc_profile": b"SecretProfile",
        "comment": b"SecretComment",
        "dpi": (301, 301),
    }
    made = label(source, format=format, composite=False, producer="p", content_id="i")
    assert b"Secret" not in made
    assert not {"exif", "icc_profile", "comment", "dpi"} & set(Image.open(io.BytesIO(made)).info)


@pytest.mark.parametrize("format", FORMATS)
def test_an_upload_loses_its_labels(format: Format) -> None:
    buffer = io.BytesIO()
    open_photo(labelled(format)).save(buffer, "PNG")
    assert read_labels(buffer.getvalue()) == Labels(None, None)


def test_labels_written_by_others_as_attributes_are_understood() -> None:
    packet = (
        '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
        '<rdf:Description rdf:about="" xmlns:i="http://iptc.org/std/Iptc4xmpExt/2008-02-29/"'
        ' i:DigitalSourceType="http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia"'
        ' xmlns:t="http://www.tc260.org.cn/ns/AIGC/1.0/" t:AIGC="{&quot;Label&quot;:&quot;2&quot;}"/>'
        "</rdf:RDF></x:xmpmeta>"
    )
    buffer = io.BytesIO()
    picture().save(buffer, "JPEG", xmp=packet.encode())
    assert read_labels(buffer.getvalue()) == Labels(SourceType.MADE, Aigc("2", "", ""))


@pytest.mark.parametrize("format", FORMATS)
def test_a_file_cut_anywhere_is_read_as_far_as_it_goes(format: Format) -> None:
    whole = labelled(format)
    expected = read_labels(whole)
    for length in range(0, len(whole), max(1, len(whole) // 300)):
        assert read_labels(whole[:length]) in (expected, Labels(None, None))


@pytest.mark.parametrize(
    "packet",
    [
        b"not xml",
        b"",
        b"<!DOCTYPE x [<!ENTITY a 'aaaa'>]><x>&a;</x>",
        b'<r:Description xmlns:r="http://www.w3.org/1999/02/22-rdf-syntax-ns#"'
        b' xmlns:t="http://www.tc260.org.cn/ns/AIGC/1.0/" t:AIGC="[1]"/>',
    ],
)
def test_a_broken_packet_says_nothing(packet: bytes) -> None:
    buffer = io.BytesIO()
    picture().save(buffer, "WEBP", xmp=packet)
    assert read_labels(buffer.getvalue()) == Labels(None, None)


@pytest.mark.parametrize("text", ["", "  ", "two\nlines", "nul\0", "x" * 201, "\ud800"])
@pytest.mark.parametrize("field", ["producer", "content_id"])
def test_text_that_no_label_can_hold_is_refused(field: str, text: str) -> None:
    with pytest.raises(InputError) as refusal:
        labelled(**{field: text})
    assert refusal.value.code == "label_text_invalid"


def test_another_format_is_refused() -> None:
    with pytest.raises(InputError) as refusal:
        labelled("gif")  # type: ignore[arg-type]  # what a caller without types would do
    assert refusal.value.code == "format_unknown"
