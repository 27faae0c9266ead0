//! When something is due: zones, calendars that change, units, ends of days, clocks that stand still.

use std::fmt::Write as _;
use std::sync::Arc;

use deadlines::firing::Firing;
use domain::local_time::{end_of_day, local, local_date};
use domain::period::{Pause, PausedCount, Period, count, count_with_pauses};
use domain::proof::AnchorEvent;
use domain::rectification::{Adjustment, RecountEffect, Rectification, RectificationEvent, ReportFacts, TimerKind};
use domain::rulebook::parse;
use domain::severity::Severity;
use http::StatusCode;
use jiff::civil::{Date, date, time};
use jiff::{SignedDuration, Timestamp, ToSpan as _};
use serde_json::json;
use sqlx::postgres::PgPoolOptions;
use testkit::Call;
use uuid::Uuid;

use super::book::{Book, EVIDENCE, PRINCIPAL, RULEBOOK, stored};
use super::{RECEIVED, in_a_process_of_its_own};
use crate::support::{World, at};

fn year_of_days() -> impl Iterator<Item = Date> {
    date(2026, 1, 1).series(1.day()).take_while(|day| day.year() == 2026)
}

/// Daylight saving time made things happen twice or not at all, most of all between midnight and one. The law's zone has none:
/// a year of counts is the same to the letter in processes of zones whose clocks jump at midnight, at one and by half an hour.
/// And a storm round whose connection lives in a zone that jumps at the very instant of a limit (24:00 in Beijing is
/// the change in Sydney) fires what one in UTC fires, at the same ticks.
#[tokio::test]
async fn catalogue_08_no_zones_clock_change_doubles_or_skips_anything() {
    let counted = |zone: &str| {
        let printed = in_a_process_of_its_own(
            "catalogue::counting::a_year_of_counts_in_the_zone_of_the_process",
            &[("TZ", zone)],
        );
        let lines: Vec<String> = printed.lines().filter(|line| line.starts_with("count ")).map(str::to_owned).collect();
        assert!(printed.contains(&format!("zone {zone}")), "the process lives elsewhere: {printed}");
        assert_eq!(lines.len(), 365 * 5);
        lines
    };
    let shanghai = counted("Asia/Shanghai");
    for zone in ["America/New_York", "Africa/Cairo", "Australia/Lord_Howe"] {
        assert_eq!(counted(zone), shanghai, "{zone}");
    }

    for received in ["2026-04-04T02:00:00Z", "2026-10-03T02:00:00Z"] {
        let mut told = Vec::new();
        for zone in ["UTC", "Australia/Sydney"] {
            let world = World::new().await;
            world.open(1, &[Severity::Immediate], received).await;
            let pool = PgPoolOptions::new()
                .after_connect(move |connection, _| {
                    Box::pin(async move {
                        sqlx::query("SELECT set_config('timezone', $1, false)").bind(zone).execute(connection).await?;
                        Ok(())
                    })
                })
                .connect_with((*world.database.pool().connect_options()).clone())
                .await
                .unwrap();
            let here: String = sqlx::query_scalar("SHOW timezone").fetch_one(&pool).await.unwrap();
            assert_eq!(here, zone);
            let firing = Firing::new(postgres::Database::from_pool(pool), Arc::clone(&world.rules));
            let mut ticks = Vec::new();
            for half_hours in 0..40 {
                let instant = at(received) + SignedDuration::from_mins(30 * half_hours);
                world.freeze(instant).await;
                ticks.push((instant, firing.fire_batch().await.unwrap()));
            }
            let events: Vec<_> = testkit::events(&world.database)
                .await
                .into_iter()
                .map(|event| (event.event_type, event.occurred_at, event.aggregate_version))
                .skip(1)
                .collect();
            let issued: Vec<Timestamp> =
                events.iter().filter(|event| event.0.contains("urging_order")).map(|event| event.1).collect();
            assert_eq!(issued, [end_of_day(local_date(at(received))).unwrap()], "at 24:00, once");
            told.push((ticks, events));
        }
        assert_eq!(told[0], told[1], "received {received}");
    }
}

#[expect(clippy::print_stdout, reason = "the parent reads it")]
#[test]
#[ignore = "catalogue_08 runs it in processes of several zones"]
fn a_year_of_counts_in_the_zone_of_the_process() {
    let book = Book::new();
    let mut out = String::new();
    for day in year_of_days() {
        let anchor = domain::local_time::at_local(day, time(0, 30, 0, 0)).unwrap();
        for period in
            [Period::SameDay, Period::working_days(5), Period::calendar_days(30), Period::months(1), Period::hours(24)]
        {
            let end = count(anchor, period, &book.unit).unwrap();
            let _ = writeln!(out, "count {day} {period} {} {}", end.due_on, end.due_at);
        }
    }
    println!("\nzone {}\n{out}", jiff::tz::TimeZone::system().iana_name().unwrap_or("unknown"));
}

