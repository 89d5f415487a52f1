//! Applies pipelines to a rule: one after the other, and as in pySigma as if they were one.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    codes,
    model::{FieldTransformation, Pipeline, ProcessingItem, Transformation},
    tree::{Tree, Worked, bytes_of_ids},
    value,
};
use crate::{
    diagnostic::{Diagnostic, Span},
    sigma::{
        ast::{Condition, Item, Modifier, Rule, Search, SearchIdentifier, Value, ValueData},
        size::{Size, TooLarge},
    },
};

/// So many transformations may add a condition to one rule.
const CONDITIONS_ADDED_MAX: usize = 1_024;

/// A rule that pipelines are at work on.
pub(super) struct Run<'r> {
    pub(super) rule: &'r mut Rule,
    /// The rule's searches, apart from the rule.
    pub(super) searches: Vec<(SearchIdentifier, Tree)>,
    /// Ids of the processing items that were applied to the rule.
    pub(super) applied: BTreeSet<String>,
    /// Ids of those that have made a field's name.
    pub(super) field_applied: BTreeMap<String, BTreeSet<String>>,
    pub(super) state: BTreeMap<String, String>,
    vars: BTreeMap<String, Vec<String>>,
    /// Where to say what goes wrong: pipelines are other files.
    span: Span,
    failures: Vec<Diagnostic>,
    /// What the transformation at work has made.
    made: Size,
    /// What `field_applied` takes.
    tracked: Size,
    conditions_added: usize,
}

/// Why a transformation is not applied.
enum Refusal {
    TooLarge(TooLarge),
    Conditions,
}

impl From<TooLarge> for Refusal {
    fn from(too_large: TooLarge) -> Self {
        Self::TooLarge(too_large)
    }
}

/// Applies pipelines to a rule, by ascending priority. After an error the rule means nothing.
pub(crate) fn apply<'p>(pipelines: impl IntoIterator<Item = &'p Pipeline>, rule: &mut Rule) -> Vec<Diagnostic> {
    let mut pipelines: Vec<&Pipeline> = pipelines.into_iter().collect();
    if pipelines.is_empty() {
        return Vec::new();
    }
    pipelines.sort_by_key(|pipeline| pipeline.priority);
    let searches = std::mem::take(&mut rule.detection.searches);
    let apart = |mut identifier: SearchIdentifier| {
        let search = std::mem::replace(&mut identifier.search, Search::All(Vec::new()));
        (identifier, Tree::new(search))
    };
    let mut run = Run {
        searches: searches.into_iter().map(apart).collect(),
        applied: BTreeSet::new(),
        field_applied: BTreeMap::new(),
        state: BTreeMap::new(),
        vars: pipelines.iter().flat_map(|pipeline| pipeline.vars.clone()).collect(),
        span: rule.logsource_span.clone(),
        failures: Vec::new(),
        made: Size::default(),
        tracked: Size::default(),
        conditions_added: 0,
        rule,
    };
    for pipeline in pipelines {
        for (number, item) in (1_usize..).zip(&pipeline.items) {
            if !item.rule.holds(|condition| condition.holds(&run)) {
                continue;
            }
            if let Err(refusal) = run.step(item) {
                run.refuse(pipeline, number, item, &refusal);
                return run.failures;
            }
            run.applied.extend(item.id.clone());
        }
    }
    run.finish()
}

