//! No institution learns that another one has something (threat 5).

use crate::doors::{Clinic, get, post};
use serde_json::json;

#[tokio::test]
async fn ids_of_another_institution_are_not_found_by_anybody_on_any_route() {
    let clinic = Clinic::open().await;
    let (ours, theirs) = (clinic.visits("cedar-street").await, clinic.visits("harbour-road").await);
    let callers = [clinic.scheduler().await, clinic.physician().await];
    let guest = clinic
        .send(post("/api/v1/links/redeem").json(&json!({"token": clinic.demo.patients[0].token})))
        .await;
    for visit in &theirs {
        for cookie in &callers {
            clinic
                .send(get(&format!("/api/v1/visits/{}", visit.id)).cookie(cookie))
                .await
                .problem(404, "not_found");
            let cancel = post(&format!("/api/v1/visits/{}/cancel", visit.id)).cookie(cookie);
            clinic
                .send(cancel.json(&json!({"reason": "not ours", "version": 0})))
                .await
                .problem(404, "not_found");
            let seat = post(&format!("/api/v1/visits/{}/seat", visit.id)).cookie(cookie);
            clinic
                .send(seat.clone().json(&json!({})))
                .await
                .problem(404, "not_found");
            for one in &visit.participants {
                let revoke = format!("/api/v1/visits/{}/participants/{}/revoke", visit.id, one.id);
                clinic
                    .send(post(&revoke).cookie(cookie))
                    .await
                    .problem(404, "not_found");
                let through_ours = format!("/api/v1/visits/{}/participants/{}/revoke", ours[0].id, one.id);
                clinic
                    .send(post(&through_ours).cookie(cookie))
                    .await
                    .problem(404, "not_found");
                clinic
                    .send(seat.clone().json(&json!({"participant": one.id})))
                    .await
                    .problem(404, "not_found");
                let body = json!({
                    "start": {"wall": "2027-02-02T08:00", "zone": "UTC"}, "duration_min": 30,
                    "participants": [
                        {"person": ours[0].participants[0].person, "role": "host"},
                        {"person": one.person, "role": "patient"}
                    ]
                });
                let book = post("/api/v1/visits")
                    .cookie(cookie)
                    .header("idempotency-key", "k")
                    .json(&body);
                let told = clinic.send(book).await.problem(404, "not_found")["errors"].clone();
                assert_eq!(
                    told,
                    json!([{"field": "participants[1].person", "message": "is not known here"}])
                );
            }
        }
        let seat = post(&format!("/api/v1/visits/{}/seat", visit.id)).cookie(&guest.cookie());
        clinic.send(seat.json(&json!({}))).await.problem(401, "unauthorized");
        let progress = post(&format!("/api/v1/visits/{}/progress", visit.id)).cookie(&guest.cookie());
        clinic
            .send(progress.json(&json!({"progress": "opened"})))
            .await
            .problem(401, "unauthorized");
    }
    let list = clinic.send(get("/api/v1/visits").cookie(&callers[0])).await;
    for visit in &theirs {
        assert!(!list.text.contains(&visit.id.to_string()));
    }
}

#[tokio::test]
async fn the_other_way_round_as_well() {
    let clinic = Clinic::open().await;
    let stranger = clinic.stranger().await;
    for visit in clinic.visits("cedar-street").await {
        clinic
            .send(get(&format!("/api/v1/visits/{}", visit.id)).cookie(&stranger))
            .await
            .problem(404, "not_found");
    }
    let list = clinic.send(get("/api/v1/visits").cookie(&stranger)).await.json();
    assert_eq!(list["visits"].as_array().unwrap().len(), 1);
}
