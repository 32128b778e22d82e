//! Writes so many small packages into a folder, for benchmarks: `packages FOLDER COUNT [FIRST]`.

use std::process::ExitCode;

use testkit::package::package;

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().collect();
    let number = |at: usize| args.get(at).and_then(|text| text.parse::<u32>().ok());
    let (Some(folder), Some(count)) = (args.get(1), number(2)) else {
        eprintln!("usage: packages FOLDER COUNT [FIRST]");
        return ExitCode::from(2);
    };
    let first = number(3).unwrap_or(0);
    for n in first..first + count {
        // Names as they spread in Debian: not one after another in the order of the index.
        let name = format!("{}-{n:06}", ["lib", "app", "python3", "node", "golang"][(n % 5) as usize]);
        package(&name, &format!("1.{}-{}", n % 17, n % 3))
            .architecture("amd64")
            .field("Section", "misc")
            .field("Depends", &format!("libc6 (>= 2.36), app-{:06} (>= 1.0)", n / 2))
            .field("Homepage", &format!("https://{name}.example.org/"))
            .file(&format!("usr/share/doc/{name}/copyright"), 0o644, format!("Copyright {n}\n"))
            .write_to(std::path::Path::new(folder));
    }
    ExitCode::SUCCESS
}
