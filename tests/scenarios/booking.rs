//! Bookings over HTTP.

use crate::{
    dates,
    service::{SOON, Service},
};
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
    let day = dates::ahead()?;
    let requests = (0..200).map(|i| {
        let minute = (i % 5) * 5;
        let visit = json!({
            "start": {"wall": format!("{day}T09:{minute:02}"), "zone": "America/Los_Angeles"},
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
    let day = desk.get(&format!("/api/v1/visits?day={day}")).await?;
    assert_eq!(day["visits"].as_array().map(Vec::len), Some(1));
    Ok(())
}

#[tokio::test]
async fn a_repeated_request_gets_the_same_answer_and_books_once() -> Result<()> {
    let service = Service::start().await?;
    let desk = service.physician().await?;
    let participants = two_people(&service)?;
    let day = dates::ahead()?;
    let visit = json!({
        "start": {"wall": format!("{day}T08:00"), "zone": "America/Los_Angeles"}, "duration_min": 30, "participants": participants
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
    let day = desk.get(&format!("/api/v1/visits?day={day}")).await?;
    assert_eq!(day["visits"].as_array().map(Vec::len), Some(1));
    Ok(())
}

#[tokio::test]
async fn a_wall_time_that_a_clock_change_doubles_or_skips_gets_both_candidates() -> Result<()> {
    let service = Service::start().await?;
    let desk = service.physician().await?;
    let participants = two_people(&service)?;
    for (time, twice, code) in [
        ("01:30", true, "wall_time_ambiguous"),
        ("02:30", false, "wall_time_missing"),
    ] {
        let (wall, both) = dates::clock_change("America/New_York", time, twice)?;
        let wall = wall.to_string();
        let mut visit = json!({
            "start": {"wall": wall, "zone": "America/New_York"}, "duration_min": 30, "participants": participants
        });
        let answer = desk
            .ask(
                Method::POST,
                "/api/v1/visits",
                &[("idempotency-key", &wall)],
                Some(&visit),
            )
            .await?;
        assert_eq!((answer.status.as_u16(), &answer.body["code"]), (422, &code.into()));
        let candidates = answer.body["candidates"].as_array().context("candidates")?;
        let told: Vec<_> = candidates.iter().map(|c| c["start_s"].as_i64()).collect();
        assert_eq!(told, both.map(|at| Some(at.0)));
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
        assert_eq!(answer.body["start_s"], both[1].0);
    }
    Ok(())
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
