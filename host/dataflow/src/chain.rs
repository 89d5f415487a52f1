//! The way from a source to the result, and what kind of detection that makes.
//!
//! Every node of a plan has one input, so the nodes that the result depends on are a chain; others are not evaluated.

use sandtrap_wit::plan::{Kernel, Node, Plan, Source};

use crate::FlowError;

/// What kind of result a plan has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// Every row stands for itself: kernels, perhaps sorted. While streaming each row is a verdict and sorts are
    /// ignored: see [`Chain::kernels`].
    RowWise,
    /// The first so many rows (`take`, `top`): a hunt, whose result is known at the end of the input only.
    Limited,
    /// Rows stand for groups of events: they appear and change while events stream.
    Grouped,
}

/// The nodes from a source to the result of a validated plan.
#[derive(Clone, Debug, PartialEq)]
pub struct Chain {
    /// The index of the source in the plan.
    pub source_node: u32,
    /// The source.
    pub source: Source,
    /// The kernels directly above the source, from below, which are evaluated batch by batch as events come.
    pub front: Vec<Kernel>,
    /// The index of the node whose rows the front gives: the topmost kernel of it, or the source.
    pub feed: u32,
    /// The nodes above the front with their indices, from below.
    pub(crate) above: Vec<(u32, Node)>,
    /// What kind of result they have.
    pub shape: Shape,
}

impl Chain {
    /// The chain of a plan's result.
    pub fn of(plan: &Plan) -> Result<Self, FlowError> {
        plan.validate().map_err(|error| FlowError::new(error.to_string()))?;
        let mut nodes = nodes_below_result(plan)?.into_iter().peekable();
        let Some((source_node, Node::Source(source))) = nodes.next() else {
            return Err(FlowError::new("the plan does not start at a source"));
        };
        let mut front = Vec::new();
        let mut feed = source_node;
        while let Some((index, Node::Kernel(kernel))) = nodes.next_if(|(_, node)| matches!(node, Node::Kernel(_))) {
            front.push(kernel);
            feed = index;
        }
        let above: Vec<(u32, Node)> = nodes.collect();
        let shape = shape_of(&above);
        Ok(Self { source_node, source, front, feed, above, shape })
    }

    /// The index of the node whose rows are the result.
    pub fn result(&self) -> u32 {
        self.above.last().map_or(self.feed, |(index, _)| *index)
    }

    /// All kernels from the source to the result, from below: what gives the rows of a [row-wise](Shape::RowWise)
    /// result, in the order of the source. A kernel looks at each row by itself and a sort passes its columns on, so
    /// leaving the sorts out changes nothing but the order. Of other results these kernels alone are no evaluation.
    pub fn kernels(&self) -> impl Iterator<Item = &Kernel> {
        self.front.iter().chain(self.above.iter().filter_map(|(_, node)| match node {
            Node::Kernel(kernel) => Some(kernel),
            Node::Source(_) | Node::Sort(_) | Node::Limit(_) | Node::Aggregate(_) => None,
        }))
    }
}

/// What the nodes above the front make of its rows. Only a sort and a kernel leave every row standing for itself.
fn shape_of(above: &[(u32, Node)]) -> Shape {
    let mut shape = Shape::RowWise;
    for (_, node) in above {
        match node {
            Node::Aggregate(_) => return Shape::Grouped,
            Node::Limit(_) => shape = Shape::Limited,
            Node::Source(_) | Node::Kernel(_) | Node::Sort(_) => {}
        }
    }
    shape
}

/// From the source to the result. A valid plan names only earlier nodes as inputs, so this ends.
fn nodes_below_result(plan: &Plan) -> Result<Vec<(u32, Node)>, FlowError> {
    let mut nodes = Vec::new();
    let mut next = u32::try_from(plan.nodes.len()).ok().and_then(|len| len.checked_sub(1));
    while let Some(index) = next {
        let node = plan.nodes.get(index as usize).ok_or_else(|| FlowError::new(format!("no plan node {index}")))?;
        next = node.input();
        nodes.push((index, node.clone()));
    }
    nodes.reverse();
    Ok(nodes)
}
