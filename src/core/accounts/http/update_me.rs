//! `PATCH /users/me`

use actix_web::{patch, web};
use serde::{Deserialize, Deserializer};
use serde_json::Value;
use utoipa::ToSchema;

use crate::accounts::store::users::{self, ProfileChange};
use crate::accounts::wire::OwnUser;
use crate::accounts::{Auth, AuthError, Caller, InvalidInput, input};
use parlance_foundation::problem::{Problem, ProblemBody};
use parlance_foundation::requests::JsonBody;

/// What to change: a field that is absent stays, one that is null is cleared.
#[derive(Default, Deserialize, ToSchema)]
#[serde(default)]
pub(super) struct ProfilePatch {
    #[serde(deserialize_with = "present")]
    #[schema(value_type = Option<String>, example = "Ada Lovelace", max_length = 100)]
    full_name: Option<Option<String>>,
    /// An `https://` address, or a path on this server that starts with `/`.
    #[serde(deserialize_with = "present")]
    #[schema(value_type = Option<String>, max_length = 2048)]
    avatar_url: Option<Option<String>>,
    #[serde(deserialize_with = "present")]
    #[schema(value_type = Option<String>, example = "In the engine room", max_length = 200)]
    status_message: Option<Option<String>>,
    /// In E.164 form: a plus, the country code and the number.
    #[serde(deserialize_with = "present")]
    #[schema(value_type = Option<String>, example = "+4930123456")]
    phone: Option<Option<String>>,
    /// Replaced as a whole; at most 16384 bytes as JSON.
    #[serde(deserialize_with = "present")]
    #[schema(value_type = Option<Object>)]
    preferences: Option<Option<Value>>,
}

/// Tells a field that is null from one that is absent.
fn present<'de, T: Deserialize<'de>, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Option<T>>, D::Error> {
    Option::deserialize(deserializer).map(Some)
}

impl ProfilePatch {
    fn checked(self) -> Result<ProfileChange, InvalidInput> {
        type Check = fn(&str) -> Result<String, InvalidInput>;
        let text = |field: Option<Option<String>>, check: Check| {
            field.map(|value| value.as_deref().map(check).transpose()).transpose()
        };
        let preferences = self.preferences.map(|value| value.unwrap_or_else(|| Value::Object(serde_json::Map::new())));
        preferences.as_ref().map(input::preferences).transpose()?;
        Ok(ProfileChange {
            full_name: text(self.full_name, input::full_name)?,
            avatar_url: text(self.avatar_url, input::avatar_url)?,
            status_message: text(self.status_message, input::status_message)?,
            phone: text(self.phone, input::phone)?,
            preferences,
        })
    }
}

/// Change your profile.
#[utoipa::path(
    tag = "accounts",
    request_body = ProfilePatch,
    responses(
        (status = 200, description = "You, as you are now", body = OwnUser),
        (status = 401, description = "`auth.token_missing`, `auth.token_invalid`, `auth.token_expired`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 403, description = "`auth.account_disabled`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 422, description = "`auth.invalid_…`: a field is not acceptable, and the detail says what would be", body = ProblemBody, content_type = "application/problem+json"),
    ),
    security(("bearer" = [])),
)]
#[patch("/users/me")]
pub(super) async fn update_me(
    auth: web::Data<Auth>,
    caller: Caller,
    body: JsonBody<ProfilePatch>,
) -> Result<web::Json<OwnUser>, Problem> {
    let change = body.into_inner().checked().map_err(AuthError::Invalid)?;
    auth.change_profile(caller.user_id, &change).await?;
    Ok(web::Json(auth.own_user(caller.user_id).await?))
}

impl Auth {
    async fn change_profile(
        &self,
        user: parlance_foundation::ids::UserId,
        change: &ProfileChange,
    ) -> Result<(), AuthError> {
        if *change == ProfileChange::default() {
            return Ok(());
        }
        let mut conn = self.0.storage.engine().acquire().await?;
        // A disabled or deleted account is left as it is; reading it back says which it was.
        users::change_profile(&mut conn, user, change, self.0.clock.now()).await?;
        // At once, so that whoever made the change sees it; a caller who hangs up before this is covered by the trigger.
        self.0.recent.forget(user);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn absent_stays_and_null_clears() {
        let patch: ProfilePatch = serde_json::from_value(json!({"full_name": " Ada ", "avatar_url": null})).unwrap();
        let change = patch.checked().unwrap();
        assert_eq!(change.full_name, Some(Some("Ada".into())));
        assert_eq!(change.avatar_url, Some(None));
        assert_eq!((change.status_message, change.preferences), (None, None));
        let cleared: ProfilePatch = serde_json::from_value(json!({"preferences": null})).unwrap();
        assert_eq!(cleared.checked().unwrap().preferences, Some(json!({})));
    }

    #[test]
    fn every_field_is_checked() {
        let refused = [
            (json!({"full_name": ""}), "auth.invalid_full_name"),
            (json!({"avatar_url": "javascript:alert(1)"}), "auth.invalid_avatar_url"),
            (json!({"status_message": "x".repeat(201)}), "auth.invalid_status_message"),
            (json!({"phone": "110"}), "auth.invalid_phone"),
            (json!({"preferences": []}), "auth.invalid_preferences"),
        ];
        for (body, code) in refused {
            let patch: ProfilePatch = serde_json::from_value(body).unwrap();
            assert_eq!(patch.checked().unwrap_err().code, code);
        }
    }
}
