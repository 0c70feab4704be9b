//! The network between clients and the engine: one lane a device, each with its own weather.
//!
//! A device keeps its address while the engine behind it is killed and started again.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::watch;

/// What the network does at the moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Weather {
    Fair,
    /// Each piece takes this much longer.
    Slow(Duration),
    /// Nothing passes, nothing ends.
    Stalled,
    /// Half of what comes next passes, then the connection ends.
    Torn,
    /// Connections are reset, new ones at once.
    Cut,
}

/// Small, so that what a slow client does not read waits in the engine rather than in the kernel.
const RECEIVE_BYTES: u32 = 8 * 1024;
const PIECE_BYTES: usize = 16 * 1024;

/// The network of one device. Ends with the runtime.
#[derive(Debug)]
pub struct Lane {
    pub address: SocketAddr,
    weather: watch::Sender<Weather>,
}

impl Lane {
    pub async fn before(engine: SocketAddr) -> anyhow::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let weather = watch::Sender::new(Weather::Fair);
        let forecast = weather.subscribe();
        tokio::task::spawn_local(async move {
            while let Ok((client, _)) = listener.accept().await {
                tokio::task::spawn_local(connect(client, engine, forecast.clone()));
            }
        });
        Ok(Self { address, weather })
    }

    pub fn set(&self, weather: Weather) {
        self.weather.send_replace(weather);
    }
}

async fn connect(client: TcpStream, engine: SocketAddr, mut weather: watch::Receiver<Weather>) {
    let server = async {
        let socket = TcpSocket::new_v4()?;
        socket.set_recv_buffer_size(RECEIVE_BYTES)?;
        socket.connect(engine).await
    };
    let cut = *weather.borrow_and_update() == Weather::Cut;
    let server = if cut { None } else { server.await.ok() };
    let Some(server) = server else {
        reset(&client);
        return;
    };
    // Whether a small frame leaves at once is for its sender to say, and both ends have said so.
    let (_, _) = (client.set_nodelay(true), server.set_nodelay(true));
    let (from_client, to_client) = client.into_split();
    let (from_server, to_server) = server.into_split();
    let sockets = {
        let (mut to_client, mut to_server) = (to_client, to_server);
        let both = async {
            let up = carry(from_client, &mut to_server, weather.clone());
            let down = carry(from_server, &mut to_client, weather.clone());
            // An end in one direction lets the other finish; an error ends both.
            let _ = tokio::try_join!(up, down);
        };
        tokio::select! {
            () = both => {}
            () = until_cut(weather.clone()) => {}
        }
        (to_client, to_server)
    };
    if *weather.borrow() == Weather::Cut {
        for socket in [sockets.0, sockets.1] {
            reset(socket.as_ref());
            // Dropping it would say good-bye first.
            socket.forget();
        }
    }
}

/// From here on, the connection ends with RST when it is dropped.
fn reset(stream: &TcpStream) {
    // Fails only for one that is gone already.
    let _ = stream.set_zero_linger();
}

async fn until_cut(mut weather: watch::Receiver<Weather>) {
    // An error: the run has ended, and so does this.
    let _ = weather.wait_for(|weather| *weather == Weather::Cut).await;
}

/// One direction, until its end.
async fn carry(
    mut from: OwnedReadHalf,
    to: &mut OwnedWriteHalf,
    mut weather: watch::Receiver<Weather>,
) -> std::io::Result<()> {
    let mut piece = vec![0; PIECE_BYTES];
    loop {
        let length = from.read(&mut piece).await?;
        let piece = piece.get(..length).unwrap_or_default();
        // Changed weather is met by what is on its way, not only by what comes later.
        let passes = weather.wait_for(|weather| *weather != Weather::Stalled).await.map(|weather| *weather);
        match passes {
            _ if piece.is_empty() => return to.shutdown().await,
            Ok(Weather::Torn) => {
                to.write_all(piece.get(..length / 2).unwrap_or_default()).await?;
                return Err(std::io::ErrorKind::ConnectionAborted.into());
            }
            Ok(Weather::Slow(by)) => tokio::time::sleep(by).await,
            Ok(Weather::Fair | Weather::Stalled | Weather::Cut) | Err(_) => {}
        }
        to.write_all(piece).await?;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A client and the engine's end of its connection.
    async fn pair(lane: &Lane, engine: &TcpListener) -> (TcpStream, TcpStream) {
        let client = TcpStream::connect(lane.address).await.unwrap();
        (client, engine.accept().await.unwrap().0)
    }

    async fn on_a_lane(test: impl AsyncFnOnce(Lane, TcpListener)) {
        let local = tokio::task::LocalSet::new();
        let run = async {
            let engine = TcpListener::bind("127.0.0.1:0").await.unwrap();
            let lane = Lane::before(engine.local_addr().unwrap()).await.unwrap();
            test(lane, engine).await;
        };
        local.run_until(run).await;
    }

    #[tokio::test]
    async fn what_is_stalled_arrives_when_it_clears_up() {
        on_a_lane(async |lane, engine| {
            let (mut client, mut server) = pair(&lane, &engine).await;
            lane.set(Weather::Stalled);
            client.write_all(b"hello").await.unwrap();
            lane.set(Weather::Fair);
            let mut heard = [0; 5];
            server.read_exact(&mut heard).await.unwrap();
            assert_eq!(&heard, b"hello");
        })
        .await;
    }

    #[tokio::test]
    async fn a_cut_resets_both_ends_and_whoever_comes_anew() {
        on_a_lane(async |lane, engine| {
            let (mut client, mut server) = pair(&lane, &engine).await;
            lane.set(Weather::Cut);
            for end in [&mut client, &mut server] {
                let error = end.read(&mut [0]).await.unwrap_err();
                assert_eq!(error.kind(), std::io::ErrorKind::ConnectionReset);
            }
            let mut late = TcpStream::connect(lane.address).await.unwrap();
            assert!(late.read(&mut [0]).await.is_err());
        })
        .await;
    }

    #[tokio::test]
    async fn torn_connections_end_in_the_middle() {
        on_a_lane(async |lane, engine| {
            let (mut client, mut server) = pair(&lane, &engine).await;
            lane.set(Weather::Torn);
            server.write_all(b"halfhalf").await.unwrap();
            let mut heard = Vec::new();
            // It ends, in order or not; what matters is how much has come.
            let _ = client.read_to_end(&mut heard).await;
            assert_eq!(heard, b"half");
        })
        .await;
    }
}
