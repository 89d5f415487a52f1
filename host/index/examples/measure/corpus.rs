//! The rules: what they read, and their prefilters with variants.

use std::{fs, path::PathBuf};

use sandtrap_compiler::{Options, compile};
use sandtrap_formats::binding::Wanted;
use sandtrap_wit::{
    plan::{Node, Rows},
    prefilter::{Prefilter, Test},
};
use walkdir::WalkDir;

/// Compiled rules that read a stream.
#[derive(Debug, Default)]
pub(crate) struct Corpus {
    rules: Vec<Rule>,
    /// What they want of each stream.
    pub(crate) wanted: Vec<Wanted>,
}

/// A rule.
#[derive(Debug)]
pub(crate) struct Rule {
    /// The place of its stream in [`Corpus::wanted`].
    pub(crate) stream: usize,
    /// Where each of its columns is among those of the stream.
    pub(crate) columns: Vec<usize>,
    prefilter: Prefilter,
}

impl Corpus {
    /// Compiles all rules in some folders. What does not compile is left out.
    pub(crate) fn compile(folders: &[PathBuf]) -> Self {
        let mut corpus = Self::default();
        let entries = folders.iter().flat_map(|folder| WalkDir::new(folder).sort_by_file_name());
        for file in
            entries.filter_map(Result::ok).filter(|entry| entry.path().extension().is_some_and(|it| it == "yml"))
        {
            let Ok(text) = fs::read_to_string(file.path()) else { continue };
            let compiled = compile(&file.path().to_string_lossy(), &text, &Options::default());
            for manifest in compiled.into_iter().filter_map(|compiled| compiled.manifest) {
                corpus.add(&manifest.plan.nodes);
            }
        }
        corpus
    }

    fn add(&mut self, nodes: &[Node]) {
        let Some(Node::Source(source)) = nodes.first() else { return };
        let Rows::Stream(stream) = &source.rows else { return };
        let place = self.wanted.iter().position(|wanted| wanted.stream == *stream).unwrap_or_else(|| {
            self.wanted.push(Wanted { stream: stream.clone(), columns: Vec::new() });
            self.wanted.len() - 1
        });
        let Some(wanted) = self.wanted.get_mut(place) else { return };
        let mut columns = Vec::with_capacity(source.columns.len());
        for column in &source.columns {
            columns.push(wanted.columns.iter().position(|known| known == column).unwrap_or_else(|| {
                wanted.columns.push(column.clone());
                wanted.columns.len() - 1
            }));
        }
        self.rules.push(Rule { stream: place, columns, prefilter: source.prefilter.clone() });
    }

    /// How many rules there are.
    pub(crate) fn len(&self) -> usize {
        self.rules.len()
    }

    /// The rules in order.
    pub(crate) fn rules(&self) -> &[Rule] {
        &self.rules
    }

    /// The prefilters of all rules, as they are for 0, else with one character of the last third of each literal changed.
    pub(crate) fn variant(&self, number: usize) -> Vec<Prefilter> {
        let mut prefilters: Vec<Prefilter> = self.rules.iter().map(|rule| rule.prefilter.clone()).collect();
        let atoms =
            prefilters.iter_mut().flat_map(|prefilter| &mut prefilter.clauses).flat_map(|clause| &mut clause.atoms);
        for atom in atoms.filter(|_| number > 0) {
            let (Test::Contains(literal) | Test::Prefix(literal) | Test::Suffix(literal) | Test::Equals(literal)) =
                &mut atom.test
            else {
                continue;
            };
            *literal = changed(literal, number);
        }
        prefilters
    }
}

fn changed(literal: &str, number: usize) -> String {
    let mut characters: Vec<char> = literal.chars().collect();
    let length = characters.len();
    let third = length.div_ceil(3).max(1);
    if let Some(character) = characters.get_mut((length - length.min(third)) + number % third) {
        let letter = u8::try_from((number * 5 + length) % 25).unwrap_or_default();
        let other = char::from(b'a' + letter);
        *character = if other == *character { 'z' } else { other };
    }
    characters.into_iter().collect()
}
