//! `/healthz`, for load balancers and supervisors.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::IntoResponse;

use crate::storage::uploads::Uploads;

/// Answers 200 when records and bytes can be written.
pub async fn health(State(uploads): State<Uploads>) -> impl IntoResponse {
    let failure = match uploads.store.probe().await {
        Err(error) => Some(error.to_string()),
        Ok(()) => {
            let probe = uploads.files.probe().await;
            probe.err().map(|error| format!("files: {error}"))
        }
    };
    match failure {
        None => (StatusCode::OK, "ok\n"),
        Some(why) => {
            tracing::error!("not healthy: {why}");
            (
                StatusCode::SERVICE_UNAVAILABLE,
                "failing; the log says why\n",
            )
        }
    }
}
