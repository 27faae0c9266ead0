//! `/openapi.json` (OpenAPI 3.1) and `/docs`, a page to browse it that loads nothing from elsewhere.

use axum::Router;
use axum::response::IntoResponse as _;
use axum::routing::get;
use bytes::Bytes;
use http::header::{CONTENT_SECURITY_POLICY, CONTENT_TYPE};
use swagger_ui_dist::{ApiDefinition, OpenApiSource};

/// Only what comes from this listener; the styles of the page are set by its script.
const PAGE_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; \
     img-src 'self' data:; connect-src 'self'; frame-ancestors 'none'; base-uri 'none'";

// The packaged page has an inline script, which the policy forbids; hence a page of our own over the same assets.
const PAGE: &str = r#"<!doctype html>
<html lang="zh-CN">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>督导平台接口文档</title>
<link rel="stylesheet" href="/docs/assets/swagger-ui.css">
</head>
<body>
<main id="api"></main>
<script src="/docs/assets/swagger-ui-bundle.js"></script>
<script src="/docs/start.js"></script>
</body>
</html>
"#;

const START: &str = r##""use strict";
window.addEventListener("load", () => {
  window.ui = window.SwaggerUIBundle({ url: "/openapi.json", dom_id: "#api", validatorUrl: null });
});
"##;

/// The routes of the documentation.
pub fn routes(service: &str, mut document: utoipa::openapi::OpenApi) -> Router {
    document.info.title = format!("dudao-{service}");
    env!("CARGO_PKG_VERSION").clone_into(&mut document.info.version);
    let text = Bytes::from(document.to_json().unwrap_or_default());
    let assets = swagger_ui_dist::generate_routes(ApiDefinition {
        uri_prefix: "/docs/assets",
        api_definition: OpenApiSource::Uri("/openapi.json"),
        title: None,
    });
    Router::new()
        .route(
            "/openapi.json",
            get(move || async move { ([(CONTENT_TYPE, "application/json")], text).into_response() }),
        )
        .route(
            "/docs",
            get(|| async {
                ([(CONTENT_TYPE, "text/html; charset=utf-8"), (CONTENT_SECURITY_POLICY, PAGE_POLICY)], PAGE)
            }),
        )
        .route("/docs/start.js", get(|| async { ([(CONTENT_TYPE, "text/javascript; charset=utf-8")], START) }))
        .merge(assets)
}
