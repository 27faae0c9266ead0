//! Channels over HTTP: a gateway for short messages, signed calls to other systems, the robots of groups.
//!
//! Every call goes through the house's one client: hosts on the list only, no redirects, and a name is resolved once for a
//! connection to exactly the addresses that were looked at, of which those inside the own network are refused.

use std::{collections::HashMap, sync::Arc, time::Duration};

use serde_json::{Value, json};
use service_kit::{
    clock::Clock,
    config::OutboundSection,
    http_client::{self, HttpClient, HttpClientOptions, OutboundError},
};
use tokio::time::Instant;

use super::{
    carry::{Accepted, Carrier, CarryError, Carrying, Parcel},
    gate::{Gate, Rate, Verdict},
};
use crate::{
    config::{Endpoint, SmsProvider},
    rules::Channel,
    signature::{self, WebhookKey},
};

/// Most of an answer that is read, in bytes.
const MAX_ANSWER: usize = 16 * 1024;
/// Characters of an answer that are kept for people.
const KEPT: usize = 300;
/// Failures in a row before a provider is left alone.
const FAILURES: u32 = 3;
const FIRST_PAUSE: Duration = Duration::from_secs(5);
const LONGEST_PAUSE: Duration = Duration::from_mins(10);
/// The pause when a provider says that it was asked too often and not for how long.
const TOO_OFTEN: Duration = Duration::from_mins(1);

/// An answer of a provider.
struct Answer {
    status: u16,
    retry_after: Option<Duration>,
    body: Vec<u8>,
}

impl Answer {
    fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or(Value::Null)
    }

    fn words(&self) -> String {
        let text = String::from_utf8_lossy(&self.body);
        let text: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(KEPT).collect();
        format!("{} {text}", self.status)
    }

    /// What the status means by itself; `Ok` when the provider took it.
    fn judged(&self) -> Result<(), Judged> {
        match self.status {
            200..=299 => Ok(()),
            408 | 425 | 429 => Err(Judged::Pause(self.retry_after.unwrap_or(TOO_OFTEN))),
            // Whoever sends is refused, or there is nothing at that address any more: a matter of configuration.
            300..=399 | 401 | 403 | 405 | 407 => Err(Judged::Provider(CarryError::Passing(self.words()))),
            400..=499 => Err(Judged::Parcel(CarryError::Refused(self.words()))),
            503 if self.retry_after.is_some() => Err(Judged::Pause(self.retry_after.unwrap_or(TOO_OFTEN))),
            _ => Err(Judged::Provider(CarryError::Passing(self.words()))),
        }
    }
}

/// Whose fault it is.
enum Judged {
    /// This parcel's: another provider would say the same.
    Parcel(CarryError),
    /// The provider's.
    Provider(CarryError),
    /// It asks for a pause.
    Pause(Duration),
    /// It may have been taken; nobody else is asked.
    Unknown(CarryError),
}

/// A request in the making.
struct Call<'a> {
    address: &'a str,
    headers: Vec<(&'static str, String)>,
    body: String,
}

async fn post(http: &HttpClient, call: Call<'_>, limit: Duration) -> Result<Answer, Judged> {
    let mut request = http.post(call.address).map_err(|error| match error {
        OutboundError::Refused(host) => {
            Judged::Provider(CarryError::Passing(format!("host not in outbound.allowed_hosts: {host}")))
        }
        // The address may carry a secret.
        OutboundError::Address(_) | OutboundError::Build(_) | OutboundError::Authority { .. } => {
            Judged::Provider(CarryError::Passing("the address cannot be used".to_owned()))
        }
    })?;
    for (name, value) in call.headers {
        request = request.header(name, value);
    }
    let request = request.header("content-type", "application/json").body(call.body);
    let mut response = request.send().await.map_err(|error| {
        let (unsent, silent) = (error.is_connect(), error.is_timeout());
        failed(&error.without_url(), unsent, silent, limit)
    })?;
    let status = response.status().as_u16();
    let seconds = response.headers().get("retry-after").and_then(|value| value.to_str().ok()?.trim().parse().ok());
    let mut body = Vec::new();
    loop {
        match response.chunk().await {
            Ok(Some(chunk)) if body.len() + chunk.len() <= MAX_ANSWER => body.extend_from_slice(&chunk),
            Ok(Some(_) | None) => break,
            Err(error) => {
                let silent = error.is_timeout();
                return Err(failed(&error.without_url(), false, silent, limit));
            }
        }
    }
    Ok(Answer { status, retry_after: seconds.map(Duration::from_secs), body })
}

/// A request that got no answer: `unsent` when there was not even a connection.
fn failed(error: &dyn std::error::Error, unsent: bool, silent: bool, limit: Duration) -> Judged {
    if unsent {
        Judged::Provider(CarryError::Passing(chain(error)))
    } else if silent {
        Judged::Unknown(CarryError::Silent(limit))
    } else {
        Judged::Unknown(CarryError::Passing(chain(error)))
    }
}

fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(inner) = source {
        text.push_str(": ");
        text.push_str(&inner.to_string());
        source = inner.source();
    }
    text.chars().take(KEPT).collect()
}

