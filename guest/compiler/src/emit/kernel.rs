//! One kernel as one function: `(rows: i32, now: i64, columns: i32, column count: i32) -> i32`, the address of a
//! `matches` record.

use std::collections::BTreeSet;

use sandtrap_wit::PhysicalType;
use wasm_encoder::{Instruction, MemArg, ValType};

use super::{
    EmitError, abi,
    builder::FunctionBuilder,
    data::Data,
    expr::{Emitter, case_of},
    runtime::RuntimeFunction,
    truth::{NULL, TRUE},
};
use crate::ir::{Expr, Input, Kernel, walk};

const ROWS: u32 = 0;
const NOW: u32 = 1;
pub(super) const COLUMNS: u32 = 2;
const COLUMN_COUNT: u32 = 3;
/// How many parameters a kernel has.
pub(super) const PARAMETERS: u32 = 4;

/// The locals with a column's addresses.
#[derive(Clone, Copy)]
pub(super) struct Column {
    /// Whether its cells are lists, which only the runtime reads.
    pub(super) list: bool,
    /// Of the validity bitmap; 0 when every cell has a value.
    pub(super) validity: u32,
    /// Of the bitmap of absent cells, if the kernel asks for it; 0 when none is absent.
    pub(super) absent: Option<u32>,
    /// Of the cells or, for text, of the offsets.
    pub(super) cells: u32,
    /// Of the bytes of text.
    pub(super) bytes: u32,
}

/// The body of a kernel.
pub(super) fn emit(kernel: &Kernel, data: &mut Data) -> Result<FunctionBuilder, EmitError> {
    let mut function = FunctionBuilder::new(PARAMETERS);
    let row = function.local(ValType::I32);
    let mut emitter = Emitter { function, data, columns: Vec::new(), now: NOW, row };
    emitter.read_columns(kernel);
    let (picked, count) = emitter.pick_rows(kernel.filter.as_ref())?;
    emitter.answer(kernel, picked, count)?;
    Ok(emitter.function)
}

