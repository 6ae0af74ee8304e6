"""QR codes as one SVG path, drawn into the page: no image is fetched, and no style is needed."""

from __future__ import annotations

from dataclasses import dataclass

import qrcode

_QUIET = 4  # modules around the code, as ISO/IEC 18004 wants


@dataclass(frozen=True, slots=True)
class QrCode:
    """`side` modules each way, quiet zone included; `path` fills the dark ones."""

    side: int
    path: str


def qr_code(text: str) -> QrCode:
    """Return the QR code of a text, with the error correction that authenticator apps expect (level M)."""
    code = qrcode.QRCode(error_correction=qrcode.constants.ERROR_CORRECT_M, border=_QUIET)
    code.add_data(text)
    code.make(fit=True)
    rows = code.get_matrix()
    dark = (f"M{x} {y}h1v1h-1z" for y, row in enumerate(rows) for x, module in enumerate(row) if module)
    return QrCode(len(rows), "".join(dark))
