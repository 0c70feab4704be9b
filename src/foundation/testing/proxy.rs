//! A network between the engine and Postgres that tests can cut, stall, or let lose one answer.

use std::sync::{Arc, Mutex};

use sqlx::postgres::PgConnectOptions;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream, UnixStream};
use tokio::sync::watch;

/// What the network does at the moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Weather {
    Fair,
    /// Connections end, and new ones end at once.
    Cut,
    /// Nothing passes, nothing ends.
    Stalled,
}

/// Where to lose a connection.
#[derive(Clone, Debug)]
struct Trap {
    /// Only a connection that has sent this …
    after: Vec<u8>,
    /// … and then this (the same bytes may be both) is lost.
    at: Vec<u8>,
    /// Whether Postgres hears it and carries it out, so that only the answer is lost.
    heard: bool,
}

/// A TCP proxy in front of Postgres. Ends with the test's runtime.
pub struct Proxy {
    url: String,
    weather: watch::Sender<Weather>,
    /// How often those who listen were forgotten.
    forgotten: watch::Sender<usize>,
    trap: Arc<Mutex<Option<Trap>>>,
}

/// What a connection goes by.
#[derive(Clone)]
struct Forecast {
    weather: watch::Receiver<Weather>,
    forgotten: watch::Receiver<usize>,
    trap: Arc<Mutex<Option<Trap>>>,
}

impl Proxy {
    /// In front of the server of `url`, on whatever kind of socket it listens.
    pub async fn before(url: &str) -> Self {
        Self::before_at("127.0.0.1:0", url).await
    }

    /// The same, listening on this address.
    pub async fn before_at(address: &str, url: &str) -> Self {
        let upstream = crate::storage::parse_url(url).unwrap();
        let listener = TcpListener::bind(address).await.unwrap();
        let address = listener.local_addr().unwrap();
        let (weather, forgotten) = (watch::Sender::new(Weather::Fair), watch::Sender::new(0));
        let trap = Arc::new(Mutex::new(None));
        let forecast =
            Forecast { weather: weather.subscribe(), forgotten: forgotten.subscribe(), trap: Arc::clone(&trap) };
        actix_rt::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                actix_rt::spawn(carry(client, upstream.clone(), forecast.clone()));
            }
        });
        let mut url = reqwest::Url::parse(url).unwrap();
        url.set_ip_host(address.ip()).unwrap();
        url.set_port(Some(address.port())).unwrap();
        // It may name a socket's folder.
        url.set_query(None);
        Self { url: url.into(), weather, forgotten, trap }
    }

    /// The same database, by way of this proxy.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Ends every connection, and new ones at once.
    pub fn cut(&self) {
        self.weather.send_replace(Weather::Cut);
    }

    /// Lets nothing through, but ends nothing.
    pub fn stall(&self) {
        self.weather.send_replace(Weather::Stalled);
    }

    /// Lets nothing through on the connections that listen now, and ends none, as a firewall that forgot them. Later ones
    /// are as all others.
    pub fn forget_those_that_listen(&self) {
        self.forgotten.send_modify(|times| *times += 1);
    }

    /// Lets everything through again.
    pub fn mend(&self) {
        self.weather.send_replace(Weather::Fair);
    }

    /// Ends the connection that has sent `after` and then sends `at`: before Postgres hears it, or after Postgres has
    /// carried it out and before the answer arrives (`heard`). Once.
    pub fn trap(&self, after: &str, at: &str, heard: bool) {
        *self.trap.lock().unwrap() = Some(Trap { after: after.into(), at: at.into(), heard });
    }

    /// Whether the trap has done its work.
    pub fn sprung(&self) -> bool {
        self.trap.lock().unwrap().is_none()
    }
}

trait Stream: AsyncRead + AsyncWrite + Unpin {}
impl<T: AsyncRead + AsyncWrite + Unpin> Stream for T {}

async fn connect(upstream: &PgConnectOptions) -> Box<dyn Stream> {
    let port = upstream.get_port();
    if let Some(folder) = upstream.get_socket() {
        return Box::new(UnixStream::connect(folder.join(format!(".s.PGSQL.{port}"))).await.unwrap());
    }
    let server = TcpStream::connect((upstream.get_host(), port)).await.unwrap();
    server.set_nodelay(true).unwrap();
    Box::new(server)
}

async fn carry(mut client: TcpStream, upstream: PgConnectOptions, forecast: Forecast) {
    let Forecast { mut weather, mut forgotten, trap } = forecast;
    let forgotten_before = *forgotten.borrow();
    if *weather.borrow() == Weather::Cut {
        return;
    }
    let mut server = connect(&upstream).await;
    client.set_nodelay(true).unwrap();
    let (mut up, mut down) = (vec![0; 65_536], vec![0; 65_536]);
    let mut armed = false;
    let mut losing = false;
    let mut listens = false;
    loop {
        let is_forgotten = listens && *forgotten.borrow_and_update() > forgotten_before;
        let sky = *weather.borrow_and_update();
        let now = if is_forgotten { Weather::Stalled } else { sky };
        tokio::select! {
            changed = weather.changed() => {
                if changed.is_err() || *weather.borrow() == Weather::Cut {
                    return;
                }
            }
            changed = forgotten.changed() => {
                if changed.is_err() {
                    return;
                }
            }
            read = client.read(&mut up), if now == Weather::Fair && !losing => {
                let Ok(length @ 1..) = read else { return };
                let sent = &up[..length];
                listens |= holds(sent, b"LISTEN ");
                match judge(&trap, sent, &mut armed) {
                    Some(true) => losing = true,
                    Some(false) => return,
                    None => {}
                }
                if server.write_all(sent).await.is_err() {
                    return;
                }
            }
            read = server.read(&mut down), if now == Weather::Fair => {
                let Ok(length @ 1..) = read else { return };
                // ReadyForQuery ends an answer: by then the statement is carried out.
                if losing && down[..length].windows(5).any(|bytes| bytes == b"Z\0\0\0\x05") {
                    return;
                }
                if !losing && client.write_all(&down[..length]).await.is_err() {
                    return;
                }
            }
        }
    }
}

/// Whether these bytes spring the trap; with whether Postgres is to hear them.
fn judge(trap: &Mutex<Option<Trap>>, sent: &[u8], armed: &mut bool) -> Option<bool> {
    let mut trap = trap.lock().unwrap();
    let set = trap.as_ref()?;
    *armed |= holds(sent, &set.after);
    if *armed && holds(sent, &set.at) { trap.take().map(|trap| trap.heard) } else { None }
}

fn holds(sent: &[u8], wanted: &[u8]) -> bool {
    sent.windows(wanted.len()).any(|bytes| bytes == wanted)
}
