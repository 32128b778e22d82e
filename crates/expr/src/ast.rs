//! The expression as a tree. Chains of one operator and of property accesses are lists, so that a long expression is not a deep tree.

use crate::number::Number;

/// A part of an expression and where it begins.
#[derive(Debug, Clone, PartialEq)]
pub struct Expr {
    pub(crate) node: Node,
    pub(crate) column: usize,
}

/// What a part is.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Node {
    Null,
    Bool(bool),
    Number(Number),
    Text(String),
    /// `{a, b}`
    List(Vec<Expr>),
    /// `{k: v}`
    Map(Vec<(MapKey, Expr)>),
    /// Something first, then what is asked of it, as `a.b[0].c()`. At least one step.
    Compound(Box<Expr>, Vec<(Step, usize)>),
    /// A step of whatever is in focus: a bare name, `foo()`, `['x']`, `.?[…]` at the beginning.
    Start(Step),
    /// `T(java.lang.Math)`
    Type(String),
    /// `new java.util.Date(0)`
    New(String, Vec<Expr>),
    /// `new String[]{'a', 'b'}` or `new int[3]`
    Array(String, ArrayOf),
    /// `- ! +` before something
    Prefix(Prefix, Box<Expr>),
    /// `a + b - c`: operators of one precedence, from the left.
    Chain(Box<Expr>, Vec<(Operator, Expr)>),
    And(Vec<Expr>),
    Or(Vec<Expr>),
    Compare(Box<Expr>, Comparison, Box<Expr>),
    /// `a ? b : c`
    Choice(Box<Expr>, Box<Expr>, Box<Expr>),
    /// `a ?: b`
    Default(Box<Expr>, Box<Expr>),
}

/// What an array is made of.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum ArrayOf {
    Length(Box<Expr>),
    Items(Vec<Expr>),
}

/// A key of `{k: v}`: a bare name is itself.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum MapKey {
    Name(String),
    Computed(Expr),
}

/// What can be asked of a value.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Step {
    Property { name: String, safe: bool },
    Method { name: String, args: Vec<Expr>, safe: bool },
    Index(Box<Expr>),
    Select { which: Which, condition: Box<Expr>, safe: bool },
    Project { what: Box<Expr>, safe: bool },
    Variable(String),
    Function { name: String, args: Vec<Expr> },
}

/// Which elements a selection keeps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Which {
    All,
    First,
    Last,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Prefix {
    Plus,
    Minus,
    Not,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Operator {
    Plus,
    Minus,
    Times,
    Divide,
    Rest,
    Power,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Comparison {
    Equal,
    Unequal,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    InstanceOf,
    Matches,
    Between,
}
