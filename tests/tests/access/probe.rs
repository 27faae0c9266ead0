//! The request with which a route is tried: a well-formed one about the seeded thing.
//!
//! Changes carry a version that is never the present one: whoever gets through learns that it is stale (412) or that the
//! state refuses, and nothing changes for the callers after him.

use http::Method;
use serde_json::{Value, json};
use testkit::Call;
use uuid::Uuid;

use crate::ground::Room;
use crate::routes::Route;

const STALE: &str = "\"999999\"";

/// The request.
pub fn call(room: &Room, route: &Route) -> Call {
    let mut path = route.path.clone();
    while let (Some(from), Some(to)) = (path.find('{'), path.find('}')) {
        let name = path[from + 1..to].to_owned();
        let value = room.things.get(name.as_str()).cloned().unwrap_or_else(|| Uuid::nil().to_string());
        path.replace_range(from..=to, &value);
    }
    path.push_str(&query(room, route));
    let call = Call::new(route.method.clone(), &path)
        .header("If-Match", STALE)
        .header("Idempotency-Key", &Uuid::new_v4().to_string());
    if route.method == Method::GET || route.method == Method::DELETE {
        return call;
    }
    let multipart = ["/v1/rectifications/{rectification_id}/evidence", "/v1/cases/{case_id}/evidence", "/v1/imports"];
    if multipart.contains(&route.path.as_str()) {
        return call.body("multipart/form-data; boundary=x", form(room));
    }
    match body(room, route) {
        Some(body) => call.json(&body),
        None => call,
    }
}

fn query(room: &Room, route: &Route) -> String {
    match (route.service.as_str(), route.path.as_str()) {
        ("notifications", "/v1/deliveries") => format!("?document_id={}", room.things["document_id"]),
        // The day of the letter.
        ("exchange", "/v1/reconciliation") => "?on=2026-02-05".to_owned(),
        ("tasks", "/v1/duties") => format!("?unit_id={}", room.ground.school),
        _ => String::new(),
    }
}

/// A form with a file; of no kind for an import that could succeed.
fn form(room: &Room) -> Vec<u8> {
    if room.name == "registry" {
        let csv = "\u{feff}代码,名称,上级代码,层级,生效日期\n460200,三亚市,460000,county_unit,2021-04-15\n";
        return format!(
            "--x\r\nContent-Disposition: form-data; name=\"kind\"\r\n\r\nprovince\r\n--x\r\n\
             Content-Disposition: form-data; name=\"file\"; filename=\"行政区划.csv\"\r\n\r\n{csv}\r\n--x--\r\n"
        )
        .into_bytes();
    }
    let pdf = "--x\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.pdf\"\r\nContent-Type: application/pdf\r\n\r\n\
         %PDF-1.4\n1 0 obj\n<< /Type /Catalog >>\nendobj\ntrailer\n<< /Root 1 0 R >>\n%%EOF\n\r\n--x--\r\n";
    pdf.as_bytes().to_vec()
}

