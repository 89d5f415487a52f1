//! Every cap that a component is held to, with its default. All of them are finite; a caller may raise or lower each.
//!
//! Caps on what a file holds are checked before Cranelift sees the file; caps on what a component does are enforced
//! while it runs.

use std::time::Duration;

const KIB: usize = 1 << 10;
const MIB: usize = 1 << 20;

/// The most bytes of a component: a compiled rule has tens of KB.
pub const COMPONENT_BYTES: usize = 4 * MIB;
/// The most core modules and nested components in one component, each; `wit-component` makes one of each.
pub const PARTS: usize = 4;
/// The most functions that a component defines.
pub const FUNCTIONS: usize = 8_000;
/// The most function types, and the most parameters of one: a trampoline is made for each type.
pub const TYPES: usize = 1_000;
/// See [`TYPES`]. Each branch to a loop passes its parameters.
pub const PARAMETERS: usize = 64;
/// The most globals, exports of modules, segments of data and of elements, and functions that cross the component's
/// boundary, each.
pub const ITEMS: usize = 1_000;
/// The most bytes of all functions' bodies, and of what globals and segments begin with, which is code, too: while it
/// compiles, Cranelift takes up to 80 bytes of memory for each of them.
pub const CODE_BYTES: usize = 512 * KIB;
/// The most bytes of one function's body: the time to compile a function grows faster than its length.
pub const FUNCTION_BYTES: usize = 128 * KIB;
/// The most that the locals of one function, times the places where its control flow can go, are: what Cranelift may have to
/// know of each local at each of these places.
pub const FUNCTION_VALUES: usize = 2_000_000;
/// The most loops that may be nested: each may have a value of its own for each local that is read inside.
pub const LOOPS: usize = 64;
/// The most calls in one function: two bytes each, and Cranelift takes some 2 KB for one.
pub const CALLS: usize = 16_000;
/// The most locals that all functions declare together: a few bytes declare any number, and Cranelift makes a variable of
/// each.
pub const LOCALS: usize = 100_000;
/// The most results of a function or block. Where there may be several, a call of two bytes makes several values, and what
/// compilers emit has one at most.
pub const RESULTS: usize = 1;
/// The most bytes of data segments.
pub const DATA_BYTES: usize = 4 * MIB;
/// The most elements of tables and of element segments, all together.
pub const TABLE_ELEMENTS: usize = 20_000;
/// The most bytes of the manifest.
pub const MANIFEST_BYTES: usize = MIB;
/// The most nodes of a plan.
pub const PLAN_NODES: usize = 64;
/// The most columns of one plan node.
pub const PLAN_COLUMNS: usize = 512;
/// The most prefilter atoms of one source.
pub const PREFILTER_ATOMS: usize = 10_000;
/// The most bytes of linear memory of one instance.
pub const MEMORY_BYTES: usize = 48 * MIB;
/// By how many bytes an instance's memory may have grown and still be kept for the next batch.
pub const KEPT_MEMORY_BYTES: usize = MIB;
/// The most bytes of stack in a component. Well below the 2 MiB that Rust gives a thread.
pub const STACK_BYTES: usize = 512 * KIB;
/// The most bytes that one call hands back.
pub const OUTPUT_BYTES: usize = 16 * MIB;
/// How long `evaluate` may take for one batch. An honest call takes microseconds to a few milliseconds.
pub const EVALUATE_DEADLINE: Duration = Duration::from_millis(500);
/// How long instantiating and `describe` may take together.
pub const DESCRIBE_DEADLINE: Duration = Duration::from_millis(500);

/// What a component is held to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// The most bytes of a component.
    pub component_bytes: usize,
    /// The most core modules and nested components in one component, each.
    pub parts: usize,
    /// The most functions that a component defines.
    pub functions: usize,
    /// The most function types.
    pub types: usize,
    /// The most parameters of a function or block.
    pub parameters: usize,
    /// The most globals, exports of modules, segments, and functions that cross the component's boundary, each.
    pub items: usize,
    /// The most bytes of one function's body.
    pub function_bytes: usize,
    /// The most that the locals of one function, times the places where its control flow can go, are.
    pub function_values: usize,
    /// The most calls in one function.
    pub calls: usize,
    /// The most bytes of all functions' bodies.
    pub code_bytes: usize,
    /// The most loops that may be nested.
    pub loops: usize,
    /// The most locals that all functions declare together.
    pub locals: usize,
    /// The most results of a function or block.
    pub results: usize,
    /// The most bytes of data segments.
    pub data_bytes: usize,
    /// The most elements of tables, all together.
    pub table_elements: usize,
    /// The most bytes of the manifest.
    pub manifest_bytes: usize,
    /// The most nodes of a plan.
    pub plan_nodes: usize,
    /// The most columns of one plan node.
    pub plan_columns: usize,
    /// The most prefilter atoms of one source.
    pub prefilter_atoms: usize,
    /// The most bytes of linear memory of one instance; a manifest may ask for less.
    pub memory_bytes: usize,
    /// By how many bytes an instance's memory may have grown in a call and still be kept for the next one.
    pub kept_memory_bytes: usize,
    /// The most bytes of stack in a component.
    pub stack_bytes: usize,
    /// The most bytes that one call hands back.
    pub output_bytes: usize,
    /// How long `evaluate` may take for one batch, rounded up to the engine's clock of 10 ms.
    pub evaluate_deadline: Duration,
    /// How long instantiating and `describe` may take together, rounded up alike.
    pub describe_deadline: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            component_bytes: COMPONENT_BYTES,
            parts: PARTS,
            functions: FUNCTIONS,
            types: TYPES,
            parameters: PARAMETERS,
            items: ITEMS,
            function_bytes: FUNCTION_BYTES,
            function_values: FUNCTION_VALUES,
            calls: CALLS,
            code_bytes: CODE_BYTES,
            loops: LOOPS,
            locals: LOCALS,
            results: RESULTS,
            data_bytes: DATA_BYTES,
            table_elements: TABLE_ELEMENTS,
            manifest_bytes: MANIFEST_BYTES,
            plan_nodes: PLAN_NODES,
            plan_columns: PLAN_COLUMNS,
            prefilter_atoms: PREFILTER_ATOMS,
            memory_bytes: MEMORY_BYTES,
            kept_memory_bytes: KEPT_MEMORY_BYTES,
            stack_bytes: STACK_BYTES,
            output_bytes: OUTPUT_BYTES,
            evaluate_deadline: EVALUATE_DEADLINE,
            describe_deadline: DESCRIBE_DEADLINE,
        }
    }
}

impl Limits {
    /// The most instances of modules and components, together: those that `wit-component` makes of a module (one of the
    /// module, one of the interface) for each part.
    pub(crate) fn instances(&self) -> usize {
        self.parts.saturating_mul(2)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The page for readers has each limit, with its value.
    #[test]
    fn the_page_says_what_the_defaults_are() {
        let page = include_str!("../../../docs/limits.md");
        for line in format!("{:#?}", Limits::default()).lines().filter(|line| line.starts_with(' ')) {
            let (name, value) = line.trim().trim_end_matches(',').split_once(": ").unwrap_or_default();
            let row = format!("| `{name}` | {value} |");
            assert!(page.contains(&row), "docs/limits.md lacks {row:?}");
        }
    }
}
