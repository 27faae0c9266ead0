//! What the services answer, with hostile words wherever people write.

use serde_json::{Value, json};

pub const ID: &str = "019a0000-0000-7000-8000-000000000001";
pub const OTHER: &str = "019a0000-0000-7000-8000-000000000002";
/// Items of the sample rectification beside [`ID`] and [`OTHER`]: verified, closed with a look-back due, waived, planned.
pub const VERIFIED: &str = "019a0000-0000-7000-8000-000000000003";
pub const LOOK_BACK: &str = "019a0000-0000-7000-8000-000000000004";
pub const WAIVED: &str = "019a0000-0000-7000-8000-000000000005";
pub const PLANNED: &str = "019a0000-0000-7000-8000-000000000006";
/// Its steps: one that waits for a decision, one that was taken, one that ended by itself; its requests, for an extension and
/// for the lift of a step.
pub const PROPOSED: &str = "019a0000-0000-7000-8000-000000000011";
pub const TAKEN: &str = "019a0000-0000-7000-8000-000000000012";
pub const MOOT: &str = "019a0000-0000-7000-8000-000000000013";
pub const REQUEST: &str = "019a0000-0000-7000-8000-000000000021";
pub const LIFT: &str = "019a0000-0000-7000-8000-000000000022";
pub const SHA: &str = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
/// A code for verification.
pub const CODE: &str = "1040-G208-1040";
/// Appended to every word of the samples that is written in Chinese.
pub const HOSTILE: &str = "<script>alert(1)</script>\"' onx=1";

fn hostile(value: Value) -> Value {
    match value {
        Value::String(text) if text.chars().any(|c| ('\u{4e00}'..='\u{9fff}').contains(&c)) => {
            Value::String(format!("{text}{HOSTILE}"))
        }
        Value::Array(items) => Value::Array(items.into_iter().map(hostile).collect()),
        Value::Object(members) => Value::Object(members.into_iter().map(|(k, v)| (k, hostile(v))).collect()),
        other => other,
    }
}

fn unit() -> Value {
    json!({"unit_id": OTHER, "name": "海口市第一中学", "code": "2146000001", "area_path": [], "county_code": "460100",
        "county_name": "海口市", "competent_unit_id": ID, "competent_unit_name": "海口市教育局"})
}

fn document(kind: &str) -> Value {
    json!({"document_id": ID, "kind": kind, "doc_no": "琼教督委〔2026〕12号", "title": "督导意见书",
        "issuing_unit_id": ID, "issuing_unit_name": "省教育督导委员会办公室", "issued_at": "2026-03-02T01:00:00Z"})
}

pub fn case(state: &str) -> Value {
    let step = |step: &str, allowed: bool| json!({"step": step, "title": "办理步骤", "allowed": allowed, "guard": "g", "reason": "尚未召开座谈会"});
    json!({"case_id": ID, "version": 7, "state": state, "state_zh": "现场督导", "supervision_kind": "special",
        "title": "校园安全专项督导", "unit": unit(), "agency": {"unit_id": ID, "name": "省督导办"}, "matters": ["校园安全"],
        "visit_on": "2026-03-12", "self_evaluation_due_on": "2026-03-10",
        "team": [{"person_id": ID, "name": "督学0001", "inspector_no": "HN-1", "leader": true, "recusals": ["works_there"], "counts": false, "reason": "任期已满"}],
        "notification": {"document": document("supervision_notification"), "received_at": "2026-03-02T02:00:00Z"},
        "self_evaluation": {"files": [SHA], "received_at": "2026-03-02T02:00:00Z", "review": null, "reviewed_by": null},
        "visit_records": [{"arrived_at": "2026-03-12T01:00:00Z", "left_at": "2026-03-12T04:00:00Z", "place": "教学楼", "matters": ["消防"],
            "methods": ["现场查看"], "highlights": "整洁", "problems": "通道堵塞", "inspectors": [ID], "evidence": [SHA], "recorded_by": "督学0001"}],
        "evidence": [{"sha256": SHA, "bytes": 1234, "media_type": "image/jpeg", "name": "照片.jpg", "uploaded_at": "2026-03-12T04:00:00Z", "uploaded_by": "督学0001"}],
        "hearings": [{"group": "students", "how_drawn": "随机抽取", "points": ["希望改善"], "participants": 12, "questionnaires": 3, "recorded_by": "督学0001"}],
        "findings": [{"finding_id": OTHER, "number": 1, "severity": "major", "category": "安全管理", "description": "消防通道堵塞", "basis": "消防法",
            "demand": "立即清理", "advice": "定期检查", "responsible_unit_id": OTHER, "responsible_unit_name": "海口市第一中学"}],
        "preliminary_opinion": {"document": document("preliminary_opinion"), "evaluation": "总体良好", "deliberation": "经评议", "received_at": "2026-03-13T01:00:00Z",
            "plea_due_on": "2026-03-27", "plea_due_at": "2026-03-27T16:00:00Z", "plea_due_explained": "自签收次日起算"},
        "plea": {"text": "已经整改", "waived": false, "by": "校长室", "at": "2026-03-14T01:00:00Z", "treatment": "部分采纳", "decided_at": "2026-03-15T01:00:00Z"},
        "letter": {"document": document("opinion_letter"), "evaluation": "总体良好", "plea_treatment": "部分采纳", "received_at": "2026-03-16T01:00:00Z"},
        "next_steps": [step("team", true), step("notify", true), step("visit-records", true), step("hearings", true), step("feedback", true),
            step("plea", true), step("plea-decision", true), step("letter", false)],
        "created_at": "2026-03-01T01:00:00Z"})
}

