//! `compareServerGroups`: what the load balancer measures of a canary and of its baseline, side by side, until their time is over or the
//! canary is clearly worse.

use async_trait::async_trait;
use cloud::inventory::ServerGroup;
use cloud::traffic::{Second, typical};
use cloud::{CloudError, Clouds};
use jiff::{SignedDuration, Timestamp};
use pipeline::{Effect, Map, TaskInput, TaskResult};
use serde::Serialize;
use serde_json::json;

use super::operate::from_error;
use super::select::Word;
use super::wishes::{self, count, flag, number};

/// So long after the end the last second is measured.
const SETTLED: SignedDuration = SignedDuration::from_millis(1200);
/// How often the measures are looked at.
const LOOK: SignedDuration = SignedDuration::from_secs(2);

/// What was measured of one group.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Tally {
    /// The group.
    pub server_group: String,
    /// Requests that it got.
    pub requests: u64,
    /// What clients saw fail of them.
    pub failures: u64,
    /// Failures per hundred requests.
    pub error_rate: f64,
    /// Half of the answers came in seconds whose 99th percentile was at most this, in microseconds.
    pub p99_us: u64,
}

impl Tally {
    fn of(name: &str, seconds: &[Second]) -> Tally {
        let requests: u64 = seconds.iter().map(|second| second.requests).sum();
        let failures: u64 = seconds.iter().map(|second| second.failures).sum();
        let error_rate = if requests == 0 { 0.0 } else { failures as f64 * 100.0 / requests as f64 };
        Tally {
            server_group: name.to_owned(),
            requests,
            failures,
            error_rate,
            p99_us: typical(seconds, |second| second.p99_us),
        }
    }

    fn text(&self) -> String {
        let Tally { requests, error_rate, p99_us, .. } = self;
        format!("{requests} requests, {error_rate:.2} % failed, p99 {:.1} ms", *p99_us as f64 / 1000.0)
    }
}

/// From when on a canary is worse.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Limits {
    /// Fewer requests on either side say nothing.
    pub minimum_requests: u64,
    /// Percentage points that its error rate may be above the baseline's.
    pub error_rate_difference: f64,
    /// Its latency over the baseline's; not looked at without it.
    pub latency_ratio: Option<f64>,
}

impl Limits {
    fn of(config: &Map) -> Limits {
        Limits {
            minimum_requests: count(config, "minimumRequests").unwrap_or(100).into(),
            error_rate_difference: number(config, "maximumErrorRateDifference").unwrap_or(1.0),
            latency_ratio: number(config, "maximumLatencyRatio").filter(|ratio| *ratio > 0.0),
        }
    }

    /// Pure: why the canary is worse. `over`: its time is up, and too few requests are a failure, too.
    pub fn worse(&self, canary: &Tally, baseline: &Tally, over: bool) -> Option<String> {
        let told = || format!("canary: {}; baseline: {}", canary.text(), baseline.text());
        let fewest = canary.requests.min(baseline.requests);
        if fewest < self.minimum_requests {
            let least = self.minimum_requests;
            return over.then(|| {
                format!("too few requests to judge by: {}; at least {least} on each side are needed", told())
            });
        }
        let difference = canary.error_rate - baseline.error_rate;
        if difference > self.error_rate_difference {
            let most = self.error_rate_difference;
            return Some(format!(
                "the canary fails more often, by {difference:.2} points where {most} are allowed: {}",
                told()
            ));
        }
        let ratio = canary.p99_us as f64 / baseline.p99_us.max(1) as f64;
        // A fluctuation of seconds is no finding: the whole time counts.
        let most = self.latency_ratio.filter(|most| over && ratio > *most)?;
        Some(format!("the canary is slower, {ratio:.2} times where {most} is allowed: {}", told()))
    }
}

/// The task.
pub(crate) struct Compare(pub Clouds);

#[async_trait]
impl Effect for Compare {
    async fn run(&self, input: TaskInput) -> TaskResult {
        let config = wishes::context(&input);
        let (canary, baseline) = match self.measured(&config, &input).await {
            Ok(both) => both,
            Err(result) => return result,
        };
        let minutes = number(&config, "lifetimeMinutes").unwrap_or(10.0).clamp(0.0, 60.0 * 24.0 * 30.0);
        let lifetime = SignedDuration::from_secs((minutes * 60.0) as i64);
        let end = first_second(input.started).checked_add(lifetime).unwrap_or(Timestamp::MAX);
        // The last second is measured when it is over.
        let end = end.checked_add(SETTLED).unwrap_or(Timestamp::MAX);
        let over = input.now >= end;
        // A person who decides sees the measures; they do not decide.
        let judged = flag(&config, "judgment") == Some(true);
        let worse = Limits::of(&config).worse(&canary, &baseline, over);
        let both = json!({"canary": canary, "baseline": baseline, "worse": worse});
        let result = match worse {
            Some(why) if !judged => TaskResult::failed(why),
            _ if over => TaskResult::succeeded(),
            _ => {
                let left = end.duration_since(input.now).as_secs();
                let reason = format!("canary: {}; baseline: {}; {left} s left", canary.text(), baseline.text());
                TaskResult::again(input.now.checked_add(LOOK).unwrap_or(end).min(end), reason)
            }
        };
        result.context("comparison", both.clone()).output("comparison", both)
    }
}

