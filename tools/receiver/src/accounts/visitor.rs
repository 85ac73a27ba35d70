//! The sender of a request.

/// A sender.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Visitor {
    /// The user's name. It is the owner of all uploads that the request makes or asks for.
    pub owner: String,
    /// How the user is logged in.
    pub login: Login,
}

/// A way to be logged in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Login {
    /// There are no users: the receiver listens on this machine only, and the owner is "".
    None,
    /// HTTP Basic.
    Password,
    /// A bearer token.
    Token,
    /// The cookie from the login form.
    Session {
        /// The CSRF token that the page's requests need.
        csrf: String,
    },
}
