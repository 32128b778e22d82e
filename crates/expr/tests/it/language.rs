//! What the language means, a rule a test.

use expr::Cause;
use proptest::prelude::*;
use serde_json::{Value as Json, json};

use crate::surroundings::evaluate;

fn names() -> Json {
    json!({"color": "blue", "numbers": [3, 1, 2], "people": [{"name": "Ada", "age": 36}, {"name": "Linus", "age": 21}], "conf": {"min": 1, "1": "one"}})
}

#[track_caller]
fn check(text: &str, expected: Json) {
    assert_eq!(evaluate(text, &names()), Ok(expected), "{text}");
}

#[track_caller]
fn fails(text: &str, column: usize) {
    let failure = evaluate(text, &names()).expect_err(text);
    assert_eq!(failure.column, column, "{text}: {failure}");
}

#[test]
fn one_expression_keeps_its_kind_and_mixed_text_becomes_text() {
    check("${numbers}", json!([3, 1, 2]));
    check("n=${numbers}", json!("n=3,1,2"));
    check("${1}${2}", json!("12"));
    check("${nothing} ${color}", json!("${nothing} blue"));
}

#[test]
fn numbers_are_computed_as_java_does() {
    check("${7 / 2}", json!(3));
    check("${2147483647 + 1}", json!(-2147483648));
    check("${0.1 + 0.2}", json!(0.30000000000000004));
    check("${1.0f / 3}", json!(0.33333334));
    check("${1.0 / 0}", json!("Infinity"));
}

#[test]
fn an_object_takes_a_bare_name_as_its_members_name() {
    check("${conf[min]}", json!(1));
    check("${conf['1']}", json!("one"));
    check("${conf[1]}", Json::Null);
    check("${numbers[conf.min]}", json!(1));
}

#[test]
fn a_selection_looks_at_each_element() {
    check("${people.?[age > 30].![name]}", json!(["Ada"]));
    check("${people.$[age > 1].name}", json!("Linus"));
    check("${people.^[age > 99]?.name}", Json::Null);
}

#[test]
fn a_failure_points_at_its_column() {
    fails("${color.nope}", 8);
    fails("a ${1 + }", 7);
    fails("${color", 0);
    fails("x ${numbers[9]}", 11);
    fails("${T(java.lang.System).exit(0)}", 2);
}

#[test]
fn refusals_are_told_from_mistakes() {
    let cause = |text| evaluate(text, &names()).map_err(|failure| failure.cause);
    assert_eq!(cause("${T(java.lang.Runtime)}"), Err(Cause::Refused));
    assert_eq!(cause("${color.getClass()}"), Err(Cause::Refused));
    assert_eq!(cause("${color = 'red'}"), Err(Cause::Parse));
    assert_eq!(cause("${1 / 0}"), Err(Cause::Evaluate));
}

proptest! {
    #[test]
    fn no_text_makes_the_parser_panic(text in "\\PC{0,60}") {
        let _ = evaluate(&format!("${{{text}}}"), &names());
        let _ = evaluate(&text, &names());
    }

    #[test]
    fn no_mix_of_tokens_makes_the_evaluator_panic(
        tokens in proptest::collection::vec(
            proptest::sample::select(vec![
                "color", "numbers", "people", "conf", "1", "0", "-1", "2147483647", "9223372036854775807L", "1.5", "'a'", "''", "'[a'", "null", "true",
                "(", ")", "[", "]", "{", "}", ":", ",", ".", "?.", ".?[", ".![", ".^[", ".$[", "#this", "#root", "#toInt(", "#toJson(", "#readYaml(",
                "T(Math)", "T(Integer)", "T(java.time.LocalDate)", "T(java.time.Instant)", "new java.util.Date(", "new java.text.SimpleDateFormat(",
                ".substring(", ".split(", ".replaceAll(", ".formatted(", ".now()", ".of(", ".plusDays(", ".plus(", ".abs(", ".max(", ".floorMod(",
                ".format(", ".parse(", ".repeat(", ".indexOf(", ".charAt(", ".subList(", ".ofEpochMilli(", "+", "-", "*", "/", "%", "^", "==", "<",
                "!", "and", "or", "?", "?:", "matches", "between", "instanceof", " ",
            ]),
            0..14,
        )
    ) {
        let _ = evaluate(&format!("${{{}}}", tokens.concat()), &names());
        let _ = evaluate(&format!("${{{}}}", tokens.join(" ")), &names());
    }

    #[test]
    fn methods_take_any_numbers(a in any::<i32>(), b in any::<i64>()) {
        for call in [
            format!("'abc'.substring({a}, 2)"), format!("'abc'.charAt({a})"), format!("numbers.subList({a}, 3)"), format!("numbers[{a}]"),
            format!("T(java.time.LocalDate).of({a}, 1, 1)"), format!("T(java.time.LocalDate).of(2024, 1, 1).plusDays({b}L)"),
            format!("T(java.time.LocalDate).of(2024, 1, 1).plusMonths({b}L)"), format!("T(java.time.LocalDate).of(2024, 1, 1).minusYears({b}L)"),
            format!("T(java.time.Instant).ofEpochMilli({b}L).toString()"), format!("T(java.time.Instant).ofEpochSecond({b}L, {b}L)"),
            format!("T(java.time.Instant).now().minusSeconds({b}L)"), format!("new java.util.Date({b}L).toString()"),
            format!("T(Math).floorDiv({b}L, {a})"), format!("T(Math).abs({a})"), format!("{b}L / {a}"), format!("{b}L % {a}"), format!("-({a}) ^ {a}"),
            format!("'%{}d'.formatted({b}L)", a.unsigned_abs()), format!("'x'.repeat({a})"), format!("'x' * {a}"), format!("'x' - {a}"),
            format!("T(Integer).toString({a}, {a})"), format!("T(java.time.DayOfWeek).of({a})"), format!("new java.util.Random({b}L).nextInt({a})"),
            format!("T(java.time.LocalDate).ofYearDay({a}, {a})"), format!("T(java.time.LocalDate).ofEpochDay({b}L)"),
            format!("new java.util.Date({a}, {a}, {a})"), format!("'a'.indexOf({a})"), format!("'a'.indexOf('a', {a})"), format!("'a'.lastIndexOf('a', {a})"),
            format!("'a b'.indent({a})"), format!("'a,b'.split(',', {a})"), format!("{b}L.intValue()"), format!("T(java.time.LocalDateTime).now().plusNanos({b}L)"),
        ] {
            let _ = evaluate(&format!("${{{call}}}"), &names());
        }
    }
}
