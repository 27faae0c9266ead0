//! What each form sends, and what becomes of refusals.

use access::Role;
use http::StatusCode;
use serde_json::{Value, json};

use crate::samples::{ID, OTHER, SHA, case, draft};
use crate::stage::{Stage, body, caller, header, problem};

/// Posts a form and checks the one call that it becomes.
async fn sends(role: Role, address: &str, form: &str, verb: &str, call: &str, expected: Value) {
    let stage = Stage::with_samples().await;
    let cookie = stage.sign_in(&caller(role)).await;
    let mut answer = case("on_site");
    answer["plan_id"] = json!(ID);
    stage.instead(verb, call, 200, answer).await;
    let form = format!("_key=key-0123456789&_version=7&{form}");
    let answer = stage.post(address, &cookie, &form).await.expect(StatusCode::SEE_OTHER);
    assert!(answer.location().contains("done="), "{}", answer.location());
    // The page that it leads to says what was done.
    let page = stage.get(answer.location().split('#').next().unwrap(), &cookie).await.expect(StatusCode::OK);
    assert!(page.text.contains("<p class=\"done\" role=\"status\">"), "{address}");
    page.hides("role=\"status\">done.");
    let sent = Stage::only(stage.got(verb, call).await);
    if verb == "POST" {
        assert_eq!(header(&sent, "idempotency-key"), "key-0123456789", "{call}");
    }
    assert_eq!(header(&sent, "if-match"), "\"7\"", "{call}");
    let got = if sent.body.is_empty() { Value::Null } else { body(&sent) };
    assert_eq!(got, expected, "{call}");
}

#[tokio::test]
async fn the_steps_of_a_case_become_their_calls() {
    let office = Role::ProvinceOfficeAdmin;
    let (page, api) = (format!("/cases/{ID}"), format!("/tasks/v1/cases/{ID}"));
    let at = |step: &str| (format!("{page}/{step}"), format!("{api}/{step}"));
    let (address, call) = at("notify");
    let expected = json!({"visit_on": "2026-03-12", "contact": null, "materials": ["a", "b"]});
    sends(office, &address, "visit_on=2026-03-12&contact=&materials=a%0D%0A%0D%0A+b", "POST", &call, expected).await;
    let (address, call) = at("hearings");
    let expected =
        json!({"group": "parents", "how_drawn": "x", "points": ["y"], "participants": 12, "questionnaires": 0});
    sends(
        office,
        &address,
        "group=parents&how_drawn=x&points=y&participants=12&questionnaires=",
        "POST",
        &call,
        expected,
    )
    .await;
    let (address, call) = at("feedback");
    sends(
        office,
        &address,
        "evaluation=e&deliberation=d",
        "POST",
        &call,
        json!({"evaluation": "e", "deliberation": "d"}),
    )
    .await;
    let (address, call) = at("plea");
    sends(Role::UnitPrincipal, &address, "text=t", "POST", &call, json!({"text": "t"})).await;
    sends(Role::UnitPrincipal, &address, "text=&waived=true", "POST", &call, json!({"waived": true})).await;
    let (address, call) = at("plea-decision");
    sends(office, &address, "treatment=t", "POST", &call, json!({"treatment": "t"})).await;
    let (address, call) = at("letter");
    sends(office, &address, "evaluation=e&plea_treatment=", "POST", &call, json!({"evaluation": "e"})).await;
    let (address, call) = at("report");
    let form = "situation=s&results=r%0D%0At&problems=p%0D%0Aq%0D%0A%0D%0Ap2%0D%0Aq2&demands=d&scores=i+%7C+100+%7C+90&signer=z";
    let expected = json!({"situation": "s", "results": [{"title": "r", "text": "t"}], "practices": [],
        "problems": [{"title": "p", "text": "q"}, {"title": "p2", "text": "q2"}], "causes": null, "advice": [], "demands": ["d"],
        "scores": [{"indicator": "i", "full": "100", "score": "90", "remark": null}], "signer": "z", "contact": null});
    sends(office, &address, form, "POST", &call, expected).await;
    let (address, call) = at("team");
    let form = format!("person_id={ID}&person_id={OTHER}&leader={OTHER}&recusals%2F{ID}=works_there");
    let expected = json!({"members": [
        {"person_id": ID, "leader": false, "recusals": ["works_there"]},
        {"person_id": OTHER, "leader": true, "recusals": []},
    ]});
    sends(office, &address, &form, "POST", &call, expected).await;
    let finding = |unit: &str| json!({"severity": "major", "category": "c", "description": "d", "basis": "b", "demand": "z", "advice": "", "responsible_unit_id": unit});
    let form = "severity=major&category=c&description=d&basis=b&demand=z&advice=&responsible_unit_id=";
    let (address, call) = at("findings");
    sends(office, &address, form, "POST", &call, finding(OTHER)).await;
    let (address, call) = (format!("{address}/{OTHER}"), format!("{call}/{OTHER}"));
    let named = format!("{form}school.2");
    sends(office, &address, &named, "PUT", &call, finding("019a0000-0000-7000-8000-000000000002")).await;
    sends(office, &format!("{address}/delete"), "", "DELETE", &call, Value::Null).await;
}

