//! A streams file to a [`StreamMap`]. The form is described in docs/streams.md.

use std::{collections::HashMap, sync::Arc};

use sandtrap_wit::TICKS_PER_SECOND;

use super::{
    map::{Condition, Fields, Mapping, StreamMap, Unlisted},
    node::{Node, Result, with_root},
    source::{Physical, PhysicalNames, Source},
};

/// The version of the form that is read here.
const FORMAT: &str = "1";

type FieldList = Vec<(String, Arc<[Source]>)>;

pub(super) fn parse(file: &str, text: &str) -> Result<StreamMap> {
    with_root(file, text, |root| {
        let [format, physical, containers, time, tables, groups, mappings] =
            root.record(["format", "physical", "containers", "time", "tables", "groups", "mappings"])?;
        let format = root.required("format", format)?;
        if format.text()? != FORMAT {
            return Err(format.error(format!("this version of Sandtrap reads format {FORMAT}")));
        }
        let names = Arc::new(PhysicalNames::parse(physical, containers)?);
        let time = time.map_or(Ok(Arc::default()), |node| names.sources(&node))?;
        let groups = groups.map_or(Ok(Vec::new()), |node| {
            node.entries()?
                .into_iter()
                .map(|(name, group)| Ok((name, names.fields(&group)?)))
                .collect::<Result<Vec<_>>>()
        })?;
        let mut map = StreamMap { names: Arc::clone(&names), ..StreamMap::default() };
        map.rows.unlisted = Unlisted::OwnName(Arc::default());
        if let Some(tables) = tables {
            parse_tables(&tables, &mut map)?;
        }
        for mapping in mappings.map_or(Ok(Vec::new()), |node| node.sequence())? {
            parse_mapping(&mapping, &names, &groups, &time, &mut map)?;
        }
        Ok(map)
    })
}

fn parse_tables(node: &Node<'_>, map: &mut StreamMap) -> Result<()> {
    let [tables, time, fields, found] = node.record(["names", "time", "fields", "found"])?;
    let tables = node.required("names", tables)?.texts()?;
    // A row's fields are its columns: neither `physical` nor `containers` say anything about them.
    let own = Arc::new(PhysicalNames::default());
    map.rows = Fields {
        listed: fields.map_or(Ok(Vec::new()), |node| own.fields(&node))?.into_iter().collect(),
        unlisted: Unlisted::OwnName(Arc::default()),
        no_value: Arc::default(),
        time: time.map_or(Ok(Arc::default()), |node| own.sources(&node))?,
    };
    for shape in node.required("found", found)?.sequence()? {
        let [named_by, prefix, row] = shape.record(["named_by", "prefix", "row"])?;
        let paths = shape.required("named_by", named_by)?.texts()?;
        let prefix = prefix.map_or(Ok(String::new()), |node| node.text())?;
        let row = row.map(|node| node.text()).transpose()?;
        let discriminator = map.discriminator(Physical(paths.into()));
        // Defender's envelope has a time of its own, but a row's columns say the same more exactly.
        for table in &tables {
            map.mappings.push(Mapping {
                stream: table.as_str().into(),
                conditions: vec![Condition { discriminator, any_of: vec![format!("{prefix}{table}")] }],
                row: row.clone(),
                fields: map.rows.clone(),
            });
        }
    }
    Ok(())
}

fn parse_mapping(
    node: &Node<'_>,
    names: &Arc<PhysicalNames>,
    groups: &[(&str, FieldList)],
    time: &Arc<[Source]>,
    map: &mut StreamMap,
) -> Result<()> {
    let [name, when, stream, groups_used, no_value, other, fields] =
        node.record(["name", "when", "stream", "use", "no_value", "other_fields", "fields"])?;
    node.required("name", name)?.text()?;
    let when = node.required("when", when)?;
    let mut conditions = Vec::new();
    for (field, accepted) in when.entries()? {
        let discriminator = map.discriminator(names.physical(field));
        conditions.push(Condition { discriminator, any_of: accepted.texts()? });
    }
    if conditions.is_empty() {
        return Err(when.error("a mapping without a condition would take every event; name at least one field"));
    }
    let mut listed = HashMap::new();
    for used in groups_used.map_or(Ok(Vec::new()), |node| node.sequence())? {
        let name = used.text()?;
        let (_, group) = groups.iter().find(|(known, _)| *known == name).ok_or_else(|| {
            let known: Vec<&str> = groups.iter().map(|(known, _)| *known).collect();
            used.error(format!("there is no group `{name}`; the groups are {}", known.join(", ")))
        })?;
        listed.extend(group.iter().cloned());
    }
    listed.extend(fields.map_or(Ok(Vec::new()), |node| names.fields(&node))?);
    let unlisted = match other {
        None => Unlisted::Absent,
        Some(other) if other.text()? == "own-name" => Unlisted::OwnName(Arc::clone(names)),
        Some(other) => return Err(other.error("expected `own-name`; leave the key out for no other fields")),
    };
    map.mappings.push(Mapping {
        stream: node.required("stream", stream)?.text()?.into(),
        conditions,
        row: None,
        fields: Fields {
            listed,
            unlisted,
            no_value: no_value.map_or(Ok(Vec::new()), |node| node.texts())?.into(),
            time: Arc::clone(time),
        },
    });
    Ok(())
}

