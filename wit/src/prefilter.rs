//! Prefilters: a *necessary* condition for a detection to match a row, in a form that the host can index.
//!
//! A prefilter is a conjunction of clauses, each a disjunction of atoms. No clauses means every row may match; an
//! empty clause means none can. A wrong prefilter can only hide events from the component that declared it. Text
//! atoms compare folded text (see [`crate::text`]) with a literal that is already folded. In a column of lists, a test
//! is met by a row if one of its elements meets it; a row without an element meets `exists` at most. A negated atom holds
//! of exactly the rows that do not meet its test: of a list, where no element does.

use std::{borrow::Cow, fmt, ops::Not};

use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{Error, MapAccess, Visitor},
    ser::SerializeMap as _,
};

use crate::{PhysicalType, plan::NamedColumn, text};

/// A conjunction of [`Clause`]s.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Prefilter {
    /// All of them must hold.
    pub clauses: Vec<Clause>,
}

/// A disjunction of [`Atom`]s.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Clause {
    /// One of them must hold.
    pub atoms: Vec<Atom>,
}

/// One condition on one column of the source. A cell without a value meets no test but [`Test::Exists`], save that text
/// that is no list is then empty; so a negated atom holds of it.
///
/// In a manifest it is `{"column": 0, "contains": "x"}`: the column and exactly one test, which `!` negates:
/// `{"column": 0, "!contains": "x"}`. Unlike elsewhere, no other key is ignored: it could be a test, or narrow one, that
/// this version does not know.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Atom {
    /// The column of the source.
    pub column: u32,
    /// Whether its cell must not be so.
    pub negated: bool,
    /// What its cell must be.
    pub test: Test,
}

/// What a cell must be.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Test {
    /// Folded text with this in it.
    Contains(String),
    /// Folded text that starts so.
    Prefix(String),
    /// Folded text that ends so.
    Suffix(String),
    /// Folded text that is this.
    Equals(String),
    /// A cell that has a value.
    Exists(bool),
    /// One of these integers.
    Integers(Vec<i64>),
    /// An integer from here to there, both included.
    Range(i64, i64),
}

/// The value of a cell that an atom is tested on.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Tested<'a> {
    /// No value.
    Null,
    /// Text, already folded.
    Folded(&'a str),
    /// An integer.
    Integer(i64),
    /// The elements of a list, already folded.
    Elements(&'a [String]),
    /// A value of another kind; only `exists` can hold.
    Other,
}

/// A cell of a row as an index is told of it. Its text is not folded.
#[derive(Clone, Debug, PartialEq)]
pub enum Value<'a> {
    /// No value. A column of text that is no list has none: there it is the empty text.
    Null,
    /// Text, or the one element of a list.
    Text(Cow<'a, str>),
    /// The elements of a list.
    Elements(Vec<Cow<'a, str>>),
    /// An integer.
    Integer(i64),
    /// A value of another kind; only `exists` can hold.
    Other,
}

impl Prefilter {
    /// Whether every row may match.
    pub fn is_always(&self) -> bool {
        self.clauses.is_empty()
    }

    /// Whether no row can match.
    pub fn is_never(&self) -> bool {
        self.clauses.iter().any(|clause| clause.atoms.is_empty())
    }

    /// Whether there is a clause that asks for more than that fields are there or not, or are not so. Without one, an index
    /// has nothing to look for: it must ask of every row whether it is one of the few that are ruled out.
    pub fn prunes(&self) -> bool {
        let is_common = |atom: &Atom| atom.negated || matches!(atom.test, Test::Exists(_));
        self.clauses.iter().any(|clause| !clause.atoms.iter().any(is_common))
    }

    /// Whether a row may match, one atom after the other: what an index must agree with.
    pub fn admits<'a>(&self, cell: impl Fn(u32) -> Tested<'a>) -> bool {
        self.clauses.iter().all(|clause| clause.atoms.iter().any(|atom| atom.holds(cell(atom.column))))
    }

    /// The same of values whose text is not folded.
    pub fn admits_values<'a>(&self, value: impl Fn(u32) -> Value<'a>) -> bool {
        let holds = |atom: &Atom| match value(atom.column) {
            Value::Null => atom.holds(Tested::Null),
            Value::Text(text) => atom.holds(Tested::Folded(&text::fold(&text))),
            Value::Elements(elements) => {
                let folded: Vec<String> = elements.iter().map(|element| text::fold(element)).collect();
                atom.holds(Tested::Elements(&folded))
            }
            Value::Integer(integer) => atom.holds(Tested::Integer(integer)),
            Value::Other => atom.holds(Tested::Other),
        };
        self.clauses.iter().all(|clause| clause.atoms.iter().any(holds))
    }

    /// Checks columns, types and that literals are folded.
    pub(crate) fn validate(&self, columns: &[NamedColumn]) -> Result<(), String> {
        for atom in self.clauses.iter().flat_map(|clause| &clause.atoms) {
            let column = columns
                .get(atom.column as usize)
                .ok_or_else(|| format!("prefilter column {} is out of range", atom.column))?;
            let physical = column.ty.physical();
            let fits = match &atom.test {
                Test::Contains(literal) | Test::Prefix(literal) | Test::Suffix(literal) | Test::Equals(literal) => {
                    if !text::is_folded(literal) {
                        return Err(format!("prefilter literal {literal:?} is not folded"));
                    }
                    physical == PhysicalType::Text
                }
                Test::Exists(_) => true,
                Test::Integers(_) | Test::Range(..) => physical == PhysicalType::Integers,
            };
            if !fits {
                return Err(format!("prefilter on column {}: an atom does not fit type {}", column.name, column.ty));
            }
        }
        Ok(())
    }
}