/// Rules or holidays changed after the timer was armed, and the old date stayed or the new one came unseen. What is stored is
/// the rule and what the count began from: the date can be counted again, with a difference row by row, never moves earlier
/// than the unit was told, and takes its timers along.
#[tokio::test]
async fn catalogue_09_a_changed_calendar_counts_again_what_is_armed() {
    let world = World::new().await;
    let id = world.open(1, &[Severity::Minor], RECEIVED).await;
    let case = stored(&world, id).await;
    let told = case.items[0].limits[0].clone();
    assert_eq!(
        (told.source.rule_id.as_str(), told.source.period, told.source.event, told.source.at),
        ("severity.minor.finish", Period::working_days(15), AnchorEvent::LetterReceived, at(RECEIVED))
    );
    let now = at("2026-02-10T02:00:00Z");
    let recounted = |book: &Book| case.clone().recount(now, book.rules()).unwrap().into_parts();
    assert!(recounted(&Book::new()).1.is_empty(), "the same calendar changes nothing");

    // A typhoon closes Wednesday the 4th.
    let (later, events) = recounted(&Book::with_county_day("2026-03-04", "closure"));
    let [RectificationEvent::Recounted { items, .. }] = events.as_slice() else { panic!("{events:?}") };
    assert_eq!(
        (items[0].was_due_on, items[0].counted_on, items[0].due_on, items[0].effect),
        (date(2026, 3, 5), date(2026, 3, 6), date(2026, 3, 6), RecountEffect::Later)
    );
    let due = |case: &Rectification| -> Vec<Timestamp> {
        case.timers.iter().filter(|timer| timer.kind == TimerKind::Due).map(|timer| timer.due_at).collect()
    };
    assert_eq!(due(&later), [end_of_day(date(2026, 3, 6)).unwrap()], "one timer, at the new day");
    assert_eq!(later.items[0].limits, [told.clone(), later.items[0].limit().unwrap().clone()], "the old day is kept");

    // A Saturday is worked: the count would give the day before.
    let (kept, events) = recounted(&Book::with_county_day("2026-02-07", "work"));
    let [RectificationEvent::Recounted { items, .. }] = events.as_slice() else { panic!("{events:?}") };
    assert_eq!(
        (items[0].counted_on, items[0].due_on, items[0].effect),
        (date(2026, 3, 4), date(2026, 3, 5), RecountEffect::Kept)
    );
    assert_eq!(due(&kept), due(&case));
    assert_eq!(kept.items[0].limit().unwrap().adjusted, Some(Adjustment::Kept));
}

/// Days became hours somewhere between two layers. A period carries its unit from the rulebook to the proof sheet; a bare
/// number and a unit that could be either are refused, and one amount in three units has three different ends.
#[tokio::test]
async fn catalogue_10_days_never_become_hours() {
    let rule = "finish = { period = { working_days = 15 }";
    assert!(RULEBOOK.contains(rule));
    for wrong in ["15", "{ days = 15 }", "\"15\"", "{ working_days = 15, hours = 15 }"] {
        let text = RULEBOOK.replacen(rule, &format!("finish = {{ period = {wrong}"), 1);
        assert!(parse("rulebook.toml", &text).is_err(), "{wrong}");
    }
    let book = Book::new();
    let friday = at("2026-03-13T02:00:00Z");
    let ends: Vec<Timestamp> = [Period::hours(1), Period::calendar_days(1), Period::working_days(1), Period::months(1)]
        .into_iter()
        .map(|period| {
            let json = serde_json::to_string(&period).unwrap();
            assert_eq!(serde_json::from_str::<Period>(&json).unwrap(), period);
            assert_eq!(Period::from_parts(period.unit_key(), 1), Some(period));
            count(friday, period, &book.unit).unwrap().due_at
        })
        .collect();
    let expected = [
        "2026-03-13T03:00:00Z",
        // Saturday, and so Monday, as a working day would be.
        "2026-03-16T16:00:00Z",
        "2026-03-16T16:00:00Z",
        "2026-04-13T16:00:00Z",
    ];
    assert_eq!(ends, expected.map(at));
    assert_eq!(
        count(at("2026-03-16T02:00:00Z"), Period::hours(24), &book.unit).unwrap().due_at,
        at("2026-03-17T02:00:00Z")
    );
    assert_eq!(
        count(at("2026-03-16T02:00:00Z"), Period::calendar_days(1), &book.unit).unwrap().due_at,
        at("2026-03-17T16:00:00Z")
    );

    // The unit stands in what is stored and in what people read.
    let world = World::new().await;
    let id = world.open(1, &[Severity::Minor], RECEIVED).await;
    let view = world.view(id).await;
    let deadline = view["rectification"]["items"][0]["deadline_id"].as_str().unwrap();
    let shown = Call::get(&format!("/v1/deadlines/{deadline}"))
        .by(&world.principal)
        .send(&world.router)
        .await
        .expect(StatusCode::OK);
    assert_eq!(shown.json["proof"]["rule"]["period"], json!({"working_days": 15}));
    assert!(shown.json["explanation"].as_str().unwrap().contains("15个工作日"), "{}", shown.json["explanation"]);
}

