//! People and tokens as clients see them.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::UserRole;
use parlance_foundation::ids::{FamilyId, UserId};

/// What everybody who is signed in may know about a person.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PublicUser {
    #[schema(value_type = Uuid)]
    pub id: UserId,
    #[schema(example = "ada")]
    pub username: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = "Ada Lovelace")]
    pub full_name: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub avatar_url: Option<String>,
    pub created_at: DateTime<Utc>,
}

/// A person as that person sees it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct OwnUser {
    #[schema(value_type = Uuid)]
    pub id: UserId,
    #[schema(example = "ada")]
    pub username: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = "Ada Lovelace")]
    pub full_name: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub avatar_url: Option<String>,
    pub created_at: DateTime<Utc>,
    /// Absent for a user of an outside issuer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = "ada@example.com")]
    pub email: Option<String>,
    pub role: UserRole,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status_message: Option<String>,
    /// In E.164 form.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = "+4930123456")]
    pub phone: Option<String>,
    /// The client's own settings: any JSON object.
    #[schema(value_type = Object)]
    pub preferences: serde_json::Value,
}

/// The device that signs in, as the client names it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Device {
    /// The client's own, stable id of the device, at most 64 characters. Signing in again on the same device
    /// ends its earlier sign-in.
    #[serde(default)]
    pub id: Option<String>,
    /// What its owner would call it, at most 100 characters.
    #[serde(default)]
    #[schema(example = "Firefox on Linux")]
    pub name: Option<String>,
}

/// The answer to signing up, signing in and refreshing.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct SignedIn {
    pub user: OwnUser,
    /// A JWT for `Authorization: Bearer` and for `hello`.
    pub access_token: String,
    /// Works once, for `POST /auth/refresh`; keep the new one of its answer in place of this.
    pub refresh_token: String,
    /// Seconds until the access token expires.
    #[schema(example = 900)]
    pub expires_in: u64,
}

/// A device that you are signed in on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct OwnDevice {
    /// Of the sign-in; `DELETE /users/me/devices/{id}` ends it.
    #[schema(value_type = Uuid)]
    pub id: FamilyId,
    /// The client's own id of the device, if it gave one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub device_id: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = "Firefox on Linux")]
    pub name: Option<String>,
    /// When it was signed in.
    pub created_at: DateTime<Utc>,
    /// When it last signed in or refreshed its tokens.
    pub last_used_at: DateTime<Utc>,
    /// When it is signed out by itself, unless it is used before.
    pub expires_at: DateTime<Utc>,
    /// The one that asks.
    pub current: bool,
}

/// A page of devices, the newest sign-in first.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct DevicePage {
    pub items: Vec<OwnDevice>,
    /// Send it as `before` for the next page; null on the last one.
    #[schema(value_type = Option<Uuid>)]
    pub next: Option<FamilyId>,
}

/// A link that sets a new password. Whoever has it can take the account over: give it to its owner only.
#[derive(Clone, Serialize, Deserialize, ToSchema)]
pub struct ResetLink {
    #[schema(value_type = Uuid)]
    pub user_id: UserId,
    #[schema(example = "ada")]
    pub username: String,
    /// For `POST /auth/reset`; works once.
    pub token: String,
    /// Where the web client takes it, below this server's address. The token stands behind a `#`, so that no proxy logs
    /// it.
    #[schema(example = "/reset#token=…")]
    pub path: String,
    pub expires_at: DateTime<Utc>,
}

/// What somebody who is not signed in has to know to do so.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AuthOptions {
    /// Whether anyone may create an account.
    pub registration: bool,
    /// The shortest password, in characters.
    #[schema(example = 8)]
    pub password_chars_min: usize,
}