impl Atom {
    /// The column's cell is so.
    pub fn new(column: u32, test: Test) -> Self {
        Self { column, negated: false, test }
    }

    /// Whether a cell meets it.
    pub fn holds(&self, cell: Tested<'_>) -> bool {
        self.test.holds(cell) != self.negated
    }
}

impl Not for Atom {
    type Output = Self;

    /// The atom that holds of all other cells.
    fn not(self) -> Self {
        Self { negated: !self.negated, ..self }
    }
}

impl Serialize for Atom {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(2))?;
        map.serialize_entry("column", &self.column)?;
        let name = self.test.name();
        map.serialize_key(&if self.negated { Cow::Owned(format!("!{name}")) } else { Cow::Borrowed(name) })?;
        match &self.test {
            Test::Contains(literal) | Test::Prefix(literal) | Test::Suffix(literal) | Test::Equals(literal) => {
                map.serialize_value(literal)?;
            }
            Test::Exists(wanted) => map.serialize_value(wanted)?,
            Test::Integers(set) => map.serialize_value(set)?,
            Test::Range(low, high) => map.serialize_value(&(low, high))?,
        }
        map.end()
    }
}

impl<'de> Deserialize<'de> for Atom {
    /// By hand: serde's own message for a flattened enum does not name the case that it does not know.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(AtomVisitor)
    }
}

struct AtomVisitor;

impl<'de> Visitor<'de> for AtomVisitor {
    type Value = Atom;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a prefilter atom: a column and a test")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Atom, A::Error> {
        let (mut column, mut test) = (None, None);
        while let Some(key) = map.next_key::<String>()? {
            let twice = if key == "column" {
                column.replace(map.next_value()?).is_some()
            } else {
                let (negated, name) = key.strip_prefix('!').map_or((false, key.as_str()), |name| (true, name));
                test.replace((negated, Test::read(name, &mut map, &key)?)).is_some()
            };
            if twice {
                return Err(Error::custom(format_args!(
                    "a prefilter atom has one column and one test; `{key}` is too many"
                )));
            }
        }
        match (column, test) {
            (Some(column), Some((negated, test))) => Ok(Atom { column, negated, test }),
            (None, _) => Err(Error::custom("a prefilter atom without a column")),
            (_, None) => {
                Err(Error::custom(format_args!("a prefilter atom without a test: one of {}", TESTS.join(", "))))
            }
        }
    }
}

/// The names of the tests in a manifest; `!` before one negates it.
const TESTS: [&str; 7] = ["contains", "prefix", "suffix", "equals", "exists", "integers", "range"];

