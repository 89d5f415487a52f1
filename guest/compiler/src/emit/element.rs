//! Tests of the elements of a column of lists: each is one call of the runtime, which goes through them.

use wasm_encoder::Instruction;

use super::{EmitError, abi, expr::Emitter, kernel::COLUMNS, runtime::RuntimeFunction};
use crate::ir::{ElementTest, Expr};

impl Emitter<'_> {
    /// The number of the column of lists that an expression is.
    pub(super) fn list_column(&self, expr: &Expr) -> Option<u32> {
        match expr {
            Expr::Input { column, .. } if self.columns[*column as usize].list => Some(*column),
            _ => None,
        }
    }

    /// Leaves the address of a column's record and the row: what the runtime takes for the elements of a row.
    pub(super) fn push_elements(&mut self, column: u32) {
        let row = self.row;
        self.function.get(COLUMNS).u32(column.saturating_mul(abi::COLUMN_BYTES)).push(Instruction::I32Add).get(row);
    }

    /// Leaves whether the row has an element of at most so many bytes.
    pub(super) fn has_element(&mut self, column: u32, bytes_max: u32) {
        self.push_elements(column);
        self.function.u32(bytes_max).call(RuntimeFunction::HasElement);
    }

    /// Leaves whether an element passes.
    pub(super) fn any_element(&mut self, _column: u32, _test: &ElementTest) -> Result<(), EmitError> {
        Err(EmitError::new("element tests"))
    }
}
