//! The prebuilt runtime module, taken apart: its functions, which of them call which, and which static data each needs.
//!
//! `cargo xtask runtime` builds it with one data segment for each table and with relocations, which say what a function
//! refers to. The file is part of this crate, so anything wrong with it is found by the first test that runs.

use std::{
    collections::{BTreeSet, HashMap},
    ops::Range,
    sync::OnceLock,
};

use wasmparser::{
    DataKind, ExternalKind, FuncType, FunctionBody, KnownCustom, Linking, LinkingSectionReader, Operator, Parser,
    Payload, RelocSectionReader, SymbolInfo, TypeRef,
};

/// The committed module, or the one that build.rs was told to take instead.
const MODULE: &[u8] = include_bytes!(env!("SANDTRAP_RUNTIME_WASM"));

/// A function that emitted code calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum RuntimeFunction {
    Allocate,
    CidrElements,
    Compare,
    Concat,
    DatePart,
    FieldElements,
    GatherText,
    HasElement,
    IntegerModulo,
    Match,
    NumberElements,
    RealModulo,
    Realloc,
    RegexElements,
    Reset,
    Search,
    SearchElements,
    SetContains,
    Strlen,
    ToLower,
    ToUpper,
    WildcardElements,
}

impl RuntimeFunction {
    fn export(self) -> &'static str {
        match self {
            Self::Allocate => "rt_allocate",
            Self::CidrElements => "rt_cidr_elements",
            Self::Compare => "rt_compare",
            Self::Concat => "rt_concat",
            Self::DatePart => "rt_date_part",
            Self::FieldElements => "rt_field_elements",
            Self::GatherText => "rt_gather_text",
            Self::HasElement => "rt_has_element",
            Self::IntegerModulo => "rt_integer_modulo",
            Self::Match => "rt_match",
            Self::NumberElements => "rt_number_elements",
            Self::RealModulo => "rt_real_modulo",
            Self::Realloc => "rt_realloc",
            Self::RegexElements => "rt_regex_elements",
            Self::Reset => "rt_reset",
            Self::Search => "rt_search",
            Self::SearchElements => "rt_search_elements",
            Self::SetContains => "rt_set_contains",
            Self::Strlen => "rt_strlen",
            Self::ToLower => "rt_to_lower",
            Self::ToUpper => "rt_to_upper",
            Self::WildcardElements => "rt_wildcard_elements",
        }
    }
}

/// The module, taken apart. Function numbers are those of the module, where 0 is the one import.
pub(super) struct Runtime {
    pub(super) types: Vec<FuncType>,
    pub(super) functions: Vec<RuntimeCode>,
    pub(super) globals: wasmparser::GlobalSectionReader<'static>,
    pub(super) segments: Vec<Segment>,
    exports: HashMap<&'static str, u32>,
    pub(super) heap_base: u32,
}

/// One function of the runtime.
pub(super) struct RuntimeCode {
    pub(super) ty: u32,
    pub(super) body: FunctionBody<'static>,
    calls: Vec<u32>,
    segments: Vec<usize>,
    pub(super) name: String,
}

/// A piece of static data.
pub(super) struct Segment {
    pub(super) address: u32,
    pub(super) bytes: &'static [u8],
    segments: Vec<usize>,
    /// Where its bytes lie in the data section.
    range: Range<usize>,
}

