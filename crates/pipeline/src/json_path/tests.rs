//! Paths by example: what each finds, and how a wrong one is refused.

use serde_json::{Value, json};

use super::{check, find, value};

fn shop() -> Value {
    json!({
        "store": {
            "book": [
                {"category": "reference", "author": "Rees", "title": "Sayings", "price": 8.95},
                {"category": "fiction", "author": "Waugh", "title": "Sword", "price": 12.99},
                {"category": "fiction", "author": "Melville", "title": "Moby Dick", "isbn": "0-553", "price": 8.99},
                {"category": "fiction", "author": "Tolkien", "title": "Lord", "isbn": "0-395", "price": 22.99}
            ],
            "bicycle": {"color": "red", "price": 399}
        },
        "a-b": {"c d": 1, "e.f": 2},
        "limit": 10,
        "none": null
    })
}

#[track_caller]
fn finds(path: &str, expect: Value) {
    assert_eq!(json!(find(&shop(), path).expect(path)), expect, "{path}");
}

#[test]
fn keys_indexes_and_slices() {
    finds("$.store.bicycle.color", json!(["red"]));
    finds("$['store']['bicycle'][\"color\"]", json!(["red"]));
    finds("store.bicycle.color", json!(["red"]));
    finds("  $.limit ", json!([10]));
    finds("$.a-b['c d']", json!([1]));
    finds("$['a-b']['e.f']", json!([2]));
    finds("$['a-b']['\\u0065.f']", json!([2]));
    finds("$.store.book[0].title", json!(["Sayings"]));
    finds("$.store.book[-1].title", json!(["Lord"]));
    finds("$.store.book[0,2].title", json!(["Sayings", "Moby Dick"]));
    finds("$.store.book[1:3].title", json!(["Sword", "Moby Dick"]));
    finds("$.store.book[-2:].title", json!(["Moby Dick", "Lord"]));
    finds("$.store.book[::2].title", json!(["Sayings", "Moby Dick"]));
    finds("$.store.book[::-1].price", json!([22.99, 8.99, 12.99, 8.95]));
    finds("$.store.book[::0].price", json!([]));
    finds("$.store.book[9].title", json!([]));
    finds("$.none", json!([null]));
    finds("$.nothing.at.all", json!([]));
    finds("$.store.book.title", json!([]));
}

#[test]
fn wildcards_and_everything_below() {
    finds("$.store.book[*].author", json!(["Rees", "Waugh", "Melville", "Tolkien"]));
    finds("$.store.book.*.isbn", json!(["0-553", "0-395"]));
    finds("$..price", json!([8.95, 12.99, 8.99, 22.99, 399]));
    finds("$.store..isbn", json!(["0-553", "0-395"]));
    finds("$..book[2].title", json!(["Moby Dick"]));
    finds("$..['color','isbn']", json!(["0-553", "0-395", "red"]));
    finds("$['a-b'].*", json!([1, 2]));
}

#[test]
fn filters() {
    finds("$.store.book[?(@.isbn)].title", json!(["Moby Dick", "Lord"]));
    finds("$.store.book[?@.isbn].title", json!(["Moby Dick", "Lord"]));
    finds("$.store.book[?(!@.isbn)].title", json!(["Sayings", "Sword"]));
    finds("$.store.book[?(@.price < 10)].title", json!(["Sayings", "Moby Dick"]));
    finds("$.store.book[?(@.price > $.limit)].title", json!(["Sword", "Lord"]));
    finds("$.store.book[?(@.category=='fiction' && @.price<20)].title", json!(["Sword", "Moby Dick"]));
    finds("$.store.book[?(@.author == 'Rees' || (@.isbn && @.price >= 22.99))].title", json!(["Sayings", "Lord"]));
    finds("$.store.book[?(@.author =~ /.*l.*e/i)].title", json!(["Moby Dick"]));
    finds("$.store.book[?(@.author =~ /olk/)].title", json!([]));
    finds("$.store.book[?search(@.author, 'olk')].title", json!(["Lord"]));
    finds("$.store.book[?match(@.isbn, '0-3.*')].title", json!(["Lord"]));
    finds("$.store.book[?(@.author in ['Rees', 'Waugh'])].title", json!(["Sayings", "Sword"]));
    finds("$.store.book[?(@.author nin ['Rees', 'Waugh'])].title", json!(["Moby Dick", "Lord"]));
    finds("$.store.book[?length(@.title) == 5].title", json!(["Sword"]));
    finds("$.store.book[?count(@.*) > 4].title", json!(["Moby Dick", "Lord"]));
    finds("$.store.book[?(@.title.length() == 4)].title", json!(["Lord"]));
    finds("$.store.book[?(@.price == 8.95)].author", json!(["Rees"]));
    finds("$.store.book[?(@.isbn == null)].author", json!([]));
    finds("$..[?(@.color == 'red')].price", json!([399]));
}

