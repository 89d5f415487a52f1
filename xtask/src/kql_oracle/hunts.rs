//! The queries that the oracle asks about: the corpus under `SANDTRAP_SHARED`, and the rules that ship here.

use std::fs;

use anyhow::{Context as _, bail};
use saphyr::{LoadableYamlNode as _, Yaml};

use crate::{root, shared};

/// One KQL query.
pub(super) struct Query {
    /// Unique among the queries, and fit for a file name.
    pub(super) id: String,
    /// Where it comes from, for people.
    pub(super) path: String,
    /// Its text.
    pub(super) text: String,
    /// Whether it is one of the collection of RMM hunts that Microsoft's parser accepts, or a rule of ours.
    pub(super) is_hunt: bool,
}

/// Every query there is.
pub(super) fn all() -> anyhow::Result<Vec<Query>> {
    let mut queries = rules()?;
    match shared() {
        Some(folder) => queries.extend(corpus(&folder.join("corpus/kql/queries.jsonl"))?),
        None => eprintln!("SANDTRAP_SHARED is not set: only the queries of rules/ are checked"),
    }
    Ok(queries)
}

/// The queries of rules/remote-access.
fn rules() -> anyhow::Result<Vec<Query>> {
    let folder = root().join("rules/remote-access");
    let entries = fs::read_dir(&folder).with_context(|| format!("cannot read {}", folder.display()))?;
    let mut paths = entries.map(|entry| Ok(entry?.path())).collect::<anyhow::Result<Vec<_>>>()?;
    paths.sort();
    let mut queries = Vec::new();
    for path in paths {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let Some((stem, "yaml")) = name.split_once('.') else { continue };
        let text = fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
        let documents = Yaml::load_from_str(&text).with_context(|| format!("{} is not YAML", path.display()))?;
        let query = documents.first().and_then(|rule| rule.as_mapping_get("query")?.as_str());
        let Some(query) = query else { bail!("{} has no query", path.display()) };
        queries.push(Query { id: stem.to_owned(), path: name.clone(), text: query.to_owned(), is_hunt: true });
    }
    Ok(queries)
}

/// The queries of the corpus.
fn corpus(path: &std::path::Path) -> anyhow::Result<Vec<Query>> {
    let text = fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    let lines = super::tools::parse_lines(&text).with_context(|| path.display().to_string())?;
    let query = |(at, line): (usize, &serde_json::Value)| {
        let field = |name| line[name].as_str().with_context(|| format!("{}:{}: no {name}", path.display(), at + 1));
        let is_hunt = line["corpus"] == "rmm" && line["valid"] == true;
        let (corpus, path) = (field("corpus")?, field("path")?);
        let text = field("query")?.to_owned();
        Ok(Query { id: format!("q{at:04}"), path: format!("{corpus}: {path}"), text, is_hunt })
    };
    lines.iter().enumerate().map(query).collect()
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;

    /// Needs the seeds, which do not ship: it runs only where `SANDTRAP_SHARED` says where they are.
    #[test]
    fn the_rules_have_the_queries_of_the_seeds_unchanged() -> anyhow::Result<()> {
        let Some(shared) = std::env::var_os("SANDTRAP_SHARED").map(PathBuf::from) else { return Ok(()) };
        let rules = rules()?;
        for (seed, id) in [
            ("000_f10ebe18360c83c5.txt", "kvm_hardware_network"),
            ("001_9e0b2a14d143da99.txt", "rmm_rport_network"),
            ("002_334a616ebdc00586.txt", "rmm_level_network"),
            ("004_fd1ee4f245fc473d.txt", "rmm_servereye_network"),
        ] {
            let seed = fs::read_to_string(shared.join("seeds").join(seed))?;
            let rule = rules.iter().find(|rule| rule.id == id).with_context(|| format!("no rule {id}"))?;
            assert!(seed.contains(rule.text.trim_end()), "{id} is not the query of its seed");
        }
        Ok(())
    }
}
