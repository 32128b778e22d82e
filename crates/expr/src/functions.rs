//! The functions of the language itself: `#toJson`, `#toInt` and the like. Those that need an execution or the outside belong to the scope.

use std::rc::Rc;

use base64::Engine as _;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

use crate::convert::{Args, parse_double};
use crate::eval::Evaluation;
use crate::failure::Failure;
use crate::number::Number;
use crate::print::{Reader, to_json, write_json};
use crate::statics::parse_whole;
use crate::value::Value;
use crate::yaml;

type Outcome<'a> = Result<Value<'a>, Failure>;

/// The functions and how many arguments they take.
const FUNCTIONS: [(&str, usize); 12] = [
    ("toJson", 1),
    ("toInt", 1),
    ("toFloat", 1),
    ("toBoolean", 1),
    ("toBase64", 1),
    ("fromBase64", 1),
    ("alphanumerical", 1),
    ("doNotEval", 1),
    ("fetchReference", 1),
    ("readJson", 1),
    ("readYaml", 1),
    ("readAllYaml", 1),
];

/// The functions that are there wherever an expression is evaluated, without `#`.
pub fn names() -> impl Iterator<Item = &'static str> {
    FUNCTIONS.iter().map(|(name, _)| *name)
}

/// Calls `#name(args)`; `None` = it is none of these.
pub(crate) fn call<'a>(_run: &Evaluation<'_, 'a>, name: &str, args: Args<'_, 'a>) -> Option<Outcome<'a>> {
    let (name, count) = FUNCTIONS.iter().find(|(known, _)| *known == name)?;
    if args.all.len() != *count {
        return Some(Err(Failure::new(format!("#{name} takes {count} argument, not {}", args.all.len()))));
    }
    Some(match *name {
        "toJson" => json(args),
        "toInt" => args.text(0).and_then(|text| parse_whole(&text, 10, 32)).map(|n| Value::int(n as i32)),
        "toFloat" => args.text(0).and_then(|text| to_float(&text)),
        "toBoolean" => {
            args.text_or_null(0).map(|text| Value::Bool(text.is_some_and(|text| text.eq_ignore_ascii_case("true"))))
        }
        "toBase64" => args.text(0).map(|text| Value::text(base64::engine::general_purpose::STANDARD.encode(text))),
        "fromBase64" => args.text(0).and_then(|text| from_base64(&text)),
        "alphanumerical" => {
            args.text(0).map(|text| Value::text(text.chars().filter(char::is_ascii_alphanumeric).collect::<String>()))
        }
        "doNotEval" => Ok(Value::Quoted(Rc::new(args.all[0].clone()))),
        "fetchReference" => args.text(0).map(Value::text),
        "readJson" => args.text(0).and_then(|text| read_json(&text, args)),
        "readYaml" => args.text(0).and_then(|text| match yaml::read(&text, args.cost)?.as_slice() {
            [] => Ok(Value::Null),
            [one] => Ok(one.clone()),
            more => Err(Failure::new(format!("the YAML has {} documents: use #readAllYaml", more.len()))),
        }),
        _ => {
            args.text(0).and_then(|text| yaml::read(&text, args.cost)).map(|all| Value::List(all.into_iter().collect()))
        }
    })
}

fn to_float<'a>(text: &str) -> Outcome<'a> {
    parse_double(text)?;
    // Rounded once, from the digits.
    let digits = text.trim().trim_end_matches(['f', 'F', 'd', 'D']);
    let n = digits.parse::<f32>().or_else(|_| parse_double(text).map(|n| n as f32))?;
    Ok(Value::Number(Number::Float(n)))
}

fn json<'a>(args: Args<'_, 'a>) -> Outcome<'a> {
    let (value, quoted) = match &args.all[0] {
        Value::Quoted(inner) => (&**inner, true),
        value => (value, false),
    };
    let text = write_json(&to_json(value, Reader::Function, args.cost)?);
    if !quoted && text.contains("${") {
        return Err(Failure::new(
            "the JSON holds an expression, which would be evaluated later: wrap it in #doNotEval",
        ));
    }
    args.cost.text(text.len())?;
    Ok(Value::text(text))
}

fn from_base64<'a>(text: &str) -> Outcome<'a> {
    let config = GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true);
    let bytes = GeneralPurpose::new(&base64::alphabet::STANDARD, config).decode(text);
    let bytes = bytes.map_err(|_| Failure::new("the text is not base64"))?;
    Ok(Value::text(String::from_utf8_lossy(&bytes).into_owned()))
}

/// Reads the first value of a text: a list when it begins with `[`, else an object. What follows is ignored.
fn read_json<'a>(text: &str, args: Args<'_, 'a>) -> Outcome<'a> {
    args.cost.steps(text.len() / 4)?;
    let wrong = |what: String| Failure::new(format!("the text is no JSON that can be read: {what}"));
    let mut values = serde_json::Deserializer::from_str(text).into_iter::<serde_json::Value>();
    let value =
        values.next().ok_or_else(|| wrong("it is empty".to_owned()))?.map_err(|error| wrong(error.to_string()))?;
    match (&value, text.starts_with('[')) {
        (serde_json::Value::Array(_), true) | (serde_json::Value::Object(_) | serde_json::Value::Null, false) => {
            Ok(Value::made(&value))
        }
        (serde_json::Value::Array(_), false) => Err(wrong("a list must begin with '[' at once".to_owned())),
        _ => Err(wrong("it is neither a list nor an object".to_owned())),
    }
}