impl Emitter<'_> {
    /// Loads the columns' addresses into locals; traps on a batch that is not what the plan says.
    fn read_columns(&mut self, kernel: &Kernel) {
        let function = &mut self.function;
        let expected = u32::try_from(kernel.inputs.len()).unwrap_or(u32::MAX);
        function.get(COLUMN_COUNT).u32(expected).push(Instruction::I32Ne).trap_if();
        let asked = asked_for(kernel);
        for (index, Input { ty, list }) in (0..).zip(&kernel.inputs) {
            let at = index * abi::COLUMN_BYTES;
            let column = Column {
                list: *list,
                validity: function.local(ValType::I32),
                absent: asked.contains(&index).then(|| function.local(ValType::I32)),
                cells: function.local(ValType::I32),
                bytes: function.local(ValType::I32),
            };
            function.get(COLUMNS).load_byte(at + abi::COLUMN_CASE).i32(case_of(ty.physical()));
            function.push(Instruction::I32Ne).trap_if();
            read_optional(function, at + abi::COLUMN_VALIDITY, column.validity);
            if let Some(absent) = column.absent {
                read_optional(function, at + abi::COLUMN_ABSENT, absent);
            }
            if !list {
                function.get(COLUMNS).load_byte(at + abi::COLUMN_LISTS).trap_if();
                function.get(COLUMNS).load_i32(at + abi::COLUMN_CELLS).set(column.cells);
                if ty.physical() == PhysicalType::Text {
                    function.get(COLUMNS).load_i32(at + abi::COLUMN_TEXT_BYTES).set(column.bytes);
                }
            }
            self.columns.push(column);
        }
    }

    /// Writes the rows that the filter picks; gives the locals with their address and number.
    fn pick_rows(&mut self, filter: Option<&Expr>) -> Result<(u32, u32), EmitError> {
        let (picked, count, row) = (self.function.local(ValType::I32), self.function.local(ValType::I32), self.row);
        self.function.get(ROWS).i32(2).push(Instruction::I32Shl).i32(4).call(RuntimeFunction::Allocate).set(picked);
        self.function.i32(0).set(count);
        self.loop_rows(row, ROWS, |emitter| {
            match filter {
                Some(filter) => {
                    emitter.truth(filter)?;
                    emitter.function.i32(TRUE).push(Instruction::I32Eq).if_true();
                }
                None => {
                    emitter.function.i32(1).if_true();
                }
            }
            emitter.address(picked, count, 2);
            emitter.function.get(row).store_i32(0);
            emitter.function.get(count).i32(1).push(Instruction::I32Add).set(count).end();
            Ok(())
        })?;
        Ok((picked, count))
    }

    /// As `FunctionBuilder::for_each`, for a body that emits expressions.
    fn loop_rows(
        &mut self,
        local: u32,
        count: u32,
        body: impl FnOnce(&mut Self) -> Result<(), EmitError>,
    ) -> Result<(), EmitError> {
        // The body needs the whole emitter, so the function is lent to it and back.
        let mut outcome = Ok(());
        let mut function = std::mem::replace(&mut self.function, FunctionBuilder::new(PARAMETERS));
        function.for_each(local, count, |function| {
            std::mem::swap(&mut self.function, function);
            outcome = body(self);
            std::mem::swap(&mut self.function, function);
        });
        self.function = function;
        outcome
    }

    /// Leaves `base + (index << shift)`.
    fn address(&mut self, base: u32, index: u32, shift: i32) {
        self.function.get(base).get(index).i32(shift).push(Instruction::I32Shl).push(Instruction::I32Add);
    }

    /// Computes the columns and leaves the address of the answer.
    fn answer(&mut self, kernel: &Kernel, picked: u32, count: u32) -> Result<(), EmitError> {
        let computed = u32::try_from(kernel.computed.len()).unwrap_or(u32::MAX);
        let (matches, columns) = (self.function.local(ValType::I32), self.function.local(ValType::I32));
        self.zeroed(computed.saturating_mul(abi::COLUMN_BYTES), columns);
        for (index, expr) in (0..).zip(&kernel.computed) {
            let column = self.function.local(ValType::I32);
            self.function.get(columns).u32(index * abi::COLUMN_BYTES).push(Instruction::I32Add).set(column);
            self.compute(expr, picked, count, column)?;
            self.function.release(column);
        }
        self.zeroed(abi::MATCHES_BYTES, matches);
        self.function.get(matches).get(picked).store_i32(abi::MATCHES_ROWS);
        self.function.get(matches).get(count).store_i32(abi::MATCHES_ROWS + 4);
        self.function.get(matches).get(columns).store_i32(abi::MATCHES_COLUMNS);
        self.function.get(matches).u32(computed).store_i32(abi::MATCHES_COLUMNS + 4);
        self.function.get(matches);
        Ok(())
    }

    /// Allocates zeroed bytes at a multiple of 8 and sets the local to their address. The arena is reused, so its memory
    /// is not zero.
    fn zeroed(&mut self, bytes: u32, local: u32) {
        self.function.u32(bytes).i32(8).call(RuntimeFunction::Allocate).set(local);
        self.function.get(local).i32(0).u32(bytes).push(Instruction::MemoryFill(0));
    }

    /// As [`Self::zeroed`], for a bitmap with a bit for each of `count` rows.
    fn zeroed_bitmap(&mut self, count: u32, local: u32) {
        let bytes = self.function.local(ValType::I32);
        self.function.get(count).i32(7).push(Instruction::I32Add).i32(3).push(Instruction::I32ShrU).set(bytes);
        self.function.get(bytes).i32(1).call(RuntimeFunction::Allocate).set(local);
        self.function.get(local).i32(0).get(bytes).push(Instruction::MemoryFill(0));
        self.function.release(bytes);
    }

    /// Computes one column for the picked rows into the `column` record at that local's address.
    fn compute(&mut self, expr: &Expr, picked: u32, count: u32, column: u32) -> Result<(), EmitError> {
        let physical = expr.physical();
        let (cells, validity, at, row) = (
            self.function.local(ValType::I32),
            self.function.local(ValType::I32),
            self.function.local(ValType::I32),
            self.row,
        );
        self.zeroed_bitmap(count, validity);
        if physical == PhysicalType::Booleans {
            self.zeroed_bitmap(count, cells);
        } else {
            // Eight bytes a row: a number, or pointer and length of a text.
            self.function.get(count).i32(3).push(Instruction::I32Shl).i32(8);
            self.function.call(RuntimeFunction::Allocate).set(cells);
        }
        self.loop_rows(at, count, |emitter| {
            emitter.address(picked, at, 2);
            emitter.function.load_i32(0).set(row);
            emitter.cell(expr, Target { cells, validity, at })
        })?;
        self.function.get(column).i32(1).store_byte(abi::COLUMN_VALIDITY);
        self.function.get(column).get(validity).store_i32(abi::COLUMN_VALIDITY_POINTER);
        self.function.get(column).get(count).i32(7).push(Instruction::I32Add).i32(3).push(Instruction::I32ShrU);
        self.function.store_i32(abi::COLUMN_VALIDITY_POINTER + 4);
        self.function.get(column).i32(case_of(physical)).store_byte(abi::COLUMN_CASE);
        if physical == PhysicalType::Text {
            self.function.get(cells).get(count).get(column).u32(abi::COLUMN_CELLS).push(Instruction::I32Add);
            self.function.call(RuntimeFunction::GatherText);
        } else {
            self.function.get(column).get(cells).store_i32(abi::COLUMN_CELLS);
            self.function.get(column).get(count);
            if physical == PhysicalType::Booleans {
                self.function.i32(7).push(Instruction::I32Add).i32(3).push(Instruction::I32ShrU);
            }
            self.function.store_i32(abi::COLUMN_CELLS + 4);
        }
        for local in [cells, validity, at] {
            self.function.release(local);
        }
        Ok(())
    }

    /// Computes one cell. A cell without a value holds 0, false or the empty text, as the contract says.
    fn cell(&mut self, expr: &Expr, target: Target) -> Result<(), EmitError> {
        let Target { cells, validity, at } = target;
        if expr.physical() == PhysicalType::Booleans {
            let truth = self.function.local(ValType::I32);
            self.truth(expr)?;
            self.function.set(truth);
            self.function.get(truth).i32(TRUE).push(Instruction::I32Eq);
            self.set_bit(cells, at);
            self.function.get(truth).i32(NULL).push(Instruction::I32Ne);
            self.set_bit(validity, at);
            self.function.release(truth);
            return Ok(());
        }
        let operand = self.operand(expr)?;
        let memarg = MemArg { offset: 0, align: 3, memory_index: 0 };
        self.address(cells, at, 3);
        if expr.physical() == PhysicalType::Text {
            let (start, len) = (self.function.local(ValType::I32), self.function.local(ValType::I32));
            self.push_text(operand);
            self.function.set(len).set(start).get(start).store_i32(0);
            self.address(cells, at, 3);
            self.function.get(len).i32(0);
            self.push_valid(operand);
            self.function.push(Instruction::Select).store_i32(4);
            self.function.release(start);
            self.function.release(len);
        } else {
            let reals = expr.physical() == PhysicalType::Reals;
            self.push_number(operand);
            if reals {
                self.function.push(Instruction::F64Const(0.0.into()))
            } else {
                self.function.i64(0)
            };
            self.push_valid(operand);
            self.function.push(Instruction::Select);
            self.function.push(if reals { Instruction::F64Store(memarg) } else { Instruction::I64Store(memarg) });
        }
        self.push_valid(operand);
        self.set_bit(validity, at);
        self.release(operand);
        Ok(())
    }

    /// Takes 0 or 1 from the stack and puts it into the bitmap at `index`, where a 0 is.
    fn set_bit(&mut self, bitmap: u32, index: u32) {
        let (bit, address) = (self.function.local(ValType::I32), self.function.local(ValType::I32));
        self.function.set(bit);
        self.function.get(bitmap).get(index).i32(3).push(Instruction::I32ShrU).push(Instruction::I32Add).set(address);
        self.function.get(address).get(address).load_byte(0);
        self.function.get(bit).get(index).i32(7).push(Instruction::I32And).push(Instruction::I32Shl);
        self.function.push(Instruction::I32Or).store_byte(0);
        self.function.release(bit);
        self.function.release(address);
    }
}

/// Sets a local to the address of an optional list of a column, 0 for none.
fn read_optional(function: &mut FunctionBuilder, at: u32, local: u32) {
    // Without a list the address is whatever was there, so it counts only where the option says so.
    function.get(COLUMNS).load_i32(at + abi::OPTION_POINTER).i32(0);
    function.get(COLUMNS).load_byte(at).push(Instruction::Select).set(local);
}

/// The columns of which a kernel asks whether the event has their field.
fn asked_for(kernel: &Kernel) -> BTreeSet<u32> {
    let mut columns = BTreeSet::new();
    for expr in kernel.filter.iter().chain(&kernel.computed) {
        walk::exists(expr, &mut |column| {
            columns.insert(column);
        });
    }
    columns
}

/// Where a computed cell goes: locals.
#[derive(Clone, Copy)]
struct Target {
    cells: u32,
    validity: u32,
    at: u32,
}
