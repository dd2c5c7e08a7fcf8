"""What the labels say, and their form as an XMP packet.

Sources: XMP, ISO 16684-1:2019; IPTC Photo Metadata Standard 2023.1, "Digital Source Type", with the NewsCodes of
http://cv.iptc.org/newscodes/digitalsourcetype/; GB 45438-2025, annex E (the seven fields of ``AIGC``) and the practice
guide TC260-PG-20258A (their place in XMP: property ``AIGC`` of the namespace below, as JSON text).
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from xml.etree import ElementTree
from xml.sax.saxutils import escape

from studio.errors import InputError

RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
IPTC = "http://iptc.org/std/Iptc4xmpExt/2008-02-29/"
TC260 = "http://www.tc260.org.cn/ns/AIGC/1.0/"
XMP = "http://ns.adobe.com/xap/1.0/"
NEWSCODES = "http://cv.iptc.org/newscodes/digitalsourcetype/"

LONGEST_TEXT = 200
# XML 1.0 has no way to write these at all, escaped or not; line breaks have no business in a name either.
UNWRITABLE = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")


class SourceType(StrEnum):
    """IPTC's word for how the pixels came to be."""

    COMPOSITE = "compositeWithTrainedAlgorithmicMedia"
    """The garment's pixels are the photo's, the rest was made by a model."""
    MADE = "trainedAlgorithmicMedia"
    """Every pixel was made by a model."""


@dataclass(frozen=True)
class Aigc:
    """The seven fields of GB 45438-2025; label "1" says: made by AI. Empty strings where nobody has filled one in."""

    label: str
    content_producer: str
    produce_id: str
    reserved_code1: str = ""
    content_propagator: str = ""
    propagate_id: str = ""
    reserved_code2: str = ""

    def to_json(self) -> str:
        return json.dumps(
            {key: getattr(self, name) for key, name in _FIELDS}, ensure_ascii=False, separators=(",", ":")
        )

    @classmethod
    def from_json(cls, text: str) -> Aigc:
        """Read the seven fields; a missing one is empty, as other producers leave them out.

        Raises:
            ValueError: not a JSON object.
        """
        found = json.loads(text)
        if not isinstance(found, dict):
            raise ValueError("AIGC is not a JSON object")
        return cls(**{name: str(found.get(key, "")) for key, name in _FIELDS})


_FIELDS = (
    ("Label", "label"),
    ("ContentProducer", "content_producer"),
    ("ProduceID", "produce_id"),
    ("ReservedCode1", "reserved_code1"),
    ("ContentPropagator", "content_propagator"),
    ("PropagateID", "propagate_id"),
    ("ReservedCode2", "reserved_code2"),
)


@dataclass(frozen=True)
class Labels:
    """What a picture says of its making; None where it says nothing, or nothing we know.

    Attributes:
        source_type: IPTC's digital source type.
        aigc: GB 45438-2025's fields.
    """

    source_type: SourceType | None
    aigc: Aigc | None


def checked_text(name: str, text: str) -> str:
    """``text`` if it can stand in a label: 1 to 200 characters, none of them control characters.

    Raises:
        InputError: ``label_text_invalid``.
    """
    if not text.strip() or len(text) > LONGEST_TEXT or UNWRITABLE.search(text):
        raise InputError(
            "label_text_invalid", f"The label's {name} must be 1 to {LONGEST_TEXT} characters on a single line."
        )
    return text


def to_xmp(source_type: SourceType, aigc: Aigc, *, created: datetime | None) -> bytes:
    """The XMP packet; the same arguments give the same bytes."""
    date = f"<xmp:CreateDate>{created.isoformat(timespec='seconds')}</xmp:CreateDate>" if created else ""
    packet = (
        '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>'
        f'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="{RDF}"><rdf:Description rdf:about=""'
        f' xmlns:Iptc4xmpExt="{IPTC}" xmlns:TC260="{TC260}" xmlns:xmp="{XMP}">'
        f"<Iptc4xmpExt:DigitalSourceType>{NEWSCODES}{source_type.value}</Iptc4xmpExt:DigitalSourceType>"
        f"<TC260:AIGC>{escape(aigc.to_json())}</TC260:AIGC>"
        f"<xmp:CreatorTool>{escape(aigc.content_producer)}</xmp:CreatorTool>{date}"
        '</rdf:Description></rdf:RDF></x:xmpmeta><?xpacket end="r"?>'
    )
    return packet.encode()


def from_xmp(packet: bytes) -> Labels:
    """The labels in anybody's XMP packet; a broken packet says nothing."""
    # A packet has no business declaring entities; refusing them keeps "billion laughs" out.
    if b"<!DOCTYPE" in packet or b"<!ENTITY" in packet:
        return Labels(None, None)
    try:
        root = ElementTree.fromstring(packet)
    except (ElementTree.ParseError, ValueError):
        return Labels(None, None)
    return Labels(_source_type(_property(root, IPTC, "DigitalSourceType")), _aigc(_property(root, TC260, "AIGC")))


def _property(root: ElementTree.Element, namespace: str, name: str) -> str | None:
    """RDF lets a simple property be a child element or an attribute of its description; writers use both."""
    tag = f"{{{namespace}}}{name}"
    for description in root.iter(f"{{{RDF}}}Description"):
        if tag in description.attrib:
            return description.attrib[tag]
        child = description.find(tag)
        if child is not None:
            return child.attrib.get(f"{{{RDF}}}resource", child.text)
    return None


def _source_type(value: str | None) -> SourceType | None:
    name = (value or "").strip().rpartition("/")[2]
    return SourceType(name) if name in set(SourceType) else None


def _aigc(value: str | None) -> Aigc | None:
    if value is None:
        return None
    try:
        return Aigc.from_json(value)
    except ValueError:
        return None
