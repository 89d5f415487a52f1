//! TEMPORARY while `sandtrap_compiler::compile` is being written: bare KQL only.
pub use sandtrap_compiler::diagnostic::{Diagnostic, Severity};
use sandtrap_compiler::{emit, ir::Program, kql};
use sandtrap_wit::manifest::Manifest;
/// t
#[derive(Clone, Copy, Debug, Default)]
pub struct Options {
    /// t
    pub strict_schema: bool,
}
/// t
pub struct Compilation {
    /// t
    pub component: Option<Vec<u8>>,
    /// t
    pub diagnostics: Vec<Diagnostic>,
    ast: String,
    made: Option<(Program, Manifest)>,
}
/// t
pub fn compile(name: &str, text: &str, options: &Options) -> Compilation {
    let parsed = kql::parse(text);
    let mut diagnostics = parsed.diagnostics.clone();
    let ast = format!("{:#?}", parsed.query);
    let Some(query) = parsed.query else {
        return Compilation { component: None, diagnostics, ast, made: None };
    };
    let bound = kql::bind(&query, &kql::BindOptions { strict_schema: options.strict_schema });
    diagnostics.extend(bound.diagnostics);
    let Some(program) = bound.program else { return Compilation { component: None, diagnostics, ast, made: None } };
    let id = std::path::Path::new(name).file_stem().unwrap_or_default().to_string_lossy().into_owned();
    let json = serde_json::json!({"schema":1,"namespace":"local","id":id,"title":id,"plan":serde_json::to_value(&program.plan).unwrap_or_default()});
    let Ok(manifest) = serde_json::from_value::<Manifest>(json) else { return Compilation { component: None, diagnostics, ast, made: None } };
    let component = emit::component(&program, &manifest).ok();
    Compilation { component, diagnostics, ast, made: Some((program, manifest)) }
}
impl Compilation {
    /// t
    pub fn syntax_tree(&self) -> Result<String, String> { Ok(self.ast.clone()) }
    /// t
    pub fn plan(&self) -> Result<String, String> {
        self.made.as_ref().map(|made| serde_json::to_string_pretty(&made.0.plan).unwrap_or_default()).ok_or_else(String::new) }
    /// t
    pub fn wat(&self) -> Result<String, String> { Ok("(module".into()) }
}
