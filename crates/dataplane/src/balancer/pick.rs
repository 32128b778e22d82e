//! Chooses a member: among the fittest first a share, then a member of it. In turn it is smooth weighted round robin, so that 5:1 is
//! a a a b a a and not a a a a a b; for a client with a key it is a pure function of the key, so that it comes out the same everywhere.

use super::table::Backend;
use crate::wanted::Choice;

/// What tells a client apart from others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Key {
    /// The same for the same client.
    pub number: u64,
    /// Whether all that it sends goes to one member; else only to one share.
    pub member: bool,
}

/// One worker's running weights for one balancer.
#[derive(Default)]
pub struct Picker {
    running: Vec<i64>,
    shares: Vec<i64>,
}

impl Picker {
    /// The index of the next member, none of `tried`. `turn` makes workers begin at different members; `key` tells a sticky client apart.
    pub fn pick(&mut self, backend: &Backend, tried: &[usize], turn: usize, key: Option<Key>) -> Option<usize> {
        let targets = &backend.targets;
        if self.running.len() != targets.len() {
            let n = targets.len() as i64;
            self.running = (0..n).map(|i| -((i + turn as i64) % n)).collect();
        }
        let fitness = |i: usize| if tried.contains(&i) { 0 } else { targets[i].fitness() };
        let best = (0..targets.len()).map(fitness).max().filter(|best| *best > 0)?;
        let fit = |i: &usize| fitness(*i) == best;
        if backend.shares.len() <= 1 && key.is_none() && backend.choice == Choice::RoundRobin {
            return self.turn(backend, (0..targets.len()).filter(fit));
        }
        let mut among: Vec<usize> = (0..targets.len()).filter(fit).collect();
        if backend.shares.len() > 1 {
            let there = |bucket: usize| among.iter().any(|i| targets[*i].bucket == bucket);
            let shares: Vec<u32> =
                backend.shares.iter().enumerate().map(|(b, share)| if there(b) { *share } else { 0 }).collect();
            let bucket = match key {
                Some(key) => share_of(&backend.shares, &shares, point(key.number)),
                None => {
                    self.shares.resize(shares.len(), 0);
                    smooth(&mut self.shares, shares.iter().copied().enumerate().filter(|(_, share)| *share > 0))
                }
            };
            // Without any share left (all are 0) whoever is fit takes it.
            if let Some(bucket) = bucket {
                among.retain(|i| targets[*i].bucket == bucket);
            }
        }
        if let Some(Key { number: key, member: true }) = key {
            return among.into_iter().max_by(|a, b| {
                let score = |i: usize| rendezvous(key, targets[i].hash, targets[i].weight);
                score(*a).total_cmp(&score(*b))
            });
        }
        if backend.choice == Choice::LeastConnections {
            // For comparison in whole numbers; weights are at most 10,000.
            let load = |i: usize| targets[i].member.meter.open() * 1_000_000 / u64::from(targets[i].weight.max(1));
            let loads: Vec<u64> = among.iter().map(|i| load(*i)).collect();
            let least = loads.iter().min().copied()?;
            among = among.into_iter().zip(loads).filter(|(_, load)| *load == least).map(|(i, _)| i).collect();
        }
        self.turn(backend, among.into_iter())
    }

    /// The next member in turn.
    fn turn(&mut self, backend: &Backend, among: impl Iterator<Item = usize>) -> Option<usize> {
        smooth(&mut self.running, among.map(|i| (i, backend.targets[i].weight)))
    }
}

/// Smooth weighted round robin: the next of these places, by their weights; `None` when there is none.
fn smooth(running: &mut [i64], weights: impl Iterator<Item = (usize, u32)>) -> Option<usize> {
    let mut chosen: Option<usize> = None;
    let mut total = 0;
    for (i, weight) in weights {
        running[i] += i64::from(weight);
        total += i64::from(weight);
        if chosen.is_none_or(|c| running[i] > running[c]) {
            chosen = Some(i);
        }
    }
    let chosen = chosen?;
    running[chosen] -= total;
    Some(chosen)
}

