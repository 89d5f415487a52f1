//! `sandtrap compile`: rules to components, or to a form on the way there.

use std::{
    collections::HashMap,
    fs,
    io::{self, Write as _},
    path::{Path, PathBuf},
    sync::atomic::{AtomicUsize, Ordering},
};

use anyhow::{Context as _, bail};
use rayon::prelude::*;
use sandtrap_embed::{
    compiler::{self, Compilation},
    rules::{CompiledFile, Refusal, Refused, Remarks, RuleKind, compile_file, discover},
};

use super::load;
use crate::{
    args::{Compile, Emit},
    diagnostics,
    exit::{Outcome, UsageError},
    progress::Progress,
};

/// Of so many rules at most, each component that is written is named; of more only how many there are.
const NAMED_MAX: usize = 20;

pub(crate) fn run(args: &Compile) -> anyhow::Result<Outcome> {
    let (files, unreadable) = discover(&args.rules);
    let mut outcome = Outcome::Done;
    for path in unreadable {
        diagnostics::error(&format!("{}: {}", path.path.display(), path.error));
        outcome = Outcome::RulesFailed;
    }
    // A folder of rules may hold components; one that is named is a mistake.
    let files: Vec<PathBuf> = files
        .into_iter()
        .filter(|file| RuleKind::of(file) == Some(RuleKind::Source) || args.rules.contains(file))
        .collect();
    let options = load::options(&args.compiling, &args.rules)?;
    let target = Target::of(args.output.as_deref(), &files)?;
    if args.emit.is_none() {
        target.check_apart(&files, &args.rules)?;
    }
    let progress = Progress::of_rules();
    let done = AtomicUsize::new(0);
    let compile = |file: &PathBuf| {
        let compiled = compile(file, &options).map(|compiled| {
            let written = if args.emit.is_none() { write(&compiled, &target, &args.rules) } else { Ok(Vec::new()) };
            (compiled, written)
        });
        progress.rule(file, done.fetch_add(1, Ordering::Relaxed).saturating_add(1), files.len());
        compiled
    };
    let compiled: Vec<_> = files.par_iter().map(compile).collect();
    progress.finish();
    let mut tally = Tally::default();
    for (file, compiled) in files.iter().zip(compiled) {
        match compiled {
            Ok((compiled, written)) => {
                show(args, compiled, &mut tally)?;
                tally.written.extend(written?);
            }
            Err(reason) => {
                tally.refused = tally.refused.saturating_add(1);
                diagnostics::show_refused(&Refused { file: file.clone(), reason });
            }
        }
    }
    tally.show();
    Ok(if tally.refused > 0 { Outcome::RulesFailed } else { outcome })
}

/// What came of all files.
#[derive(Default)]
struct Tally {
    refused: usize,
    written: Vec<Written>,
}

/// A component that was written.
struct Written {
    rule: PathBuf,
    path: PathBuf,
    bytes: usize,
}

impl Tally {
    fn show(&self) {
        let mut lines: Vec<String> = Vec::new();
        if self.written.len() <= NAMED_MAX {
            lines.extend(self.written.iter().map(|written| {
                format!("{} -> {}, {} bytes", written.rule.display(), written.path.display(), written.bytes)
            }));
        } else {
            let bytes = self.written.iter().fold(0_usize, |sum, written| sum.saturating_add(written.bytes));
            lines.push(format!("{} components written, {bytes} bytes", self.written.len()));
        }
        if self.refused > 0 && self.written.len().saturating_add(self.refused) > 1 {
            lines.push(format!("{} rules do not compile", self.refused));
        }
        for line in lines {
            // Nobody reads standard error: there is nowhere left to say so.
            let _ = writeln!(io::stderr().lock(), "{}", diagnostics::clean(&line));
        }
    }
}

/// Where components are written.
enum Target {
    BesideRules,
    Folder(PathBuf),
    File(PathBuf),
}

impl Target {
    /// `output` is a file when it is named like a component and there is one rule.
    fn of(output: Option<&Path>, files: &[PathBuf]) -> anyhow::Result<Self> {
        let Some(output) = output else { return Ok(Self::BesideRules) };
        let is_file = RuleKind::of(output) == Some(RuleKind::Component) && !output.is_dir();
        match (is_file, files) {
            (true, [_]) => Ok(Self::File(output.to_owned())),
            (true, _) => {
                bail!(UsageError(format!("--output is one file, but there are {} rules; name a folder", files.len())))
            }
            (false, _) => {
                fs::create_dir_all(output).with_context(|| format!("cannot make the folder {}", output.display()))?;
                Ok(Self::Folder(output.to_owned()))
            }
        }
    }

