//! Institutions, the people whom they know and the services that they offer.

use crate::row::Fields;
use crate::{Store, StoreError};
use heliograph_domain::person::{Institution, Names, Person};
use heliograph_domain::visit::{Buffers, Service};
use heliograph_domain::zone::Zone;
use heliograph_domain::{Language, PersonId, Pii, ResourceId, ServiceId, StaffRole, TenantId, UnixSeconds};
use sqlx::any::AnyRow;

const PUT_INSTITUTION: &str = "INSERT INTO institution (id, name, help_phone, zone, created_s)
    VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING";
const INSTITUTION: &str = "SELECT id, name, help_phone, zone FROM institution WHERE id = $1";
const NEW_RESOURCE: &str = "INSERT INTO resource (version) VALUES (0) RETURNING id";
const PUT_PERSON: &str =
    "INSERT INTO person (institution, id, resource, legal_name, preferred_name, original_script, say,
        language, zone, roles, created_s)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) ON CONFLICT (institution, id) DO NOTHING";
const PERSON: &str = "SELECT id, resource, legal_name, preferred_name, original_script, say, language, zone, roles
    FROM person WHERE institution = $1 AND id = $2";
const PUT_SERVICE: &str = "INSERT INTO service (institution, id, name, duration_s, before_s, after_s, created_s)
    VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT DO NOTHING";
const SERVICES: &str = "SELECT id, name, duration_s, before_s, after_s FROM service WHERE institution = $1 ORDER BY id";

/// A person to be written down.
#[derive(Debug, Clone)]
pub struct NewPerson {
    /// The id; a person who has it already stays as they are.
    pub id: PersonId,
    /// The calendar of the human, if another institution knows them; otherwise they get one.
    pub resource: Option<ResourceId>,
    /// What the person is called.
    pub names: Names,
    /// The language that the person reads.
    pub language: Language,
    /// Where the person is, as a rule.
    pub zone: Zone,
    /// What the person may do in the institution.
    pub roles: Vec<StaffRole>,
}

impl Store {
    /// Writes an institution down; one that is there stays as it is.
    pub async fn put_institution(&self, institution: &Institution, now: UnixSeconds) -> Result<(), StoreError> {
        let mut transaction = self.begin().await?;
        sqlx::query(PUT_INSTITUTION)
            .bind(institution.id.as_str())
            .bind(institution.name.as_str())
            .bind(institution.help_phone.as_deref())
            .bind(institution.zone.name())
            .bind(now.0)
            .execute(&mut *transaction)
            .await?;
        Ok(transaction.commit().await?)
    }

    /// The institution itself.
    pub async fn institution(&self, institution: &TenantId) -> Result<Option<Institution>, StoreError> {
        let row = sqlx::query(INSTITUTION)
            .bind(institution.as_str())
            .fetch_optional(&self.readers)
            .await?;
        row.as_ref().map(read_institution).transpose()
    }

    /// Writes a person down; one who is there stays as they are.
    pub async fn put_person(
        &self,
        institution: &TenantId,
        person: &NewPerson,
        now: UnixSeconds,
    ) -> Result<(), StoreError> {
        let mut transaction = self.begin().await?;
        let resource = if let Some(resource) = person.resource {
            resource.0
        } else {
            let row = sqlx::query(NEW_RESOURCE).fetch_one(&mut *transaction).await?;
            Fields::of(&row, "resource", "id").int("id")?
        };
        let text = |name: &Option<Pii<String>>| name.as_ref().map(|name| name.reveal().clone());
        let roles: Vec<&str> = person.roles.iter().map(|role| role.as_str()).collect();
        let written = sqlx::query(PUT_PERSON)
            .bind(institution.as_str())
            .bind(person.id.to_string())
            .bind(resource)
            .bind(person.names.legal.reveal().as_str())
            .bind(text(&person.names.preferred))
            .bind(text(&person.names.original_script))
            .bind(text(&person.names.say))
            .bind(person.language.as_str())
            .bind(person.zone.name())
            .bind(roles.join(" "))
            .bind(now.0)
            .execute(&mut *transaction)
            .await?;
        // Without a person, the new calendar must go too.
        if written.rows_affected() == 0 {
            transaction.rollback().await?;
        } else {
            transaction.commit().await?;
        }
        Ok(())
    }

    /// A person whom the institution knows.
    pub async fn person(&self, institution: &TenantId, person: PersonId) -> Result<Option<Person>, StoreError> {
        let row = sqlx::query(PERSON)
            .bind(institution.as_str())
            .bind(person.to_string())
            .fetch_optional(&self.readers)
            .await?;
        row.as_ref().map(read_person).transpose()
    }

    /// Writes a service down; one that is there stays as it is.
    pub async fn put_service(
        &self,
        institution: &TenantId,
        service: &Service,
        now: UnixSeconds,
    ) -> Result<(), StoreError> {
        let mut transaction = self.begin().await?;
        sqlx::query(PUT_SERVICE)
            .bind(institution.as_str())
            .bind(service.id.to_string())
            .bind(service.name.as_str())
            .bind(service.duration_s)
            .bind(service.buffers.before_s)
            .bind(service.buffers.after_s)
            .bind(now.0)
            .execute(&mut *transaction)
            .await?;
        Ok(transaction.commit().await?)
    }

    /// All services of the institution.
    pub async fn services(&self, institution: &TenantId) -> Result<Vec<Service>, StoreError> {
        let rows = sqlx::query(SERVICES)
            .bind(institution.as_str())
            .fetch_all(&self.readers)
            .await?;
        rows.iter().map(read_service).collect()
    }
}

fn read_institution(row: &AnyRow) -> Result<Institution, StoreError> {
    let fields = Fields::of(row, "institution", "id");
    Ok(Institution {
        id: fields.parse("id")?,
        name: fields.text("name")?,
        help_phone: fields.maybe_text("help_phone")?,
        zone: fields.parse("zone")?,
    })
}

fn read_person(row: &AnyRow) -> Result<Person, StoreError> {
    let fields = Fields::of(row, "person", "id");
    let maybe = |column| fields.maybe_text(column).map(|name| name.map(Pii::new));
    let roles = fields.text("roles")?;
    Ok(Person {
        id: fields.parse("id")?,
        resource: ResourceId(fields.int("resource")?),
        names: Names {
            legal: Pii::new(fields.text("legal_name")?),
            preferred: maybe("preferred_name")?,
            original_script: maybe("original_script")?,
            say: maybe("say")?,
        },
        language: fields.parse("language")?,
        zone: fields.parse("zone")?,
        roles: roles
            .split_whitespace()
            .map(|role| role.parse().map_err(|why| fields.broken("roles", &why)))
            .collect::<Result<_, _>>()?,
    })
}

fn read_service(row: &AnyRow) -> Result<Service, StoreError> {
    let fields = Fields::of(row, "service", "id");
    Ok(Service {
        id: fields.parse::<ServiceId>("id")?,
        name: fields.text("name")?,
        duration_s: fields.int("duration_s")?,
        buffers: Buffers {
            before_s: fields.int("before_s")?,
            after_s: fields.int("after_s")?,
        },
    })
}
