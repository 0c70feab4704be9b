//! People and tokens as clients see them.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::UserRole;
use crate::ids::UserId;

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

/// A page of people.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct UserPage {
    pub items: Vec<PublicUser>,
    /// Send it as `after` for the next page; null on the last one.
    pub next: Option<String>,
}