impl Runtime {
    /// The committed runtime.
    pub(super) fn get() -> &'static Self {
        static RUNTIME: OnceLock<Runtime> = OnceLock::new();
        RUNTIME.get_or_init(|| {
            Self::parse(MODULE).unwrap_or_else(|error| unreachable!("the committed runtime is broken: {error}"))
        })
    }

    /// The number of a function.
    pub(super) fn number(&self, function: RuntimeFunction) -> u32 {
        self.exports.get(function.export()).copied().unwrap_or_default()
    }

    /// The function with that number; the import has none.
    pub(super) fn function(&self, number: u32) -> Option<&RuntimeCode> {
        self.functions.get((number as usize).checked_sub(1)?)
    }

    /// All functions and data segments that `roots` need, themselves included, in ascending order.
    pub(super) fn reachable(
        &self,
        roots: impl IntoIterator<Item = RuntimeFunction>,
    ) -> (BTreeSet<u32>, BTreeSet<usize>) {
        let mut functions = BTreeSet::new();
        let mut segments = BTreeSet::new();
        let mut waiting: Vec<u32> = roots.into_iter().map(|root| self.number(root)).collect();
        let mut waiting_segments: Vec<usize> = Vec::new();
        while let Some(number) = waiting.pop() {
            let Some(function) = self.function(number) else { continue };
            if functions.insert(number) {
                waiting.extend(&function.calls);
                waiting_segments.extend(&function.segments);
            }
        }
        while let Some(index) = waiting_segments.pop() {
            if segments.insert(index) {
                waiting_segments
                    .extend(self.segments.get(index).map(|segment| segment.segments.as_slice()).unwrap_or_default());
            }
        }
        (functions, segments)
    }

    fn parse(module: &'static [u8]) -> Result<Self, String> {
        let mut parts = Parts::default();
        for payload in Parser::new(0).parse_all(module) {
            parts.read(payload.map_err(|error| error.to_string())?).map_err(|error| error.to_string())?;
        }
        parts.relocate();
        Ok(Self {
            types: parts.types,
            functions: parts.functions,
            globals: parts.globals.ok_or("no globals")?,
            segments: parts.segments,
            heap_base: parts
                .exports
                .get("__heap_base")
                .and_then(|global| parts.global_values.get(*global as usize))
                .copied()
                .flatten()
                .ok_or("no __heap_base")?,
            exports: parts.exports,
        })
    }
}

#[derive(Default)]
struct Parts {
    types: Vec<FuncType>,
    function_types: Vec<u32>,
    functions: Vec<RuntimeCode>,
    globals: Option<wasmparser::GlobalSectionReader<'static>>,
    global_values: Vec<Option<u32>>,
    segments: Vec<Segment>,
    exports: HashMap<&'static str, u32>,
    code_start: usize,
    data_start: usize,
    /// For each symbol the data segment that it names.
    symbols: Vec<Option<usize>>,
    /// (whether in data, offset in the section, symbol)
    relocations: Vec<(Place, usize, usize)>,
    sections: Vec<Place>,
}

/// Which section a relocation is in.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Code,
    Data,
    Other,
}

impl Parts {
    fn read(&mut self, payload: Payload<'static>) -> wasmparser::Result<()> {
        if payload.as_section().is_some() {
            self.sections.push(match payload {
                Payload::CodeSectionStart { .. } => Place::Code,
                Payload::DataSection(_) => Place::Data,
                _ => Place::Other,
            });
        }
        match payload {
            Payload::TypeSection(section) => {
                self.types = section.into_iter_err_on_gc_types().collect::<wasmparser::Result<_>>()?;
            }
            Payload::ImportSection(section) => {
                for import in section.into_imports() {
                    debug_assert!(matches!(import?.ty, TypeRef::Func(_)), "heap_base is the only import");
                }
            }
            Payload::FunctionSection(section) => {
                self.function_types = section.into_iter().collect::<wasmparser::Result<_>>()?;
            }
            Payload::GlobalSection(section) => {
                self.globals = Some(section.clone());
                for global in section {
                    let first = global?.init_expr.get_operators_reader().read()?;
                    self.global_values.push(match first {
                        Operator::I32Const { value } => Some(value.cast_unsigned()),
                        _ => None,
                    });
                }
            }
            Payload::ExportSection(section) => {
                for export in section {
                    let export = export?;
                    if matches!(export.kind, ExternalKind::Func | ExternalKind::Global) {
                        self.exports.insert(export.name, export.index);
                    }
                }
            }
            Payload::CodeSectionStart { range, .. } => self.code_start = range.start,
            Payload::CodeSectionEntry(body) => self.read_body(body)?,
            Payload::DataSection(section) => {
                self.data_start = section.range().start;
                for data in section {
                    self.read_segment(&data?)?;
                }
            }
            Payload::CustomSection(custom) => match custom.as_known() {
                KnownCustom::Linking(section) => self.read_symbols(&section)?,
                KnownCustom::Reloc(section) => self.read_relocations(&section)?,
                KnownCustom::Name(section) => self.read_names(section)?,
                _ => {}
            },
            _ => {}
        }
        Ok(())
    }

