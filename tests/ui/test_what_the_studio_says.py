"""The studio refuses in English; a merchant who reads Chinese gets the same refusal in Chinese."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from django.utils.translation import override

from generation.words import FAILURES, failure, reasons, report_sections
from imodel_site.lib import studio_words
from imodel_site.lib.errors import from_studio
from studio.errors import InputError
from studio.images import open_photo

STUDIO = Path(studio_words.__file__).parents[2] / "studio"
SAID = re.compile(r'(?:InputError|_refuse|OutOfMemory)\(\s*"([a-z_]+)",?\s*(?:"([^"]*)"\s*\))?')
DECODER = re.compile(r'Refused\("([a-z_]+)"')
BY_NOUN = re.compile(r'f"\{noun\}_([a-z_]+)"')
KINDS = {f"{kind}_unknown" for kind in ("persona", "scene", "crop")}


def raised_codes() -> set[str]:
    """Every code that a merchant's photo, choice or expert setting can meet, read from the studio's sources."""
    pictures = {code for name in ("images.py", "photo_decoder.py") for code in found(name, DECODER)}
    pictures |= set(found("images.py", BY_NOUN))
    codes = {f"photo_{code}" for code in pictures} | KINDS | {"order_persona_invalid", "order_pose_invalid"}
    prompts = STUDIO / "segmentation" / "onnx_decode.py"
    for path in (*sorted((STUDIO / "shoot").glob("*.py")), STUDIO / "diffusion" / "checks.py", prompts):
        codes |= {code for code, _ in SAID.findall(path.read_text(encoding="utf-8"))}
    return codes - {"pose", "persona", "scene"}  # own.py makes order_..._invalid of these


def found(name: str, pattern: re.Pattern[str]) -> list[str]:
    return pattern.findall((STUDIO / name).read_text(encoding="utf-8"))


def test_each_code_that_a_merchant_can_meet_has_a_chinese_sentence() -> None:
    codes = raised_codes()
    assert {"photo_heic_unsupported", "photo_damaged", "garment_part_missing", "steps_out_of_range"} <= codes
    for code in sorted(codes):
        with override("zh-hans"):
            said = failure(code, "English")
        assert re.search(r"[\u4e00-\u9fff]", said), f"{code} is said as {said!r}"


def test_where_the_studio_s_sentence_has_no_numbers_the_table_has_the_same() -> None:
    texts = (STUDIO / "photo_decoder.py").read_text(encoding="utf-8")
    for code in ("heic_unsupported", "animated", "format_unsupported"):
        with override("en"):
            assert str(studio_words.SENTENCES[f"photo_{code}"]) in texts


def test_an_english_reader_gets_the_numbers_and_a_chinese_one_the_sentence() -> None:
    with pytest.raises(InputError) as caught:
        open_photo(b"\x89PNG\r\n\x1a\n" + b"nothing" * 9)
    with override("en"):
        assert from_studio(caught.value).message == caught.value.message
    with override("zh-hans"):
        assert "损坏" in str(from_studio(caught.value).message)


def test_why_a_part_was_not_measured_is_said_in_chinese() -> None:
    report = {"pose": {"measured": False, "reason": "No pose was asked for."}}
    with override("zh-hans"):
        assert report_sections(report)[2].reason == "没有要求姿态。"


def test_each_reason_of_the_fidelity_report_is_in_the_table() -> None:
    listed = {str(words) for words in studio_words._NOT_MEASURED}
    gaps = re.compile(r'Gap\(\s*"[a-z_]+",\s*"([^"]+)"')
    said = {text for path in (STUDIO / "fidelity").glob("*.py") for text in gaps.findall(path.read_text("utf-8"))}
    assert said and said <= listed


def test_failures_that_are_said_anew_are_in_chinese_too() -> None:
    with override("zh-hans"):
        assert all(re.search(r"[\u4e00-\u9fff]", str(words)) for words in FAILURES.values())


def test_what_the_report_found_is_said_in_chinese_with_the_limb_it_names() -> None:
    said = {"code": "limb_missing", "message": "The left forearm looks wrong or is missing."}
    with override("zh-hans"):
        assert reasons({"reasons": [said]}) == ["左前臂看起来不对，或缺失。"]
    with override("en"):
        assert reasons({"reasons": [said]}) == ["The left forearm looks wrong or is missing."]


def test_each_finding_of_the_report_has_its_words() -> None:
    source = (STUDIO / "fidelity" / "verdict.py").read_text(encoding="utf-8")
    codes = set(re.findall(r'Reason\(\s*"([a-z_]+)"', source))
    assert len(codes) > 12 and codes <= set(studio_words.REASONS)
