//! Which device a participant's link is bound to.

use crate::row::Fields;
use crate::{AuditRow, Store, StoreError, audit};
use heliograph_domain::{ParticipantId, TenantId, UnixSeconds};

/// The first device wins; a newer generation of the link starts anew.
const BIND: &str = "INSERT INTO device (institution, participant, generation, device_hash, bound_at_s)
    VALUES ($1, $2, $3, $4, $5)
    ON CONFLICT (institution, participant) DO UPDATE
    SET generation = excluded.generation, device_hash = excluded.device_hash, bound_at_s = excluded.bound_at_s
    WHERE device.generation < excluded.generation";
const SELECT: &str =
    "SELECT participant, generation, device_hash FROM device WHERE institution = $1 AND participant = $2";

/// A device that redeemed a link.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BoundDevice {
    /// The generation of the link.
    pub generation: u32,
    /// The hash of the device's cookie.
    pub hash: String,
}

/// A device that wants to be bound.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Binding {
    /// Whose link it redeems.
    pub participant: ParticipantId,
    /// What it would be bound as.
    pub device: BoundDevice,
    /// When.
    pub now: UnixSeconds,
    /// What the audit says if it is bound.
    pub audit: AuditRow,
}

impl Store {
    /// The device that a participant's link is bound to.
    pub async fn device(
        &self,
        institution: &TenantId,
        participant: ParticipantId,
    ) -> Result<Option<BoundDevice>, StoreError> {
        let row = sqlx::query(SELECT)
            .bind(institution.as_str())
            .bind(participant.to_string())
            .fetch_optional(&self.readers)
            .await?;
        row.map(|row| {
            let fields = Fields::of(&row, "device", "participant");
            Ok(BoundDevice {
                generation: fields.number("generation")?,
                hash: fields.text("device_hash")?,
            })
        })
        .transpose()
    }

    /// Binds a device unless another one was first; whether it was bound.
    pub async fn bind_device(&self, institution: &TenantId, binding: &Binding) -> Result<bool, StoreError> {
        let mut transaction = self.begin().await?;
        let bound = sqlx::query(BIND)
            .bind(institution.as_str())
            .bind(binding.participant.to_string())
            .bind(i64::from(binding.device.generation))
            .bind(binding.device.hash.as_str())
            .bind(binding.now.0)
            .execute(&mut *transaction)
            .await?;
        if bound.rows_affected() == 0 {
            transaction.rollback().await?;
            return Ok(false);
        }
        audit::put(&mut transaction, institution, &binding.audit).await?;
        transaction.commit().await?;
        Ok(true)
    }
}
