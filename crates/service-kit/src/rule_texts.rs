//! Reading the folder of rules as texts: what is in them is the domain's business.

use std::io;
use std::path::Path;

/// Every TOML text below the folder, sorted by its path with `/` as separator, e.g. `calendars/national-2026.toml`.
///
/// An error names the path.
pub fn read(folder: &Path) -> io::Result<Vec<(String, String)>> {
    let mut files = Vec::new();
    collect(folder, folder, &mut files)?;
    files.sort();
    Ok(files)
}

fn collect(root: &Path, folder: &Path, files: &mut Vec<(String, String)>) -> io::Result<()> {
    let named = |path: &Path, error: &io::Error| io::Error::new(error.kind(), format!("{}: {error}", path.display()));
    for entry in std::fs::read_dir(folder).map_err(|error| named(folder, &error))? {
        let path = entry?.path();
        if path.is_dir() {
            collect(root, &path, files)?;
        } else if path.extension().is_some_and(|extension| extension == "toml") {
            let parts: Vec<_> =
                path.strip_prefix(root).unwrap_or(&path).iter().map(|part| part.to_string_lossy()).collect();
            let text = std::fs::read_to_string(&path).map_err(|error| named(&path, &error))?;
            files.push((parts.join("/"), text));
        }
    }
    Ok(())
}
