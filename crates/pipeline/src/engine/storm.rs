//! How many pipelines of an application triggers may start in a minute. What people and stages start is not counted.

use store::{StoreError, Tx, params};

/// How many, when the configuration does not say.
pub const STARTS_PER_MINUTE: u32 = 1000;

/// Whether one more may start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Room {
    /// It may.
    Free,
    /// This is the first one of the minute that may not.
    JustFull,
    /// Nor may this one.
    Full,
}

/// Counts one more start of an application.
pub(super) fn enter(tx: &mut Tx, application: &str, most: u32) -> Result<Room, StoreError> {
    let minute = tx.now().as_second().div_euclid(60);
    let sql = "insert into trigger_rate (application, minute, started) values (?1, ?2, 1)
         on conflict (application) do update set minute = excluded.minute,
             started = case when trigger_rate.minute = excluded.minute then trigger_rate.started + 1 else 1 end
         returning started";
    let started = tx.query_opt(sql, params![application, minute])?.map_or(Ok(1), |row| row.int(0))?;
    Ok(match started - i64::from(most) {
        ..=0 => Room::Free,
        1 => Room::JustFull,
        _ => Room::Full,
    })
}
