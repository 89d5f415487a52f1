//! Builds one function: instructions, typed locals that can be given back, and calls of functions whose numbers are only
//! known once the module is linked.

use wasm_encoder::{BlockType, Encode, Function, Instruction, MemArg, ValType};

use super::runtime::RuntimeFunction;

/// A function under construction.
pub(super) struct FunctionBuilder {
    parameters: u32,
    locals: Vec<ValType>,
    free: Vec<(ValType, u32)>,
    code: Vec<Op>,
}

enum Op {
    Instruction(Instruction<'static>),
    CallRuntime(RuntimeFunction),
}

impl FunctionBuilder {
    pub(super) fn new(parameters: u32) -> Self {
        Self { parameters, locals: Vec::new(), free: Vec::new(), code: Vec::new() }
    }

    /// A local that nobody else uses; its value is whatever was there.
    pub(super) fn local(&mut self, ty: ValType) -> u32 {
        if let Some(at) = self.free.iter().rposition(|(free, _)| *free == ty) {
            return self.free.swap_remove(at).1;
        }
        let index = self.parameters + u32::try_from(self.locals.len()).unwrap_or(u32::MAX);
        self.locals.push(ty);
        index
    }

    /// Gives a local back.
    pub(super) fn release(&mut self, local: u32) {
        if let Some(ty) = local.checked_sub(self.parameters).and_then(|at| self.locals.get(at as usize)) {
            self.free.push((*ty, local));
        }
    }

    pub(super) fn push(&mut self, instruction: Instruction<'static>) -> &mut Self {
        self.code.push(Op::Instruction(instruction));
        self
    }

    pub(super) fn call(&mut self, function: RuntimeFunction) -> &mut Self {
        self.code.push(Op::CallRuntime(function));
        self
    }

    pub(super) fn i32(&mut self, value: i32) -> &mut Self {
        self.push(Instruction::I32Const(value))
    }

    /// An unsigned number, such as an address.
    pub(super) fn u32(&mut self, value: u32) -> &mut Self {
        self.i32(value.cast_signed())
    }

    pub(super) fn i64(&mut self, value: i64) -> &mut Self {
        self.push(Instruction::I64Const(value))
    }

    pub(super) fn get(&mut self, local: u32) -> &mut Self {
        self.push(Instruction::LocalGet(local))
    }

    pub(super) fn set(&mut self, local: u32) -> &mut Self {
        self.push(Instruction::LocalSet(local))
    }

    pub(super) fn load_i32(&mut self, offset: u32) -> &mut Self {
        self.push(Instruction::I32Load(memarg(offset, 2)))
    }

    pub(super) fn load_byte(&mut self, offset: u32) -> &mut Self {
        self.push(Instruction::I32Load8U(memarg(offset, 0)))
    }

    pub(super) fn store_i32(&mut self, offset: u32) -> &mut Self {
        self.push(Instruction::I32Store(memarg(offset, 2)))
    }

    pub(super) fn store_byte(&mut self, offset: u32) -> &mut Self {
        self.push(Instruction::I32Store8(memarg(offset, 0)))
    }

    /// Opens a block that leaves nothing on the stack.
    pub(super) fn block(&mut self) -> &mut Self {
        self.push(Instruction::Block(BlockType::Empty))
    }

    /// Takes a condition from the stack and opens its `then`, which leaves nothing on the stack.
    pub(super) fn if_true(&mut self) -> &mut Self {
        self.push(Instruction::If(BlockType::Empty))
    }

    pub(super) fn otherwise(&mut self) -> &mut Self {
        self.push(Instruction::Else)
    }

    pub(super) fn end(&mut self) -> &mut Self {
        self.push(Instruction::End)
    }

    pub(super) fn branch_if(&mut self, depth: u32) -> &mut Self {
        self.push(Instruction::BrIf(depth))
    }

    /// Takes a condition from the stack and traps where it holds.
    pub(super) fn trap_if(&mut self) -> &mut Self {
        self.if_true().push(Instruction::Unreachable).end()
    }

    /// `for local in 0..count`, without unrolling. `count` must not change in the body.
    pub(super) fn for_each(&mut self, local: u32, count: u32, body: impl FnOnce(&mut Self)) {
        self.i32(0).set(local).block();
        self.push(Instruction::Loop(BlockType::Empty));
        self.get(local).get(count).push(Instruction::I32GeU).branch_if(1);
        body(self);
        self.get(local).i32(1).push(Instruction::I32Add).set(local);
        self.push(Instruction::Br(0)).end().end();
    }

    /// The runtime functions that it calls.
    pub(super) fn calls(&self) -> impl Iterator<Item = RuntimeFunction> + '_ {
        self.code.iter().filter_map(|op| match op {
            Op::CallRuntime(function) => Some(*function),
            Op::Instruction(_) => None,
        })
    }

    /// The finished function; `number` gives a runtime function's number in the module.
    pub(super) fn finish(self, number: impl Fn(RuntimeFunction) -> u32) -> Function {
        let mut function = Function::new_with_locals_types(self.locals);
        let mut bytes = Vec::new();
        for op in self.code {
            match op {
                Op::Instruction(instruction) => instruction.encode(&mut bytes),
                Op::CallRuntime(callee) => Instruction::Call(number(callee)).encode(&mut bytes),
            }
        }
        Instruction::End.encode(&mut bytes);
        function.raw(bytes);
        function
    }
}

fn memarg(offset: u32, align: u32) -> MemArg {
    MemArg { offset: u64::from(offset), align, memory_index: 0 }
}
