//! What the booking side tells a room, and what it means for those who sit there.

use super::Host;
use heliograph_domain::{ParticipantId, entry::Audience};
use heliograph_protocol::{CloseCode, SeatState};
use heliograph_room::Notice;
use heliograph_roomlog::{AppendAnswer, Away};

impl Host {
    /// Appends a row of the outbox. It is done when the log has it; asking again changes nothing.
    pub(super) async fn notice(&mut self, name: String, notice: &Notice) -> Result<(), Away> {
        self.load().await?;
        let plain = serde_json::to_vec(notice).expect("texts and numbers are always JSON");
        let draft = self.sealed(None, None, format!("o:{name}"), 1, Audience::All, "notice", &plain);
        match self.append(draft).await? {
            AppendAnswer::Ok { .. } | AppendAnswer::Dup { .. } => {}
            AppendAnswer::Gap { .. } | AppendAnswer::Unclaimed | AppendAnswer::Rewound => {
                return Err(Away("the log is being repaired".to_owned()));
            }
        }
        self.ask_rights_again().await;
        Ok(())
    }

    /// Asks the store about everybody who sits here; who waits and may no longer is shown out. Who was admitted stays: a
    /// visit that runs is never cut by its booking.
    async fn ask_rights_again(&mut self) {
        let seats: Vec<_> = self.connections.keys().copied().collect();
        for seat in seats {
            self.ask_rights(seat).await;
        }
    }

    pub(super) async fn ask_rights(&mut self, seat: ParticipantId) {
        let rights = self
            .shared
            .ports
            .rights
            .seat(&self.key.institution, self.key.visit, seat)
            .await;
        let Ok(rights) = rights else { return };
        let Some(connection) = self.connections.get_mut(&seat) else {
            return;
        };
        connection.unasked = false;
        let generation = connection.generation;
        let out = match rights {
            // A link that staff made void holds nobody's place, a visit that runs or not.
            Some(rights) => rights.generation != generation || self.is_late(rights.until),
            None => !self.room.is_occupied() || self.room.state(seat) != Some(SeatState::Admitted),
        };
        if out {
            self.show_out_of(seat, CloseCode::Expired);
        }
    }
}
