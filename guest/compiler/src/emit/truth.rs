//! Booleans: leaves [`FALSE`], [`TRUE`] or [`NULL`] on the stack. `and` and `or` stop at the first operand that decides.

use sandtrap_wit::{LogicalType, PhysicalType};
use wasm_encoder::{Instruction, ValType};

use super::{
    EmitError,
    expr::{Emitter, Operand},
    kernel::Column,
    runtime::RuntimeFunction,
};
use crate::ir::{CompareOp, Expr, Literal};

/// A boolean while it is computed.
pub(super) const FALSE: i32 = 0;
/// See [`FALSE`].
pub(super) const TRUE: i32 = 1;
/// See [`FALSE`].
pub(super) const NULL: i32 = 2;

impl Emitter<'_> {
    /// Evaluates a boolean: leaves [`FALSE`], [`TRUE`] or [`NULL`].
    pub(super) fn truth(&mut self, expr: &Expr) -> Result<(), EmitError> {
        match expr {
            Expr::Literal(Literal::Bool(value)) => {
                self.function.i32(if *value { TRUE } else { FALSE });
            }
            Expr::Literal(Literal::Null(_)) => {
                self.function.i32(NULL);
            }
            Expr::Input { column, .. } => self.boolean_input(*column),
            Expr::Not(inner) => {
                self.truth(inner)?;
                let local = self.function.local(ValType::I32);
                // 0 -> 1, 1 -> 0, 2 -> 2
                self.function.set(local).i32(NULL).get(local).i32(1).push(Instruction::I32Xor);
                self.function.get(local).i32(NULL).push(Instruction::I32Eq).push(Instruction::Select);
                self.function.release(local);
            }
            Expr::And(operands) => self.junction(operands, FALSE, TRUE)?,
            Expr::Or(operands) => self.junction(operands, TRUE, FALSE)?,
            Expr::Compare { op, left, right } => self.compare(*op, left, right)?,
            Expr::InSet { value, set } => self.in_set(value, set)?,
            Expr::TextMatch(text_match) => self.text_match(text_match)?,
            Expr::TextMatchDynamic { haystack, needle, kind, fold } => {
                self.text_match_dynamic(haystack, needle, *kind, *fold)?;
            }
            Expr::AnyElement { column, test } => self.any_element(*column, test),
            Expr::Exists { column } => self.exists(*column),
            Expr::HasValue { column } => self.validity_bit(self.columns[*column as usize].validity),
            Expr::IsNull(value) => self.is_null(value)?,
            Expr::IsEmpty(value) => {
                let operand = self.operand(value)?;
                self.push_text(operand);
                let len = self.function.local(ValType::I32);
                self.function.set(len).push(Instruction::Drop).get(len).push(Instruction::I32Eqz);
                self.function.release(len);
                self.release(operand);
            }
            Expr::If { condition, then, otherwise } => {
                let result = self.function.local(ValType::I32);
                self.truth(condition)?;
                self.function.i32(TRUE).push(Instruction::I32Eq).if_true();
                self.truth(then)?;
                self.function.set(result).otherwise();
                self.truth(otherwise)?;
                self.function.set(result).end().get(result);
                self.function.release(result);
            }
            _ => return Err(EmitError::new(format!("a {} where a boolean is needed", expr.ty()))),
        }
        Ok(())
    }

    fn boolean_input(&mut self, column: u32) {
        let Column { validity, cells, .. } = self.columns[column as usize];
        let result = self.function.local(ValType::I32);
        self.function.i32(NULL).set(result);
        self.validity_bit(validity);
        self.function.if_true();
        self.bit(cells);
        self.function.set(result).end().get(result);
        self.function.release(result);
    }

    /// Leaves whether the event has the column's field.
    fn exists(&mut self, column: u32) {
        let result = self.function.local(ValType::I32);
        self.function.i32(TRUE).set(result);
        if let Some(absent) = self.columns[column as usize].absent {
            self.function.get(absent).if_true();
            self.bit(absent);
            self.function.push(Instruction::I32Eqz).set(result).end();
        }
        self.function.get(result);
        self.function.release(result);
    }

    /// `and` and `or`: the answer is `decisive` as soon as one operand is, else null if one is null, else `neutral`.
    fn junction(&mut self, operands: &[Expr], decisive: i32, neutral: i32) -> Result<(), EmitError> {
        let (result, each) = (self.function.local(ValType::I32), self.function.local(ValType::I32));
        self.function.i32(neutral).set(result).block();
        for operand in operands {
            self.truth(operand)?;
            self.function.set(each);
            self.function.get(each).i32(decisive).push(Instruction::I32Eq).if_true();
            self.function.i32(decisive).set(result).push(Instruction::Br(1)).end();
            self.function.get(each).i32(NULL).push(Instruction::I32Eq).if_true();
            self.function.i32(NULL).set(result).end();
        }
        self.function.end().get(result);
        self.function.release(result);
        self.function.release(each);
        Ok(())
    }

    fn compare(&mut self, op: CompareOp, left: &Expr, right: &Expr) -> Result<(), EmitError> {
        let physical = left.physical();
        let (left, right) = match physical {
            PhysicalType::Booleans => (self.boolean_operand(left)?, self.boolean_operand(right)?),
            _ => (self.operand(left)?, self.operand(right)?),
        };
        let valid = self.both_valid(left, right);
        let result = self.function.local(ValType::I32);
        if let Some(valid) = valid {
            self.function.get(valid).if_true();
        }
        self.compare_values(op, physical, left, right);
        self.function.set(result);
        if let Some(valid) = valid {
            self.function.otherwise();
            match op {
                // Both null: null. One null: they differ.
                CompareOp::Equal | CompareOp::NotEqual => {
                    self.function.i32(if op == CompareOp::Equal { FALSE } else { TRUE }).i32(NULL);
                    self.push_valid(left);
                    self.push_valid(right);
                    self.function.push(Instruction::I32Or).push(Instruction::Select).set(result);
                }
                _ => {
                    self.function.i32(NULL).set(result);
                }
            }
            self.function.end();
            self.function.release(valid);
        }
        self.function.get(result);
        self.function.release(result);
        self.release(left);
        self.release(right);
        Ok(())
    }

    /// A boolean as an integer operand.
    fn boolean_operand(&mut self, expr: &Expr) -> Result<Operand, EmitError> {
        self.convert(expr, LogicalType::Long)
    }

    fn compare_values(&mut self, op: CompareOp, physical: PhysicalType, left: Operand, right: Operand) {
        use CompareOp::{Equal, Greater, GreaterEqual, Less, LessEqual, NotEqual};
        match physical {
            PhysicalType::Text => {
                self.push_text(left);
                self.push_text(right);
                self.function.call(RuntimeFunction::Compare).i32(0).push(match op {
                    Equal => Instruction::I32Eq,
                    NotEqual => Instruction::I32Ne,
                    Less => Instruction::I32LtS,
                    LessEqual => Instruction::I32LeS,
                    Greater => Instruction::I32GtS,
                    GreaterEqual => Instruction::I32GeS,
                });
            }
            PhysicalType::Integers | PhysicalType::Booleans => {
                self.push_number(left);
                self.push_number(right);
                self.function.push(match op {
                    Equal => Instruction::I64Eq,
                    NotEqual => Instruction::I64Ne,
                    Less => Instruction::I64LtS,
                    LessEqual => Instruction::I64LeS,
                    Greater => Instruction::I64GtS,
                    GreaterEqual => Instruction::I64GeS,
                });
            }
            PhysicalType::Reals => {
                self.push_number(left);
                self.push_number(right);
                self.function.push(match op {
                    Equal => Instruction::F64Eq,
                    NotEqual => Instruction::F64Ne,
                    Less => Instruction::F64Lt,
                    LessEqual => Instruction::F64Le,
                    Greater => Instruction::F64Gt,
                    GreaterEqual => Instruction::F64Ge,
                });
            }
        }
    }

    fn in_set(&mut self, value: &Expr, set: &[i64]) -> Result<(), EmitError> {
        let operand = self.operand(value)?;
        let address = self.data.add_integers(set);
        let len = u32::try_from(set.len()).unwrap_or(u32::MAX);
        self.function.u32(address).u32(len);
        self.push_number(operand);
        self.function.call(RuntimeFunction::SetContains);
        self.push_valid(operand);
        self.function.push(Instruction::I32And);
        self.release(operand);
        Ok(())
    }

    fn is_null(&mut self, value: &Expr) -> Result<(), EmitError> {
        if value.physical() == PhysicalType::Booleans {
            self.truth(value)?;
            self.function.i32(NULL).push(Instruction::I32Eq);
            return Ok(());
        }
        let operand = self.operand(value)?;
        self.push_valid(operand);
        self.function.push(Instruction::I32Eqz);
        self.release(operand);
        Ok(())
    }
}