#[test]
fn a_path_may_end_with_a_function() {
    finds("$.store.book.length()", json!([4]));
    finds("$..price.length()", json!([5]));
    finds("$..price.max()", json!([399]));
    finds("$.store.book[*].price.min()", json!([8.95]));
    finds("$['a-b'].*.sum()", json!([3]));
    finds("$['a-b'].*.avg()", json!([1.5]));
    finds("$['a-b'].keys()", json!([["c d", "e.f"]]));
    finds("$.store.book[*].author.last()", json!(["Tolkien"]));
}

#[test]
fn a_path_to_one_place_gives_one_value_and_any_other_a_list() {
    let one = |path| value(&shop(), path).expect(path);
    assert_eq!(one("$.limit"), Some(json!(10)));
    assert_eq!(one("$.nothing"), None);
    assert_eq!(one("$.store.book[?(@.isbn == '0-395')].title"), Some(json!(["Lord"])));
    assert_eq!(one("$..color"), Some(json!(["red"])));
    assert_eq!(one("$"), Some(shop()));
    assert_eq!(one("$.store.book.length()"), Some(json!(4)));
}

#[test]
fn a_wrong_path_is_refused_with_the_column() {
    let wrong = |path: &str| check(path).expect_err(path).to_string();
    assert_eq!(
        wrong("$.a[b]"),
        "the JSON path '$.a[b]' is wrong at column 5: an index, a slice, '*', a filter '?' or a key in quotes is missing"
    );
    assert_eq!(wrong("$.a['b"), "the JSON path '$.a['b' is wrong at column 7: the text has no end");
    assert_eq!(wrong("$.a)"), "the JSON path '$.a)' is wrong at column 4: ')' does not belong here");
    assert!(wrong("$.").contains("the name of a key is missing"));
    assert!(wrong("$.a[?(@.b == )]").contains("column 14"));
    assert!(wrong("$.a[?(@.b =~ /(/)]").contains("the pattern cannot be used"));
    assert!(wrong("$.a.frobnicate()").contains("there is no function 'frobnicate()'"));
    assert!(wrong("$.a[?(1)]").contains("a comparison is missing"));
    assert!(wrong("$.a[99999999999999999999]").contains("is no whole number"));
}

#[test]
fn hostile_paths_are_bounded_in_length_and_nesting() {
    let long = format!("$.{}", "a".repeat(5000));
    assert!(check(&long).expect_err("too long").to_string().contains("longer than 4096 bytes"));
    let deep = format!("$[?{}@.a{}]", "(".repeat(1500), ")".repeat(1500));
    assert!(check(&deep).expect_err("too deep").to_string().contains("nested more than 24 levels deep"));
    let filters = format!("${}", "[?@".repeat(1300));
    assert!(check(&filters).expect_err("too deep").to_string().contains("nested more than 24 levels deep"));
    let not = format!("$[?{}@.a]", "!".repeat(4000));
    assert!(check(&not).expect_err("too deep").to_string().contains("nested more than 24 levels deep"));
    let regex = "$[?(@.a =~ /(((a{1000}){1000}){1000})/)]";
    assert!(check(regex).expect_err("too large").to_string().contains("cannot be used"));
}

#[test]
fn hostile_searches_are_bounded_in_steps_and_size() {
    let mut chain = json!(1);
    for _ in 0..100 {
        chain = json!([chain]);
    }
    let text = find(&chain, "$..*..*..*..*..*..*").expect_err("a thousand million ways").to_string();
    assert_eq!(text, "the JSON path '$..*..*..*..*..*..*' looks at too many values; make it more exact");
    let wide = json!((0..4000).collect::<Vec<_>>());
    find(&wide, "$[?$[?@ > 9999]]").expect_err("four thousand times four thousand");
    let mut nested = json!("x".repeat(1 << 20));
    for _ in 0..100 {
        nested = json!([nested]);
    }
    find(&nested, "$..*").expect_err("a hundred copies of a megabyte are too much");
}
