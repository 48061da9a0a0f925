//! Two institutions with people, and an app over them.

use heliograph_access::staff_link::{self, StaffLink};
use heliograph_access::{Keys, Secret};
use heliograph_app::booking::{BookError, BookParticipant, BookStart, BookVisit, Booked, book};
use heliograph_app::links::{self, DeviceCookies};
use heliograph_app::{App, Caller, Watch, staff};
use heliograph_domain::clock::{Clock, Entropy};
use heliograph_domain::person::{Institution, Names};
use heliograph_domain::visit::{Buffers, Service};
use heliograph_domain::zone::{Tzdb, Zone};
use heliograph_domain::{PersonId, ServiceId, StaffRole, TenantId, UnixMillis, UnixSeconds, VisitId};
use heliograph_store::{NewPerson, Store, file_url};
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use tempfile::TempDir;

/// 2026-12-01T16:00:00Z: 08:00 in Los Angeles, 17:00 in Zurich, 19:00 in Riyadh, midnight in Manila.
pub const START: UnixSeconds = UnixSeconds(1_796_140_800);
/// A day before.
pub const NOW: UnixSeconds = UnixSeconds(START.0 - 86_400);

pub struct SetClock(AtomicI64);

impl SetClock {
    pub fn set(&self, now: UnixSeconds) {
        self.0.store(now.0 * 1000, Ordering::SeqCst);
    }
}

impl Clock for SetClock {
    fn now(&self) -> UnixMillis {
        UnixMillis(self.0.load(Ordering::SeqCst))
    }
}

/// The same bytes in every run, and never twice in one.
struct SeededEntropy(AtomicU64);

impl Entropy for SeededEntropy {
    fn fill(&self, buffer: &mut [u8]) {
        for chunk in buffer.chunks_mut(8) {
            // SplitMix64, whose outputs are all different.
            let mut z = self.0.fetch_add(0x9e37_79b9_7f4a_7c15, Ordering::SeqCst);
            z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            chunk.copy_from_slice(&(z ^ (z >> 31)).to_be_bytes()[..chunk.len()]);
        }
    }
}

/// What was told of changes, by institution and visit or session.
#[derive(Default)]
pub struct Heard(Mutex<Vec<String>>);

impl Heard {
    pub fn take(&self) -> Vec<String> {
        std::mem::take(&mut *self.0.lock().unwrap())
    }
}

impl Watch for Heard {
    fn visit_changed(&self, institution: &TenantId, visit: VisitId) {
        self.0.lock().unwrap().push(format!("{institution} {visit}"));
    }

    fn session_ended(&self, institution: &TenantId, session: &str) {
        self.0.lock().unwrap().push(format!("{institution} {session}"));
    }
}

pub const OKAFOR: u8 = 1;
pub const HADDAD: u8 = 2;
pub const AL_HARBI: u8 = 3;
pub const SANTOS: u8 = 4;
pub const RUIZ: u8 = 5;
/// Works for the other institution.
pub const KELLER: u8 = 6;

pub struct Clinic {
    pub app: App,
    pub heard: Arc<Heard>,
    pub store: Store,
    pub clock: Arc<SetClock>,
    pub cedar: TenantId,
    pub harbour: TenantId,
    _folder: TempDir,
}

pub fn keys() -> Keys {
    Keys::new(Secret::new(vec![7; 32]).unwrap(), Vec::new())
}

pub fn zone(name: &str) -> Zone {
    Zone::parse(name).unwrap()
}

pub fn person(number: u8) -> PersonId {
    PersonId::from_parts(UnixMillis(0), &[number; 10])
}

pub fn service() -> ServiceId {
    ServiceId::from_parts(UnixMillis(0), &[1; 10])
}

