//! Uploads are distrusted: photos lose their metadata, bombs and disguises are refused.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs, reason = "tests may")]

use std::io::Cursor;
use std::path::PathBuf;

use bytes::Bytes;
use image::codecs::jpeg::JpegEncoder;
use image::{DynamicImage, ImageEncoder as _, ImageFormat, Rgb, RgbImage};
use local_stack::{AccessKey, Authority, Certificate, ObjectStore as Store, ScratchFolder, Tools, workspace_root};
use problem::Problem;
use service_kit::config::{FilesSection, SecretFile};
use service_kit::files::{EVIDENCE, FileError, Files, MediaKind, TABLE, UploadPolicy, collect};

/// Four by two pixels, left half red, right half blue.
fn picture() -> RgbImage {
    RgbImage::from_fn(64, 32, |x, _| if x < 32 { Rgb([250, 0, 0]) } else { Rgb([0, 0, 250]) })
}

/// An Exif block with orientation 6 (turn right by 90 degrees) and a comment in place of a position.
fn exif() -> Vec<u8> {
    let mut block = b"MM\0*\0\0\0\x08".to_vec();
    block.extend([0, 1]);
    block.extend([0x01, 0x12, 0, 3, 0, 0, 0, 1, 0, 6, 0, 0]);
    block.extend([0, 0, 0, 0]);
    block.extend(b"GPS 20.0174N 110.3492E");
    block
}

fn jpeg_with_exif() -> Bytes {
    let mut out = Vec::new();
    let mut encoder = JpegEncoder::new_with_quality(&mut out, 95);
    encoder.set_exif_metadata(exif()).unwrap();
    let picture = picture();
    encoder.encode(picture.as_raw(), 64, 32, image::ExtendedColorType::Rgb8).unwrap();
    out.into()
}

fn store() -> (Files, std::path::PathBuf) {
    let folder = std::env::temp_dir().join(format!("dudao-files-{}", uuid::Uuid::new_v4()));
    (Files::in_folder(&folder).unwrap(), folder)
}

#[tokio::test]
async fn a_photo_is_stored_upright_and_without_position() {
    let (files, folder) = store();
    let original = jpeg_with_exif();
    assert!(original.windows(4).any(|window| window == b"GPS "));
    let stored = files.accept_bytes(original.clone(), EVIDENCE).await.unwrap();
    assert_eq!(stored.media_type, "image/jpeg");
    let content = files.get(&stored.sha256).await.unwrap();
    assert_eq!(content.len() as u64, stored.bytes);
    for trace in [b"GPS ".as_slice(), b"Exif"] {
        assert!(!content.windows(4).any(|window| window == trace));
    }
    let turned = image::load_from_memory(&content).unwrap().into_rgb8();
    assert_eq!(turned.dimensions(), (32, 64));
    assert!(turned.get_pixel(16, 8)[0] > 200, "red is on top after turning right");
    assert!(turned.get_pixel(16, 56)[2] > 200);
    // The same photo again is the same file.
    assert_eq!(files.accept_bytes(original, EVIDENCE).await.unwrap(), stored);
    std::fs::remove_dir_all(folder).unwrap();
}

#[tokio::test]
async fn webp_and_png_are_rewritten_too() {
    let (files, folder) = store();
    for (format, expected) in [(ImageFormat::Png, "image/png"), (ImageFormat::WebP, "image/jpeg")] {
        let mut out = Cursor::new(Vec::new());
        DynamicImage::ImageRgb8(picture()).write_to(&mut out, format).unwrap();
        let stored = files.accept_bytes(out.into_inner().into(), EVIDENCE).await.unwrap();
        assert_eq!(stored.media_type, expected);
    }
    std::fs::remove_dir_all(folder).unwrap();
}

/// A PNG header that announces 50,000 by 50,000 pixels over a few bytes of data.
fn pixel_bomb() -> Bytes {
    let mut png = b"\x89PNG\r\n\x1a\n".to_vec();
    let mut header = b"IHDR".to_vec();
    header.extend(50_000_u32.to_be_bytes());
    header.extend(50_000_u32.to_be_bytes());
    header.extend([8, 2, 0, 0, 0]);
    png.extend(13_u32.to_be_bytes());
    png.extend(&header);
    png.extend(crc32(&header).to_be_bytes());
    for (name, data) in [(b"IDAT", b"\x78\x9c\x63\0\0\0\x01\0\x01".as_slice()), (b"IEND", b"")] {
        png.extend(u32::try_from(data.len()).unwrap().to_be_bytes());
        let chunk = [name.as_slice(), data].concat();
        png.extend(&chunk);
        png.extend(crc32(&chunk).to_be_bytes());
    }
    png.into()
}

