//! Mistakes in rule files, also in those that compile and would run.

use std::{
    collections::HashMap,
    path::{Path, PathBuf},
    sync::atomic::{AtomicUsize, Ordering},
};

use rayon::prelude::*;

use super::{CompiledFile, Progress, Refusal, Refused, Remarks, RuleKind, compile_file, discover};
use crate::compiler::{self, Options};

/// What there is to say about rule files.
#[derive(Debug, Default)]
pub struct Linted {
    /// How many source files were looked at.
    pub files: usize,
    /// Errors and warnings in the files' texts, in the order of the files.
    pub remarks: Vec<Remarks>,
    /// Files that cannot be read, and rules whose id another one has.
    pub refused: Vec<Refused>,
}

/// Looks for mistakes in every source file that `paths` name or hold. `progress` is told of each file that is done; it is
/// called on several threads.
pub fn lint(paths: &[PathBuf], options: &Options, progress: &(dyn Fn(Progress<'_>) + Sync)) -> Linted {
    let (files, unreadable) = discover(paths);
    let files: Vec<PathBuf> = files.into_iter().filter(|file| RuleKind::of(file) == Some(RuleKind::Source)).collect();
    let mut linted = Linted { files: files.len(), ..Linted::default() };
    linted.refused.extend(
        unreadable.into_iter().map(|gone| Refused { file: gone.path, reason: Refusal::Other(gone.error.to_string()) }),
    );
    let done = AtomicUsize::new(0);
    let look = |file: &PathBuf| {
        let compiled = compile_file(file, options).map(|compiled| (remarks(&compiled), ids(&compiled)));
        progress(Progress { file, done: done.fetch_add(1, Ordering::Relaxed).saturating_add(1), of: files.len() });
        compiled
    };
    let compiled: Vec<_> = files.par_iter().map(look).collect();
    let mut claims: HashMap<String, &Path> = HashMap::new();
    for (file, compiled) in files.iter().zip(compiled) {
        match compiled {
            Ok((remarks, ids)) => {
                linted.remarks.extend(remarks);
                for id in ids {
                    if let Some(other) = claims.get(&id) {
                        let reason = format!("the id {id} is claimed by {} too; each rule needs its own", other.display());
                        linted.refused.push(Refused { file: file.clone(), reason: Refusal::Other(reason) });
                    } else {
                        claims.insert(id, file);
                    }
                }
            }
            Err(reason) => linted.refused.push(Refused { file: file.clone(), reason }),
        }
    }
    linted
}

fn remarks(compiled: &CompiledFile) -> Option<Remarks> {
    let of_compiler = compiled.compilations.iter().flat_map(|compilation| compilation.diagnostics.clone());
    let mut diagnostics: Vec<_> =
        of_compiler.chain(compiler::lint(&compiled.file.to_string_lossy(), &compiled.text)).collect();
    diagnostics.sort_by_key(|diagnostic| diagnostic.span.start);
    let remarks = Remarks { file: compiled.file.clone(), text: compiled.text.clone(), diagnostics };
    (!remarks.diagnostics.is_empty()).then_some(remarks)
}

fn ids(compiled: &CompiledFile) -> Vec<String> {
    let manifests = compiled.compilations.iter().filter_map(|compilation| compilation.manifest.as_ref());
    manifests.map(sandtrap_wit::manifest::Manifest::full_id).collect()
}
