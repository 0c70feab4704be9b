//! What does it cost to find out who sends a request over HTTP?

use std::net::IpAddr;

use divan::Bencher;
use futures_util::FutureExt;
use parlance::accounts::{Auth, SignUp};
use parlance::clock::Clock;

use crate::database::{self, BenchDatabase};
use crate::material::config;

/// Somebody who was here lately: the signature, and from memory whether the account and the sign-in are still open. The
/// answer is there without waiting for anything, so without Postgres.
#[divan::bench(ignore = database::is_missing())]
fn known(bencher: Bencher) {
    let database = BenchDatabase::create();
    let (auth, token) = database.runtime.block_on(signed_up(&database));
    auth.trust_memory(true);
    database.runtime.block_on(auth.verify(&token)).unwrap();
    bencher.bench_local(|| auth.verify(divan::black_box(&token)).now_or_never().expect("from memory").unwrap());
}

/// Somebody new, or anybody while changes are not heard: with a read of Postgres.
#[divan::bench(ignore = database::is_missing(), sample_count = 200, sample_size = 1)]
fn unknown(bencher: Bencher) {
    let database = BenchDatabase::create();
    let (auth, token) = database.runtime.block_on(signed_up(&database));
    bencher.bench_local(|| database.runtime.block_on(auth.verify(divan::black_box(&token))).unwrap());
}

async fn signed_up(database: &BenchDatabase) -> (Auth, String) {
    let folder = tempfile::tempdir().unwrap();
    let auth = Auth::new(&config().auth, database.storage.clone(), Clock::system(), folder.path()).await.unwrap();
    let sign_up = SignUp {
        username: "ada",
        email: "ada@example.com",
        password: "correct horse battery",
        full_name: None,
        device: None,
    };
    let signed_in = auth.register(sign_up, IpAddr::from([192, 0, 2, 1]).into()).await.unwrap();
    (auth, signed_in.access_token)
}
