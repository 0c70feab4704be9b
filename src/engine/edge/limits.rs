//! What is done for each request so that none holds memory for as long as it likes: [`follow`] tells its connection how
//! far it is, [`limit`] gives it a place, a time, and a pace for its body.
//!
//! Invariant: a request that is refused here gets a problem that says why, where there is still somebody to tell, and
//! its connection is closed, so that what was read of it goes.

use std::cell::Cell;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};
use std::time::Duration;

use actix_http::ConnectionType;
use actix_http::body::{BodySize, BoxBody, MessageBody};
use actix_web::dev::{Payload, ServiceRequest, ServiceResponse};
use actix_web::error::{InternalError, PayloadError};
use actix_web::middleware::Next;
use actix_web::web::{Bytes, Data};
use actix_web::{Error, FromRequest, HttpMessage, HttpResponse, ResponseError};
use futures_util::Stream;
use tokio::time::{Instant, Sleep, sleep_until};

use super::admission::Reason;
use super::connection::{Connection, KEEP_ALIVE, Pace, Passed};
use super::{EdgeParts, SOCKET_PATH};
use crate::accounts::ClientAddress;
use crate::server_config::ServerConfig;

/// How long a body that ended too late has, so that whoever reads it may answer.
const ANSWER_WITHIN: Duration = Duration::from_secs(1);

/// On a response: it was refused by us, which is a stranger's business and no line in the log.
pub(super) struct RefusedByLimit;

/// Tells the connection how far the request is. The outermost of all, so that every answer ends.
pub(super) async fn follow(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<Answer>, Error> {
    let connection = request.conn_data::<Rc<Connection>>().cloned();
    let within = request.app_data::<Data<EdgeParts>>().map_or(KEEP_ALIVE, |parts| timeout(&parts.config.server));
    let under_way = UnderWay(connection);
    under_way.tell(|connection| connection.begin_request(within));
    let response = next.call(request).await?;
    under_way.tell(Connection::begin_answer);
    Ok(response.map_body(|_, body| Answer { body: body.boxed(), _under_way: under_way }))
}

/// A request until its answer is out, or nobody waits for it any more.
struct UnderWay(Option<Rc<Connection>>);

impl UnderWay {
    fn tell(&self, how_far: impl FnOnce(&Connection)) {
        if let Some(connection) = &self.0 {
            how_far(connection);
        }
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.tell(Connection::finish);
    }
}

/// The body of an answer; the request is finished when the server has let go of it.
pub(super) struct Answer {
    body: BoxBody,
    _under_way: UnderWay,
}

impl MessageBody for Answer {
    type Error = Box<dyn std::error::Error>;

    fn size(&self) -> BodySize {
        self.body.size()
    }

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, Self::Error>>> {
        Pin::new(&mut self.get_mut().body).poll_next(cx)
    }
}

/// Holds the request to what `[server]` allows it. The innermost of all, so that its refusals look as every answer does.
pub(super) async fn limit(
    mut request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    // It is answered at once, whatever came with it, and a socket is not counted.
    if request.path() == SOCKET_PATH {
        return Ok(next.call(request).await?.map_into_boxed_body());
    }
    let connection = request.conn_data::<Rc<Connection>>().cloned();
    let parts = request.app_data::<Data<EdgeParts>>().cloned();
    let (Some(connection), Some(parts)) = (connection, parts) else {
        return Ok(next.call(request).await?.map_into_boxed_body());
    };
    let (http, payload) = request.parts_mut();
    let has_body = !matches!(payload, Payload::None);
    connection.set_body_is_unread(has_body);
    let address = ClientAddress::from_request(http, payload).await?;
    match parts.admission.enter(address) {
        Ok(place) => connection.keep(place),
        Err(reason) => return Ok(request.into_response(refusal(reason, &parts))),
    }
    let deadline = Instant::now() + timeout(&parts.config.server);
    let refused = Rc::new(Cell::new(None));
    if has_body {
        let pace = Pace::new(&parts.config.server);
        let body = Incoming::new(request.take_payload(), connection, pace, deadline, Rc::clone(&refused));
        request.set_payload(Payload::Stream { payload: Box::pin(body) });
    }
    let Ok(answered) = tokio::time::timeout_at(deadline + ANSWER_WITHIN, next.call(request)).await else {
        let response = refusal(Reason::NoAnswer, &parts);
        return Err(InternalError::from_response("no answer in time", response).into());
    };
    let response = answered?;
    // Whoever reads the body makes of its end what they will; we know why it ended.
    match refused.get() {
        Some(reason) if !response.status().is_success() => Ok(response.into_response(refusal(reason, &parts))),
        _ => Ok(response.map_into_boxed_body()),
    }
}

fn timeout(config: &ServerConfig) -> Duration {
    Duration::from_millis(config.request_timeout_ms)
}

/// Counts the refusal, and says why.
fn refusal(reason: Reason, parts: &EdgeParts) -> HttpResponse {
    parts.admission.refused(reason);
    let mut response = reason.problem(&parts.config.server).error_response();
    response.head_mut().set_connection_type(ConnectionType::Close);
    response.extensions_mut().insert(RefusedByLimit);
    response
}

/// The body of a request, as it comes in: counted, and held to a pace and a deadline.
struct Incoming {
    payload: Payload,
    connection: Rc<Connection>,
    pace: Pace,
    passed: Passed,
    deadline: Instant,
    timer: Pin<Box<Sleep>>,
    refused: Rc<Cell<Option<Reason>>>,
}

impl Incoming {
    fn new(
        payload: Payload,
        connection: Rc<Connection>,
        pace: Pace,
        deadline: Instant,
        refused: Rc<Cell<Option<Reason>>>,
    ) -> Self {
        let timer = Box::pin(sleep_until(deadline));
        Self { payload, connection, pace, passed: pace.begin(), deadline, timer, refused }
    }

    /// Pending, until the window or the time is over.
    fn in_time(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, PayloadError>>> {
        loop {
            let due = self.passed.window_ends.min(self.deadline);
            if self.timer.deadline() != due {
                self.timer.as_mut().reset(due);
            }
            match self.timer.as_mut().poll(cx) {
                Poll::Pending => return Poll::Pending,
                Poll::Ready(()) if due == self.deadline => return self.end(Reason::Timeout),
                Poll::Ready(()) if !self.pace.is_kept(&mut self.passed) => return self.end(Reason::SlowBody),
                Poll::Ready(()) => {}
            }
        }
    }

    fn end(&self, reason: Reason) -> Poll<Option<Result<Bytes, PayloadError>>> {
        self.refused.set(Some(reason));
        Poll::Ready(Some(Err(PayloadError::Io(std::io::Error::other(reason.name())))))
    }
}

impl Stream for Incoming {
    type Item = Result<Bytes, PayloadError>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = self.get_mut();
        match Pin::new(&mut this.payload).poll_next(cx) {
            Poll::Ready(Some(Ok(bytes))) => {
                this.passed.add(bytes.len());
                match this.connection.charge(bytes.len()) {
                    Ok(()) => Poll::Ready(Some(Ok(bytes))),
                    Err(reason) => this.end(reason),
                }
            }
            Poll::Ready(ended) => {
                this.connection.set_body_is_unread(false);
                Poll::Ready(ended)
            }
            Poll::Pending => this.in_time(cx),
        }
    }
}