fn item(id: &str, state: &str, late: bool) -> Value {
    json!({"item_id": id, "finding_id": id, "number": 1, "severity": "major", "category": "安全管理", "description": "消防通道堵塞",
        "basis": "消防法", "demand": "立即清理", "responsible_unit_name": "海口市第一中学", "state": state, "deadline_id": ID,
        "due_on": "2026-04-10", "due_at": "2026-04-10T16:00:00Z", "provisional": true, "first_due_on": "2026-03-31",
        "reported_at": "2026-03-30T01:00:00Z", "report": "已经清理", "late": late, "verified_at": "2026-03-31T01:00:00Z",
        "verified_by": "督学0002", "closed_at": (state == "closed" || state == "waived").then_some("2026-04-01T01:00:00Z"), "returned": 1, "extensions": 1, "reopened": 1, "phase": if state == "closed" { "lookback_due" } else { state }, "urging_order_no": "琼教督委督办〔2026〕3号"})
}

fn note(text: &str) -> Value {
    json!({"by": "办事人员", "at": "2026-03-20T01:00:00Z", "text": text})
}

fn plan_of(state: &str) -> Value {
    json!({"state": state, "due_on": "2026-03-27", "due_at": "2026-03-27T16:00:00Z", "late": true, "submission": note("分步整改"),
        "measures": [{"what": "清理通道", "responsible": "总务处", "until": "2026-04-01", "standard": "无杂物"},
            {"what": "建立巡查制度", "responsible": "安全办", "until": "2026-04-05", "standard": ""}],
        "judgement": if state == "returned" { note("措施不具体") } else { Value::Null }})
}

fn detail(id: &str, more: &Value) -> Value {
    let mut detail = json!({"item_id": id, "number": 1, "plan": null, "progress": null, "report": null, "verification": null,
        "approvals": [], "approvals_wanted": 2, "consultations": [], "look_backs": [], "waiver": null, "limits": []});
    for (key, value) in more.as_object().unwrap() {
        detail[key] = value.clone();
    }
    detail
}

fn limit(round: u32, basis: &str, due_on: &str) -> Value {
    json!({"deadline_id": ID, "round": round, "basis": basis, "adjusted": if round > 0 { json!("resumed") } else { Value::Null },
        "set_at": "2026-03-16T01:00:00Z", "due_on": due_on, "due_at": "2026-04-10T16:00:00Z", "provisional": round > 0})
}

fn step(id: &str, level: u8, state: &str) -> Value {
    let (taken, ended) = (state == "taken", state != "proposed");
    json!({"proposal_id": id, "level": level, "items": [1, 3], "proposed_at": "2026-04-11T01:00:00Z", "decide_by": "2026-04-16T16:00:00Z",
        "state": state, "decided_at": ended.then_some("2026-04-12T01:00:00Z"), "note": taken.then_some("已约谈主要负责人")})
}

/// A rectification whose clock is stopped: the competent department's.
pub fn paused_rectification() -> Value {
    let mut view = rectification();
    let snapshot = &mut view["rectification"];
    snapshot["rectification_id"] = json!(OTHER);
    snapshot["paused_until"] = json!("2026-04-30T16:00:00Z");
    snapshot["liable_for"] = json!(ID);
    snapshot["department_case"] = Value::Null;
    snapshot["items"][0]["phase"] = json!("paused");
    view["suspensions"][0]["ended_at"] = Value::Null;
    view
}

fn timer(kind: &str, state: &str, unit: bool) -> Value {
    json!({"rectification_id": ID, "unit_id": unit.then_some(OTHER), "unit_name": unit.then_some("海口市第一中学"),
        "letter_no": unit.then_some("琼教督委〔2026〕12号"), "county_code": "460100", "number": if unit { json!(1) } else { Value::Null },
        "kind": kind, "kind_zh": "督办", "step": 2, "state": state, "due_at": "2026-04-10T16:00:00Z",
        "late_seconds": if state == "late" { 7300 } else { 0 }})
}