/// The share that a point (0–9999) lies in. A point whose share is void now is dealt again among those that are `there`.
fn share_of(wanted: &[u32], there: &[u32], point: u32) -> Option<usize> {
    let within = |shares: &[u32], point: u32| {
        let mut end = 0;
        shares.iter().position(|share| {
            end += share * 100;
            point < end
        })
    };
    match within(wanted, point).filter(|share| there[*share] > 0) {
        Some(share) => Some(share),
        None => {
            let total: u32 = there.iter().sum();
            within(there, point * total / 100).or_else(|| there.iter().rposition(|share| *share > 0))
        }
    }
}

/// Shares with the rest behind them.
pub fn with_rest(mut shares: Vec<u32>) -> Vec<u32> {
    let sum: u32 = shares.iter().sum();
    shares.push(100u32.saturating_sub(sum));
    shares
}

/// Where a client lies among the shares.
fn point(key: u64) -> u32 {
    // Other bits than those that choose the member.
    (mix(key ^ 0x5851_f42d_4c95_7f2d) % 10_000) as u32
}

/// Of all members the one with the highest score takes the client: when one leaves, only its clients move.
fn rendezvous(key: u64, member: u64, weight: u32) -> f64 {
    let unit = ((mix(key ^ member) >> 11) as f64 + 0.5) / (1u64 << 53) as f64;
    f64::from(weight) / -unit.ln()
}

/// A number for a text, the same in every process.
pub fn hash(bytes: &[u8]) -> u64 {
    mix(bytes.iter().fold(0xcbf2_9ce4_8422_2325, |h, b| (h ^ u64::from(*b)).wrapping_mul(0x0100_0000_01b3)))
}

