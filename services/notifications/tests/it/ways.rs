//! The ways beside mail, against real servers: short messages, signed calls, robots; fail-over, limits, and where nothing goes.

use std::sync::Arc;

use access::Role;
use http::StatusCode;
use notifications::{
    config::{AcceptedAnswer, Endpoint, SmsProvider},
    delivery::{
        Patience, Sender,
        gateway::{Endpoints, SmsGateways},
    },
    language::Language,
    rules::Channel,
    signature::{self, WebhookKey},
};
use service_kit::{clock::SystemClock, config::OutboundSection, http_client};
use testkit::Call;

use crate::{gateways::Gateway, world::*};

/// A Monday, ten in the morning in Haikou.
const MORNING: &str = "2026-11-23T02:00:00Z";
const NEW_KEY: &str = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD";
const OLD_KEY: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

fn outbound(hosts: &[String]) -> OutboundSection {
    OutboundSection {
        allowed_hosts: hosts.to_vec(),
        allow_private_addresses: false,
        connect_timeout_seconds: 1,
        timeout_seconds: 1,
    }
}

fn provider(name: &str, gateway: &Gateway) -> SmsProvider {
    SmsProvider {
        name: name.to_owned(),
        url: gateway.url("/send"),
        token_file: Some(secret("sms-token")),
        body: r#"{"mobile":"{to}","content":"{text}","msgid":"{id}"}"#.to_owned(),
        accepted: Some(AcceptedAnswer { pointer: "/code".to_owned(), value: "0".to_owned() }),
        per_minute: 600,
    }
}

fn sms(world: &World, providers: &[SmsProvider]) -> Sender {
    let hosts: Vec<String> = providers
        .iter()
        .map(|provider| provider.url.trim_start_matches("http://").split('/').next().unwrap().to_owned())
        .collect();
    let outbound = outbound(&hosts);
    let http = http_client::client(&(&outbound).into()).unwrap();
    world.sender_of(Arc::new(SmsGateways::new(http, &outbound, providers)), Patience::from(world.mail()))
}

fn endpoint(channel: Channel, url: String) -> Endpoint {
    Endpoint {
        name: format!("haikou-{}", channel.as_str()),
        channel,
        unit: "office-460100".to_owned(),
        url,
        key_file: Some(secret("robot-key")),
        secret_files: match channel {
            Channel::Webhook => vec![secret(NEW_KEY), secret(OLD_KEY)],
            Channel::Dingtalk => vec![secret("SECrobot")],
            _ => Vec::new(),
        },
        per_minute: 20,
        language: Language::ZhHans,
        allow_private_address: false,
    }
}

/// A service whose office has endpoints, in the morning.
async fn with_endpoints(endpoints: Vec<Endpoint>) -> World {
    let world = World::with(|config| config.channels.endpoints = endpoints).await.peopled().await;
    world.db.set_clock(at(MORNING)).await;
    world.hear(&office_unit()).await;
    world
}

fn endpoints(world: &World, channel: Channel, hosts: &[String]) -> Sender {
    let outbound = outbound(hosts);
    let http = http_client::client(&(&outbound).into()).unwrap();
    let clock: Arc<dyn service_kit::clock::Clock> = Arc::new(SystemClock);
    let endpoints = Endpoints::try_new(channel, &http, &clock, &outbound, &world.config.channels.endpoints).unwrap();
    world.sender_of(Arc::new(endpoints), Patience::from(world.mail()))
}

/// A service that has a short message to send: nobody can be reached by mail, one has a telephone.
async fn with_one_short_message() -> World {
    let world = World::new().await;
    world.db.set_clock(at(MORNING)).await;
    let mut head = principal();
    head.email = None;
    world.hear(&head).await;
    world.give_phone(&head, "+8613800000000").await;
    world.hear(&urged()).await;
    assert_eq!((world.count("mail", "failed").await, world.count("sms", "queued").await), (1, 1));
    world
}

