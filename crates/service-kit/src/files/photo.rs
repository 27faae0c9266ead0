//! Photos are decoded within limits and written anew.

use std::io::Cursor;

use bytes::Bytes;
use image::codecs::jpeg::JpegEncoder;
use image::codecs::png::PngEncoder;
use image::{DynamicImage, ImageDecoder as _, ImageFormat, ImageReader, Limits};

use super::{FileError, MediaKind};

/// Most pixels of a picture: the cameras of today's phones make 50 million.
const MAX_PIXELS: u64 = 64_000_000;
/// Most memory while decoding, in bytes.
const MAX_MEMORY: u64 = 512 * 1024 * 1024;
/// Longest side, in pixels.
const MAX_SIDE: u32 = 20_000;

/// The same picture, upright, without any metadata: no position, no camera, no comment.
pub(super) fn rewritten(content: &[u8], kind: MediaKind) -> Result<(Bytes, MediaKind), FileError> {
    let unreadable = |error: image::ImageError| match error {
        image::ImageError::Limits(_) => FileError::Bomb,
        error => FileError::Unreadable { kind: kind.name(), reason: error.to_string() },
    };
    let format = match kind {
        MediaKind::Jpeg => ImageFormat::Jpeg,
        MediaKind::Png => ImageFormat::Png,
        MediaKind::Webp => ImageFormat::WebP,
        MediaKind::Pdf | MediaKind::Xlsx | MediaKind::Docx | MediaKind::Csv => {
            return Err(FileError::Unreadable { kind: kind.name(), reason: "no picture".to_owned() });
        }
    };
    let mut limits = Limits::default();
    limits.max_alloc = Some(MAX_MEMORY);
    let mut reader = ImageReader::with_format(Cursor::new(content), format);
    reader.limits(limits);
    let mut decoder = reader.into_decoder().map_err(unreadable)?;
    // The size stands in the first bytes: refuse before a pixel is unpacked.
    let (width, height) = decoder.dimensions();
    if u64::from(width) * u64::from(height) > MAX_PIXELS || width > MAX_SIDE || height > MAX_SIDE {
        return Err(FileError::Pixels { width, height });
    }
    // The orientation is itself metadata: turn the picture before it is lost.
    let orientation = decoder.orientation().unwrap_or(image::metadata::Orientation::NoTransforms);
    let mut picture = DynamicImage::from_decoder(decoder).map_err(unreadable)?;
    picture.apply_orientation(orientation);

    let mut out = Vec::new();
    let written = match (kind, picture.color().has_alpha()) {
        (MediaKind::Png, _) | (_, true) => {
            picture.write_with_encoder(PngEncoder::new(&mut out)).map_err(unreadable)?;
            MediaKind::Png
        }
        (_, false) => {
            let flat = DynamicImage::ImageRgb8(picture.into_rgb8());
            flat.write_with_encoder(JpegEncoder::new_with_quality(&mut out, 88)).map_err(unreadable)?;
            MediaKind::Jpeg
        }
    };
    Ok((out.into(), written))
}
