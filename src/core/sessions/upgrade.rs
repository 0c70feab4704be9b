//! From an HTTP request to a WebSocket.
//!
//! A request that asks for another protocol goes through the same [`App`](actix_web::App) as every other: routes,
//! middleware, metrics and problems are the same. When the answer is ours to [`upgrade`], the connection is taken out of
//! the HTTP server, whose dispatcher and buffers end there, and becomes a session's. Any other answer ends it.
//!
//! Invariant: [`upgrade`] answers 101 only to a request whose connection can be taken.

use std::future::poll_fn;
use std::pin::pin;
use std::rc::Rc;
use std::time::Duration;

use actix_codec::Framed;
use actix_http::body::{BodySize, BoxBody, MessageBody};
use actix_http::h1::{Codec, Message};
use actix_http::ws::{HandshakeError, handshake};
use actix_http::{ConnectionType, Request, Response};
use actix_service::{Service, ServiceFactory, fn_factory, fn_service};
use actix_web::dev::ServiceResponse;
use actix_web::rt::net::TcpStream;
use actix_web::web::Data;
use actix_web::{HttpMessage, HttpRequest, HttpResponse, ResponseError};
use futures_util::SinkExt;
use tokio::io::{AsyncRead, AsyncWrite};

use super::hub::Seat;
use super::session::SessionParts;
use super::socket;
use parlance_foundation::problem::Problem;

/// When a client that found no seat should try again.
const TRY_AGAIN_MS: u64 = 5_000;

/// [`SessionParts`] for the app of one worker thread.
pub struct LocalParts(pub Rc<SessionParts>);

/// Why a response did not leave: its body failed, or its connection.
type Unsent = Box<dyn std::error::Error>;

/// On a request: its connection can be taken.
struct Takeable;

/// On a response: its connection becomes a session's.
struct Takeover {
    parts: Rc<SessionParts>,
    seat: Seat,
}

/// Run for each accepted TCP connection.
pub fn prepare_connection(stream: &TcpStream, stalled_socket_ms: u32) {
    // Nobody else sets it for these connections; without it, p99 was 45 ms.
    let nodelay = stream.set_nodelay(true);
    let timeout =
        socket2::SockRef::from(stream).set_tcp_user_timeout(Some(Duration::from_millis(stalled_socket_ms.into())));
    if let Err(error) = nodelay.and(timeout) {
        tracing::debug!(%error, "a connection ended before it began");
    }
}

/// `GET /api/v1/ws`: the realtime connection. See the AsyncAPI document for what is said on it.
pub async fn upgrade(request: HttpRequest, parts: Data<LocalParts>) -> HttpResponse {
    let mut builder = match handshake(request.head()) {
        Ok(builder) if request.extensions().contains::<Takeable>() => builder,
        Ok(_) => return bad_handshake(HandshakeError::NoWebsocketUpgrade),
        Err(error) => return bad_handshake(error),
    };
    let parts = Rc::clone(&parts.0);
    let Some(seat) = Seat::take(&parts.hub, parts.connections_max) else {
        let detail = "This engine has as many sockets as it takes on, or is about to stop. Come back later.";
        return Problem::busy(TRY_AGAIN_MS).saying(detail).error_response();
    };
    let mut response = builder.finish().map_into_boxed_body();
    response.extensions_mut().insert(Takeover { parts, seat });
    response.into()
}

fn bad_handshake(error: HandshakeError) -> HttpResponse {
    let detail = format!("This is no handshake of a WebSocket (RFC 6455, version 13): {error}.");
    let mut response = Problem::malformed("request.bad_handshake", detail).error_response();
    if error == HandshakeError::UnsupportedVersion {
        let version = actix_web::http::header::HeaderValue::from_static("13");
        response.headers_mut().insert(actix_web::http::header::SEC_WEBSOCKET_VERSION, version);
    }
    response
}

/// The service for connections on which a request asks for another protocol: answered by `app`, the one for all others.
/// `IO` is the server's own kind of stream; a session takes the connection itself.
pub fn upgrades<F, B, IO>(
    app: F,
) -> impl ServiceFactory<
    (Request, Framed<IO, Codec>),
    Config = (),
    Response = (),
    Error = actix_web::Error,
    InitError = F::InitError,
>
where
    F: ServiceFactory<Request, Config = (), Response = ServiceResponse<B>, Error = actix_web::Error> + 'static,
    B: MessageBody + 'static,
    IO: AsyncRead + AsyncWrite + Unpin + Into<TcpStream> + 'static,
{
    fn_factory(move || {
        let making = app.new_service(());
        async move {
            let app = Rc::new(making.await?);
            Ok(fn_service(move |(request, connection)| {
                let app = Rc::clone(&app);
                async move {
                    if let Err(error) = answer(&*app, request, connection).await {
                        tracing::debug!(%error, "a connection ended before its request was answered");
                    }
                    Ok(())
                }
            }))
        }
    })
}

async fn answer<S, B, IO>(app: &S, request: Request, mut connection: Framed<IO, Codec>) -> Result<(), Unsent>
where
    S: Service<Request, Response = ServiceResponse<B>, Error = actix_web::Error>,
    B: MessageBody + 'static,
    IO: AsyncRead + AsyncWrite + Unpin + Into<TcpStream>,
{
    request.extensions_mut().insert(Takeable);
    let answered = match poll_fn(|context| app.poll_ready(context)).await {
        Ok(()) => app.call(request).await,
        Err(error) => Err(error),
    };
    let mut response: Response<BoxBody> = match answered {
        Ok(response) => Response::from(response).map_into_boxed_body(),
        Err(error) => error.error_response().into(),
    };
    let takeover = response.extensions_mut().remove::<Takeover>();
    if takeover.is_none() {
        response.head_mut().set_connection_type(ConnectionType::Close);
    }
    send(&mut connection, response).await?;
    match takeover {
        Some(Takeover { parts, seat }) => {
            let connection = connection.into_parts();
            socket::begin(&parts, seat, connection.io.into(), &connection.read_buf);
        }
        None => SinkExt::<Message<(Response<()>, BodySize)>>::close(&mut connection).await?,
    }
    Ok(())
}

/// Writes a response. Not with `actix_http::h1::SendResponse`, which waits for ever once a connection was full at the
/// end of a body.
async fn send<IO>(connection: &mut Framed<IO, Codec>, response: Response<BoxBody>) -> Result<(), Unsent>
where
    IO: AsyncRead + AsyncWrite + Unpin,
{
    let (head, body) = response.into_parts();
    let size = body.size();
    connection.feed(Message::Item((head, size))).await?;
    let mut body = pin!(body);
    while let Some(chunk) = poll_fn(|context| body.as_mut().poll_next(context)).await {
        connection.feed(Message::Chunk(Some(chunk?))).await?;
    }
    Ok(connection.send(Message::Chunk(None)).await?)
}
