"""Draws a line of text, upright and upside down, as PP-OCR's direction classifier takes it.

For NAME in up, down: NAME.png to look at, x_NAME.npy (float32 [1, 3, 48, 192]) for `whet run`, and x_NAME.f32, the
same numbers without a header, for the C++ program.
"""

import argparse
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

HEIGHT, WIDTH = 48, 192


def draw_line(text):
    """Dark text on light paper, filling the classifier's picture."""
    image = Image.new("RGB", (WIDTH, HEIGHT), (250, 248, 240))
    draw = ImageDraw.Draw(image)
    size = 40
    font = ImageFont.load_default(size=size)
    while size > 8 and draw.textlength(text, font=font) > WIDTH - 12:
        size -= 1
        font = ImageFont.load_default(size=size)
    draw.text((WIDTH / 2, HEIGHT / 2), text, fill=(25, 25, 45), font=font, anchor="mm")
    return image


def classifier_input(image):
    """Blue, green, red planes scaled to -1..1: what PP-OCR was trained on."""
    pixels = np.asarray(image, np.float32)[:, :, ::-1]
    return np.ascontiguousarray(((pixels / 255 - 0.5) / 0.5).transpose(2, 0, 1)[None])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="where to write")
    parser.add_argument("--text", default="Whet your tensors", help="the line to draw (default: %(default)s)")
    arguments = parser.parse_args()
    arguments.folder.mkdir(parents=True, exist_ok=True)
    upright = draw_line(arguments.text)
    for name, image in (("up", upright), ("down", upright.rotate(180))):
        image.save(arguments.folder / f"{name}.png")
        numbers = classifier_input(image)
        np.save(arguments.folder / f"x_{name}.npy", numbers)
        numbers.tofile(arguments.folder / f"x_{name}.f32")


if __name__ == "__main__":
    main()
