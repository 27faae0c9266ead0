//! The QR code of a document's address of verification.

use qrcode::{Color, EcLevel, QrCode};

/// Modules of white around the code (ISO/IEC 18004 asks for four).
const QUIET: usize = 4;

/// A QR code as a square of modules with its quiet zone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct QrSquare {
    side: usize,
    dark: Vec<bool>,
}

impl QrSquare {
    /// The code of an address; `None` when it is too long for any code.
    pub(crate) fn new(address: &str) -> Option<Self> {
        let code = QrCode::with_error_correction_level(address.as_bytes(), EcLevel::M).ok()?;
        let inner = code.width();
        let side = inner + 2 * QUIET;
        let mut dark = vec![false; side * side];
        for (place, color) in code.into_colors().into_iter().enumerate() {
            let (x, y) = (place % inner + QUIET, place / inner + QUIET);
            if let Some(module) = dark.get_mut(y * side + x) {
                *module = color == Color::Dark;
            }
        }
        Some(Self { side, dark })
    }

    /// Modules on a side.
    pub(crate) fn side(&self) -> usize {
        self.side
    }

    /// One byte for each module, black or white.
    pub(crate) fn into_luma(self) -> Vec<u8> {
        self.dark.into_iter().map(|dark| if dark { 0 } else { 255 }).collect()
    }
}
