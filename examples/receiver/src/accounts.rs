//! Who is asking.

use axum::http::request::Parts;

use crate::app::App;
use crate::wire::answer::Answer;

/// The owner of what a request uploads or asks for.
pub async fn owner(_app: &App, _head: &Parts) -> Result<String, Answer> {
    Ok(String::new())
}