pub fn rectification() -> Value {
    json!({"rectification": {"rectification_id": ID, "version": 5, "case_id": ID, "letter_id": ID, "letter": document("opinion_letter"),
        "case_title": "校园安全专项督导", "supervision_kind": "special", "visited_on": "2026-03-12", "unit": unit(),
        "received_at": "2026-03-16T01:00:00Z", "closed_at": null,
        "items": [item(ID, "in_progress", true), item(OTHER, "reported", false), item(VERIFIED, "verified", false),
            item(LOOK_BACK, "closed", false), item(WAIVED, "waived", false), item(PLANNED, "in_progress", false)],
        "steps": [step(PROPOSED, 3, "proposed"), step(TAKEN, 2, "taken"), step(MOOT, 2, "moot")],
        "requests": [{"request_id": REQUEST, "subject": "extension", "item_id": PLANNED, "wish": "延长10个工作日", "reason": "采购未完成",
            "requested_by": "学校办公室", "requested_at": "2026-04-01T01:00:00Z", "decide_by": "2026-04-04T16:00:00Z"},
            {"request_id": LIFT, "subject": "lift", "item_id": null, "wish": "解除通报", "reason": "已有实质进展",
            "requested_by": "学校办公室", "requested_at": "2026-04-02T01:00:00Z", "decide_by": "2026-04-07T16:00:00Z"}],
        "department_case": OTHER,
        "urging_orders": [{"urging_order_id": ID, "document": document("urging_order"),
            "items": [{"item_id": ID, "number": 1, "was_due_on": "2026-03-31", "due_on": "2026-04-10", "deadline_id": ID}],
            "copy_to": "海口市教育局", "lateness_seconds": 0}]},
     "detail": [
        detail(ID, &json!({"plan": plan_of("returned"), "progress": note("已完成一半"), "limits": [limit(0, "letter", "2026-03-31"), limit(1, "urging_order", "2026-04-10")]})),
        detail(OTHER, &json!({})),
        detail(VERIFIED, &json!({"verification": note("属实"), "approvals": [note("同意")]})),
        detail(LOOK_BACK, &json!({"look_backs": [{"due_at": "2026-07-01T01:00:00Z", "state": "due", "finding": null}, {"due_at": "2026-06-01T01:00:00Z", "state": "passed", "finding": note("未反弹")}]})),
        detail(WAIVED, &json!({"waiver": {"requested_by": "学校办公室", "approved_by": "省督导办", "at": "2026-04-02T01:00:00Z", "reason": "校区撤并"}})),
        detail(PLANNED, &json!({"plan": plan_of("submitted"), "consultations": [{"office": "消防救援支队", "question": note("请出具意见"), "due_at": "2026-04-20T16:00:00Z", "answer": null},
            {"office": "住建局", "question": note("请核实"), "due_at": "2026-03-20T16:00:00Z", "answer": note("已核实")}]})),
     ],
     "suspensions": [{"reason": "disaster", "reason_zh": "自然灾害等不可抗力", "note": "台风停课", "requested_by": "学校办公室", "approved_by": "省督导办",
        "from": "2026-03-18T01:00:00Z", "until": "2026-03-22T16:00:00Z", "ended_at": "2026-03-21T01:00:00Z"}],
     "evidence": [{"file_id": ID, "item_id": ID, "sha256": SHA, "media_type": "image/jpeg", "bytes": 99, "name": "整改后.jpg",
        "uploaded_at": "2026-03-30T01:00:00Z", "uploaded_by": "学校办公室"}]})
}

fn ledger_row() -> Value {
    json!({"item_id": ID, "rectification_id": ID, "number": 1, "item_no": "琼教督委〔2026〕12号-1", "case_title": "校园安全专项督导",
        "county_name": "海口市", "unit_name": "海口市第一中学", "description": "消防通道堵塞", "severity": "major", "severity_zh": "较大",
        "responsible_unit_name": "海口市第一中学", "letter_no": "琼教督委〔2026〕12号", "first_due_on": "2026-03-31", "due_on": "2026-04-10",
        "provisional": true, "state": "reported", "state_zh": "待核查", "late": false, "due_soon": true, "urging_order_no": "督办〔2026〕3号"})
}

pub fn draft() -> Value {
    json!({"publication_id": ID, "version": 3, "state": "published", "state_zh": "已公开", "needs_approval": true, "rectification_id": ID,
        "title": "海口市第一中学整改情况", "unit_name": "海口市第一中学", "county_name": "海口市", "letter_no": "琼教督委〔2026〕12号",
        "due_on": "2026-04-14", "overdue": true, "marks": 1, "published_at": "2026-04-01T01:00:00Z", "path": "/rectifications/x",
        "case_title": "校园安全专项督导", "findings": [{"item_id": ID, "number": 1, "severity": "major", "severity_zh": "较大", "category": "安全管理",
            "original": "学生张某某受伤", "text": "学生受伤", "marks": [{"kind": "name", "original": "张某某"}], "edited": true,
            "due_on": "2026-04-10", "state": "reported", "state_zh": "待核查", "urging_order_no": "督办〔2026〕3号"}],
        "preview": {}, "approval": {"by": "公开办", "at": "2026-04-01T01:00:00Z", "version": 1},
        "withdrawal": {"by": {"display_name": "公开办"}, "at": "2026-04-01T01:00:00Z", "reason": "有误"},
        "history": [{"version": 1, "published_at": "2026-04-01T01:00:00Z", "content_sha256": SHA, "cause": "approved"}]})
}

pub fn message() -> Value {
    json!({"message_id": ID, "version": 2, "case_id": ID, "case_title": "校园安全专项督导", "kind": "opinion_letter", "kind_zh": "督导意见书",
        "sequence": 1, "state": "rejected", "state_zh": "被退回", "unit_name": "海口市第一中学", "doc_no": "琼教督委〔2026〕12号",
        "occurred_at": "2026-03-16T01:00:00Z", "attempts": 2, "last_outcome": "rejected", "reason": "单位代码不存在",
        "faults": [{"field": "/unit/code", "reason_zh": "代码不正确", "reason_en": "wrong code"}], "sha256": SHA,
        "payload": {"unit": {"name": "海口市第一中学"}}, "history": [{"attempt": 1, "finished_at": "2026-03-16T01:00:00Z", "outcome": "rejected", "status": 422}],
        "corrections": [{"made_at": "2026-03-17T01:00:00Z", "reason": "更正代码", "changes": [{"field": "/unit/code", "value": "值"}]}]})
}

fn plan() -> Value {
    json!({"plan_id": ID, "version": 4, "year": 2026, "title": "年度督导计划", "state": "draft", "agency": {"unit_id": ID, "name": "省督导办"},
        "items": [{"plan_item_id": ID, "number": 1, "supervision_kind": "special", "matter": "校园安全",
            "target_units": [{"unit_id": ID, "name": "海口市第一中学"}], "window_from": "2026-03-01", "window_to": "2026-05-31"}],
        "document": document("plan"), "created_at": "2026-01-05T01:00:00Z"})
}

