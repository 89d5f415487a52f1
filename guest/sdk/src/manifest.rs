//! Builds the manifest of a hand-written detection: what it says of itself, and the plan `source -> kernel`.

use sandtrap_wit::{
    LogicalType,
    manifest::{Attack, Confidence, Level, Limits, Manifest, SCHEMA, Status},
    plan::{Kernel, KernelOutput, Node, OutputCells, Plan, Rows, Source, SourceColumn},
    prefilter::{Atom, Clause, Prefilter},
};

use crate::{Detection, Field, Found as _, Scalar, detection::KERNEL};

/// A manifest in the making. The result's columns are those kept, in the order of the calls, then the computed ones.
#[derive(Debug)]
#[must_use]
pub struct ManifestBuilder {
    manifest: Manifest,
    kept: Vec<Field>,
    prefilter: Prefilter,
}

impl ManifestBuilder {
    /// A detection `namespace/id`; the title is one line.
    pub fn new(namespace: &str, id: &str, title: &str) -> Self {
        let manifest = Manifest {
            schema: SCHEMA,
            namespace: namespace.into(),
            id: id.into(),
            version: None,
            title: title.into(),
            description: String::new(),
            level: None,
            confidence: None,
            status: None,
            authors: Vec::new(),
            references: Vec::new(),
            false_positives: Vec::new(),
            tags: Vec::new(),
            attack: Attack::default(),
            data_sources: Vec::new(),
            licence: None,
            source: None,
            requires: Vec::new(),
            plan: Plan { nodes: Vec::new() },
            limits: Limits::default(),
        };
        Self { manifest, kept: Vec::new(), prefilter: Prefilter::default() }
    }

    /// The detection's own version.
    pub fn version(mut self, version: &str) -> Self {
        self.manifest.version = Some(version.into());
        self
    }

    /// As long as it takes.
    pub fn description(mut self, description: &str) -> Self {
        self.manifest.description = description.into();
        self
    }

    /// How bad a true positive is.
    pub fn level(mut self, level: Level) -> Self {
        self.manifest.level = Some(level);
        self
    }

    /// How likely a verdict is a true positive.
    pub fn confidence(mut self, confidence: Confidence) -> Self {
        self.manifest.confidence = Some(confidence);
        self
    }

    /// How mature the detection is.
    pub fn status(mut self, status: Status) -> Self {
        self.manifest.status = Some(status);
        self
    }

    /// One of those who wrote it.
    pub fn author(mut self, author: &str) -> Self {
        self.manifest.authors.push(author.into());
        self
    }

    /// Where to read more.
    pub fn reference(mut self, reference: &str) -> Self {
        self.manifest.references.push(reference.into());
        self
    }

    /// A known benign cause and how to tune it out.
    pub fn false_positive(mut self, cause: &str) -> Self {
        self.manifest.false_positives.push(cause.into());
        self
    }

    /// A free tag.
    pub fn tag(mut self, tag: &str) -> Self {
        self.manifest.tags.push(tag.into());
        self
    }

    /// A tactic as ATT&CK writes it (`Command and Control`).
    pub fn tactic(mut self, tactic: &str) -> Self {
        self.manifest.attack.tactics.push(tactic.into());
        self
    }

    /// An ATT&CK technique id (`T1219.003`).
    pub fn technique(mut self, technique: &str) -> Self {
        self.manifest.attack.techniques.push(technique.into());
        self
    }

    /// What the detection needs to see.
    pub fn data_source(mut self, data_source: &str) -> Self {
        self.manifest.data_sources.push(data_source.into());
        self
    }

    /// An SPDX expression.
    pub fn licence(mut self, licence: &str) -> Self {
        self.manifest.licence = Some(licence.into());
        self
    }

    /// Reports this field of the stream, unchanged, with every row that is found.
    pub fn keep<T: Scalar>(mut self, name: &'static str) -> Self {
        self.kept.push(Field { name, ty: T::TYPE });
        self
    }

    /// A condition that every row has that can be found: one of `atoms` holds. The host then need not hand in rows
    /// without it. Called again: that holds as well.
    pub fn only_where_any(mut self, atoms: impl IntoIterator<Item = Atom>) -> Self {
        self.prefilter.clauses.push(Clause { atoms: atoms.into_iter().collect() });
        self
    }

    /// The manifest, with the plan of `D`.
    pub fn finish<D: Detection>(mut self) -> Manifest {
        // What the kernel reads comes first, so that prefilter atoms count as `READS` does.
        let mut columns: Vec<Field> = D::READS.to_vec();
        let mut outputs = Vec::new();
        for field in &self.kept {
            let at = columns.iter().position(|column| column == field).unwrap_or_else(|| {
                columns.push(*field);
                columns.len() - 1
            });
            outputs.push(output(field.name, field.ty, OutputCells::Input(number(at))));
        }
        for (at, (name, ty)) in D::COMPUTED.as_ref().iter().zip(D::Found::TYPES).enumerate() {
            outputs.push(output(name, *ty, OutputCells::Computed(number(at))));
        }
        let source = Source {
            rows: Rows::Stream(D::STREAM.into()),
            columns: columns.iter().map(|field| source_column(*field)).collect(),
            prefilter: self.prefilter,
            lookback: None,
        };
        let reads = (0..D::READS.len()).map(number).collect();
        let kernel = Kernel { input: 0, kernel: KERNEL, reads, outputs };
        self.manifest.plan.nodes = vec![Node::Source(source), Node::Kernel(kernel)];
        self.manifest
    }
}

fn source_column(field: Field) -> SourceColumn {
    SourceColumn { field: vec![field.name.into()], ty: field.ty, list: false }
}

fn output(name: &str, ty: LogicalType, from: OutputCells) -> KernelOutput {
    KernelOutput { name: name.into(), ty, from }
}

/// Columns are listed in the detection's source: there are never so many.
fn number(place: usize) -> u32 {
    u32::try_from(place).unwrap_or(u32::MAX)
}
