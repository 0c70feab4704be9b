//! Who is in the demo.

use crate::accounts::DemoPerson;

/// The first one is whom most newcomers sign in as: something waits for her everywhere.
pub(super) const PEOPLE: &[DemoPerson] = &[
    DemoPerson { username: "demo-ada", full_name: "Ada Demo" },
    DemoPerson { username: "demo-ben", full_name: "Ben Demo" },
    DemoPerson { username: "demo-chen", full_name: "Chen Demo" },
    DemoPerson { username: "demo-dana", full_name: "Dana Demo" },
    DemoPerson { username: "demo-emil", full_name: "Emil Demo" },
];