pub fn receipt() -> Value {
    json!({"receipt_id": ID, "document_id": ID, "document_kind": "opinion_letter", "document_kind_zh": "督导意见书", "doc_no": "琼教督委〔2026〕12号",
        "title": "督导意见书", "unit_id": ID, "unit_name": "海口市第一中学", "issuing_unit_name": "省督导办", "case_id": ID, "rectification_id": null,
        "issued_at": "2026-03-16T01:00:00Z", "due_on": "2026-03-19", "due_at": "2026-03-19T16:00:00Z", "overdue": true, "state": "open"})
}

fn signed_on_paper() -> Value {
    let mut receipt = receipt();
    for (key, value) in [
        ("document_id", OTHER),
        ("state", "signed"),
        ("signed_at", "2026-03-17T01:00:00Z"),
        ("signer_name", "校办主任"),
        ("method", "paper"),
        ("recorded_at", "2026-03-18T01:00:00Z"),
        ("note", "直接送达，回执存办公室"),
    ] {
        receipt[key] = json!(value);
    }
    receipt
}

pub fn delivery(id: &str, state: &str) -> Value {
    json!({"delivery_id": id, "message_id": ID, "template": "opinion_letter", "title": "督导意见书", "capacity": "to",
        "subject": "【督导意见书】琼教督委〔2026〕12号", "recipient": "校长", "unit_id": OTHER, "unit_name": "海口市第一中学", "channel": "mail",
        "state": state, "attempts": 4, "redrives": 1, "created_at": "2026-03-16T01:00:00Z",
        "next_attempt_at": (state == "queued").then_some("2026-03-16T03:00:00Z"),
        "last_error": (state == "failed").then_some("550 邮箱不存在"), "discard_reason": (state == "discarded").then_some("已电话告知"),
        "provider": (state == "delivered").then_some("127.0.0.1"),
        "delivered_at": (state == "delivered").then_some("2026-03-16T01:05:00Z"), "read_at": (state == "delivered").then_some("2026-03-16T02:00:00Z")})
}

fn assignment(id: &str, kind: &str, state: &str) -> Value {
    let step = kind != "look_back";
    json!({"assignment_id": id, "kind": kind, "kind_zh": "通报", "state": state, "state_zh": "待办", "due": "2026-04-16T16:00:00Z",
        "overdue": state == "open", "since": "2026-04-11T01:00:00Z", "rectification_id": ID, "letter_no": "琼教督委〔2026〕12号",
        "case_title": "校园安全专项督导", "unit": {"unit_id": OTHER, "name": "海口市第一中学"}, "county_code": "460100", "county_name": "海口市",
        "item_numbers": [1, 3], "level": step.then_some(3), "done_at": (state == "done").then_some("2026-04-12T01:00:00Z"), "case_id": ID, "version": 5,
        "proposal_id": step.then_some(PROPOSED), "item_id": (!step).then_some(LOOK_BACK), "article": step.then_some("实施方案第13条"),
        "policy_facts": if step { json!(["督办后仍未完成"]) } else { json!([]) }, "note": (state == "done").then_some("已到校核实"),
        "facts": [{"item_id": ID, "number": 1, "severity": "major", "category": "安全管理", "description": "消防通道堵塞", "demand": "立即清理",
            "was_due_on": step.then_some("2026-03-31"), "days_late": step.then_some(11), "urging_order_no": "督办〔2026〕3号", "returned": 1, "extensions": 0,
            "reopened": 0, "closed_at": (!step).then_some("2026-04-01T01:00:00Z"), "verified_by": (!step).then_some("督学0002")},
            {"item_id": OTHER, "number": 3, "severity": "minor", "category": "食堂管理", "description": "记录缺失", "demand": "补齐", "returned": 0, "extensions": 1, "reopened": 0}]})
}

pub fn rule_change(id: &str, state: &str) -> Value {
    let (approved, done) = (state != "proposed", state == "in_effect");
    let effects = json!({"later": 3, "freed": 1, "kept": 2, "final": 4, "provisional": 0});
    json!({"change_id": id, "version": 7, "kind": if done { "rulebook" } else { "calendar" }, "subject": "cn-2027", "reason": "国办发明电〔2026〕7号",
        "state": state, "effective_on": "2026-12-01", "proposed_at": "2026-11-26T01:00:00Z", "proposed_by": "省督导办", "approved_at": approved.then_some("2026-11-27T01:00:00Z"),
        "approved_by": approved.then_some("主任"), "withdrawn_at": null, "took_effect_at": done.then_some("2026-11-30T16:00:00Z"),
        "finished_at": done.then_some("2026-11-30T16:00:09Z"), "restores": done.then_some(ID), "content": "id = \"cn-2027\"\nyear = 2027\n# 元旦\nstatus = \"published\"\n",
        "former": "id = \"cn-2027\"\nyear = 2027\nstatus = \"missing\"\n", "live_cases": true, "rules_version": done.then_some(2),
        "dry_run": {"at": "2026-11-26T01:01:00Z", "cases": 12, "touched": 6, "paused": 1, "items": effects, "late_if_told_days_fell": 2,
            "orders_tonight_before": 3, "orders_tonight_after": 1, "failed": 1, "failed_already": 1, "failures": [{"rectification_id": OTHER, "cause": "规则库缺失"}],
            "curve": [{"on": "2026-11-26", "due_before": 3, "due_after": 1, "peak_before": 4, "peak_after": 4}, {"on": "2026-11-27", "due_before": 0, "due_after": 2, "peak_before": 0, "peak_after": 1},
                {"on": "2026-11-28", "due_before": 1, "due_after": 1, "peak_before": 1, "peak_after": 1}]},
        "outcome": done.then(|| json!({"touched": 6, "items": effects, "set_aside": 1})), "fault": null})
}

