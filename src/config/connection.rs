//! The sections that say where the databases are and how fast to go.

use std::path::{Path, PathBuf};
use std::time::Duration;

use toml::Spanned;

use super::reader::{Problems, Section};
use super::{Apply, Endpoint, Keep, Kind, Refresh, Secret, Tls, TlsMode, Watch, secret};
use crate::diagnostic::Diagnostic;

/// `[source]` or `[target]`.
pub(super) fn endpoint(
    root: &mut Section<'_>,
    key: &'static str,
    path: &Path,
    problems: &mut Problems,
) -> Option<Endpoint> {
    if !root.has(key) {
        root.missing(key, "{ kind = …, url = … }", problems);
    }
    let mut section = root.table(key, problems)?;
    let kind = kind(&mut section, problems);
    let form = match kind {
        Some(Kind::Mysql) => "\"mysql://user@host:3306/database\"",
        _ => "\"postgres://user@host:5432/database\"",
    };
    let url = section.required("url", form, problems);
    match (&url, kind) {
        (Some(url), Some(Kind::Postgres)) => check_url(url, problems),
        (Some(url), Some(Kind::Mysql)) => check_mysql_url(url, problems),
        _ => {}
    }
    let password = secret::read(&mut section, "password", path, problems);
    let tls = tls(&mut section, path, problems);
    let connect_timeout = section.duration("connect_timeout", problems);
    let application_name = section.string("application_name", problems);
    let time_zone = time_zone(&mut section, problems);
    let server_id = server_id(&mut section, kind, problems);
    section.finish(problems);
    Some(Endpoint {
        kind: kind?,
        url: Secret(url?.into_inner()),
        password,
        tls,
        connect_timeout: connect_timeout.unwrap_or(Duration::from_secs(10)),
        application_name: application_name.map(Spanned::into_inner),
        time_zone,
        server_id,
    })
}

fn server_id(
    section: &mut Section<'_>,
    kind: Option<Kind>,
    problems: &mut Problems,
) -> Option<u32> {
    if kind == Some(Kind::Postgres)
        && let Some((span, _)) = section.take("server_id")
    {
        let message = "`server_id` is for MySQL: Postgres tells its readers apart by their slots";
        problems.push(Diagnostic::error(span, message));
    }
    if section.name == "[target]"
        && let Some((span, _)) = section.take("server_id")
    {
        let message = "`server_id` is for the source: of the target no log is read";
        problems.push(Diagnostic::error(span, message));
    }
    let id = section.integer("server_id", 1..=u32::MAX.into(), problems)?;
    u32::try_from(id).ok()
}

fn kind(section: &mut Section<'_>, problems: &mut Problems) -> Option<Kind> {
    if !section.has("kind") {
        section.missing("kind", "\"postgres\"", problems);
    }
    let (_, value) = section.take("kind")?;
    match value.get_ref().as_str() {
        Some("postgres") => Some(Kind::Postgres),
        Some("mysql") => Some(Kind::Mysql),
        _ => {
            super::reader::wrong("kind", value, "`postgres` or `mysql`", problems);
            None
        }
    }
}

/// The parser's own message could repeat a part of the URL, so it is not shown.
fn check_url(url: &Spanned<String>, problems: &mut Problems) {
    let text = url.get_ref();
    let known = ["postgres://", "postgresql://"];
    let scheme = known.iter().any(|s| text.starts_with(s));
    if !scheme || text.parse::<tokio_postgres::Config>().is_err() {
        problems.push(
            Diagnostic::error(url.span(), "`url` is not the URL of a Postgres database")
                .expected("\"postgres://user@host:5432/database\", several hosts with commas"),
        );
    }
}

fn check_mysql_url(url: &Spanned<String>, problems: &mut Problems) {
    if let Err(reason) = crate::mysql::url::read(url.get_ref()) {
        let expected = "\"mysql://user@host:3306/database\", several hosts with commas";
        problems.push(Diagnostic::error(url.span(), reason.to_string()).expected(expected));
    }
}

