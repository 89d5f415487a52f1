//! A rule file to components, through every stage.

use std::{collections::BTreeSet, fmt::Debug, sync::Arc};

use sandtrap_wit::{
    logsource::Logsource,
    manifest::{Manifest, SourceText},
};

use crate::{
    diagnostic::{Diagnostic, Span},
    emit::{self, EmitError},
    ir::Program,
    kql::{self, BindOptions, ast},
    rule::{self, Metadata},
    sigma::{
        self,
        ast::{Condition, Document, Filter, Rule},
        narrowing::Narrowing,
        pipeline,
    },
    site::Site,
};

/// How rules are read.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// A column that its table does not have is an error, not a warning.
    pub strict_schema: bool,
    /// What the site adds to every rule.
    pub site: Arc<Site>,
}

/// What compiling one rule of a file gives.
#[derive(Clone, Debug, Default)]
pub struct Compilation {
    /// The component, unless there are errors, or there is no rule: a Sigma filter has none.
    pub component: Option<Vec<u8>>,
    /// Its manifest.
    pub manifest: Option<Manifest>,
    /// What is wrong, in the order of the file; spans are bytes of the file's text.
    pub diagnostics: Vec<Diagnostic>,
    /// The filters that narrow the rule, by their ids or, without one, titles ([`Filter::label`]).
    pub narrowed_by: Vec<String>,
    tree: Option<Tree>,
    program: Option<Program>,
}

/// A syntax tree of any language.
#[derive(Clone, Debug)]
enum Tree {
    Kql(Box<ast::Query>),
    Sigma(Box<Document>),
}

/// Compiles a rule file; its name and its text say what kind it is.
///
/// The result has an entry for each document of a Sigma file, after one with what is wrong with the file, if anything is. It
/// is never empty.
pub fn compile(file_name: &str, text: &str, options: &Options) -> Vec<Compilation> {
    if rule::kind(file_name, text) == Some(rule::Kind::Sigma) {
        return compile_sigma(file_name, text, options);
    }
    vec![compile_kql(file_name, text, options)]
}

fn compile_kql(file_name: &str, text: &str, options: &Options) -> Compilation {
    let loaded = rule::load(file_name, text);
    let mut compilation = Compilation { diagnostics: loaded.diagnostics, ..Compilation::default() };
    let Some(rule) = loaded.rule else { return compilation };
    let parsed = kql::parse(&rule.query);
    compilation.diagnostics.extend(parsed.diagnostics.into_iter().map(|found| rule.relocate(found)));
    let Some(tree) = parsed.query else { return compilation };
    let bound = kql::bind(&tree, &BindOptions { strict_schema: options.strict_schema });
    compilation.tree = Some(Tree::Kql(Box::new(tree)));
    compilation.diagnostics.extend(bound.diagnostics.into_iter().map(|found| rule.relocate(found)));
    compilation.program = bound.program;
    let whole = rule.locate(&(0..rule.query.len()));
    let ids = [rule.metadata.id.as_str()];
    compilation.narrow(&Filtered { ids: &ids, logsource: None, span: whole.clone() }, options);
    let source = SourceText { language: "kql".to_owned(), digest: rule.digest };
    compilation.emit(rule.metadata, source, &whole);
    compilation
}

fn compile_sigma(file_name: &str, text: &str, options: &Options) -> Vec<Compilation> {
    let parsed = sigma::parse(text, file_name);
    let digest = rule::digest(text);
    let mut compilations: Vec<Compilation> = Vec::new();
    for mut document in parsed.documents {
        let mut compilation = Compilation::default();
        match &mut document {
            Document::Rule(rule) => compilation.sigma_rule(rule, text, &digest, options),
            // It has no component; what is wrong with its searches is said where they stand.
            Document::Filter(filter) => {
                compilation.diagnostics = sigma::check_filter(filter, text, &options.site.placeholders).diagnostics;
                compilation.diagnostics.extend(only_keeps(filter));
            }
            Document::Correlation(correlation) => {
                let message = format!(
                    "`{}` needs the dataflow engine, which cannot run correlation rules yet",
                    correlation.kind.name()
                );
                let help = "the rules that it correlates run by themselves; leave this document out until then";
                compilation
                    .diagnostics
                    .push(Diagnostic::error(CORRELATION, correlation.kind_span.clone(), message).help(help));
            }
        }
        compilation.tree = Some(Tree::Sigma(Box::new(document)));
        compilations.push(compilation);
    }
    let is_broken = parsed.diagnostics.iter().any(Diagnostic::is_error);
    match compilations.first_mut() {
        Some(first) if !is_broken => {
            first.diagnostics.splice(0..0, parsed.diagnostics);
        }
        _ => compilations.insert(0, Compilation { diagnostics: parsed.diagnostics, ..Compilation::default() }),
    }
    compilations
}