fn recounted_cases() -> Value {
    let item = |number: i32, effect: &str, late: bool| {
        json!({"item_id": ID, "number": number, "was_due_on": "2027-01-04", "counted_on": "2027-01-03", "due_on": "2027-01-04",
        "effect": effect, "late_if_told_day_fell": late})
    };
    json!({"items": [{"rectification_id": ID, "unit_name": "海口市第一中学", "letter_no": "琼教督委〔2026〕12号", "order_tonight": true,
        "items": [item(1, "later", false), item(2, "kept", true)]}], "next": "k&1"})
}

/// A merger of two county units.
pub fn merger(id: &str, state: &str) -> Value {
    json!({"merger_id": id, "version": 7, "area_id": ID, "area_code": "460400499", "area_name": "洋浦经济开发区", "into_area_id": OTHER,
        "into_code": "460400", "into_name": "儋州市", "effective_on": "2027-01-01", "ground": "关于调整区划的决定", "state": state, "announced_by": "省督导办"})
}

/// What a one-time link is for.
pub fn link(usable: bool, state: &str) -> Value {
    hostile(
        json!({"document_kind_zh": "督导意见书", "doc_no": "琼教督委〔2026〕12号", "title": "督导意见书", "unit_name": "海口市第一中学",
        "issuing_unit_name": "省督导办", "signer_name": "校长", "state": state, "due_on": "2026-03-19", "usable": usable}),
    )
}

fn import() -> Value {
    json!({"import_id": ID, "kind": "province", "file_name": "单位.xlsx", "imported_at": "2026-01-05T01:00:00Z", "rows": 10, "created": 7,
        "changed": 1, "unchanged": 1, "rejected_rows": 1,
        "rejected": [{"sheet": "学校", "row": 5, "column": "学校标识码", "reason": {"zh": "校验位不正确", "en": "wrong check digit"}}],
        "warnings": [{"sheet": "学校", "row": 6, "column": "名称", "reason": {"zh": "与已有名称相同", "en": "same name"}}],
        "tables": [{"table": "schools", "rows": 10, "created": 7, "changed": 1, "unchanged": 1, "rejected_rows": 1}], "ignored_sheets": ["说明"]})
}

fn figures(items: u64) -> Value {
    json!({"items": items, "open": items, "in_progress": items, "reported": 1, "verified": 1, "due_soon": 1, "late": 1, "closed": 0,
        "waived": 1, "paused": 1, "reopened": 1,
        "on_time": 1, "on_time_base": 2, "on_time_rate": "50.0%", "rectifications": 1, "urging_orders": 1})
}

fn page(items: &Value) -> Value {
    json!({"items": items, "next": "c&1"})
}

fn unit_row(n: u8) -> Value {
    json!({"unit_id": format!("019a0000-0000-7000-8000-0000000000{n:02}"), "version": 1, "key": format!("school.{n}"),
        "school_code": format!("21460000{n:02}"), "name": format!("海口市第{n}中学"), "kind": "school", "county_name": "海口市"})
}

fn inspector() -> Value {
    json!({"person_id": OTHER, "version": 1, "inspector_no": "HN-2", "name": "督学0002", "area_code": "460100", "full_time": true, "grade": "高级",
        "term_from": "2025-01-01", "term_to": "2027-12-31", "training_hours": 48, "suspended": true})
}

