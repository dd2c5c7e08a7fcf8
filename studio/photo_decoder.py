"""The child process that decodes one untrusted picture: bytes on stdin, upright sRGB pixels on stdout.

``studio.images`` starts this file by path under ``python -I``, so it may import Pillow and the standard library only:
importing anything of ``studio`` here would fail, and importing numpy would cost more than most decodes. Decoders are
where hostile bytes meet C code; here they meet it under a memory and a CPU limit, and without our environment.

Protocol: one line of JSON, ``{"size": [width, height]}`` or ``{"error": code, "message": text}``; after a size,
width * height * 3 bytes of RGB, row by row from the top.
"""

from __future__ import annotations

import io
import json
import struct
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from PIL import Image

MAX_PIXELS = 40_000_000
MAX_SIDE = 12_000
MIN_SIDE = 64
MEMORY_BYTES = 1_500_000_000
CPU_SECONDS = 15

ORIENTATION = 0x0112


class Refused(Exception):
    """The picture is not taken: (code without its prefix, message)."""


def sniff(data: bytes) -> str:
    """``jpeg``, ``png`` or ``webp`` by the first bytes; the file's name has no say."""
    if data[:3] == b"\xff\xd8\xff":
        return "jpeg"
    if data[:8] == b"\x89PNG\r\n\x1a\n":
        return "png"
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "webp"
    if data[4:8] == b"ftyp" and data[8:12] in (b"heic", b"heix", b"hevc", b"hevx", b"heim", b"heis", b"mif1", b"msf1"):
        raise Refused("heic_unsupported", "This is a HEIC picture. Convert it to JPEG (or PNG, WebP) and try again.")
    raise Refused("format_unsupported", "This is not a JPEG, PNG or WebP picture, whatever its name says.")


def check_size(width: int, height: int) -> None:
    """Refuse by the size the header states, before any pixel is decoded."""
    if min(width, height) < MIN_SIDE:
        raise Refused("too_small", f"The picture is {width} x {height} px; each side needs at least {MIN_SIDE} px.")
    if max(width, height) > MAX_SIDE or width * height > MAX_PIXELS:
        limits = f"at most {MAX_SIDE} px a side and {MAX_PIXELS // 1_000_000} megapixels"
        raise Refused("too_large", f"The picture is {width} x {height} px; {limits} can be taken. Make it smaller.")


