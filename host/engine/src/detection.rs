//! A loaded detection: checked and described. It cannot change, and clones share it.
//!
//! Machine code is made when the first instance is started, once for all instances: of thousands of detections most never
//! meet an event that they could match. A component that carries its manifest in a section is described from there until
//! then; when it first runs, `describe` must say the same, or the detection fails for good.

use std::{
    collections::BTreeMap,
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use sandtrap_wit::{LogicalType, MANIFEST_SECTION, manifest::Manifest, plan::NamedColumn};

use crate::{
    Engine, EvaluateError, LoadError, check,
    code::{Code, Started},
    component::{Component, ComponentSource},
    digest::Digest,
    failure::Failure,
    manifest::{self, Described},
};

/// A loaded detection. Cheap to clone.
#[derive(Clone)]
pub struct Detection {
    shared: Arc<Shared>,
}

struct Shared {
    engine: Engine,
    described: Described,
    full_id: String,
    identity: Identity,
    digest_hex: String,
    component_bytes: usize,
    component: Component,
    code: Mutex<CodeState>,
}

/// Where a detection's machine code is. Whoever makes it holds the lock, so that it is made once.
enum CodeState {
    /// Nowhere, or in the cache.
    NotLoaded,
    /// Loaded.
    Loaded(Arc<Code>, Again),
    /// There will be none.
    Failed(Failure),
}

/// Whether code can be had again soon: the cache has it, and if that forgets it, the component's source has the component.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Again {
    Yes,
    No,
}

/// What a detection is made of, and what it claims to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Identity {
    /// Of the component.
    pub(crate) component: Digest,
    /// Of the text that `describe` returns, or is claimed to.
    pub(crate) manifest: Digest,
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

/// What an earlier [`Engine::load`] found, from which a detection is had again without its component.
#[derive(Clone, Debug)]
pub struct Known<'k> {
    /// What `describe` returns.
    pub manifest: &'k str,
    /// Of the component.
    pub digest: Digest,
    /// How many bytes the component has.
    pub component_bytes: usize,
    /// Where the component can be read, if it must be.
    pub source: Arc<dyn ComponentSource>,
}

impl Engine {
    /// Checks and describes a component, whose bytes are kept until its machine code is made.
    pub fn load(&self, bytes: &[u8]) -> Result<Detection, LoadError> {
        self.load_with(bytes, |bytes| Component::held(bytes.to_vec()))
    }

    /// Checks and describes a component, which can be read again when its machine code is made.
    pub fn load_from(&self, bytes: &[u8], source: Arc<dyn ComponentSource>) -> Result<Detection, LoadError> {
        self.load_with(bytes, |_| Component::Stored(source))
    }

    /// A detection as an earlier load found it. The component is checked when it is read, before machine code is made.
    pub fn restore(&self, known: Known<'_>) -> Result<Detection, LoadError> {
        let described = manifest::read(known.manifest, self.limits())?;
        let identity = Identity { component: known.digest, manifest: Digest::of(known.manifest.as_bytes()) };
        let component = Component::Stored(known.source);
        Ok(Detection::new(self, described, identity, known.component_bytes, component, CodeState::NotLoaded))
    }

    fn load_with(&self, bytes: &[u8], component: impl FnOnce(&[u8]) -> Component) -> Result<Detection, LoadError> {
        let claimed = check::check(bytes, self.limits())?;
        let digest = Digest::of(bytes);
        if let Some(text) = claimed {
            let described = manifest::read(text, self.limits())?;
            let identity = Identity { component: digest, manifest: Digest::of(text.as_bytes()) };
            return Ok(Detection::new(self, described, identity, bytes.len(), component(bytes), CodeState::NotLoaded));
        }
        let cached = self.machine_code().and_then(|cache| cache.find(self.wasmtime(), &digest));
        let (compiled, is_new) = match cached {
            Some((_, compiled)) => (compiled, false),
            None => (Code::compile(self, bytes)?, true),
        };
        let code = Code::of(self, &compiled)?;
        let text = code.describe(self.limits())?;
        let described = manifest::read(&text, self.limits())?;
        let identity = Identity { component: digest, manifest: Digest::of(text.as_bytes()) };
        if let Some(cache) = self.machine_code().filter(|_| is_new) {
            cache.keep(&identity, &compiled);
        }
        let state = CodeState::Loaded(Arc::new(code), Again::No);
        Ok(Detection::new(self, described, identity, bytes.len(), Component::held(Vec::new()), state))
    }
}

