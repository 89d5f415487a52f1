//! Checks a component's bytes before anything is compiled: that it is a valid component of a size that may be
//! compiled, imports nothing (invariant 1), and exports the interface of a detection.
//!
//! Only the shape is looked at here. What the functions do is bounded while they run. On the way, the manifest is found
//! that a component may carry in a section.

use sandtrap_wit::{INTERFACE, MANIFEST_SECTION};
use wasmparser::{
    BinaryReaderError, ComponentExternalKind, ComponentInstance, ElementItems, Encoding, FunctionBody, Instance,
    Operator, Parser, Payload, Validator, WasmFeatures,
};

use crate::{Limits, LoadError, LoadErrorKind};

/// What a component may be made of: WebAssembly 2.0, what compilers emit by default since, and the component model
/// without its unfinished parts. The engine's own configuration is no wider.
const FEATURES: WasmFeatures = WasmFeatures::WASM2
    .union(WasmFeatures::LIME1)
    .union(WasmFeatures::RELAXED_SIMD)
    .union(WasmFeatures::GC_TYPES)
    .union(WasmFeatures::COMPONENT_MODEL);

/// How deep components may be nested: `wit-component` puts one into another for each exported interface. Deeper ones
/// that instantiate each other twice would double with every level.
const DEPTH_MAX: usize = 1;

/// The size of a page of linear memory; the custom page sizes proposal is off.
const WASM_PAGE_BYTES: u64 = 64 << 10;

/// Refuses a component that should not be compiled. What it gives is the text of the component's manifest section, if it has
/// one: a claim that nobody has compared with `describe`.
pub(crate) fn check<'b>(bytes: &'b [u8], limits: &Limits) -> Result<Option<&'b str>, LoadError> {
    within("bytes", bytes.len(), limits.component_bytes)?;
    let mut survey = Survey::default();
    for payload in Parser::new(0).parse_all(bytes) {
        survey.visit(payload.map_err(|error| invalid(&error))?, limits)?;
    }
    let manifest = survey.conclude()?;
    // Last, because it is the longest: a file that is too large or of the wrong kind has been refused by now.
    Validator::new_with_features(FEATURES).validate_all(bytes).map_err(|error| invalid(&error))?;
    Ok(manifest)
}

/// What has been seen of a component so far.
#[derive(Default)]
struct Survey<'b> {
    /// The encodings of the enclosing modules and components, outermost first.
    enclosing: Vec<Encoding>,
    modules: usize,
    components: usize,
    instances: usize,
    functions: usize,
    code_bytes: usize,
    locals: usize,
    types: usize,
    globals: usize,
    exports: usize,
    segments: usize,
    crossing: usize,
    data_bytes: usize,
    table_elements: usize,
    interface: Interface,
    /// The text of the manifest section.
    manifest: Option<&'b str>,
}

/// What has been found in place of the interface.
#[derive(Default)]
enum Interface {
    #[default]
    Missing,
    Version(String),
    Found,
}

impl<'b> Survey<'b> {
    fn visit(&mut self, payload: Payload<'b>, limits: &Limits) -> Result<(), LoadError> {
        match payload {
            Payload::Version { encoding, .. } => {
                if self.enclosing.is_empty() && encoding == Encoding::Module {
                    let message = "this is a core module, not a component; wrap it with `wasm-tools component new`";
                    return Err(LoadError::new(LoadErrorKind::Invalid, message));
                }
                self.enclosing.push(encoding);
            }
            Payload::End(_) => {
                self.enclosing.pop();
            }
            Payload::ModuleSection { .. } => add("core modules", &mut self.modules, 1, limits.parts)?,
            Payload::ComponentSection { .. } => {
                if self.enclosing.len() > DEPTH_MAX {
                    let message = format!("components are nested deeper than {DEPTH_MAX}");
                    return Err(LoadError::new(LoadErrorKind::Limit, message));
                }
                add("nested components", &mut self.components, 1, limits.parts)?;
            }
            Payload::ComponentImportSection(imports) if self.is_outermost() => {
                if let Some(import) = imports.into_iter().next() {
                    let name = import.map_err(|error| invalid(&error))?.name.name;
                    let message = format!("imports {name:?}; a detection has no imports (invariant 1)");
                    return Err(LoadError::new(LoadErrorKind::Import, message));
                }
            }
            Payload::ComponentExportSection(exports) if self.is_outermost() => {
                for export in exports {
                    let export = export.map_err(|error| invalid(&error))?;
                    self.see_export(export.name.name, export.kind);
                }
            }
            Payload::InstanceSection(section) => {
                for instance in section {
                    let made = matches!(instance.map_err(|error| invalid(&error))?, Instance::Instantiate { .. });
                    add("core instances", &mut self.instances, usize::from(made), limits.instances())?;
                }
            }
            Payload::ComponentInstanceSection(section) => {
                for instance in section {
                    let instance = instance.map_err(|error| invalid(&error))?;
                    let made = matches!(instance, ComponentInstance::Instantiate { .. });
                    add("instances", &mut self.instances, usize::from(made), limits.instances())?;
                }
            }
            Payload::CustomSection(section) if self.is_outermost() && section.name() == MANIFEST_SECTION => {
                self.see_manifest(section.data(), limits)?;
            }
            other => self.visit_core(other, limits)?,
        }
        Ok(())
    }