/// Reading what builds on the names of physical fields.
impl PhysicalNames {
    fn parse(physical: Option<Node<'_>>, containers: Option<Node<'_>>) -> Result<Self> {
        let listed = physical.map_or(Ok(HashMap::new()), |node| {
            let entry = |(name, paths): (&str, Node<'_>)| Ok((name.to_owned(), Physical(paths.texts()?.into())));
            node.entries()?.into_iter().map(entry).collect()
        })?;
        Ok(Self { listed, containers: containers.map_or(Ok(Vec::new()), |node| node.texts())? })
    }

    /// One place for the paths of several fields, in order.
    fn alternatives(&self, node: &Node<'_>) -> Result<Physical> {
        let paths = node.texts()?.iter().flat_map(|name| self.physical(name).0.to_vec()).collect();
        Ok(Physical(paths))
    }

    fn fields(&self, node: &Node<'_>) -> Result<FieldList> {
        node.entries()?.into_iter().map(|(name, sources)| Ok((name.to_owned(), self.sources(&sources)?))).collect()
    }

    fn sources(&self, node: &Node<'_>) -> Result<Arc<[Source]>> {
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
                 FIELD}, {epoch_millis: FIELD}, {hash: NAME, of: FIELD}, {words: {FROM: TO}, of: FIELD}, {join: \
                 [FIELD], with: TEXT}",
            )),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LEAST: &str = "format: 1\nmappings:\n  - name: n\n    when: {EventID: 1}\n    stream: S\n";

    #[test]
    fn the_least_file_is_read() {
        let map = parse("least.yaml", LEAST);
        assert_eq!(map.map(|map| map.streams()), Ok(vec!["S".into()]));
    }

    #[test]
    fn the_built_in_map_is_read() {
        let streams = StreamMap::built_in().map(|map| map.streams().len());
        assert_eq!(streams, Ok(13), "every table; the mapped ones are among them");
    }

    #[test]
    fn mistakes_are_named_with_their_place() {
        let mapping = |rest: &str| format!("{LEAST}    {rest}\n");
        for (text, expected) in [
            (String::new(), "f.yaml:1: the file is empty; expected one YAML document"),
            ("format: [".into(), "f.yaml:2: not YAML: "),
            ("- a".into(), "f.yaml:1: `the document`: expected `key: value` pairs, found a list"),
            ("mappings: []".into(), "f.yaml:1: `the document`: the key `format` is missing"),
            ("format: 2".into(), "f.yaml:1: `format`: this version of Sandtrap reads format 1"),
            (
                "format: 1\nmapings: []".into(),
                "f.yaml:2: `mapings`: is not known here; the keys of `the document` are format, physical, containers, time, \
                 tables, groups, mappings",
            ),
            ("format: 1\nmappings: {}".into(), "f.yaml:2: `mappings`: expected a list, found a mapping"),
            ("format: 1\nmappings:\n  - name: n".into(), "f.yaml:3: `mappings`: the key `when` is missing"),
            (mapping("use: [g]"), "f.yaml:6: `use`: there is no group `g`; the groups are "),
            (mapping("other_fields: guess"), "f.yaml:6: `other_fields`: expected `own-name`; leave the key out for no"),
            (mapping("fields: {A: {hash: MD5}}"), "f.yaml:6: `A`: expected one of {constant: TEXT}"),
            (mapping("fields: {A: {magic: B}}"), "f.yaml:6: `A`: expected one of {constant: TEXT}"),
            (mapping("fields: {A: 1.5}"), "f.yaml:6: `A`: expected a text, found a fraction"),
            (mapping("fields: {A: [[B]]}"), "f.yaml:6: `A`: expected a text, found a list"),
            (mapping("fields: {1: B}"), "f.yaml:6: a key is a text; put it in quotes"),
            (mapping("name: again"), "f.yaml:6: the key `name` is there twice"),
            (
                LEAST.replace("{EventID: 1}", "{}"),
                "f.yaml:4: `when`: a mapping without a condition would take every event",
            ),
        ] {
            let error = parse("f.yaml", &text).err().map(|error| error.to_string()).unwrap_or_default();
            assert!(error.starts_with(expected), "{text}\n{error}");
        }
    }
}
