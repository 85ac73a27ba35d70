//! Style, scripts and texts of the pages, inside the program.

use std::sync::LazyLock;

use axum::extract::Path;
use axum::http::request::Parts;
use axum::http::{header, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use sha2::{Digest, Sha256};

use crate::http::conditions::Validators;
use crate::http::reply::Reply;
use crate::page::language::TEXTS;
use crate::page::secure;

/// Allows the worker, and no page, to compile WebAssembly: BLAKE3 is that. Where a browser does not know this word, the
/// worker has MD5 only.
const WORKER_POLICY: &str = "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'";

/// A file.
struct Asset {
    name: &'static str,
    content: &'static str,
    validators: Validators,
}

macro_rules! assets {
    ($($path:literal)*) => {
        [$((
            $path.rsplit('/').next().unwrap_or($path),
            include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/page/", $path)),
        )),*]
    };
}

static ASSETS: LazyLock<Vec<Asset>> = LazyLock::new(|| {
    let files = assets![
        "assets/icon.svg"
        "assets/page.css"
        "assets/kinds.svg"
        "assets/account.js"
        "assets/admin.js"
        "assets/agreement.js"
        "assets/app.js"
        "assets/backoff.js"
        "assets/compare.js"
        "assets/copy.js"
        "assets/dialogs.js"
        "assets/digest-worker.js"
        "assets/digest.js"
        "assets/files.js"
        "assets/kinds.js"
        "assets/lanes.js"
        "assets/library.js"
        "assets/list.js"
        "assets/own.js"
        "assets/parts.js"
        "assets/queue.js"
        "assets/ramp.js"
        "assets/ranges.js"
        "assets/rate.js"
        "assets/records.js"
        "assets/row.js"
        "assets/segments.js"
        "assets/selection.js"
        "assets/server.js"
        "assets/texts.js"
        "assets/transfer.js"
        "assets/upload.js"
        "assets/uploads.js"
        "assets/vendor/hash-wasm-blake3.umd.min.js"
        "assets/vendor/spark-md5.min.js"
    ];
    let asset = |(name, content): (&'static str, &'static str)| {
        let digest = hex::encode(Sha256::digest(content));
        Asset {
            name,
            content,
            validators: Validators::of_version(&digest),
        }
    };
    let names = TEXTS.iter().map(|(tag, _)| &*format!("{tag}.json").leak());
    let texts = names.zip(TEXTS.iter().map(|(_, content)| *content));
    files.into_iter().chain(texts).map(asset).collect()
});

/// Answers `GET /assets/NAME`. Browsers ask each time whether the file is still the same, so that a new receiver
/// never gets requests from old scripts.
pub async fn asset(Path(name): Path<String>, head: Parts) -> Response {
    let Some(asset) = ASSETS.iter().find(|asset| asset.name == name) else {
        return Reply::refusal(StatusCode::NOT_FOUND, "there is nothing here").into_response();
    };
    let mut response = match asset.validators.check(&head.method, &head.headers) {
        Ok(()) => asset.content.into_response(),
        Err(status) => status.into_response(),
    };
    let headers = response.headers_mut();
    secure(headers);
    asset.validators.write(headers);
    let mut set = |name, value| headers.insert(name, HeaderValue::from_static(value));
    if asset.name == "digest-worker.js" {
        set(header::CONTENT_SECURITY_POLICY, WORKER_POLICY);
    }
    set(header::CACHE_CONTROL, "no-cache");
    set(header::CONTENT_TYPE, content_type(asset.name));
    response
}

fn content_type(name: &str) -> &'static str {
    match name.rsplit('.').next() {
        Some("css") => "text/css; charset=utf-8",
        Some("js") => "text/javascript; charset=utf-8",
        Some("json") => "application/json",
        Some("svg") => "image/svg+xml",
        _ => "text/plain; charset=utf-8",
    }
}