#[tokio::test]
async fn acts_on_rectifications_drafts_and_messages_become_their_calls() {
    let item = format!("rectifications/{ID}/items/{OTHER}");
    let call = |verb: &str| format!("/deadlines/v1/{item}/{verb}");
    let expected = json!({"decision": "accept", "note": "n"});
    sends(Role::Inspector, &format!("/{item}/verify"), "decision=accept&note=n", "POST", &call("verify"), expected)
        .await;
    let office = Role::ProvinceOfficeAdmin;
    sends(office, &format!("/{item}/close-out"), "", "POST", &call("close-out"), json!({})).await;
    let expected = json!({"opinion": "o"});
    sends(office, &format!("/{item}/close-out"), "opinion=o", "POST", &call("close-out"), expected).await;
    for (role, verb, form, expected) in [
        (office, "close-out/refusal", "reason=r", json!({"reason": "r"})),
        (office, "plan/judgement", "decision=return&note=n", json!({"decision": "return", "note": "n"})),
        (Role::UnitContact, "progress", "text=t", json!({"text": "t"})),
        (office, "consultation", "office=o&question=q", json!({"office": "o", "question": "q"})),
        (office, "consultation/answer", "text=t", json!({"text": "t"})),
        (Role::Inspector, "look-back", "decision=accept&note=n", json!({"decision": "accept", "note": "n"})),
    ] {
        sends(role, &format!("/{item}/{verb}"), form, "POST", &call(verb), expected).await;
    }
    let form = "text=t&measures%2F0%2Fwhat=&measures%2F2%2Fwhat=w&measures%2F2%2Fresponsible=r&measures%2F2%2Funtil=2026-05-01&measures%2F2%2Fstandard=";
    let expected =
        json!({"text": "t", "measures": [{"what": "w", "responsible": "r", "until": "2026-05-01", "standard": ""}]});
    sends(Role::UnitPrincipal, &format!("/{item}/plan"), form, "POST", &call("plan"), expected).await;
    let (page, api) = (format!("/rectifications/{ID}"), format!("/deadlines/v1/rectifications/{ID}"));
    for (form, expected) in [
        (
            format!("subject=extension&item_id={OTHER}&amount=5&unit=working_days&reason=r"),
            json!({"subject": "extension", "item_id": OTHER, "period": {"working_days": 5}, "reason": "r"}),
        ),
        (
            format!("subject=waiver&item_id={OTHER}&reason=r"),
            json!({"subject": "waiver", "item_id": OTHER, "reason": "r"}),
        ),
        (
            "subject=pause&pause=disaster&until=2026-05-01&reason=r".to_owned(),
            json!({"subject": "pause", "pause": "disaster", "until": "2026-05-01", "reason": "r"}),
        ),
        ("subject=resume&reason=r".to_owned(), json!({"subject": "resume", "reason": "r"})),
        (
            format!("subject=lift&proposal_id={OTHER}&reason=r"),
            json!({"subject": "lift", "proposal_id": OTHER, "reason": "r"}),
        ),
    ] {
        let call = format!("{api}/requests");
        sends(Role::UnitPrincipal, &format!("{page}/requests"), &form, "POST", &call, expected).await;
    }
    let call = format!("{api}/requests/{OTHER}/decision");
    let address = format!("{page}/requests/{OTHER}/decision");
    sends(office, &address, "granted=true&note=", "POST", &call, json!({"granted": true, "note": ""})).await;
    sends(office, &address, "granted=false&note=n", "POST", &call, json!({"granted": false, "note": "n"})).await;
    let call = format!("{api}/steps/{OTHER}/decision");
    let address = format!("{page}/steps/{OTHER}/decision");
    sends(Role::CommitteeChair, &address, "note=n", "POST", &call, json!({"note": "n"})).await;
    let call = format!("/publication/v1/drafts/{ID}/withdraw");
    sends(Role::PublicityOfficer, &format!("/drafts/{ID}/withdraw"), "reason=r", "POST", &call, json!({"reason": "r"}))
        .await;
    let call = format!("/exchange/v1/messages/{ID}/resend");
    let address = format!("/exchange/{ID}/resend");
    sends(Role::ProvinceOfficeAdmin, &address, "reason=r&field=&value=", "POST", &call, json!({"reason": "r"})).await;
    let expected = json!({"reason": "r", "corrections": [{"field": "/unit/code", "value": "x1"}]});
    sends(Role::ProvinceOfficeAdmin, &address, "reason=r&field=%2Funit%2Fcode&value=x1", "POST", &call, expected).await;
    let call = format!("/tasks/v1/plans/{ID}/issue");
    sends(Role::ProvinceOfficeAdmin, &format!("/plans/{ID}/issue"), "", "POST", &call, Value::Null).await;
    let call = format!("/registry/v1/accounts/{ID}/deactivation");
    sends(Role::ProvinceOfficeAdmin, &format!("/accounts/{ID}/deactivation"), "", "POST", &call, Value::Null).await;
    let call = format!("/notifications/v1/receipts/{ID}/sign");
    let stage = Stage::with_samples().await;
    let cookie = stage.sign_in(&caller(Role::UnitPrincipal)).await;
    stage.answers("POST", &call, 200, json!({})).await;
    let answer =
        stage.post(&format!("/receipts/{ID}/sign"), &cookie, "_key=key-0123456789").await.expect(StatusCode::SEE_OTHER);
    assert_eq!(answer.location(), format!("/receipts/{ID}?done=signed"));
    assert_eq!(header(&Stage::only(stage.got("POST", &call).await), "idempotency-key"), "key-0123456789");
}

