//! When an instance counts as up or as down, and how many of a group must be.
//!
//! Pure rules over the health that providers report. Checking health is the provider's and the data plane's work.

use serde::{Deserialize, Serialize};

/// What one source says of an instance.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum HealthState {
    /// Ended with an error.
    Failed,
    /// Checked and not well.
    Down,
    /// Well perhaps, but taken out of traffic.
    OutOfService,
    /// Nothing known.
    Unknown,
    /// On its way.
    Starting,
    /// Ended well.
    Succeeded,
    /// Checked and well.
    Up,
    /// Finishes what it has and gets nothing new.
    Draining,
}

/// One source's word on an instance.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Health {
    /// The source, as in `interestingHealthProviderNames`: `LoadBalancer`, or the provider's own (`Local`, `Google` …).
    #[serde(rename = "type")]
    pub kind: String,
    /// Whether the source is the platform itself, which knows the machine but perhaps not the program.
    pub platform: bool,
    /// What it says.
    pub state: HealthState,
    /// Why, in one sentence.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// The load balancer that asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub load_balancer: Option<String>,
}

/// Keeps the sources that are asked for; `None` asks for all.
fn interesting<'a>(all: &'a [Health], names: Option<&[String]>) -> Vec<&'a Health> {
    all.iter().filter(|health| names.is_none_or(|names| names.contains(&health.kind))).collect()
}

/// Whether an instance counts as up. An empty list of names accepts at once.
pub fn is_up(health: &[Health], names: Option<&[String]>) -> bool {
    if names.is_some_and(<[String]>::is_empty) {
        return true;
    }
    let seen = interesting(health, names);
    if names.is_some() && !seen.is_empty() && seen.iter().all(|health| health.platform) {
        return seen
            .iter()
            .all(|health| !matches!(health.state, HealthState::Down | HealthState::Failed | HealthState::Starting));
    }
    let against = [HealthState::Down, HealthState::OutOfService, HealthState::Starting, HealthState::Draining];
    seen.iter().any(|health| health.state == HealthState::Up)
        && seen.iter().all(|health| !against.contains(&health.state))
}

/// Whether an instance counts as down: out of traffic, or gone.
pub fn is_down(health: &[Health], names: Option<&[String]>) -> bool {
    if names.is_some_and(<[String]>::is_empty) {
        return true;
    }
    let seen = interesting(health, names);
    let any = |wanted: &[HealthState]| seen.iter().any(|health| wanted.contains(&health.state));
    match seen.as_slice() {
        [] => true,
        [only] if only.platform && only.state == HealthState::Unknown => true,
        _ => {
            any(&[HealthState::Down, HealthState::OutOfService, HealthState::Starting])
                && !any(&[HealthState::Up, HealthState::Draining])
                || traffic_is_off(&seen)
        }
    }
}

/// Where load balancers speak, they decide whether traffic comes: a machine that is well but taken out counts as down.
fn traffic_is_off(seen: &[&Health]) -> bool {
    let mut balancers = seen.iter().filter(|health| !health.platform).peekable();
    balancers.peek().is_some() && balancers.all(|health| health.state == HealthState::OutOfService)
}

/// All sources in one word, the worst first.
pub fn overall(health: &[Health]) -> HealthState {
    use HealthState::{Down, Draining, Failed, OutOfService, Starting, Succeeded, Up};
    [Failed, Starting, Down, OutOfService, Draining, Up, Succeeded]
        .into_iter()
        .find(|state| health.iter().any(|health| health.state == *state))
        .unwrap_or(HealthState::Unknown)
}

/// How many instances a group shall have.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Capacity {
    /// At least.
    pub min: u32,
    /// At most.
    pub max: u32,
    /// Now.
    pub desired: u32,
}

impl Capacity {
    /// The same number for all three.
    pub fn exactly(count: u32) -> Self {
        Self { min: count, max: count, desired: count }
    }

    /// Whether smallest, wanted and largest are in order.
    pub fn in_order(&self) -> bool {
        self.min <= self.desired && self.desired <= self.max
    }
}

/// How many instances must be up before a deployment counts as healthy: all, or the given share, but never none.
pub fn needed_up(desired: u32, healthy_percentage: Option<f64>) -> u32 {
    match healthy_percentage {
        _ if desired == 0 => 0,
        None => desired,
        // The product is between 0 and `desired`, so the cast loses nothing but the fraction that `round` removed.
        Some(percentage) => ((f64::from(desired) * percentage.clamp(0.0, 100.0) / 100.0).round() as u32).max(1),
    }
}

/// How many of `count` instances a `desiredPercentage` means, rounded up: as many are moved, and as many are waited for.
///
/// Spinnaker waits for `ceil((p/100-1)*max+min)`, which is the same where a group cannot change its size, and too few (or none) where it can.
pub fn portion(count: u32, percentage: u32) -> u32 {
    let wanted = (u64::from(count) * u64::from(percentage.min(100))).div_ceil(100);
    u32::try_from(wanted).unwrap_or(count)
}