/// A limit ended at 00:00 of its day, or on a day off, and reminders went out at night. Whatever day of the year a letter is
/// received: limits and the agency's duties end with a working day, at 24:00, the day before in writing; reminders come at
/// half past eight of a working day. Only danger to life is due at once.
#[tokio::test]
async fn catalogue_11_limits_end_with_a_working_day_and_reminders_keep_hours() {
    let book = Book::new();
    for day in year_of_days() {
        let received = domain::local_time::at_local(day, time(9, 0, 0, 0)).unwrap();
        let case = book.opened(&[Severity::Minor, Severity::Major, Severity::Serious], received);
        for item in &case.items {
            let limit = item.limit().unwrap();
            assert!(book.unit.is_working(limit.due_on()), "received {day}: {}", limit.due_on());
            assert_eq!(Some(limit.due_at()), end_of_day(limit.due_on()), "received {day}");
        }
        for timer in &case.timers {
            let (moment, ended) = (local(timer.due_at), local_date(timer.due_at - SignedDuration::from_micros(1)));
            if timer.kind == TimerKind::Reminder {
                assert_eq!(moment.time(), time(8, 30, 0, 0), "received {day}: {timer:?}");
                assert!(book.unit.is_working(moment.date()), "received {day}: {timer:?}");
            } else {
                assert_eq!(moment.time(), time(0, 0, 0, 0), "received {day}: {timer:?}");
                assert!(book.unit.is_working(ended), "received {day}: {timer:?}");
            }
        }
        let item = case.items[0].item_id;
        let facts = ReportFacts { by: PRINCIPAL, text: "已整改".to_owned(), evidence: vec![EVIDENCE] };
        let reported = case.report(item, facts, received, book.rules()).unwrap().into_state();
        let duty = reported.timers.iter().find(|timer| timer.kind == TimerKind::Verification).unwrap();
        assert!(book.agency.is_working(local_date(duty.due_at - SignedDuration::from_micros(1))), "received {day}");
        let at_once = book.opened(&[Severity::Immediate], received);
        assert_eq!(at_once.items[0].limit().unwrap().due_on(), day);
    }

    let world = World::new().await;
    let id = world.open(1, &[Severity::Minor], RECEIVED).await;
    let item = &world.view(id).await["rectification"]["items"][0];
    assert_eq!((&item["due_on"], &item["due_at"]), (&json!("2026-03-05"), &json!("2026-03-05T16:00:00Z")));
}

