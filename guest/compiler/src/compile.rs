//! A rule file to a component, through every stage.

use sandtrap_wit::manifest::Manifest;

use crate::{
    diagnostic::Diagnostic,
    emit::{self, EmitError},
    ir::Program,
    kql::{self, BindOptions, ast},
    rule,
};

/// How strictly rules are read.
#[derive(Clone, Copy, Debug, Default)]
pub struct Options {
    /// A column that its table does not have is an error, not a warning.
    pub strict_schema: bool,
}

/// What compiling a rule file gives.
#[derive(Clone, Debug)]
pub struct Compilation {
    /// The component, unless there are errors.
    pub component: Option<Vec<u8>>,
    /// Its manifest.
    pub manifest: Option<Manifest>,
    /// What is wrong with the rule, in the order of the file; spans are bytes of the file's text.
    pub diagnostics: Vec<Diagnostic>,
    tree: Option<ast::Query>,
    program: Option<Program>,
}

/// Compiles a rule file; its name says what kind it is.
pub fn compile(file_name: &str, text: &str, options: &Options) -> Compilation {
    let loaded = rule::load(file_name, text);
    let mut compilation =
        Compilation { component: None, manifest: None, diagnostics: loaded.diagnostics, tree: None, program: None };
    let Some(rule) = loaded.rule else { return compilation };
    let parsed = kql::parse(&rule.query);
    compilation.diagnostics.extend(parsed.diagnostics.into_iter().map(|found| rule.relocate(found)));
    compilation.tree = parsed.query;
    let Some(tree) = &compilation.tree else { return compilation };
    let bound = kql::bind(tree, &BindOptions { strict_schema: options.strict_schema });
    compilation.diagnostics.extend(bound.diagnostics.into_iter().map(|found| rule.relocate(found)));
    compilation.program = bound.program;
    let Some(program) = &compilation.program else { return compilation };
    let manifest = rule.manifest(program.plan.clone());
    match emit::component(program, &manifest) {
        Ok(component) => {
            compilation.component = Some(component);
            compilation.manifest = Some(manifest);
        }
        Err(error) => {
            let whole = rule.locate(&(0..rule.query.len()));
            compilation.diagnostics.push(Diagnostic::error("EMIT0001", whole, error.to_string()));
        }
    }
    compilation
}

impl Compilation {
    /// The syntax tree, for people to read; `None` where the query has syntax errors.
    pub fn syntax_tree(&self) -> Option<&ast::Query> {
        self.tree.as_ref()
    }

    /// The typed program; `None` where the query has errors.
    pub fn program(&self) -> Option<&Program> {
        self.program.as_ref()
    }

    /// The core module inside the component with the names of its functions, for people to read; `None` where there is
    /// no component.
    pub fn readable_module(&self) -> Option<Result<Vec<u8>, EmitError>> {
        Some(emit::readable_module(self.program.as_ref()?, self.manifest.as_ref()?))
    }
}
