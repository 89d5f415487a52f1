//! Tables compared as Kusto defines them: rows in any order, sets in any order.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

/// A table as a multiset of rows. A row is the JSON text of an object with its names sorted and its sets in order.
#[derive(Default, PartialEq, Eq)]
pub(super) struct Rows(BTreeMap<String, usize>);

/// Rows that only one of two tables has.
pub(super) struct Difference {
    /// Rows of the first.
    pub(super) first: Vec<String>,
    /// Rows of the second.
    pub(super) second: Vec<String>,
}

impl Rows {
    /// Adds a row.
    pub(super) fn add(&mut self, cells: impl Iterator<Item = (String, Value)>) {
        let sorted: BTreeMap<String, Value> = cells.map(|(name, cell)| (name, in_order(cell))).collect();
        let row = Map::from_iter(sorted);
        *self.0.entry(Value::Object(row).to_string()).or_default() += 1;
    }

    /// How many rows there are.
    pub(super) fn len(&self) -> usize {
        self.0.values().sum()
    }

    /// What one table has and the other has not, if anything.
    pub(super) fn difference(&self, other: &Self) -> Option<Difference> {
        let (first, second) = (self.beyond(other), other.beyond(self));
        (!first.is_empty() || !second.is_empty()).then_some(Difference { first, second })
    }

    /// The rows that `other` has not, each as often as it lacks it.
    fn beyond(&self, other: &Self) -> Vec<String> {
        let missing = |(row, count): (&String, &usize)| {
            let lacking = count.saturating_sub(other.0.get(row).copied().unwrap_or_default());
            std::iter::repeat_n(row.clone(), lacking)
        };
        self.0.iter().flat_map(missing).collect()
    }
}

/// The order of a set's elements means nothing: sort them.
fn in_order(cell: Value) -> Value {
    let Value::Array(mut elements) = cell else { return cell };
    elements.sort_by_key(Value::to_string);
    Value::Array(elements)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn rows(objects: &[Value]) -> Rows {
        let mut rows = Rows::default();
        for object in objects {
            rows.add(object.as_object().cloned().unwrap_or_default().into_iter());
        }
        rows
    }

    #[test]
    fn order_of_rows_columns_and_sets_does_not_matter() {
        let first = rows(&[json!({"a": 1, "s": [1, 2]}), json!({"a": 2, "s": []})]);
        let second = rows(&[json!({"s": [], "a": 2}), json!({"s": [2, 1], "a": 1})]);
        assert!(first.difference(&second).is_none());
    }

    #[test]
    fn a_row_too_few_is_a_difference() {
        let first = rows(&[json!({"a": 1}), json!({"a": 1})]);
        let second = rows(&[json!({"a": 1})]);
        let difference = first.difference(&second).expect("they differ");
        assert_eq!((difference.first, difference.second), (vec![r#"{"a":1}"#.to_owned()], vec![]));
    }

    #[test]
    fn null_empty_text_and_numbers_are_different_cells() {
        for (first, second) in [(json!(null), json!("")), (json!(1), json!("1")), (json!([]), json!([null]))] {
            assert!(rows(&[json!({"a": first})]).difference(&rows(&[json!({"a": second})])).is_some());
        }
    }
}
