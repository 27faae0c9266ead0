//! Photos as a phone takes them: a JPEG with EXIF.

use image::codecs::jpeg::JpegEncoder;
use image::{DynamicImage, ExtendedColorType, ImageEncoder as _, Rgb, RgbImage};

/// What the camera would betray, and what must be gone from the stored file.
pub const CAMERA: &str = "DudaoCam-7431";

/// A photo of its own for each number, with the camera's name in its EXIF.
pub fn photo(number: u32) -> anyhow::Result<Vec<u8>> {
    let shade = |value: u32| u8::try_from(value % 256).unwrap_or_default();
    let picture = RgbImage::from_fn(320, 240, |x, y| {
        Rgb([shade(x + number * 37), shade(y * 2 + number * 11), shade(x / 3 + y + number * 71)])
    });
    let picture = DynamicImage::ImageRgb8(picture);
    let mut plain = Vec::new();
    JpegEncoder::new_with_quality(&mut plain, 85).write_image(picture.as_bytes(), 320, 240, ExtendedColorType::Rgb8)?;
    // After the start of the image (FF D8) comes the application segment with the EXIF.
    let (start, rest) = plain.split_at(2);
    Ok([start, &exif(), rest].concat())
}

/// An APP1 segment whose one entry is the camera's model (tag 0110).
fn exif() -> Vec<u8> {
    let text = [CAMERA.as_bytes(), &[0]].concat();
    let length = u32::try_from(text.len()).unwrap_or_default();
    let mut tiff = b"MM\0*\0\0\0\x08".to_vec();
    tiff.extend(1_u16.to_be_bytes());
    tiff.extend(0x0110_u16.to_be_bytes());
    tiff.extend(2_u16.to_be_bytes());
    tiff.extend(length.to_be_bytes());
    // The text stands after the header (8), the count (2), the entry (12) and the link to the next directory (4).
    tiff.extend(26_u32.to_be_bytes());
    tiff.extend(0_u32.to_be_bytes());
    tiff.extend(&text);
    let body = [b"Exif\0\0".as_slice(), &tiff].concat();
    let size = u16::try_from(body.len() + 2).unwrap_or(u16::MAX);
    [&[0xff, 0xe1], size.to_be_bytes().as_slice(), &body].concat()
}