impl Test {
    fn name(&self) -> &'static str {
        match self {
            Self::Contains(_) => "contains",
            Self::Prefix(_) => "prefix",
            Self::Suffix(_) => "suffix",
            Self::Equals(_) => "equals",
            Self::Exists(_) => "exists",
            Self::Integers(_) => "integers",
            Self::Range(..) => "range",
        }
    }

    /// The test of that name, its value next in `map`, where it may be written negated.
    fn read<'de, A: MapAccess<'de>>(name: &str, map: &mut A, written: &str) -> Result<Self, A::Error> {
        Ok(match name {
            "contains" => Self::Contains(map.next_value()?),
            "prefix" => Self::Prefix(map.next_value()?),
            "suffix" => Self::Suffix(map.next_value()?),
            "equals" => Self::Equals(map.next_value()?),
            "exists" => Self::Exists(map.next_value()?),
            "integers" => Self::Integers(map.next_value()?),
            "range" => {
                let (low, high) = map.next_value()?;
                Self::Range(low, high)
            }
            _ => {
                let (known, negated) = (TESTS.join("`, `"), TESTS.join("`, `!"));
                return Err(Error::custom(format_args!(
                    "unknown prefilter atom `{written}`, expected one of `{known}`, `!{negated}`"
                )));
            }
        })
    }

    /// Whether a cell is so.
    pub fn holds(&self, cell: Tested<'_>) -> bool {
        match (self, cell) {
            (Self::Contains(literal), Tested::Folded(text)) => text.contains(literal.as_str()),
            (Self::Prefix(literal), Tested::Folded(text)) => text.starts_with(literal.as_str()),
            (Self::Suffix(literal), Tested::Folded(text)) => text.ends_with(literal.as_str()),
            (Self::Equals(literal), Tested::Folded(text)) => text == literal,
            (Self::Contains(_) | Self::Prefix(_) | Self::Suffix(_) | Self::Equals(_), Tested::Elements(elements)) => {
                elements.iter().any(|element| self.holds(Tested::Folded(element)))
            }
            (Self::Exists(wanted), cell) => (cell != Tested::Null) == *wanted,
            (Self::Integers(set), Tested::Integer(value)) => set.contains(&value),
            (Self::Range(low, high), Tested::Integer(value)) => (*low..=*high).contains(&value),
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::slice;

    use serde_json::json;

    use super::*;

    #[test]
    fn atoms_read_as_they_are_written() {
        let atoms = [
            (json!({"column": 0, "contains": "a"}), Test::Contains("a".into())),
            (json!({"column": 0, "prefix": "a"}), Test::Prefix("a".into())),
            (json!({"column": 0, "suffix": "a"}), Test::Suffix("a".into())),
            (json!({"column": 0, "equals": "a"}), Test::Equals("a".into())),
            (json!({"column": 0, "exists": true}), Test::Exists(true)),
            (json!({"column": 0, "integers": [1, -2]}), Test::Integers(vec![1, -2])),
            (json!({"column": 0, "range": [-1, 1]}), Test::Range(-1, 1)),
        ];
        assert_eq!(atoms.len(), TESTS.len());
        for ((json, test), name) in atoms.into_iter().zip(TESTS) {
            let atom = Atom::new(0, test);
            let value = json.get(name).unwrap_or_else(|| panic!("{name}"));
            let negated = json!({"column": 0, format!("!{name}"): value});
            for (atom, json) in [(!atom.clone(), negated), (atom, json.clone())] {
                assert_eq!(serde_json::to_value(&atom).ok().as_ref(), Some(&json));
                assert_eq!(serde_json::from_value::<Atom>(json).ok(), Some(atom));
            }
        }
    }

    #[test]
    fn an_atom_holds_of_a_list_if_it_holds_of_an_element() {
        let elements = ["powershell -enc".to_owned(), String::new()];
        for (test, of_two, of_none) in [
            (Test::Contains("-enc".into()), true, false),
            (Test::Contains("cmd".into()), false, false),
            (Test::Prefix("-enc".into()), false, false),
            (Test::Suffix("-enc".into()), true, false),
            (Test::Equals(String::new()), true, false),
            (Test::Exists(true), true, true),
            (Test::Exists(false), false, false),
        ] {
            assert_eq!(test.holds(Tested::Elements(&elements)), of_two, "{test:?}");
            assert_eq!(test.holds(Tested::Elements(&[])), of_none, "{test:?}");
        }
    }

    #[test]
    fn a_negated_atom_holds_of_exactly_the_other_cells() {
        let elements = ["powershell -enc".to_owned(), String::new()];
        let cells = [
            Tested::Null,
            Tested::Folded(""),
            Tested::Folded("x -enc"),
            Tested::Integer(1),
            Tested::Integer(9),
            Tested::Elements(&elements),
            Tested::Elements(&[]),
            Tested::Other,
        ];
        for (test, met) in [
            (Test::Contains("-enc".into()), [2, 5].as_slice()),
            (Test::Prefix("x".into()), &[2]),
            (Test::Suffix("-enc".into()), &[2, 5]),
            (Test::Equals(String::new()), &[1, 5]),
            (Test::Exists(true), &[1, 2, 3, 4, 5, 6, 7]),
            (Test::Exists(false), &[0]),
            (Test::Integers(vec![1, 2]), &[3]),
            (Test::Range(2, 9), &[4]),
        ] {
            for (at, cell) in cells.iter().enumerate() {
                let atom = Atom::new(0, test.clone());
                assert_eq!(atom.holds(*cell), met.contains(&at), "{atom:?} of {cell:?}");
                assert_eq!((!atom).holds(*cell), !met.contains(&at), "not {test:?} of {cell:?}");
            }
        }
    }

    #[test]
    fn a_prefilter_that_only_asks_for_presence_or_rules_out_does_not_prune() {
        let clause = |atoms: &[Atom]| Clause { atoms: atoms.to_vec() };
        let exists = |wanted| Atom::new(0, Test::Exists(wanted));
        let contains = Atom::new(0, Test::Contains("a".into()));
        for (clauses, prunes) in [
            (vec![], false),
            (vec![clause(&[exists(true)])], false),
            (vec![clause(&[exists(false), contains.clone()])], false),
            (vec![clause(&[!contains.clone()])], false),
            (vec![clause(&[contains.clone(), !contains.clone()])], false),
            (vec![clause(&[!contains.clone()]), clause(slice::from_ref(&contains))], true),
            (vec![clause(&[exists(true)]), clause(&[contains])], true),
            // No row meets it.
            (vec![clause(&[])], true),
        ] {
            let prefilter = Prefilter { clauses };
            assert_eq!(prefilter.prunes(), prunes, "{prefilter:?}");
        }
    }

    #[test]
    fn values_are_folded_before_they_are_tested() {
        let contains = |literal: &str| Prefilter {
            clauses: vec![Clause { atoms: vec![Atom::new(7, Test::Contains(literal.into()))] }],
        };
        for (value, literal, admitted) in [
            (Value::Text("A K\u{212a}\u{c9}".into()), "kk\u{e9}", true),
            (Value::Text("kk".into()), "kkk", false),
            (Value::Elements(vec!["x".into(), "KVM".into()]), "kvm", true),
            (Value::Elements(vec![]), "", false),
            (Value::Integer(1), "1", false),
            (Value::Other, "", false),
            (Value::Null, "", false),
        ] {
            let mut prefilter = contains(literal);
            assert_eq!(prefilter.admits_values(|_| value.clone()), admitted, "{value:?} has {literal:?}");
            prefilter.clauses[0].atoms[0].negated = true;
            assert_eq!(prefilter.admits_values(|_| value.clone()), !admitted, "{value:?} does not have {literal:?}");
        }
    }

    #[test]
    fn an_atom_that_is_not_understood_is_named() {
        for (atom, expected) in [
            (r#"{"column": 0, "regex": "a"}"#, "unknown prefilter atom `regex`, expected one of `contains`, `prefix`"),
            (r#"{"column": 0, "contains": "a", "negate": true}"#, "unknown prefilter atom `negate`"),
            (r#"{"column": 0, "!regex": "a"}"#, "unknown prefilter atom `!regex`, expected one of"),
            (r#"{"column": 0, "!!contains": "a"}"#, "unknown prefilter atom `!!contains`, expected one of"),
            (r#"{"!column": 0, "contains": "a"}"#, "unknown prefilter atom `!column`, expected one of"),
            (r#"{"column": 0, "contains": "a", "prefix": "a"}"#, "`prefix` is too many"),
            (r#"{"column": 0, "contains": "a", "!contains": "b"}"#, "`!contains` is too many"),
            (r#"{"column": 0, "column": 0, "contains": "a"}"#, "`column` is too many"),
            (r#"{"contains": "a"}"#, "without a column"),
            (r#"{"column": 0}"#, "without a test: one of contains"),
            (r#"{"column": 0, "contains": 1}"#, "invalid type: integer"),
            (r#"{"column": 0, "range": [1]}"#, "invalid length 1"),
            (r#"["contains"]"#, "expected a prefilter atom: a column and a test"),
        ] {
            let error = serde_json::from_str::<Atom>(atom).map_err(|error| error.to_string());
            assert!(error.as_ref().is_err_and(|error| error.contains(expected)), "{atom}: {error:?}");
        }
    }
}
