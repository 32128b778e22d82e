//! The page is embedded when this crate is compiled: a page that was built or changed since must be embedded anew.

fn main() -> std::io::Result<()> {
    let dist = "../../web/dist";
    // A folder that is not there would count as changed each time.
    std::fs::create_dir_all(dist)?;
    println!("cargo::rerun-if-changed={dist}");
    Ok(())
}
