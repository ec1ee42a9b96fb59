//! What the demo shows while it runs, on stderr: its steps, and on a terminal a live line below.

use std::time::Duration;

use indicatif::{HumanBytes, HumanCount, ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::watch::Sight;

/// The terminal, or a plain stream.
#[derive(Debug)]
pub struct Screen {
    bar: ProgressBar,
}

impl Screen {
    pub fn new() -> Self {
        let bar = ProgressBar::new(0);
        bar.set_draw_target(ProgressDrawTarget::stderr_with_hz(10));
        if let Ok(style) = ProgressStyle::with_template("{spinner} {elapsed_precise} {wide_msg}") {
            bar.set_style(style);
        }
        bar.enable_steady_tick(Duration::from_millis(100));
        Screen { bar }
    }

    /// A step begins, or something happened.
    pub fn step(&self, text: &str) {
        let line = format!("{:>5.1} s  {text}", self.bar.elapsed().as_secs_f64());
        match self.bar.is_hidden() {
            true => eprintln!("{line}"),
            false => self.bar.println(line),
        }
    }

    /// Where the daemon is now.
    pub fn live(&self, sight: &Sight, transactions: u64) {
        if self.bar.is_hidden() {
            return;
        }
        let backfill = match sight.backfill_finished || sight.backfill_total == 0 {
            true => String::new(),
            false => format!(
                "  {} of {} carts",
                HumanCount(sight.backfilled.unsigned_abs()),
                HumanCount(sight.backfill_total.unsigned_abs()),
            ),
        };
        self.bar.set_message(format!(
            "{}{backfill}  lag {}  {} rows applied  {} transactions in the old shop",
            sight.phase,
            HumanBytes(sight.lag()),
            HumanCount(sight.rows_applied.unsigned_abs()),
            HumanCount(transactions),
        ));
    }
}

impl Default for Screen {
    fn default() -> Self {
        Self::new()
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}
