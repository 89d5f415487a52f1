//! A loaded detection: checked, compiled and described. It cannot change, and clones share it.

use std::{
    collections::BTreeMap,
    fmt::{self, Write as _},
    sync::Arc,
};

use sandtrap_wit::{INTERFACE, LogicalType, manifest::Manifest, plan::NamedColumn};
use sha2::{Digest as _, Sha256};
use wasmtime::{
    Store,
    component::{Component, ComponentExportIndex, Instance, InstancePre, Linker},
};

use crate::{
    Engine, LoadError, LoadErrorKind, check,
    failure::Failure,
    manifest::{self, Described},
    memory::MemoryCap,
    ticker::ticks,
    wire::{EvaluateParams, EvaluateResults},
};

/// A loaded detection. Cheap to clone.
#[derive(Clone)]
pub struct Detection {
    shared: Arc<Shared>,
}

struct Shared {
    code: Code,
    described: Described,
    full_id: String,
    digest: String,
    bytes: usize,
}

/// The compiled component.
struct Code {
    engine: Engine,
    pre: InstancePre<MemoryCap>,
    describe: ComponentExportIndex,
    evaluate: ComponentExportIndex,
}

/// A component that has been instantiated, with the store that it lives in.
pub(crate) struct Started {
    pub(crate) store: Store<MemoryCap>,
    pub(crate) instance: Instance,
}

/// What one kernel reads and computes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KernelColumns {
    /// The columns of its batch.
    pub reads: Vec<KernelRead>,
    /// The types of the columns that it computes.
    pub computed: Vec<LogicalType>,
}

/// A column that a kernel reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KernelRead {
    /// Its type; of the elements where it is of lists.
    pub ty: LogicalType,
    /// Whether the kernel takes lists. One that does not is never given list offsets.
    pub list: bool,
}

impl Engine {
    /// Checks, compiles and describes a component.
    pub fn load(&self, bytes: &[u8]) -> Result<Detection, LoadError> {
        check::check(bytes, self.limits())?;
        let code = Code::compile(self, bytes)?;
        let described = code.describe()?;
        let full_id = described.manifest.full_id();
        let shared = Shared { code, described, full_id, digest: digest(bytes), bytes: bytes.len() };
        Ok(Detection { shared: Arc::new(shared) })
    }
}

impl Detection {
    /// What the detection says of itself.
    pub fn manifest(&self) -> &Manifest {
        &self.shared.described.manifest
    }

    /// `namespace/id`.
    pub fn full_id(&self) -> &str {
        &self.shared.full_id
    }

    /// SHA-256 of the component, in lower-case hex.
    pub fn digest(&self) -> &str {
        &self.shared.digest
    }

    /// How many bytes the component has.
    pub fn component_bytes(&self) -> usize {
        self.shared.bytes
    }

    /// The columns of the rows of each node of the plan.
    pub fn columns_of_nodes(&self) -> &[Vec<NamedColumn>] {
        &self.shared.described.columns
    }

    /// What each kernel reads and computes, by its number.
    pub fn kernels(&self) -> &BTreeMap<u32, KernelColumns> {
        &self.shared.described.kernels
    }

    /// The engine that loaded it.
    pub fn engine(&self) -> &Engine {
        &self.shared.code.engine
    }

    pub(crate) fn kernel(&self, kernel: u32) -> Option<&KernelColumns> {
        self.shared.described.kernels.get(&kernel)
    }

    pub(crate) fn evaluate_export(&self) -> ComponentExportIndex {
        self.shared.code.evaluate
    }

    pub(crate) fn start(&self) -> Result<Started, Failure> {
        let limits = self.engine().limits();
        let asked = self.manifest().limits.memory_bytes.and_then(|bytes| usize::try_from(bytes).ok());
        self.shared.code.start(asked.unwrap_or(limits.memory_bytes).min(limits.memory_bytes))
    }
}

impl fmt::Debug for Detection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Detection").field("id", &self.full_id()).field("digest", &self.digest()).finish_non_exhaustive()
    }
}

impl Code {
    fn compile(engine: &Engine, bytes: &[u8]) -> Result<Self, LoadError> {
        let invalid = |error: &wasmtime::Error| {
            LoadError::new(LoadErrorKind::Invalid, format!("not a usable component: {error:#}"))
        };
        let component = Component::from_binary(engine.wasmtime(), bytes).map_err(|error| invalid(&error))?;
        let interface = component.get_export_index(None, INTERFACE);
        let export = |name: &str| {
            interface
                .and_then(|interface| component.get_export_index(Some(&interface), name))
                .ok_or_else(|| LoadError::new(LoadErrorKind::Interface, format!("{INTERFACE} has no function {name}")))
        };
        let (describe, evaluate) = (export("describe")?, export("evaluate")?);
        let pre = Linker::new(engine.wasmtime()).instantiate_pre(&component).map_err(|error| invalid(&error))?;
        Ok(Self { engine: engine.clone(), pre, describe, evaluate })
    }

    fn start(&self, memory_bytes: usize) -> Result<Started, Failure> {
        let limits = self.engine.limits();
        let cap = MemoryCap::new(memory_bytes, limits.table_elements, limits.instances());
        let mut store = Store::new(self.engine.wasmtime(), cap);
        store.limiter(|cap| cap);
        store.set_epoch_deadline(ticks(limits.describe_deadline));
        let instance = self
            .pre
            .instantiate(&mut store)
            .map_err(|error| Failure::of(&error, limits.describe_deadline, limits.manifest_bytes))?;
        Ok(Started { store, instance })
    }

    fn describe(&self) -> Result<Described, LoadError> {
        let limits = self.engine.limits();
        let while_starting =
            |failure: Failure| LoadError::new(LoadErrorKind::Describe, format!("while it was started: {failure}"));
        let Started { mut store, instance } = self.start(limits.memory_bytes).map_err(while_starting)?;
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
        manifest::read(&text, limits)
    }
}

fn digest(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().fold(String::with_capacity(64), |mut hex, byte| {
        // Writing to a string cannot fail.
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}