/// A body that reads well; `None` where the route takes none.
fn body(room: &Room, route: &Route) -> Option<Value> {
    let school = room.ground.school;
    let finding = json!({
        "severity": "major", "category": "安全管理", "description": "安全出口堵塞", "basis": "第二十条", "demand": "立即清理",
        "advice": "每周自查", "responsible_unit_id": school,
    });
    let some = match route.path.as_str() {
        "/v1/sessions" => json!({"login": "nobody", "password": "a password of nobody"}),
        "/v1/activations" => json!({"login": "nobody", "code": "AAAA-BBBB-CCCC", "password": "Nan-Hai-Zhi-Bin-7"}),
        "/v1/accounts/{account_id}/activation" | "/v1/receipts/{document_id}/sign" | "/v1/inbox/{message_id}/read" => {
            return None;
        }
        "/v1/area-mergers" => json!({"area_code": "460200", "into_code": "460100", "effective_on": "2099-01-01",
            "ground": "批复"}),
        "/v1/accounts/{account_id}/identity" => json!({"subject": "person-1"}),
        "/v1/me/identity/attempts" | "/v1/me/identity/removal" => json!({"password": "a password of nobody"}),
        "/v1/preferences" => json!({"mail_off": []}),
        "/v1/receipts/{document_id}/paper" => {
            json!({"received_at": "2026-02-06T02:00:00Z", "signer_name": "校办", "note": "直接送达"})
        }
        "/v1/deliveries/{delivery_id}/discard" => json!({"reason": "已电话告知"}),
        // Of a kind that is never just voided, and of an order that a clock rests on: whoever gets through is told so.
        "/v1/documents/{document_id}/void" | "/v1/urging-orders/{urging_order_id}/void" => {
            json!({"cause": "issued_in_error", "reason": "误发"})
        }
        "/v1/renditions" => json!({"rendition": "signed by nobody"}),
        "/v1/drafts/{publication_id}/withdraw" => json!({"reason": "涉及未决诉讼"}),
        "/v1/messages/{message_id}/resend" => json!({"reason": "再次上报"}),
        "/v1/rectifications/{rectification_id}/items/{item_id}/report" => {
            json!({"text": "已完成整改", "evidence": [room.things["file_id"]]})
        }
        "/v1/rectifications/{rectification_id}/items/{item_id}/plan" => json!({"text": "先清理，后排查", "measures": [
            {"what": "清理", "responsible": "总务处", "until": "2026-05-01"}]}),
        "/v1/rectifications/{rectification_id}/items/{item_id}/verify"
        | "/v1/rectifications/{rectification_id}/items/{item_id}/plan/judgement"
        | "/v1/rectifications/{rectification_id}/items/{item_id}/look-back" => {
            json!({"decision": "accept", "note": "属实"})
        }
        "/v1/rectifications/{rectification_id}/items/{item_id}/progress"
        | "/v1/rectifications/{rectification_id}/items/{item_id}/consultation/answer" => json!({"text": "已完成一半"}),
        "/v1/rectifications/{rectification_id}/items/{item_id}/close-out/refusal" => json!({"reason": "佐证不足"}),
        "/v1/rectifications/{rectification_id}/items/{item_id}/consultation" => {
            json!({"office": "消防救援支队", "question": "请提出意见"})
        }
        "/v1/rectifications/{rectification_id}/requests" => {
            json!({"subject": "lift", "proposal_id": room.things["proposal_id"], "reason": "已整改"})
        }
        "/v1/rectifications/{rectification_id}/requests/{request_id}/decision" => {
            json!({"granted": false, "note": "理由不足"})
        }
        "/v1/rectifications/{rectification_id}/steps/{proposal_id}/decision" => json!({"note": "已约谈"}),
        "/v1/rule-changes" => crate::ground::notice(),
        "/v1/rule-changes/{change_id}/withdrawal" => json!({"reason": "有误"}),
        "/v1/rule-changes/{change_id}/roll-back" => json!({"reason": "有误", "effective_on": "2026-12-02"}),
        "/v1/plans" => json!({"year": 2027, "title": "年度督导计划", "items": [{
            "supervision_kind": "special", "matter": "校园安全", "target_unit_ids": [school],
            "window_from": "2027-03-01", "window_to": "2027-04-30"}]}),
        "/v1/cases" => json!({"supervision_kind": "special", "title": "校园安全专项督导", "unit_id": school,
            "matters": ["校园安全"], "visit_on": "2027-03-10"}),
        "/v1/cases/{case_id}/team" => {
            json!({"members": [{"person_id": room.things["person_id"], "leader": true, "recusals": []}]})
        }
        "/v1/cases/{case_id}/self-evaluation" => json!({"files": []}),
        "/v1/cases/{case_id}/self-evaluation/review" => json!({"result": "已审核"}),
        "/v1/cases/{case_id}/visit-records" => json!({
            "arrived_at": "2026-02-10T01:00:00Z", "left_at": "2026-02-10T03:00:00Z", "place": "学校", "matters": ["校园安全"],
            "methods": ["实地查看"]}),
        "/v1/cases/{case_id}/hearings" => json!({"group": "students", "how_drawn": "随机", "points": ["很好"]}),
        "/v1/cases/{case_id}/findings" | "/v1/cases/{case_id}/findings/{finding_id}" => finding,
        "/v1/cases/{case_id}/feedback" => json!({"evaluation": "总体较好", "deliberation": "一致同意"}),
        "/v1/cases/{case_id}/plea" => json!({"waived": true}),
        "/v1/cases/{case_id}/plea-decision" => json!({"treatment": "予以采纳"}),
        "/v1/cases/{case_id}/letter" => json!({"evaluation": "总体较好"}),
        "/v1/cases/{case_id}/report" => json!({"situation": "情况", "problems": [{"title": "安全", "text": "堵塞"}],
            "demands": ["整改"], "signer": "总督学"}),
        "/v1/assignments/{assignment_id}/interview-notice" => json!({"at": "2027-03-10T01:00:00Z", "place": "会议室",
            "hosts": [{"name": "主任"}], "interviewees": [{"name": "校长"}], "contact": "督导科", "phone": "0898"}),
        "/v1/assignments/{assignment_id}/circular" => json!({"facts": "事实", "rectification_state": "未完成",
            "result": "通报", "demands": ["整改"]}),
        _ => json!({}),
    };
    Some(some)
}
