//! Scalar expressions: values into locals ([`Emitter::operand`]). Booleans are in truth.rs.
//!
//! Every operand is evaluated once; Cranelift's register allocation makes the copies free.

use sandtrap_runtime::date::Part;
use sandtrap_wit::{LogicalType, PhysicalType};
use wasm_encoder::{Instruction, MemArg, ValType};

use super::{
    EmitError, abi,
    builder::FunctionBuilder,
    data::Data,
    kernel::Column,
    runtime::RuntimeFunction,
    truth::{NULL, TRUE},
};
use crate::ir::{Arithmetic, DatePart, Expr, Function, Literal};

/// Emits expressions into one function.
pub(super) struct Emitter<'a> {
    pub(super) function: FunctionBuilder,
    pub(super) data: &'a mut Data,
    pub(super) columns: Vec<Column>,
    /// The local with the batch's `now`.
    pub(super) now: u32,
    /// The local with the row that is looked at.
    pub(super) row: u32,
}

/// A scalar value that is not a boolean.
#[derive(Clone, Copy)]
pub(super) struct Operand {
    pub(super) value: Value,
    /// The local that is 1 where there is a value and 0 where there is none; without one there always is.
    pub(super) valid: Option<u32>,
}

/// Where a value is.
#[derive(Clone, Copy)]
pub(super) enum Value {
    /// In a local of that type.
    Number(u32),
    Integer(i64),
    Real(f64),
    /// Locals with pointer and length.
    Text(u32, u32),
    /// A constant of the component: address and length.
    ConstantText(u32, u32),
}