def check_webp_header(data: bytes) -> None:
    """Pillow allocates a WebP's whole canvas as it opens it, so its size and animation flag are read here first.

    Source: RFC 9649, sections 2.5 to 2.7.
    """
    chunk = data[12:16]
    if chunk == b"VP8X" and len(data) >= 30:
        if data[20] & 0x02:
            raise_animated()
        check_size(int.from_bytes(data[24:27], "little") + 1, int.from_bytes(data[27:30], "little") + 1)
    elif chunk == b"VP8L" and len(data) >= 25:
        bits = int.from_bytes(data[21:25], "little")
        check_size((bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1)
    elif chunk == b"VP8 " and len(data) >= 30:
        width, height = struct.unpack("<HH", data[26:30])
        check_size(width & 0x3FFF, height & 0x3FFF)


def raise_animated() -> None:
    raise Refused("animated", "This picture is animated. Save one frame of it as JPEG, PNG or WebP and try again.")


def open_by_kind(data: bytes, kind: str) -> Image.Image:
    """The opened, not yet decoded picture; going to the plugin directly spares the import of thirty others."""
    if kind == "jpeg":
        from PIL.JpegImagePlugin import jpeg_factory

        return jpeg_factory(io.BytesIO(data))
    if kind == "png":
        from PIL.PngImagePlugin import PngImageFile

        return PngImageFile(io.BytesIO(data))
    from PIL.WebPImagePlugin import WebPImageFile

    check_webp_header(data)
    return WebPImageFile(io.BytesIO(data))


def decode(data: bytes, background: tuple[int, int, int]) -> Image.Image:
    """Decoded, upright, sRGB, without alpha; the order matters.

    1. The header's size and frame count, 2. the pixels (``verify()`` would pass half a JPEG), 3. colours while the
    profile still fits the mode, 4. transparency onto the background, 5. upright.
    """
    kind = sniff(data)
    image = open_by_kind(data, kind)
    check_size(*image.size)
    # A phone's JPEG may carry a depth map or a gain map as a second frame (MPO); the first is the photo.
    if kind != "jpeg" and getattr(image, "n_frames", 1) > 1:
        raise_animated()
    image.load()
    orientation = read_orientation(image)
    return upright(flatten(to_srgb(image), background), orientation)


def read_orientation(image: Image.Image) -> int:
    try:
        return int(image.getexif().get(ORIENTATION, 1))
    except (ValueError, OSError, SyntaxError, TypeError, KeyError, struct.error):
        return 1  # a broken EXIF block says nothing about the pixels, which decoded well


def upright(image: Image.Image, orientation: int) -> Image.Image:
    """Undo EXIF's orientation 1..8 (CIPA DC-008, tag 0x0112)."""
    from PIL.Image import Transpose

    turns = (
        None,
        Transpose.FLIP_LEFT_RIGHT,
        Transpose.ROTATE_180,
        Transpose.FLIP_TOP_BOTTOM,
        Transpose.TRANSPOSE,
        Transpose.ROTATE_270,
        Transpose.TRANSVERSE,
        Transpose.ROTATE_90,
    )
    turn = turns[orientation - 1] if 1 <= orientation <= 8 else None
    return image if turn is None else image.transpose(turn)


def to_srgb(image: Image.Image) -> Image.Image:
    """RGB or RGBA, in sRGB; no profile means sRGB (or plain ink for CMYK), a broken one is as none."""
    profile = image.info.get("icc_profile")
    if image.mode.startswith("I"):
        image = eight_bit(image)
    if image.mode == "P" or image.has_transparency_data:
        image = image.convert("RGBA" if image.has_transparency_data else "RGB")
    if profile:
        image = through_profile(image, profile)
    return image if image.mode in ("RGB", "RGBA") else image.convert("RGB")


def eight_bit(image: Image.Image) -> Image.Image:
    """16-bit grey to 8: Pillow's own convert() clips at 255, which turns a photo white."""
    return image.convert("I").point(lambda value: value * (1 / 257) + 0.5).convert("L")


def through_profile(image: Image.Image, profile: bytes) -> Image.Image:
    from PIL import ImageCms

    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        space = source.profile.xcolor_space.strip()
        if (source.profile.profile_description or "").startswith("sRGB"):
            return image
        alpha = image.getchannel("A") if image.mode == "RGBA" else None
        colours = as_space(image, space)
        target = ImageCms.createProfile("sRGB")
        result = ImageCms.profileToProfile(colours, source, target, outputMode="RGB")
    except (ImageCms.PyCMSError, OSError, ValueError, TypeError):
        return image
    if result is None:
        return image
    if alpha is not None:
        result.putalpha(alpha)
    return result


def as_space(image: Image.Image, space: str) -> Image.Image:
    """The picture in the mode its profile speaks of; ValueError where the two can not belong together."""
    mode = {"RGB": "RGB", "GRAY": "L", "CMYK": "CMYK"}.get(space)
    if mode is None or (mode == "CMYK") != (image.mode == "CMYK"):
        raise ValueError(f"profile for {space}, picture in {image.mode}")
    return image if image.mode == mode else image.convert(mode)


def flatten(image: Image.Image, background: tuple[int, int, int]) -> Image.Image:
    if image.mode != "RGBA":
        return image
    from PIL import Image as pil

    canvas = pil.new("RGB", image.size, background)
    canvas.paste(image, mask=image.getchannel("A"))
    return canvas


def limit_self() -> None:
    """Before Pillow is imported: from here on the process can neither grow nor run for long."""
    import resource

    for what, most in ((resource.RLIMIT_AS, MEMORY_BYTES), (resource.RLIMIT_CPU, CPU_SECONDS)):
        hard = resource.getrlimit(what)[1]
        ceiling = most if hard == resource.RLIM_INFINITY else min(most, hard)
        resource.setrlimit(what, (ceiling, ceiling))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def answer(data: bytes, background: tuple[int, int, int]) -> tuple[dict[str, object], bytes]:
    """The protocol's header and the pixels that follow it."""
    try:
        image = decode(data, background)
        return {"size": list(image.size)}, image.tobytes()
    except Refused as refused:
        code, message = refused.args
    except MemoryError:
        code, message = "too_costly", "Decoding this picture takes too much memory. Save it again, smaller."
    except ImportError:
        raise  # our installation's fault, not the picture's
    except Exception:  # noqa: BLE001  Pillow's plugins raise whatever hostile bytes make them; all mean the same
        code, message = "damaged", "The picture is cut off or damaged. Export or download it again."
    return {"error": code, "message": message}, b""


def main() -> int:
    limit_self()
    from PIL import Image

    Image.MAX_IMAGE_PIXELS = None  # check_size is stricter, and answers with our own code
    red, green, blue = (int(part) for part in sys.argv[1].split(","))
    header, pixels = answer(sys.stdin.buffer.read(), (red, green, blue))
    sys.stdout.buffer.write(json.dumps(header).encode() + b"\n")
    sys.stdout.buffer.write(pixels)
    sys.stdout.buffer.flush()
    return 0


if __name__ == "__main__":
    sys.exit(main())
