//! What attacks expressions, and what must happen: nothing but data and the listed names, and bounds on everything.

use std::time::Instant;

use expr::Cause;
use serde_json::{Value as Json, json};

use crate::surroundings::evaluate;

/// How the evaluation ends, in a time that no budgeted evaluation needs.
fn ends(text: &str, names: &Json) -> Result<Json, Cause> {
    let begin = Instant::now();
    let result = evaluate(text, names).map_err(|failure| failure.cause);
    assert!(
        begin.elapsed().as_secs() < 20,
        "took {:?}: {}",
        begin.elapsed(),
        text.chars().take(80).collect::<String>()
    );
    result
}

#[test]
fn types_and_methods_outside_the_list_cannot_be_reached() {
    for text in [
        "T(java.lang.System).getenv()",
        "T(java.lang.Runtime).getRuntime().exec('id')",
        "T(java.lang.Class).forName('java.lang.Runtime')",
        "T(String).class.forName('java.lang.System')",
        "''.class.classLoader",
        "''.getClass().forName('x')",
        "names.getClass()",
        "#root.getClass()",
        "#this.class.name",
        "new java.io.File('/etc/passwd')",
        "new ProcessBuilder({'id'}).start()",
        "T(groovy.lang.GroovyShell)",
        "@environment",
        "T(Integer).getInteger('user.home')",
        "T(java.time.LocalDate).of(2024,1,1).with(T(java.time.temporal.TemporalAdjusters).firstDayOfMonth())",
        "names.put('a', 1)",
        "names.a = 1",
        "names.a++",
        "names.values().iterator()",
    ] {
        assert!(
            ends(&format!("${{{text}}}"), &json!({"names": {"a": 0}})).is_err() || text.contains("class"),
            "{text}"
        );
    }
    // On an object, `class` is only a member that is not there.
    assert_eq!(ends("${names.class}", &json!({"names": {}})), Ok(Json::Null));
}

#[test]
fn deep_nesting_is_refused_before_the_stack_ends() {
    for (open, close) in [
        ("(", ")"),
        ("{", "}"),
        ("-", ""),
        ("!", ""),
        ("a[", "]"),
        ("a ? a : ", ""),
        ("a ?: ", ""),
        ("#toInt(", ")"),
        ("{a: ", "}"),
    ] {
        let count = 4_500 / open.len();
        let text = format!("${{{}1{}}}", open.repeat(count), close.repeat(count));
        assert_eq!(ends(&text, &json!({"a": true})), Err(Cause::Parse), "{open}");
    }
}

#[test]
fn long_chains_are_no_deep_trees() {
    assert_eq!(ends(&format!("${{0{}}}", "+1".repeat(4_990)), &json!({})), Ok(json!(4_990)));
    assert_eq!(ends(&format!("${{true{}}}", " and true".repeat(1_100)), &json!({})), Ok(json!(true)));
    assert_eq!(ends(&format!("${{a{}}}", "?.a".repeat(3_300)), &json!({})), Ok(Json::Null));
}

#[test]
fn projections_that_double_end_by_the_budget() {
    let doubling = format!("${{{{1,1}}{}}}", ".![{#this,#this}]".repeat(500));
    assert_eq!(ends(&doubling, &json!({})), Err(Cause::Budget));
    let mut nested = "#this".to_owned();
    for _ in 0..40 {
        nested = format!("{{1,2,3}}.![{nested}]");
    }
    assert_eq!(ends(&format!("${{{nested}}}"), &json!({})), Err(Cause::Budget));
}

#[test]
fn results_that_share_parts_are_bounded_when_they_are_written() {
    // Each step is small; written out it would have 2^60 elements.
    let sharing = format!("${{{{1}}{}}}", ".![{#this}][0].?[true]".repeat(30));
    assert!(ends(&sharing, &json!({})).is_ok());
    let printed = format!("${{{{1,1}}{}.toString()}}", ".![{#this,#this}]".repeat(60));
    assert_eq!(ends(&printed, &json!({})), Err(Cause::Budget));
}

#[test]
fn texts_are_bounded_before_they_are_made() {
    for text in [
        "'a'.repeat(2000000000)",
        "'aaaaaaaaaa' * 1000",
        "'a'.repeat(100000).replace('a', 'bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb')",
        "'a'.repeat(100000).replaceAll('a', 'bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb')",
        "'%999999999d'.formatted(1)",
        "'a'.repeat(60000) + 'a'.repeat(60000)",
    ] {
        assert_eq!(ends(&format!("${{{text}}}"), &json!({})), Err(Cause::Budget), "{text}");
    }
}

#[test]
fn regular_expressions_take_linear_time() {
    let victim = json!({"text": "a".repeat(100_000)});
    assert_eq!(ends("${text matches '(a+)+b'}", &victim), Ok(json!(false)));
    assert_eq!(ends("${text matches '(a|a)*b'}", &victim), Ok(json!(false)));
    assert_eq!(ends("${text.replaceAll('(a*)*$', '').length()}", &victim), Ok(json!(0)));
    // What can only be matched by going back is refused.
    for pattern in ["(a)\\1", "(?=a)a", "(?<!a)b", "a++", "(?>a)"] {
        assert!(ends(&format!("${{'a' matches '{pattern}'}}"), &json!({})).is_err(), "{pattern}");
    }
    assert!(ends("${'a' matches '((a{1,99}){1,99}){1,99}'}", &json!({})).is_err());
}

#[test]
fn what_comes_out_is_not_evaluated_again() {
    let names = json!({"payload": "${T(java.lang.System).exit(1)}", "inner": "${secret}", "secret": "s"});
    assert_eq!(ends("${payload}", &names), Ok(json!("${T(java.lang.System).exit(1)}")));
    assert_eq!(ends("x ${inner}", &names), Ok(json!("x ${secret}")));
    // And cannot be smuggled through JSON unless the author says so.
    assert_eq!(ends("${#toJson(inner)}", &names), Err(Cause::Evaluate));
}

#[test]
fn bombs_of_yaml_aliases_and_deep_json_are_bounded() {
    let mut bomb = "a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n".to_owned();
    for i in 1..12 {
        bomb += &format!("a{i}: &a{i} [{}]\n", vec![format!("*a{}", i - 1); 10].join(","));
    }
    assert_eq!(ends("${#readYaml(text)}", &json!({"text": bomb})), Err(Cause::Budget));
    assert!(ends("${#readYaml(text)}", &json!({"text": "[".repeat(10_000)})).is_err());
    assert!(ends("${#readJson(text)}", &json!({"text": "[".repeat(10_000)})).is_err());
    assert!(ends("${#readYaml(text)}", &json!({"text": "!!java.net.URL [x]"})).is_err());
}