#[tokio::test]
async fn a_refused_plan_keeps_its_lines_and_shows_the_fault_at_the_right_one() {
    let stage = Stage::with_samples().await;
    let cookie = stage.sign_in(&caller(Role::UnitPrincipal)).await;
    let call = format!("/deadlines/v1/rectifications/{ID}/items/{ID}/plan");
    // The service got one line, which was the third of the form.
    let errors = json!([{"pointer": "/measures/0/responsible", "detail": "请填写责任人"}]);
    stage.answers("POST", &call, 422, problem("invalid-fields", 422, "请修改", &errors)).await;
    let form = format!(
        "_form=plan-{ID}&_key=key-0123456789&_version=5&text=t&measures%2F2%2Fwhat=ww&measures%2F2%2Fresponsible=&measures%2F2%2Funtil=2026-05-01&measures%2F2%2Fstandard="
    );
    let page = stage
        .post(&format!("/rectifications/{ID}/items/{ID}/plan"), &cookie, &form)
        .await
        .expect(StatusCode::UNPROCESSABLE_ENTITY);
    page.shows(&format!("id=\"plan-{ID}--measures-2-responsible--wrong\"")).shows("请填写责任人").shows("value=\"ww\"");
}

#[tokio::test]
async fn only_changed_wording_is_sent_for_approval() {
    let call = format!("/publication/v1/drafts/{ID}/approve");
    let address = format!("/drafts/{ID}/approve");
    let office = Role::ProvinceOfficeAdmin;
    let stage = Stage::new().await;
    let cookie = stage.sign_in(&caller(office)).await;
    stage.answers("GET", &format!("/publication/v1/drafts/{ID}"), 200, draft()).await;
    stage.answers("POST", &call, 200, draft()).await;
    stage
        .post(&address, &cookie, "_version=3&text%2F1=%E5%AD%A6%E7%94%9F%E5%8F%97%E4%BC%A4")
        .await
        .expect(StatusCode::SEE_OTHER);
    stage.post(&address, &cookie, "_version=3&text%2F1=new&names_checked%2F1=true").await.expect(StatusCode::SEE_OTHER);
    let sent = stage.got("POST", &call).await;
    assert_eq!(body(&sent[0]), json!({}));
    assert_eq!(body(&sent[1]), json!({"findings": [{"number": 1, "text": "new", "names_checked": true}]}));
    let refusal =
        problem("invalid-fields", 422, "请修改", &json!([{"pointer": "/findings/0/text", "detail": "疑似姓名"}]));
    stage.instead("POST", &call, 422, refusal).await;
    let page = stage
        .post(&address, &cookie, "_form=approve&_version=3&text%2F1=other")
        .await
        .expect(StatusCode::UNPROCESSABLE_ENTITY);
    page.shows("href=\"#approve--text-1\">疑似姓名").shows(">\nother</textarea>");
}

