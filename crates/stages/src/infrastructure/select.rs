//! Which server groups a stage means: by name, by a word (`current_asg_dynamic`), or by their place in a cluster. Pure.

use cloud::inventory::ServerGroup;

/// A word for one group of a cluster.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Word {
    /// The newest.
    Current,
    /// The one before the newest.
    Ancestor,
    /// The oldest, where there are several.
    Oldest,
}

impl Word {
    /// Reads the words of pipeline JSON, old and new.
    pub fn read(text: &str) -> Option<Self> {
        match text {
            "current_asg_dynamic" | "current_asg" => Some(Self::Current),
            "ancestor_asg_dynamic" | "ancestor_asg" => Some(Self::Ancestor),
            "oldest_asg_dynamic" | "oldest_asg" => Some(Self::Oldest),
            _ => None,
        }
    }

    /// The group among all of a cluster and region; those on their way out do not count.
    pub fn pick(self, groups: &[ServerGroup]) -> Option<&ServerGroup> {
        let mut newest_first: Vec<&ServerGroup> = groups.iter().filter(|group| !group.leaving).collect();
        newest_first.sort_by(|a, b| (b.created, &b.name).cmp(&(a.created, &a.name)));
        match self {
            Self::Current => newest_first.first().copied(),
            Self::Ancestor => newest_first.get(1).copied(),
            Self::Oldest => newest_first.last().copied().filter(|_| newest_first.len() > 1),
        }
    }
}

/// The group that a new one of the cluster follows: the newest of those that have traffic (the largest, where its capacity is what is
/// wanted), or of all where none has.
pub(crate) fn serving(groups: &[ServerGroup], larger: bool) -> Option<&ServerGroup> {
    let size = |group: &ServerGroup| if larger { group.instances.len() } else { 0 };
    let place = |group: &&ServerGroup| (!group.disabled, size(group), group.created, group.name.clone());
    groups.iter().filter(|group| !group.leaving).max_by_key(place)
}

/// What is done to all of a cluster but a few.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Sweep {
    /// How many groups are spared.
    pub keep: usize,
    /// Whether larger groups are spared before newer ones.
    pub prefer_larger: bool,
    /// Whether groups that serve may be touched.
    pub touch_active: bool,
}