    /// Refuses rules of which one component would overwrite the other, before anything is written.
    fn check_apart(&self, files: &[PathBuf], named: &[PathBuf]) -> anyhow::Result<()> {
        let mut taken: HashMap<PathBuf, &Path> = HashMap::new();
        for file in files {
            let path = self.path(file, named);
            if let Some(other) = taken.get(&path) {
                let (other, file, path) = (other.display(), file.display(), path.display());
                bail!("{other} and {file} would both be written to {path}; rename one of them, or compile them apart");
            }
            taken.insert(path, file);
        }
        Ok(())
    }

    /// Where the component of a rule file goes. In a folder it lies as the rule lies in the folder that was `named`.
    fn path(&self, rule: &Path, named: &[PathBuf]) -> PathBuf {
        let component = rule.with_extension("wasm");
        match self {
            Self::BesideRules => component,
            Self::Folder(folder) => {
                let inside = named.iter().filter(|named| named.is_dir()).find_map(|named| component.strip_prefix(named).ok());
                let inside = inside.or_else(|| component.file_name().map(Path::new));
                inside.map_or_else(|| folder.clone(), |inside| folder.join(inside))
            }
            Self::File(file) => file.clone(),
        }
    }
}

/// What a source file compiles to.
fn compile(file: &Path, options: &compiler::Options) -> Result<CompiledFile, Refusal> {
    if RuleKind::of(file) == Some(RuleKind::Component) {
        return Err(Refusal::Other("it is a component already; use `sandtrap inspect`".into()));
    }
    compile_file(file, options)
}

/// Writes the components of a file. Of a collection each has its rule's id in its name.
fn write(compiled: &CompiledFile, target: &Target, named: &[PathBuf]) -> anyhow::Result<Vec<Written>> {
    let path = target.path(&compiled.file, named);
    let mut components: Vec<(PathBuf, &[u8])> = Vec::new();
    let is_collection = compiled.compilations.len() > 1;
    for compilation in &compiled.compilations {
        let (Some(component), Some(manifest)) = (&compilation.component, &compilation.manifest) else { continue };
        let path = if is_collection { path.with_extension(format!("{}.wasm", manifest.id)) } else { path.clone() };
        if components.iter().any(|(other, _)| *other == path) {
            bail!("{}: two rules have the id {}; give one of them another", compiled.file.display(), manifest.id);
        }
        components.push((path, component));
    }
    let mut written = Vec::with_capacity(components.len());
    for (path, component) in components {
        if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
            fs::create_dir_all(folder).with_context(|| format!("cannot make the folder {}", folder.display()))?;
        }
        fs::write(&path, component).with_context(|| format!("cannot write {}", path.display()))?;
        written.push(Written { rule: compiled.file.clone(), path, bytes: component.len() });
    }
    Ok(written)
}

/// Shows what there is to say about a file, and the form that was asked for.
fn show(args: &Compile, compiled: CompiledFile, tally: &mut Tally) -> anyhow::Result<()> {
    if let Some(remarks) = compiled.warnings() {
        diagnostics::show(&remarks);
    }
    for compilation in compiled.compilations {
        if let Some(form) = args.emit.and_then(|form| emitted(&compilation, form)) {
            match form {
                Ok(form) => writeln!(io::stdout().lock(), "{form}")?,
                Err(reason) => diagnostics::error(&format!("{}: {reason}", compiled.file.display())),
            }
        }
        if compilation.diagnostics.iter().any(compiler::Diagnostic::is_error) {
            tally.refused = tally.refused.saturating_add(1);
            let remarks = Remarks {
                file: compiled.file.clone(),
                text: compiled.text.clone(),
                diagnostics: compilation.diagnostics,
            };
            diagnostics::show(&remarks);
        }
    }
    Ok(())
}

/// `None` where the rule's errors come before that form.
fn emitted(compilation: &Compilation, form: Emit) -> Option<Result<String, String>> {
    match form {
        Emit::Ast => compiler::syntax_tree(compilation).map(Ok),
        Emit::Plan => compiler::plan(compilation),
        Emit::Wat => compiler::wat(compilation),
    }
}