#[tokio::test]
async fn a_visit_uploads_its_photographs_first() {
    let stage = Stage::with_samples().await;
    let cookie = stage.sign_in(&caller(Role::Inspector)).await;
    let evidence = format!("/tasks/v1/cases/{ID}/evidence");
    let visits = format!("/tasks/v1/cases/{ID}/visit-records");
    stage.answers("POST", &evidence, 201, json!({"items": [{"sha256": SHA}]})).await;
    stage.answers("POST", &visits, 201, case("on_site")).await;
    let fields = [
        ("_form", "visit"),
        ("_key", "key-0123456789"),
        ("_version", "7"),
        ("arrived_at", "2026-03-12T09:00"),
        ("left_at", "2026-03-12T12:00"),
        ("place", "教学楼"),
        ("matters", "消防\r\n食堂"),
        ("methods", "查看"),
        ("highlights", ""),
        ("problems", ""),
        ("evidence", "b0b0"),
    ];
    let answer = stage.upload(&format!("/cases/{ID}/visits"), &cookie, &fields, ("files", "a.jpg", b"JPEG")).await;
    assert_eq!(answer.expect(StatusCode::SEE_OTHER).location(), format!("/cases/{ID}?done=visited"));
    let sent = Stage::only(stage.got("POST", &evidence).await);
    assert_eq!(header(&sent, "idempotency-key"), "key-0123456789-f");
    let text = String::from_utf8_lossy(&sent.body).into_owned();
    assert!(text.contains("name=\"file\"; filename=\"a.jpg\"") && text.contains("JPEG"), "{text}");
    let sent = Stage::only(stage.got("POST", &visits).await);
    assert_eq!(
        body(&sent),
        json!({"arrived_at": "2026-03-12T01:00:00Z", "left_at": "2026-03-12T04:00:00Z", "place": "教学楼", "matters": ["消防", "食堂"],
            "methods": ["查看"], "highlights": "", "problems": "", "evidence": ["b0b0", SHA]})
    );
}