    fn read_body(&mut self, body: FunctionBody<'static>) -> wasmparser::Result<()> {
        let mut calls = Vec::new();
        let mut operators = body.get_operators_reader()?;
        while !operators.eof() {
            if let Operator::Call { function_index } = operators.read()? {
                calls.push(function_index);
            }
        }
        let ty = self.function_types.get(self.functions.len()).copied().unwrap_or_default();
        self.functions.push(RuntimeCode { ty, body, calls, segments: Vec::new(), name: String::new() });
        Ok(())
    }

    fn read_segment(&mut self, data: &wasmparser::Data<'static>) -> wasmparser::Result<()> {
        let DataKind::Active { offset_expr, .. } = &data.kind else { return Ok(()) };
        let Operator::I32Const { value } = offset_expr.get_operators_reader().read()? else { return Ok(()) };
        let range = data.range.end - data.data.len()..data.range.end;
        self.segments.push(Segment { address: value.cast_unsigned(), bytes: data.data, segments: Vec::new(), range });
        Ok(())
    }

    fn read_symbols(&mut self, section: &LinkingSectionReader<'static>) -> wasmparser::Result<()> {
        for subsection in section.subsections() {
            if let Linking::SymbolTable(symbols) = subsection? {
                for symbol in symbols {
                    self.symbols.push(match symbol? {
                        SymbolInfo::Data { symbol: Some(defined), .. } => Some(defined.index as usize),
                        _ => None,
                    });
                }
            }
        }
        Ok(())
    }

    fn read_relocations(&mut self, section: &RelocSectionReader<'static>) -> wasmparser::Result<()> {
        let place = self.sections.get(section.section_index() as usize).copied().unwrap_or(Place::Other);
        for entry in section.entries() {
            let entry = entry?;
            self.relocations.push((place, entry.offset as usize, entry.index as usize));
        }
        Ok(())
    }

    fn read_names(&mut self, section: wasmparser::NameSectionReader<'static>) -> wasmparser::Result<()> {
        for names in section {
            if let wasmparser::Name::Function(names) = names? {
                for naming in names {
                    let naming = naming?;
                    if let Some(function) =
                        (naming.index as usize).checked_sub(1).and_then(|index| self.functions.get_mut(index))
                    {
                        naming.name.clone_into(&mut function.name);
                    }
                }
            }
        }
        Ok(())
    }

    /// Notes for each function and segment the segments that it refers to.
    fn relocate(&mut self) {
        for (place, offset, symbol) in std::mem::take(&mut self.relocations) {
            let Some(target) = self.symbols.get(symbol).copied().flatten() else { continue };
            match place {
                Place::Code => {
                    let at = self.code_start + offset;
                    let user = self.functions.iter_mut().find(|function| function.body.range().contains(&at));
                    if let Some(function) = user {
                        function.segments.push(target);
                    }
                }
                Place::Data => {
                    let at = self.data_start + offset;
                    let user = self.segments.iter_mut().find(|segment| segment.range.contains(&at));
                    if let Some(segment) = user {
                        segment.segments.push(target);
                    }
                }
                Place::Other => {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn needs_only_what_is_called() {
        let runtime = Runtime::get();
        let (modulo, none) = runtime.reachable([RuntimeFunction::IntegerModulo]);
        assert_eq!((modulo.len(), none.len()), (1, 0), "integer arithmetic needs no table");
        let (_, search) = runtime.reachable([RuntimeFunction::Search]);
        let (_, lower) = runtime.reachable([RuntimeFunction::ToLower]);
        assert!(!search.is_empty() && !lower.is_empty(), "tables are found through relocations");
        let shared: Vec<usize> = search.intersection(&lower).copied().collect();
        let bytes: usize = shared.iter().map(|index| runtime.segments[*index].bytes.len()).sum();
        assert_eq!(bytes, 4, "only the arena's first free byte is shared, not the tables of tolower");
    }
}
