//! Bookings over HTTP.

use crate::service::{SOON, Service};
use anyhow::{Context, Result};
use futures::future::join_all;
use reqwest::Method;
use serde_json::{Value, json};

fn two_people(service: &Service) -> Result<Value> {
    Ok(json!([
        {"person": service.person("Dr Amara Okafor")?, "role": "host"},
        {"person": service.person("Maryam Al-Harbi")?, "role": "patient"}
    ]))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_200_overlapping_bookings_at_once_exactly_one_is_made() -> Result<()> {
    let service = Service::start().await?;
    let desk = service.physician().await?;
    let participants = two_people(&service)?;
    let requests = (0..200).map(|i| {
        let minute = (i % 5) * 5;
        let visit = json!({
            "start": {"wall": format!("2027-06-01T09:{minute:02}"), "zone": "America/Los_Angeles"},
            "duration_min": 30, "participants": participants
        });
        let desk = desk.clone();
        async move {
            desk.ask(
                Method::POST,
                "/api/v1/visits",
                &[("idempotency-key", &format!("race-{i}"))],
                Some(&visit),
            )
            .await
        }
    });
    let mut made = 0;
    for answer in join_all(requests).await {
        let answer = answer?;
        match answer.status.as_u16() {
            201 => made += 1,
            409 => {
                assert_eq!(answer.body["code"], "slot_taken");
                assert_eq!(
                    answer.body["alternatives"].as_array().map(Vec::len),
                    Some(3),
                    "{}",
                    answer.body
                );
            }
            status => panic!("{status}: {}", answer.body),
        }
    }
    assert_eq!(made, 1);
    let day = desk.get("/api/v1/visits?day=2027-06-01").await?;
    assert_eq!(day["visits"].as_array().map(Vec::len), Some(1));
    Ok(())
}

#[tokio::test]
async fn a_repeated_request_gets_the_same_answer_and_books_once() -> Result<()> {
    let service = Service::start().await?;
    let desk = service.physician().await?;
    let participants = two_people(&service)?;
    let visit = json!({
        "start": {"wall": "2026-12-01T08:00", "zone": "America/Los_Angeles"}, "duration_min": 30, "participants": participants
    });
    let ask = async |key: &'static str, body: &Value| {
        desk.ask(Method::POST, "/api/v1/visits", &[("idempotency-key", key)], Some(body))
            .await
    };
    let first = ask("one", &visit).await?;
    assert_eq!(first.status, 201, "{}", first.body);
    let again = ask("one", &visit).await?;
    assert_eq!((again.status.as_u16(), &again.body), (201, &first.body));
    assert_eq!(again.headers["idempotent-replay"], "true");
    let mut longer = visit.clone();
    longer["duration_min"] = 60.into();
    let other = ask("one", &longer).await?;
    assert_eq!(
        (other.status.as_u16(), &other.body["code"]),
        (422, &"idempotency_key_reused".into())
    );
    let day = desk.get("/api/v1/visits?day=2026-12-01").await?;
    assert_eq!(day["visits"].as_array().map(Vec::len), Some(1));

    // 08:00 in Los Angeles is 19:00 in Riyadh, and everybody is shown both.
    let labels: Vec<_> = first.body["participants"]
        .as_array()
        .context("participants")?
        .iter()
        .map(|p| p["local"]["label"].clone())
        .collect();
    assert!(labels.contains(&"Tue 2026-12-01T08:00-0800".into()), "{labels:?}");
    assert!(labels.contains(&"Tue 2026-12-01T19:00+0300".into()), "{labels:?}");
    Ok(())
}

#[tokio::test]
async fn a_wall_time_that_a_clock_change_doubles_or_skips_gets_both_candidates() -> Result<()> {
    let service = Service::start().await?;
    let desk = service.physician().await?;
    let participants = two_people(&service)?;
    for (wall, code, first, second) in [
        (
            "2027-11-07T01:30",
            "wall_time_ambiguous",
            "Sun 2027-11-07T01:30-0400",
            "Sun 2027-11-07T01:30-0500",
        ),
        (
            "2027-03-14T02:30",
            "wall_time_missing",
            "Sun 2027-03-14T01:30-0500",
            "Sun 2027-03-14T03:30-0400",
        ),
    ] {
        let mut visit = json!({
            "start": {"wall": wall, "zone": "America/New_York"}, "duration_min": 30, "participants": participants
        });
        let answer = desk
            .ask(
                Method::POST,
                "/api/v1/visits",
                &[("idempotency-key", wall)],
                Some(&visit),
            )
            .await?;
        assert_eq!((answer.status.as_u16(), &answer.body["code"]), (422, &code.into()));
        let labels: Vec<_> = answer.body["candidates"]
            .as_array()
            .context("candidates")?
            .iter()
            .map(|c| c["label"].clone())
            .collect();
        assert_eq!(labels, [first, second]);
        visit["start"]["choose"] = "second".into();
        let answer = desk
            .ask(
                Method::POST,
                "/api/v1/visits",
                &[("idempotency-key", &format!("{wall}-2"))],
                Some(&visit),
            )
            .await?;
        assert_eq!(answer.status, 201, "{}", answer.body);
        assert_eq!(answer.body["start_s"], candidates_second(second));
    }
    Ok(())
}

/// The instants of the two labels, counted by hand: 06:30 UTC on 7 November, 07:30 UTC on 14 March 2027.
fn candidates_second(label: &str) -> i64 {
    match label {
        "Sun 2027-11-07T01:30-0500" => 1_825_569_000,
        _ => 1_805_009_400,
    }
}

#[tokio::test]
async fn visits_survive_a_kill_and_a_second_start() -> Result<()> {
    let mut service = Service::start().await?;
    let desk = service.physician().await?;
    let booked = service.book(&desk, &[("Maryam Al-Harbi", "patient")]).await?;
    service.process.signal(heliograph_testkit::Signal::KILL)?;
    service.process.ended(SOON).await?;
    service.again().await?;
    let desk = service.physician().await?;
    let visit = desk.get(&format!("/api/v1/visits/{}", booked.id()?)).await?;
    assert_eq!(visit["participants"].as_array().map(Vec::len), Some(2));
    // The link still opens, on a device that had not come before.
    let api = booked.device(&service, "patient").await?;
    assert!(api.seat(&booked.id()?.to_string()).await.is_ok());
    Ok(())
}

#[tokio::test]
async fn another_institution_sees_nothing() -> Result<()> {
    let service = Service::start().await?;
    let desk = service.physician().await?;
    let booked = service.book(&desk, &[("Maryam Al-Harbi", "patient")]).await?;
    let stranger = service.staff("Urs Keller").await?;
    let path = format!("/api/v1/visits/{}", booked.id()?);
    let answers = [
        stranger.ask(Method::GET, &path, &[], None).await?,
        stranger
            .ask(Method::POST, &format!("{path}/seat"), &[], Some(&json!({})))
            .await?,
    ];
    for answer in answers {
        assert_eq!(
            (answer.status.as_u16(), &answer.body["code"]),
            (404, &"not_found".into()),
            "{}",
            answer.body
        );
    }
    Ok(())
}