#[tokio::test]
async fn a_refused_photograph_is_told_at_the_files_and_nothing_else_is_sent() {
    let stage = Stage::with_samples().await;
    let cookie = stage.sign_in(&caller(Role::Inspector)).await;
    let refusal = problem("rejected-file", 422, "文件不是图片。", &json!([]));
    stage.answers("POST", &format!("/tasks/v1/cases/{ID}/evidence"), 422, refusal).await;
    let fields = [
        ("_form", "visit"),
        ("arrived_at", "2026-03-12T09:00"),
        ("left_at", "2026-03-12T12:00"),
        ("place", "教学楼甲"),
    ];
    let page = stage.upload(&format!("/cases/{ID}/visits"), &cookie, &fields, ("files", "a.jpg", b"x")).await;
    page.expect(StatusCode::UNPROCESSABLE_ENTITY)
        .shows("href=\"#visit--files\">文件不是图片。")
        .shows("value=\"教学楼甲\"");
    assert!(stage.got("POST", &format!("/tasks/v1/cases/{ID}/visit-records")).await.is_empty());
    let page =
        stage.post(&format!("/cases/{ID}/visits"), &cookie, "_form=visit&arrived_at=&left_at=2026-03-12T12:00").await;
    page.expect(StatusCode::UNPROCESSABLE_ENTITY).shows("href=\"#visit--arrived_at\">请填写日期和时间。");
}

#[tokio::test]
async fn a_report_goes_with_its_evidence() {
    let stage = Stage::with_samples().await;
    let cookie = stage.sign_in(&caller(Role::UnitContact)).await;
    let evidence = format!("/deadlines/v1/rectifications/{ID}/evidence");
    let report = format!("/deadlines/v1/rectifications/{ID}/items/{ID}/report");
    stage
        .answers(
            "POST",
            &evidence,
            201,
            json!({"file_id": OTHER, "sha256": SHA, "bytes": 1, "media_type": "image/jpeg"}),
        )
        .await;
    stage.answers("POST", &report, 200, json!({})).await;
    let form = format!("report-{ID}");
    let fields =
        [("_form", form.as_str()), ("_key", "key-0123456789"), ("_version", "5"), ("text", "已清理"), ("evidence", ID)];
    let address = format!("/rectifications/{ID}/items/{ID}/report");
    let answer =
        stage.upload(&address, &cookie, &fields, ("files", "a.jpg", b"JPEG")).await.expect(StatusCode::SEE_OTHER);
    assert_eq!(answer.location(), format!("/rectifications/{ID}?done=reported#item-{ID}"));
    let sent = Stage::only(stage.got("POST", &evidence).await);
    let text = String::from_utf8_lossy(&sent.body).into_owned();
    assert!(text.contains("name=\"item_id\"") && text.contains(ID), "{text}");
    let sent = Stage::only(stage.got("POST", &report).await);
    assert_eq!(header(&sent, "if-match"), "\"5\"");
    assert_eq!(body(&sent), json!({"text": "已清理", "evidence": [ID, OTHER]}));

    // Without evidence the service's fault stands at the files.
    let refusal = problem("invalid-fields", 422, "请修改", &json!([{"pointer": "/evidence", "detail": "至少一件"}]));
    stage.instead("POST", &report, 422, refusal).await;
    let page = stage.post(&address, &cookie, &format!("_form={form}&_version=5&text=kept")).await;
    let page = page.expect(StatusCode::UNPROCESSABLE_ENTITY);
    page.shows(&format!("href=\"#{form}--files\">至少一件")).shows(">\nkept</textarea>");
}