pub(super) fn time_zone(section: &mut Section<'_>, problems: &mut Problems) -> String {
    let Some(zone) = section.string("time_zone", problems) else {
        return "UTC".into();
    };
    if zone.get_ref().parse::<chrono_tz::Tz>().is_err() {
        let message = format!("there is no time zone {zone}");
        problems
            .push(Diagnostic::error(zone.span(), message).expected("a name like Europe/Berlin"));
    }
    zone.into_inner()
}

const TLS_MODES: [(&str, TlsMode); 5] = [
    ("disable", TlsMode::Disable),
    ("prefer", TlsMode::Prefer),
    ("require", TlsMode::Require),
    ("verify-ca", TlsMode::VerifyCa),
    ("verify-full", TlsMode::VerifyFull),
];

fn tls(section: &mut Section<'_>, config: &Path, problems: &mut Problems) -> Tls {
    let mut tls = Tls {
        mode: TlsMode::Prefer,
        ca: None,
        certificate: None,
        key: None,
    };
    let Some(mut table) = section.table("tls", problems) else {
        return tls;
    };
    if let Some(mode) = table.choice("mode", &TLS_MODES, problems) {
        tls.mode = mode;
    }
    let mut file = |key: &'static str| {
        let file = table.string(key, problems)?;
        Some((file.span(), secret::resolve(file.get_ref(), config)))
    };
    let ca = file("ca");
    let certificate = file("certificate");
    let key = file("key");
    for (span, path) in [&ca, &certificate, &key].into_iter().flatten() {
        if !path.is_file() {
            let message = format!("there is no file {}", path.display());
            problems.push(Diagnostic::error(span.clone(), message).expected("a PEM file"));
        }
    }
    match (&certificate, &key) {
        (Some((span, _)), None) => problems.push(
            Diagnostic::error(span.clone(), "`certificate` without `key`")
                .expected("the client certificate's private key too"),
        ),
        (None, Some((span, _))) => problems.push(
            Diagnostic::error(span.clone(), "`key` without `certificate`")
                .expected("the client certificate too"),
        ),
        _ => {}
    }
    table.finish(problems);
    tls.ca = ca.map(|c| c.1);
    tls.certificate = certificate.map(|c| c.1);
    tls.key = key.map(|c| c.1);
    tls
}

/// `[apply] batch_rows` where it is not given.
pub const USUAL_BATCH_ROWS: usize = 2_000;

/// `[apply] lanes` where it is not given: while one lane waits for the target, another maps. Each is a
/// session of the target.
pub fn usual_lanes() -> usize {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    (2 * cores).min(16)
}

/// `[apply]`.
pub(super) fn apply(root: &mut Section<'_>, problems: &mut Problems) -> Apply {
    let mut section = root
        .table("apply", problems)
        .unwrap_or_else(|| Section::absent("[apply]"));
    let lanes = section.integer("lanes", 1..=256, problems);
    let batch_rows = section.integer("batch_rows", 1..=1_000_000, problems);
    let transaction_rows = section.integer("transaction_rows", 1..=100_000_000, problems);
    let scratch = section.string("scratch", problems).map(|folder| {
        if !Path::new(folder.get_ref()).is_dir() {
            let message = format!("there is no folder {}", folder.get_ref());
            let expected = "a folder in which files can be made";
            problems.push(Diagnostic::error(folder.span(), message).expected(expected));
        }
        PathBuf::from(folder.into_inner())
    });
    let apply = Apply {
        lanes: size(lanes, usual_lanes()),
        batch_rows: size(batch_rows, USUAL_BATCH_ROWS),
        batch_delay: section
            .duration("batch_delay", problems)
            .unwrap_or_default(),
        drain_timeout: section
            .duration("drain_timeout", problems)
            .unwrap_or(Duration::from_secs(20)),
        transaction_rows: size(transaction_rows, 1_000_000),
        scratch: scratch.unwrap_or_else(scratch_folder),
    };
    section.finish(problems);
    apply
}