impl Run<'_> {
    /// What may grow fast is measured while it is made, and the whole rule behind it.
    fn step(&mut self, item: &ProcessingItem) -> Result<(), Refusal> {
        self.made = Size::default();
        match &item.transformation {
            Transformation::Field(fields) => {
                let shown = std::mem::take(&mut self.rule.fields);
                for field in shown {
                    let mapped = self.map_name(item, fields, field)?;
                    self.rule.fields.extend(mapped);
                }
                self.change_items(item, |run, worked| run.map_item(item, fields, worked))?;
            }
            Transformation::DropItem => self.change_items(item, |_, _| Ok(Tree::nothing()))?,
            Transformation::Value(values) => self.change_items(item, |run, mut worked| {
                if values.apply(&mut worked.item, &run.vars, &mut run.made)? {
                    worked.applied.extend(item.id.clone());
                }
                Ok(Tree::Item(worked))
            })?,
            Transformation::ItemFailure(message) => self.change_items(item, |run, worked| {
                run.fail(message);
                Ok(Tree::Item(worked))
            })?,
            Transformation::RuleFailure(message) => self.fail(message),
            Transformation::AddCondition { name, search, template, negated } => {
                self.add_condition(item, name, search, *template, *negated)?;
            }
            Transformation::ChangeLogsource(logsource) => self.rule.logsource.clone_from(logsource),
            Transformation::AddFields(fields) => self.rule.fields.extend(fields.iter().cloned()),
            Transformation::RemoveFields(fields) => self.rule.fields.retain(|field| !fields.contains(field)),
            Transformation::SetFields(fields) => self.rule.fields.clone_from(fields),
            Transformation::SetState { key, value } => {
                self.state.insert(key.clone(), value.clone());
            }
        }
        Ok(self.size().check()?)
    }

    fn size(&self) -> Size {
        let mut size = self.tracked;
        size.texts(&self.rule.fields);
        self.searches.iter().flat_map(|(_, tree)| tree.items()).for_each(|worked| size.add(worked.size()));
        // Every added condition joins every condition of the rule.
        size.parts(self.rule.detection.conditions.len().saturating_mul(self.conditions_added));
        size
    }

    /// What is made of names.
    fn make(&mut self, names: &[String]) -> Result<(), TooLarge> {
        self.made.texts(names);
        self.made.check()
    }

    /// Changes the items that a processing item is about.
    fn change_items(
        &mut self,
        item: &ProcessingItem,
        mut change: impl FnMut(&mut Self, Worked) -> Result<Tree, TooLarge>,
    ) -> Result<(), TooLarge> {
        let searches = std::mem::take(&mut self.searches);
        let changed = searches.into_iter().map(|(identifier, tree)| {
            let tree = tree.replace(&mut |worked| {
                let is_meant = item.item.holds(|condition| condition.holds(&worked, self))
                    && item.field.holds(|condition| condition.holds_for(&worked.item, self));
                if is_meant { change(self, worked) } else { Ok(Tree::Item(worked)) }
            });
            Ok((identifier, tree?))
        });
        let changed = changed.collect::<Result<_, TooLarge>>()?;
        self.searches = changed;
        Ok(())
    }

    /// What a field's name becomes, itself if it is not meant.
    fn map_name(
        &mut self,
        item: &ProcessingItem,
        fields: &FieldTransformation,
        field: String,
    ) -> Result<Vec<String>, TooLarge> {
        if !item.field.holds(|condition| condition.holds(Some(&field), self)) {
            return Ok(vec![field]);
        }
        let Some(mapped) = fields.map(&field) else { return Ok(vec![field]) };
        self.make(&mapped)?;
        self.track(item, &field, &mapped)?;
        Ok(mapped)
    }

    /// Remembers who has made a name. Other items may still have the old one.
    fn track(&mut self, item: &ProcessingItem, field: &str, mapped: &[String]) -> Result<(), TooLarge> {
        let mut applied = self.field_applied.get(field).cloned().unwrap_or_default();
        applied.extend(item.id.clone());
        for name in mapped.iter().filter(|name| *name != field) {
            if self.field_applied.get(name).is_none_or(|before| *before != applied) {
                self.tracked.bytes(name.len().saturating_add(bytes_of_ids(&applied)));
                self.tracked.check()?;
                self.field_applied.insert(name.clone(), applied.clone());
            }
        }
        Ok(())
    }

    /// An item under another field's name; under several, one of them must match.
    fn map_item(
        &mut self,
        item: &ProcessingItem,
        fields: &FieldTransformation,
        mut worked: Worked,
    ) -> Result<Tree, TooLarge> {
        if value::has(&worked.item, Modifier::FieldRef) {
            for value in std::mem::take(&mut worked.item.values) {
                let mapped = self.map_reference(item, fields, value)?;
                worked.item.values.extend(mapped);
            }
        }
        let Some(field) = worked.item.field.clone() else { return Ok(Tree::Item(worked)) };
        if !item.field.holds(|condition| condition.holds(Some(&field), self)) {
            return Ok(Tree::Item(worked));
        }
        let Some(mapped) = fields.map(&field) else { return Ok(Tree::Item(worked)) };
        self.make(&mapped)?;
        self.track(item, &field, &mapped)?;
        worked.applied.extend(item.id.clone());
        self.made.add(worked.size().times(mapped.len()));
        self.made.check()?;
        let with = |name: String| {
            let item = Item { field: Some(name), ..worked.item.clone() };
            Tree::Item(Worked { item, applied: worked.applied.clone() })
        };
        let mut trees: Vec<Tree> = mapped.into_iter().map(with).collect();
        Ok(match (trees.pop(), trees.is_empty()) {
            (Some(only), true) => only,
            (last, _) => {
                trees.extend(last);
                Tree::Any(trees)
            }
        })
    }

    fn map_reference(
        &mut self,
        item: &ProcessingItem,
        fields: &FieldTransformation,
        value: Value,
    ) -> Result<Vec<Value>, TooLarge> {
        let ValueData::Text(name) = value.data else { return Ok(vec![value]) };
        let names = self.map_name(item, fields, name)?;
        Ok(names.into_iter().map(|name| Value { data: ValueData::Text(name), span: value.span.clone() }).collect())
    }

    fn add_condition(
        &mut self,
        item: &ProcessingItem,
        name: &str,
        search: &Search,
        template: bool,
        negated: bool,
    ) -> Result<(), Refusal> {
        if self.conditions_added == CONDITIONS_ADDED_MAX {
            return Err(Refusal::Conditions);
        }
        self.conditions_added = self.conditions_added.saturating_add(1);
        let mut search = search.clone();
        let logsource = self.rule.logsource.clone();
        let parts = [("category", logsource.category), ("product", logsource.product), ("service", logsource.service)];
        let made = &mut self.made;
        here(&mut search, &self.span, &mut |text| if template { filled(text, &parts, made) } else { Ok(()) })?;
        let tree = Tree::new(search).replace(&mut |mut worked| {
            worked.applied.extend(item.id.clone());
            Ok::<_, TooLarge>(Tree::Item(worked))
        })?;
        let span = self.span.clone();
        let index = self.searches.len();
        self.searches.push((
            SearchIdentifier { name: name.to_owned(), span: span.clone(), search: Search::All(Vec::new()) },
            tree,
        ));
        let added = Condition::Search { index, span };
        let added = if negated { Condition::Not(Box::new(added)) } else { added };
        let conditions = std::mem::take(&mut self.rule.detection.conditions);
        // One `and` for all that is added: conditions must not become deeper with each.
        let both = |condition| match condition {
            Condition::And(mut operands) => {
                operands.insert(0, added.clone());
                Condition::And(operands)
            }
            condition => Condition::And(vec![added.clone(), condition]),
        };
        self.rule.detection.conditions = conditions.into_iter().map(both).collect();
        Ok(())
    }

    fn refuse(&mut self, pipeline: &Pipeline, number: usize, item: &ProcessingItem, refusal: &Refusal) {
        let id = item.id.as_ref().map(|id| format!(" (`{id}`)")).unwrap_or_default();
        let step = format!("transformation {number}{id} of the pipeline `{}`", pipeline.name());
        let (message, help) = match refusal {
            Refusal::TooLarge(reason) => {
                (format!("{step} makes this rule too large: it would have {reason}"), "map to fewer or shorter texts")
            }
            Refusal::Conditions => (
                format!("{step} adds a condition to this rule, to which pipelines have added {CONDITIONS_ADDED_MAX}"),
                "write several of them as one",
            ),
        };
        self.failures.push(Diagnostic::error(codes::TOO_LARGE, self.span.clone(), message).help(help));
    }

    fn fail(&mut self, message: &str) {
        let message = format!("a pipeline refuses this rule: {message}");
        let diagnostic = Diagnostic::error(codes::FAILURE, self.span.clone(), message);
        if !self.failures.contains(&diagnostic) {
            self.failures.push(diagnostic);
        }
    }

    /// Gives the rule its searches back, without those of which nothing is left.
    fn finish(mut self) -> Vec<Diagnostic> {
        // The new index of each search.
        let mut places = Vec::with_capacity(self.searches.len());
        let mut searches = Vec::new();
        for (mut identifier, tree) in self.searches {
            places.push(tree.into_search().map(|search| {
                identifier.search = search;
                searches.push(identifier);
                searches.len().saturating_sub(1)
            }));
        }
        let detection = &mut self.rule.detection;
        detection.searches = searches;
        let conditions = std::mem::take(&mut detection.conditions);
        detection.conditions = conditions.into_iter().filter_map(|condition| left(condition, &places)).collect();
        if detection.conditions.is_empty() && self.failures.is_empty() {
            let message = "pipelines leave nothing of what this rule looks for";
            let help = "give `drop_detection_item` conditions";
            self.failures.push(Diagnostic::error(codes::NOTHING_LEFT, self.span, message).help(help));
        }
        self.failures
    }
}

