//! The streams map of a run: the files of a folder, which come first, before the built-in one.

use std::{
    fs,
    path::{Path, PathBuf},
};

use sandtrap_formats::streams::StreamMap;

/// The longest streams file that is read, in bytes.
const STREAMS_FILE_BYTES_MAX: u64 = 4 << 20;

/// The built-in map, behind the maps of the `.yaml` and `.yml` files in `folder`, in the order of their names. An error
/// names the file.
pub fn stream_map(folder: Option<&Path>) -> Result<StreamMap, String> {
    let mut map: Option<StreamMap> = None;
    for file in folder.map_or_else(|| Ok(Vec::new()), files_of)? {
        let named = |error: &dyn std::fmt::Display| format!("{}: {error}", file.display());
        let bytes = fs::metadata(&file).map_err(|error| named(&error))?.len();
        if bytes > STREAMS_FILE_BYTES_MAX {
            return Err(named(&format!(
                "the file has {bytes} bytes; it may have {} MiB",
                STREAMS_FILE_BYTES_MAX >> 20
            )));
        }
        let text = fs::read_to_string(&file).map_err(|error| named(&error))?;
        let parsed = StreamMap::parse(&file.to_string_lossy(), &text).map_err(|error| error.to_string())?;
        match &mut map {
            Some(map) => map.extend(parsed),
            None => map = Some(parsed),
        }
    }
    let built_in = StreamMap::built_in().map_err(|error| error.to_string())?;
    Ok(match map {
        Some(mut map) => {
            map.extend(built_in);
            map
        }
        None => built_in,
    })
}

fn files_of(folder: &Path) -> Result<Vec<PathBuf>, String> {
    let named = |error: std::io::Error| format!("{}: {error}", folder.display());
    let entries = fs::read_dir(folder).map_err(named)?;
    let paths = entries.map(|entry| entry.map(|entry| entry.path())).collect::<Result<Vec<_>, _>>().map_err(named)?;
    let is_yaml = |path: &PathBuf| path.extension().is_some_and(|extension| extension == "yaml" || extension == "yml");
    let mut files: Vec<_> = paths.into_iter().filter(is_yaml).collect();
    files.sort();
    if files.is_empty() {
        return Err(format!("{}: there is no .yaml file in this folder", folder.display()));
    }
    Ok(files)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_s_files_come_before_the_built_in_map() {
        let folder = tempfile::tempdir().expect("a folder");
        let error = stream_map(Some(folder.path())).expect_err("an empty folder is a mistake");
        assert!(error.contains("there is no .yaml file"), "{error}");

        let mapping = "format: 1\nphysical:\n  Kind: [kind]\nmappings:\n  - name: ours\n    when: {Kind: login}\n    stream: OurLogins\n    fields: {User: user}\n";
        fs::write(folder.path().join("ours.yaml"), mapping).expect("a file");
        let streams = stream_map(Some(folder.path())).expect("a sound map").streams();
        assert_eq!(streams.first().map(AsRef::as_ref), Some("OurLogins"));
        assert!(streams.iter().any(|stream| &**stream == "DeviceNetworkEvents"), "the built-in map is there too");

        fs::write(folder.path().join("z.yml"), "format: 99\n").expect("a file");
        let error = stream_map(Some(folder.path())).expect_err("no such format");
        assert!(error.contains("z.yml"), "{error}");
    }
}