#[tokio::test]
async fn a_refusal_stands_at_its_field_and_the_next_try_has_a_key_of_its_own() {
    let stage = Stage::with_samples().await;
    let cookie = stage.sign_in(&caller(Role::ProvinceOfficeAdmin)).await;
    let errors =
        json!([{"pointer": "/points/0", "detail": "意见太短"}, {"pointer": "/how_drawn", "detail": "不能为空"}]);
    stage
        .answers(
            "POST",
            &format!("/tasks/v1/cases/{ID}/hearings"),
            422,
            problem("invalid-fields", 422, "请按提示修改。", &errors),
        )
        .await;
    let form = "_form=hearing&_key=old-key-0123&_version=6&group=parents&how_drawn=&points=x%3Cb%3E";
    let page =
        stage.post(&format!("/cases/{ID}/hearings"), &cookie, form).await.expect(StatusCode::UNPROCESSABLE_ENTITY);
    page.shows("role=\"alert\"")
        .shows("请按提示修改。")
        .shows("href=\"#hearing--points\">意见太短")
        .shows("href=\"#hearing--how_drawn\">不能为空");
    page.shows(">\nx&#60;b&#62;</textarea>").shows("<option value=\"parents\" selected>").hides("old-key-0123");
    // Fresh keys and the version as it is now.
    let hearing = page.text.split("id=\"hearing\"").nth(1).unwrap();
    assert!(hearing.split("</form>").next().unwrap().contains("name=\"_version\" value=\"7\""));
}

#[tokio::test]
async fn state_and_version_refusals_say_what_to_do() {
    let stage = Stage::with_samples().await;
    let cookie = stage.sign_in(&caller(Role::ProvinceOfficeAdmin)).await;
    let call = format!("/tasks/v1/cases/{ID}/feedback");
    stage.answers("POST", &call, 412, problem("stale-version", 412, "该记录已被他人修改。", &json!([]))).await;
    let form = "_form=feedback&_version=6&evaluation=e&deliberation=kept";
    let address = format!("/cases/{ID}/feedback");
    let page = stage.post(&address, &cookie, form).await.expect(StatusCode::PRECONDITION_FAILED);
    page.shows("该记录已被他人修改。").shows("您填写的内容仍然保留").shows(">\nkept</textarea>");
    stage.instead("POST", &call, 409, problem("state-refuses", 409, "尚未听取学生意见。", &json!([]))).await;
    stage.post(&address, &cookie, form).await.expect(StatusCode::CONFLICT).shows("尚未听取学生意见。");
    stage.instead("POST", &call, 403, problem("forbidden", 403, "只有督导机构可以反馈。", &json!([]))).await;
}

#[tokio::test]
async fn a_form_whose_service_is_away_can_be_sent_again_as_it_was() {
    let stage = Stage::with_samples().await;
    let cookie = stage.sign_in(&caller(Role::ProvinceOfficeAdmin)).await;
    stage.answers("POST", &format!("/tasks/v1/cases/{ID}/letter"), 503, json!({})).await;
    let form = "_form=letter&_key=key-0123456789&_version=7&evaluation=first%0Asecond%3C";
    let address = format!("/cases/{ID}/letter");
    let page = stage.post(&address, &cookie, form).await.expect(StatusCode::SERVICE_UNAVAILABLE);
    page.shows("督导服务暂时无法访问")
        .shows(&format!("action=\"{address}\""))
        .shows("name=\"_key\" value=\"key-0123456789\"");
    page.shows("first\nsecond&#60;</textarea>").shows("不会重复办理");
}