/// What is left of a condition without the searches that have no place any more, as in pySigma: what `and` and `or` join
/// without them, and nothing of their negation.
fn left(condition: Condition, places: &[Option<usize>]) -> Option<Condition> {
    let all = |conditions: Vec<Condition>| -> Option<Vec<Condition>> {
        let left: Vec<_> = conditions.into_iter().filter_map(|condition| left(condition, places)).collect();
        (!left.is_empty()).then_some(left)
    };
    let place = |index: usize| places.get(index).copied().flatten();
    match condition {
        Condition::Or(conditions) => all(conditions).map(Condition::Or),
        Condition::And(conditions) => all(conditions).map(Condition::And),
        Condition::Not(condition) => left(*condition, places).map(|left| Condition::Not(Box::new(left))),
        Condition::Search { index, span } => place(index).map(|index| Condition::Search { index, span }),
        Condition::Of { all, searches, span } => {
            let searches: Vec<_> = searches.into_iter().filter_map(place).collect();
            (!searches.is_empty()).then_some(Condition::Of { all, searches, span })
        }
    }
}

/// Puts a pipeline's search where the rule's logsource stands, its texts changed.
fn here(
    search: &mut Search,
    span: &Span,
    change: &mut impl FnMut(&mut String) -> Result<(), TooLarge>,
) -> Result<(), TooLarge> {
    match search {
        Search::All(searches) | Search::Any(searches) => {
            for search in searches {
                here(search, span, change)?;
            }
        }
        Search::Item(item) => {
            item.span.clone_from(span);
            for modifier in &mut item.modifiers {
                modifier.span.clone_from(span);
            }
            for value in &mut item.values {
                value.span.clone_from(span);
                if let ValueData::Text(written) = &mut value.data {
                    change(written)?;
                }
            }
        }
    }
    Ok(())
}

/// `$product`, `${product}` and the others as the rule's logsource has them; as they are if it has not.
fn filled(text: &mut String, parts: &[(&str, Option<String>); 3], made: &mut Size) -> Result<(), TooLarge> {
    for (name, value) in parts {
        let Some(value) = value else { continue };
        for place in [format!("${{{name}}}"), format!("${name}")] {
            made.bytes(text.matches(&place).count().saturating_mul(value.len()));
            made.check()?;
            *text = text.replace(&place, value);
        }
    }
    Ok(())
}
