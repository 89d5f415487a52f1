//! Text search: constant needles become a literal table, others are searched for by the runtime.

use sandtrap_runtime::text::Kind;
use sandtrap_wit::text::fold;
use wasm_encoder::Instruction;

use super::{
    EmitError, automaton,
    expr::Emitter,
    runtime::RuntimeFunction,
    truth::{FALSE, TRUE},
};
use crate::ir::{Expr, MatchKind, Quantifier, TextMatch};

impl Emitter<'_> {
    /// Leaves whether the text has its needles.
    pub(super) fn text_match(&mut self, search: &TextMatch) -> Result<(), EmitError> {
        let mut needles: Vec<String> =
            search.needles.iter().map(|needle| if search.fold { fold(needle) } else { needle.clone() }).collect();
        needles.sort_unstable();
        needles.dedup();
        let found_everywhere = search.kind != MatchKind::Equals;
        let had_empty = needles.first().is_some_and(String::is_empty);
        if had_empty {
            needles.remove(0);
        }
        match (search.quantifier, had_empty) {
            (Quantifier::Any, true) if found_everywhere => {
                self.has_text(&search.haystack);
                Ok(())
            }
            // The others are only found where there is a text.
            (Quantifier::All, true) if found_everywhere && needles.is_empty() => {
                self.has_text(&search.haystack);
                Ok(())
            }
            // Only the empty text equals the empty needle.
            (Quantifier::Any, true) => {
                self.has_empty_text(&search.haystack)?;
                self.table_search(search, &needles)?;
                self.function.push(Instruction::I32Or);
                Ok(())
            }
            (Quantifier::All, true) if !found_everywhere => {
                self.has_empty_text(&search.haystack)?;
                self.table_search(search, &needles)?;
                self.function.push(Instruction::I32And);
                Ok(())
            }
            _ => self.table_search(search, &needles),
        }
    }

    /// Leaves whether there is a text at all: of a column of lists, whether the row has an element.
    fn has_text(&mut self, haystack: &Expr) {
        match self.list_column(haystack) {
            Some(column) => self.has_element(column, u32::MAX),
            None => {
                self.function.i32(TRUE);
            }
        }
    }

    /// Leaves whether the text, or an element of it, is empty.
    fn has_empty_text(&mut self, haystack: &Expr) -> Result<(), EmitError> {
        match self.list_column(haystack) {
            Some(column) => {
                self.has_element(column, 0);
                Ok(())
            }
            None => self.truth(&Expr::IsEmpty(Box::new(haystack.clone()))),
        }
    }

    /// Leaves whether the text has `needles`, of which none is empty.
    fn table_search(&mut self, search: &TextMatch, needles: &[String]) -> Result<(), EmitError> {
        if needles.is_empty() {
            self.function.i32(if search.quantifier == Quantifier::All { TRUE } else { FALSE });
            return Ok(());
        }
        let table = automaton::build(needles, search.kind, search.fold, search.quantifier)?;
        let address = self.data.add_words(&table);
        if let Some(column) = self.list_column(&search.haystack) {
            self.function.u32(address).u32(u32::try_from(table.len()).unwrap_or(u32::MAX));
            self.push_elements(column);
            self.function.call(RuntimeFunction::SearchElements);
            return Ok(());
        }
        let haystack = self.operand(&search.haystack)?;
        self.function.u32(address).u32(u32::try_from(table.len()).unwrap_or(u32::MAX));
        self.push_text(haystack);
        self.function.call(RuntimeFunction::Search);
        self.release(haystack);
        Ok(())
    }

    /// Leaves whether the text has a needle that is only known now.
    pub(super) fn text_match_dynamic(
        &mut self,
        haystack: &Expr,
        needle: &Expr,
        kind: MatchKind,
        fold: bool,
    ) -> Result<(), EmitError> {
        let (haystack, needle) = (self.operand(haystack)?, self.operand(needle)?);
        self.function.u32(runtime_kind(kind) as u32).i32(i32::from(fold));
        self.push_text(haystack);
        self.push_text(needle);
        self.function.call(RuntimeFunction::Match);
        self.release(haystack);
        self.release(needle);
        Ok(())
    }
}

/// A kind as the runtime has it; its number stands in emitted code.
pub(super) fn runtime_kind(kind: MatchKind) -> Kind {
    match kind {
        MatchKind::Equals => Kind::Equals,
        MatchKind::Contains => Kind::Contains,
        MatchKind::StartsWith => Kind::StartsWith,
        MatchKind::EndsWith => Kind::EndsWith,
        MatchKind::Term => Kind::Term,
        MatchKind::TermPrefix => Kind::TermPrefix,
        MatchKind::TermSuffix => Kind::TermSuffix,
    }
}