fn crc32(data: &[u8]) -> u32 {
    !data.iter().fold(!0_u32, |mut crc, byte| {
        crc ^= u32::from(*byte);
        for _ in 0..8 {
            crc = if crc & 1 == 1 { (crc >> 1) ^ 0xEDB8_8320 } else { crc >> 1 };
        }
        crc
    })
}

/// A ZIP directory with one entry of the given sizes (no data: only the directory is read).
fn office(name: &str, packed: u32, unpacked: u32) -> Bytes {
    let mut zip = b"PK\x03\x04\x14\0\0\0\x08\0".to_vec();
    zip.extend([0; 20]);
    let directory = u32::try_from(zip.len()).unwrap();
    zip.extend(b"PK\x01\x02");
    zip.extend([0; 16]);
    zip.extend(packed.to_le_bytes());
    zip.extend(unpacked.to_le_bytes());
    zip.extend(u16::try_from(name.len()).unwrap().to_le_bytes());
    zip.extend([0; 16]);
    zip.extend(name.as_bytes());
    let size = u32::try_from(zip.len()).unwrap() - directory;
    zip.extend(b"PK\x05\x06\0\0\0\0\x01\0\x01\0");
    zip.extend(size.to_le_bytes());
    zip.extend(directory.to_le_bytes());
    zip.extend([0, 0]);
    zip.into()
}

#[tokio::test]
async fn bombs_are_refused_before_they_unpack() {
    let (files, folder) = store();
    let refused = files.accept_bytes(pixel_bomb(), EVIDENCE).await.unwrap_err();
    assert!(matches!(refused, FileError::Pixels { width: 50_000, height: 50_000 } | FileError::Bomb), "{refused}");
    let refused = files.accept_bytes(office("xl/workbook.xml", 40_000, 4_000_000_000), TABLE).await.unwrap_err();
    assert!(matches!(refused, FileError::Bomb), "{refused}");
    assert!(files.accept_bytes(office("xl/workbook.xml", 1_000, 20_000), TABLE).await.is_ok());
    std::fs::remove_dir_all(folder).unwrap();
}

