//! Tables for people.

use std::io::{self, IsTerminal as _};

use comfy_table::{Cell, CellAlignment, ContentArrangement, Table, presets};
use sandtrap_embed::formats::verdict::{cell_to_text, row_to_text};
use sandtrap_embed::wit::{LogicalType, plan::NamedColumn};

/// How a table is drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Frame {
    /// Lines between columns and under the header.
    Lines,
    /// Columns side by side.
    None,
}

/// An empty table with a header. On a terminal it is as wide as that at most; in a pipe no cell is broken over lines.
pub(crate) fn table(frame: Frame, header: impl IntoIterator<Item = String>) -> Table {
    let mut table = Table::new();
    table.load_style(match frame {
        Frame::Lines => presets::UTF8_FULL_CONDENSED,
        Frame::None => presets::NOTHING,
    });
    if io::stdout().is_terminal() && frame == Frame::Lines {
        table.set_content_arrangement(ContentArrangement::Dynamic);
    }
    table.set_header(header);
    table
}

/// A number, to the right.
pub(crate) fn number(value: u64) -> Cell {
    Cell::new(value).set_alignment(CellAlignment::Right)
}

/// The rows of a result as KQL would print them.
pub(crate) fn of_result(result: &sandtrap_embed::Table) -> Table {
    let names = result.columns.iter().map(|column| crate::diagnostics::clean(&column.name));
    let mut table = table(Frame::Lines, names);
    for row in 0..result.batch.rows {
        let cells = result.columns.iter().zip(&result.batch.columns);
        table.add_row(cells.map(|(NamedColumn { ty, list, .. }, column)| {
            let shown = if *list { row_to_text(*ty, column.row(row)) } else { cell_to_text(*ty, column.cell(row)) };
            let cell = Cell::new(shown);
            match ty {
                LogicalType::Int | LogicalType::Long | LogicalType::Real | LogicalType::Timespan => {
                    cell.set_alignment(CellAlignment::Right)
                }
                _ => cell,
            }
        }));
    }
    table
}
