use crate::doors::{Clinic, post};
use heliograph_access::ticket;
use heliograph_domain::UnixMillis;
use serde_json::{Value, json};

fn path(visit: &Value) -> String {
    format!("/api/v1/visits/{}/seat", visit.as_str().unwrap())
}

async fn redeem(clinic: &Clinic, patient: usize) -> (Value, String) {
    let token = json!({"token": clinic.demo.patients[patient].token});
    let answer = clinic.send(post("/api/v1/links/redeem").json(&token)).await;
    (answer.json(), answer.cookie())
}

#[tokio::test]
async fn a_device_gets_a_ticket_for_its_own_seat() {
    let clinic = Clinic::open().await;
    let (link, device) = redeem(&clinic, 0).await;
    let answer = clinic
        .send(post(&path(&link["visit"])).cookie(&device).json(&json!({})))
        .await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    let seat = answer.json();
    assert_eq!(
        (&seat["visit"], &seat["seat"], &seat["role"], &seat["name"]),
        (&link["visit"], &link["participant"], &link["role"], &link["name"])
    );
    let now = UnixMillis(crate::doors::START_MS);
    assert_eq!(seat["expires_ms"], now.plus(30_000).0);
    let ticket = ticket::verify(&clinic.service.keys, seat["ticket"].as_str().unwrap(), now).unwrap();
    assert_eq!(json!(ticket.seat), seat["seat"]);
}

#[tokio::test]
async fn staff_who_take_part_get_theirs_by_their_session() {
    let clinic = Clinic::open().await;
    let (link, device) = redeem(&clinic, 0).await;
    let physician = clinic.physician().await;
    let seat = clinic
        .send(post(&path(&link["visit"])).cookie(&physician).json(&json!({})))
        .await
        .json();
    assert_eq!(
        (seat["role"].as_str(), seat["name"].as_str()),
        (Some("host"), Some("Dr Amara Okafor"))
    );
    // A browser that has both says which seat it wants.
    let both = format!("{physician}; {device}");
    let asked = json!({"participant": link["participant"]});
    let seat = clinic
        .send(post(&path(&link["visit"])).cookie(&both).json(&asked))
        .await
        .json();
    assert_eq!(seat["role"], "patient");
}

#[tokio::test]
async fn nobody_gets_the_seat_of_another() {
    let clinic = Clinic::open().await;
    let (link, device) = redeem(&clinic, 0).await;
    let (others, _) = redeem(&clinic, 1).await;
    let visit = path(&link["visit"]);
    clinic
        .send(post(&visit).json(&json!({})))
        .await
        .problem(401, "unauthorized");
    clinic
        .send(post(&path(&others["visit"])).cookie(&device).json(&json!({})))
        .await
        .problem(401, "unauthorized");
    let asked = json!({"participant": others["participant"]});
    clinic
        .send(post(&visit).cookie(&device).json(&asked))
        .await
        .problem(401, "unauthorized");
    // A scheduler sees the visit, but has no seat in it; a session is no right to the patient's.
    let scheduler = clinic.scheduler().await;
    clinic
        .send(post(&visit).cookie(&scheduler).json(&json!({})))
        .await
        .problem(404, "not_found");
    let asked = json!({"participant": link["participant"]});
    clinic
        .send(post(&visit).cookie(&clinic.physician().await).json(&asked))
        .await
        .problem(404, "not_found");
}

#[tokio::test]
async fn a_visit_that_is_over_has_no_seats() {
    let clinic = Clinic::open().await;
    let visit = json!(clinic.visits("cedar-street").await[0].id);
    clinic.clock.forward(2 * 24 * 3_600);
    let physician = clinic.physician().await;
    clinic
        .send(post(&path(&visit)).cookie(&physician).json(&json!({})))
        .await
        .problem(410, "too_late");
}

#[tokio::test]
async fn what_is_no_visit_is_not_found() {
    let clinic = Clinic::open().await;
    let physician = clinic.physician().await;
    for id in ["01890a5d-ac96-774b-bcce-b302099a8057", "x"] {
        let answer = clinic
            .send(post(&path(&json!(id))).cookie(&physician).json(&json!({})))
            .await;
        answer.problem(404, "not_found");
    }
}
