//! The typed plan of an expression, as the compiler makes it and the evaluator walks it.

use std::ops::Range;
use std::sync::Arc;

use super::functions::Function;
use super::lookup::LookupCall;
use super::value_map::ValueMap;
use crate::sqltype::{Class, SqlType};

#[derive(Clone, Debug)]
pub struct Plan {
    pub node: Node,
    /// None for a string or null literal that no context has given a type yet.
    pub class: Option<Class>,
    pub nullable: bool,
    pub span: Range<usize>,
}

/// Where it stands in the text does not matter to what it means.
impl PartialEq for Plan {
    fn eq(&self, other: &Self) -> bool {
        self.class == other.class && self.node == other.node
    }
}

#[derive(Clone, Debug, PartialEq)]
pub enum Node {
    Null,
    Literal(String),
    Column {
        place: Place,
        table: usize,
        column: usize,
    },
    Cast {
        of: Box<Plan>,
        to: SqlType,
    },
    Call {
        function: &'static Function,
        args: Vec<Plan>,
    },
    /// A text looked up in a `[map.X]`.
    Map {
        map: Arc<ValueMap>,
        of: Box<Plan>,
    },
    Negate(Box<Plan>),
    Arithmetic {
        op: Arithmetic,
        left: Box<Plan>,
        right: Box<Plan>,
    },
    Compare {
        op: Comparison,
        left: Box<Plan>,
        right: Box<Plan>,
    },
    Distinct {
        left: Box<Plan>,
        right: Box<Plan>,
        negated: bool,
    },
    And(Box<Plan>, Box<Plan>),
    Or(Box<Plan>, Box<Plan>),
    Not(Box<Plan>),
    IsNull {
        of: Box<Plan>,
        negated: bool,
    },
    /// `is [not] true|false|unknown`.
    IsTruth {
        of: Box<Plan>,
        truth: Option<bool>,
        negated: bool,
    },
    In {
        of: Box<Plan>,
        list: Vec<Plan>,
        negated: bool,
    },
    Like {
        of: Box<Plan>,
        pattern: Box<Plan>,
        escape: Option<char>,
        fold: bool,
        negated: bool,
    },
    Case {
        arms: Vec<(Plan, Plan)>,
        otherwise: Option<Box<Plan>>,
    },
    Coalesce(Vec<Plan>),
    NullIf(Box<Plan>, Box<Plan>),
    /// `greatest`, or `least`.
    Extreme {
        greatest: bool,
        args: Vec<Plan>,
    },
    Aggregate(Box<Aggregate>),
    Lookup(Box<LookupCall>),
    /// `item` and `item_key`: the element of a payload for which the expression is evaluated.
    Item {
        key: bool,
    },
}

/// The row of which a column is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// The row for which the expression is evaluated.
    Row,
    Header,
    Parent,
    /// The only row of a table that belongs to the row.
    Only,
    /// The row that an aggregate has come to.
    Item,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Arithmetic {
    Add,
    Subtract,
    Multiply,
    Divide,
    Remainder,
}

impl Arithmetic {
    /// As SQL writes it between two values.
    pub fn sign(self) -> &'static str {
        match self {
            Self::Add => "+",
            Self::Subtract => "-",
            Self::Multiply => "*",
            Self::Divide => "/",
            Self::Remainder => "%",
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Comparison {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

impl Comparison {
    /// As SQL writes it between two values.
    pub fn sign(self) -> &'static str {
        match self {
            Self::Equal => "=",
            Self::NotEqual => "<>",
            Self::Less => "<",
            Self::LessOrEqual => "<=",
            Self::Greater => ">",
            Self::GreaterOrEqual => ">=",
        }
    }
}

#[derive(Clone, Debug, PartialEq)]
pub struct Aggregate {
    pub kind: AggregateKind,
    pub table: usize,
    /// It goes over the rows of the group, which are of `table`, and not over rows that belong to one.
    pub group: bool,
    pub args: Vec<Plan>,
    pub filter: Option<Plan>,
    pub order: Vec<Order>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AggregateKind {
    Count,
    Sum,
    Min,
    Max,
    First,
    StringAgg,
    JsonAgg,
    JsonObjectAgg,
    BoolOr,
    Exists,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Order {
    pub by: Plan,
    pub descending: bool,
    pub nulls_first: bool,
}

impl Plan {
    pub fn new(node: Node, class: Class, nullable: bool, span: Range<usize>) -> Self {
        Self {
            node,
            class: Some(class),
            nullable,
            span,
        }
    }

    /// The class, where a literal without any other hint is text.
    pub fn class(&self) -> Class {
        self.class.unwrap_or(Class::Text)
    }

    /// Calls `see` for this plan and every part of it.
    pub fn walk<'p>(&'p self, see: &mut dyn FnMut(&'p Plan)) {
        see(self);
        match &self.node {
            Node::Null | Node::Literal(_) | Node::Column { .. } | Node::Item { .. } => {}
            Node::Cast { of, .. }
            | Node::Map { of, .. }
            | Node::Negate(of)
            | Node::Not(of)
            | Node::IsNull { of, .. }
            | Node::IsTruth { of, .. } => of.walk(see),
            Node::Call { args, .. } | Node::Coalesce(args) | Node::Extreme { args, .. } => {
                args.iter().for_each(|a| a.walk(see));
            }
            Node::Arithmetic { left, right, .. }
            | Node::Compare { left, right, .. }
            | Node::Distinct { left, right, .. }
            | Node::And(left, right)
            | Node::Or(left, right)
            | Node::NullIf(left, right) => {
                left.walk(see);
                right.walk(see);
            }
            Node::Like { of, pattern, .. } => {
                of.walk(see);
                pattern.walk(see);
            }
            Node::In { of, list, .. } => {
                of.walk(see);
                list.iter().for_each(|l| l.walk(see));
            }
            Node::Case { arms, otherwise } => {
                for (when, then) in arms {
                    when.walk(see);
                    then.walk(see);
                }
                if let Some(otherwise) = otherwise {
                    otherwise.walk(see);
                }
            }
            Node::Lookup(call) => call.args.iter().for_each(|a| a.walk(see)),
            Node::Aggregate(aggregate) => {
                aggregate.args.iter().for_each(|a| a.walk(see));
                aggregate.filter.iter().for_each(|f| f.walk(see));
                aggregate.order.iter().for_each(|o| o.by.walk(see));
            }
        }
    }
}
