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
        report.figure("rooms apart", count(apart.len()), "at the end");
        apart.iter().take(NAMED_MAX).for_each(|what| report.fail(what.clone()));
        if apart.len() > NAMED_MAX {
            report.fail(format!("{} more rooms of devices are not as the engine lists them", apart.len() - NAMED_MAX));
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

    /// Asks for the rooms of these until each device has what the engine lists; what is apart in the end.
    async fn wait_for_everything(&self, mut devices: Vec<Rc<Device>>) -> anyhow::Result<Vec<String>> {
        let mut begun = None;
        loop {
            let asked = self.accounts.all(devices.clone(), |device| self.apart(device)).await?;
            let begun = begun.get_or_insert_with(Instant::now);
            if asked.iter().all(Vec::is_empty) || begun.elapsed() > ARRIVAL_PATIENCE {
                return Ok(asked.into_iter().flatten().collect());
            }
            let apart = devices.into_iter().zip(asked).filter(|(_, apart)| !apart.is_empty());
            devices = apart.map(|(device, _)| device).collect();
            tokio::time::sleep(ASK_AGAIN_AFTER).await;
        }
    }

    async fn apart(&self, device: Rc<Device>) -> anyhow::Result<Vec<String>> {
        let rooms = self.accounts.pages("/api/v1/rooms", &device.person.token).await?;
        let listed = rooms.iter().map(listed).collect::<anyhow::Result<HashMap<Uuid, u64>>>()?;
        Ok(differences(device.person.id, &listed, &device.places()))
    }
}

/// What sets a device apart from what the engine lists for its owner, each in words.
fn differences(who: Uuid, listed: &HashMap<Uuid, u64>, had: &HashMap<Uuid, u64>) -> Vec<String> {
    let behind = listed.iter().filter_map(|(room, seq)| match had.get(room) {
        Some(has) if has == seq => None,
        Some(has) => Some(format!("room {room}: the device of {who} is at {has}, the engine at {seq}")),
        None => Some(format!("room {room}, at {seq}: the device of {who} was never told to be in it")),
    });
    let left = had.keys().filter(|room| !listed.contains_key(room));
    behind.chain(left.map(|room| format!("room {room}: the device of {who} was not told to be out of it"))).collect()
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
        assert_eq!(differences(Uuid::nil(), &listed, &listed), [""; 0]);
        let had = HashMap::from([room(1, 5), room(2, 6), room(4, 1)]);
        let apart = differences(Uuid::nil(), &listed, &had);
        assert_eq!(apart.len(), 3, "{apart:?}");
        for what in ["is at 6, the engine at 7", "never told to be in", "not told to be out"] {
            assert!(apart.iter().any(|line| line.contains(what)), "{what}: {apart:?}");
        }
    }
}
