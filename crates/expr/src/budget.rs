//! What an evaluation may cost. Counted in steps, never in time: the same expression always ends the same way.

use std::cell::Cell;

use crate::failure::Failure;

/// Steps and characters that are left, shared by all parts of an evaluation.
#[derive(Debug)]
pub struct Budget {
    steps: Cell<u64>,
    output: Cell<u64>,
}

/// How deep lists and objects in a result may nest: what stores and reads JSON allows 128 with what stands around it.
pub const MAX_RESULT_DEPTH: usize = 100;

/// The longest text that an expression may make at once.
pub const MAX_TEXT: usize = 4 << 20;

impl Default for Budget {
    fn default() -> Budget {
        Budget::new(2_000_000, 64 << 20)
    }
}

impl Budget {
    /// So many steps, and so many characters of results and texts.
    pub fn new(steps: u64, output: u64) -> Budget {
        Budget { steps: Cell::new(steps), output: Cell::new(output) }
    }

    /// Takes `count` steps.
    pub(crate) fn steps(&self, count: usize) -> Result<(), Failure> {
        let left = self.steps.get().checked_sub(count as u64).ok_or_else(|| {
            self.steps.set(0);
            Failure::budget("the evaluation takes too many steps")
        })?;
        self.steps.set(left);
        Ok(())
    }

    /// Takes `count` characters of output.
    pub(crate) fn output(&self, count: usize) -> Result<(), Failure> {
        let left = self.output.get().checked_sub(count as u64).ok_or_else(|| {
            self.output.set(0);
            Failure::budget("the evaluation makes too much text")
        })?;
        self.output.set(left);
        Ok(())
    }

    /// Checks a text before it is made.
    pub(crate) fn text(&self, length: usize) -> Result<(), Failure> {
        if length > MAX_TEXT {
            return Err(Failure::budget(format!("the text would be longer than {MAX_TEXT} characters")));
        }
        self.output(length)
    }
}
