//! The guard before the routes.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests may")]

use access::{
    Access, Action, Caller, Grant, GuardedRouter, KeyPair, Permit, Policies, Resource, Role, RouteAccess, TokenIssuer,
    TokenVerifier, public,
};
use axum::Router;
use axum::body::{Body, to_bytes};
use axum::routing::get;
use domain::ids::{AccountId, AreaId, UnitId};
use http::{Method, Request};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use tower::ServiceExt;
use utoipa_axum::routes;
use uuid::Uuid;

const COUNTY: AreaId = AreaId::new(Uuid::from_u128(2));
const OTHER_COUNTY: AreaId = AreaId::new(Uuid::from_u128(3));

fn now() -> Timestamp {
    "2026-03-02T08:00:00Z".parse().unwrap()
}

struct World {
    issuer: TokenIssuer,
    access: Access,
}

fn world() -> World {
    let keys = KeyPair::try_generate().unwrap();
    let verifier = TokenVerifier::from_pem("k1", &keys.public_pem).unwrap();
    World {
        issuer: TokenIssuer::from_pem("k1", &keys.private_pem).unwrap(),
        access: Access::new(verifier, Policies::load().unwrap(), now),
    }
}

impl World {
    fn token(&self, role: Role) -> String {
        self.token_at(role, now())
    }

    fn token_at(&self, role: Role, at: Timestamp) -> String {
        let caller = Caller {
            account_id: AccountId::new(Uuid::from_u128(1)),
            display_name: "督学0001".to_owned(),
            person_id: None,
            unit_id: None,
            grants: vec![Grant { role, area_id: Some(COUNTY), unit_id: Some(UnitId::new(Uuid::from_u128(5))) }],
        };
        self.issuer.issue(&caller, Uuid::from_u128(7), at).unwrap().token
    }

    fn routes(&self) -> GuardedRouter {
        GuardedRouter::new(self.access.clone())
            .route(Action::TasksCaseRead, routes!(read_cases))
            .route(Action::TasksCaseWrite, routes!(write_case))
            .public(routes!(portal), public())
    }

    async fn call(&self, method: Method, path: &str, authorization: &str) -> (u16, Value) {
        let (router, _) = self.routes().into_openapi_router().split_for_parts();
        call(router, method, path, authorization).await
    }
}

async fn call(router: Router, method: Method, path: &str, authorization: &str) -> (u16, Value) {
    let mut request = Request::builder().method(method).uri(path);
    if !authorization.is_empty() {
        request = request.header("authorization", authorization);
    }
    let response = router.oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
    let status = response.status().as_u16();
    let bytes = to_bytes(response.into_body(), usize::MAX).await.unwrap();
    let text = String::from_utf8(bytes.to_vec()).unwrap();
    (status, serde_json::from_str(&text).unwrap_or(Value::String(text)))
}

/// Cases in the caller's scope.
#[utoipa::path(get, path = "/v1/cases", responses((status = 200)))]
async fn read_cases(permit: Permit) -> String {
    permit.scope().areas.iter().map(ToString::to_string).collect()
}

/// A case in another county.
#[utoipa::path(post, path = "/v1/cases", responses((status = 200), (status = 409, description = "own words")))]
async fn write_case(permit: Permit) -> Result<String, problem::Problem> {
    permit.on(&Resource::in_area([OTHER_COUNTY]))?;
    Ok("written".to_owned())
}

/// Open to everyone.
#[utoipa::path(get, path = "/portal", responses((status = 200)))]
async fn portal() -> &'static str {
    "open"
}

#[tokio::test]
async fn without_a_token_only_public_routes_answer() {
    let world = world();
    assert_eq!(world.call(Method::GET, "/portal", "").await, (200, json!("open")));
    for authorization in ["", "Bearer ", "Bearer nonsense", "Basic dTpw", "Bearer"] {
        let (status, body) = world.call(Method::GET, "/v1/cases", authorization).await;
        assert_eq!(status, 401, "{authorization}");
        assert_eq!(body["type"], "https://dudao.example/problems/unauthenticated");
    }
}