/// What `tasks` answers.
fn tasks() -> Vec<(&'static str, Value)> {
    let content = json!({"template": "2026-1",
        "head": {"doc_no": "琼教督委〔2026〕12号", "title": "督导意见书", "issuing_agency": "省教育督导委员会办公室", "issued_on": "2026-03-02",
            "addressee": "海口市第一中学", "copies": ["海口市教育局"], "case_id": ID, "finding_ids": [OTHER],
            "legal_basis": ["《教育督导条例》第二十一条", "第二十二条"], "publication": "open"},
        "body": {"opinion_letter": {"case_title": "校园安全专项督导", "unit": "海口市第一中学", "evaluation": "总体良好",
            "findings": [{"number": 1, "severity": "较大", "category": "安全管理", "problem": "通道堵塞", "limit": "自签收之日起30日"}],
            "visits": [{"arrived_at": "2026-03-12T01:00:00Z", "place": "教学楼"}], "plea": "已改", "plea_treatment": "部分采纳", "新项": "新内容"}}});
    vec![
        ("/tasks/v1/plans", page(&json!([plan()]))),
        ("/tasks/v1/plans/ID", plan()),
        (
            "/tasks/v1/cases",
            page(
                &json!([{"case_id": ID, "version": 7, "state": "on_site", "state_zh": "现场督导", "supervision_kind": "special",
            "title": "校园安全专项督导", "unit": unit(), "agency": {"unit_id": ID, "name": "省督导办"}, "visit_on": "2026-03-12", "findings": 1,
            "letter_no": "琼教督委〔2026〕12号", "created_at": "2026-03-01T01:00:00Z"}]),
            ),
        ),
        ("/tasks/v1/cases/ID", case("on_site")),
        (
            "/tasks/v1/documents/ID",
            json!({"document": document("opinion_letter"), "sha256": SHA, "content": content, "received_at": "2026-03-16T01:00:00Z",
            "code": CODE, "carries_a_clock": true, "correctable": [{"field": "contact", "text": "督导科"}, {"field": "title", "text": "督导意见书"}]}),
        ),
        (
            "/tasks/v1/duties",
            json!({"unit_id": ID, "unit_name": "省教育厅", "duties": [{"key": "1", "kind": "measure", "title": "完善机构", "text": "文字", "as_named": "省教育厅"}]}),
        ),
        (
            "/tasks/v1/implementation-plan",
            json!({"key": "hainan-2021", "number": "琼办发〔2021〕13号", "title": "实施方案", "issued_by": ["省委办公厅"], "issued_on": "2021-04-15",
            "goals": [{"key": "g", "title": "目标", "text": "文字"}], "principles": [{"title": "原则", "text": "文字"}],
            "items": [{"key": "1", "kind": "measure", "section_title": "管理体制", "title": "完善机构", "text": "措施文字", "as_named": "省教育厅", "units": [{"unit_key": "k", "name": "省教育厅", "group": "county_units"}]},
                {"key": "W1", "kind": "requirement", "title": "组织领导", "text": "要求文字", "as_named": "各市县", "units": []}]}),
        ),
        ("/tasks/v1/assignments/ID", assignment(ID, "interview", "open")),
        ("/tasks/v1/assignments/OTHER", assignment(OTHER, "circular", "done")),
        ("/tasks/v1/assignments/LOOK_BACK", assignment(LOOK_BACK, "look_back", "done")),
        (
            "/tasks/v1/cases/ID/report-draft",
            json!({"addressee": "海口市人民政府", "copies": ["省督导办"], "due_on": "2026-04-11", "due_article": "条例第二十三条",
            "late": true, "draft": {"situation": "督导情况", "results": [{"title": "重视安全", "text": "制度健全"}], "problems": [{"title": "安全管理", "text": "通道堵塞"}],
                "advice": [], "demands": ["限期整改"], "signer": ""}}),
        ),
        (
            "/tasks/v1/assignments",
            json!({"items": [assignment(ID, "circular", "open"), assignment(OTHER, "look_back", "done")], "next": "a&1"}),
        ),
    ]
}

/// What `deadlines` answers.
fn deadlines() -> Vec<(&'static str, Value)> {
    let order_content = json!({"template": "2026-1",
        "head": {"doc_no": "琼教督委〔2026〕12号", "addressee": "海口市第一中学", "copies": ["海口市教育局"], "legal_basis": ["第二十五条"]},
        "body": {"urging_order": {"subject": "限期整改", "late_items": [{"number": 1, "problem": "通道堵塞", "was_due_on": "2026-03-31", "days_late": 1}]}}});
    vec![
        (
            "/deadlines/v1/documents/ID",
            json!({"document": document("acceptance_opinion"), "rectification_id": ID, "unit": unit(), "content_sha256": SHA,
            "content": {"template": "2026-1", "head": {"doc_no": "琼教督委〔2026〕12号", "addressee": "海口市第一中学"},
                "body": {"acceptance_opinion": {"unit": "海口市第一中学", "total": 1, "closed": 1, "completion_rate": "100%", "verified_on": "2026-03-20",
                    "items": [{"number": 1, "problem": "通道堵塞", "feedback_given": true, "result": "已清理", "opinion": "同意销号"}]}}}}),
        ),
        (
            "/deadlines/v1/rectifications",
            page(
                &json!([{"rectification_id": ID, "version": 5, "case_title": "校园安全专项督导", "unit_id": ID, "unit_name": "海口市第一中学",
            "county_name": "海口市", "letter_no": "琼教督委〔2026〕12号", "received_at": "2026-03-16T01:00:00Z", "closed_at": null, "open_items": 2, "late_items": 1,
            "total_items": 3, "next_due_on": "2026-04-10", "urging_orders": 1}]),
            ),
        ),
        ("/deadlines/v1/rectifications/ID", rectification()),
        ("/deadlines/v1/rectifications/OTHER", paused_rectification()),
        (
            "/deadlines/v1/timers",
            json!({"at": "2026-04-10T16:00:30Z", "items": [timer("urge", "due", true), timer("escalate", "late", true), timer("resume", "armed", false)],
            "next": "t&1", "stuck": [{"rectification_id": OTHER, "unit_name": "海口市第一中学", "letter_no": "琼教督委〔2026〕12号", "since": "2026-04-10T15:00:00Z",
                "due_at": "2026-04-10T14:00:00Z", "late_seconds": 7230, "cause": "规则库缺失"}]}),
        ),
        (
            "/deadlines/v1/urging-orders/ID",
            json!({"order": {"urging_order_id": ID, "document": document("urging_order"), "items": [], "copy_to": "海口市教育局"},
            "rectification_id": ID, "unit": unit(), "content": order_content, "content_sha256": SHA, "code": CODE, "resting": [1]}),
        ),
        (
            "/deadlines/v1/deadlines/ID",
            json!({"deadline_id": ID, "item_id": ID, "rectification_id": ID, "round": 1, "basis": "urging_order", "due_on": "2026-03-31", "due_at": "2026-03-31T16:00:00Z",
            "provisional": true, "explanation": "自签收次日起计算", "proof": {"rule": {"article": "条例第二十二条", "rule_id": "severity.major.finish", "rulebook_version": "1", "period": {"working_days": 2}},
            "anchor_event": "letter_received", "anchor_at": "2026-03-27T01:00:00Z", "anchor_on": "2026-03-27", "calendar_area": "460100", "calendar_version": "v1",
            "days": [{"date": "2026-03-27", "use": "start", "class": "weekday"}, {"date": "2026-03-28", "use": "skipped", "class": "weekend"}, {"date": "2026-03-29", "use": "paused", "class": "weekend"},
                {"date": "2026-03-30", "use": "counted", "class": "weekday"}, {"date": "2026-03-31", "use": "counted", "class": "weekday", "reason": "调休上班"}],
            "provisional": true, "due_on": "2026-03-31", "due_at": "2026-03-31T16:00:00Z"}}),
        ),
        (
            "/deadlines/v1/proofs/latest",
            json!({"proved_at": "2026-03-16T18:00:00Z", "holds": true, "none_missed_since": "2026-01-01T18:00:00Z",
            "statement_zh": "自2026年1月2日02:00起，每晚自证均成立，无一遗漏。", "statement_en": "0 missed since 2026-01-01T18:00:00Z.",
            "open_cases": 12, "closed_cases": 30, "limits": 80, "urging_orders": 4,
            "invariants": [{"name": "armed", "zh": "每件在办整改都有下一个时刻", "en": "every open case has an armed instant", "violations": 0},
                {"name": "fired", "zh": "到时的都已触发", "en": "what was due has fired", "violations": 2}]}),
        ),
        (
            "/deadlines/v1/timers/pulse",
            json!({"at": "2026-03-17T01:00:00Z", "armed": 12, "due_unfired": 5, "ages": [
            {"up_to_seconds": 1, "cases": 4}, {"up_to_seconds": 60, "cases": 1}, {"up_to_seconds": 3600, "cases": 0}, {"up_to_seconds": 86400, "cases": 0}, {"cases": 0}]}),
        ),
        (
            "/deadlines/v1/rule-changes",
            json!({"items": [rule_change(ID, "proposed"), rule_change(OTHER, "in_effect")], "next": "c&1"}),
        ),
        ("/deadlines/v1/rule-changes/ID", rule_change(ID, "proposed")),
        ("/deadlines/v1/rule-changes/OTHER", rule_change(OTHER, "in_effect")),
        ("/deadlines/v1/rule-changes/ID/cases", recounted_cases()),
        ("/deadlines/v1/rule-changes/OTHER/cases", recounted_cases()),
    ]
}

