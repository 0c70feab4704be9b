//! In the end: is every device there, and has it everything that its rooms hold?

use std::collections::HashMap;
use std::rc::Rc;
use std::time::{Duration, Instant};

use anyhow::Context;
use serde_json::Value;
use uuid::Uuid;

use super::crew::Crew;
use crate::client::Device;
use crate::report::Report;

/// A device that lost its connection at the end gets this long to come back: as long as it tries.
const RETURN_PATIENCE: Duration = Duration::from_secs(60);
/// What is on its way gets this long to arrive, from when everybody was asked once.
const ARRIVAL_PATIENCE: Duration = Duration::from_secs(20);
const ASK_AGAIN_AFTER: Duration = Duration::from_millis(200);
/// Rooms that are named; the others are counted.
const NAMED_MAX: usize = 10;

/// What sets a device apart from what the engine lists for its owner.
#[derive(Debug, Default, PartialEq, Eq)]
struct Apart {
    /// Each in words.
    behind: Vec<String>,
    /// Rooms that they are in no more and that the device still has. A device that reads up when it is removed is told
    /// nothing about it until it comes back.
    stale: usize,
}

impl Crew {
    /// Waits until everybody is back and has everything, within bounds, and reports who is not, or has not.
    pub async fn compare(&self, report: &mut Report) -> anyhow::Result<()> {
        let missing = self.wait_for_all().await;
        report.figure("devices missing", count(missing), "at the end");
        if missing > 0 {
            report.fail(format!("{missing} of {} devices did not come back", self.devices.len()));
        }
        let present = self.devices.iter().filter(|device| device.is_connected()).cloned().collect();
        let apart = self.wait_for_everything(present).await?;
        let behind: Vec<&String> = apart.iter().flat_map(|apart| &apart.behind).collect();
        report.figure("rooms behind", count(behind.len()), "at the end");
        report.figure("rooms left unheard", count(apart.iter().map(|apart| apart.stale).sum()), "at the end");
        behind.iter().take(NAMED_MAX).for_each(|what| report.fail((*what).clone()));
        if behind.len() > NAMED_MAX {
            report.fail(format!("{} more rooms of devices are behind", behind.len() - NAMED_MAX));
        }
        Ok(())
    }

    async fn wait_for_all(&self) -> usize {
        let begun = Instant::now();
        loop {
            let missing = self.devices.iter().filter(|device| !device.is_connected()).count();
            if missing == 0 || begun.elapsed() > RETURN_PATIENCE {
                return missing;
            }
            tokio::time::sleep(ASK_AGAIN_AFTER).await;
        }
    }

    /// Asks for the rooms of these until each device is where the engine is; what is apart in the end.
    async fn wait_for_everything(&self, mut devices: Vec<Rc<Device>>) -> anyhow::Result<Vec<Apart>> {
        let mut begun = None;
        // What is stale stays so; a room is listed, too, a moment before it is left.
        let mut even = Vec::new();
        loop {
            let asked = self.accounts.all(devices.clone(), |device| self.apart(device)).await?;
            let (behind, rest): (Vec<_>, Vec<_>) =
                devices.into_iter().zip(asked).partition(|(_, apart)| !apart.behind.is_empty());
            even.extend(rest.into_iter().map(|(_, apart)| apart));
            let begun = begun.get_or_insert_with(Instant::now);
            if behind.is_empty() || begun.elapsed() > ARRIVAL_PATIENCE {
                even.extend(behind.into_iter().map(|(_, apart)| apart));
                return Ok(even);
            }
            devices = behind.into_iter().map(|(device, _)| device).collect();
            tokio::time::sleep(ASK_AGAIN_AFTER).await;
        }
    }

    async fn apart(&self, device: Rc<Device>) -> anyhow::Result<Apart> {
        let rooms = self.accounts.pages("/api/v1/rooms", &device.person.token).await?;
        let listed = rooms.iter().map(listed).collect::<anyhow::Result<HashMap<Uuid, u64>>>()?;
        Ok(Apart::between(device.person.id, &listed, &device.places()))
    }
}

impl Apart {
    fn between(who: Uuid, listed: &HashMap<Uuid, u64>, had: &HashMap<Uuid, u64>) -> Self {
        let behind = listed.iter().filter_map(|(room, seq)| match had.get(room) {
            Some(has) if has == seq => None,
            Some(has) => Some(format!("room {room}: the device of {who} is at {has}, the engine at {seq}")),
            None => Some(format!("room {room}, at {seq}: the device of {who} was never told to be in it")),
        });
        let stale = had.keys().filter(|room| !listed.contains_key(room)).count();
        Self { behind: behind.collect(), stale }
    }
}

fn listed(room: &Value) -> anyhow::Result<(Uuid, u64)> {
    let id = room.get("id").and_then(Value::as_str).context("a room's id")?;
    let last_seq = room.get("last_seq").and_then(Value::as_u64).context("a room's last_seq")?;
    Ok((Uuid::parse_str(id)?, last_seq))
}

fn count(of: usize) -> f64 {
    f64::from(u32::try_from(of).unwrap_or(u32::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_device_lacks_is_named() {
        let room = |number: u128, seq: u64| (Uuid::from_u128(number), seq);
        let listed = HashMap::from([room(1, 5), room(2, 7), room(3, 9)]);
        let same = Apart::between(Uuid::nil(), &listed, &listed);
        assert_eq!(same, Apart::default());
        let had = HashMap::from([room(1, 5), room(2, 6), room(4, 1)]);
        let apart = Apart::between(Uuid::nil(), &listed, &had);
        assert_eq!((apart.behind.len(), apart.stale), (2, 1));
        assert!(apart.behind.iter().any(|what| what.contains("is at 6, the engine at 7")), "{apart:?}");
        assert!(apart.behind.iter().any(|what| what.contains("never told")), "{apart:?}");
    }
}
