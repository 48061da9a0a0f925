//! Visit links: looking before redeeming, redeeming, and the devices that they are bound to.

use crate::view::{ViewerTime, viewer_time};
use crate::{App, Coded, StoreError};
use heliograph_access::cookie::{CookieHash, CookieValue};
use heliograph_access::link::{self, LinkScope, Token};
use heliograph_domain::person::Institution;
use heliograph_domain::visit::{Participant, Visit, VisitStatus};
use heliograph_domain::zone::Zone;
use heliograph_domain::{Language, ParticipantId, Pii, Role, TenantId, UnixMillis, UnixSeconds, VisitId};
use heliograph_store::{AuditRow, Binding, BoundDevice};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt;
use thiserror::Error;
use utoipa::ToSchema;

/// One may wait this long before the start, in seconds.
pub const WAITING_OPENS_S: i64 = 30 * 60;
/// Links and seats are good this long after the end, in seconds.
pub const GOOD_AFTER_END_S: i64 = 60 * 60;
/// A device that is bound may come back this long after the end, in seconds: whether the visit still goes on, its room knows.
pub const OVERRUN_S: i64 = 24 * 60 * 60;

/// The device cookies of a request, by the participant in their name (`__Host-hg_<participant>`). Nothing is known about
/// them yet.
pub type DeviceCookies = BTreeMap<ParticipantId, String>;

/// What a link tells before it is redeemed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "bound", rename_all = "snake_case")]
pub enum Peek {
    /// Nobody has redeemed it.
    No(PeekedVisit),
    /// This device has redeemed it.
    Here(PeekedVisit),
    /// Another device has redeemed it, so this one learns nothing.
    Elsewhere {},
}

/// When and where a link leads to. It names nobody.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PeekedVisit {
    pub institution_name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub help_phone: Option<String>,
    pub start_s: UnixSeconds,
    pub end_s: UnixSeconds,
    pub now_ms: UnixMillis,
    /// From when on one may wait.
    pub opens_ms: UnixMillis,
    /// In the zone of whose link it is.
    pub local: ViewerTime,
    /// In the zone of the institution.
    pub clinic: ViewerTime,
    pub status: VisitStatus,
}

/// Whom a redeemed link is for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RedeemedLink {
    pub visit: VisitId,
    pub participant: ParticipantId,
    #[schema(value_type = String)]
    pub name: Pii<String>,
    pub role: Role,
    pub language: Language,
    pub zone: Zone,
}

/// A redeemed link, and the cookie for the device if it is new.
#[derive(Debug)]
pub struct Redeemed {
    pub link: RedeemedLink,
    pub cookie: Option<CookieValue>,
}

#[derive(Debug, Error)]
pub enum LinkError {
    /// Unknown, malformed, outdated or over: which of these is not told.
    #[error("this link is not known")]
    Unknown,
    #[error("this link was opened on another device")]
    OtherDevice,
    #[error("this visit was called off")]
    Cancelled,
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Coded for LinkError {
    fn code(&self) -> &'static str {
        match self {
            LinkError::Unknown => "link_unknown",
            LinkError::OtherDevice => "other_device",
            LinkError::Cancelled => "visit_cancelled",
            LinkError::Store(error) => error.code(),
        }
    }
}

/// Tells when and where a link leads to. Changes nothing.
pub async fn peek(app: &App, token: &str, cookies: &DeviceCookies) -> Result<Peek, LinkError> {
    let found = find(app, token).await?.ok_or(LinkError::Unknown)?;
    Ok(match found.bound(cookies) {
        Bound::No => Peek::No(found.peeked(app)),
        Bound::Here => Peek::Here(found.peeked(app)),
        Bound::Elsewhere => Peek::Elsewhere {},
    })
}

/// Binds a link to the device that redeems it first. That device may repeat it.
pub async fn redeem(app: &App, token: &str, cookies: &DeviceCookies) -> Result<Redeemed, LinkError> {
    let found = find(app, token).await?.ok_or(LinkError::Unknown)?;
    let cookie = match found.bound(cookies) {
        Bound::Here => None,
        Bound::Elsewhere => return Err(LinkError::OtherDevice),
        Bound::No if found.visit.status == VisitStatus::Cancelled => return Err(LinkError::Cancelled),
        Bound::No => Some(found.bind(app).await?.ok_or(LinkError::OtherDevice)?),
    };
    Ok(Redeemed {
        link: found.redeemed(),
        cookie,
    })
}

/// Who came by a link on a device that it is bound to.
pub struct Guest {
    pub institution: TenantId,
    pub visit: Visit,
    pub participant: Participant,
}

impl fmt::Debug for Guest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "Guest({}, {}, {})",
            self.institution, self.visit.id, self.participant.id
        )
    }
}

/// Who may come to a visit with these cookies; in the name of the participant, if one is named.
pub(crate) async fn guest(
    app: &App,
    cookies: &DeviceCookies,
    visit: VisitId,
    participant: Option<ParticipantId>,
) -> Result<Option<Guest>, StoreError> {
    for (named, cookie) in cookies {
        if participant.is_some_and(|participant| participant != *named) {
            continue;
        }
        if let Some(guest) = device(app, *named, cookie).await?
            && guest.visit.id == visit
        {
            return Ok(Some(guest));
        }
    }
    Ok(None)
}

