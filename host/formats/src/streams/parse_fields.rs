//! The parts of a streams file that say where fields lie: names of physical fields, and sources.

use std::{collections::HashMap, sync::Arc};

use sandtrap_wit::TICKS_PER_SECOND;

use super::{
    node::{Node, Result},
    source::{Physical, PhysicalNames, Source},
};

/// Fields with their sources, in the order of the file.
pub(super) type FieldList = Vec<(String, Arc<[Source]>)>;

impl PhysicalNames {
    pub(super) fn parse(
        physical: Option<Node<'_>>,
        containers: Option<Node<'_>>,
        fallbacks: Option<Node<'_>>,
    ) -> Result<Self> {
        let listed = physical.map_or(Ok(HashMap::new()), |node| {
            let entry = |(name, paths): (&str, Node<'_>)| Ok((name.to_owned(), Physical::at(paths.texts()?)));
            node.entries()?.into_iter().map(entry).collect()
        })?;
        let containers = containers.map_or(Ok(Vec::new()), |node| node.texts())?;
        let fallbacks = fallbacks.map_or(Ok(HashMap::new()), |node| {
            node.entries()?.into_iter().map(|(name, paths)| Ok((name.to_owned(), paths.texts()?))).collect()
        })?;
        Ok(Self { listed, containers, fallbacks, strip: Vec::new() })
    }

    /// The names as a mapping has them that looks into containers of its own, or strips objects.
    pub(super) fn for_mapping(
        self: &Arc<Self>,
        containers: Option<Node<'_>>,
        strip: Option<Node<'_>>,
    ) -> Result<Arc<Self>> {
        if containers.is_none() && strip.is_none() {
            return Ok(Arc::clone(self));
        }
        let mut own = Self::clone(self);
        if let Some(containers) = containers {
            own.containers = containers.texts()?;
        }
        own.strip = strip.map_or(Ok(Vec::new()), |node| node.texts())?;
        Ok(Arc::new(own))
    }

    /// One place for the paths of several fields, in order.
    fn alternatives(&self, node: &Node<'_>) -> Result<Physical> {
        let paths = node.texts()?.into_iter().flat_map(|name| self.physical(&name).0.to_vec());
        Ok(Physical(paths.collect()))
    }

    pub(super) fn fields(&self, node: &Node<'_>) -> Result<FieldList> {
        node.entries()?.into_iter().map(|(name, sources)| Ok((name.to_owned(), self.sources(&sources)?))).collect()
    }

    pub(super) fn sources(&self, node: &Node<'_>) -> Result<Arc<[Source]>> {
        node.one_or_more().iter().map(|source| self.source(source)).collect()
    }

    fn source(&self, node: &Node<'_>) -> Result<Source> {
        if !node.is_mapping() {
            return Ok(Source::Field(self.physical(&node.text()?)));
        }
        let entries = node.entries()?;
        let of = || match entries.iter().find(|(key, _)| *key == "of") {
            Some((_, of)) => self.alternatives(of),
            None => Err(node.error("the key `of` is missing: which field to take it from")),
        };
        match entries.as_slice() {
            [("constant", text)] => Ok(Source::Constant(text.text()?.into())),
            [("file_name", of)] => Ok(Source::FileName(self.alternatives(of)?)),
            [("user", of)] => Ok(Source::User(self.alternatives(of)?)),
            [("domain", of)] => Ok(Source::Domain(self.alternatives(of)?)),
            [("epoch_seconds", of)] => {
                Ok(Source::Epoch { ticks_per_unit: TICKS_PER_SECOND, of: self.alternatives(of)? })
            }
            [("epoch_millis", of)] => {
                Ok(Source::Epoch { ticks_per_unit: TICKS_PER_SECOND / 1000, of: self.alternatives(of)? })
            }
            [("all", of)] => {
                Ok(Source::All(of.texts()?.iter().map(|name| self.physical(name)).collect()))
            }
            [("present", texts)] => {
                let text = |(text, of): (&str, Node<'_>)| Ok((text.to_owned(), self.alternatives(&of)?));
                Ok(Source::Present(texts.entries()?.into_iter().map(text).collect::<Result<_>>()?))
            }
            [("entry", name), ("of", _)] => Ok(Source::Entry { name: name.text()?, of: of()? }),
            [("hash", algorithm), ("of", _)] => Ok(Source::Hash { algorithm: algorithm.text()?, of: of()? }),
            [("words", words), ("of", _)] => {
                let word = |(from, to): (&str, Node<'_>)| Ok((from.to_owned(), to.text()?));
                let words: Result<Vec<_>> = words.entries()?.into_iter().map(word).collect();
                Ok(Source::Words { words: words?.into(), of: of()? })
            }
            [("join", parts), ("with", with)] => {
                let parts: Vec<Physical> = parts.texts()?.iter().map(|name| self.physical(name)).collect();
                Ok(Source::Join { parts, with: with.text()? })
            }
            _ => Err(node.error(
                "expected one of {constant: TEXT}, {file_name: FIELD}, {user: FIELD}, {domain: FIELD}, {epoch_seconds: \
                 FIELD}, {epoch_millis: FIELD}, {all: [FIELD]}, {hash: NAME, of: FIELD}, {words: {FROM: TO}, of: FIELD}, {join: \
                 [FIELD], with: TEXT}, {present: {TEXT: FIELD}}, {entry: NAME, of: FIELD}",
            )),
        }
    }
}