impl Emitter<'_> {
    /// Evaluates an expression that is not a boolean.
    pub(super) fn operand(&mut self, expr: &Expr) -> Result<Operand, EmitError> {
        match expr {
            Expr::Literal(literal) => Ok(self.literal(literal)),
            Expr::Input { .. } if self.list_column(expr).is_some() => {
                Err(EmitError::new("a column of lists where a scalar value is needed"))
            }
            Expr::Input { column, ty } => Ok(self.input(*column, *ty)),
            Expr::Now => Ok(Operand { value: Value::Number(self.now), valid: None }),
            Expr::Arithmetic { op, left, right, .. } => self.arithmetic(*op, left, right),
            Expr::Convert { value, ty } => self.convert(value, *ty),
            Expr::If { condition, then, otherwise } => self.choose(condition, then, otherwise),
            Expr::Call { function, arguments } => self.call(*function, arguments),
            _ => Err(EmitError::new(format!("a {} where a scalar value is needed", expr.ty()))),
        }
    }

    fn literal(&mut self, literal: &Literal) -> Operand {
        let value = match literal {
            Literal::Integer(value, _) => Value::Integer(*value),
            Literal::Real(value) => Value::Real(*value),
            Literal::Text(text, _) => self.text_constant(text),
            Literal::Bool(value) => Value::Integer(i64::from(*value)),
            Literal::Null(ty) => {
                let value = match ty.physical() {
                    PhysicalType::Text => Value::ConstantText(0, 0),
                    PhysicalType::Reals => Value::Real(0.0),
                    PhysicalType::Integers | PhysicalType::Booleans => Value::Integer(0),
                };
                if *ty == LogicalType::String {
                    return Operand { value, valid: None };
                }
                let valid = self.function.local(ValType::I32);
                self.function.i32(0).set(valid);
                return Operand { value, valid: Some(valid) };
            }
        };
        Operand { value, valid: None }
    }

    /// A text constant of the component.
    pub(super) fn text_constant(&mut self, text: &str) -> Value {
        let len = u32::try_from(text.len()).unwrap_or(u32::MAX);
        Value::ConstantText(self.data.add(text.as_bytes(), 1), len)
    }

    fn input(&mut self, column: u32, ty: LogicalType) -> Operand {
        let Column { validity, cells, bytes, .. } = self.columns[column as usize];
        let row = self.row;
        let function = &mut self.function;
        let value = match ty.physical() {
            PhysicalType::Text => {
                let (offset, start, len) =
                    (function.local(ValType::I32), function.local(ValType::I32), function.local(ValType::I32));
                function.get(cells).get(row).i32(2).push(Instruction::I32Shl).push(Instruction::I32Add).set(offset);
                function.get(offset).load_i32(0).set(start);
                function.get(offset).load_i32(4).get(start).push(Instruction::I32Sub).set(len);
                function.get(bytes).get(start).push(Instruction::I32Add).set(start);
                function.release(offset);
                Value::Text(start, len)
            }
            PhysicalType::Integers | PhysicalType::Reals => {
                let integers = ty.physical() == PhysicalType::Integers;
                let local = function.local(if integers { ValType::I64 } else { ValType::F64 });
                function.get(cells).get(row).i32(3).push(Instruction::I32Shl).push(Instruction::I32Add);
                let memarg = MemArg { offset: 0, align: 3, memory_index: 0 };
                function.push(if integers { Instruction::I64Load(memarg) } else { Instruction::F64Load(memarg) });
                function.set(local);
                Value::Number(local)
            }
            PhysicalType::Booleans => Value::Integer(0),
        };
        // Text has no null: a cell without a value holds the empty text already.
        let valid = (ty != LogicalType::String).then(|| {
            let valid = self.function.local(ValType::I32);
            self.validity_bit(validity);
            self.function.set(valid);
            valid
        });
        Operand { value, valid }
    }

    /// Leaves 1 if the row's cell has a value, else 0. `bitmap` is the local with the validity's address, 0 for none.
    pub(super) fn validity_bit(&mut self, bitmap: u32) {
        let function = &mut self.function;
        let result = function.local(ValType::I32);
        function.i32(1).set(result).get(bitmap).if_true();
        self.bit(bitmap);
        self.function.set(result).end().get(result);
        self.function.release(result);
    }

    /// Leaves the row's bit of a bitmap.
    pub(super) fn bit(&mut self, bitmap: u32) {
        let row = self.row;
        self.function.get(bitmap).get(row).i32(3).push(Instruction::I32ShrU).push(Instruction::I32Add).load_byte(0);
        self.function.get(row).i32(7).push(Instruction::I32And).push(Instruction::I32ShrU);
        self.function.i32(1).push(Instruction::I32And);
    }

    /// Leaves a number on the stack.
    pub(super) fn push_number(&mut self, operand: Operand) {
        match operand.value {
            Value::Number(local) => self.function.get(local),
            Value::Integer(value) => self.function.i64(value),
            Value::Real(value) => self.function.push(Instruction::F64Const(value.into())),
            Value::Text(..) | Value::ConstantText(..) => self.function.i64(0),
        };
    }

    /// Leaves pointer and length of a text on the stack.
    pub(super) fn push_text(&mut self, operand: Operand) {
        match operand.value {
            Value::Text(start, len) => self.function.get(start).get(len),
            Value::ConstantText(address, len) => self.function.u32(address).u32(len),
            Value::Number(_) | Value::Integer(_) | Value::Real(_) => self.function.i32(0).i32(0),
        };
    }

    /// Leaves 1 where there is a value, else 0.
    pub(super) fn push_valid(&mut self, operand: Operand) {
        match operand.valid {
            Some(local) => self.function.get(local),
            None => self.function.i32(1),
        };
    }

    /// Gives an operand's locals back.
    pub(super) fn release(&mut self, operand: Operand) {
        match operand.value {
            Value::Number(local) if local != self.now => self.function.release(local),
            Value::Text(start, len) => {
                self.function.release(start);
                self.function.release(len);
            }
            _ => {}
        }
        if let Some(valid) = operand.valid {
            self.function.release(valid);
        }
    }

    /// A local that is 1 where both have a value; `None` where both always have.
    pub(super) fn both_valid(&mut self, left: Operand, right: Operand) -> Option<u32> {
        if left.valid.is_none() && right.valid.is_none() {
            return None;
        }
        let valid = self.function.local(ValType::I32);
        self.push_valid(left);
        self.push_valid(right);
        self.function.push(Instruction::I32And).set(valid);
        Some(valid)
    }

    fn arithmetic(&mut self, op: Arithmetic, left: &Expr, right: &Expr) -> Result<Operand, EmitError> {
        let reals = left.physical() == PhysicalType::Reals;
        let (left, right) = (self.operand(left)?, self.operand(right)?);
        let mut valid = self.both_valid(left, right);
        let result = self.function.local(if reals { ValType::F64 } else { ValType::I64 });
        if !reals && matches!(op, Arithmetic::Divide | Arithmetic::Modulo) {
            valid = Some(self.and_not_zero(valid, right));
        }
        if let (Arithmetic::Divide, false) = (op, reals) {
            self.integer_divide(left, right);
        } else {
            self.push_number(left);
            self.push_number(right);
            match (op, reals) {
                (Arithmetic::Add, false) => self.function.push(Instruction::I64Add),
                (Arithmetic::Subtract, false) => self.function.push(Instruction::I64Sub),
                (Arithmetic::Multiply, false) => self.function.push(Instruction::I64Mul),
                (Arithmetic::Divide | Arithmetic::Modulo, false) => self.function.call(RuntimeFunction::IntegerModulo),
                (Arithmetic::Add, true) => self.function.push(Instruction::F64Add),
                (Arithmetic::Subtract, true) => self.function.push(Instruction::F64Sub),
                (Arithmetic::Multiply, true) => self.function.push(Instruction::F64Mul),
                (Arithmetic::Divide, true) => self.function.push(Instruction::F64Div),
                (Arithmetic::Modulo, true) => self.function.call(RuntimeFunction::RealModulo),
            };
        }
        self.function.set(result);
        self.release(left);
        self.release(right);
        Ok(Operand { value: Value::Number(result), valid })
    }

    /// A local that is 1 where `valid` is and the divisor is not 0: dividing by 0 gives null.
    fn and_not_zero(&mut self, valid: Option<u32>, divisor: Operand) -> u32 {
        let local = valid.unwrap_or_else(|| self.function.local(ValType::I32));
        self.push_number(divisor);
        self.function.i64(0).push(Instruction::I64Ne);
        if valid.is_some() {
            self.function.get(local).push(Instruction::I32And);
        }
        self.function.set(local);
        local
    }

    /// Leaves the quotient. The two divisions that WebAssembly traps on are replaced: by 0 (null anyway), and by -1, where
    /// the least integer would overflow and wraps instead.
    fn integer_divide(&mut self, left: Operand, right: Operand) {
        let quotient = self.function.local(ValType::I64);
        self.push_number(right);
        self.function.i64(-1).push(Instruction::I64Eq).if_true().i64(0);
        self.push_number(left);
        self.function.push(Instruction::I64Sub).set(quotient).otherwise();
        self.push_number(left);
        self.push_number(right);
        self.function.i64(1);
        self.push_number(right);
        self.function.push(Instruction::I64Eqz).push(Instruction::I64ExtendI32U).push(Instruction::I64Mul);
        self.function.push(Instruction::I64Or).push(Instruction::I64DivS).set(quotient).end().get(quotient);
        self.function.release(quotient);
    }

    pub(super) fn convert(&mut self, value: &Expr, ty: LogicalType) -> Result<Operand, EmitError> {
        if value.physical() == PhysicalType::Booleans {
            let (number, valid) = (self.function.local(ValType::I64), self.function.local(ValType::I32));
            self.truth(value)?;
            self.function.set(valid);
            self.function.get(valid).i32(TRUE).push(Instruction::I32Eq).push(Instruction::I64ExtendI32U).set(number);
            self.function.get(valid).i32(NULL).push(Instruction::I32Ne).set(valid);
            return Ok(Operand { value: Value::Number(number), valid: Some(valid) });
        }
        let operand = self.operand(value)?;
        if value.physical() == ty.physical() {
            return Ok(operand);
        }
        let real = self.function.local(ValType::F64);
        self.push_number(operand);
        self.function.push(Instruction::F64ConvertI64S).set(real);
        let valid = operand.valid;
        self.release(Operand { valid: None, ..operand });
        Ok(Operand { value: Value::Number(real), valid })
    }

    fn choose(&mut self, condition: &Expr, then: &Expr, otherwise: &Expr) -> Result<Operand, EmitError> {
        let physical = then.physical();
        let value = match physical {
            PhysicalType::Text => Value::Text(self.function.local(ValType::I32), self.function.local(ValType::I32)),
            PhysicalType::Reals => Value::Number(self.function.local(ValType::F64)),
            PhysicalType::Integers | PhysicalType::Booleans => Value::Number(self.function.local(ValType::I64)),
        };
        let valid = self.function.local(ValType::I32);
        self.truth(condition)?;
        self.function.i32(TRUE).push(Instruction::I32Eq).if_true();
        self.assign(value, valid, then)?;
        self.function.otherwise();
        self.assign(value, valid, otherwise)?;
        self.function.end();
        Ok(Operand { value, valid: Some(valid) })
    }

    fn assign(&mut self, value: Value, valid: u32, expr: &Expr) -> Result<(), EmitError> {
        let operand = self.operand(expr)?;
        match value {
            Value::Text(start, len) => {
                self.push_text(operand);
                self.function.set(len).set(start);
            }
            Value::Number(local) => {
                self.push_number(operand);
                self.function.set(local);
            }
            Value::Integer(_) | Value::Real(_) | Value::ConstantText(..) => {}
        }
        self.push_valid(operand);
        self.function.set(valid);
        self.release(operand);
        Ok(())
    }

    fn call(&mut self, function: Function, arguments: &[Expr]) -> Result<Operand, EmitError> {
        let mut operands = Vec::with_capacity(arguments.len());
        for argument in arguments {
            operands.push(self.operand(argument)?);
        }
        let Some((first, rest)) = operands.split_first() else {
            return Ok(Operand { value: self.text_constant(""), valid: None });
        };
        let mut valid = None;
        let result = match function {
            Function::Strlen => {
                let number = self.function.local(ValType::I64);
                self.push_text(*first);
                self.function.call(RuntimeFunction::Strlen).set(number);
                Value::Number(number)
            }
            Function::DatePart(part) => {
                let number = self.function.local(ValType::I64);
                let known = self.function.local(ValType::I32);
                self.push_valid(*first);
                self.function.set(known).u32(date_part(part) as u32);
                self.push_number(*first);
                self.function.call(RuntimeFunction::DatePart).set(number);
                valid = Some(known);
                Value::Number(number)
            }
            Function::ToLower | Function::ToUpper => {
                let lower = function == Function::ToLower;
                self.push_text(*first);
                self.packed_text(if lower { RuntimeFunction::ToLower } else { RuntimeFunction::ToUpper })
            }
            Function::Strcat => {
                let (start, len) = (self.function.local(ValType::I32), self.function.local(ValType::I32));
                self.push_text(*first);
                self.function.set(len).set(start);
                let mut joined = Value::Text(start, len);
                for next in rest {
                    self.push_text(Operand { value: joined, valid: None });
                    self.push_text(*next);
                    let longer = self.packed_text(RuntimeFunction::Concat);
                    self.release(Operand { value: joined, valid: None });
                    joined = longer;
                }
                joined
            }
        };
        for operand in operands {
            self.release(operand);
        }
        Ok(Operand { value: result, valid })
    }

    /// Calls a runtime function that returns a text in one i64.
    fn packed_text(&mut self, function: RuntimeFunction) -> Value {
        let packed = self.function.local(ValType::I64);
        let (start, len) = (self.function.local(ValType::I32), self.function.local(ValType::I32));
        self.function.call(function).set(packed);
        self.function.get(packed).push(Instruction::I32WrapI64).set(len);
        self.function.get(packed).i64(32).push(Instruction::I64ShrU).push(Instruction::I32WrapI64).set(start);
        self.function.release(packed);
        Value::Text(start, len)
    }
}

/// A part as the runtime has it; its number stands in emitted code.
fn date_part(part: DatePart) -> Part {
    match part {
        DatePart::Minute => Part::Minute,
        DatePart::Hour => Part::Hour,
        DatePart::Day => Part::Day,
        DatePart::Week => Part::Week,
        DatePart::Month => Part::Month,
        DatePart::Year => Part::Year,
    }
}

/// The case of `values` for cells of a physical type.
pub(super) fn case_of(physical: PhysicalType) -> i32 {
    match physical {
        PhysicalType::Text => abi::CASE_TEXT,
        PhysicalType::Integers => abi::CASE_INTEGERS,
        PhysicalType::Reals => abi::CASE_REALS,
        PhysicalType::Booleans => abi::CASE_BOOLEANS,
    }
}