#[tokio::test]
async fn what_is_not_on_the_list_is_refused_whatever_it_claims() {
    let (files, folder) = store();
    let cases: [(&str, Bytes); 6] = [
        ("program", Bytes::from_static(b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0\x02\0")),
        ("page", Bytes::from_static(b"<!DOCTYPE html><script>alert(1)</script>")),
        ("archive", office("evil.exe", 10, 10)),
        ("text", Bytes::from_static("学校,编码\n".as_bytes())),
        ("broken photo", Bytes::from_static(b"\xff\xd8\xff\xe0\0\x10JFIF\0\x01nothing follows")),
        ("nothing", Bytes::new()),
    ];
    for (name, content) in cases {
        let refused = files.accept_bytes(content, EVIDENCE).await.err().unwrap_or_else(|| panic!("{name} was taken"));
        let status = Problem::from(refused).status();
        assert_eq!(status, 422, "{name}");
    }
    assert!(files.accept_bytes(Bytes::from_static("学校,编码\n".as_bytes()), TABLE).await.is_ok());
    assert!(files.accept_bytes(Bytes::from_static(b"a\0b"), TABLE).await.is_err());
    std::fs::remove_dir_all(folder).unwrap();
}

#[tokio::test]
async fn an_upload_stops_at_its_limit() {
    const SMALL: UploadPolicy = UploadPolicy { max_bytes: 10, kinds: &[MediaKind::Csv] };
    let chunks = (0..3).map(|_| Ok::<_, std::io::Error>(Bytes::from_static(b"12345")));
    let refused = collect(futures_util::stream::iter(chunks), SMALL.max_bytes).await.unwrap_err();
    assert!(matches!(refused, FileError::TooLarge { limit: 10 }));
    assert_eq!(Problem::from(refused).status(), 413);
}

#[tokio::test]
async fn foreign_addresses_and_damage_are_noticed() {
    let (files, folder) = store();
    let stored = files.put(Bytes::from_static(b"document"), "text/plain").await.unwrap();
    for wrong in ["../../etc/passwd", "", &"g".repeat(64), &"0".repeat(64)] {
        assert!(matches!(files.get(wrong).await, Err(FileError::Unknown(_))), "{wrong}");
    }
    let (first, second) = (&stored.sha256[..2], &stored.sha256[2..4]);
    std::fs::write(folder.join("sha256").join(first).join(second).join(&stored.sha256), b"changed").unwrap();
    assert!(matches!(files.get(&stored.sha256).await, Err(FileError::Damaged(_))));
    std::fs::remove_dir_all(folder).unwrap();
}

/// A real object store in a folder of its own, and the key that opens it.
async fn object_store(folder: &ScratchFolder, certificate: Option<&Certificate>) -> (Store, AccessKey) {
    let tools = Tools::find(&workspace_root()).unwrap();
    let key = AccessKey::new("dudao").unwrap();
    let keys = std::slice::from_ref(&key);
    let store = Store::start(&folder.path().join("store"), &tools.object_store, keys, certificate).await.unwrap();
    (store, key)
}

/// Its bucket as a service sees it.
fn bucket(folder: &ScratchFolder, store: &Store, key: &AccessKey, authority_file: Option<PathBuf>) -> Files {
    service_kit::install_crypto();
    let secret = |half: &str, text: &str| {
        let file = folder.path().join(format!("{}.{half}", key.id));
        std::fs::write(&file, text).unwrap();
        Some(SecretFile::read(&file).unwrap())
    };
    let section = FilesSection {
        folder: None,
        bucket: Some(store.bucket().to_owned()),
        endpoint: Some(store.endpoint().to_owned()),
        region: "us-east-1".to_owned(),
        access_key_id_file: secret("id", &key.id),
        secret_access_key_file: secret("secret", &key.secret),
        authority_file,
    };
    Files::open(&section).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_object_store_keeps_a_file_once_and_gives_it_back_whole() {
    let folder = ScratchFolder::new("service-kit-files-kept").unwrap();
    let (store, key) = object_store(&folder, None).await;
    let files = bucket(&folder, &store, &key, None);
    let first = files.put(Bytes::from("到校核查"), "text/plain").await.unwrap();
    assert_eq!(files.put(Bytes::from("到校核查"), "text/plain").await.unwrap(), first);
    assert_eq!(files.get(&first.sha256).await.unwrap(), "到校核查");
    let photo = files.accept_bytes(jpeg_with_exif(), EVIDENCE).await.unwrap();
    assert_eq!(files.get(&photo.sha256).await.unwrap().len() as u64, photo.bytes);
    let nowhere = "0".repeat(64);
    assert!(matches!(files.get(&nowhere).await, Err(FileError::Unknown(_))));

    // What the store changed is not given out, and what is there is not written over: two replicas may store the same at once.
    let object = store.object(&format!("sha256/{}/{}/{}", &first.sha256[..2], &first.sha256[2..4], first.sha256));
    std::fs::write(&object, "changed").unwrap();
    assert!(matches!(files.get(&first.sha256).await, Err(FileError::Damaged(_))));
    assert_eq!(files.put(Bytes::from("到校核查"), "text/plain").await.unwrap(), first);
    assert_eq!(std::fs::read_to_string(&object).unwrap(), "changed");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_key_of_an_object_store_is_changed_while_both_are_good() {
    let folder = ScratchFolder::new("service-kit-files-key").unwrap();
    let (store, old) = object_store(&folder, None).await;
    let before = bucket(&folder, &store, &old, None);
    let kept = before.put(Bytes::from("旧密钥"), "text/plain").await.unwrap();

    let new = AccessKey::new("dudao-2").unwrap();
    store.set_keys(&[old, new.clone()]).unwrap();
    let after = bucket(&folder, &store, &new, None);
    assert_eq!(before.get(&kept.sha256).await.unwrap(), "旧密钥");
    assert_eq!(after.get(&kept.sha256).await.unwrap(), "旧密钥");

    store.set_keys(&[new]).unwrap();
    let fresh = after.put(Bytes::from("新密钥"), "text/plain").await.unwrap();
    assert_eq!(after.get(&fresh.sha256).await.unwrap(), "新密钥");
    // A store that does not let us in is a matter for the operators, not an error of ours.
    for error in
        [before.get(&kept.sha256).await.unwrap_err(), before.put(Bytes::from("迟到"), "text/plain").await.unwrap_err()]
    {
        let problem = Problem::from(error);
        assert_eq!(problem.status(), 503, "{problem:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_object_store_has_to_prove_its_name_by_the_named_authority() {
    let folder = ScratchFolder::new("service-kit-files-tls").unwrap();
    let (ours, another) = (Authority::new("ours").unwrap(), Authority::new("another").unwrap());
    let certificate = ours.certificate("localhost").unwrap();
    let (store, key) = object_store(&folder, Some(&certificate)).await;

    let files = bucket(&folder, &store, &key, Some(ours.file(folder.path()).unwrap()));
    let kept = files.put(Bytes::from("到校核查"), "text/plain").await.unwrap();
    assert_eq!(files.get(&kept.sha256).await.unwrap(), "到校核查");
    for authority in [Some(another.file(folder.path()).unwrap()), None] {
        let files = bucket(&folder, &store, &key, authority);
        assert!(matches!(files.get(&kept.sha256).await, Err(FileError::Store(_))));
    }
}