impl Clinic {
    /// Nothing is there yet.
    pub async fn empty() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&file_url(&folder.path().join("heliograph.db")))
            .await
            .unwrap();
        store.migrate().await.unwrap();
        let clock = Arc::new(SetClock(AtomicI64::new(NOW.0 * 1000)));
        let entropy = Arc::new(SeededEntropy(AtomicU64::new(1)));
        let heard = Arc::new(Heard::default());
        let app = App::new(store.clone(), keys(), Tzdb::bundled(), clock.clone(), entropy);
        Self {
            app: app.watched_by(heard.clone()),
            heard,
            store,
            clock,
            cedar: "cedar-street".parse().unwrap(),
            harbour: "harbour-road".parse().unwrap(),
            _folder: folder,
        }
    }

    pub async fn open() -> Self {
        let clinic = Self::empty().await;
        for (tenant, name, home) in [
            (&clinic.cedar, "Cedar Street Clinic", "America/Los_Angeles"),
            (&clinic.harbour, "Harbour Road Hospital", "Europe/Zurich"),
        ] {
            let institution = Institution {
                id: tenant.clone(),
                name: name.to_owned(),
                help_phone: Some("+1 323 555 0142".to_owned()),
                zone: zone(home),
            };
            clinic.store.put_institution(&institution, NOW).await.unwrap();
        }
        let follow_up = Service {
            id: service(),
            name: "Follow-up".to_owned(),
            duration_s: 1_800,
            buffers: Buffers {
                before_s: 0,
                after_s: 600,
            },
        };
        clinic.store.put_service(&clinic.cedar, &follow_up, NOW).await.unwrap();
        for (tenant, number, name, home, language, roles) in [
            (
                &clinic.cedar,
                OKAFOR,
                "Dr Amara Okafor",
                "America/Los_Angeles",
                "en",
                vec![StaffRole::Physician],
            ),
            (
                &clinic.cedar,
                HADDAD,
                "Noor Haddad",
                "America/Los_Angeles",
                "en",
                vec![StaffRole::Scheduler],
            ),
            (&clinic.cedar, AL_HARBI, "Maryam Al-Harbi", "Asia/Riyadh", "ar", vec![]),
            (&clinic.cedar, SANTOS, "Jun Santos", "Asia/Manila", "en", vec![]),
            (
                &clinic.cedar,
                RUIZ,
                "Sofía Ruiz",
                "Europe/Zurich",
                "en",
                vec![StaffRole::Interpreter],
            ),
            (
                &clinic.harbour,
                KELLER,
                "Urs Keller",
                "Europe/Zurich",
                "de",
                vec![StaffRole::Administrator],
            ),
        ] {
            let person = NewPerson {
                id: person(number),
                resource: None,
                names: Names::legal(name),
                language: language.parse().unwrap(),
                zone: zone(home),
                roles,
            };
            clinic.store.put_person(tenant, &person, NOW).await.unwrap();
        }
        clinic
    }

    pub fn sign_in_token(&self, number: u8, expires_s: UnixSeconds) -> String {
        let institution = if number == KELLER { &self.harbour } else { &self.cedar }.clone();
        staff_link::mint(
            &keys(),
            &StaffLink {
                institution,
                person: person(number),
                expires_s,
            },
        )
    }

    pub async fn caller(&self, number: u8) -> Caller {
        let token = self.sign_in_token(number, UnixSeconds(i64::MAX));
        staff::sign_in(&self.app, &token).await.unwrap().caller
    }

    /// The scheduler books; the key and the hash of the body follow from the request.
    pub async fn book(&self, request: &BookVisit) -> Result<Booked, BookError> {
        let caller = self.caller(HADDAD).await;
        let key = format!("{request:?}");
        book(&self.app, &caller, request, &key, &key).await
    }

    /// The visit of the story: Maryam Al-Harbi with Dr Okafor, for half an hour.
    pub async fn booked(&self) -> Booked {
        self.book(&visit("2026-12-01T08:00", &[(OKAFOR, "host"), (AL_HARBI, "patient")]))
            .await
            .unwrap()
    }
}

/// A wish in the clinic's zone.
pub fn visit(wall: &str, people: &[(u8, &str)]) -> BookVisit {
    BookVisit {
        service: None,
        start: BookStart {
            wall: wall.to_owned(),
            zone: "America/Los_Angeles".to_owned(),
            choose: None,
        },
        duration_min: 30,
        participants: people
            .iter()
            .map(|(number, role)| BookParticipant {
                person: person(*number).to_string(),
                role: (*role).to_owned(),
                zone: None,
            })
            .collect(),
    }
}

/// Redeems a link on a new device, and gives its cookies.
pub async fn device(clinic: &Clinic, token: &str) -> DeviceCookies {
    let redeemed = links::redeem(&clinic.app, token, &no_cookies()).await.unwrap();
    DeviceCookies::from([(redeemed.link.participant, redeemed.cookie.unwrap().reveal().to_owned())])
}

pub fn no_cookies() -> DeviceCookies {
    DeviceCookies::new()
}
