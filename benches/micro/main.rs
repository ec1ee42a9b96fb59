//! What a change costs the processor, step by step: decoding, folding, mapping, and the image's
//! binary form. `make bench-micro` takes the time, `make bench-count` counts instructions, which are
//! nearly the same in every run and so can be held against those of the last change.

mod binlog;
mod cart;
mod catalog;
mod codec;
mod count;
mod evaluate;
mod fold;
mod map;
mod measured;
mod pgoutput;

use std::process::ExitCode;

use divan::Bencher;
use measured::Case;
use tikv_jemallocator::Jemalloc;

/// The binary's: allocations are a good part of what is counted.
#[global_allocator]
static ALLOCATOR: Jemalloc = Jemalloc;

const CASES: &[Case] = &[
    Case::of::<pgoutput::Announced>("decode/pgoutput/relation"),
    Case::of::<pgoutput::HeaderUpdated>("decode/pgoutput/header_updated"),
    Case::of::<pgoutput::LineInserted>("decode/pgoutput/line_inserted"),
    Case::of::<pgoutput::LineUpdated>("decode/pgoutput/line_updated"),
    Case::of::<pgoutput::Sale>("decode/pgoutput/sale"),
    Case::of::<binlog::Sale>("decode/binlog/sale"),
    Case::of::<fold::Sale>("fold/sale"),
    Case::of::<evaluate::Columns>("evaluate/columns"),
    Case::of::<map::Whole>("map/cart"),
    Case::of::<map::Settled>("map/settle_sale"),
    Case::of::<map::Difference>("map/difference_sale"),
    Case::of::<codec::Encoded>("codec/encode"),
    Case::of::<codec::Decoded>("codec/decode"),
];

#[divan::bench(args = CASES)]
fn micro(bencher: Bencher<'_, '_>, case: &Case) {
    (case.time)(bencher);
}

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let has = |name: &str| args.iter().any(|arg| arg == name);
    if let [first, rest @ ..] = &args[..]
        && first == count::REPEAT
    {
        return count::repeat(CASES, rest);
    }
    if has("--count") {
        return count::run(CASES, has("--keep"));
    }
    divan::main();
    ExitCode::SUCCESS
}