/// A warning about a filter that does not exclude anything by name. The specification's own example means by `condition:
/// selection` what is to be dropped; every tool takes it for what is to be kept.
fn only_keeps(filter: &Filter) -> Option<Diagnostic> {
    fn negates(condition: &Condition) -> bool {
        match condition {
            Condition::Not(_) => true,
            Condition::And(operands) | Condition::Or(operands) => operands.iter().any(negates),
            Condition::Search { .. } | Condition::Of { .. } => false,
        }
    }
    if filter.detection.conditions.iter().any(negates) {
        return None;
    }
    let message = "the rules that this filter names will match only where its condition holds";
    let span = filter.detection.conditions.first().and_then(Condition::span).unwrap_or_else(|| filter.span.clone());
    Some(Diagnostic::warning(KEEPING_FILTER, span, message).help("to drop these events instead, write `not` before it"))
}

/// A filter that drops everything but what it names.
const KEEPING_FILTER: &str = "SIG0705";

/// A correlation rule, which is understood and cannot run.
const CORRELATION: &str = "SIG0701";

/// A filter that does not fit the rule that it names.
const FILTER: &str = "SIG0702";

/// A filter that narrows nothing.
const IDLE_FILTER: &str = "SIG0704";

/// That a rule is too large with its filters, of which one is the largest. `reason` is what is too large.
fn with_filters(largest: &str, filters: usize, reason: &str) -> String {
    if filters == 1 {
        return format!("the filter `{largest}` cannot narrow this rule: with it, {reason}");
    }
    format!("{filters} filters, of which `{largest}` is the largest, cannot narrow this rule: with them, {reason}")
}

/// Whether a rule compiles without filters.
fn is_sound(mut rule: Rule, text: &str, site: &Site) -> bool {
    !pipeline::apply(&site.pipelines, &mut rule).iter().any(Diagnostic::is_error)
        && sigma::lower(&rule, text, &site.placeholders).program.is_some()
}

/// A rule as filters see it.
struct Filtered<'r> {
    /// What they may call it.
    ids: &'r [&'r str],
    /// `None`: it is no Sigma rule, and a filter must name it.
    logsource: Option<&'r Logsource>,
    /// Where it stands.
    span: Span,
}

impl Compilation {
    /// As in pySigma, filters are part of the rule before pipelines see it. The rule is changed to what is compiled.
    fn sigma_rule(&mut self, rule: &mut Rule, text: &str, digest: &str, options: &Options) {
        let site = &options.site;
        let original = rule.clone();
        let names: Vec<&str> = [original.metadata.id.as_str()].into_iter().chain(original.name.as_deref()).collect();
        let filtered =
            Filtered { ids: &names, logsource: Some(&original.logsource), span: rule.logsource_span.clone() };
        let mut narrowing = Narrowing::of(rule);
        let mut largest: Option<(usize, &Filter)> = None;
        for filter in site.filters.iter().filter(|filter| filtered.is_named_by(filter)) {
            let checked = sigma::check_filter(filter, "", &site.placeholders);
            if self.refuse_filter(filter, &checked.diagnostics, &filtered.span) {
                return;
            }
            if let Err(reason) = narrowing.add(rule, filter) {
                self.refuse(format!("the filter `{}` cannot narrow this rule: {reason}", filter.title), &filtered.span);
                return;
            }
            if largest.is_none_or(|(operators, _)| operators < checked.operators) {
                largest = Some((checked.operators, filter));
            }
            self.narrowed_by.push(filter.label().to_owned());
        }
        self.diagnostics.extend(pipeline::apply(&site.pipelines, rule));
        if self.is_broken() {
            return;
        }
        let lowered = sigma::lower(rule, text, &site.placeholders);
        let too_large = lowered.diagnostics.iter().find(|found| found.code == sigma::LIMIT);
        if let (Some(error), Some((_, largest))) = (too_large, largest)
            && is_sound(original.clone(), text, site)
        {
            self.refuse(with_filters(&largest.title, self.narrowed_by.len(), &error.message), &filtered.span);
            return;
        }
        self.diagnostics.extend(lowered.diagnostics);
        self.program = lowered.program;
        let source = SourceText { language: "sigma".to_owned(), digest: digest.to_owned() };
        self.emit(rule.metadata.clone(), source, &rule.span);
    }

