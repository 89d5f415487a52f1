//! Puts emitted functions, the runtime functions that they need and the constants together into one core module.

use std::collections::HashMap;

use wasm_encoder::{
    CodeSection, ConstExpr, DataSection, ExportKind, ExportSection, Function, FunctionSection, GlobalSection,
    Instruction, MemorySection, MemoryType, Module, NameMap, NameSection, TypeSection, ValType,
    reencode::{self, Reencode},
};

use super::{
    EmitError,
    builder::FunctionBuilder,
    runtime::{Runtime, RuntimeFunction},
};

const PAGE_BYTES: u32 = 65536;

/// A function of the module under construction.
pub(super) struct LinkedFunction {
    pub(super) name: String,
    pub(super) parameters: Vec<ValType>,
    pub(super) results: Vec<ValType>,
    pub(super) body: Body,
    /// Under which names it is exported.
    pub(super) exports: Vec<String>,
}

/// What a function does.
pub(super) enum Body {
    /// Emitted code.
    Emitted(FunctionBuilder),
    /// A choice among other functions.
    Switch(Switch),
}

/// Calls one of several functions by its first argument, with the others; traps on any other number.
pub(super) struct Switch {
    /// Indices into the list of functions.
    pub(super) targets: Vec<u32>,
    /// How many arguments to pass on.
    pub(super) arguments: u32,
}

/// Runtime functions that are exported as they are.
pub(super) struct RuntimeExport {
    pub(super) function: RuntimeFunction,
    pub(super) name: &'static str,
}

/// Everything that goes into a module.
pub(super) struct Parts {
    pub(super) functions: Vec<LinkedFunction>,
    pub(super) runtime_exports: Vec<RuntimeExport>,
    pub(super) data_base: u32,
    pub(super) data: Vec<u8>,
    pub(super) names: Names,
}

/// Whether the module says the names of its functions.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Names {
    /// It does not, to be small.
    None,
    /// It does, for people to read.
    Written,
}

/// Numbers of the finished module: emitted functions first, then the runtime's, then `heap_base`.
struct Numbers<'a> {
    runtime: &'a Runtime,
    numbers: HashMap<u32, u32>,
}

impl Reencode for Numbers<'_> {
    type Error = std::convert::Infallible;

    fn function_index(&mut self, function: u32) -> Result<u32, reencode::Error<Self::Error>> {
        Ok(self.numbers.get(&function).copied().unwrap_or_default())
    }
}

impl Numbers<'_> {
    fn of(&self, function: RuntimeFunction) -> u32 {
        self.numbers.get(&self.runtime.number(function)).copied().unwrap_or_default()
    }
}

/// The finished core module.
pub(super) fn link(parts: Parts) -> Result<Module, EmitError> {
    let runtime = Runtime::get();
    let called = parts.functions.iter().flat_map(|function| match &function.body {
        Body::Emitted(builder) => builder.calls().collect::<Vec<_>>(),
        Body::Switch(_) => Vec::new(),
    });
    let exported = parts.runtime_exports.iter().map(|export| export.function);
    let (linked, segments) = runtime.reachable(called.chain(exported));
    let emitted = u32::try_from(parts.functions.len()).unwrap_or(u32::MAX);
    let mut numbers =
        Numbers { runtime, numbers: (0..).zip(&linked).map(|(at, number)| (*number, emitted + at)).collect() };
    // The runtime's one import, which comes last here.
    let heap_base = emitted + u32::try_from(linked.len()).unwrap_or(u32::MAX);
    numbers.numbers.insert(0, heap_base);

    let mut sections = Sections::default();
    for ty in &runtime.types {
        let (parameters, results) = (ty.params().to_vec(), ty.results().to_vec());
        sections.types.ty().function(convert(&parameters), convert(&results));
    }
    let heap_end = parts.data_base + u32::try_from(parts.data.len()).unwrap_or(u32::MAX - parts.data_base);
    for (index, function) in (0..).zip(parts.functions) {
        sections.declare(&function, index);
        let body = match function.body {
            Body::Emitted(builder) => builder.finish(|function| numbers.of(function)),
            Body::Switch(switch) => switch.finish(),
        };
        sections.code.function(&body);
    }
    for number in &linked {
        let Some(function) = runtime.function(*number) else { continue };
        sections.functions.function(function.ty);
        sections.count += 1;
        sections.names.append(numbers.numbers[number], &function.name);
        reencoded(numbers.parse_function_body(&mut sections.code, function.body.clone()))?;
    }
    sections.heap_base(heap_base, heap_end.next_multiple_of(16));
    for export in &parts.runtime_exports {
        sections.exports.export(export.name, ExportKind::Func, numbers.of(export.function));
    }
    let mut globals = GlobalSection::new();
    reencoded(numbers.parse_global_section(&mut globals, runtime.globals.clone()))?;
    for index in segments {
        if let Some(segment) = runtime.segments.get(index) {
            sections.data.active(
                0,
                &ConstExpr::i32_const(segment.address.cast_signed()),
                segment.bytes.iter().copied(),
            );
        }
    }
    sections.data.active(0, &ConstExpr::i32_const(parts.data_base.cast_signed()), parts.data);
    Ok(sections.module(&globals, heap_end.div_ceil(PAGE_BYTES), parts.names))
}