    /// The sections of core modules.
    fn visit_core(&mut self, payload: Payload<'_>, limits: &Limits) -> Result<(), LoadError> {
        match payload {
            Payload::CodeSectionEntry(body) => {
                add("functions", &mut self.functions, 1, limits.functions)?;
                within("bytes of one function", body.range().len(), limits.function_bytes)?;
                add("bytes of code", &mut self.code_bytes, body.range().len(), limits.code_bytes)?;
                let shape = FunctionShape::of(&body).map_err(|error| invalid(&error))?;
                add("locals", &mut self.locals, shape.locals, limits.locals)?;
                within("calls in one function", shape.calls, limits.calls)?;
                within("nested loops", shape.nested_loops, limits.loops)?;
                let values = shape.locals.saturating_add(limits.parameters).saturating_mul(shape.places);
                within("locals times branches of one function", values, limits.function_values)?;
            }
            Payload::TypeSection(types) => {
                for ty in types.into_iter_err_on_gc_types() {
                    let ty = ty.map_err(|error| invalid(&error))?;
                    add("function types", &mut self.types, 1, limits.types)?;
                    within("results of one function", ty.results().len(), limits.results)?;
                    within("parameters of one function", ty.params().len(), limits.parameters)?;
                }
            }
            Payload::GlobalSection(globals) => {
                add("globals", &mut self.globals, saturate(globals.count().into()), limits.items)?;
                add("bytes of code", &mut self.code_bytes, globals.range().len(), limits.code_bytes)?;
            }
            Payload::ExportSection(exports) => {
                add("exports of modules", &mut self.exports, saturate(exports.count().into()), limits.items)?;
            }
            Payload::ElementSection(segments) => {
                add("segments", &mut self.segments, saturate(segments.count().into()), limits.items)?;
                add("bytes of code", &mut self.code_bytes, segments.range().len(), limits.code_bytes)?;
                for segment in segments {
                    let elements = match segment.map_err(|error| invalid(&error))?.items {
                        ElementItems::Functions(items) => items.count(),
                        ElementItems::Expressions(_, items) => items.count(),
                    };
                    add("table elements", &mut self.table_elements, saturate(elements.into()), limits.table_elements)?;
                }
            }
            Payload::ComponentCanonicalSection(functions) => {
                let count = saturate(functions.count().into());
                add("functions that cross its boundary", &mut self.crossing, count, limits.items)?;
            }
            Payload::MemorySection(memories) => {
                for memory in memories {
                    let memory = memory.map_err(|error| invalid(&error))?;
                    let bytes = memory.initial.saturating_mul(WASM_PAGE_BYTES);
                    within("bytes of memory at the start", saturate(bytes), limits.memory_bytes)?;
                }
            }
            Payload::TableSection(tables) => {
                for table in tables {
                    let table = table.map_err(|error| invalid(&error))?;
                    let elements = saturate(table.ty.initial);
                    add("table elements", &mut self.table_elements, elements, limits.table_elements)?;
                }
            }
            Payload::DataSection(segments) => {
                add("segments", &mut self.segments, saturate(segments.count().into()), limits.items)?;
                for segment in segments {
                    let segment = segment.map_err(|error| invalid(&error))?;
                    let before = segment.range.len().saturating_sub(segment.data.len());
                    add("bytes of code", &mut self.code_bytes, before, limits.code_bytes)?;
                    add("bytes of data", &mut self.data_bytes, segment.data.len(), limits.data_bytes)?;
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn is_outermost(&self) -> bool {
        self.enclosing.len() == 1
    }

    fn see_manifest(&mut self, bytes: &'b [u8], limits: &Limits) -> Result<(), LoadError> {
        let refused = |message: String| LoadError::new(LoadErrorKind::Manifest, message);
        within("bytes of manifest", bytes.len(), limits.manifest_bytes)?;
        let text = str::from_utf8(bytes)
            .map_err(|error| refused(format!("the section {MANIFEST_SECTION} is not UTF-8: {error}")))?;
        if self.manifest.replace(text).is_some() {
            return Err(refused(format!("there are two sections {MANIFEST_SECTION}; a component has one manifest")));
        }
        Ok(())
    }

    fn see_export(&mut self, name: &str, kind: ComponentExternalKind) {
        if name == INTERFACE && kind == ComponentExternalKind::Instance {
            self.interface = Interface::Found;
        } else if let Interface::Missing = self.interface
            && name.split('@').next() == INTERFACE.split('@').next()
        {
            self.interface = Interface::Version(name.into());
        }
    }

    fn conclude(self) -> Result<Option<&'b str>, LoadError> {
        let message = match self.interface {
            Interface::Found => return Ok(self.manifest),
            Interface::Version(found) => {
                format!("exports {found}, but this host speaks {INTERFACE}; rebuild the detection for that version")
            }
            Interface::Missing => format!("does not export {INTERFACE}, so it is no detection"),
        };
        Err(LoadError::new(LoadErrorKind::Interface, message))
    }
}

/// What makes a function hard to compile.
#[derive(Default)]
struct FunctionShape {
    locals: usize,
    nested_loops: usize,
    calls: usize,
    /// Where control flow can go: the ends of blocks, and behind branches.
    places: usize,
}

impl FunctionShape {
    fn of(body: &FunctionBody<'_>) -> Result<Self, BinaryReaderError> {
        let mut shape = Self::default();
        for locals in body.get_locals_reader()? {
            shape.locals = shape.locals.saturating_add(saturate(locals?.0.into()));
        }
        let (mut open, mut loops) = (Vec::new(), 0_usize);
        for operator in body.get_operators_reader()? {
            match operator? {
                Operator::Loop { .. } => {
                    open.push(true);
                    loops = loops.saturating_add(1);
                    shape.nested_loops = loops.max(shape.nested_loops);
                }
                Operator::Block { .. } | Operator::If { .. } | Operator::TryTable { .. } => open.push(false),
                Operator::End if open.pop() == Some(true) => loops = loops.saturating_sub(1),
                Operator::Else | Operator::Br { .. } | Operator::BrIf { .. } | Operator::BrTable { .. } => {}
                Operator::Call { .. } | Operator::CallIndirect { .. } => {
                    shape.calls = shape.calls.saturating_add(1);
                    continue;
                }
                _ => continue,
            }
            shape.places = shape.places.saturating_add(1);
        }
        Ok(shape)
    }
}

fn add(what: &str, count: &mut usize, more: usize, cap: usize) -> Result<(), LoadError> {
    *count = count.saturating_add(more);
    within(what, *count, cap)
}

fn within(what: &str, count: usize, cap: usize) -> Result<(), LoadError> {
    if count > cap {
        return Err(LoadError::new(LoadErrorKind::Limit, format!("{count} {what}, more than the cap of {cap}")));
    }
    Ok(())
}

fn saturate(count: u64) -> usize {
    usize::try_from(count).unwrap_or(usize::MAX)
}

fn invalid(error: &BinaryReaderError) -> LoadError {
    let message = format!("not a valid component, perhaps truncated or damaged: {error}");
    LoadError::new(LoadErrorKind::Invalid, message)
}
