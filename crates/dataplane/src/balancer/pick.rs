//! Chooses a member: smooth weighted round robin among the fittest, so that 5:1 is a a a b a a and not a a a a a b.

use super::table::Backend;

/// One worker's running weights for one balancer.
#[derive(Default)]
pub struct Picker {
    running: Vec<i64>,
}

impl Picker {
    /// The index of the next member, none of `tried`. `turn` makes workers begin at different members.
    pub fn pick(&mut self, backend: &Backend, tried: &[usize], turn: usize) -> Option<usize> {
        let targets = &backend.targets;
        if self.running.len() != targets.len() {
            let n = targets.len() as i64;
            self.running = (0..n).map(|i| -((i + turn as i64) % n)).collect();
        }
        let fitness = |i: usize| if tried.contains(&i) { 0 } else { targets[i].fitness() };
        let best = (0..targets.len()).map(fitness).max().filter(|best| *best > 0)?;
        let mut chosen: Option<usize> = None;
        let mut total = 0;
        for i in (0..targets.len()).filter(|i| fitness(*i) == best) {
            let weight = i64::from(targets[i].weight);
            self.running[i] += weight;
            total += weight;
            if chosen.is_none_or(|c| self.running[i] > self.running[c]) {
                chosen = Some(i);
            }
        }
        let chosen = chosen?;
        self.running[chosen] -= total;
        Some(chosen)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::balancer::meter::Meter;
    use crate::balancer::table::{MemberRuntime, Target};
    use crate::wanted::MemberState::{self, Active, Draining, Out};

    fn backend(members: &[(u32, MemberState)]) -> Backend {
        let target = |&(weight, state): &(u32, MemberState)| Target {
            address: "127.0.0.1:1".parse().unwrap(),
            weight,
            state,
            check: None,
            member: Arc::new(MemberRuntime { meter: Meter::new(1), cut: tokio::sync::watch::channel(false).0 }),
            group: Arc::new(Meter::new(1)),
        };
        Backend { id: "web".into(), targets: members.iter().map(target).collect(), counts: Arc::default() }
    }

    fn shares(backend: &Backend, picks: usize) -> Vec<usize> {
        let mut picker = Picker::default();
        let mut got = vec![0; backend.targets.len()];
        for _ in 0..picks {
            got[picker.pick(backend, &[], 0).unwrap()] += 1;
        }
        got
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
        assert_eq!(Picker::default().pick(&backend(&[(1, Draining)]), &[], 0), None);
        assert_eq!(Picker::default().pick(&backend(&[]), &[], 0), None);
    }

    #[test]
    fn what_was_tried_is_not_tried_again() {
        let backend = backend(&[(1, Active), (1, Active)]);
        assert_eq!(Picker::default().pick(&backend, &[0], 0), Some(1));
        assert_eq!(Picker::default().pick(&backend, &[0, 1], 0), None);
    }
}
