//! `/teams` and `/parties`.

use actix_web::web::{Data, Path, Query, ServiceConfig};
use actix_web::{HttpResponse, delete, get, patch, post};
use serde::Deserialize;
use utoipa::{IntoParams, OpenApi};
use uuid::Uuid;

use super::error::TeamError;
use super::profiles::Profiles;
use super::store;
use super::teams::Teams;
use super::wire::{
    AddTeamMember, CreateTeam, PartyList, PartyProfile, SetTeamRole, Team, TeamMember, TeamRole, UpdateTeam,
};
use crate::accounts::Caller;
use crate::limits::Limits;
use parlance_foundation::ids::{TeamId, UserId};
use parlance_foundation::party::Party;
use parlance_foundation::problem::{Problem, ProblemBody};
use parlance_foundation::requests::{JsonBody, ListPage, PageQuery};

/// What the handlers need from the engine.
#[derive(Clone)]
pub struct PartiesParts {
    pub teams: Teams,
    pub profiles: Profiles,
    pub limits: Limits,
}

type Parts = Data<PartiesParts>;

/// Mounts the endpoints; paths are relative to `/api/v1`.
pub fn routes(cfg: &mut ServiceConfig) {
    cfg.service(create_team)
        .service(list_teams)
        .service(get_team)
        .service(update_team)
        .service(delete_team)
        .service(list_team_members)
        .service(add_team_member)
        .service(set_team_role)
        .service(remove_team_member)
        .service(list_parties);
}

/// The part of the OpenAPI document that is about parties; paths are relative to `/api/v1`.
#[derive(OpenApi)]
#[openapi(
    paths(
        create_team,
        list_teams,
        get_team,
        update_team,
        delete_team,
        list_team_members,
        add_team_member,
        set_team_role,
        remove_team_member,
        list_parties
    ),
    components(schemas(Team, TeamMember, TeamRole, PartyProfile)),
    tags((name = "parties", description = "Teams, and who anybody is")),
)]
pub struct ApiDoc;

/// Makes a team, with the caller as its owner. The same `client_id` again: 200 and the first one; without one, each request
/// makes another.
#[utoipa::path(
    tag = "parties", request_body = CreateTeam, security(("bearer" = [])),
    responses(
        (status = 201, body = Team), (status = 200, description = "It had been made before", body = Team),
        (status = 409, description = "team.too_many", body = ProblemBody),
        (status = 422, description = "team.invalid", body = ProblemBody),
        (status = 429, description = "limits.rooms: again after retry_after_ms", body = ProblemBody),
    )
)]
#[post("/teams")]
pub(super) async fn create_team(
    parts: Parts,
    caller: Caller,
    body: JsonBody<CreateTeam>,
) -> Result<HttpResponse, Problem> {
    parts.limits.make_room(caller.user_id)?;
    let (team, is_new) = parts.teams.create(caller.user_id, &body).await?;
    let mut response = if is_new { HttpResponse::Created() } else { HttpResponse::Ok() };
    Ok(response.json(team))
}

/// The teams that the caller is in.
#[utoipa::path(tag = "parties", params(PageQuery), security(("bearer" = [])), responses((status = 200, body = ListPage<Team>)))]
#[get("/teams")]
pub(super) async fn list_teams(parts: Parts, caller: Caller, page: PageQuery) -> Result<HttpResponse, Problem> {
    let teams = store::teams_of(&parts.teams.storage, caller.user_id, page.cursor()?, page.one_more()).await?;
    Ok(HttpResponse::Ok().json(ListPage::of(teams, &page, |team| team.id.to_string())))
}

/// One team that the caller is in, or shares a room with.
#[utoipa::path(
    tag = "parties", params(("id" = TeamId, Path)), security(("bearer" = [])),
    responses((status = 200, body = Team), (status = 404, description = "team.not_found", body = ProblemBody))
)]
#[get("/teams/{id}")]
pub(super) async fn get_team(parts: Parts, caller: Caller, id: Path<TeamId>) -> Result<HttpResponse, Problem> {
    Ok(HttpResponse::Ok().json(store::team_of(&parts.teams.storage, caller.user_id, *id).await?))
}

