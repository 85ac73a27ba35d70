//! What all routes share: the JSON that they answer, and the fields of forms.

pub mod answer;
pub mod fields;