fn gate(name: &str, per_minute: u32) -> Gate {
    let rate = Rate { amount: per_minute, every: Duration::from_mins(1) };
    Gate::new(name, Some(rate), FAILURES, FIRST_PAUSE, LONGEST_PAUSE)
}

fn report(gate: &Gate, judged: &Judged) {
    let verdict = match judged {
        Judged::Parcel(_) => Verdict::Healthy,
        Judged::Provider(_) | Judged::Unknown(_) => Verdict::Failing,
        Judged::Pause(pause) => Verdict::Pause(*pause),
    };
    gate.report(verdict, Instant::now());
}

/// Short messages over gateways, each the substitute of the one before.
#[derive(Debug)]
pub struct SmsGateways {
    http: HttpClient,
    limit: Duration,
    providers: Vec<(SmsProvider, Gate)>,
}

impl SmsGateways {
    /// The gateways in their order.
    pub fn new(http: HttpClient, outbound: &OutboundSection, providers: &[SmsProvider]) -> Self {
        let providers = providers.iter().map(|provider| (provider.clone(), gate(&provider.name, provider.per_minute)));
        Self { http, limit: Duration::from_secs(outbound.timeout_seconds), providers: providers.collect() }
    }

    async fn send(&self, parcel: &Parcel) -> Result<Accepted, CarryError> {
        let Some(phone) = parcel.phone.as_deref() else {
            return Err(CarryError::Address("the account has no mobile number".to_owned()));
        };
        let mut wait = LONGEST_PAUSE;
        let mut last = None;
        for (provider, gate) in &self.providers {
            if let Err(until) = gate.admit(Instant::now()) {
                wait = wait.min(until);
                continue;
            }
            match self.ask(provider, phone, parcel).await {
                Ok(()) => {
                    gate.report(Verdict::Healthy, Instant::now());
                    return Ok(Accepted { provider: provider.name.clone() });
                }
                Err(judged) => {
                    report(gate, &judged);
                    match judged {
                        Judged::Parcel(error) | Judged::Unknown(error) => return Err(error),
                        Judged::Provider(error) => last = Some(error),
                        Judged::Pause(pause) => wait = wait.min(pause),
                    }
                }
            }
        }
        Err(last.unwrap_or(CarryError::Throttled(wait)))
    }

    async fn ask(&self, provider: &SmsProvider, phone: &str, parcel: &Parcel) -> Result<(), Judged> {
        let mut headers = vec![("idempotency-key", parcel.delivery_id.to_string())];
        if let Some(token) = &provider.token_file {
            headers.push(("authorization", format!("Bearer {}", token.expose())));
        }
        let body = provider.filled(phone, &parcel.short, &parcel.delivery_id.to_string());
        let answer = post(&self.http, Call { address: &provider.url, headers, body }, self.limit).await?;
        answer.judged()?;
        match &provider.accepted {
            // Many gateways answer 200 and say in the body that they refuse.
            Some(accepted) if !accepted.holds(&answer.json()) => {
                Err(Judged::Parcel(CarryError::Refused(answer.words())))
            }
            _ => Ok(()),
        }
    }
}

impl Carrier for SmsGateways {
    fn channel(&self) -> Channel {
        Channel::Sms
    }

    fn is_ready(&self) -> bool {
        let now = Instant::now();
        self.providers.iter().any(|(_, gate)| gate.wait(now).is_zero())
    }

    fn carry<'a>(&'a self, parcel: &'a Parcel) -> Carrying<'a> {
        Box::pin(self.send(parcel))
    }
}

/// An endpoint with its secrets read.
#[derive(Debug)]
struct Place {
    endpoint: Endpoint,
    http: HttpClient,
    gate: Gate,
    webhook_keys: Vec<WebhookKey>,
}

/// The endpoints of one channel.
#[derive(Debug)]
pub struct Endpoints {
    channel: Channel,
    clock: Arc<dyn Clock>,
    limit: Duration,
    places: HashMap<String, Place>,
}

impl Endpoints {
    /// Those of a channel among the configured ones.
    pub fn try_new(
        channel: Channel,
        http: &HttpClient,
        clock: &Arc<dyn Clock>,
        outbound: &OutboundSection,
        endpoints: &[Endpoint],
    ) -> anyhow::Result<Self> {
        let mut places = HashMap::new();
        for endpoint in endpoints.iter().filter(|endpoint| endpoint.channel == channel) {
            let keys = if channel == Channel::Webhook { endpoint.secret_files.as_slice() } else { &[] };
            let keys: Result<Vec<_>, _> = keys.iter().map(|key| WebhookKey::try_new(key.expose())).collect();
            let http = if endpoint.allow_private_address {
                // An address of the own network, named by the operator: to this one host, and by this endpoint only.
                http_client::client(&HttpClientOptions {
                    allow_private_addresses: true,
                    ..HttpClientOptions::from(outbound)
                })?
            } else {
                http.clone()
            };
            let gate = gate(&endpoint.name, endpoint.per_minute);
            places.insert(endpoint.name.clone(), Place { endpoint: endpoint.clone(), http, gate, webhook_keys: keys? });
        }
        let limit = Duration::from_secs(outbound.timeout_seconds);
        Ok(Self { channel, clock: Arc::clone(clock), limit, places })
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.places.is_empty()
    }

