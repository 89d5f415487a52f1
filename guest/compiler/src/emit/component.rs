//! The whole component: one function for each kernel, `describe`, `evaluate`, and the component around them.

use std::sync::OnceLock;

use sandtrap_wit::{DETECTION_WIT, INTERFACE, MANIFEST_SECTION, WORLD, manifest::Manifest};
use wasm_encoder::{ComponentSection, CustomSection, Module, ValType};
use wit_component::{ComponentEncoder, StringEncoding, metadata};
use wit_parser::Resolve;

use super::{
    EmitError,
    builder::FunctionBuilder,
    data::Data,
    kernel,
    link::{Body, LinkedFunction, Names, Parts, RuntimeExport, Switch, link},
    runtime::{Runtime, RuntimeFunction},
};
use crate::ir::Program;

/// The component of a program under a manifest, whose plan is the program's.
pub fn component(program: &Program, manifest: &Manifest) -> Result<Vec<u8>, EmitError> {
    let described = described(manifest)?;
    let mut module = module(program, &described, Names::None)?;
    module.section(&CustomSection { name: "component-type".into(), data: component_type()?.into() });
    let mut component = ComponentEncoder::default()
        .validate(cfg!(debug_assertions))
        .module(&module.finish())
        .and_then(|mut encoder| encoder.encode())
        .map_err(|error| EmitError::new(format!("the module cannot be wrapped: {error:#}")))?;
    // For hosts that want to know the detection before they make machine code of it.
    CustomSection { name: MANIFEST_SECTION.into(), data: described.into() }.append_to_component(&mut component);
    Ok(component)
}

/// What `describe` returns.
fn described(manifest: &Manifest) -> Result<Vec<u8>, EmitError> {
    serde_json::to_vec(manifest).map_err(|error| EmitError::new(error.to_string()))
}

/// The core module inside the component, with the names of its functions, for people to read.
pub fn readable_module(program: &Program, manifest: &Manifest) -> Result<Vec<u8>, EmitError> {
    Ok(module(program, &described(manifest)?, Names::Written)?.finish())
}

fn module(program: &Program, described: &[u8], names: Names) -> Result<Module, EmitError> {
    let mut data = Data::new(Runtime::get().heap_base.next_multiple_of(16));
    let mut functions = Vec::with_capacity(program.kernels.len() + 3);
    for (index, kernel) in program.kernels.iter().enumerate() {
        functions.push(LinkedFunction {
            name: format!("kernel_{index}"),
            parameters: vec![ValType::I32, ValType::I64, ValType::I32, ValType::I32],
            results: vec![ValType::I32],
            body: Body::Emitted(kernel::emit(kernel, &mut data)?),
            exports: Vec::new(),
        });
    }
    functions.push(evaluate(program.kernels.len()));
    functions.push(release());
    functions.push(describe(described, &mut data));
    let (data_base, data) = data.finish()?;
    let runtime_exports = vec![RuntimeExport { function: RuntimeFunction::Realloc, name: "cabi_realloc" }];
    link(Parts { functions, runtime_exports, data_base, data, names })
}

fn evaluate(kernels: usize) -> LinkedFunction {
    let targets = (0..u32::try_from(kernels).unwrap_or(u32::MAX)).collect();
    LinkedFunction {
        name: "evaluate".into(),
        parameters: vec![ValType::I32, ValType::I32, ValType::I64, ValType::I32, ValType::I32],
        results: vec![ValType::I32],
        body: Body::Switch(Switch { targets, arguments: kernel::PARAMETERS }),
        exports: vec![format!("{INTERFACE}#evaluate")],
    }
}

/// What the host calls when it has read the answer of `evaluate`.
fn release() -> LinkedFunction {
    let mut body = FunctionBuilder::new(1);
    body.call(RuntimeFunction::Reset);
    LinkedFunction {
        name: "release".into(),
        parameters: vec![ValType::I32],
        results: Vec::new(),
        body: Body::Emitted(body),
        exports: vec![format!("cabi_post_{INTERFACE}#evaluate")],
    }
}

/// Answers with a constant: the address of pointer and length of the manifest.
fn describe(manifest: &[u8], data: &mut Data) -> LinkedFunction {
    let text = data.add(manifest, 1);
    let answer = data.add_words(&[text, u32::try_from(manifest.len()).unwrap_or(u32::MAX)]);
    let mut body = FunctionBuilder::new(0);
    body.u32(answer);
    LinkedFunction {
        name: "describe".into(),
        parameters: Vec::new(),
        results: vec![ValType::I32],
        body: Body::Emitted(body),
        exports: vec![format!("{INTERFACE}#describe")],
    }
}

/// The type of the world, as the custom section that `wit-component` reads.
fn component_type() -> Result<&'static [u8], EmitError> {
    static TYPE: OnceLock<Result<Vec<u8>, String>> = OnceLock::new();
    let encoded = TYPE.get_or_init(|| {
        let mut resolve = Resolve::default();
        let package = resolve.push_str("detection.wit", DETECTION_WIT).map_err(|error| error.to_string())?;
        let world = resolve.select_world(&[package], Some(WORLD)).map_err(|error| error.to_string())?;
        metadata::encode(&resolve, world, StringEncoding::UTF8, None).map_err(|error| error.to_string())
    });
    encoded.as_deref().map_err(|error| EmitError::new(format!("detection.wit cannot be encoded: {error}")))
}
