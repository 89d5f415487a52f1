//! The comparison over generated events: which differences rsigma's known defects explain, and which they do not.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use anyhow::Context as _;
use saphyr::{LoadableYamlNode as _, Yaml};
use serde_json::Value;

use super::{
    compare::Differences,
    defects::{self, DEFECTS},
    generate::Generator,
    streams::Map,
};

/// How many events of an unexplained difference are shown.
const SHOWN_MAX: usize = 2;

/// Generated events, and the defects that each rule shows.
pub(super) struct Generated {
    /// One event per line.
    pub(super) events: String,
    defects: BTreeMap<String, Vec<usize>>,
}

/// Makes `count` events from each rule whose stream the map knows.
pub(super) fn make(rules: &[PathBuf], map: &Map, count: u32, seed: u64) -> anyhow::Result<Generated> {
    let mut files = Vec::new();
    for folder in rules {
        find(folder, &mut files)?;
    }
    let mut generator = Generator::new(seed);
    let mut generated = Generated { events: String::new(), defects: BTreeMap::new() };
    for file in files {
        let text = fs::read_to_string(&file).with_context(|| format!("cannot read {}", file.display()))?;
        let rules = Yaml::load_from_str(&text).with_context(|| format!("{} is not YAML", file.display()))?;
        for rule in &rules {
            let name = |key| rule.as_mapping_get("logsource")?.as_mapping_get(key)?.as_str();
            let id = rule.as_mapping_get("id").and_then(Yaml::as_str);
            let (Some(id), Some(detection)) = (id, rule.as_mapping_get("detection")) else { continue };
            let is_windows = matches!(name("product"), Some("windows") | None);
            let header = map.header(name("category"), name("service")).filter(|_| is_windows);
            let Some(header) = header else { continue };
            generated.defects.insert(id.to_owned(), defects::of(detection));
            for _ in 0..count {
                generated.events.push_str(&Value::from(generator.event(detection, &header)).to_string());
                generated.events.push('\n');
            }
        }
    }
    Ok(generated)
}

impl Generated {
    /// Prints the differences and returns how many verdicts no defect explains.
    pub(super) fn report(&self, differences: &Differences) -> usize {
        let events: Vec<&str> = self.events.lines().collect();
        let event = |line: u64| usize::try_from(line).ok().and_then(|line| events.get(line.checked_sub(1)?));
        let mut explained = BTreeMap::<usize, usize>::new();
        let mut unexplained = 0;
        println!("{} verdicts in common, {} rules with events", differences.common, self.defects.len());
        for ((rule, direction), lines) in &differences.of_rule {
            let mut open = Vec::new();
            for line in lines {
                let text = event(*line).copied().unwrap_or_default();
                let shown = self.defects.get(rule).map(Vec::as_slice).unwrap_or_default();
                match defects::explaining(shown, text) {
                    Some(defect) => *explained.entry(defect).or_default() += 1,
                    None => open.push((line, text)),
                }
            }
            unexplained += open.len();
            if !open.is_empty() {
                println!("  UNEXPLAINED: {rule}: {direction}, {}", open.len());
            }
            for (line, text) in open.iter().take(SHOWN_MAX) {
                println!("    line {line}: {text}");
            }
        }
        for (defect, count) in explained {
            if let Some(defect) = DEFECTS.get(defect) {
                println!("  {count:>6} explained: rsigma: {} ({})", defect.what, defect.spec);
            }
        }
        unexplained
    }
}

/// Every rule file of a folder, in the order of their names.
fn find(folder: &Path, files: &mut Vec<PathBuf>) -> anyhow::Result<()> {
    let entries = fs::read_dir(folder).with_context(|| format!("cannot read {}", folder.display()))?;
    let mut paths = entries.map(|entry| Ok(entry?.path())).collect::<anyhow::Result<Vec<_>>>()?;
    paths.sort();
    for path in paths {
        if path.is_dir() {
            find(&path, files)?;
        } else if path.extension().is_some_and(|extension| extension == "yml") {
            files.push(path);
        }
    }
    Ok(())
}
