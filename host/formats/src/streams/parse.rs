//! A streams file to a [`StreamMap`]. The form is described in docs/streams.md.

use std::{collections::HashMap, sync::Arc};

use sandtrap_wit::logsource::Logsource;

use super::{
    condition::{Condition, Discriminator, Test},
    declared::Declared,
    fields::{Fields, Unlisted},
    map::{Mapping, StreamMap, Target},
    node::{Node, Result, with_root},
    source::{Physical, PhysicalNames, Source},
};

/// The version of the form that is read here.
const FORMAT: &str = "1";

pub(super) fn parse(file: &str, text: &str) -> Result<StreamMap> {
    with_root(file, text, |root| {
        let keys =
            ["format", "physical", "containers", "fallbacks", "time", "declared", "tables", "groups", "mappings"];
        let [format, physical, containers, fallbacks, time, declared, tables, groups, mappings] = root.record(keys)?;
        let format = root.required("format", format)?;
        if format.text()? != FORMAT {
            return Err(format.error(format!("this version of Sandtrap reads format {FORMAT}")));
        }
        let names = Arc::new(PhysicalNames::parse(physical, containers, fallbacks)?);
        let time = time.map_or(Ok(Arc::default()), |node| names.sources(&node))?;
        let groups = groups.map_or(Ok(Vec::new()), |node| node.entries())?;
        // Each is read for every mapping that uses it, whose containers may be its own; a mistake shows in any case.
        groups.iter().try_for_each(|(_, group)| names.fields(group).map(drop))?;
        let mut map = StreamMap::default();
        map.rows.unlisted = Unlisted::OwnName(Arc::default());
        if let Some(tables) = tables {
            parse_tables(&tables, &mut map)?;
        }
        if let Some(declared) = declared {
            parse_declared(&declared, &time, &mut map)?;
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
    let fields = Arc::new(map.rows.clone());
    for shape in node.required("found", found)?.sequence()? {
        let [named_by, prefix, row] = shape.record(["named_by", "prefix", "row"])?;
        let paths = shape.required("named_by", named_by)?.texts()?;
        let prefix = prefix.map_or(Ok(String::new()), |node| node.text())?;
        let row = row.map(|node| node.text()).transpose()?;
        let name = paths.first().cloned().unwrap_or_default();
        let discriminator = map.discriminator(Discriminator::of_paths(&name, paths));
        // Defender's envelope has a time of its own, but a row's columns say the same more exactly.
        for table in &tables {
            map.mappings.push(Mapping {
                target: Target::Table(table.as_str().into()),
                when: vec![Condition { discriminator, test: Test::AnyOf(vec![format!("{prefix}{table}")]) }],
                unless: Vec::new(),
                row: row.clone(),
                fields: Arc::clone(&fields),
            });
        }
    }
    Ok(())
}

fn parse_declared(node: &Node<'_>, time: &Arc<[Source]>, map: &mut StreamMap) -> Result<()> {
    let fields = Fields { unlisted: Unlisted::OwnName(Arc::default()), time: Arc::clone(time), ..Fields::default() };
    let fields = Arc::new(fields);
    for declared in node.sequence()? {
        let parts = declared.record(["product", "category", "service"])?;
        if parts.iter().all(Option::is_none) {
            return Err(declared.error("name at least one of product, category, service, and the field that says it"));
        }
        let physical = |node: Option<Node<'_>>| node.map(|node| Ok(Physical::at(node.texts()?))).transpose();
        let [product, category, service] = parts.map(physical);
        let fields = Arc::clone(&fields);
        map.declared.push(Declared { product: product?, category: category?, service: service?, fields });
    }
    Ok(())
}

fn parse_mapping(
    node: &Node<'_>,
    names: &Arc<PhysicalNames>,
    groups: &[(&str, Node<'_>)],
    time: &Arc<[Source]>,
    map: &mut StreamMap,
) -> Result<()> {
    let keys = [
        "name",
        "when",
        "unless",
        "stream",
        "logsource",
        "row",
        "containers",
        "strip",
        "use",
        "no_value",
        "other_fields",
        "fields",
    ];
    let [name, when, unless, stream, logsource, row, containers, strip, groups_used, no_value, other, fields] =
        node.record(keys)?;
    node.required("name", name)?.text()?;
    let when_node = node.required("when", when)?;
    let when = parse_conditions(&when_node, names, map)?;
    if when.is_empty() {
        return Err(when_node.error("a mapping without a condition would take every event; name at least one field"));
    }
    let unless = unless.map_or(Ok(Vec::new()), |unless| parse_conditions(&unless, names, map))?;
    let targets = match (stream, logsource) {
        (Some(stream), None) => vec![parse_table(&stream)?],
        (None, Some(logsource)) => logsource.one_or_more().iter().map(parse_logsource).collect::<Result<_>>()?,
        _ => return Err(node.error("give either the key `stream` (a table) or the key `logsource`")),
    };
    let names = &names.for_mapping(containers, strip)?;
    let row = row.map(|node| node.text()).transpose()?;
    let mut listed = HashMap::new();
    for used in groups_used.map_or(Ok(Vec::new()), |node| node.sequence())? {
        let name = used.text()?;
        let (_, group) = groups.iter().find(|(known, _)| *known == name).ok_or_else(|| {
            let known: Vec<&str> = groups.iter().map(|(known, _)| *known).collect();
            used.error(format!("there is no group `{name}`; the groups are {}", known.join(", ")))
        })?;
        listed.extend(names.fields(group)?);
    }
    listed.extend(fields.map_or(Ok(Vec::new()), |node| names.fields(&node))?);
    let unlisted = match other {
        // A rule names the fields of its logsource as the events do; the columns of a table are the table's.
        None if logsource.is_some() => Unlisted::OwnName(Arc::clone(names)),
        None => Unlisted::Absent,
        Some(other) => match other.text()?.as_str() {
            "own-name" => Unlisted::OwnName(Arc::clone(names)),
            "absent" => Unlisted::Absent,
            _ => return Err(other.error("expected `own-name` or `absent`")),
        },
    };
    let no_value = no_value.map_or(Ok(Vec::new()), |node| node.texts())?.into();
    let fields = Arc::new(Fields { listed, unlisted, no_value, time: Arc::clone(time) });
    map.mappings.extend(targets.into_iter().map(|target| Mapping {
        target,
        when: when.clone(),
        unless: unless.clone(),
        row: row.clone(),
        fields: Arc::clone(&fields),
    }));
    Ok(())
}

fn parse_conditions(node: &Node<'_>, names: &PhysicalNames, map: &mut StreamMap) -> Result<Vec<Condition>> {
    let mut conditions = Vec::new();
    for (field, accepted) in node.entries()? {
        let test = if accepted.is_mapping() {
            match accepted.record(["prefix", "exists"])? {
                [Some(prefix), None] => Test::Prefix(prefix.texts()?),
                [None, Some(exists)] => Test::Exists(match exists.text()?.as_str() {
                    "true" => true,
                    "false" => false,
                    _ => return Err(exists.error("expected true or false")),
                }),
                _ => return Err(accepted.error("expected texts, {prefix: TEXT} or {exists: true}")),
            }
        } else {
            Test::AnyOf(accepted.texts()?)
        };
        let physical = names.physical(field);
        let discriminator = map.discriminator(Discriminator { name: field.to_owned(), physical });
        conditions.push(Condition { discriminator, test });
    }
    Ok(conditions)
}

fn parse_table(node: &Node<'_>) -> Result<Target> {
    let name = node.text()?;
    match Logsource::parse(&name) {
        None => Ok(Target::Table(name.into())),
        Some(_) => Err(node.error("this is the name of a logsource; use the key `logsource`")),
    }
}

fn parse_logsource(node: &Node<'_>) -> Result<Target> {
    let [product, category, service] = node.record(["product", "category", "service"])?;
    let part = |node: Option<Node<'_>>| {
        let text = node.map(|node| node.text().map(|text| (node, text))).transpose()?;
        match text {
            Some((node, text)) if text.is_empty() || text.contains(['/', '*']) => {
                Err(node.error("expected a name without `/` and `*`; leave the key out for none"))
            }
            text => Ok(text.map(|(_, text)| text)),
        }
    };
    let (product, category, service) = (part(product)?, part(category)?, part(service)?);
    let logsource = Logsource::new(product.as_deref(), category.as_deref(), service.as_deref());
    if logsource == Logsource::default() {
        return Err(node.error("name at least one of product, category, service"));
    }
    Ok(Target::of(logsource))
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
        let streams = StreamMap::built_in().map(|map| map.streams()).unwrap_or_default();
        let (logsources, tables): (Vec<_>, Vec<_>) = streams.iter().partition(|stream| stream.contains('/'));
        assert_eq!(tables.len(), 13, "every table; the mapped ones are among them");
        assert!(logsources.iter().any(|stream| ***stream == *"windows/process_creation/sysmon"), "{logsources:?}");
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
                "f.yaml:2: `mapings`: is not known here; the keys of `the document` are format, physical, containers, \
                 fallbacks, time, declared, tables, groups, mappings",
            ),
            ("format: 1\nmappings: {}".into(), "f.yaml:2: `mappings`: expected a list, found a mapping"),
            ("format: 1\nmappings:\n  - name: n".into(), "f.yaml:3: `mappings`: the key `when` is missing"),
            (mapping("use: [g]"), "f.yaml:6: `use`: there is no group `g`; the groups are "),
            (mapping("other_fields: guess"), "f.yaml:6: `other_fields`: expected `own-name` or `absent`"),
            (mapping("logsource: {product: x}"), "f.yaml:3: `mappings`: give either the key `stream` (a table) or"),
            (
                LEAST.replace("stream: S", "stream: windows/*/x"),
                "f.yaml:5: `stream`: this is the name of a logsource; use the key `logsource`",
            ),
            (
                LEAST.replace("stream: S", "logsource: {product: a/b}"),
                "f.yaml:5: `product`: expected a name without `/` and `*`",
            ),
            (
                LEAST.replace("stream: S", "logsource: [{product: a}, {}]"),
                "f.yaml:5: `logsource`: name at least one of product, category, service",
            ),
            (
                LEAST.replace("{EventID: 1}", "{EventID: {prefix: a, exists: true}}"),
                "f.yaml:4: `EventID`: expected texts, {prefix: TEXT} or {exists: true}",
            ),
            (LEAST.replace("{EventID: 1}", "{EventID: {exists: maybe}}"), "f.yaml:4: `exists`: expected true or false"),
            (
                "format: 1\ndeclared:\n  - {}".into(),
                "f.yaml:3: `declared`: name at least one of product, category, service, and the field that says it",
            ),
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