/// Paused time was counted, or counted twice. A stop is an interval on a list: by days, the days that ran between receipt and
/// limit are as many as the rule says, whatever was stopped; by hours, the parts make the whole, however the
/// intervals are cut, doubled and ordered.
#[tokio::test]
async fn catalogue_12_the_parts_of_a_paused_period_make_the_whole() {
    let world = World::new().await;
    let id = world.open(1, &[Severity::Minor], RECEIVED).await;
    for (begins, until, resumes) in [
        ("2026-02-24T02:00:00Z", "2026-02-26", "2026-02-26T16:00:00Z"),
        ("2026-03-02T02:00:00Z", "2026-03-04", "2026-03-04T16:00:00Z"),
    ] {
        world.fire_at(begins).await;
        let body = json!({"subject": "pause", "pause": "disaster", "until": until, "reason": "台风"});
        let (_, request) = world.asks(&world.desk, id, &body).await;
        world.decides(&world.admin, id, &request, true).await.expect(StatusCode::OK);
        assert_eq!(world.fire_at(resumes).await, 1);
    }
    let case = stored(&world, id).await;
    let due_on = case.items[0].limit().unwrap().due_on();
    let stopped = |day: Date| {
        let end = end_of_day(day).unwrap();
        case.suspensions.iter().any(|stop| stop.from < end && stop.ended_at.is_none_or(|ended| end <= ended))
    };
    let book = Book::new();
    let days: Vec<Date> = local_date(at(RECEIVED)).series(1.day()).skip(1).take_while(|day| *day <= due_on).collect();
    assert_eq!(days.iter().filter(|day| stopped(**day)).count(), 6, "two stops of three days each");
    assert_eq!(days.iter().filter(|day| book.unit.is_working(**day) && !stopped(**day)).count(), 15);

    let anchor = at("2026-03-09T02:00:00Z");
    let mut chance = 20_260_309_u64;
    let mut below = |most: u64| {
        chance = chance.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        i64::try_from((chance >> 33) % most).unwrap()
    };
    for _ in 0..300 {
        let stops: Vec<Pause> = (0..below(6))
            .map(|_| {
                let from = anchor + SignedDuration::from_mins(below(6_000) - 600);
                let until = Some(from + SignedDuration::from_mins(below(900)));
                Pause { from, until, reason: "停".to_owned() }
            })
            .collect();
        let hours = u16::try_from(1 + below(72)).unwrap();
        let end = |stops: &[Pause]| match count_with_pauses(anchor, Period::hours(hours), stops, &book.unit).unwrap() {
            PausedCount::Due(count) => count.due_at,
            PausedCount::Open { since } => panic!("open since {since}"),
        };
        let due_at = end(&stops);
        // Minute by minute: every minute up to the end ran or stood still, and as many ran as the rule says.
        let whole = due_at.duration_since(anchor).as_mins();
        let ran = (0..whole)
            .map(|minute| anchor + SignedDuration::from_mins(minute))
            .filter(|minute| !stops.iter().any(|stop| stop.from <= *minute && *minute < stop.until.unwrap()))
            .count();
        assert_eq!(ran, usize::from(hours) * 60, "{stops:?}");
        let mut cut: Vec<Pause> = stops
            .iter()
            .rev()
            .flat_map(|stop| {
                let length = stop.until.unwrap().duration_since(stop.from);
                let middle = stop.from + length / 3;
                let (first, second) =
                    (Pause { until: Some(middle), ..stop.clone() }, Pause { from: middle, ..stop.clone() });
                [second, first, stop.clone()]
            })
            .collect();
        cut.rotate_left(stops.len());
        assert_eq!(end(&cut), due_at, "{stops:?}");
    }
}

/// The holidays of the next year were not known when the timer was armed, and nobody said so. The date is marked provisional,
/// in the row, in the answer and on the sheet; the notice makes it final or moves it later, and a day that the
/// unit was told does not move earlier.
#[tokio::test]
async fn catalogue_21_a_date_in_a_year_without_its_notice_is_provisional() {
    let world = World::new().await;
    // Fifteen working days end on Monday, 4 January 2027, by weekdays alone.
    let id = world.open(1, &[Severity::Minor], "2026-12-14T02:00:00Z").await;
    let sure = world.open(2, &[Severity::Minor], RECEIVED).await;
    let marked: Vec<Uuid> = sqlx::query_scalar("SELECT rectification_id FROM deadlines WHERE provisional")
        .fetch_all(world.database.pool())
        .await
        .unwrap();
    assert_eq!(marked, [Uuid::from(id)], "and not {sure}");
    let view = world.view(id).await;
    let deadline = view["rectification"]["items"][0]["deadline_id"].as_str().unwrap();
    let shown = Call::get(&format!("/v1/deadlines/{deadline}"))
        .by(&world.principal)
        .send(&world.router)
        .await
        .expect(StatusCode::OK);
    assert_eq!((&shown.json["due_on"], &shown.json["provisional"]), (&json!("2027-01-04"), &json!(true)));
    assert_eq!(shown.json["proof"]["provisional"], json!(true));

    let case = stored(&world, id).await;
    let now = at("2026-12-16T02:00:00Z");
    for (days, effect, due_on) in [
        (&[][..], RecountEffect::Final, date(2027, 1, 4)),
        (&[("2027-01-01", "2027-01-03", "rest")][..], RecountEffect::Later, date(2027, 1, 5)),
        (&[("2027-01-02", "2027-01-03", "work")][..], RecountEffect::Kept, date(2027, 1, 4)),
    ] {
        let book = Book::with_notice_of_2027(days);
        let (after, events) = case.clone().recount(now, book.rules()).unwrap().into_parts();
        let [RectificationEvent::Recounted { items, .. }] = events.as_slice() else { panic!("{events:?}") };
        assert_eq!((items[0].effect, items[0].due_on), (effect, due_on));
        let limit = after.items[0].limit().unwrap();
        assert_eq!((limit.due_on(), limit.provisional), (due_on, false));
        assert_eq!(after.recount(now, book.rules()).unwrap().events(), []);
    }
}
