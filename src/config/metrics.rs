//! `[metrics]`: where the daemon serves its figures.

use std::net::SocketAddr;

use super::Metrics;
use super::reader::{Problems, Section};
use crate::diagnostic::Diagnostic;

pub(super) fn read(root: &mut Section<'_>, problems: &mut Problems) -> Metrics {
    let mut section = root
        .table("metrics", problems)
        .unwrap_or_else(|| Section::absent("[metrics]"));
    let listen = section.string("listen", problems);
    section.finish(problems);
    let listen = listen.and_then(|text| {
        let address: Option<SocketAddr> = text.get_ref().parse().ok();
        if address.is_none() {
            let message = "`listen` is not an address and a port";
            let expected = "\"127.0.0.1:9187\", or \"[::1]:9187\"";
            problems.push(Diagnostic::error(text.span(), message).expected(expected));
        }
        address
    });
    Metrics { listen }
}