impl Sweep {
    /// The groups that are touched. What a deployment around this stage has just made (`made`), and anything newer, is spared and counts
    /// among those that are kept. Active groups are kept first, then (if wished) larger ones, then newer ones.
    pub fn choose<'a>(self, groups: &'a [ServerGroup], made: &[String]) -> Vec<&'a ServerGroup> {
        let all: Vec<&ServerGroup> = groups.iter().filter(|group| !group.leaving).collect();
        let oldest_made =
            all.iter().filter(|group| made.contains(&group.name.to_string())).map(|group| group.created).min();
        let is_spared = |group: &ServerGroup| {
            made.contains(&group.name.to_string()) || oldest_made.is_some_and(|made| group.created > made)
        };
        let mut rest: Vec<&ServerGroup> = all.iter().copied().filter(|group| !is_spared(group)).collect();
        let keep = self.keep.saturating_sub(all.len() - rest.len());
        rest.sort_by_key(|group| {
            let size = if self.prefer_larger { group.instances.len() } else { 0 };
            std::cmp::Reverse((group.is_active(), size, group.created, group.name.clone()))
        });
        rest.into_iter().skip(keep).filter(|group| self.touch_active || !group.is_active()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use cloud::health::{Capacity, Health, HealthState};
    use cloud::inventory::Instance;
    use jiff::Timestamp;

    fn group(name: &str, created: i64, size: usize, disabled: bool) -> ServerGroup {
        let instance = |n: usize| Instance {
            id: format!("{name}-{n}"),
            group: name.parse().unwrap(),
            zone: "a".into(),
            launched: None,
            address: None,
            health: vec![Health {
                kind: "LoadBalancer".into(),
                platform: false,
                state: if disabled { HealthState::OutOfService } else { HealthState::Up },
                description: None,
                load_balancer: None,
            }],
            why: None,
            details: Default::default(),
        };
        ServerGroup {
            name: name.parse().unwrap(),
            account: "local".into(),
            provider: "local".into(),
            region: "local".into(),
            zones: vec![],
            created: Timestamp::from_second(created).unwrap(),
            capacity: Capacity::exactly(u32::try_from(size).unwrap()),
            disabled,
            leaving: false,
            image: "image".into(),
            instance_type: None,
            load_balancers: vec![],
            firewalls: vec![],
            preview_address: None,
            labels: Default::default(),
            env: Default::default(),
            health_check: None,
            share: None,
            instances: (0..size).map(instance).collect(),
        }
    }

    fn names(groups: Vec<&ServerGroup>) -> Vec<String> {
        groups.iter().map(|group| group.name.to_string()).collect()
    }

    #[test]
    fn words_mean_the_newest_the_one_before_and_the_oldest() {
        let groups =
            [group("shop-v003", 30, 1, false), group("shop-v001", 10, 1, true), group("shop-v002", 20, 1, true)];
        let pick = |word: Word, groups: &[ServerGroup]| word.pick(groups).map(|group| group.name.to_string());
        assert_eq!(pick(Word::Current, &groups), Some("shop-v003".into()));
        assert_eq!(pick(Word::Ancestor, &groups), Some("shop-v002".into()));
        assert_eq!(pick(Word::Oldest, &groups), Some("shop-v001".into()));
        assert_eq!(pick(Word::Ancestor, &groups[..1]), None);
        assert_eq!(pick(Word::Oldest, &groups[..1]), None, "one group is not the oldest of several");
        let mut leaving = groups.clone();
        leaving[0].leaving = true;
        assert_eq!(pick(Word::Current, &leaving), Some("shop-v002".into()));
    }

    #[test]
    fn a_new_group_follows_the_one_that_serves() {
        let mut groups =
            [group("shop-v001", 10, 4, false), group("shop-v002", 20, 1, false), group("shop-v003", 30, 9, true)];
        let follows =
            |groups: &[ServerGroup], larger| serving(groups, larger).map(|group| group.name.to_string()).expect("one");
        assert_eq!(follows(&groups, false), "shop-v002", "the newest was rolled back and has no traffic");
        assert_eq!(follows(&groups, true), "shop-v001");
        groups.iter_mut().for_each(|group| group.disabled = true);
        assert_eq!(follows(&groups, false), "shop-v003", "none has traffic");
        assert_eq!(serving(&[], false), None);
    }

    #[test]
    fn the_group_that_was_just_deployed_counts_as_the_one_that_is_kept() {
        let groups = [group("shop-v000", 1, 4, false), group("shop-v001", 2, 4, false)];
        let sweep = Sweep { keep: 1, prefer_larger: false, touch_active: true };
        assert_eq!(names(sweep.choose(&groups, &["shop-v001".into()])), ["shop-v000"]);
        assert_eq!(names(sweep.choose(&groups, &[])), ["shop-v000"], "without a deployment the newest is kept");
    }

    #[test]
    fn what_is_newer_than_the_deployment_is_left_alone() {
        let groups =
            [group("shop-v000", 1, 4, false), group("shop-v001", 2, 4, false), group("shop-v002", 3, 4, false)];
        let sweep = Sweep { keep: 1, prefer_larger: false, touch_active: true };
        assert_eq!(names(sweep.choose(&groups, &["shop-v001".into()])), ["shop-v000"]);
    }

    #[test]
    fn active_groups_are_kept_first_then_larger_then_newer() {
        let groups = [group("shop-v000", 1, 9, true), group("shop-v001", 2, 2, false), group("shop-v002", 3, 1, false)];
        let sweep = |prefer_larger| Sweep { keep: 1, prefer_larger, touch_active: true };
        assert_eq!(names(sweep(false).choose(&groups, &[])), ["shop-v001", "shop-v000"]);
        assert_eq!(names(sweep(true).choose(&groups, &[])), ["shop-v002", "shop-v000"]);
        let careful = Sweep { keep: 1, prefer_larger: false, touch_active: false };
        assert_eq!(names(careful.choose(&groups, &[])), ["shop-v000"], "only what serves nobody");
    }
}