/// Seconds are measured whole. In the one before this the two may have begun one after the other: what each got of it tells nothing.
fn first_second(started: Timestamp) -> Timestamp {
    let millis = started.as_millisecond();
    let until = (-millis).rem_euclid(1000);
    Timestamp::from_millisecond(millis + until).unwrap_or(started)
}

impl Compare {
    /// What was measured of both since the first whole second of the task.
    async fn measured(&self, config: &Map, input: &TaskInput) -> Result<(Tally, Tally), TaskResult> {
        let since = first_second(input.started);
        let canary = self.newest(config, "canaryCluster", input).await?;
        let baseline = self.newest(config, "baselineCluster", input).await?;
        let canary = self.tally(&canary, since).await.map_err(|error| from_error(&error, input))?;
        let baseline = self.tally(&baseline, since).await.map_err(|error| from_error(&error, input))?;
        let account = wishes::account(config)?;
        let unmeasured = || {
            let what = "does not measure what users see of a server group, or it has no load balancer";
            TaskResult::failed(format!("account {account} {what}; set `judgment` so that a person decides"))
        };
        match (canary, baseline) {
            (Some(canary), Some(baseline)) => Ok((canary, baseline)),
            _ if flag(config, "judgment") == Some(true) => Ok((Tally::default(), Tally::default())),
            _ => Err(unmeasured()),
        }
    }

    async fn newest(&self, config: &Map, key: &str, input: &TaskInput) -> Result<ServerGroup, TaskResult> {
        let name = wishes::text(config, &[key]).ok_or_else(|| TaskResult::failed(format!("give `{key}`")))?;
        let cluster = name.parse().map_err(|error: cloud::names::NameError| TaskResult::failed(error.to_string()))?;
        let region = wishes::regions(config).remove(0);
        let groups = self.0.cluster(&wishes::account(config)?, &cluster, Some(&region)).await;
        let groups = groups.map_err(|error| from_error(&error, input))?;
        Word::Current.pick(&groups).cloned().ok_or_else(|| {
            TaskResult::failed(format!("{name} has no server group any more; something else destroyed it"))
        })
    }

    async fn tally(&self, group: &ServerGroup, since: Timestamp) -> Result<Option<Tally>, CloudError> {
        let provider = self.0.account(&group.account)?;
        let name = group.name.to_string();
        let mut seconds = Vec::new();
        let mut measured = false;
        for balancer in &group.load_balancers {
            let Some(series) = provider.traffic(&group.region, balancer, since).await? else { continue };
            measured = true;
            let own = series.groups.into_iter().filter(|one| one.group == name);
            seconds.extend(own.flat_map(|one| one.seconds));
        }
        Ok(measured.then(|| Tally::of(&name, &seconds)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_second_that_counts_is_a_whole_one() {
        let first = |millis| first_second(Timestamp::from_millisecond(millis).unwrap()).as_millisecond();
        assert_eq!([first(7_000), first(7_001), first(7_999)], [7_000, 8_000, 8_000]);
    }

    fn tally(requests: u64, failures: u64, p99_us: u64) -> Tally {
        let second = Second {
            at: 0,
            requests,
            failures,
            retries: 0,
            answers: requests,
            p50_us: 1,
            p90_us: 1,
            p99_us,
            max_us: p99_us,
        };
        Tally::of("shop-canary-v000", &[second])
    }

    #[test]
    fn a_canary_is_worse_when_it_fails_more_often_or_is_slower() {
        let limits = Limits { minimum_requests: 100, error_rate_difference: 1.0, latency_ratio: Some(1.5) };
        let good = tally(1000, 5, 10_000);
        assert_eq!(limits.worse(&tally(1000, 15, 10_000), &good, true), None, "one point more is allowed");
        let why = limits.worse(&tally(1000, 16, 10_000), &good, false).unwrap();
        assert_eq!(
            why,
            "the canary fails more often, by 1.10 points where 1 are allowed: canary: 1000 requests, 1.60 % failed, p99 10.0 ms; \
             baseline: 1000 requests, 0.50 % failed, p99 10.0 ms"
        );
        let slow = tally(1000, 0, 16_000);
        assert_eq!(limits.worse(&slow, &good, false), None, "the whole time counts");
        assert!(
            limits
                .worse(&slow, &good, true)
                .unwrap()
                .starts_with("the canary is slower, 1.60 times where 1.5 is allowed")
        );
    }

    #[test]
    fn few_requests_say_nothing_and_are_not_enough_in_the_end() {
        let limits = Limits { minimum_requests: 100, error_rate_difference: 1.0, latency_ratio: None };
        assert_eq!(limits.worse(&tally(99, 99, 1), &tally(1000, 0, 1), false), None);
        assert!(limits.worse(&tally(99, 99, 1), &tally(1000, 0, 1), true).unwrap().starts_with("too few requests"));
    }
}