/// Whose device a cookie belongs to, while the link that it redeemed is good or leads to the news that the visit was called
/// off.
pub async fn device(app: &App, participant: ParticipantId, cookie: &str) -> Result<Option<Guest>, StoreError> {
    let Some(institution) = app.store.link_home(participant).await? else {
        return Ok(None);
    };
    let (Some(device), Some(visit)) = (
        app.store.device(&institution, participant).await?,
        app.store.visit_of(&institution, participant).await?,
    ) else {
        return Ok(None);
    };
    let participant = visit.participants.iter().find(|one| one.id == participant).cloned();
    Ok(participant
        .filter(|one| {
            device.generation == in_hand(&visit, one)
                && CookieHash::of(cookie).matches(&device.hash)
                && app.now() < overrun_until(&visit)
        })
        .map(|participant| Guest {
            institution,
            visit,
            participant,
        }))
}

/// Until when links and seats of a visit are good.
pub(crate) fn good_until(visit: &Visit) -> UnixMillis {
    visit.span.end.plus(GOOD_AFTER_END_S).millis()
}

/// Until when a visit may run over.
pub(crate) fn overrun_until(visit: &Visit) -> UnixMillis {
    visit.span.end.plus(OVERRUN_S).millis()
}

/// From when on one may wait for a visit.
pub(crate) fn opens(visit: &Visit) -> UnixMillis {
    visit.span.start.plus(-WAITING_OPENS_S).millis()
}

/// The generation of the link that a person has in hand. Calling a visit off makes all its links void: those that were good
/// until then lead to that news, and nowhere else.
pub(crate) fn in_hand(visit: &Visit, one: &Participant) -> u32 {
    match visit.status {
        VisitStatus::Booked => one.link_generation,
        VisitStatus::Cancelled => one.link_generation.saturating_sub(1),
    }
}

fn is_good(visit: &Visit, now: UnixMillis) -> bool {
    now < good_until(visit)
}

struct Found {
    institution: Institution,
    visit: Visit,
    participant: Participant,
    device: Option<BoundDevice>,
}

enum Bound {
    No,
    Here,
    Elsewhere,
}

/// The link that a token belongs to. Whatever the token is, the same questions are asked and one signature is computed,
/// so that neither the answer nor its time tells a wrong token from an outdated one.
async fn find(app: &App, token: &str) -> Result<Option<Found>, StoreError> {
    let token = link::parse(token).unwrap_or_else(Token::nobody);
    let home = app.store.link_home(token.participant).await?;
    let tenant = home.unwrap_or_else(|| "nowhere".parse().expect("a valid id that no token leads to"));
    let institution = app.store.institution(&tenant).await?;
    let visit = app.store.visit_of(&tenant, token.participant).await?;
    let device = app.store.device(&tenant, token.participant).await?;
    let participant = visit
        .as_ref()
        .and_then(|visit| visit.participants.iter().find(|one| one.id == token.participant))
        .cloned();
    let genuine = token.verify(
        &app.keys,
        &LinkScope {
            institution: &tenant,
            visit: visit.as_ref().map_or(VisitId::from_bytes([0; 16]), |visit| visit.id),
            participant: token.participant,
            generation: visit
                .as_ref()
                .zip(participant.as_ref())
                .map_or(0, |(visit, one)| in_hand(visit, one)),
        },
    );
    Ok(match (institution, visit, participant) {
        (Some(institution), Some(visit), Some(participant)) if genuine && is_good(&visit, app.now()) => Some(Found {
            institution,
            visit,
            participant,
            device,
        }),
        _ => None,
    })
}

impl Found {
    /// A device that redeemed an older generation of the link counts no more.
    fn bound(&self, cookies: &DeviceCookies) -> Bound {
        match &self.device {
            Some(device) if device.generation == in_hand(&self.visit, &self.participant) => {
                let here = cookies
                    .get(&self.participant.id)
                    .is_some_and(|value| CookieHash::of(value).matches(&device.hash));
                if here { Bound::Here } else { Bound::Elsewhere }
            }
            Some(_) | None => Bound::No,
        }
    }

    fn peeked(&self, app: &App) -> PeekedVisit {
        PeekedVisit {
            institution_name: self.institution.name.clone(),
            help_phone: self.institution.help_phone.clone(),
            start_s: self.visit.span.start,
            end_s: self.visit.span.end,
            now_ms: app.now(),
            opens_ms: opens(&self.visit),
            local: viewer_time(&app.tzdb, &self.participant.zone, self.visit.span),
            clinic: viewer_time(&app.tzdb, &self.institution.zone, self.visit.span),
            status: self.visit.status,
        }
    }

    fn redeemed(&self) -> RedeemedLink {
        RedeemedLink {
            visit: self.visit.id,
            participant: self.participant.id,
            name: self.participant.name.clone(),
            role: self.participant.role,
            language: self.participant.language.clone(),
            zone: self.participant.zone.clone(),
        }
    }

    /// The cookie of a device that was bound; `None` if another device was first.
    async fn bind(&self, app: &App) -> Result<Option<CookieValue>, StoreError> {
        let cookie = CookieValue::generate(app.entropy.as_ref());
        let binding = Binding {
            participant: self.participant.id,
            device: BoundDevice {
                generation: self.participant.link_generation,
                hash: cookie.hash().as_str().to_owned(),
            },
            now: app.now_s(),
            audit: AuditRow {
                at: app.now(),
                actor: format!("participant:{}", self.participant.id),
                action: "link_redeemed".to_owned(),
                visit: Some(self.visit.id),
                subject: None,
            },
        };
        Ok(app
            .store
            .bind_device(&self.institution.id, &binding)
            .await?
            .then_some(cookie))
    }
}
