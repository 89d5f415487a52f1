//! Names of fields under a transformation.

use super::model::FieldTransformation;

impl FieldTransformation {
    /// What a name becomes; `None` if it stays as it is.
    pub(super) fn map(&self, field: &str) -> Option<Vec<String>> {
        match self {
            Self::Mapping(mapping) => mapping.get(field).cloned(),
            Self::Prefixes(prefixes) => prefixes.iter().find_map(|(from, to)| {
                let rest = field.strip_prefix(from.as_str())?;
                Some(to.iter().map(|prefix| format!("{prefix}{rest}")).collect())
            }),
            Self::AddPrefix(prefix) => Some(vec![format!("{prefix}{field}")]),
            Self::AddSuffix(suffix) => Some(vec![format!("{field}{suffix}")]),
        }
    }
}
