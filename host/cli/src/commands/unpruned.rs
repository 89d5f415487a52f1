//! `sandtrap inspect --unpruned`: the detections that an index cannot keep from any event, save what they rule out, and why.

use std::{
    collections::HashMap,
    io::{self, Write},
    path::{Path, PathBuf},
    sync::atomic::{AtomicUsize, Ordering},
};

use rayon::prelude::*;
use sandtrap_embed::{
    Engine,
    compiler::{self, Options},
    rules::{Refusal, Refused, RuleKind, Selection, compile_file, load_file},
    wit::{
        manifest::Manifest,
        plan::{Node, Rows},
    },
};
use serde_json::json;

use super::load;
use crate::{
    args::Format,
    diagnostics::{self, clean},
    exit::Outcome,
    progress::Progress,
};

/// What there is to say of a component: why its rule is so is not in it.
const OF_A_COMPONENT: &str = "nothing in its manifest prunes it";

/// A detection, and why nothing prunes it, if so.
struct Listed {
    id: String,
    title: String,
    reason: Option<String>,
}

impl Listed {
    fn of(manifest: &Manifest, reason: Option<String>) -> Self {
        Self { id: manifest.full_id(), title: manifest.title.clone(), reason }
    }
}

/// Lists the detections of `files` that nothing prunes, a line or object for each.
pub(super) fn run(files: &[PathBuf], options: &Options, format: Format) -> anyhow::Result<Outcome> {
    let engine = load::engine()?;
    let progress = Progress::of_rules();
    let done = AtomicUsize::new(0);
    let look = |file: &PathBuf| {
        let listed = list(&engine, file, options);
        progress.rule(file, done.fetch_add(1, Ordering::Relaxed).saturating_add(1), files.len());
        listed
    };
    let listed: Vec<(Vec<Listed>, Vec<Refusal>)> = files.par_iter().map(look).collect();
    progress.finish();
    let mut out = io::stdout().lock();
    let (mut all, mut unpruned, mut outcome) = (0_usize, 0_usize, Outcome::Done);
    for (file, (detections, refused)) in files.iter().zip(listed) {
        for detection in &detections {
            all = all.saturating_add(1);
            let Some(reason) = &detection.reason else { continue };
            unpruned = unpruned.saturating_add(1);
            show(file, detection, reason, format, &mut out)?;
        }
        for reason in refused {
            diagnostics::show_refused(&Refused { file: file.clone(), reason });
            outcome = Outcome::RulesFailed;
        }
    }
    out.flush()?;
    diagnostics::note(&format!("{unpruned} of {all} detections are candidates for every event of their streams"));
    Ok(outcome)
}

fn show(file: &Path, detection: &Listed, reason: &str, format: Format, out: &mut impl Write) -> anyhow::Result<()> {
    let file = file.to_string_lossy();
    if matches!(format, Format::Json) {
        let value = json!({"file": file, "id": detection.id, "title": detection.title, "not_pruned": reason});
        serde_json::to_writer(&mut *out, &value)?;
        return Ok(writeln!(out)?);
    }
    writeln!(out, "{}", clean(&file))?;
    Ok(writeln!(out, "  {}  {}\n  {}", clean(&detection.id), clean(&detection.title), clean(reason))?)
}

fn list(engine: &Engine, file: &Path, options: &Options) -> (Vec<Listed>, Vec<Refusal>) {
    if RuleKind::of(file) == Some(RuleKind::Component) {
        let loaded = load_file(engine, file, options, &Selection::default());
        let detections = loaded.detections.iter().map(|detection| {
            let manifest = detection.manifest();
            Listed::of(manifest, of_manifest(manifest).map(str::to_owned))
        });
        return (detections.collect(), loaded.refused);
    }
    match compile_file(file, options) {
        Ok(compiled) => {
            let of = |compilation: &compiler::Compilation| {
                Some(Listed::of(compilation.manifest.as_ref()?, compiler::not_pruned(compilation)))
            };
            let detections: Vec<Listed> = compiled.compilations.iter().filter_map(of).collect();
            // What is wrong with a rule is for `compile` and `lint` to say; here, that it is not among those listed.
            let broken = compiled.compilations.iter().filter(|compilation| compilation.is_broken()).count();
            let refused =
                (broken > 0).then(|| Refusal::Other(format!("{broken} rules do not compile; see `sandtrap lint`")));
            (detections, refused.into_iter().collect())
        }
        Err(reason) => (Vec::new(), vec![reason]),
    }
}

/// Why nothing prunes the detections of a source file, by their ids; of a component there is nothing to know.
pub(super) fn reasons(file: &Path, options: &Options) -> HashMap<String, String> {
    if RuleKind::of(file) == Some(RuleKind::Component) {
        return HashMap::new();
    }
    let Ok(compiled) = compile_file(file, options) else { return HashMap::new() };
    let of = |compilation: &compiler::Compilation| {
        Some((compilation.manifest.as_ref()?.full_id(), compiler::not_pruned(compilation)?))
    };
    compiled.compilations.iter().filter_map(of).collect()
}

/// What a manifest says of a detection that nothing in it prunes.
pub(super) fn of_manifest(manifest: &Manifest) -> Option<&'static str> {
    let Some(Node::Source(source)) = manifest.plan.nodes.first() else { return None };
    (matches!(source.rows, Rows::Stream(_)) && !source.prefilter.prunes()).then_some(OF_A_COMPONENT)
}
