//! Expressions over named conditions: `rule_cond_expr: (windows or linux) and not excluded`.

/// How deep parentheses and `not` may nest.
const DEPTH_MAX: usize = 64;

/// An expression; conditions are numbers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Expression {
    Condition(usize),
    Not(Box<Expression>),
    And(Vec<Expression>),
    Or(Vec<Expression>),
}

impl Expression {
    /// Reads an expression over conditions of these names. The error is for people.
    pub(super) fn parse(written: &str, names: &[String]) -> Result<Self, String> {
        let spaced = written.replace('(', " ( ").replace(')', " ) ");
        let mut words = Words { list: spaced.split_whitespace().collect(), at: 0, names };
        let expression = words.or(0)?;
        match words.peek() {
            None => Ok(expression),
            Some(word) => Err(format!("`{word}` was not expected here")),
        }
    }

    /// Whether it holds if `holds` says which conditions do.
    pub(super) fn holds(&self, holds: &impl Fn(usize) -> bool) -> bool {
        match self {
            Self::Condition(number) => holds(*number),
            Self::Not(operand) => !operand.holds(holds),
            Self::And(operands) => operands.iter().all(|operand| operand.holds(holds)),
            Self::Or(operands) => operands.iter().any(|operand| operand.holds(holds)),
        }
    }
}

struct Words<'a> {
    list: Vec<&'a str>,
    at: usize,
    names: &'a [String],
}

impl<'a> Words<'a> {
    fn peek(&self) -> Option<&'a str> {
        self.list.get(self.at).copied()
    }

    fn take(&mut self, word: &str) -> bool {
        let is_next = self.peek().is_some_and(|next| next.eq_ignore_ascii_case(word));
        self.at = self.at.saturating_add(usize::from(is_next));
        is_next
    }

    fn or(&mut self, depth: usize) -> Result<Expression, String> {
        let mut operands = vec![self.and(depth)?];
        while self.take("or") {
            operands.push(self.and(depth)?);
        }
        Ok(Expression::Or(operands))
    }

    fn and(&mut self, depth: usize) -> Result<Expression, String> {
        let mut operands = vec![self.operand(depth)?];
        while self.take("and") {
            operands.push(self.operand(depth)?);
        }
        Ok(Expression::And(operands))
    }

    fn operand(&mut self, depth: usize) -> Result<Expression, String> {
        let depth = depth.saturating_add(1);
        if depth > DEPTH_MAX {
            return Err(format!("the expression has more than {DEPTH_MAX} levels"));
        }
        if self.take("not") {
            return Ok(Expression::Not(Box::new(self.operand(depth)?)));
        }
        if self.take("(") {
            let inner = self.or(depth)?;
            return if self.take(")") { Ok(inner) } else { Err("a parenthesis is not closed".to_owned()) };
        }
        let Some(name) = self.peek() else { return Err("the expression ends too early".to_owned()) };
        let Some(number) = self.names.iter().position(|known| known == name) else {
            return Err(format!("there is no condition `{name}`; there are {}", self.names.join(", ")));
        };
        self.at = self.at.saturating_add(1);
        Ok(Expression::Condition(number))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn expressions_bind_as_in_conditions_of_rules() {
        let names = ["a", "b", "c"].map(str::to_owned);
        for (written, true_for, expected) in [
            ("a", vec![0], true),
            ("a or b and c", vec![0], true),
            ("(a or b) and c", vec![0], false),
            ("not a and b", vec![1], true),
            ("not (a or b)", vec![2], true),
            ("NOT not a", vec![0], true),
        ] {
            let expression = Expression::parse(written, &names).expect(written);
            assert_eq!(expression.holds(&|number| true_for.contains(&number)), expected, "{written}");
        }
        let deep = "not ".repeat(100);
        for written in ["", "a b", "a and", "(a", "d", "a)", "and", deep.as_str()] {
            assert!(Expression::parse(written, &names).is_err(), "{written}");
        }
    }
}
