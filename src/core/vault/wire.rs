//! What admins see of secrets. No type here has a place for a value that is answered.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::Secret;
use parlance_foundation::ids::UserId;

/// A secret as it may be seen: everything but the secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SecretMeta {
    pub id: Uuid,
    /// Whose it is: the feature and kind.
    #[schema(example = "ai.provider")]
    pub scope: String,
    /// What it is called there, such as its owner's id.
    #[schema(example = "0192a000-0000-7000-8000-000000000000")]
    pub name: String,
    /// For people; may be empty.
    #[schema(example = "OpenAI, billing of marketing")]
    pub label: String,
    /// Its last characters, by which people tell keys apart; left out for short and binary ones.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = "…x4Qz")]
    pub hint: Option<String>,
    /// How many values it has had.
    #[schema(example = 1)]
    pub version: i32,
    /// The fingerprint of the master key that it is under.
    #[schema(example = "0f1e2d3c4b5a6978")]
    pub key_id: String,
    /// Whether the engine has that key. If not, it cannot be used until the key is back.
    pub readable: bool,
    pub created_at: DateTime<Utc>,
    /// The admin who made it; left out when that was the engine, an operator, or somebody whose account is gone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Uuid>)]
    pub created_by: Option<UserId>,
    /// When it got its present value, if that is not the first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replaced_at: Option<DateTime<Utc>>,
    /// When it was last put under a newer master key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rotated_at: Option<DateTime<Utc>>,
    /// When it was last used, to the minute.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_used_at: Option<DateTime<Utc>>,
}

/// A new value. It goes in and never comes out.
#[derive(Deserialize, ToSchema)]
pub struct SecretValue {
    #[schema(value_type = String, format = Password, write_only, example = "sk-…")]
    pub value: Secret,
}
