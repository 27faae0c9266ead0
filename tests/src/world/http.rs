//! The story's own HTTP clients. They play people outside of the system, so they follow redirects and keep cookies as a
//! browser does, which the services' client never may.

use std::time::Duration;

use reqwest::Client;

/// Longest time for one request; an import of a province takes a while in a build for development.
const LIMIT: Duration = Duration::from_mins(3);

/// A client; with `browser`, one that keeps cookies and follows redirects.
#[expect(clippy::disallowed_methods, reason = "plays a person with a browser, which is no service")]
pub fn client(browser: bool) -> anyhow::Result<Client> {
    let redirects = if browser { reqwest::redirect::Policy::limited(10) } else { reqwest::redirect::Policy::none() };
    Ok(Client::builder().no_proxy().cookie_store(browser).redirect(redirects).timeout(LIMIT).build()?)
}