    async fn send(&self, parcel: &Parcel) -> Result<Accepted, CarryError> {
        let place = parcel.endpoint.as_ref().and_then(|name| self.places.get(name));
        let Some(place) = place else {
            return Err(CarryError::Address("the endpoint is no longer configured".to_owned()));
        };
        place.gate.admit(Instant::now()).map_err(CarryError::Throttled)?;
        match self.ask(place, parcel).await {
            Ok(()) => {
                place.gate.report(Verdict::Healthy, Instant::now());
                Ok(Accepted { provider: place.endpoint.name.clone() })
            }
            Err(judged) => {
                report(&place.gate, &judged);
                Err(match judged {
                    Judged::Parcel(error) | Judged::Provider(error) | Judged::Unknown(error) => error,
                    Judged::Pause(pause) => CarryError::Throttled(pause),
                })
            }
        }
    }

    async fn ask(&self, place: &Place, parcel: &Parcel) -> Result<(), Judged> {
        match self.channel {
            Channel::Wecom => self.wecom(place, parcel).await,
            Channel::Dingtalk => self.dingtalk(place, parcel).await,
            Channel::Webhook | Channel::InApp | Channel::Mail | Channel::Sms => self.webhook(place, parcel).await,
        }
    }

    async fn webhook(&self, place: &Place, parcel: &Parcel) -> Result<(), Judged> {
        let facts = &parcel.facts;
        let body = json!({
            "type": format!("notification.{}", facts.template),
            "timestamp": parcel.created_at.to_string(),
            "data": {
                "message_id": parcel.key,
                "capacity": facts.capacity.map(crate::rules::Capacity::as_str),
                "legal": facts.legal,
                "subject": parcel.subject,
                "doc_no": facts.doc_no,
                "document_id": facts.document_id,
                "case_id": facts.case_id,
                "rectification_id": facts.rectification_id,
                "unit_id": facts.unit_id,
                "unit_name": facts.unit_name,
                "link": parcel.link,
            },
        })
        .to_string();
        let timestamp = self.clock.now().as_second();
        let id = parcel.key.to_string();
        let headers = vec![
            ("webhook-id", id.clone()),
            ("webhook-timestamp", timestamp.to_string()),
            ("webhook-signature", signature::header(&place.webhook_keys, &id, timestamp, body.as_bytes())),
        ];
        post(&place.http, Call { address: &place.endpoint.url, headers, body }, self.limit).await?.judged()
    }

    async fn wecom(&self, place: &Place, parcel: &Parcel) -> Result<(), Judged> {
        let address = place.endpoint.address(&[("key", place.endpoint.key())]);
        let body = json!({ "msgtype": "text", "text": { "content": parcel.short } }).to_string();
        let answer = post(&place.http, Call { address: &address, headers: Vec::new(), body }, self.limit).await?;
        answer.judged()?;
        match answer.json()["errcode"].as_i64() {
            Some(0) => Ok(()),
            // Asked too often.
            Some(45_009) => Err(Judged::Pause(TOO_OFTEN)),
            // The key is none, or the robot was taken out of the group: a matter of configuration.
            Some(93_000 | 40_001 | 40_014) | None => Err(Judged::Provider(CarryError::Passing(answer.words()))),
            Some(_) => Err(Judged::Parcel(CarryError::Refused(answer.words()))),
        }
    }

    async fn dingtalk(&self, place: &Place, parcel: &Parcel) -> Result<(), Judged> {
        let milliseconds = self.clock.now().as_millisecond();
        let mut query = vec![("access_token", place.endpoint.key().to_owned())];
        if let Some(secret) = place.endpoint.secret_files.first() {
            query.push(("timestamp", milliseconds.to_string()));
            query.push(("sign", signature::dingtalk(secret.expose(), milliseconds)));
        }
        let query: Vec<(&str, &str)> = query.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let address = place.endpoint.address(&query);
        let body = json!({ "msgtype": "text", "text": { "content": parcel.short } }).to_string();
        let answer = post(&place.http, Call { address: &address, headers: Vec::new(), body }, self.limit).await?;
        answer.judged()?;
        match answer.json()["errcode"].as_i64() {
            Some(0) => Ok(()),
            // Asked too often.
            Some(130_101 | 660_026) => Err(Judged::Pause(TOO_OFTEN)),
            // Token, signature or address are refused: a matter of configuration.
            Some(300_001 | 310_000 | 40_035) | None => Err(Judged::Provider(CarryError::Passing(answer.words()))),
            Some(_) => Err(Judged::Parcel(CarryError::Refused(answer.words()))),
        }
    }
}

impl Carrier for Endpoints {
    fn channel(&self) -> Channel {
        self.channel
    }

    fn is_ready(&self) -> bool {
        let now = Instant::now();
        self.places.values().any(|place| place.gate.wait(now).is_zero())
    }

    fn carry<'a>(&'a self, parcel: &'a Parcel) -> Carrying<'a> {
        Box::pin(self.send(parcel))
    }
}
