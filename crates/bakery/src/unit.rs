//! systemd units, as far as they say what an instance runs: `ExecStart`, `Environment`, `EnvironmentFile`, `WorkingDirectory`, `User`.

use std::collections::BTreeMap;

/// What a unit says about its process.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Unit {
    /// Program and arguments of the first `ExecStart`.
    pub command: Vec<String>,
    /// Its environment.
    pub env: BTreeMap<String, String>,
    /// Files with further environment: path, and whether it may be missing.
    pub env_files: Vec<(String, bool)>,
    /// Where it runs.
    pub directory: Option<String>,
    /// As whom it runs.
    pub user: Option<String>,
}

impl Unit {
    /// Reads a unit file. Unknown sections and keys are passed over; what is read must be well-formed.
    pub fn parse(text: &str) -> Result<Unit, String> {
        let mut unit = Unit::default();
        let mut section = String::new();
        for line in logical_lines(text) {
            let line = line.trim();
            if let Some(name) = line.strip_prefix('[').and_then(|l| l.strip_suffix(']')) {
                section = name.to_owned();
            } else if section == "Service"
                && let Some((key, value)) = line.split_once('=')
            {
                unit.set(key.trim(), value.trim())?;
            }
        }
        Ok(unit)
    }

    fn set(&mut self, key: &str, value: &str) -> Result<(), String> {
        match key {
            // An empty value clears the list, as drop-ins do it.
            "ExecStart" if value.is_empty() => self.command.clear(),
            "ExecStart" if self.command.is_empty() => self.command = command(value)?,
            "Environment" if value.is_empty() => self.env.clear(),
            "Environment" => {
                for word in words(value)? {
                    let (name, value) = word
                        .split_once('=')
                        .ok_or_else(|| format!("Environment= holds \"{word}\", which is not NAME=VALUE"))?;
                    self.env.insert(name.to_owned(), value.to_owned());
                }
            }
            "EnvironmentFile" if value.is_empty() => self.env_files.clear(),
            "EnvironmentFile" => {
                let optional = value.starts_with('-');
                let path = value.trim_start_matches('-').to_owned();
                self.env_files.push((path, optional));
            }
            "WorkingDirectory" => {
                let path = value.trim_start_matches('-');
                self.directory = path.starts_with('/').then(|| path.to_owned());
            }
            "User" => self.user = (!value.is_empty()).then(|| value.to_owned()),
            _ => {}
        }
        Ok(())
    }

    /// Adds what an environment file says: `NAME=value` lines, quotes around values, `#` and `;` comments.
    pub fn add_env_file(&mut self, text: &str) {
        for line in text.lines() {
            let line = line.trim();
            if line.starts_with(['#', ';']) {
                continue;
            }
            if let Some((name, value)) = line.split_once('=') {
                let value = value.trim();
                let inner = ['"', '\''].iter().find_map(|q| value.strip_prefix(*q).and_then(|v| v.strip_suffix(*q)));
                self.env.insert(name.trim().to_owned(), inner.unwrap_or(value).to_owned());
            }
        }
    }
}

/// Joins lines that end with a backslash; drops comments and empty lines.
fn logical_lines(text: &str) -> Vec<String> {
    let mut lines = Vec::new();
    let mut open = String::new();
    for line in text.lines() {
        let trimmed = line.trim_start();
        if trimmed.starts_with(['#', ';']) {
            continue;
        }
        match line.strip_suffix('\\') {
            Some(part) => {
                open.push_str(part);
                open.push(' ');
            }
            None => {
                open.push_str(line);
                lines.push(std::mem::take(&mut open));
            }
        }
    }
    lines.push(open);
    lines
}

fn command(value: &str) -> Result<Vec<String>, String> {
    let mut command = words(value)?;
    let Some(program) = command.first_mut() else {
        return Ok(command);
    };
    // `-` ignores failure, `@` sets argv[0], `:` `+` `!` concern expansion and rights: none changes which program runs.
    let named_by_next = program.chars().take_while(|c| "-@:+!".contains(*c)).any(|c| c == '@');
    *program = program.trim_start_matches(['-', '@', ':', '+', '!']).to_owned();
    if program.is_empty() {
        return Err(format!("ExecStart={value} names no program"));
    }
    if named_by_next && command.len() > 1 {
        command.remove(1);
    }
    if let Some(odd) = command.iter().find(|w| w.contains('%') && !w.contains("%%")) {
        return Err(format!("ExecStart= holds \"{odd}\": specifiers with % are not known here"));
    }
    Ok(command.into_iter().map(|w| w.replace("%%", "%")).collect())
}

/// Words as systemd splits them: blanks, `"…"`, `'…'`, backslash escapes.
fn words(text: &str) -> Result<Vec<String>, String> {
    let mut words = Vec::new();
    let mut chars = text.chars().peekable();
    loop {
        while chars.next_if(|c| c.is_whitespace()).is_some() {}
        if chars.peek().is_none() {
            return Ok(words);
        }
        let mut word = String::new();
        let mut quote = None;
        loop {
            match (chars.next(), quote) {
                (None, None) => break,
                (None, Some(q)) => return Err(format!("a {q} is never closed in: {text}")),
                (Some(c), None) if c.is_whitespace() => break,
                (Some(c @ ('"' | '\'')), None) => quote = Some(c),
                (Some(c), Some(q)) if c == q => quote = None,
                (Some('\\'), _) => match chars.next() {
                    Some('n') => word.push('\n'),
                    Some('t') => word.push('\t'),
                    Some('s') => word.push(' '),
                    Some(c) => word.push(c),
                    None => return Err(format!("a \\ stands at the end of: {text}")),
                },
                (Some(c), _) => word.push(c),
            }
        }
        words.push(word);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_service_section_says_what_runs() {
        let unit = Unit::parse(
            "[Unit]\nDescription=x\n[Service]\n# a comment\nEnvironment=PORT=8080 \"TITLE=a b\"\n\
             EnvironmentFile=-/etc/default/hello\nWorkingDirectory=/srv\nUser=www-data\n\
             ExecStart=-/usr/bin/env node \\\n  /usr/lib/hello/server.js 'one two' 100%%\n[Install]\nExecStart=/no\n",
        )
        .unwrap();
        assert_eq!(unit.command, ["/usr/bin/env", "node", "/usr/lib/hello/server.js", "one two", "100%"]);
        assert_eq!(unit.env["PORT"], "8080");
        assert_eq!(unit.env["TITLE"], "a b");
        assert_eq!(unit.env_files, [("/etc/default/hello".to_owned(), true)]);
        assert_eq!(unit.directory.as_deref(), Some("/srv"));
        assert_eq!(unit.user.as_deref(), Some("www-data"));
    }

    #[test]
    fn what_cannot_be_meant_is_refused() {
        let error = |line: &str| Unit::parse(&format!("[Service]\n{line}\n")).unwrap_err();
        assert!(error("ExecStart=/bin/x \"open").contains("never closed"));
        assert!(error("Environment=PORT").contains("not NAME=VALUE"));
        assert!(error("ExecStart=/bin/x %i").contains("specifiers"));
    }

    #[test]
    fn environment_files_are_read_with_their_quotes() {
        let mut unit = Unit::default();
        unit.add_env_file("# comment\nA=1\nB=\"two words\"\n");
        assert_eq!(unit.env["A"], "1");
        assert_eq!(unit.env["B"], "two words");
    }
}