#[tokio::test]
async fn a_plan_finds_the_units_that_people_type() {
    let stage = Stage::with_samples().await;
    let cookie = stage.sign_in(&caller(Role::ProvinceOfficeAdmin)).await;
    stage.answers("POST", "/tasks/v1/plans", 201, json!({"plan_id": ID})).await;
    let form = "_form=plan&rows=3&title=t&year=2026&items%2F1%2Fsupervision_kind=special&items%2F1%2Fmatter=m\
        &items%2F1%2Ftarget_unit_ids=school.1%0A2146000002&items%2F1%2Fwindow_from=2026-03-01&items%2F1%2Fwindow_to=2026-05-31";
    let answer = stage.post("/plans", &cookie, form).await.expect(StatusCode::SEE_OTHER);
    assert_eq!(answer.location(), format!("/plans/{ID}?done=plan_created"));
    let sent = Stage::only(stage.got("POST", "/tasks/v1/plans").await);
    assert_eq!(
        body(&sent),
        json!({"year": 2026, "title": "t", "items": [{"supervision_kind": "special", "matter": "m",
            "target_unit_ids": ["019a0000-0000-7000-8000-000000000001", "019a0000-0000-7000-8000-000000000002"],
            "window_from": "2026-03-01", "window_to": "2026-05-31"}]})
    );
    // A name that fits several units is asked back, with the candidates.
    let page = stage
        .post("/plans", &cookie, &form.replace("school.1", "zhong"))
        .await
        .expect(StatusCode::UNPROCESSABLE_ENTITY);
    page.shows("“zhong”对应多个单位").shows("href=\"#plan--items-1-target_unit_ids\"");
    // A fault of the service finds its row although empty rows were left out.
    let errors = json!([{"pointer": "/items/0/matter", "detail": "事项重复"}]);
    stage.instead("POST", "/tasks/v1/plans", 422, problem("invalid-fields", 422, "x", &errors)).await;
    let page = stage.post("/plans", &cookie, form).await.expect(StatusCode::UNPROCESSABLE_ENTITY);
    page.shows("href=\"#plan--items-1-matter\">事项重复");
    let page = stage.post("/plans", &cookie, &format!("{form}&more=1")).await.expect(StatusCode::OK);
    page.shows("name=\"rows\" value=\"6\"").shows("name=\"items/5/matter\"").shows("value=\"m\"");
}

#[tokio::test]
async fn a_case_is_opened_for_the_chosen_unit() {
    let stage = Stage::with_samples().await;
    let cookie = stage.sign_in(&caller(Role::CountyOfficeAdmin)).await;
    stage.answers("POST", "/tasks/v1/cases", 201, case("planned")).await;
    let form = format!(
        "_form=case&_key=key-0123456789&unit_id={ID}&plan_id=&supervision_kind=special&title=t&matters=m&visit_on=2026-03-12&self_evaluation_due_on="
    );
    let answer = stage.post("/cases", &cookie, &form).await.expect(StatusCode::SEE_OTHER);
    assert_eq!(answer.location(), format!("/cases/{ID}?done=case_created"));
    let sent = Stage::only(stage.got("POST", "/tasks/v1/cases").await);
    assert_eq!(
        body(&sent),
        json!({"plan_id": null, "supervision_kind": "special", "title": "t", "unit_id": ID, "matters": ["m"], "visit_on": "2026-03-12", "self_evaluation_due_on": null})
    );
    let page =
        stage.post("/cases", &cookie, "_form=case&unit_id=&title=t").await.expect(StatusCode::UNPROCESSABLE_ENTITY);
    page.shows("请先查找并选定被督导单位");
}

#[tokio::test]
async fn an_import_goes_up_and_its_report_comes_back() {
    let stage = Stage::with_samples().await;
    let cookie = stage.sign_in(&caller(Role::ProvinceOfficeAdmin)).await;
    stage.answers("POST", "/registry/v1/imports", 201, json!({"import_id": ID})).await;
    let fields = [("_form", "import"), ("_key", "key-0123456789"), ("kind", "accounts")];
    let answer =
        stage.upload("/imports", &cookie, &fields, ("file", "账号.csv", b"a,b")).await.expect(StatusCode::SEE_OTHER);
    assert_eq!(answer.location(), format!("/imports/{ID}?done=imported"));
    let sent = Stage::only(stage.got("POST", "/registry/v1/imports").await);
    let text = String::from_utf8_lossy(&sent.body).into_owned();
    assert!(text.contains("name=\"kind\"") && text.contains("accounts") && text.contains("a,b"), "{text}");
    let page = stage.get(&format!("/imports/{ID}?done=imported"), &cookie).await;
    page.shows("校验位不正确").shows("<td class=\"n\">5</td>").shows("导入完成");
    stage
        .post("/imports", &cookie, "_form=import&kind=province")
        .await
        .expect(StatusCode::UNPROCESSABLE_ENTITY)
        .shows("请选择文件");
}

