//! The API's own numbers.

use super::engine::gauge;
use crate::House;
use crate::exposition::{Exposition, Kind};

pub(super) fn write(house: &House, text: &mut Exposition) {
    let requests = &house.watched.requests;
    let name = "gennaker_http_requests_total";
    text.family(name, Kind::Counter, "Requests that were answered, by class of route, method and status.");
    for ((class, method, code), count) in requests.answered.read() {
        let code = code.to_string();
        text.sample(name, &[("class", class.word()), ("method", method), ("code", &code)], count);
    }
    let name = "gennaker_http_request_seconds";
    text.family(name, Kind::Histogram, "Time from a request to the beginning of its answer, by class of route.");
    for (class, times) in requests.times() {
        text.histogram(name, &[("class", class.word())], &times.read());
    }
    gauge(text, "gennaker_http_requests_in_flight", "Requests that are being answered.", requests.running());
}
