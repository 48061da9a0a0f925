//! Staff: signing in by a link, sessions, signing out.
//!
//! The cookie of a session is `<institution>.<256 random bits>`, so that it is looked for in one institution only.

use crate::{App, Coded, StoreError};
use heliograph_access::cookie::{CookieHash, CookieValue};
use heliograph_access::staff_link;
use heliograph_domain::zone::Zone;
use heliograph_domain::{Language, PersonId, Pii, StaffRole, TenantId, UnixMillis};
use heliograph_store::{AuditRow, StaffSession};
use serde::{Deserialize, Serialize};
use std::fmt;
use thiserror::Error;
use utoipa::ToSchema;

/// A session ends this long after its beginning, in seconds, whatever its person does.
pub const SESSION_S: i64 = 12 * 3_600;
/// It is noted at most this often, in seconds, that a person is still there.
const SEEN_EVERY_S: i64 = 60;

/// A member of staff who has signed in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = Session)]
pub struct Caller {
    pub institution: TenantId,
    pub institution_name: String,
    pub person: PersonId,
    #[schema(value_type = String)]
    pub name: Pii<String>,
    pub roles: Vec<StaffRole>,
    pub zone: Zone,
    pub language: Language,
}

impl Caller {
    pub(crate) fn is_any(&self, roles: &[StaffRole]) -> bool {
        self.roles.iter().any(|role| roles.contains(role))
    }

    pub(crate) fn actor(&self) -> String {
        format!("person:{}", self.person)
    }
}

/// A new session.
pub struct SignedIn {
    /// For the `Set-Cookie` header and nothing else.
    pub cookie: String,
    pub caller: Caller,
}

impl fmt::Debug for SignedIn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SignedIn([hidden], {})", self.caller.person)
    }
}

#[derive(Debug, Error)]
pub enum SignInError {
    #[error("the sign-in link is not valid any more; ask for a new one")]
    Unauthorized,
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Coded for SignInError {
    fn code(&self) -> &'static str {
        match self {
            SignInError::Unauthorized => "unauthorized",
            SignInError::Store(error) => error.code(),
        }
    }
}

/// Redeems a sign-in link.
pub async fn sign_in(app: &App, token: &str) -> Result<SignedIn, SignInError> {
    let now = app.now();
    let link = staff_link::verify(&app.keys, token, now.seconds()).map_err(|_| SignInError::Unauthorized)?;
    let caller = load(app, &link.institution, link.person)
        .await?
        .ok_or(SignInError::Unauthorized)?;
    let cookie = format!(
        "{}.{}",
        link.institution,
        CookieValue::generate(app.entropy.as_ref()).reveal()
    );
    let session = StaffSession {
        hash: CookieHash::of(&cookie).as_str().to_owned(),
        person: caller.person,
        last_seen: now.seconds(),
        expires: now.seconds().plus(SESSION_S),
    };
    app.store
        .begin_session(&caller.institution, &session, &audit(caller.person, "signed_in", now))
        .await?;
    Ok(SignedIn { cookie, caller })
}

/// Who has the session with this cookie.
pub async fn session(app: &App, cookie: &str) -> Result<Option<Caller>, StoreError> {
    let Some(institution) = institution_of(cookie) else {
        return Ok(None);
    };
    let now = app.now_s();
    let Some(session) = app
        .store
        .session(&institution, CookieHash::of(cookie).as_str(), now)
        .await?
    else {
        return Ok(None);
    };
    if session.last_seen.plus(SEEN_EVERY_S) <= now {
        app.store.touch_session(&institution, &session.hash, now).await?;
    }
    load(app, &institution, session.person).await
}

/// Ends the session with this cookie, if there is one.
pub async fn sign_out(app: &App, cookie: &str) -> Result<(), StoreError> {
    let Some(institution) = institution_of(cookie) else {
        return Ok(());
    };
    let (hash, now) = (CookieHash::of(cookie), app.now());
    if let Some(session) = app.store.session(&institution, hash.as_str(), now.seconds()).await? {
        app.store
            .end_session(&institution, hash.as_str(), &audit(session.person, "signed_out", now))
            .await?;
        app.watch.session_ended(&institution, hash.as_str());
    }
    Ok(())
}

/// A person of the institution, as long as they work there.
pub(crate) async fn load(app: &App, institution: &TenantId, person: PersonId) -> Result<Option<Caller>, StoreError> {
    let person = app
        .store
        .person(institution, person)
        .await?
        .filter(|person| !person.roles.is_empty());
    let (Some(person), Some(institution)) = (person, app.store.institution(institution).await?) else {
        return Ok(None);
    };
    Ok(Some(Caller {
        institution: institution.id,
        institution_name: institution.name,
        person: person.id,
        name: person.names.shown().clone(),
        roles: person.roles,
        zone: person.zone,
        language: person.language,
    }))
}

fn institution_of(cookie: &str) -> Option<TenantId> {
    cookie.split_once('.')?.0.parse().ok()
}

fn audit(person: PersonId, action: &str, at: UnixMillis) -> AuditRow {
    AuditRow {
        at,
        actor: format!("person:{person}"),
        action: action.to_owned(),
        visit: None,
        subject: None,
    }
}