/// What the other services answer.
fn others() -> Vec<(&'static str, Value)> {
    vec![
        ("/notifications/v1/receipts", json!({"items": [receipt()]})),
        (
            "/notifications/v1/inbox",
            json!({"items": [{"message_id": ID, "template": "opinion_letter", "title": "督导意见书", "capacity": "to", "legal": true, "subject": "请签收督导意见书",
            "text": "正文第一行\n第二行", "link": "http://console.example/", "document_id": ID, "doc_no": "琼教督委〔2026〕12号", "case_id": ID, "unit_id": ID, "unit_name": "海口市第一中学",
            "created_at": "2026-03-16T01:00:00Z"}], "next": "n", "unread": 1}),
        ),
        (
            "/notifications/v1/deliveries",
            json!({"counts": {"held": 1, "queued": 1, "sending": 0, "delivered": 5, "digested": 0, "failed": 1, "discarded": 1, "no_recipient": 1},
            "receipts": [receipt(), signed_on_paper()], "items": [delivery(ID, "failed"), delivery(OTHER, "queued"), delivery(VERIFIED, "delivered"), delivery(PLANNED, "discarded")], "next": "d&1"}),
        ),
        (
            "/notifications/v1/sweeps/latest",
            json!({"swept_at": "2026-03-16T01:00:00Z", "holds": false, "open": 3, "findings": [
            {"name": "untold", "zh": "有事项超过一分钟未告知任何人", "en": "a notice has waited", "count": 1, "offenders": [OTHER]},
            {"name": "not_taken", "zh": "有到时待发的消息无人发送", "en": "nobody takes it", "count": 0, "offenders": []}]}),
        ),
        (
            "/notifications/v1/preferences",
            json!({"version": 3, "phone": "+8613800000000", "daily_digest": true, "templates": [
            {"template": "opinion_letter", "title": "督导意见书", "legal": true, "mail": true, "sms": true},
            {"template": "item_reported", "title": "整改待核查", "legal": false, "mail": true, "sms": false},
            {"template": "item_closed", "title": "整改事项销号", "legal": false, "mail": false, "sms": false}]}),
        ),
        (
            "/notifications/v1/templates/item_reported/preview",
            json!({"template": "item_reported", "title": "整改待核查", "notice_id": ID, "language": "zh-Hans",
            "subject": "【整改待核查】琼教督委〔2026〕12号", "text": "正文第一行\n第二行", "html": "<p>正文</p>", "short": "请登录平台核查"}),
        ),
        (
            "/documents/v1/templates",
            json!([
            {"version": "2021-1", "title": "2021年版", "effective_on": "2021-04-15", "kinds": [{"kind": "opinion_letter", "name": "督导意见书"}]},
            {"version": "2027-1", "title": "2027年版", "effective_on": "2027-01-01", "kinds": [{"kind": "opinion_letter", "name": "督导意见书"}]}]),
        ),
        ("/reporting/v1/ledger", json!({"as_of": "2026-04-01T01:00:00Z", "items": [ledger_row()], "next": "n"})),
        (
            "/reporting/v1/statistics/rectifications",
            json!({"as_of": "2026-04-01T01:00:00Z", "total": figures(5), "provincial": figures(1),
            "counties": [{"county_code": "460100", "county_name": "海口市", "figures": figures(4)}], "definitions": [{"key": "late", "title": "逾期", "text": "期限已过"}]}),
        ),
        (
            "/publication/v1/document-register",
            json!({"items": [
            {"document_id": ID, "keeper": "tasks", "kept_as": ID, "kind": "opinion_letter", "code": CODE, "doc_no": "琼教督委意〔2026〕4号", "title": "督导意见书", "issuing_unit_name": "省督导办",
                "issued_at": "2026-03-15T01:00:00Z", "state": "replaced", "voided": {"at": "2026-03-17T01:00:00Z", "cause": "wrong_content", "reason": "联系人写错", "by": "管理员", "replaced_by": OTHER, "replaced_by_no": "琼教督委意〔2026〕5号"}},
            {"document_id": OTHER, "keeper": "deadlines", "kept_as": OTHER, "kind": "urging_order", "code": CODE, "doc_no": "琼教督委督〔2026〕1号", "title": "督办单", "issuing_unit_name": "省督导办", "issued_at": "2026-04-01T01:00:00Z", "state": "genuine"}],
            "series": [{"word": "琼教督委意", "year": 2026, "last": 4, "entries": 2, "voided": 1, "missing": [2, 3], "twice": 0, "whole": false}, {"word": "琼教督委督", "year": 2026, "last": 1, "entries": 1, "voided": 0, "missing": [], "twice": 0, "whole": true}],
            "agencies": [{"unit_id": ID, "name": "省督导办"}], "kinds": ["opinion_letter", "urging_order"], "next": "n"}),
        ),
        ("/publication/v1/drafts", page(&json!([draft()]))),
        ("/publication/v1/drafts/ID", draft()),
        ("/exchange/v1/messages", page(&json!([message()]))),
        ("/exchange/v1/messages/ID", message()),
        (
            "/registry/v1/areas",
            json!({"items": [{"area_id": ID, "code": "460100", "name": "海口市", "level": "county_unit"}, {"area_id": ID, "code": "460000", "name": "海南省", "level": "province"}]}),
        ),
        ("/registry/v1/units", page(&json!([unit_row(1), unit_row(2)]))),
        ("/registry/v1/units/ID", unit_row(1)),
        ("/registry/v1/inspectors", page(&json!([inspector()]))),
        ("/registry/v1/inspectors/OTHER", inspector()),
        (
            "/registry/v1/area-mergers",
            json!({"items": [merger(ID, "announced"), merger(OTHER, "carried_out"), merger(VERIFIED, "withdrawn")], "next": "m&1"}),
        ),
        ("/registry/v1/imports", page(&json!([import()]))),
        ("/registry/v1/imports/ID", import()),
        (
            "/registry/v1/accounts",
            page(
                &json!([{"account_id": ID, "version": 1, "login": "haikou-1", "display_name": "海口市督导室", "active": true, "activated": false, "built_in": false,
            "grants": [{"role": "county_office_admin"}]}, {"account_id": OTHER, "version": 1, "login": "old", "display_name": "停用账号", "active": false, "activated": true, "built_in": false, "grants": []}]),
            ),
        ),
    ]
}