impl Detection {
    fn new(
        engine: &Engine,
        described: Described,
        identity: Identity,
        component_bytes: usize,
        component: Component,
        code: CodeState,
    ) -> Self {
        let full_id = described.manifest.full_id();
        let digest_hex = identity.component.hex();
        let engine = engine.clone();
        let shared = Shared {
            engine,
            described,
            full_id,
            identity,
            digest_hex,
            component_bytes,
            component,
            code: Mutex::new(code),
        };
        Self { shared: Arc::new(shared) }
    }

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
        &self.shared.digest_hex
    }

    /// SHA-256 of the component.
    pub fn component_digest(&self) -> &Digest {
        &self.shared.identity.component
    }

    /// SHA-256 of the manifest's text, as `describe` returns it or the section claims that it does.
    pub fn manifest_digest(&self) -> &Digest {
        &self.shared.identity.manifest
    }

    /// How many bytes the component has.
    pub fn component_bytes(&self) -> usize {
        self.shared.component_bytes
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
        &self.shared.engine
    }

    /// Makes the machine code, or takes it from the cache, unless that has been done; otherwise the first instance does it.
    /// The error is the one that every evaluation would give.
    pub fn prepare(&self) -> Result<(), EvaluateError> {
        self.code().map(drop).map_err(|failure| EvaluateError::unusable(self.full_id(), &failure))
    }

    /// Whether the machine code is there.
    pub fn is_prepared(&self) -> bool {
        matches!(*self.shared.lock_code(), CodeState::Loaded(..))
    }

    /// Lets go of the machine code, if the cache has it and the component can be read again. Instances that are running keep
    /// it until they are released; the next one to start loads it again, which takes a fraction of a millisecond.
    pub fn release_code(&self) {
        let mut state = self.shared.lock_code();
        if let CodeState::Loaded(_, Again::Yes) = *state {
            *state = CodeState::NotLoaded;
        }
    }

    pub(crate) fn kernel(&self, kernel: u32) -> Option<&KernelColumns> {
        self.shared.described.kernels.get(&kernel)
    }

    pub(crate) fn code(&self) -> Result<Arc<Code>, Failure> {
        let mut state = self.shared.lock_code();
        if let CodeState::NotLoaded = *state {
            *state = match self.shared.make_code() {
                Ok((code, again)) => CodeState::Loaded(Arc::new(code), again),
                Err(failure) => CodeState::Failed(failure),
            };
        }
        match &*state {
            CodeState::Loaded(code, _) => Ok(Arc::clone(code)),
            CodeState::Failed(failure) => Err(failure.clone()),
            CodeState::NotLoaded => Err(Failure::Unusable("there is no machine code".into())),
        }
    }

    pub(crate) fn start(&self) -> Result<Started, Failure> {
        let limits = self.engine().limits();
        let asked = self.manifest().limits.memory_bytes.and_then(|bytes| usize::try_from(bytes).ok());
        self.code()?.start(limits, asked.unwrap_or(limits.memory_bytes).min(limits.memory_bytes))
    }
}

impl fmt::Debug for Detection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Detection").field("id", &self.full_id()).field("digest", &self.digest()).finish_non_exhaustive()
    }
}

impl Shared {
    /// Code that does what the manifest says, and whether it can be had again.
    fn make_code(&self) -> Result<(Code, Again), Failure> {
        let unusable = |error: LoadError| Failure::Unusable(error.to_string());
        let cache = self.engine.machine_code();
        if let Some((manifest, compiled)) =
            cache.and_then(|cache| cache.find(self.engine.wasmtime(), &self.identity.component))
        {
            self.component.release();
            // Whoever kept the code asked `describe`, which is a constant.
            self.check_manifest(&manifest)?;
            return Code::of(&self.engine, &compiled).map(|code| (code, self.again(true))).map_err(unusable);
        }
        let bytes = self.component.take(&self.engine, &self.identity.component)?;
        let compiled = Code::compile(&self.engine, &bytes).map_err(unusable)?;
        let code = Code::of(&self.engine, &compiled).map_err(unusable)?;
        let described = code.describe(self.engine.limits()).map_err(unusable)?;
        self.check_manifest(&Digest::of(described.as_bytes()))?;
        let kept = cache.is_some_and(|cache| cache.keep(&self.identity, &compiled));
        Ok((code, self.again(kept)))
    }

    fn again(&self, is_cached: bool) -> Again {
        if is_cached && matches!(self.component, Component::Stored(_)) { Again::Yes } else { Again::No }
    }

    fn lock_code(&self) -> MutexGuard<'_, CodeState> {
        self.code.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether `describe` returns what the section says, for which `found` is its digest.
    fn check_manifest(&self, found: &Digest) -> Result<(), Failure> {
        if *found == self.identity.manifest {
            return Ok(());
        }
        let reason =
            format!("describe does not return what the section {MANIFEST_SECTION} says; rebuild the component");
        Err(Failure::Unusable(reason))
    }
}
