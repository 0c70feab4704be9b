//! Which page of a list: `limit`, and the cursor in `before` or `after`.
//!
//! A list has one order, which its endpoint says. The `next` of a page goes into `before` or `after` of the next request as
//! it is, and both names go on where that page ended: `before` reads well for a list from the newest on, `after` for one by
//! name or id. In the messages of a room, where a place is a `seq`, the two are the two directions.

use std::str::FromStr;

use actix_web::dev::Payload;
use actix_web::web::Query;
use actix_web::{FromRequest, HttpRequest};
use futures_util::FutureExt;
use futures_util::future::LocalBoxFuture;
use serde::{Deserialize, Serialize};
use utoipa::openapi::path::{Parameter, ParameterBuilder, ParameterIn};
use utoipa::openapi::schema::{KnownFormat, ObjectBuilder, SchemaFormat, Type};
use utoipa::{IntoParams, ToSchema};

use crate::problem::Problem;

/// The longest cursor that any list gives out has less than half as many.
pub const CURSOR_CHARS_MAX: usize = 200;

/// How long pages are: `chat.page_items_default` and `chat.page_items_max`, for every list. Registered with `app_data`.
#[derive(Clone, Copy, Debug)]
pub struct PageSizes {
    pub items_default: usize,
    pub items_max: usize,
}

impl PageSizes {
    /// The page size asked for, or the default; out of range is an error that says the range.
    pub fn limit(self, asked: Option<usize>) -> Result<usize, Problem> {
        let limit = asked.unwrap_or(self.items_default);
        if (1..=self.items_max).contains(&limit) {
            return Ok(limit);
        }
        Err(invalid(format!("limit must be between 1 and {}.", self.items_max)))
    }
}

/// The page that a client asks for.
#[derive(Debug)]
pub struct PageQuery {
    /// Items on the page, within bounds.
    pub limit: usize,
    cursor: Option<String>,
}

#[derive(Deserialize)]
struct Asked {
    limit: Option<usize>,
    before: Option<String>,
    after: Option<String>,
}

/// A page of a list; `next` is the cursor of the next page, null on the last.
#[derive(Debug, Serialize, ToSchema)]
pub struct ListPage<T> {
    pub items: Vec<T>,
    pub next: Option<String>,
}

impl<T> ListPage<T> {
    /// The page of `items`, of which [one more](PageQuery::one_more) was asked for than fits.
    pub fn of(mut items: Vec<T>, page: &PageQuery, cursor: impl Fn(&T) -> String) -> Self {
        let more = items.len() > page.limit;
        items.truncate(page.limit);
        let next = if more { items.last().map(cursor) } else { None };
        Self { items, next }
    }
}

/// As [`PageQuery::one_more`], for a store that is asked for so many.
pub fn one_more(limit: usize) -> i64 {
    i64::try_from(limit).unwrap_or(i64::MAX - 1) + 1
}

impl PageQuery {
    /// Where the page begins; `None`: at the beginning.
    pub fn cursor<C: FromStr>(&self) -> Result<Option<C>, Problem> {
        let parsed = self.cursor.as_deref().map(str::parse).transpose();
        parsed.map_err(|_| {
            invalid("before or after must be the next of the page before, as it was; without it the list begins anew.")
        })
    }

    /// One more than fits the page, to learn whether there is a next one.
    pub fn one_more(&self) -> i64 {
        one_more(self.limit)
    }

    fn of(asked: Asked, sizes: PageSizes) -> Result<Self, Problem> {
        let cursor = match (asked.before, asked.after) {
            (Some(_), Some(_)) => {
                return Err(invalid("Send before or after, not both: each goes on where a page ended."));
            }
            (before, after) => before.or(after),
        };
        if cursor.as_ref().is_some_and(|cursor| cursor.is_empty() || cursor.len() > CURSOR_CHARS_MAX) {
            return Err(invalid("before and after take the next of a page, or are left out."));
        }
        Ok(Self { limit: sizes.limit(asked.limit)?, cursor })
    }
}

fn invalid(detail: impl Into<String>) -> Problem {
    Problem::invalid("request.invalid_page", detail)
}

impl FromRequest for PageQuery {
    type Error = actix_web::Error;
    type Future = LocalBoxFuture<'static, Result<Self, actix_web::Error>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let asked = Query::<Asked>::from_request(request, payload);
        let sizes = request.app_data::<PageSizes>().copied();
        async move {
            let Some(sizes) = sizes else {
                tracing::error!("the application was built without PageSizes");
                return Err(Problem::internal().into());
            };
            Ok(Self::of(asked.await?.into_inner(), sizes)?)
        }
        .boxed_local()
    }
}

impl IntoParams for PageQuery {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        let parameter = |name: &str, description: &str, schema: ObjectBuilder| {
            let of_query = ParameterBuilder::new().name(name).parameter_in(ParameterIn::Query);
            of_query.description(Some(description)).schema(Some(schema)).build()
        };
        let cursor =
            || ObjectBuilder::new().schema_type(Type::String).min_length(Some(1)).max_length(Some(CURSOR_CHARS_MAX));
        let number =
            ObjectBuilder::new().schema_type(Type::Integer).format(Some(SchemaFormat::KnownFormat(KnownFormat::Int32)));
        vec![
            parameter("limit", "Items on the page", number),
            parameter(
                "before",
                "The `next` of the page before: the same as `after`, under the name that suits a list from the newest on",
                cursor(),
            ),
            parameter("after", "The `next` of the page before; not together with `before`", cursor()),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIZES: PageSizes = PageSizes { items_default: 50, items_max: 200 };

    fn of(query: &str) -> Result<PageQuery, &'static str> {
        let asked = Query::<Asked>::from_query(query).map_err(|_| "unread")?.into_inner();
        PageQuery::of(asked, SIZES).map_err(|problem| problem.code)
    }

    #[test]
    fn limits_have_a_default_and_bounds() {
        for (query, limit) in [("", 50), ("limit=1", 1), ("limit=200", 200)] {
            assert_eq!(of(query).unwrap().limit, limit, "{query}");
        }
        for query in ["limit=0", "limit=201"] {
            assert_eq!(of(query).unwrap_err(), "request.invalid_page", "{query}");
        }
        for query in ["limit=-1", "limit=x", "limit=1.0", "limit="] {
            assert_eq!(of(query).unwrap_err(), "unread", "{query}");
        }
    }

    #[test]
    fn a_cursor_comes_as_before_or_after_and_only_once() {
        for query in ["before=7", "after=7"] {
            assert_eq!(of(query).unwrap().cursor::<i64>().unwrap(), Some(7), "{query}");
        }
        assert_eq!(of("").unwrap().cursor::<i64>().unwrap(), None);
        assert_eq!(of("after=x").unwrap().cursor::<i64>().unwrap_err().code, "request.invalid_page");
        let long = format!("after={}", "7".repeat(CURSOR_CHARS_MAX + 1));
        for query in ["before=7&after=7", "after=", long.as_str()] {
            assert_eq!(of(query).unwrap_err(), "request.invalid_page", "{query}");
        }
    }
}