/// `$TMPDIR`, else `/var/tmp`, which unlike `/tmp` is on a disk everywhere (Filesystem Hierarchy
/// Standard, 5.15).
fn scratch_folder() -> PathBuf {
    let large = PathBuf::from("/var/tmp");
    match std::env::var_os("TMPDIR") {
        None if large.is_dir() => large,
        _ => std::env::temp_dir(),
    }
}

/// `[watch]`.
pub(super) fn watch(root: &mut Section<'_>, problems: &mut Problems) -> Watch {
    let mut section = root
        .table("watch", problems)
        .unwrap_or_else(|| Section::absent("[watch]"));
    let watch = Watch {
        every: section
            .duration("every", problems)
            .unwrap_or(Duration::from_secs(30)),
        slot_wait: section
            .duration("slot_wait", problems)
            .unwrap_or(Duration::from_secs(60)),
    };
    section.finish(problems);
    watch
}

/// `[conflicts]`.
pub(super) fn conflicts(root: &mut Section<'_>, problems: &mut Problems) -> Keep {
    const DAY: Duration = Duration::from_secs(24 * 60 * 60);
    let mut section = root
        .table("conflicts", problems)
        .unwrap_or_else(|| Section::absent("[conflicts]"));
    let most = section.integer("keep_at_most", 0..=i64::MAX, problems);
    let keep = Keep {
        keep_for: section.duration("keep_for", problems).unwrap_or(30 * DAY),
        keep_at_most: most.and_then(|n| u64::try_from(n).ok()).unwrap_or(100_000),
    };
    section.finish(problems);
    keep
}

/// `[refresh]`.
pub(super) fn refresh(root: &mut Section<'_>, problems: &mut Problems) -> Refresh {
    let mut section = root
        .table("refresh", problems)
        .unwrap_or_else(|| Section::absent("[refresh]"));
    let chunk = section.integer("chunk_carts", 1..=100_000, problems);
    let parallel = section.integer("parallel", 1..=64, problems);
    let refresh = Refresh {
        chunk_carts: size(chunk, CHUNK_CARTS),
        parallel: size(parallel, 2),
        ask_again: section.duration("ask_again", problems).unwrap_or(ASK_AGAIN),
        ..rates(&mut section, problems)
    };
    section.finish(problems);
    refresh
}

/// Carts read in one snapshot, where it is not given.
const CHUNK_CARTS: usize = 1_000;
/// How often a lookup that found nothing is asked again, where it is not given.
const ASK_AGAIN: Duration = Duration::from_secs(600);

/// How fast the source is read, and when reading has to wait.
pub(super) fn rates(section: &mut Section<'_>, problems: &mut Problems) -> Refresh {
    let rate = section.integer("rows_per_second", 1..=i64::MAX, problems);
    let active = section.integer("max_active", 1..=1_000_000, problems);
    Refresh {
        rows_per_second: rate.and_then(|n| u64::try_from(n).ok()),
        chunk_carts: CHUNK_CARTS,
        parallel: 1,
        max_active: active.and_then(|n| u32::try_from(n).ok()),
        max_replica_lag: section.duration("max_replica_lag", problems),
        guard: guard(section, problems),
        ask_again: ASK_AGAIN,
    }
}

/// `guard = { sql = "select …", max = 50 }`.
fn guard(section: &mut Section<'_>, problems: &mut Problems) -> Option<(String, f64)> {
    let mut guard = section.table("guard", problems)?;
    guard.name = "`guard`".into();
    let sql = guard.required(
        "sql",
        "\"select …\", a query that returns one number",
        problems,
    );
    let max = guard.number("max", problems);
    if !guard.has("max") {
        guard.missing(
            "max",
            "the greatest number at which reading goes on",
            problems,
        );
    }
    guard.finish(problems);
    Some((sql?.into_inner(), max?))
}

fn size(number: Option<i64>, default: usize) -> usize {
    number
        .and_then(|n| usize::try_from(n).ok())
        .unwrap_or(default)
}