fn mix(mut x: u64) -> u64 {
    x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ (x >> 31)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::balancer::meter::Meter;
    use crate::balancer::table::{MemberRuntime, Target};
    use crate::wanted::MemberState::{self, Active, Draining, Out};

    fn backend(members: &[(u32, MemberState)]) -> Backend {
        let buckets: Vec<_> = members.iter().map(|(weight, state)| (*weight, *state, 0)).collect();
        shared(&buckets, Vec::new())
    }

    /// Members (weight, state, bucket) under these shares.
    fn shared(members: &[(u32, MemberState, usize)], shares: Vec<u32>) -> Backend {
        let target = |(i, &(weight, state, bucket)): (usize, &(u32, MemberState, usize))| Target {
            address: "127.0.0.1:1".parse().unwrap(),
            weight,
            bucket,
            hash: hash(format!("member-{i}").as_bytes()),
            state,
            check: None,
            member: Arc::new(MemberRuntime::new(1)),
            group: Arc::new(Meter::new(1)),
            ejection: None,
        };
        Backend {
            id: "web".into(),
            trusted_proxies: Vec::new(),
            targets: members.iter().enumerate().map(target).collect(),
            hold: std::time::Duration::ZERO,
            choice: Choice::RoundRobin,
            stickiness: None,
            send_proxy: None,
            shares: with_rest(shares),
            counts: Arc::default(),
        }
    }

    fn shares(backend: &Backend, picks: usize) -> Vec<usize> {
        let mut picker = Picker::default();
        let mut got = vec![0; backend.targets.len()];
        for _ in 0..picks {
            got[picker.pick(backend, &[], 0, None).unwrap()] += 1;
        }
        got
    }

    /// Where each of 10,000 clients goes that stay in their share, or at their member.
    fn clients(backend: &Backend, member: bool) -> Vec<usize> {
        let mut picker = Picker::default();
        let key = |n: u32| Key { number: hash(format!("client-{n}").as_bytes()), member };
        (0..10_000).map(|n| picker.pick(backend, &[], 0, Some(key(n))).unwrap()).collect()
    }

    #[test]
    fn each_gets_its_weight_and_draining_or_out_get_nothing() {
        assert_eq!(
            shares(&backend(&[(5, Active), (1, Active), (9, Draining), (9, Out), (0, Active)]), 600),
            [500, 100, 0, 0, 0]
        );
    }

    #[test]
    fn nobody_is_picked_when_nobody_may_be() {
        assert_eq!(Picker::default().pick(&backend(&[(1, Draining)]), &[], 0, None), None);
        assert_eq!(Picker::default().pick(&backend(&[]), &[], 0, None), None);
    }

    #[test]
    fn what_was_tried_is_not_tried_again() {
        let backend = backend(&[(1, Active), (1, Active)]);
        assert_eq!(Picker::default().pick(&backend, &[0], 0, None), Some(1));
        assert_eq!(Picker::default().pick(&backend, &[0, 1], 0, None), None);
    }

    #[test]
    fn a_group_takes_its_share_of_requests_however_many_members_it_has() {
        for percent in [0, 1, 5, 33, 50, 99, 100] {
            for canaries in 1..=4 {
                let mut members = vec![(1, Active, 0); canaries];
                members.extend([(1, Active, 1), (3, Active, 1)]);
                let got = shares(&shared(&members, vec![percent]), 1200);
                let canary: usize = got[..canaries].iter().sum();
                assert_eq!(canary, 12 * percent as usize, "{percent} % on {canaries}: {got:?}");
                let old = &got[canaries..];
                assert!(old[1].abs_diff(3 * old[0]) <= 3, "{old:?}");
            }
        }
    }

    #[test]
    fn a_share_without_a_member_that_can_take_it_goes_to_the_others() {
        assert_eq!(shares(&shared(&[(1, Draining, 0), (1, Active, 1)], vec![30]), 100), [0, 100]);
        assert_eq!(shares(&shared(&[(1, Active, 0), (1, Draining, 1)], vec![0]), 100), [100, 0]);
        let backend = shared(&[(1, Out, 0), (1, Active, 1)], vec![30]);
        assert!(clients(&backend, false).iter().all(|i| *i == 1));
    }

    #[test]
    fn a_growing_share_of_clients_only_adds_clients() {
        let members = [(1, Active, 0), (1, Active, 1), (1, Active, 1)];
        let mut before = vec![false; 10_000];
        for percent in [0, 1, 10, 50, 100] {
            let now: Vec<bool> = clients(&shared(&members, vec![percent]), false).iter().map(|i| *i == 0).collect();
            assert!(before.iter().zip(&now).all(|(before, now)| !before || *now), "somebody left at {percent} %");
            let there = now.iter().filter(|n| **n).count();
            assert!(there.abs_diff(100 * percent as usize) <= 150, "{percent} %: {there}");
            before = now;
        }
    }

    #[test]
    fn when_a_member_leaves_only_its_clients_move_and_they_spread_by_weight() {
        let mut members = vec![(1, Active, 0), (2, Active, 0), (1, Active, 0)];
        let before = clients(&shared(&members, Vec::new()), true);
        let on = |member: usize| before.iter().filter(|i| **i == member).count();
        assert!(on(1).abs_diff(5000) < 250 && on(0).abs_diff(2500) < 250, "{} {} {}", on(0), on(1), on(2));
        members[0].1 = Draining;
        let after = clients(&shared(&members, Vec::new()), true);
        assert!(before.iter().zip(&after).all(|(b, a)| *b == 0 || b == a));
        assert!(after.iter().all(|i| *i != 0));
    }

    #[test]
    fn the_one_with_the_fewest_open_requests_for_its_weight_is_next() {
        use std::sync::atomic::Ordering::Relaxed;
        let mut backend = backend(&[(1, Active), (4, Active), (1, Active)]);
        backend.choice = Choice::LeastConnections;
        for (i, open) in [(0, 2), (1, 7), (2, 2)] {
            backend.targets[i].member.meter.shard(0).open.store(open, Relaxed);
        }
        // 2 of 1, 7 of 4, 2 of 1; then the second has 8 of 4, as many as the others.
        assert_eq!(Picker::default().pick(&backend, &[], 0, None), Some(1));
        backend.targets[2].member.meter.shard(0).open.store(0, Relaxed);
        assert_eq!(Picker::default().pick(&backend, &[], 0, None), Some(2));
    }
}
