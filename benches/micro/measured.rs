//! One thing that is measured, by the clock and by count with the same code.

use std::fmt;

use divan::Bencher;
use divan::counter::ItemsCount;

pub trait Measured {
    /// What one run uses up. That it is made is not measured, that it is dropped is: so it is in
    /// the pipeline, where another step has made it.
    type Input;

    /// How many things one run does, where that is told by the second.
    const ITEMS: usize = 1;

    /// Makes all ready, and sees that a run does what it says.
    fn ready() -> Self;
    fn input(&self) -> Self::Input;
    fn run(&self, input: Self::Input);
}

pub struct Case {
    pub name: &'static str,
    pub time: fn(Bencher<'_, '_>),
    /// Makes so many inputs ready and runs some of them.
    pub repeat: fn(usize, usize),
}

impl Case {
    pub const fn of<M: Measured>(name: &'static str) -> Self {
        Self {
            name,
            time: time::<M>,
            repeat: repeat::<M>,
        }
    }
}

impl fmt::Display for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}

fn time<M: Measured>(bencher: Bencher<'_, '_>) {
    let measured = M::ready();
    if M::ITEMS > 1 {
        return bencher
            .counter(ItemsCount::new(M::ITEMS))
            .with_inputs(|| measured.input())
            .bench_local_values(|input| measured.run(input));
    }
    bencher
        .with_inputs(|| measured.input())
        .bench_local_values(|input| measured.run(input));
}

/// Whatever is not a run is the same for all numbers of runs: what is left over is not dropped.
fn repeat<M: Measured>(made: usize, used: usize) {
    let measured = M::ready();
    let inputs: Vec<M::Input> = (0..made).map(|_| measured.input()).collect();
    let mut inputs = inputs.into_iter();
    for input in inputs.by_ref().take(used) {
        measured.run(input);
    }
    std::mem::forget(inputs);
}
