//! Finds the interpreter of a program that lives outside `/usr`, e.g. a Node in `/opt` or in a home folder: an instance's root holds
//! the host's `/usr` only, so such a folder must be bound into it. Pure but for looking at files; the caller gives the server's `PATH`.

use std::io::Read;
use std::os::unix::fs::PermissionsExt;
use std::path::{Component, Path, PathBuf};

/// What an instance needs so that its command is found.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Found {
    /// For [`crate::wanted::Instance::command`].
    pub command: Vec<String>,
    /// For [`crate::wanted::Instance::extra_binds`].
    pub extra_binds: Vec<PathBuf>,
    /// For [`crate::wanted::Instance::path`].
    pub path: Vec<PathBuf>,
}

/// The folders every instance has on its path.
const USUAL: [&str; 6] = ["/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin"];

/// Looks at the command's program, at its `#!` line and through `/usr/bin/env`. What neither the layers nor the host's `/usr` hold, but
/// the server's `PATH` does, is bound: the folder above `bin` when it is an installation of its own (`/opt/node-22`), else the folder
/// with the program. A command that names a missing absolute path (`/usr/bin/node`) is given the one that was found.
pub fn find(command: &[String], layers: &[PathBuf], server_path: &str) -> Found {
    let mut found = Found { command: command.to_vec(), ..Found::default() };
    let Some(program) = command.first() else {
        return found;
    };
    match resolve(program, layers) {
        Some(file) => {
            if let Some((interpreter, argument)) = shebang(&file) {
                let wanted = if is_env(&interpreter) { argument.unwrap_or_default() } else { interpreter };
                // The kernel runs the `#!` line as it stands, so only `env NAME` can be helped by a folder on the path.
                bind(&wanted, layers, server_path, &mut found);
            } else if is_env(program)
                && let Some(name) = command.iter().skip(1).find(|a| !a.starts_with('-') && !a.contains('='))
            {
                bind(name, layers, server_path, &mut found);
            }
        }
        None => {
            if let Some(file) = bind(program, layers, server_path, &mut found) {
                found.command[0] = file.to_string_lossy().into_owned();
            }
        }
    }
    found
}

fn is_env(program: &str) -> bool {
    matches!(program, "/usr/bin/env" | "/bin/env" | "env")
}

/// The file that a name means inside the instance: in a layer, or in the host's `/usr`.
fn resolve(name: &str, layers: &[PathBuf]) -> Option<PathBuf> {
    if name.contains('/') {
        let inside = Path::new(name).strip_prefix("/").unwrap_or(Path::new(name));
        let layered = layers.iter().map(|l| l.join(inside)).find(|p| is_program(p));
        return layered.or_else(|| in_usr(Path::new(name)).then(|| PathBuf::from(name)));
    }
    USUAL.iter().find_map(|folder| resolve(&format!("{folder}/{name}"), layers))
}

/// Whether the host's `/usr` (also by its old names) holds this program, links followed.
fn in_usr(path: &Path) -> bool {
    is_program(path) && std::fs::canonicalize(path).is_ok_and(|real| real.starts_with("/usr"))
}

fn is_program(path: &Path) -> bool {
    std::fs::metadata(path).is_ok_and(|m| m.is_file() && m.permissions().mode() & 0o111 != 0)
}

fn bind(name: &str, layers: &[PathBuf], server_path: &str, found: &mut Found) -> Option<PathBuf> {
    if name.is_empty() || resolve(name, layers).is_some() {
        return None;
    }
    let base = Path::new(name).file_name()?;
    let file = server_path
        .split(':')
        .filter(|f| f.starts_with('/'))
        .map(|f| Path::new(f).join(base))
        .find(|p| is_program(p))?;
    let real = std::fs::canonicalize(&file).ok()?;
    let folder = real.parent()?;
    let whole = folder.parent().filter(|p| {
        folder.file_name().is_some_and(|n| n == "bin")
            && p.components().filter(|c| matches!(c, Component::Normal(_))).count() >= 2
            && p.join("lib").is_dir()
    });
    let shown = whole.unwrap_or(folder);
    if !shown.starts_with("/usr") {
        found.extra_binds.push(shown.to_owned());
    }
    found.path.push(folder.to_owned());
    Some(real)
}

fn shebang(file: &Path) -> Option<(String, Option<String>)> {
    let mut head = [0; 256];
    let n = std::fs::File::open(file).ok()?.read(&mut head).ok()?;
    let line = head[..n].strip_prefix(b"#!")?.split(|b| *b == b'\n').next()?;
    let mut words = std::str::from_utf8(line).ok()?.split_ascii_whitespace();
    Some((words.next()?.to_owned(), words.find(|w| !w.starts_with('-')).map(str::to_owned)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn program(path: &Path, text: &str) {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755)).unwrap();
    }

    fn words(line: &str) -> Vec<String> {
        line.split(' ').map(str::to_owned).collect()
    }

    #[test]
    fn a_program_of_the_host_s_usr_needs_nothing() {
        let found = find(&words("/bin/sh -c true"), &[], "/opt/x/bin");
        assert_eq!(found, Found { command: words("/bin/sh -c true"), ..Found::default() });
    }

    #[test]
    fn a_runtime_outside_usr_is_bound_with_its_whole_installation() {
        let top = tempfile::tempdir().unwrap();
        let top = top.path().canonicalize().unwrap();
        let node = top.join("node-22/bin/nodeling");
        program(&node, "");
        std::fs::create_dir(top.join("node-22/lib")).unwrap();
        let layer = top.join("layer");
        program(&layer.join("usr/bin/hello"), "#!/usr/bin/env nodeling\n");
        let path = format!("/usr/bin:{}", node.parent().unwrap().display());
        let layers = [layer];

        let named = find(&words("/usr/bin/nodeling /usr/share/hello.js"), &layers, &path);
        assert_eq!(named.command, [node.to_str().unwrap(), "/usr/share/hello.js"]);
        assert_eq!(named.extra_binds, [top.join("node-22")]);

        for line in ["/usr/bin/hello", "/usr/bin/env nodeling x.js"] {
            let found = find(&words(line), &layers, &path);
            assert_eq!(found.command, words(line));
            assert_eq!(found.path, [node.parent().unwrap()], "{line}");
        }
    }

    #[test]
    fn a_single_program_in_a_home_folder_does_not_bind_the_home() {
        let home = tempfile::tempdir().unwrap();
        let home = home.path().canonicalize().unwrap();
        program(&home.join("bin/tool"), "");
        let found = find(&words("tool"), &[], home.join("bin").to_str().unwrap());
        assert_eq!(found.extra_binds, [home.join("bin")]);
    }
}