/// Addresses with their answers.
pub fn all() -> Vec<(String, Value)> {
    [tasks(), deadlines(), others()]
        .into_iter()
        .flatten()
        .map(|(address, answer)| {
            (address.replace("LOOK_BACK", LOOK_BACK).replace("OTHER", OTHER).replace("ID", ID), hostile(answer))
        })
        .collect()
}

/// Every page of someone signed in.
pub fn addresses() -> Vec<String> {
    [
        "/",
        "/plans",
        "/plans/new",
        "/plans/ID",
        "/cases",
        "/cases?state=on_site",
        "/cases/new",
        "/cases/new?q=%E6%B5%B7",
        "/cases/new?unit_id=ID",
        "/cases/ID",
        "/cases/ID/team",
        "/cases/ID/team?search=1&chosen=1&m=OTHER",
        "/cases/ID/findings/OTHER",
        "/cases/ID/report",
        "/assignments/ID/paper",
        "/assignments/OTHER/paper",
        "/rectification-papers/ID",
        "/receipts",
        "/receipts?state=signed",
        "/receipts/ID",
        "/documents/ID",
        "/urging-orders/ID",
        "/rectifications",
        "/rectifications/ID",
        "/rectifications/OTHER",
        "/deliveries",
        "/deliveries?document_id=ID",
        "/deliveries?rectification_id=ID&state=queued",
        "/sweep",
        "/message-preview",
        "/message-preview?kind=item_reported&language=zh-Hant&capacity=copy",
        "/preferences",
        "/assignments",
        "/assignments?state=&kind=circular&county=460100&overdue=true",
        "/assignments/ID",
        "/assignments/OTHER",
        "/proofs",
        "/rule-changes",
        "/rule-changes/new",
        "/rule-changes/new?from=ID",
        "/rule-changes/ID",
        "/rule-changes/ID?effect=kept",
        "/rule-changes/OTHER",
        "/area-mergers",
        "/templates",
        "/templates?document=/documents/ID",
        "/timers",
        "/timers?state=late&kind=urge&county=460100&from=2026-03-01&to=2026-03-31",
        "/deadlines/ID",
        "/inbox",
        "/inbox?unread=true",
        "/ledger",
        "/ledger?county=460100&state=late&q=x",
        "/statistics",
        "/drafts",
        "/drafts/ID",
        "/register",
        "/register?agency=ID&state=void",
        "/exchange",
        "/exchange/ID",
        "/measures",
        "/imports",
        "/imports/ID",
        "/accounts",
    ]
    .iter()
    .map(|address| address.replace("OTHER", OTHER).replace("ID", ID))
    .collect()
}