#[tokio::test]
async fn an_expired_token_is_told_so() {
    let world = world();
    let token = world.token_at(Role::Inspector, now() - SignedDuration::from_hours(9));
    let (status, body) = world.call(Method::GET, "/v1/cases", &format!("Bearer {token}")).await;
    assert_eq!((status, &body["detail"]), (401, &json!("登录已过期，请重新登录。")));
}

#[tokio::test]
async fn the_guard_admits_by_role_and_the_permit_judges_the_matter() {
    let world = world();
    let bearer = |role| format!("bearer {}", world.token(role));
    let inspector = bearer(Role::Inspector);
    let (status, body) = world.call(Method::GET, "/v1/cases", &inspector).await;
    assert_eq!((status, body), (200, json!(COUNTY.to_string())));
    let (status, body) = world.call(Method::POST, "/v1/cases", &inspector).await;
    assert_eq!(status, 403, "admitted, but the case lies in another county");
    assert_eq!(body["permission"], "tasks.case.write");
    assert_eq!(body["out_of_scope"], true);
    assert_eq!(body["detail"], "您没有此项权限：办理督导（tasks.case.write）。");
    let (status, body) = world.call(Method::GET, "/v1/cases", &bearer(Role::Operator)).await;
    assert_eq!((status, &body["permission"]), (403, &json!("tasks.case.read")));
    let (status, _) = world.call(Method::POST, "/v1/cases", &bearer(Role::CommitteeChair)).await;
    assert_eq!(status, 403);
}

#[tokio::test]
async fn a_method_that_does_not_exist_is_no_way_in() {
    let world = world();
    let (status, _) = world.call(Method::DELETE, "/v1/cases", "").await;
    assert_eq!(status, 405);
    let (status, _) = world.call(Method::HEAD, "/v1/cases", "").await;
    assert_eq!(status, 401, "HEAD goes through the guard of GET");
}

#[tokio::test]
async fn a_permit_without_a_guard_fails_closed() {
    let world = world();
    let open: Router = Router::new().route("/v1/cases", get(read_cases));
    let token = format!("Bearer {}", world.token(Role::ProvinceOfficeAdmin));
    let (status, body) = call(open, Method::GET, "/v1/cases", &token).await;
    assert_eq!(status, 500);
    assert!(!body.to_string().contains("guard"), "says nothing of the inside");
}

#[test]
fn the_listing_names_every_route_once() {
    let route = |method, path: &str, action| RouteAccess { method, path: path.to_owned(), action };
    let world = world();
    let merged = GuardedRouter::new(world.access.clone()).merge(world.routes());
    assert_eq!(
        merged.listing(),
        [
            route(Method::GET, "/v1/cases", Some(Action::TasksCaseRead)),
            route(Method::POST, "/v1/cases", Some(Action::TasksCaseWrite)),
            route(Method::GET, "/portal", None),
        ]
    );
}

#[test]
fn the_openapi_document_tells_permission_and_problems() {
    let (_, openapi) = world().routes().into_openapi_router().split_for_parts();
    let document = serde_json::to_value(&openapi).unwrap();
    let get = &document["paths"]["/v1/cases"]["get"];
    assert_eq!(get["x-permission"], "tasks.case.read");
    assert_eq!(get["security"], json!([{"bearer": []}]));
    assert_eq!(
        get["responses"]["403"]["content"]["application/problem+json"]["schema"]["$ref"],
        "#/components/schemas/Problem"
    );
    let post = &document["paths"]["/v1/cases"]["post"];
    assert_eq!(post["x-permission"], "tasks.case.write");
    assert_eq!(post["responses"]["409"]["description"], "own words");
    let portal = &document["paths"]["/portal"]["get"];
    assert_eq!((&portal["x-permission"], &portal["security"]), (&json!("public"), &json!([])));
    assert!(portal["responses"].get("401").is_none());
    let components = &document["components"];
    assert_eq!(components["securitySchemes"]["bearer"]["scheme"], "bearer");
    for name in ["Problem", "ProblemField"] {
        assert!(components["schemas"].get(name).is_some(), "{name}: {components}");
    }
}
