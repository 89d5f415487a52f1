//! Processing pipelines, as pySigma has them: rules that fit other rules to a site's fields and logsources.
//!
//! ```yaml
//! name: fields of our proxy
//! priority: 10
//! transformations:
//!   - id: fields
//!     type: field_name_mapping
//!     mapping: { c-uri: url, cs-host: [host, sni] }
//!     rule_conditions:
//!       - { type: logsource, category: proxy }
//! ```
//!
//! They rewrite the syntax tree, before it is lowered. The format is that of pySigma
//! (<https://sigmahq-pysigma.readthedocs.io/en/latest/Processing_Pipelines.html>); docs/pipelines.md says what of it is
//! understood, and where values look otherwise. What is not understood is an error: a pipeline is never applied in part.

mod apply;
mod codes;
mod expression;
mod field;
mod model;
mod parameters;
mod read;
mod read_condition;
mod read_transformation;
mod regex;
mod rule_condition;
mod tree;
mod value;

pub(crate) use apply::apply;
pub use model::Pipeline;
pub(crate) use read::parse;
