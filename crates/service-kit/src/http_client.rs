//! The one HTTP client: time limits, no redirects, no proxy, trace headers, and only to hosts on the list.

use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::{Method, RequestBuilder, Url};

use crate::config::OutboundSection;

/// Where and for how long the client may go.
#[derive(Debug, Clone)]
pub struct HttpClientOptions {
    /// `host` (every port) or `host:port`; everything else is refused. A literal address must stand here itself.
    pub allowed_hosts: Vec<String>,
    /// Whether a name on the list may resolve to a private, loopback or link-local address.
    pub allow_private_addresses: bool,
    /// Longest time to connect.
    pub connect_timeout: Duration,
    /// Longest time for a whole request.
    pub timeout: Duration,
    /// File with the certificates (PEM) of an authority that is believed beside those of the system.
    pub authority_file: Option<PathBuf>,
}

impl From<&OutboundSection> for HttpClientOptions {
    fn from(section: &OutboundSection) -> Self {
        Self {
            allowed_hosts: section.allowed_hosts.clone(),
            allow_private_addresses: section.allow_private_addresses,
            connect_timeout: Duration::from_secs(section.connect_timeout_seconds),
            timeout: Duration::from_secs(section.timeout_seconds),
            authority_file: None,
        }
    }
}

/// Why a request was not even tried.
#[derive(Debug, thiserror::Error)]
pub enum OutboundError {
    /// The address cannot be read.
    #[error("not an address: {0}")]
    Address(String),
    /// The host is not on the list of the configuration (`outbound.allowed_hosts`).
    #[error("host not in outbound.allowed_hosts: {0}")]
    Refused(String),
    /// The authority's certificates could not be read.
    #[error("the certificates of the authority in {path} cannot be read: {reason}")]
    Authority {
        /// The file.
        path: PathBuf,
        /// Why not.
        reason: String,
    },
    /// The client could not be built.
    #[error("building the HTTP client")]
    Build(#[source] reqwest::Error),
}

/// The one way out over HTTP.
#[derive(Debug, Clone)]
pub struct HttpClient {
    inner: reqwest::Client,
    allowed: Arc<[String]>,
}

/// Builds the client.
#[expect(clippy::disallowed_methods, reason = "the one builder of HTTP clients")]
pub fn client(options: &HttpClientOptions) -> Result<HttpClient, OutboundError> {
    let resolver = GuardedResolver { allow_private: options.allow_private_addresses };
    let authorities = match &options.authority_file {
        Some(path) => authorities(path)?,
        None => Vec::new(),
    };
    let inner = reqwest::Client::builder()
        .tls_certs_merge(authorities)
        .user_agent(concat!("dudao/", env!("CARGO_PKG_VERSION")))
        .redirect(reqwest::redirect::Policy::none())
        .no_proxy()
        .referer(false)
        .connect_timeout(options.connect_timeout)
        .timeout(options.timeout)
        .dns_resolver(Arc::new(resolver))
        .build()
        .map_err(OutboundError::Build)?;
    let allowed = options.allowed_hosts.iter().map(|host| host.to_lowercase()).collect();
    Ok(HttpClient { inner, allowed })
}

fn authorities(path: &std::path::Path) -> Result<Vec<reqwest::Certificate>, OutboundError> {
    let failed = |reason: String| OutboundError::Authority { path: path.to_owned(), reason };
    let pem = std::fs::read(path).map_err(|error| failed(error.to_string()))?;
    let found = reqwest::Certificate::from_pem_bundle(&pem).map_err(|error| failed(error.to_string()))?;
    if found.is_empty() { Err(failed("it holds no certificate".to_owned())) } else { Ok(found) }
}

impl HttpClient {
    /// Begins a request with the current trace in its headers; refused unless the host is on the list.
    pub fn request(&self, method: Method, address: &str) -> Result<RequestBuilder, OutboundError> {
        let url = Url::parse(address).map_err(|error| OutboundError::Address(format!("{address}: {error}")))?;
        self.admit(&url)?;
        let mut headers = http::HeaderMap::new();
        crate::trace::inject(&mut headers);
        Ok(self.inner.request(method, url).headers(headers))
    }

    /// `GET`; see [`HttpClient::request`].
    pub fn get(&self, address: &str) -> Result<RequestBuilder, OutboundError> {
        self.request(Method::GET, address)
    }

    /// `POST`; see [`HttpClient::request`].
    pub fn post(&self, address: &str) -> Result<RequestBuilder, OutboundError> {
        self.request(Method::POST, address)
    }

