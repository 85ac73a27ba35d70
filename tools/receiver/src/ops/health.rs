//! Whether the receiver can do its work, for load balancers and supervisors.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::IntoResponse;

use crate::app::App;

/// Answers 200 when records can be read and bytes can be written.
pub async fn health(State(app): State<App>) -> impl IntoResponse {
    let failure = match app.store.ping().await {
        Err(error) => Some(error.to_string()),
        Ok(()) => app
            .shelf
            .files
            .probe()
            .await
            .err()
            .map(|e| format!("files: {e}")),
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
