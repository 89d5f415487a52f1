//! `sandtrap inspect`: what a component or rule is, reads, computes and imports.

use std::{
    io::{self, Write},
    path::{Path, PathBuf},
};

use sandtrap_embed::wit::{
    INTERFACE,
    plan::{Kernel, NamedColumn, Node, OutputCells, Rows, Source},
    prefilter::{Atom, Prefilter, Test},
};
use sandtrap_embed::{
    Detection,
    compiler::Options,
    rules::{Refused, Selection, discover, load_file},
};
use serde_json::json;

use super::{load, unpruned};
use crate::{
    args::{Format, Inspect},
    diagnostics::{self, clean},
    exit::Outcome,
};

pub(crate) fn run(args: &Inspect) -> anyhow::Result<Outcome> {
    let options = load::options(&args.compiling, &args.files)?;
    let (files, unreadable) = discover(&args.files);
    let mut outcome = Outcome::Done;
    for path in &unreadable {
        diagnostics::error(&format!("{}: {}", path.path.display(), path.error));
        outcome = Outcome::RulesFailed;
    }
    if files.is_empty() && unreadable.is_empty() {
        diagnostics::error(load::NO_RULES);
        return Ok(Outcome::RulesFailed);
    }
    let shown = if args.unpruned {
        unpruned::run(&files, &options, args.format)?
    } else {
        show_all(&files, &options, args.format)?
    };
    Ok(if outcome == Outcome::Done { shown } else { outcome })
}

fn show_all(files: &[PathBuf], options: &Options, format: Format) -> anyhow::Result<Outcome> {
    let engine = load::engine()?;
    let mut out = io::stdout().lock();
    let mut outcome = Outcome::Done;
    for file in files {
        let loaded = load_file(&engine, file, options, &Selection::default());
        loaded.remarks.iter().for_each(diagnostics::show);
        let reasons = unpruned::reasons(file, options);
        for detection in &loaded.detections {
            let known = reasons.get(detection.full_id()).map(String::as_str);
            let shown =
                Shown { file, detection, not_pruned: known.or_else(|| unpruned::of_manifest(detection.manifest())) };
            match format {
                Format::Json => shown.as_json(&mut out)?,
                Format::Table => shown.as_text(&mut out)?,
            }
        }
        for reason in loaded.refused {
            diagnostics::show_refused(&Refused { file: file.clone(), reason });
            outcome = Outcome::RulesFailed;
        }
    }
    out.flush()?;
    Ok(outcome)
}

/// A detection that is shown.
struct Shown<'a> {
    file: &'a Path,
    detection: &'a Detection,
    /// Why nothing prunes it, if so.
    not_pruned: Option<&'a str>,
}

impl Shown<'_> {
    /// The engine refuses a component with any import before it compiles it, so one that was loaded has none.
    fn as_json(&self, out: &mut impl Write) -> anyhow::Result<()> {
        let Self { file, detection, not_pruned } = self;
        let value = json!({
            "file": file.to_string_lossy(),
            "id": detection.full_id(),
            "digest": detection.digest(),
            "bytes": detection.component_bytes(),
            "imports": [],
            "exports": [INTERFACE],
            "not_pruned": not_pruned,
            "manifest": detection.manifest(),
        });
        serde_json::to_writer(&mut *out, &value)?;
        Ok(writeln!(out)?)
    }

    fn as_text(&self, out: &mut impl Write) -> io::Result<()> {
        let Self { file, detection, not_pruned } = self;
        let manifest = detection.manifest();
        writeln!(out, "{}", clean(&file.to_string_lossy()))?;
        let mut line = |name: &str, value: &str| -> io::Result<()> {
            if value.is_empty() { Ok(()) } else { writeln!(out, "  {name:<12}{}", clean(value)) }
        };
        line("id", detection.full_id())?;
        line("title", &manifest.title)?;
        line("version", manifest.version.as_deref().unwrap_or_default())?;
        line("level", manifest.level.map_or("", sandtrap_embed::wit::manifest::Level::name))?;
        line("techniques", &manifest.attack.techniques.join(", "))?;
        line("language", manifest.source.as_ref().map_or("", |source| &source.language))?;
        line("licence", manifest.licence.as_deref().unwrap_or_default())?;
        line("digest", detection.digest())?;
        line("size", &format!("{} bytes", detection.component_bytes()))?;
        line("imports", "none (a component with an import is refused)")?;
        line("exports", INTERFACE)?;
        for (index, node) in manifest.plan.nodes.iter().enumerate() {
            let input = node.input().and_then(|input| detection.columns_of_nodes().get(input as usize));
            let columns = detection.columns_of_nodes().get(index).map_or(&[][..], Vec::as_slice);
            writeln!(out, "  node {index:<7}{}", clean(&describe(node, input.map_or(&[][..], Vec::as_slice))))?;
            writeln!(out, "    columns   {}", clean(&names(columns)))?;
            if let Node::Source(source) = node {
                writeln!(out, "    prefilter {}", clean(&prefilter(&source.prefilter, columns)))?;
                if let Some(reason) = not_pruned {
                    writeln!(out, "    unpruned  {}", clean(reason))?;
                }
            }
        }
        Ok(())
    }
}