fn reencoded(outcome: Result<(), reencode::Error<std::convert::Infallible>>) -> Result<(), EmitError> {
    outcome.map_err(|error| EmitError::new(format!("the runtime cannot be linked: {error}")))
}

fn convert(types: &[wasmparser::ValType]) -> Vec<ValType> {
    types
        .iter()
        .map(|ty| match ty {
            wasmparser::ValType::I64 => ValType::I64,
            wasmparser::ValType::F32 => ValType::F32,
            wasmparser::ValType::F64 => ValType::F64,
            wasmparser::ValType::V128 => ValType::V128,
            _ => ValType::I32,
        })
        .collect()
}

impl Switch {
    fn finish(self) -> Function {
        let mut function = Function::new([]);
        for (number, target) in (0..).zip(&self.targets) {
            let mut sink = function.instructions();
            sink.local_get(0).i32_const(number).i32_eq().if_(wasm_encoder::BlockType::Empty);
            for argument in 1..=self.arguments {
                sink.local_get(argument);
            }
            sink.call(*target).return_().end();
        }
        function.instruction(&Instruction::Unreachable);
        function.instruction(&Instruction::End);
        function
    }
}

#[derive(Default)]
struct Sections {
    types: TypeSection,
    functions: FunctionSection,
    exports: ExportSection,
    code: CodeSection,
    data: DataSection,
    names: NameMap,
    /// How many functions are declared.
    count: u32,
}

impl Sections {
    fn declare(&mut self, function: &LinkedFunction, index: u32) {
        let ty = self.types.len();
        self.types.ty().function(function.parameters.iter().copied(), function.results.iter().copied());
        self.functions.function(ty);
        self.count += 1;
        self.names.append(index, &function.name);
        for export in &function.exports {
            self.exports.export(export, ExportKind::Func, index);
        }
    }

    /// The function that tells the arena where it starts.
    fn heap_base(&mut self, index: u32, address: u32) {
        let ty = self.types.len();
        self.types.ty().function([], [ValType::I32]);
        self.functions.function(ty);
        self.count += 1;
        self.names.append(index, "heap_base");
        let mut function = Function::new([]);
        function.instructions().i32_const(address.cast_signed()).end();
        self.code.function(&function);
    }

    fn module(mut self, globals: &GlobalSection, pages: u32, names: Names) -> Module {
        let mut memory = MemorySection::new();
        memory.memory(MemoryType {
            minimum: u64::from(pages.max(1)),
            maximum: None,
            memory64: false,
            shared: false,
            page_size_log2: None,
        });
        self.exports.export("memory", ExportKind::Memory, 0);
        let mut module = Module::new();
        module.section(&self.types).section(&self.functions).section(&memory).section(globals);
        module.section(&self.exports).section(&self.code).section(&self.data);
        if names == Names::Written {
            let mut section = NameSection::new();
            section.functions(&self.names);
            module.section(&section);
        }
        module
    }
}
