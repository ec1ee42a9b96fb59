//! What an error means for the work at hand: try again, set the cart aside, or stop.

/// Who deals with an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// It passes by itself: wait and try again.
    Retry,
    /// This cart's values do not fit: hold the cart, go on with the others.
    Row,
    /// Nothing helps but a human.
    Stop,
}

impl Fault {
    /// Outside a cart's own write there is no row to blame.
    pub fn without_row(self) -> Self {
        match self {
            Self::Row => Self::Stop,
            fault => fault,
        }
    }
}