async fn last_error(world: &World) -> String {
    world.text("SELECT coalesce(string_agg(last_error, ' '), '') FROM deliveries WHERE channel <> 'mail'").await
}

#[tokio::test]
async fn a_second_gateway_takes_over_from_one_that_fails() {
    let world = with_one_short_message().await;
    let (first, second) = (Gateway::start().await, Gateway::start().await);
    first.answers(500, "out of order");
    second.answers(200, r#"{"code":"0"}"#);
    let sender = sms(&world, &[provider("first", &first), provider("second", &second)]);
    assert_eq!(sender.round().await.unwrap(), 1);
    assert_eq!((first.seen().len(), second.seen().len()), (1, 1));
    assert_eq!(world.text("SELECT provider FROM deliveries WHERE channel = 'sms'").await, "second");
    let seen = &second.seen()[0];
    let body = seen.json();
    assert_eq!(body["mobile"], "+8613800000000");
    let text = body["content"].as_str().unwrap();
    assert!(text.starts_with("【教育督导平台】督办单：海口教督办〔2026〕1号"), "{text}");
    assert!(!text.contains("消防通道"), "no finding leaves by telephone: {text}");
    assert_eq!(seen.header("authorization"), "Bearer sms-token");
    assert_eq!(seen.header("idempotency-key"), body["msgid"].as_str().unwrap());
    assert!(world.found().await.is_empty());
}

#[tokio::test]
async fn what_a_gateway_refuses_for_good_is_a_dead_letter_until_somebody_sends_it_again() {
    let world = with_one_short_message().await;
    let gateway = Gateway::start().await;
    // Many gateways answer 200 and refuse in the body.
    gateway.answers(200, r#"{"code":"17","message":"blocked number"}"#);
    let sender = sms(&world, &[provider("only", &gateway)]);
    testkit::wait_until("it is given up", async || {
        sender.round().await.unwrap();
        world.count("sms", "failed").await == 1
    })
    .await;
    assert_eq!(gateway.seen().len(), 3);
    assert!(last_error(&world).await.contains("blocked number"));

    let office = testkit::caller(Role::DeskOfficer, Some(HAIKOU), None);
    let dead =
        Call::get("/v1/deliveries?state=failed").by(&office).send(&world.router).await.expect(StatusCode::OK).json;
    let items = dead["items"].as_array().unwrap();
    assert_eq!(items.len(), 2, "{dead}");
    let id = |channel: &str| {
        let found = items.iter().find(|item| item["channel"] == channel).unwrap();
        found["delivery_id"].as_str().unwrap().to_owned()
    };
    let redrive = |id: &str| Call::post(&format!("/v1/deliveries/{id}/redrive"), &serde_json::json!({}));
    let elsewhere = testkit::caller(Role::DeskOfficer, Some(SANYA), None);
    redrive(&id("sms")).by(&elsewhere).send(&world.router).await.expect(StatusCode::FORBIDDEN);
    redrive(&id("sms")).by(&caller(&principal())).send(&world.router).await.expect(StatusCode::FORBIDDEN);
    let again = redrive(&id("sms")).by(&office).send(&world.router).await.expect(StatusCode::OK).json;
    assert_eq!((again["state"].as_str(), again["redrives"].as_i64()), (Some("queued"), Some(1)));
    gateway.answers(200, r#"{"code":0}"#);
    assert_eq!(sender.round().await.unwrap(), 1);
    assert_eq!(world.count("sms", "delivered").await, 1);
    redrive(&id("sms")).by(&office).send(&world.router).await.expect(StatusCode::CONFLICT);

    let discard = |reason: &str| {
        let body = serde_json::json!({ "reason": reason });
        Call::post(&format!("/v1/deliveries/{}/discard", id("mail")), &body).by(&office)
    };
    discard(" ").send(&world.router).await.expect(StatusCode::UNPROCESSABLE_ENTITY);
    let gone = discard("已电话告知").send(&world.router).await.expect(StatusCode::OK).json;
    assert_eq!((gone["state"].as_str(), gone["discard_reason"].as_str()), (Some("discarded"), Some("已电话告知")));
    assert!(world.found().await.is_empty());
}

#[tokio::test]
async fn a_gateway_that_asks_for_a_pause_is_left_alone_and_it_was_no_attempt() {
    let world = with_one_short_message().await;
    let gateway = Gateway::start().await;
    gateway.answers_with(429, vec![("retry-after", "30".to_owned())], "");
    let sender = sms(&world, &[provider("only", &gateway)]);
    assert_eq!(sender.round().await.unwrap(), 1);
    let attempts = "SELECT attempts::bigint FROM deliveries WHERE channel = 'sms'";
    assert_eq!((world.number(attempts).await, world.count("sms", "queued").await), (0, 1));
    assert_eq!(sender.round().await.unwrap(), 0);
    assert_eq!(gateway.seen().len(), 1);
}

#[tokio::test]
async fn no_more_leaves_than_a_provider_takes() {
    let world = with_one_short_message().await;
    world.hear(&reminder()).await;
    world.hear(&reminder()).await;
    assert_eq!(world.count("sms", "queued").await, 3);
    let gateway = Gateway::start().await;
    gateway.answers(200, r#"{"code":"0"}"#);
    let sender = sms(&world, &[SmsProvider { per_minute: 2, ..provider("slow", &gateway) }]);
    while sender.round().await.unwrap() > 0 {}
    assert_eq!(gateway.seen().len(), 2);
    assert_eq!((world.count("sms", "delivered").await, world.count("sms", "queued").await), (2, 1));
}

#[tokio::test]
async fn a_webhook_is_signed_with_both_live_keys() {
    let gateway = Gateway::start().await;
    let world = with_endpoints(vec![endpoint(Channel::Webhook, gateway.url("/hook"))]).await;
    world.hear(&urged()).await;
    let sender = endpoints(&world, Channel::Webhook, &[gateway.address.to_string()]);
    assert_eq!(sender.round().await.unwrap(), 1);
    assert_eq!(world.count("webhook", "delivered").await, 1);
    let seen = &gateway.seen()[0];
    let body = seen.json();
    assert_eq!(body["type"], "notification.urging_order");
    assert_eq!(body["data"]["document_id"], ORDER.to_string());
    assert_eq!(body["data"]["message_id"].as_str().unwrap(), seen.header("webhook-id"));
    let keys = [NEW_KEY, OLD_KEY].map(|key| WebhookKey::try_new(key).unwrap());
    let timestamp: i64 = seen.header("webhook-timestamp").parse().unwrap();
    let expected = signature::header(&keys, seen.header("webhook-id"), timestamp, seen.body.as_bytes());
    assert_eq!(seen.header("webhook-signature"), expected);
    assert_eq!(expected.split(' ').count(), 2);
    // The office sees its system among the recipients.
    let path = format!("/v1/deliveries?document_id={ORDER}&state=delivered");
    let office = testkit::caller(Role::CountyOfficeAdmin, Some(HAIKOU), None);
    let shown = Call::get(&path).by(&office).send(&world.router).await.expect(StatusCode::OK).json;
    assert!(shown["items"].as_array().unwrap().iter().any(|item| item["recipient"] == "haikou-webhook"), "{shown}");
}

#[tokio::test]
async fn a_webhook_goes_to_listed_hosts_only_follows_nothing_and_never_inside_by_a_name() {
    let gateway = Gateway::start().await;
    let local = format!("http://localhost:{}/hook", gateway.address.port());
    let world = with_endpoints(vec![endpoint(Channel::Webhook, local.clone())]).await;
    world.hear(&urged()).await;
    let name = format!("localhost:{}", gateway.address.port());
    let send = async |sender: &Sender| {
        testkit::wait_until("it is tried", async || sender.round().await.unwrap() == 1).await;
        assert_eq!(world.count("webhook", "queued").await, 1);
        last_error(&world).await
    };
    let error = send(&endpoints(&world, Channel::Webhook, &[])).await;
    assert!(error.contains("host not in outbound.allowed_hosts: localhost"), "{error}");
    let error = send(&endpoints(&world, Channel::Webhook, std::slice::from_ref(&name))).await;
    assert!(error.contains("no admitted address"), "{error}");
    assert!(gateway.seen().is_empty());

    let mut world = world;
    world.config.channels.endpoints[0].allow_private_address = true;
    let target = Gateway::start().await;
    gateway.answers_with(302, vec![("location", target.url("/elsewhere"))], "");
    let sender = endpoints(&world, Channel::Webhook, &[name, target.address.to_string()]);
    testkit::wait_until("it is tried", async || sender.round().await.unwrap() == 1).await;
    assert_eq!((gateway.seen().len(), target.seen().len()), (1, 0), "a redirect is no delivery");
    assert!(last_error(&world).await.contains("302"));
    gateway.answers(204, "");
    testkit::wait_until("it is delivered", async || {
        sender.round().await.unwrap();
        world.count("webhook", "delivered").await == 1
    })
    .await;
}

#[tokio::test]
async fn robots_of_groups_get_one_breath_and_their_answers_are_understood() {
    let gateway = Gateway::start().await;
    let places = vec![
        endpoint(Channel::Wecom, gateway.url("/cgi-bin/webhook/send")),
        endpoint(Channel::Dingtalk, gateway.url("/robot/send")),
    ];
    let world = with_endpoints(places).await;
    world.hear(&urged()).await;
    let host = [gateway.address.to_string()];
    gateway.answers(200, r#"{"errcode":45009,"errmsg":"api freq out of limit"}"#);
    let wecom = endpoints(&world, Channel::Wecom, &host);
    wecom.round().await.unwrap();
    let attempts = "SELECT attempts::bigint FROM deliveries WHERE channel = 'wecom'";
    assert_eq!((world.count("wecom", "queued").await, world.number(attempts).await), (1, 0));
    assert_eq!(gateway.seen()[0].uri, "/cgi-bin/webhook/send?key=robot-key");
    let text = gateway.seen()[0].json()["text"]["content"].as_str().unwrap().to_owned();
    assert!(text.contains("督办单") && !text.contains("消防通道"), "{text}");

    gateway.answers(200, r#"{"errcode":310000,"errmsg":"sign not match"}"#);
    let dingtalk = endpoints(&world, Channel::Dingtalk, &host);
    dingtalk.round().await.unwrap();
    assert!(last_error(&world).await.contains("sign not match"));
    gateway.answers(200, r#"{"errcode":0,"errmsg":"ok"}"#);
    testkit::wait_until("the robot takes it", async || {
        dingtalk.round().await.unwrap();
        world.count("dingtalk", "delivered").await == 1
    })
    .await;
    let uri = gateway.seen().last().unwrap().uri.clone();
    let (_, query) = uri.split_once('?').unwrap();
    let part = |name: &str| {
        let found = query.split('&').find_map(|part| part.strip_prefix(&format!("{name}=")));
        found.unwrap_or_else(|| panic!("{name} is missing in {query}")).to_owned()
    };
    assert_eq!(part("access_token"), "robot-key");
    let milliseconds = part("timestamp").parse().unwrap();
    let sign = signature::dingtalk("SECrobot", milliseconds);
    assert_eq!(part("sign"), sign.replace('+', "%2B").replace('/', "%2F").replace('=', "%3D"));
}

#[tokio::test]
async fn no_secret_is_written_down_when_a_robot_cannot_be_reached() {
    let dead = {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        listener.local_addr().unwrap()
    };
    let world = with_endpoints(vec![endpoint(Channel::Wecom, format!("http://{dead}/send"))]).await;
    world.hear(&urged()).await;
    endpoints(&world, Channel::Wecom, &[dead.to_string()]).round().await.unwrap();
    let error = last_error(&world).await;
    assert!(!error.is_empty() && !error.contains("robot-key"), "{error}");
    assert!(!format!("{:?}", world.config.channels).contains("robot-key"));
}
