//! The text that Prometheus reads (exposition format 0.0.4): families of samples with labels. What is counted is the business of others.
//! Written here because the summaries of aptly's API, sums and counts without quantiles, are in none of the usual crates.

use std::fmt::{Display, Write as _};

use events::meter::Reading;

/// The media type of the text.
pub const MEDIA_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// What a family of samples is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Only grows.
    Counter,
    /// Goes up and down.
    Gauge,
    /// A sum and a count.
    Summary,
    /// How many lie below each of some bounds, a sum and a count.
    Histogram,
}

/// The text, as far as it is written.
#[derive(Debug, Default)]
pub struct Exposition(String);

impl Exposition {
    /// Begins a family. Its samples follow.
    pub fn family(&mut self, name: &str, kind: Kind, help: &str) {
        let kind = match kind {
            Kind::Counter => "counter",
            Kind::Gauge => "gauge",
            Kind::Summary => "summary",
            Kind::Histogram => "histogram",
        };
        // Writing to a String cannot fail.
        let _ = writeln!(self.0, "# HELP {name} {help}\n# TYPE {name} {kind}");
    }

    /// A sample: name, labels, value.
    pub fn sample(&mut self, name: &str, labels: &[(&str, &str)], value: impl Display) {
        self.0 += name;
        for (at, (label, text)) in labels.iter().enumerate() {
            let _ = write!(self.0, "{}{label}=\"{}\"", if at == 0 { '{' } else { ',' }, escaped(text));
        }
        let _ = writeln!(self.0, "{} {value}", if labels.is_empty() { "" } else { "}" });
    }

    /// The samples of a histogram.
    pub fn histogram(&mut self, name: &str, labels: &[(&str, &str)], reading: &Reading) {
        let bounded = reading.buckets.iter().map(|(bound, count)| (bound.to_string(), *count));
        for (bound, count) in bounded.chain([("+Inf".to_owned(), reading.count)]) {
            let labels = [labels, &[("le", &bound[..])]].concat();
            self.sample(&format!("{name}_bucket"), &labels, count);
        }
        self.sample(&format!("{name}_sum"), labels, reading.seconds);
        self.sample(&format!("{name}_count"), labels, reading.count);
    }

    /// The whole text.
    pub fn finish(self) -> String {
        self.0
    }
}

fn escaped(text: &str) -> String {
    text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_histogram_has_its_bounds_as_a_label_and_ends_with_all() {
        let mut text = Exposition::default();
        let reading = Reading { buckets: vec![(0.01, 2), (1.0, 4)], count: 5, seconds: 7.5 };
        text.histogram("t_seconds", &[("class", "gate")], &reading);
        assert_eq!(
            text.finish(),
            "t_seconds_bucket{class=\"gate\",le=\"0.01\"} 2\nt_seconds_bucket{class=\"gate\",le=\"1\"} 4\n\
             t_seconds_bucket{class=\"gate\",le=\"+Inf\"} 5\nt_seconds_sum{class=\"gate\"} 7.5\nt_seconds_count{class=\"gate\"} 5\n"
        );
    }

    #[test]
    fn labels_cannot_break_out_of_their_line() {
        let mut text = Exposition::default();
        text.family("uploads_total", Kind::Counter, "Files uploaded.");
        text.sample("uploads_total", &[("folder", "a\"} 1\nb\\")], 3);
        text.sample("up", &[], 1.5);
        assert_eq!(
            text.finish(),
            "# HELP uploads_total Files uploaded.\n# TYPE uploads_total counter\nuploads_total{folder=\"a\\\"} 1\\nb\\\\\"} 3\nup 1.5\n"
        );
    }
}
