//! What a test does when the machine cannot run it: it says why, and under `GENNAKER_TEST_REQUIRE=all` it fails.

/// Says that the calling test is not run, and why. Write `return probe::not_run("…")`.
///
/// # Panics
/// When `GENNAKER_TEST_REQUIRE` is `all`: then everything must run.
#[track_caller]
pub fn not_run(reason: &str) {
    #[allow(clippy::disallowed_methods, reason = "tests are told by the environment what must run")]
    let required = std::env::var("GENNAKER_TEST_REQUIRE").is_ok_and(|wanted| wanted == "all");
    assert!(!required, "not run: {reason}, and GENNAKER_TEST_REQUIRE=all");
    eprintln!("not run: {reason}");
}