/// Renames a team or describes it anew; for its owners.
#[utoipa::path(
    tag = "parties", params(("id" = TeamId, Path)), request_body = UpdateTeam, security(("bearer" = [])),
    responses(
        (status = 200, body = Team),
        (status = 403, description = "team.not_an_owner", body = ProblemBody),
        (status = 404, description = "team.not_found", body = ProblemBody),
        (status = 422, description = "team.invalid", body = ProblemBody),
        (status = 429, description = "limits.messages: again after retry_after_ms", body = ProblemBody),
    )
)]
#[patch("/teams/{id}")]
pub(super) async fn update_team(
    parts: Parts,
    caller: Caller,
    id: Path<TeamId>,
    body: JsonBody<UpdateTeam>,
) -> Result<HttpResponse, Problem> {
    parts.limits.change_room(caller.user_id)?;
    Ok(HttpResponse::Ok().json(parts.teams.describe(caller.user_id, *id, &body).await?))
}

/// Deletes a team; for its owners. First each of its rooms takes it out, with the people who are there with it: they hear so
/// in the order of the room.
#[utoipa::path(
    tag = "parties", params(("id" = TeamId, Path)), security(("bearer" = [])),
    responses(
        (status = 204),
        (status = 403, description = "team.not_an_owner", body = ProblemBody),
        (status = 404, description = "team.not_found", body = ProblemBody),
        (status = 429, description = "limits.messages: again after retry_after_ms", body = ProblemBody),
    )
)]
#[delete("/teams/{id}")]
pub(super) async fn delete_team(parts: Parts, caller: Caller, id: Path<TeamId>) -> Result<HttpResponse, Problem> {
    parts.limits.change_room(caller.user_id)?;
    parts.teams.delete(caller.user_id, *id).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// The people of a team, for those who are in it.
#[utoipa::path(
    tag = "parties", params(("id" = TeamId, Path), PageQuery), security(("bearer" = [])),
    responses((status = 200, body = ListPage<TeamMember>), (status = 404, description = "team.not_found", body = ProblemBody))
)]
#[get("/teams/{id}/members")]
pub(super) async fn list_team_members(
    parts: Parts,
    caller: Caller,
    id: Path<TeamId>,
    page: PageQuery,
) -> Result<HttpResponse, Problem> {
    let after = page.cursor::<Uuid>()?;
    let members = store::members(&parts.teams.storage, caller.user_id, *id, after, page.one_more()).await?;
    Ok(HttpResponse::Ok().json(ListPage::of(members, &page, |member| member.user.id.to_string())))
}

/// What somebody is in a team.
#[derive(Debug, serde::Serialize, utoipa::ToSchema)]
pub struct TeamPlace {
    pub user_id: UserId,
    pub role: TeamRole,
}

/// Adds somebody to a team; for its owners. They come into every room where the team is. Somebody who is in it already stays
/// what they are (200).
#[utoipa::path(
    tag = "parties", params(("id" = TeamId, Path)), request_body = AddTeamMember, security(("bearer" = [])),
    responses(
        (status = 201, body = TeamPlace),
        (status = 200, description = "They were in it already, in this role", body = TeamPlace),
        (status = 403, description = "team.not_an_owner; team.stranger: they share no room or space with the caller, and chat.strangers is invite", body = ProblemBody),
        (status = 404, description = "team.not_found", body = ProblemBody),
        (status = 409, description = "team.full", body = ProblemBody),
        (status = 422, description = "team.user_not_found", body = ProblemBody),
        (status = 429, description = "limits.people: again after retry_after_ms", body = ProblemBody),
    )
)]
#[post("/teams/{id}/members")]
pub(super) async fn add_team_member(
    parts: Parts,
    caller: Caller,
    id: Path<TeamId>,
    body: JsonBody<AddTeamMember>,
) -> Result<HttpResponse, Problem> {
    parts.limits.add_people(caller.user_id, 1)?;
    let (user_id, role) = (body.user_id, body.role.unwrap_or(TeamRole::Member));
    let (role, is_new) = parts.teams.add_member(caller.user_id, *id, user_id, role).await?;
    let mut response = if is_new { HttpResponse::Created() } else { HttpResponse::Ok() };
    Ok(response.json(TeamPlace { user_id, role }))
}

