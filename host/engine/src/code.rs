//! The machine code of one component: compiled, or taken from the cache, with the exports that are called.
//!
//! Code says what a component *does*; whether that fits the manifest that the component carries is looked at in
//! [`crate::detection`], before anything is evaluated.

use sandtrap_wit::INTERFACE;
use wasmtime::{
    Store,
    component::{Component, ComponentExportIndex, Instance, InstancePre, Linker},
};

use crate::{
    Engine, Limits, LoadError, LoadErrorKind,
    failure::Failure,
    memory::MemoryCap,
    ticker::ticks,
    wire::{EvaluateParams, EvaluateResults},
};

/// A component that can be instantiated.
pub(crate) struct Code {
    pre: InstancePre<MemoryCap>,
    describe: ComponentExportIndex,
    evaluate: ComponentExportIndex,
}

/// A component that has been instantiated, with the store that it lives in.
pub(crate) struct Started {
    pub(crate) store: Store<MemoryCap>,
    pub(crate) instance: Instance,
}

impl Code {
    /// Compiles a component that has been checked.
    pub(crate) fn compile(engine: &Engine, bytes: &[u8]) -> Result<Component, LoadError> {
        Component::from_binary(engine.wasmtime(), bytes).map_err(|error| invalid(&error))
    }

    /// The code of a compiled component.
    pub(crate) fn of(engine: &Engine, component: &Component) -> Result<Self, LoadError> {
        let interface = component.get_export_index(None, INTERFACE);
        let export = |name: &str| {
            interface
                .and_then(|interface| component.get_export_index(Some(&interface), name))
                .ok_or_else(|| LoadError::new(LoadErrorKind::Interface, format!("{INTERFACE} has no function {name}")))
        };
        let (describe, evaluate) = (export("describe")?, export("evaluate")?);
        let pre = Linker::new(engine.wasmtime()).instantiate_pre(component).map_err(|error| invalid(&error))?;
        Ok(Self { pre, describe, evaluate })
    }

    /// The export that evaluates.
    pub(crate) fn evaluate_export(&self) -> ComponentExportIndex {
        self.evaluate
    }

    /// A new instance, which may have so many bytes of memory.
    pub(crate) fn start(&self, limits: &Limits, memory_bytes: usize) -> Result<Started, Failure> {
        let cap = MemoryCap::new(memory_bytes, limits.table_elements, limits.instances());
        let mut store = Store::new(self.pre.engine(), cap);
        store.limiter(|cap| cap);
        store.set_epoch_deadline(ticks(limits.describe_deadline));
        let instance = self
            .pre
            .instantiate(&mut store)
            .map_err(|error| Failure::of(&error, limits.describe_deadline, limits.manifest_bytes))?;
        Ok(Started { store, instance })
    }

    /// What `describe` returns, from an instance of its own.
    pub(crate) fn describe(&self, limits: &Limits) -> Result<String, LoadError> {
        let while_starting =
            |failure: Failure| LoadError::new(LoadErrorKind::Describe, format!("while it was started: {failure}"));
        let Started { mut store, instance } = self.start(limits, limits.memory_bytes).map_err(while_starting)?;
        let shape = |name: &'static str| {
            move |error: wasmtime::Error| {
                let message = format!("{name} does not have the type that {INTERFACE} gives it: {error:#}");
                LoadError::new(LoadErrorKind::Interface, message)
            }
        };
        instance
            .get_typed_func::<EvaluateParams<'_>, EvaluateResults>(&mut store, self.evaluate)
            .map_err(shape("evaluate"))?;
        let describe =
            instance.get_typed_func::<(), (String,)>(&mut store, self.describe).map_err(shape("describe"))?;
        store.set_hostcall_fuel(limits.manifest_bytes);
        let (text,) = describe.call(&mut store, ()).map_err(|error| {
            let failure = Failure::of(&error, limits.describe_deadline, limits.manifest_bytes);
            LoadError::new(LoadErrorKind::Describe, format!("describe: {failure}"))
        })?;
        Ok(text)
    }
}

fn invalid(error: &wasmtime::Error) -> LoadError {
    LoadError::new(LoadErrorKind::Invalid, format!("not a usable component: {error:#}"))
}
