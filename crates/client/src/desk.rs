//! The desk's socket.

use crate::visitor::{Socket, dial};
use crate::{Api, ApiError, Ended};
use futures::StreamExt;
use heliograph_domain::{UnixMillis, VisitId};
use heliograph_protocol::{CloseCode, DeskState, DeskVisit, ServerFrame, ServerMessage};
use serde_json::json;
use std::{collections::BTreeMap, time::Duration};
use thiserror::Error;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::Message;

/// A desk that looks at the visits of somebody's day.
pub struct Desk {
    /// How the visits stand.
    pub visits: BTreeMap<VisitId, DeskVisit>,
    socket: Socket,
    newest: BTreeMap<VisitId, (UnixMillis, u64)>,
}

/// Why a desk could not be opened.
#[derive(Debug, Error)]
pub enum DeskError {
    /// No ticket was given.
    #[error(transparent)]
    Ticket(#[from] ApiError),
    /// The socket did not get a snapshot.
    #[error(transparent)]
    Socket(#[from] Ended),
}

impl Desk {
    /// Opens the desk of whoever is signed in, and waits for its snapshot.
    pub async fn open(api: &Api) -> Result<Desk, DeskError> {
        Self::open_at(api, api.base()).await
    }

    /// Opens it by another address of the service.
    pub async fn open_at(api: &Api, base: &str) -> Result<Desk, DeskError> {
        let ticket = api.post("/api/v1/desk/ticket", &json!({})).await?;
        let hello = json!({
            "type": "hello", "desk": true, "session": "deskOfSomebody01", "attempt": 1, "ticket": ticket["ticket"]
        });
        let mut desk = Desk {
            visits: BTreeMap::new(),
            socket: dial(base, hello.to_string()).await.map_err(DeskError::Socket)?,
            newest: BTreeMap::new(),
        };
        match desk.next().await? {
            None => Ok(desk),
            Some(_) => Err(DeskError::Socket(Ended::Closed(None))),
        }
    }

    /// The next change; `None` for a snapshot, which replaces everything. What is older than what is known is passed over.
    pub async fn next(&mut self) -> Result<Option<DeskVisit>, Ended> {
        loop {
            let frame = match self.socket.next().await {
                Some(Ok(Message::Text(text))) => ServerFrame::parse(&text)?,
                Some(Ok(Message::Close(frame))) => {
                    return Err(Ended::Closed(
                        frame.and_then(|frame| CloseCode::from_number(frame.code.into())),
                    ));
                }
                Some(Ok(_)) => continue,
                Some(Err(error)) => return Err(error.into()),
                None => return Err(Ended::Closed(None)),
            };
            let place = (frame.header.at.unwrap_or_default(), frame.header.s.unwrap_or_default());
            match frame.message {
                Some(ServerMessage::DeskSnapshot { visits }) => {
                    self.visits = visits.into_iter().map(|row| (row.visit, row)).collect();
                    self.newest.clear();
                    return Ok(None);
                }
                Some(ServerMessage::Desk(row)) if self.newest.get(&row.visit).is_none_or(|newest| place >= *newest) => {
                    self.newest.insert(row.visit, place);
                    self.visits.insert(row.visit, row.clone());
                    return Ok(Some(row));
                }
                Some(_) | None => {}
            }
        }
    }

    /// The states of a visit one after the other, until one that is asked for.
    pub async fn until(
        &mut self,
        within: Duration,
        visit: VisitId,
        wanted: DeskState,
    ) -> Result<Vec<DeskVisit>, Ended> {
        let mut seen = Vec::new();
        let found = timeout(within, async {
            while seen.last().is_none_or(|row: &DeskVisit| row.state != wanted) {
                seen.extend(self.next().await?.filter(|row| row.visit == visit));
            }
            Ok(())
        });
        match found.await {
            Ok(Ok(())) => Ok(seen),
            Ok(Err(ended)) => Err(ended),
            Err(_) => Err(Ended::Silence {
                within,
                last: format!("{:?}", seen.iter().map(|row| row.state).collect::<Vec<_>>()),
            }),
        }
    }

    /// How a visit stands; `None` for one that is not on this desk.
    pub fn state(&self, visit: VisitId) -> Option<DeskState> {
        self.visits.get(&visit).map(|row| row.state)
    }
}
