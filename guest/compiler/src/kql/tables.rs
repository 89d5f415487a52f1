//! Table schemas: which columns a table has, in which order, of which types.
//!
//! The data are the files of `guest/compiler/tables/`, each with the address of the reference page that it follows.
//! Names are case-sensitive, as Kusto's are. No table is discovered from events: a schema is part of the compiler.

use std::sync::LazyLock;

use sandtrap_wit::LogicalType;
use serde::Deserialize;

/// The name of the ingestion time that Sentinel adds to every table.
const TIME_GENERATED: &str = "TimeGenerated";

/// The schema files. A test reads each of them back.
const FILES: [&str; 5] = [
    include_str!("../../tables/DeviceFileCertificateInfo.json"),
    include_str!("../../tables/DeviceFileEvents.json"),
    include_str!("../../tables/DeviceNetworkEvents.json"),
    include_str!("../../tables/DeviceProcessEvents.json"),
    include_str!("../../tables/SecurityEvent.json"),
];

static TABLES: LazyLock<Vec<Table>> = LazyLock::new(|| FILES.iter().filter_map(|text| read(text)).collect());

/// A table and its columns.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Table {
    name: String,
    time_column: String,
    source: String,
    columns: Vec<(String, LogicalType)>,
}

impl Table {
    /// Its name, as a query writes it.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The column that says when an event happened.
    pub fn time_column(&self) -> &str {
        &self.time_column
    }

    /// The reference page that the schema follows.
    pub fn source(&self) -> &str {
        &self.source
    }

    /// Its columns in schema order.
    pub fn columns(&self) -> &[(String, LogicalType)] {
        &self.columns
    }

    /// The type of a column.
    pub fn column(&self, name: &str) -> Option<LogicalType> {
        self.columns.iter().find(|(column, _)| column == name).map(|(_, ty)| *ty)
    }

    /// Whether comparing this column with `now()` says how far back a query looks: the table's own time, or the
    /// ingestion time of Sentinel.
    pub fn is_time_column(&self, name: &str) -> bool {
        name == self.time_column || name == TIME_GENERATED
    }
}

/// The table of that name.
pub fn find(name: &str) -> Option<&'static Table> {
    TABLES.iter().find(|table| table.name == name)
}

/// All tables, by name.
pub fn all() -> &'static [Table] {
    &TABLES
}

fn read(text: &str) -> Option<Table> {
    #[derive(Deserialize)]
    struct File {
        table: String,
        time_column: String,
        source: String,
        columns: serde_json::Map<String, serde_json::Value>,
    }
    let file: File = serde_json::from_str(text).ok()?;
    let columns = file.columns.into_iter().map(|(name, ty)| Some((name, serde_json::from_value(ty).ok()?)));
    Some(Table {
        name: file.table,
        time_column: file.time_column,
        source: file.source,
        columns: columns.collect::<Option<_>>()?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_file_is_a_table_with_a_time() {
        assert_eq!(all().len(), FILES.len(), "a schema file does not read");
        for table in all() {
            assert_eq!(table.column(table.time_column()), Some(LogicalType::Datetime), "{}", table.name());
            assert!(table.source().starts_with("https://learn.microsoft.com/"), "{}", table.name());
            let mut names: Vec<_> = table.columns().iter().map(|(name, _)| name).collect();
            names.sort();
            names.dedup();
            assert_eq!(names.len(), table.columns().len(), "{} has a column twice", table.name());
        }
    }

    #[test]
    fn types_and_order_are_the_reference_s() {
        let table = find("DeviceNetworkEvents").expect("a table of the first slice");
        assert_eq!(table.column("RemotePort"), Some(LogicalType::Int));
        assert_eq!(table.column("ReportId"), Some(LogicalType::Long));
        assert_eq!(table.column("remoteport"), None, "names are case-sensitive");
        assert_eq!(table.columns().first().map(|(name, _)| name.as_str()), Some("Timestamp"));
        assert!(table.is_time_column("TimeGenerated") && !table.is_time_column("InitiatingProcessCreationTime"));
        assert_eq!(find("devicenetworkevents"), None, "names are case-sensitive");
    }
}
