//! Sets of rules of a given size: some of the corpus, all of it, or more than there is by way of [`super::variants`].

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, ensure};

use super::variants::{self, Tally};

/// How many variants of a rule there are at most.
const VARIANTS_MAX: usize = 3;

/// The rules that sets are made of.
pub(super) struct Sets {
    folder: PathBuf,
    corpus: Vec<PathBuf>,
    /// Those that were written so far, one set of all rules after the other.
    variants: Vec<PathBuf>,
    tally: Tally,
}

impl Sets {
    /// From the rule files below some folders; what is made goes into `folder`.
    pub(super) fn new(rules: &[PathBuf], folder: &Path) -> anyhow::Result<Self> {
        let mut corpus = Vec::new();
        for path in rules {
            find(path, &mut corpus)?;
        }
        ensure!(!corpus.is_empty(), "no rules");
        Ok(Self { folder: folder.to_owned(), corpus, variants: Vec::new(), tally: Tally::default() })
    }

    /// How many rules the corpus has.
    pub(super) fn corpus(&self) -> usize {
        self.corpus.len()
    }

    /// A list of so many rules: from all over the corpus if it has more, with variants if it has fewer. Returns the list's
    /// file and how many rules it has.
    pub(super) fn list(&mut self, size: usize) -> anyhow::Result<(PathBuf, usize)> {
        let whole = self.corpus.len();
        let size = size.min(whole * (1 + VARIANTS_MAX));
        while whole + self.variants.len() < size {
            self.vary()?;
        }
        let rules: Vec<&PathBuf> = if size < whole {
            (0..size).map(|at| &self.corpus[at * whole / size]).collect()
        } else {
            self.corpus.iter().chain(&self.variants[..size - whole]).collect()
        };
        let path = self.folder.join(format!("rules-{size}.txt"));
        let text: Vec<String> = rules.iter().map(|rule| format!("{}\n", rule.display())).collect();
        fs::write(&path, text.concat()).with_context(|| format!("cannot write {}", path.display()))?;
        Ok((path, size))
    }

    /// What became of the values of the rules that were varied.
    pub(super) fn tally(&self) -> &Tally {
        &self.tally
    }

    /// Writes one more variant of every rule.
    fn vary(&mut self) -> anyhow::Result<()> {
        let nth = self.variants.len() / self.corpus.len();
        let folder = self.folder.join(format!("variant-{nth}"));
        fs::create_dir_all(&folder).with_context(|| format!("cannot create {}", folder.display()))?;
        let mut names: BTreeMap<&str, usize> = BTreeMap::new();
        for rule in &self.corpus {
            let name = rule.file_stem().and_then(|name| name.to_str()).context("a rule without a name")?;
            let count = names.entry(name).or_default();
            let to = folder.join(format!("{name}-{count}.yml"));
            *count += 1;
            variants::write(rule, nth, &to, &mut self.tally)?;
            self.variants.push(to);
        }
        Ok(())
    }
}

/// Adds a file, or every rule file of a folder, in the order of their names.
fn find(path: &Path, files: &mut Vec<PathBuf>) -> anyhow::Result<()> {
    if !path.is_dir() {
        files.push(path.to_owned());
        return Ok(());
    }
    let entries = fs::read_dir(path).with_context(|| format!("cannot read {}", path.display()))?;
    let mut paths = entries.map(|entry| Ok(entry?.path())).collect::<Result<Vec<_>, std::io::Error>>()?;
    paths.sort();
    for path in paths {
        if path.is_dir() || path.extension().is_some_and(|extension| extension == "yml") {
            find(&path, files)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_set_is_a_part_of_the_corpus_or_more_than_it() -> anyhow::Result<()> {
        let folder = tempfile::tempdir()?;
        let rules = folder.path().join("rules");
        fs::create_dir(&rules)?;
        for name in ["a", "b", "c", "d"] {
            let rule = format!("id: {name}\ndetection: {{sel: {{Image: evil.exe}}, condition: sel}}\n");
            fs::write(rules.join(name).with_extension("yml"), rule)?;
        }
        let mut sets = Sets::new(&[rules], folder.path())?;
        for (asked, size, first) in
            [(2, 2, ["a.yml", "c.yml"]), (4, 4, ["a.yml", "b.yml"]), (99, 16, ["a.yml", "b.yml"])]
        {
            let (list, found) = sets.list(asked)?;
            let text = fs::read_to_string(list)?;
            let files: Vec<&Path> = text.lines().map(Path::new).collect();
            assert_eq!((found, files.len()), (size, size));
            assert!(files.iter().zip(first).all(|(file, name)| file.ends_with(name)), "{files:?}");
            assert!(files.iter().all(|file| file.is_file()));
        }
        assert_eq!(sets.tally().changed, 12);
        Ok(())
    }
}
