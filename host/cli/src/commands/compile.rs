//! `sandtrap compile`: rules to components, or to a form on the way there.

use std::{
    collections::HashMap,
    fs,
    io::{self, Write as _},
    path::{Path, PathBuf},
};

use anyhow::{Context as _, bail};
use sandtrap_embed::{
    compiler::{self, Compilation},
    rules::{Refusal, Refused, Remarks, RuleKind, discover, read_text},
};

use crate::{
    args::{Compile, Emit},
    diagnostics,
    exit::{Outcome, UsageError},
    progress::Progress,
};

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
    let target = Target::of(args.output.as_deref(), &files)?;
    if args.emit.is_none() {
        target.check_apart(&files)?;
    }
    let progress = Progress::of_rules();
    for (done, file) in files.iter().enumerate() {
        progress.rule(file, done, files.len());
        if let Err(reason) = compile(args, file, &target, &progress)? {
            progress.aside(|| diagnostics::show_refused(&Refused { file: file.clone(), reason }));
            outcome = Outcome::RulesFailed;
        }
    }
    progress.finish();
    Ok(outcome)
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
    fn check_apart(&self, files: &[PathBuf]) -> anyhow::Result<()> {
        let mut taken: HashMap<PathBuf, &Path> = HashMap::new();
        for file in files {
            let path = self.path(file);
            if let Some(other) = taken.get(&path) {
                let (other, file, path) = (other.display(), file.display(), path.display());
                bail!("{other} and {file} would both be written to {path}; rename one of them, or compile them apart");
            }
            taken.insert(path, file);
        }
        Ok(())
    }

    fn path(&self, rule: &Path) -> PathBuf {
        let component = rule.with_extension("wasm");
        match self {
            Self::BesideRules => component,
            Self::Folder(folder) => component.file_name().map_or_else(|| folder.clone(), |name| folder.join(name)),
            Self::File(file) => file.clone(),
        }
    }
}

/// The inner error is the rule's, the outer one ends the command.
fn compile(args: &Compile, file: &Path, target: &Target, progress: &Progress) -> anyhow::Result<Result<(), Refusal>> {
    if RuleKind::of(file) == Some(RuleKind::Component) {
        return Ok(Err(Refusal::Other("it is a component already; use `sandtrap inspect`".into())));
    }
    let text = match read_text(file) {
        Ok(text) => text,
        Err(reason) => return Ok(Err(reason)),
    };
    let compilation = compiler::compile(&file.to_string_lossy(), &text, &args.compiling.into());
    let remarks = Remarks { file: file.to_owned(), text, diagnostics: compilation.diagnostics.clone() };
    if let Some(form) = args.emit.and_then(|form| emitted(&compilation, form)) {
        match form {
            Ok(form) => writeln!(io::stdout().lock(), "{form}")?,
            Err(reason) => return Ok(Err(Refusal::Other(reason))),
        }
    }
    let Some(component) = &compilation.component else { return Ok(Err(Refusal::Source(remarks))) };
    progress.aside(|| diagnostics::show(&remarks));
    if args.emit.is_some() {
        return Ok(Ok(()));
    }
    let path = target.path(file);
    fs::write(&path, component).with_context(|| format!("cannot write {}", path.display()))?;
    let written = format!("{} -> {}, {} bytes", file.display(), path.display(), component.len());
    // Nobody reads standard error: there is nowhere left to say so.
    progress.aside(|| drop(writeln!(io::stderr().lock(), "{}", diagnostics::clean(&written))));
    Ok(Ok(()))
}

/// `None` where the rule's errors come before that form.
fn emitted(compilation: &Compilation, form: Emit) -> Option<Result<String, String>> {
    match form {
        Emit::Ast => compiler::syntax_tree(compilation).map(Ok),
        Emit::Plan => compiler::plan(compilation),
        Emit::Wat => compiler::wat(compilation),
    }
}