    /// The filters of a rule in KQL.
    fn narrow(&mut self, rule: &Filtered<'_>, options: &Options) {
        let Some(mut program) = self.program.take() else { return };
        for filter in options.site.filters.iter().filter(|filter| rule.is_named_by(filter)) {
            let found = sigma::narrow(&mut program, &filter.detection, &options.site.placeholders, &rule.span);
            if self.refuse_filter(filter, &found, &rule.span) {
                return;
            }
            self.narrowed_by.push(filter.label().to_owned());
        }
        self.program = Some(program);
    }

    /// Whether a filter cannot narrow the rule. Its own mistakes are reported with the filter; here only what they cost.
    fn refuse_filter(&mut self, filter: &Filter, found: &[Diagnostic], span: &Span) -> bool {
        let Some(error) = found.iter().find(|found| found.is_error()) else { return false };
        self.refuse(format!("the filter `{}` cannot narrow this rule: {}", filter.title, error.message), span);
        true
    }

    fn refuse(&mut self, message: String, span: &Span) {
        let help = "without its filter the rule would say more than it should, so it is not compiled";
        self.diagnostics.push(Diagnostic::error(FILTER, span.clone(), message).help(help));
    }

    /// The component of the program, if there is one.
    fn emit(&mut self, metadata: Metadata, source: SourceText, span: &Span) {
        let Some(program) = &self.program else { return };
        let manifest = metadata.manifest(program.plan.clone(), source);
        match emit::component(program, &manifest) {
            Ok(component) => {
                self.component = Some(component);
                self.manifest = Some(manifest);
            }
            Err(error) => self.diagnostics.push(Diagnostic::error("EMIT0001", span.clone(), error.to_string())),
        }
    }

    /// That the filter in this document narrows none of the rules that are there, if so: `narrowed_by` has the labels of all
    /// filters that do ([`Compilation::narrowed_by`]). One for `any` rule may find none.
    pub fn idle_filter(&self, narrowed_by: &BTreeSet<String>) -> Option<Diagnostic> {
        let Some(Tree::Sigma(document)) = &self.tree else { return None };
        let Document::Filter(filter) = document.as_ref() else { return None };
        let sigma::ast::FilteredRules::Named(names) = &filter.rules else { return None };
        if narrowed_by.contains(filter.label()) || self.is_broken() {
            return None;
        }
        let span = names.first().map_or_else(|| filter.span.clone(), |(_, span)| span.clone());
        let help = "are these the rules' ids or names, are the rules among those given, and does the filter's logsource \
                    cover theirs?";
        let message = format!("the filter `{}` narrows none of the rules that are here", filter.title);
        Some(Diagnostic::warning(IDLE_FILTER, span, message).help(help))
    }

    /// Whether there are errors.
    pub fn is_broken(&self) -> bool {
        self.diagnostics.iter().any(Diagnostic::is_error)
    }

    /// The syntax tree, for people to read; `None` where the text has syntax errors.
    pub fn syntax_tree(&self) -> Option<&dyn Debug> {
        self.tree.as_ref().map(|tree| -> &dyn Debug {
            match tree {
                Tree::Kql(query) => query.as_ref(),
                Tree::Sigma(document) => document.as_ref(),
            }
        })
    }

    /// The typed program; `None` where the rule has errors.
    pub fn program(&self) -> Option<&Program> {
        self.program.as_ref()
    }

    /// The core module inside the component with the names of its functions, for people to read; `None` where there is
    /// no component.
    pub fn readable_module(&self) -> Option<Result<Vec<u8>, EmitError>> {
        Some(emit::readable_module(self.program.as_ref()?, self.manifest.as_ref()?))
    }
}

impl Filtered<'_> {
    fn is_named_by(&self, filter: &Filter) -> bool {
        let named = match &filter.rules {
            sigma::ast::FilteredRules::Any => self.logsource.is_some(),
            sigma::ast::FilteredRules::Named(names) => names.iter().any(|(name, _)| self.ids.contains(&name.as_str())),
        };
        named && self.logsource.is_none_or(|logsource| filter.logsource.wants(logsource))
    }
}

/// Mistakes in a rule file that compiles: what [`compile`] has no reason to refuse. KQL's are warnings of its binder, which
/// `compile` gives already.
pub fn lint(file_name: &str, text: &str) -> Vec<Diagnostic> {
    if rule::kind(file_name, text) != Some(rule::Kind::Sigma) {
        return Vec::new();
    }
    sigma::parse(text, file_name).documents.iter().flat_map(sigma::lint).collect()
}
