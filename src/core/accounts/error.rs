//! What can go wrong with accounts, and the one table from there to what a client sees.
//!
//! Invariant: no error tells whether an account exists to somebody who does not hold its password or token.

use parlance_foundation::problem::Problem;

/// Why a request about accounts failed.
#[derive(Debug, thiserror::Error)]
pub enum AuthError {
    #[error("no access token was given")]
    TokenMissing,
    /// Forged, malformed, of an unknown issuer, or of a family that was signed out.
    #[error("the access token is not valid")]
    TokenInvalid,
    #[error("the access token has expired")]
    TokenExpired,
    /// The keys of an outside issuer cannot be had right now.
    #[error("the issuer of the access token cannot be reached")]
    IssuerAway,
    #[error("registration is closed")]
    RegistrationClosed,
    #[error("the username or email cannot be used")]
    RegistrationRefused,
    #[error("the login or the password is wrong")]
    LoginRefused,
    /// Unknown, expired, used before, or of a family that was signed out.
    #[error("the refresh token is not valid")]
    RefreshRefused,
    /// The current password, given to change it.
    #[error("the current password is wrong")]
    PasswordRefused,
    /// Unknown, used, or too old; or a newer one was made.
    #[error("the link for a new password is not valid")]
    ResetRefused,
    #[error("there is no such device")]
    DeviceNotFound,
    #[error("the account is disabled")]
    AccountDisabled,
    #[error("only an admin may do this")]
    NotAnAdmin,
    #[error("there is no such user")]
    UserNotFound,
    #[error("too many attempts")]
    TooManyAttempts { retry_after_ms: u64 },
    /// Too many password hashes wait already.
    #[error("the engine is busy")]
    Busy,
    #[error(transparent)]
    Invalid(#[from] InvalidInput),
    #[error(transparent)]
    Database(#[from] sqlx::Error),
    /// Our fault; the text is for the log.
    #[error("{0}")]
    Internal(String),
}

/// A field that cannot be accepted: which, and what would be right.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{detail}")]
pub struct InvalidInput {
    /// `auth.invalid_<field>`.
    pub code: &'static str,
    pub detail: String,
}

impl AuthError {
    /// A stable word for the `outcome` of a metric.
    pub(super) fn outcome(&self) -> &'static str {
        match self {
            Self::TokenMissing | Self::TokenInvalid | Self::TokenExpired => "token",
            Self::LoginRefused
            | Self::RefreshRefused
            | Self::RegistrationRefused
            | Self::PasswordRefused
            | Self::ResetRefused => "refused",
            Self::RegistrationClosed => "closed",
            Self::AccountDisabled => "disabled",
            Self::NotAnAdmin | Self::UserNotFound | Self::DeviceNotFound | Self::Invalid(_) => "invalid",
            Self::TooManyAttempts { .. } => "limited",
            Self::Busy => "busy",
            Self::IssuerAway | Self::Database(_) | Self::Internal(_) => "error",
        }
    }
}

impl From<AuthError> for Problem {
    fn from(error: AuthError) -> Self {
        match error {
            AuthError::TokenMissing => Self::unauthorized(
                "auth.token_missing",
                "Sign in first: this needs the header \"Authorization: Bearer <access token>\".",
            ),
            AuthError::TokenInvalid => {
                Self::unauthorized("auth.token_invalid", "The access token is not valid here. Sign in again.")
            }
            AuthError::TokenExpired => {
                Self::unauthorized("auth.token_expired", "The access token has expired. Refresh it, or sign in again.")
            }
            AuthError::IssuerAway => Self::unavailable(5_000),
            AuthError::RegistrationClosed => Self::forbidden(
                "auth.registration_closed",
                "Accounts are not created here by registration. Ask whoever runs this server for one.",
            ),
            AuthError::RegistrationRefused => Self::conflict(
                "auth.registration_refused",
                "That username or email cannot be used. Choose another, or sign in if the account is yours.",
            ),
            AuthError::LoginRefused => Self::unauthorized(
                "auth.login_refused",
                "The login or the password is wrong. Check both and try again.",
            ),
            AuthError::RefreshRefused => {
                Self::unauthorized("auth.refresh_refused", "This device is signed out. Sign in again.")
            }
            // Not 401, which would send a client off to refresh a token that is good.
            AuthError::PasswordRefused => Self::forbidden(
                "auth.password_refused",
                "The current password is wrong. If it is forgotten, ask whoever runs this server for a link that sets a new one.",
            ),
            AuthError::ResetRefused => Self::forbidden(
                "auth.reset_refused",
                "This link was used already, is too old, or a newer one was made. Ask whoever runs this server for a new one.",
            ),
            AuthError::DeviceNotFound => {
                Self::not_found("auth.device_not_found", "You are not signed in on a device with this id.")
            }
            AuthError::AccountDisabled => Self::forbidden(
                "auth.account_disabled",
                "This account is disabled. Ask whoever runs this server to enable it.",
            ),
            AuthError::NotAnAdmin => Self::forbidden("auth.not_an_admin", "Only an admin may do this."),
            AuthError::UserNotFound => Self::not_found("auth.user_not_found", "There is no user with this id."),
            AuthError::TooManyAttempts { retry_after_ms } => Self::too_many(
                "auth.too_many_attempts",
                format!("Too many attempts. Try again in {} s.", retry_after_ms.div_ceil(1_000)),
                retry_after_ms,
            ),
            AuthError::Busy => Self::busy(1_000),
            AuthError::Invalid(input) => Self::invalid(input.code, input.detail),
            AuthError::Database(error) => error.into(),
            AuthError::Internal(error) => {
                tracing::error!(%error, "unexpected error in accounts");
                Self::internal()
            }
        }
    }
}
