//! The files of the web client, compressed: each once, when it is first asked for, and kept.
//!
//! Bounded by the files that are compiled in. Gzip, which every browser takes: Brotli would save another tenth and bring a
//! crate of its own. A file that is being compressed is waited for, some 20 ms for the largest.

use std::io::Write;
use std::sync::LazyLock;

use actix_web::HttpRequest;
use actix_web::http::header::{AcceptEncoding, Encoding, Header};
use actix_web::web::Bytes;
use dashmap::DashMap;
use flate2::Compression;
use flate2::write::GzEncoder;

/// Shorter files fit the packet that they would fit compressed.
const BYTES_MIN: usize = 1_024;

/// One file, compressed; one that has changed has another hash: a development build reads its files anew.
struct Compressed {
    of: [u8; 32],
    /// `None`: that is no shorter.
    bytes: Option<Bytes>,
}

/// By path.
static FILES: LazyLock<DashMap<String, Compressed>> = LazyLock::new(DashMap::new);

/// Whether answers for this file depend on what the client takes.
pub fn may_be_compressed(content_type: &str, bytes: &[u8]) -> bool {
    let is_text = content_type.starts_with("text/") || ["application/json", "image/svg+xml"].contains(&content_type);
    is_text && bytes.len() >= BYTES_MIN
}

/// Whether this client prefers gzip to nothing.
pub fn takes_gzip(request: &HttpRequest) -> bool {
    let offered = [Encoding::gzip(), Encoding::identity()];
    let preferred = AcceptEncoding::parse(request).ok().and_then(|accepted| accepted.negotiate(offered.iter()));
    preferred == Some(Encoding::gzip())
}

/// The file as gzip; `None` when that is no shorter.
pub fn gzipped(path: &str, hash: [u8; 32], bytes: &[u8]) -> Option<Bytes> {
    if let Some(known) = FILES.get(path).filter(|known| known.of == hash) {
        return known.bytes.clone();
    }
    let mut entry = FILES.entry(path.to_owned()).or_insert(Compressed { of: [0; 32], bytes: None });
    if entry.of != hash {
        *entry = Compressed { of: hash, bytes: compress(bytes) };
    }
    entry.bytes.clone()
}

fn compress(bytes: &[u8]) -> Option<Bytes> {
    let mut encoder = GzEncoder::new(Vec::with_capacity(bytes.len() / 3), Compression::best());
    encoder.write_all(bytes).ok()?;
    let compressed = encoder.finish().ok()?;
    (compressed.len() < bytes.len()).then(|| Bytes::from(compressed))
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use actix_web::http::header::ACCEPT_ENCODING;
    use actix_web::test::TestRequest;

    use super::*;

    #[test]
    fn a_file_is_compressed_once_until_it_is_another() {
        let text = "Parlance ".repeat(1_000);
        let once = gzipped("once.js", [1; 32], text.as_bytes()).unwrap();
        // The same bytes in memory, not merely equal ones.
        assert_eq!(gzipped("once.js", [1; 32], b"").unwrap().as_ptr(), once.as_ptr());
        let mut back = String::new();
        flate2::read::GzDecoder::new(&once[..]).read_to_string(&mut back).unwrap();
        assert_eq!(back, text);
        let other = gzipped("once.js", [2; 32], text.to_uppercase().as_bytes()).unwrap();
        assert_ne!(other, once);
        let noise: Vec<u8> = (0..2_000_u32).flat_map(|n| n.wrapping_mul(2_654_435_761).to_le_bytes()).collect();
        assert!(gzipped("noise", [3; 32], &compress(&noise).unwrap_or_default()).is_none());
    }

    #[test]
    fn what_a_client_takes_is_in_its_header() {
        for (accepted, takes) in [
            (None, false),
            (Some("gzip"), true),
            (Some("gzip, deflate, br, zstd"), true),
            (Some("br"), false),
            (Some("gzip;q=0"), false),
            (Some("identity"), false),
            // Anything will do, so the file as it is does.
            (Some("*"), false),
            (Some("nonsense;;q=,"), false),
        ] {
            let mut request = TestRequest::default();
            if let Some(accepted) = accepted {
                request = request.insert_header((ACCEPT_ENCODING, accepted));
            }
            assert_eq!(takes_gzip(&request.to_http_request()), takes, "{accepted:?}");
        }
    }
}
