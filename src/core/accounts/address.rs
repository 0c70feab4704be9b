//! The address that a request counts against.
//!
//! The peer's own, or behind a trusted proxy the last one in `X-Forwarded-For`: each proxy appends the address
//! that it saw, so the last entry is the only one that the client could not write itself. With several proxies
//! in a row, let the outer ones be told apart by the innermost (`real_ip` modules do this).
//!
//! Invariant: an IPv6 address counts as its /64, which is what one customer gets; an IPv4 address mapped into
//! IPv6 counts as itself.

use std::future::{Ready, ready};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest};

/// `server.trust_forwarded_for`, put into the application's data. Without it the header is not trusted.
#[derive(Clone, Copy, Debug)]
pub struct TrustForwardedFor(pub bool);

/// Whom a rate limit counts: an IPv4 address, or an IPv6 network of 64 bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ClientAddress(IpAddr);

impl From<IpAddr> for ClientAddress {
    fn from(address: IpAddr) -> Self {
        Self(match address.to_canonical() {
            IpAddr::V6(v6) => IpAddr::V6(Ipv6Addr::from_bits(v6.to_bits() >> 64 << 64)),
            v4 => v4,
        })
    }
}

impl From<[u8; 4]> for ClientAddress {
    fn from(octets: [u8; 4]) -> Self {
        Self(IpAddr::from(octets))
    }
}

impl FromRequest for ClientAddress {
    type Error = actix_web::Error;
    type Future = Ready<Result<Self, Self::Error>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let trusted = request.app_data::<TrustForwardedFor>().is_some_and(|trust| trust.0);
        let forwarded = if trusted { last_forwarded(request) } else { None };
        // Without a peer (a unix socket) everybody counts as one.
        let peer = || request.peer_addr().map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |peer| peer.ip());
        ready(Ok(forwarded.unwrap_or_else(peer).into()))
    }
}

fn last_forwarded(request: &HttpRequest) -> Option<IpAddr> {
    let last_line = request.headers().get_all("x-forwarded-for").next_back()?.to_str().ok()?;
    let last = last_line.rsplit(',').next()?.trim();
    let bare = || last.trim_start_matches('[').trim_end_matches(']').parse().ok();
    bare().or_else(|| last.parse::<SocketAddr>().ok().map(|address| address.ip()))
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;

    use super::*;

    async fn extracted(trust: bool, forwarded: &[&str]) -> ClientAddress {
        let mut request = TestRequest::default()
            .app_data(TrustForwardedFor(trust))
            .peer_addr(SocketAddr::from(([192, 0, 2, 1], 4_000)));
        for line in forwarded {
            request = request.append_header(("x-forwarded-for", *line));
        }
        ClientAddress::extract(&request.to_http_request()).await.unwrap()
    }

    fn address(text: &str) -> ClientAddress {
        text.parse::<IpAddr>().unwrap().into()
    }

    #[actix_web::test]
    async fn only_what_the_trusted_proxy_wrote_counts() {
        assert_eq!(extracted(false, &["198.51.100.7"]).await, address("192.0.2.1"), "not trusted");
        assert_eq!(extracted(true, &[]).await, address("192.0.2.1"), "not sent");
        assert_eq!(extracted(true, &["10.0.0.1, 198.51.100.7"]).await, address("198.51.100.7"));
        assert_eq!(extracted(true, &["10.0.0.1", "198.51.100.7:443"]).await, address("198.51.100.7"));
        assert_eq!(extracted(true, &["[2001:db8::1]:443"]).await, address("2001:db8::1"));
        assert_eq!(extracted(true, &["nonsense"]).await, address("192.0.2.1"));
    }

    #[test]
    fn a_v6_customer_is_one_address() {
        assert_eq!(address("2001:db8:1:2::3"), address("2001:db8:1:2:ffff::4"));
        assert_ne!(address("2001:db8:1:2::3"), address("2001:db8:1:3::3"));
        assert_eq!(address("::ffff:192.0.2.1"), address("192.0.2.1"));
    }
}