#[tokio::test]
async fn an_activation_code_is_shown_once() {
    let stage = Stage::with_samples().await;
    let cookie = stage.sign_in(&caller(Role::ProvinceOfficeAdmin)).await;
    let call = format!("/registry/v1/accounts/{ID}/activation");
    let code =
        json!({"account_id": ID, "login": "haikou-1", "code": "ABCD-EFGH-JKMN", "expires_at": "2026-03-20T01:00:00Z"});
    stage.answers("POST", &call, 201, code).await;
    let page =
        stage.post(&format!("/accounts/{ID}/activation"), &cookie, "_key=key-0123456789").await.expect(StatusCode::OK);
    page.shows("ABCD-EFGH-JKMN").shows("2026年3月20日");
    // The answer carries a secret, which the registry keeps under no key.
    assert_eq!(header(&Stage::only(stage.got("POST", &call).await), "idempotency-key"), "");
}

/// The papers of a step: lists are typed as lines, and what is not typed is left to the service.
#[tokio::test]
async fn papers_of_steps_become_their_calls() {
    for (address, verb, form, expected) in [
        (
            format!("/assignments/{ID}/interview"),
            "interview-notice",
            "at=2026-03-17T09%3A30&place=p&reason=&hosts=a+%7C+b+%7C+c%0D%0Ad&interviewees=e&materials=m&copies=&contact=k&phone=1",
            json!({"at": "2026-03-17T01:30:00Z", "place": "p", "reason": null, "hosts": [{"duty": "a", "name": "b", "post": "c"}, {"name": "d"}],
                "interviewees": [{"name": "e"}], "materials": ["m"], "copies": null, "contact": "k", "phone": "1"}),
        ),
        (
            format!("/assignments/{ID}/circular"),
            "circular",
            "facts=f&attitude=&rectification_state=s&result=r&demands=d&bars=u+%7C+m+%7C+2027-12-31%0D%0An&addressees=x%0D%0Ay&copies=&open=true",
            json!({"facts": "f", "attitude": null, "rectification_state": "s", "result": "r", "demands": ["d"],
                "bars": [{"unit": "u", "measure": "m", "until": "2027-12-31"}, {"measure": "n"}],
                "addressees": ["x", "y"], "copies": null, "open": true, "contact": null, "phone": null}),
        ),
    ] {
        let stage = Stage::with_samples().await;
        let cookie = stage.sign_in(&caller(Role::CountyOfficeAdmin)).await;
        let call = format!("/tasks/v1/assignments/{ID}/{verb}");
        stage.instead("POST", &call, 201, json!({})).await;
        let answer = stage.post(&address, &cookie, &format!("_key=key-0123456789&{form}")).await;
        let answer = answer.expect(StatusCode::SEE_OTHER);
        assert!(answer.location().starts_with(&format!("/assignments/{ID}/paper?done=")), "{}", answer.location());
        let sent = Stage::only(stage.got("POST", &call).await);
        assert_eq!(header(&sent, "idempotency-key"), "key-0123456789");
        assert_eq!(body(&sent), expected);
    }
    // A time that is none is told at its field; nothing is sent.
    let stage = Stage::with_samples().await;
    let cookie = stage.sign_in(&caller(Role::CountyOfficeAdmin)).await;
    let form = "_form=interview&_key=key-0123456789&at=&place=p";
    let page = stage.post(&format!("/assignments/{ID}/interview"), &cookie, form).await;
    assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY);
    page.shows("id=\"interview--at--wrong\"").shows("value=\"p\"");
}
