//! Reads a manifest and refuses what this host does not understand, by name: an unknown schema, requirement, plan node
//! or atom would otherwise give wrong verdicts in silence.

use std::collections::BTreeMap;

use sandtrap_wit::{
    manifest::{Manifest, SCHEMA},
    plan::{Kernel, NamedColumn, Node, OutputCells, Plan, Rows},
};
use serde::Deserialize;

use crate::{KernelColumns, KernelRead, Limits, LoadError, LoadErrorKind};

/// A manifest whose plan has been validated.
#[derive(Debug)]
pub(crate) struct Described {
    pub(crate) manifest: Manifest,
    /// The columns of every plan node's rows.
    pub(crate) columns: Vec<Vec<NamedColumn>>,
    /// What each kernel reads and computes, by its number.
    pub(crate) kernels: BTreeMap<u32, KernelColumns>,
}

/// The part of every manifest, of whatever schema, that must be understood before the rest.
#[derive(Deserialize)]
struct Preamble {
    schema: u32,
    #[serde(default)]
    requires: Vec<String>,
}

/// Reads what `describe` returned.
pub(crate) fn read(text: &str, limits: &Limits) -> Result<Described, LoadError> {
    let Preamble { schema, requires } = serde_json::from_str(text).map_err(|error| malformed(&error))?;
    if schema != SCHEMA {
        return Err(refused(format!("manifest schema {schema} is unknown; this host reads schema {SCHEMA}")));
    }
    if let Some(feature) = requires.first() {
        return Err(refused(format!("the detection requires {feature:?}, which this host does not have")));
    }
    let manifest: Manifest = serde_json::from_str(text).map_err(|error| malformed(&error))?;
    if manifest.namespace.is_empty() || manifest.id.is_empty() {
        return Err(refused("the manifest's namespace and id must not be empty"));
    }
    check_names(&manifest)?;
    if manifest.limits.memory_bytes.is_some_and(|bytes| bytes > limits.memory_bytes as u64) {
        let asked = manifest.limits.memory_bytes.unwrap_or_default();
        let message =
            format!("the manifest asks for {asked} bytes of memory, more than the cap of {}", limits.memory_bytes);
        return Err(LoadError::new(LoadErrorKind::Limit, message));
    }
    check_size(&manifest.plan, limits)?;
    let columns = manifest.plan.validate().map_err(|error| refused(error.to_string()))?;
    let kernels = kernels(&manifest.plan, &columns)?;
    Ok(Described { manifest, columns, kernels })
}

/// The longest name of a detection, a version, a title or a column, in bytes: it stands in every verdict.
const NAME_BYTES_MAX: usize = 1024;

/// Names and titles stand in verdicts, tables and messages, one to a line: one that broke the line, or turned the
/// direction of writing, could pass for another detection's.
fn check_names(manifest: &Manifest) -> Result<(), LoadError> {
    if manifest.namespace.contains('/') {
        return Err(refused("the manifest's namespace must not contain `/`"));
    }
    let mut names = vec![("namespace", &manifest.namespace), ("id", &manifest.id), ("title", &manifest.title)];
    names.extend(manifest.version.iter().map(|version| ("version", version)));
    for node in &manifest.plan.nodes {
        match node {
            Node::Source(source) => {
                names.extend(source.columns.iter().flat_map(|column| &column.field).map(|field| ("field", field)));
                if let Rows::Stream(stream) = &source.rows {
                    names.push(("stream", stream));
                }
            }
            Node::Kernel(kernel) => names.extend(kernel.outputs.iter().map(|output| ("column", &output.name))),
            Node::Aggregate(aggregate) => {
                names.extend(aggregate.by.iter().map(|key| ("column", &key.name)));
                names.extend(aggregate.aggregates.iter().map(|aggregate| ("column", &aggregate.name)));
            }
            Node::Sort(_) | Node::Limit(_) => {}
        }
    }
    for (what, name) in names {
        if name.len() > NAME_BYTES_MAX {
            let message = format!("a {what} of {} bytes, more than the cap of {NAME_BYTES_MAX}", name.len());
            return Err(LoadError::new(LoadErrorKind::Limit, message));
        }
        if let Some(c) = name.chars().find(|c| is_unprintable(*c)) {
            return Err(refused(format!("a {what} contains {}, which may not stand in a name", c.escape_unicode())));
        }
    }
    Ok(())
}

/// Control characters, line and paragraph separators, and those that change the direction of writing.
fn is_unprintable(c: char) -> bool {
    c.is_control() || matches!(c, '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

fn check_size(plan: &Plan, limits: &Limits) -> Result<(), LoadError> {
    within("plan nodes", plan.nodes.len(), limits.plan_nodes)?;
    for node in &plan.nodes {
        let columns = match node {
            Node::Source(source) => {
                let atoms = source.prefilter.clauses.iter().map(|clause| clause.atoms.len()).sum();
                within("prefilter atoms", atoms, limits.prefilter_atoms)?;
                source.columns.len()
            }
            Node::Kernel(kernel) => kernel.reads.len().max(kernel.outputs.len()),
            Node::Aggregate(aggregate) => aggregate.by.len().saturating_add(aggregate.aggregates.len()),
            Node::Sort(sort) => sort.by.len(),
            Node::Limit(_) => 0,
        };
        within("columns of a plan node", columns, limits.plan_columns)?;
    }
    Ok(())
}

fn within(what: &str, count: usize, cap: usize) -> Result<(), LoadError> {
    if count > cap {
        return Err(LoadError::new(LoadErrorKind::Limit, format!("{count} {what}, more than the cap of {cap}")));
    }
    Ok(())
}

fn kernels(plan: &Plan, columns: &[Vec<NamedColumn>]) -> Result<BTreeMap<u32, KernelColumns>, LoadError> {
    let mut kernels = BTreeMap::new();
    for node in &plan.nodes {
        let Node::Kernel(kernel) = node else { continue };
        let found = kernel_columns(kernel, columns);
        if kernels.insert(kernel.kernel, found.clone()).is_some_and(|earlier| earlier != found) {
            let number = kernel.kernel;
            return Err(refused(format!("two plan nodes name kernel {number} with different columns")));
        }
    }
    Ok(kernels)
}

fn kernel_columns(kernel: &Kernel, columns: &[Vec<NamedColumn>]) -> KernelColumns {
    let input = columns.get(kernel.input as usize).map_or(&[][..], Vec::as_slice);
    // A validated plan reads no column that its input does not have.
    let reads = kernel.reads.iter().filter_map(|read| input.get(*read as usize));
    let reads = reads.map(|column| KernelRead { ty: column.ty, list: column.list }).collect();
    let computed = kernel.outputs.iter().filter(|output| matches!(output.from, OutputCells::Computed(_)));
    KernelColumns { reads, computed: computed.map(|output| output.ty).collect() }
}

fn refused(message: impl Into<String>) -> LoadError {
    LoadError::new(LoadErrorKind::Manifest, message)
}

fn malformed(error: &serde_json::Error) -> LoadError {
    refused(format!("the manifest is not one that this host understands: {error}"))
}