    fn admit(&self, url: &Url) -> Result<(), OutboundError> {
        let refused = || OutboundError::Refused(url.host_str().unwrap_or("-").to_owned());
        if !matches!(url.scheme(), "http" | "https") || !url.username().is_empty() {
            return Err(refused());
        }
        // A literal address never reaches the resolver, so it has to be on the list as it stands.
        let host = url.host_str().ok_or_else(refused)?.to_lowercase();
        let port = url.port_or_known_default().ok_or_else(refused)?;
        let with_port = format!("{host}:{port}");
        if self.allowed.iter().any(|entry| *entry == host || *entry == with_port) { Ok(()) } else { Err(refused()) }
    }
}

/// Resolves names and drops addresses inside the own network unless they are allowed.
#[derive(Debug, Clone, Copy)]
struct GuardedResolver {
    allow_private: bool,
}

impl Resolve for GuardedResolver {
    fn resolve(&self, name: Name) -> Resolving {
        let allow_private = self.allow_private;
        Box::pin(async move {
            let found: Vec<SocketAddr> = tokio::net::lookup_host((name.as_str(), 0))
                .await?
                .filter(|address| allow_private || is_public(address.ip()))
                .collect();
            if found.is_empty() {
                return Err(format!("{} resolves to no admitted address", name.as_str()).into());
            }
            Ok(Box::new(found.into_iter()) as Addrs)
        })
    }
}

/// Whether an address lies outside of loopback, private, link-local and reserved ranges.
fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => {
            let [a, b, ..] = v4.octets();
            let shared = a == 100 && (64..128).contains(&b);
            !(v4.is_private()
                || v4.is_loopback()
                || v4.is_link_local()
                || v4.is_unspecified()
                || v4.is_broadcast()
                || v4.is_multicast()
                || v4.is_documentation()
                || shared
                || a == 0
                || a >= 240)
        }
        IpAddr::V6(v6) => match v6.to_ipv4_mapped() {
            Some(v4) => is_public(IpAddr::V4(v4)),
            None => {
                !(v6.is_loopback()
                    || v6.is_unspecified()
                    || v6.is_multicast()
                    || v6.is_unique_local()
                    || v6.is_unicast_link_local())
            }
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn client_for(hosts: &[&str]) -> HttpClient {
        crate::install_crypto();
        client(&HttpClientOptions {
            allowed_hosts: hosts.iter().map(|host| (*host).to_owned()).collect(),
            allow_private_addresses: false,
            connect_timeout: Duration::from_secs(1),
            timeout: Duration::from_secs(2),
            authority_file: None,
        })
        .unwrap()
    }

    #[test]
    fn only_hosts_on_the_list_are_asked() {
        let client = client_for(&["platform.example", "127.0.0.1:4000"]);
        assert!(client.get("https://platform.example/x").is_ok());
        assert!(client.get("https://PLATFORM.example:8443/x").is_ok());
        assert!(client.get("http://127.0.0.1:4000/x").is_ok());
        for address in [
            "http://127.0.0.1:4001/x",
            "http://[::ffff:127.0.0.1]:4000/x",
            "http://2130706433:4001/",
            "http://169.254.169.254/latest",
            "https://platform.example.evil.example/",
            "https://platform.example@evil.example/",
            "file:///etc/passwd",
            "no address",
        ] {
            assert!(client.get(address).is_err(), "{address}");
        }
    }

    #[tokio::test]
    async fn a_name_that_leads_inside_is_not_followed() {
        let error = client_for(&["localhost"]).get("http://localhost:1/").unwrap().send().await.unwrap_err();
        let chain = format!("{:?}", anyhow::Error::from(error));
        assert!(chain.contains("no admitted address"), "{chain}");
    }

    #[tokio::test]
    async fn redirects_are_not_followed() {
        use wiremock::matchers::path;
        use wiremock::{Mock, MockServer, ResponseTemplate};
        let server = MockServer::start().await;
        Mock::given(path("/a"))
            .respond_with(ResponseTemplate::new(302).insert_header("location", "/b"))
            .expect(1)
            .mount(&server)
            .await;
        let host = server.address().to_string();
        let answer = client_for(&[host.as_str()]).get(&format!("{}/a", server.uri())).unwrap().send().await.unwrap();
        assert_eq!(answer.status(), 302);
    }

    #[test]
    fn inner_addresses_are_known() {
        for inside in [
            "127.0.0.1",
            "10.1.2.3",
            "192.168.0.1",
            "169.254.169.254",
            "100.64.0.1",
            "::1",
            "fd00::1",
            "::ffff:10.0.0.1",
            "0.0.0.0",
        ] {
            assert!(!is_public(inside.parse().unwrap()), "{inside}");
        }
        assert!(is_public("202.100.192.68".parse().unwrap()));
        assert!(is_public("2001:da8::1".parse().unwrap()));
    }
}
