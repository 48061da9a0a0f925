//! Resume secrets: how a page proves, without a new ticket, that it is the page that held the seat.

use crate::keys::{Keys, Use};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use heliograph_domain::{ParticipantId, SessionId, TenantId, VisitId};

/// The secret of one page life: 43 characters. When the generation of the person's link goes up, it is void.
pub fn resume_secret(
    keys: &Keys,
    institution: &TenantId,
    visit: VisitId,
    seat: ParticipantId,
    generation: u32,
    session: &SessionId,
) -> String {
    URL_SAFE_NO_PAD.encode(keys.sign(
        Use::Resume,
        &parts(institution, &visit, &seat, &generation.to_be_bytes(), session),
    ))
}

/// Whether this is the secret of that page life, in constant time.
pub fn verify_resume(
    keys: &Keys,
    institution: &TenantId,
    visit: VisitId,
    seat: ParticipantId,
    generation: u32,
    session: &SessionId,
    secret: &str,
) -> bool {
    let mac = URL_SAFE_NO_PAD.decode(secret).unwrap_or_default();
    keys.verify(
        Use::Resume,
        &parts(institution, &visit, &seat, &generation.to_be_bytes(), session),
        &mac,
    )
}

fn parts<'a>(
    institution: &'a TenantId,
    visit: &'a VisitId,
    seat: &'a ParticipantId,
    generation: &'a [u8; 4],
    session: &'a SessionId,
) -> [&'a [u8]; 5] {
    [
        institution.as_str().as_bytes(),
        visit.as_bytes(),
        seat.as_bytes(),
        generation,
        session.as_str().as_bytes(),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keys::tests::{keys, secret};
    use heliograph_domain::UnixMillis;

    #[test]
    fn a_secret_fits_one_page_life_only() {
        let cedar: TenantId = "cedar-street".parse().unwrap();
        let harbour: TenantId = "harbour-road".parse().unwrap();
        let visit = |byte| VisitId::from_parts(UnixMillis(1), &[byte; 10]);
        let seat = |byte| ParticipantId::from_parts(UnixMillis(1), &[byte; 10]);
        let session = |text: &str| text.parse::<SessionId>().unwrap();
        let text = resume_secret(&keys(), &cedar, visit(1), seat(1), 3, &session("session-1"));
        let fits = |t: &TenantId, v, s, p: &str, text: &str| verify_resume(&keys(), t, v, s, 3, &session(p), text);

        assert!(fits(&cedar, visit(1), seat(1), "session-1", &text));
        assert!(!fits(&harbour, visit(1), seat(1), "session-1", &text));
        assert!(!fits(&cedar, visit(2), seat(1), "session-1", &text));
        assert!(!fits(&cedar, visit(1), seat(2), "session-1", &text));
        assert!(!fits(&cedar, visit(1), seat(1), "session-2", &text));
        assert!(!verify_resume(
            &keys(),
            &cedar,
            visit(1),
            seat(1),
            4,
            &session("session-1"),
            &text
        ));
        assert!(!fits(&cedar, visit(1), seat(1), "session-1", ""));
        assert!(!fits(&cedar, visit(1), seat(1), "session-1", &text[1..]));

        let rotated = Keys::new(secret(5), vec![secret(1)]);
        assert!(verify_resume(
            &rotated,
            &cedar,
            visit(1),
            seat(1),
            3,
            &session("session-1"),
            &text
        ));
    }
}
