//! What looking at a row needs, kept between rows so that nothing is allocated for one.

use crate::values::Values;

/// Buffers of [`Index::candidates`](crate::Index::candidates). One may serve any number of indexes.
#[derive(Clone, Debug, Default)]
pub struct Scratch {
    /// The row's values.
    pub(crate) values: Values,
    /// What is known of clauses.
    pub(crate) clauses: Memo,
}

/// Yes or no for numbers, forgotten at once when the next row begins.
#[derive(Clone, Debug, Default)]
pub(crate) struct Memo {
    /// For each number twice the row that it was said of, and one more for yes.
    said: Vec<u32>,
    /// Twice the row's number, which is above 0.
    row: u32,
}

impl Memo {
    /// The next row, for numbers below `len`.
    pub(crate) fn begin(&mut self, len: usize) {
        if self.said.len() < len {
            self.said.resize(len, 0);
        }
        self.row = self.row.wrapping_add(2);
        if self.row == 0 {
            self.said.fill(0);
            self.row = 2;
        }
    }

    /// What was said of a number in this row.
    pub(crate) fn get(&self, number: u32) -> Option<bool> {
        let said = self.said.get(number as usize).copied().unwrap_or_default();
        (said & !1 == self.row).then_some(said & 1 == 1)
    }

    /// Says it.
    pub(crate) fn set(&mut self, number: u32, yes: bool) {
        if let Some(said) = self.said.get_mut(number as usize) {
            *said = self.row | u32::from(yes);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_memo_forgets_with_each_row_even_when_their_numbers_start_again() {
        let mut memo = Memo { said: Vec::new(), row: u32::MAX - 3 };
        memo.begin(2);
        memo.set(0, true);
        memo.set(1, false);
        assert_eq!([memo.get(0), memo.get(1), memo.get(2)], [Some(true), Some(false), None]);
        memo.begin(3);
        assert_eq!([memo.get(0), memo.get(1), memo.get(2)], [None; 3]);
        assert_eq!(memo.row, 2, "the numbers of rows started again");
    }
}