/// Makes somebody an owner of a team, or a member; for its owners.
#[utoipa::path(
    tag = "parties", params(("id" = TeamId, Path), ("user_id" = UserId, Path)), request_body = SetTeamRole,
    security(("bearer" = [])),
    responses(
        (status = 200, body = TeamPlace),
        (status = 403, description = "team.not_an_owner", body = ProblemBody),
        (status = 404, description = "team.not_found, team.not_a_member", body = ProblemBody),
        (status = 409, description = "team.last_owner", body = ProblemBody),
        (status = 429, description = "limits.messages: again after retry_after_ms", body = ProblemBody),
    )
)]
#[patch("/teams/{id}/members/{user_id}")]
pub(super) async fn set_team_role(
    parts: Parts,
    caller: Caller,
    path: Path<(TeamId, UserId)>,
    body: JsonBody<SetTeamRole>,
) -> Result<HttpResponse, Problem> {
    parts.limits.change_room(caller.user_id)?;
    let ((id, user_id), role) = (path.into_inner(), body.role);
    store::set_role(&parts.teams.storage, id, caller.user_id, user_id, role).await?;
    Ok(HttpResponse::Ok().json(TeamPlace { user_id, role }))
}

/// Takes somebody out of a team, and so out of the rooms where they are with it; for its owners. Oneself: leaves it. The last
/// one of all takes the team with them.
#[utoipa::path(
    tag = "parties", params(("id" = TeamId, Path), ("user_id" = UserId, Path)), security(("bearer" = [])),
    responses(
        (status = 204),
        (status = 403, description = "team.not_an_owner", body = ProblemBody),
        (status = 404, description = "team.not_found", body = ProblemBody),
        (status = 409, description = "team.last_owner: others are in it", body = ProblemBody),
        (status = 429, description = "limits.messages: again after retry_after_ms", body = ProblemBody),
    )
)]
#[delete("/teams/{id}/members/{user_id}")]
pub(super) async fn remove_team_member(
    parts: Parts,
    caller: Caller,
    path: Path<(TeamId, UserId)>,
) -> Result<HttpResponse, Problem> {
    parts.limits.change_room(caller.user_id)?;
    let (id, user_id) = path.into_inner();
    parts.teams.remove_member(caller.user_id, id, user_id).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// Whose profiles.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct WhoQuery {
    /// Parties as `type:id`, or users by their id alone, apart by commas: at most 100.
    ids: String,
}

/// Names and avatars of parties of every kind. Who is not there, or not the caller's to see, is left out.
#[utoipa::path(
    tag = "parties", params(WhoQuery), security(("bearer" = [])),
    responses(
        (status = 200, body = PartyList),
        (status = 422, description = "parties.invalid_ids", body = ProblemBody),
    )
)]
#[get("/parties")]
pub(super) async fn list_parties(parts: Parts, caller: Caller, who: Query<WhoQuery>) -> Result<HttpResponse, Problem> {
    let wanted = parsed(&who.ids, parts.teams.config.profiles_max)?;
    let mut found = parts.profiles.of(caller.user_id, &wanted).await?;
    let parties = wanted.iter().filter_map(|party| found.remove(party)).collect();
    Ok(HttpResponse::Ok().json(PartyList { parties }))
}

fn parsed(ids: &str, max: usize) -> Result<Vec<Party>, TeamError> {
    let invalid = |why: &dyn std::fmt::Display| TeamError::InvalidParties(format!("must be 1 to {max} parties: {why}"));
    if ids.split(',').count() > max {
        return Err(invalid(&"these are more"));
    }
    ids.split(',').map(|id| id.trim().parse().map_err(|error| invalid(&error))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_of_parties_are_read_or_refused_with_what_would_be_right() {
        let (a, b) = (Uuid::from_u128(1), Uuid::from_u128(2));
        let read = parsed(&format!("user:{a},{b}, team:{a}"), 3).unwrap();
        assert_eq!(read, [Party::User(UserId(a)), Party::User(UserId(b)), Party::Team(TeamId(a))]);
        for (ids, said) in [
            (String::new(), "user:ID"),
            (format!("{a},"), "user:ID"),
            (format!("robot:{a}"), "user:ID"),
            (format!("{a},{a},{a},{a}"), "more"),
        ] {
            let refused = parsed(&ids, 3).unwrap_err().to_string();
            assert!(refused.starts_with("ids must be 1 to 3 parties") && refused.contains(said), "{refused}");
        }
    }
}