fn names(columns: &[NamedColumn]) -> String {
    let typed = |column: &NamedColumn| {
        let list = if column.list { " list" } else { "" };
        format!("{}: {}{list}", column.name, column.ty)
    };
    columns.iter().map(typed).collect::<Vec<_>>().join(", ")
}

fn name(columns: &[NamedColumn], index: u32) -> &str {
    columns.get(index as usize).map_or("?", |column| &column.name)
}

/// What a node does, in KQL's words. The debug forms of enums are their Kusto names.
fn describe(node: &Node, input: &[NamedColumn]) -> String {
    let from = node.input().map(|input| format!(" of node {input}")).unwrap_or_default();
    match node {
        Node::Source(source) => describe_source(source),
        Node::Kernel(kernel) => describe_kernel(kernel, input),
        Node::Aggregate(aggregate) => {
            let keys: Vec<&str> = aggregate.by.iter().map(|key| name(input, key.column)).collect();
            let functions: Vec<String> = aggregate
                .aggregates
                .iter()
                .map(|aggregate| format!("{} = {}", aggregate.name, function(aggregate.function, input)))
                .collect();
            let by = if keys.is_empty() { String::new() } else { format!(" by {}", keys.join(", ")) };
            format!("summarize{from}: {}{by}", functions.join(", "))
        }
        Node::Sort(sort) => {
            let keys = sort.by.iter().map(|key| {
                let (order, nulls) = (format!("{:?}", key.order), format!("{:?}", key.nulls));
                format!("{} {} nulls {}", name(input, key.column), order.to_lowercase(), nulls.to_lowercase())
            });
            format!("sort{from} by {}", keys.collect::<Vec<_>>().join(", "))
        }
        Node::Limit(limit) => format!("take {}{from}", limit.rows),
    }
}

fn function(function: sandtrap_embed::wit::plan::AggregateFunction, input: &[NamedColumn]) -> String {
    use sandtrap_embed::wit::plan::AggregateFunction::{Count, Dcount, MakeSet, Max, Min};
    match function {
        Count => "count()".into(),
        Min(column) => format!("min({})", name(input, column)),
        Max(column) => format!("max({})", name(input, column)),
        Dcount(column) => format!("dcount({})", name(input, column)),
        MakeSet { column, size } => format!("make_set({}, {size})", name(input, column)),
    }
}

fn describe_source(source: &Source) -> String {
    let rows = match &source.rows {
        Rows::Stream(stream) => format!("source: stream {stream}"),
        Rows::Inline(rows) => format!("source: {} rows of its own", rows.len()),
    };
    match source.lookback {
        None => rows,
        Some(lookback) => {
            let ago = |ticks: i64| sandtrap_embed::formats::convert::format_timespan(ticks);
            let to = lookback.to.map(|to| format!(" to {} before now", ago(to.ago))).unwrap_or_default();
            format!("{rows}, lookback from {} before now{to}", ago(lookback.from.ago))
        }
    }
}

fn describe_kernel(kernel: &Kernel, input: &[NamedColumn]) -> String {
    let reads: Vec<&str> = kernel.reads.iter().map(|read| name(input, *read)).collect();
    let computed = kernel.outputs.iter().filter(|output| matches!(output.from, OutputCells::Computed(_))).count();
    let reads = if reads.is_empty() { "nothing".to_owned() } else { reads.join(", ") };
    format!("kernel {} of node {}: reads {reads}; computes {computed} columns", kernel.kernel, kernel.input)
}

fn prefilter(prefilter: &Prefilter, columns: &[NamedColumn]) -> String {
    if prefilter.clauses.is_empty() {
        return "none: every row is a candidate".into();
    }
    let clauses = prefilter.clauses.iter().map(|clause| {
        let atoms: Vec<String> = clause.atoms.iter().map(|each| atom(each, columns)).collect();
        if atoms.is_empty() { "never".to_owned() } else { format!("({})", atoms.join(" or ")) }
    });
    clauses.collect::<Vec<_>>().join(" and ")
}

fn atom(atom: &Atom, columns: &[NamedColumn]) -> String {
    let column = name(columns, atom.column);
    let shown = match &atom.test {
        Test::Contains(text) => format!("{column} contains {text:?}"),
        Test::Prefix(text) => format!("{column} startswith {text:?}"),
        Test::Suffix(text) => format!("{column} endswith {text:?}"),
        Test::Equals(text) => format!("{column} =~ {text:?}"),
        Test::Exists(true) => format!("{column} exists"),
        Test::Exists(false) => format!("{column} does not exist"),
        Test::Integers(values) => {
            format!("{column} in ({})", values.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "))
        }
        Test::Range(from, to) => format!("{column} between ({from} .. {to})"),
    };
    if atom.negated { format!("not({shown})") } else { shown }
}
