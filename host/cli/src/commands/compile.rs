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
    rules::{CompiledFile, FilterUse, Refusal, Refused, Remarks, RuleKind, compile_file, discover, idle_filters},
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
    if files.is_empty() && outcome == Outcome::Done {
        diagnostics::error(load::NO_RULES);
        return Ok(Outcome::RulesFailed);
    }
    let options = load::options(&args.compiling, &args.rules)?;
    let target = Target::of(args.output.as_deref(), &files)?;
    let compiled = compile_all(&files, &options);
    let uses: Vec<FilterUse> = compiled.iter().flatten().map(FilterUse::of).collect();
    let mut refused = 0_usize;
    let mut sound = Vec::with_capacity(compiled.len());
    for (file, compiled) in files.iter().zip(compiled) {
        match compiled {
            Ok(compiled) => {
                refused = refused.saturating_add(show(args, &compiled)?);
                sound.push(compiled);
            }
            Err(reason) => {
                refused = refused.saturating_add(1);
                diagnostics::show_refused(&Refused { file: file.clone(), reason });
            }
        }
    }
    idle_filters(&uses).iter().for_each(diagnostics::show);
    let outputs = if args.emit.is_none() { target.outputs(&sound, &args.rules)? } else { Vec::new() };
    outputs.par_iter().try_for_each(Output::write)?;
    sum_up(&outputs, refused);
    Ok(if refused > 0 { Outcome::RulesFailed } else { outcome })
}

/// What each file compiles to, with a progress bar.
fn compile_all(files: &[PathBuf], options: &compiler::Options) -> Vec<Result<CompiledFile, Refusal>> {
    let progress = Progress::of_rules();
    let done = AtomicUsize::new(0);
    let compile = |file: &PathBuf| {
        let compiled = compile(file, options);
        progress.rule(file, done.fetch_add(1, Ordering::Relaxed).saturating_add(1), files.len());
        compiled
    };
    let compiled = files.par_iter().map(compile).collect();
    progress.finish();
    compiled
}

/// A component that is to be written.
struct Output<'c> {
    rule: &'c Path,
    path: PathBuf,
    component: &'c [u8],
}

impl Output<'_> {
    fn write(&self) -> anyhow::Result<()> {
        if let Some(folder) = self.path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
            fs::create_dir_all(folder).with_context(|| format!("cannot make the folder {}", folder.display()))?;
        }
        fs::write(&self.path, self.component).with_context(|| format!("cannot write {}", self.path.display()))
    }
}

/// What was written, and how many rules were refused.
fn sum_up(outputs: &[Output], refused: usize) {
    let mut lines: Vec<String> = Vec::new();
    if outputs.len() <= NAMED_MAX {
        lines.extend(outputs.iter().map(|output| {
            let (rule, path) = (output.rule.display(), output.path.display());
            format!("{rule} -> {path}, {} bytes", output.component.len())
        }));
    }
    if outputs.len() > 1 {
        let bytes = outputs.iter().fold(0_usize, |sum, output| sum.saturating_add(output.component.len()));
        lines.push(format!("{} components written, {bytes} bytes", outputs.len()));
    }
    if refused > 0 && outputs.len().saturating_add(refused) > 1 {
        let rules = if refused == 1 { "rule does" } else { "rules do" };
        lines.push(format!("{refused} {rules} not compile"));
    }
    for line in lines {
        // Nobody reads standard error: there is nowhere left to say so.
        let _ = writeln!(io::stderr().lock(), "{}", diagnostics::clean(&line));
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

    /// The components of all files, each with its place; of a collection each has its rule's id in its name. An error, before
    /// anything is written, where one would overwrite another.
    fn outputs<'c>(&self, files: &'c [CompiledFile], named: &[PathBuf]) -> anyhow::Result<Vec<Output<'c>>> {
        let mut taken: HashMap<PathBuf, &Path> = HashMap::new();
        let mut outputs = Vec::new();
        for file in files {
            let path = self.path(&file.file, named);
            let is_collection = file.compilations.len() > 1;
            for compilation in &file.compilations {
                let (Some(component), Some(manifest)) = (&compilation.component, &compilation.manifest) else {
                    continue;
                };
                let path =
                    if is_collection { path.with_extension(format!("{}.wasm", manifest.id)) } else { path.clone() };
                if let Some(other) = taken.insert(path.clone(), &file.file) {
                    let (other, file, path) = (other.display(), file.file.display(), path.display());
                    bail!(
                        "{other} and {file} would both be written to {path}; rename one of them, or compile them apart"
                    );
                }
                outputs.push(Output { rule: &file.file, path, component });
            }
        }
        Ok(outputs)
    }

    /// Where the component of a rule file goes. In a folder it lies as the rule lies in the folder that was `named`.
    fn path(&self, rule: &Path, named: &[PathBuf]) -> PathBuf {
        let component = rule.with_extension("wasm");
        match self {
            Self::BesideRules => component,
            Self::Folder(folder) => {
                let inside =
                    named.iter().filter(|named| named.is_dir()).find_map(|named| component.strip_prefix(named).ok());
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

/// Shows what there is to say about a file, and the form that was asked for. How many of its rules are refused.
fn show(args: &Compile, compiled: &CompiledFile) -> anyhow::Result<usize> {
    if let Some(remarks) = compiled.warnings() {
        diagnostics::show(&remarks);
    }
    let mut refused = 0_usize;
    for compilation in &compiled.compilations {
        if let Some(form) = args.emit.and_then(|form| emitted(compilation, form)) {
            match form {
                Ok(form) => writeln!(io::stdout().lock(), "{form}")?,
                Err(reason) => diagnostics::error(&format!("{}: {reason}", compiled.file.display())),
            }
        }
        if compilation.is_broken() {
            refused = refused.saturating_add(1);
            let (file, text) = (compiled.file.clone(), compiled.text.clone());
            diagnostics::show(&Remarks { file, text, diagnostics: compilation.diagnostics.clone() });
        }
    }
    Ok(refused)
}

/// `None` where the rule's errors come before that form.
fn emitted(compilation: &Compilation, form: Emit) -> Option<Result<String, String>> {
    match form {
        Emit::Ast => compiler::syntax_tree(compilation).map(Ok),
        Emit::Plan => compiler::plan(compilation),
        Emit::Wat => compiler::wat(compilation),
    }
}