/// Parts what a percentage means from the rest; all without one. Those that `are` so already are meant first: asked a second time, nothing
/// more moves.
pub fn part<T>(
    all: impl IntoIterator<Item = T>,
    percentage: Option<u32>,
    are: impl Fn(&T) -> bool,
) -> (Vec<T>, Vec<T>) {
    let (mut meant, other): (Vec<T>, Vec<T>) = all.into_iter().partition(are);
    meant.extend(other);
    let count = u32::try_from(meant.len()).unwrap_or(u32::MAX);
    let rest = meant.split_off(portion(count, percentage.unwrap_or(100)) as usize);
    (meant, rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(kind: &str, state: HealthState) -> Health {
        Health { kind: kind.into(), platform: kind == "Local", state, description: None, load_balancer: None }
    }

    #[test]
    fn up_needs_one_that_says_up_and_none_that_says_otherwise() {
        let cases: &[(&[(&str, HealthState)], bool)] = &[
            (&[("Local", HealthState::Up)], true),
            (&[("Local", HealthState::Up), ("LoadBalancer", HealthState::Up)], true),
            (&[("Local", HealthState::Unknown), ("LoadBalancer", HealthState::Up)], true),
            (&[("Local", HealthState::Up), ("LoadBalancer", HealthState::Down)], false),
            (&[("Local", HealthState::Up), ("LoadBalancer", HealthState::OutOfService)], false),
            (&[("Local", HealthState::Up), ("LoadBalancer", HealthState::Draining)], false),
            (&[("Local", HealthState::Starting), ("LoadBalancer", HealthState::Up)], false),
            (&[("Local", HealthState::Unknown)], false),
            (&[], false),
        ];
        for (health, expected) in cases {
            let health: Vec<_> = health.iter().map(|(kind, state)| of(kind, *state)).collect();
            assert_eq!(is_up(&health, None), *expected, "{health:?}");
        }
    }

    #[test]
    fn down_means_nothing_known_or_out_of_traffic() {
        let cases: &[(&[(&str, HealthState)], bool)] = &[
            (&[], true),
            (&[("Local", HealthState::Unknown)], true),
            (&[("Local", HealthState::Up)], false),
            (&[("Local", HealthState::Unknown), ("LoadBalancer", HealthState::OutOfService)], true),
            (&[("Local", HealthState::Up), ("LoadBalancer", HealthState::OutOfService)], true),
            (&[("Local", HealthState::Up), ("LoadBalancer", HealthState::Draining)], false),
            (&[("Local", HealthState::Up), ("LoadBalancer", HealthState::Up)], false),
        ];
        for (health, expected) in cases {
            let health: Vec<_> = health.iter().map(|(kind, state)| of(kind, *state)).collect();
            assert_eq!(is_down(&health, None), *expected, "{health:?}");
        }
    }

    #[test]
    fn an_empty_list_of_sources_accepts_at_once_and_a_platform_only_list_counts_not_down_as_up() {
        let health = [of("Local", HealthState::Unknown), of("LoadBalancer", HealthState::Down)];
        assert!(is_up(&health, Some(&[])));
        assert!(is_up(&health, Some(&["Local".into()])));
        assert!(!is_up(&health, Some(&["LoadBalancer".into()])));
        assert!(!is_up(&[of("Local", HealthState::Down)], Some(&["Local".into()])));
    }

    #[test]
    fn the_needed_count_is_rounded_and_never_none() {
        assert_eq!(needed_up(4, None), 4);
        assert_eq!(needed_up(4, Some(50.0)), 2);
        assert_eq!(needed_up(3, Some(50.0)), 2);
        assert_eq!(needed_up(4, Some(0.0)), 1);
        assert_eq!(needed_up(0, Some(100.0)), 0);
    }

    #[test]
    fn a_portion_is_rounded_up_and_never_more_than_there_is() {
        let cases = [(4, 50, 2), (4, 25, 1), (3, 50, 2), (4, 100, 4), (4, 1, 1), (4, 0, 0), (0, 50, 0), (7, 250, 7)];
        for (count, percentage, expected) in cases {
            assert_eq!(portion(count, percentage), expected, "{percentage} % of {count}");
        }
        assert_eq!(portion(u32::MAX, 100), u32::MAX);
    }

    #[test]
    fn those_that_are_so_already_are_meant_first() {
        assert_eq!(part([1, 2, 3, 4], Some(50), |n| *n == 3), (vec![3, 1], vec![2, 4]));
        assert_eq!(part([1, 2], None, |_| false), (vec![1, 2], vec![]));
    }
}
