"""One image file to pixels: upright, 8 bits a channel, in grey or colour, whatever way it was kept."""

import contextlib
import threading
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageOps, UnidentifiedImageError

FORMATS = ("PNG", "JPEG", "WEBP", "TIFF", "GIF", "BMP", "PPM")
"""What Pillow may decode: whatever else it knows, such as PostScript, which it hands to another program, is refused."""
SAID = "PNG, JPEG, WebP, TIFF, GIF, BMP or PGM"
MOST_PIXELS = 50_000_000  # of one image: more is taken for a mistake, or an attack
LARGE_PIXELS = 4_000_000  # of one image: of larger ones one at a time is decoded, so that memory stays bounded
MOST_FILE_BYTES = 256 * 2**20  # of one image
ORIENTATION = 0x0112
UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
"""EXIF's orientation to what brings the image upright (Exif 2.32, section 4.6.4, tag 0x0112)."""
_one_large_at_a_time = threading.Lock()
Image.MAX_IMAGE_PIXELS = None  # an image's size is looked at here, before it is decoded


class Unreadable(Exception):
    """An image that can't be used; str() says why."""


def square(path: Path, channels: int, side: int) -> npt.NDArray[np.uint8]:
    """The middle of an image, shape (channels, side, side). Raises Unreadable, whatever a decoder raises, and
    MemoryError."""
    try:
        if not path.is_file():  # a pipe or a device would be waited for, or read, for ever
            raise Unreadable("not a file")
        if path.stat().st_size > MOST_FILE_BYTES:
            raise Unreadable(f"over {MOST_FILE_BYTES // 2**20} MiB")
        with Image.open(path, formats=FORMATS) as image:
            width, height = image.size
            if width * height > MOST_PIXELS:
                raise Unreadable(f"{width:,} × {height:,} pixels are too many")
            with _one_large_at_a_time if width * height > LARGE_PIXELS else contextlib.nullcontext():
                plain = _turned(_plain(image), _orientation(image)).convert("L" if channels == 1 else "RGB")
                fitted = ImageOps.fit(plain, (side, side), Image.Resampling.BILINEAR)
    except UnidentifiedImageError:
        raise Unreadable(f"no {SAID}") from None
    except (Unreadable, MemoryError):
        raise
    except Exception as error:  # whatever a decoder meets is the trouble of this file alone
        raise Unreadable(f"broken ({str(error).strip() or type(error).__name__})") from error
    return np.asarray(fitted, np.uint8).reshape(side, side, channels).transpose(2, 0, 1)


def _orientation(image: Image.Image) -> int:
    """As the camera was held; 1, upright, where that can't be read."""
    with contextlib.suppress(Exception):
        return int(image.getexif().get(ORIENTATION, 1))
    return 1


def _turned(image: Image.Image, orientation: int) -> Image.Image:
    return image.transpose(UPRIGHT[orientation]) if orientation in UPRIGHT else image


def _plain(image: Image.Image) -> Image.Image:
    """With 8 bits and nothing that shines through. Raises Unreadable for values that no picture has."""
    if image.mode.startswith("I;16"):
        return _of_sixteen(np.asarray(image))
    if image.mode == "I":
        values = np.asarray(image)
        least, greatest = int(values.min()), int(values.max())
        if least < 0 or greatest > 65535:
            raise Unreadable(f"values from {least:,} to {greatest:,}: keep it with 8 or 16 bits")
        return Image.fromarray(values.astype(np.uint8)) if greatest <= 255 else _of_sixteen(values)
    if image.mode == "F":
        return _of_fractions(np.asarray(image))
    if image.mode in ("RGBA", "LA", "PA", "RGBa", "La") or "transparency" in image.info:
        return _on_ground(image.convert("RGBA"))
    return image.convert("L" if image.mode in ("1", "L") else "RGB")


def _of_sixteen(values: npt.NDArray[np.integer]) -> Image.Image:
    """0 to 65,535 as 0 to 255."""
    return Image.fromarray(np.round(values / 257).astype(np.uint8))


def _of_fractions(values: npt.NDArray[np.floating]) -> Image.Image:
    """0 to 1, or 0 to 255."""
    least, greatest = float(values.min()), float(values.max())
    if not (least >= 0 and greatest <= 255):  # as NaN is neither
        raise Unreadable(f"values from {least:g} to {greatest:g}: keep it with 8 or 16 bits")
    return Image.fromarray(np.round(values * (255 if greatest <= 1 else 1)).astype(np.uint8))


def _on_ground(image: Image.Image) -> Image.Image:
    """On white, as a page shows it; on black where white would hide what the transparency alone draws."""
    alpha = np.asarray(image.getchannel("A"))
    for ground in ("white", "black"):
        below = Image.new("RGBA", image.size, ground)
        below.alpha_composite(image)
        shown = below.convert("RGB")
        if is_even(np.asarray(shown).transpose(2, 0, 1)) and int(alpha.min()) != int(alpha.max()):
            continue
        break
    return shown


def is_even(image: npt.NDArray[np.uint8]) -> bool:
    """True for an image (C, H, W) of nearly one value: nothing can be seen in it."""
    return bool(np.ptp(image.reshape(len(image), -1), axis=1).max(initial=0) <= EVEN)


EVEN = 2  # of 255
