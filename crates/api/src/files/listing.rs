//! A folder as a page with links.

use super::folder::Entry;
use super::path::encode;

/// The page for `path` (no slash at its ends) with these entries.
pub fn render(path: &str, entries: &[Entry]) -> String {
    let title = escape(&format!("/{path}"));
    let mut page =
        format!("<!doctype html>\n<meta charset=\"utf-8\">\n<title>{title}</title>\n<h1>{title}</h1>\n<pre>\n");
    if !path.is_empty() {
        page += "<a href=\"../\">../</a>\n";
    }
    for entry in entries {
        let slash = if entry.folder { "/" } else { "" };
        // "./" keeps a name with a colon from being read as a scheme.
        page += &format!("<a href=\"./{}{slash}\">{}{slash}</a>\n", encode(&entry.name), escape(&entry.name));
    }
    page + "</pre>\n"
}

/// A text as it stands in a page.
pub fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => out += "&amp;",
            '<' => out += "&lt;",
            '>' => out += "&gt;",
            '"' => out += "&quot;",
            '\'' => out += "&#39;",
            // Control characters and marks that turn the direction of a text would show another name than there is.
            c if c.is_control()
                || matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}') =>
            {
                out.push('\u{fffd}')
            }
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_inert() {
        let names = ["a<script>.deb", "\"x\"&'y'", "javascript:alert(1)", "gpj.\u{202e}bed"];
        let entries: Vec<_> = names.iter().map(|name| Entry { name: (*name).into(), folder: false }).collect();
        let page = render("pool/<b>", &entries);
        assert!(page.contains("<a href=\"./a%3Cscript%3E.deb\">a&lt;script&gt;.deb</a>"), "{page}");
        assert!(page.contains("<a href=\"./%22x%22%26%27y%27\">&quot;x&quot;&amp;&#39;y&#39;</a>"), "{page}");
        assert!(page.contains("<a href=\"./javascript%3Aalert%281%29\">"), "{page}");
        assert!(page.contains(">gpj.\u{fffd}bed<") && page.contains("<h1>/pool/&lt;b&gt;</h1>"), "{page}");
    }
}
