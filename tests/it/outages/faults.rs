//! Who deals with an error is told by its SQLSTATE, whatever it is wrapped in; and what nobody knows
//! stops the daemon.

use cartage::daemon::DaemonError;
use cartage::demo::cluster::{Cluster, Options};
use cartage::lanes::lane::LaneError;
use cartage::lanes::reader::ReaderError;
use cartage::postgres::connect::ConnectError;
use cartage::postgres::fault::{self, Fault};
use cartage::postgres::wire::ServerError;
use cartage::refresh::owners::OwnersError;
use cartage::refresh::refresher::RefreshError;
use cartage::source::postgres::SourceError;
use cartage::source::postgres::identity::IdentityError;
use cartage::source::{self, AskError};
use cartage::target::ledger::LedgerError;
use cartage::target::writer::WriteError;
use tokio_postgres::{Client, Error};

/// Codes of Postgres 15's errcodes.txt, with what is right for the daemon as a whole.
const PASS: &str =
    "08000 08001 08003 08004 08006 25006 25P03 40001 40003 40P01 53000 53100 53200 53300
                    53400 55006 55P03 57014 57P01 57P02 57P03 57P05";
const STOP: &str = "08P01 0A000 0LP01 20000 21000 24000 25001 25P01 25P02 26000 28000 28P01 2BP01 34000
                    38000 39000 3B001 3D000 3F000 40002 42501 42601 42703 42804 42883 42P01 42P17 54000
                    54001 55000 55P02 55P04 57000 57P04 58000 58030 58P01 72000 F0000 HV000 P0001 XX000
                    XX001 XX002 ZZZZZ";
/// About a row where one is written, and nobody's where none is.
const ROW: &str =
    "22000 22001 22003 22007 22012 22021 22P02 22P05 23000 23001 23502 23503 23505 23514
                   23P01 44000";

type Wrapper = (&'static str, fn(Error) -> DaemonError);

const OF_CLIENTS: &[Wrapper] = &[
    ("source", |e| DaemonError::Source(e.into())),
    ("target", |e| DaemonError::Target(e.into())),
    ("identity", |e| of_identity(IdentityError::Query(e)).into()),
    ("lane", |e| LaneError::Write(e.into()).into()),
    ("ledger", |e| {
        LaneError::Write(WriteError::Ledger(LedgerError::Database(e.into()))).into()
    }),
    ("control", |e| ReaderError::Control(e.into()).into()),
    ("owners", |e| {
        ReaderError::Owners(OwnersError::from(AskError::from(e))).into()
    }),
    ("read", |e| RefreshError::Source(e.into()).into()),
    ("runs", |e| RefreshError::Control(e.into()).into()),
    ("untraced", |e| {
        ReaderError::Identity(AskError::from(e).into()).into()
    }),
];

type Bare = (&'static str, fn(ServerError) -> DaemonError);

const OF_THE_WIRE: &[Bare] = &[
    ("log", |e| of_log(SourceError::Server(e)).into()),
    ("reader", |e| {
        ReaderError::Source(SourceError::Server(e).into()).into()
    }),
    ("history", |error| {
        of_identity(IdentityError::History { timeline: 2, error }).into()
    }),
    ("connect", |e| DaemonError::ConnectSource(refused(e).into())),
    ("to write", |e| {
        DaemonError::ConnectTarget(refused(e).into())
    }),
    ("to read", |e| {
        of_log(SourceError::Connect(refused(e))).into()
    }),
    ("hosts", |e| {
        DaemonError::ConnectSource(ConnectError::NoHost(vec![refused(e)]).into())
    }),
];

fn of_identity(error: IdentityError) -> source::IdentityError {
    error.into()
}

fn of_log(error: SourceError) -> source::SourceError {
    error.into()
}

fn refused(error: ServerError) -> ConnectError {
    ConnectError::Server {
        hosts: "one:5432".into(),
        error,
    }
}

#[tokio::test]
async fn the_sqlstate_decides_through_every_wrapper() {
    let cluster = Cluster::start(Options::default()).await.unwrap();
    let client = cluster.client("postgres").await.unwrap();
    for (codes, whole, of_write) in [
        (PASS, Fault::Retry, Fault::Retry),
        (STOP, Fault::Stop, Fault::Stop),
        (ROW, Fault::Stop, Fault::Row),
    ] {
        for code in codes.split_whitespace() {
            assert_eq!(fault::of(&raised(&client, code).await), of_write, "{code}");
            for (name, wrap) in OF_CLIENTS {
                let error = wrap(raised(&client, code).await);
                assert_eq!(error.fault(), whole, "{code} in {name}: {error}");
            }
            for (name, wrap) in OF_THE_WIRE {
                let error = wrap(ServerError {
                    code: code.into(),
                    message: "said the server".into(),
                });
                assert_eq!(error.fault(), whole, "{code} in {name}: {error}");
            }
        }
    }

    // A session that is gone has no SQLSTATE.
    for (name, wrap) in OF_CLIENTS {
        let error = wrap(closed(&cluster).await);
        assert_eq!(error.fault(), Fault::Retry, "closed in {name}: {error}");
    }
}

#[test]
fn what_no_server_has_said_stops() {
    for error in [
        DaemonError::NotSetUp("shop".into()),
        DaemonError::NoSecret,
        DaemonError::Broken("panicked".into()),
        DaemonError::Ended,
        LaneError::Write(WriteError::FencedOff { lane: 0 }).into(),
        LaneError::Write(WriteError::Guard {
            table: "cart".into(),
            missed: 1,
            rows: 1,
        })
        .into(),
        of_identity(IdentityError::SlotMissing("cartage_shop".into())).into(),
        RefreshError::Source(AskError::Answer).into(),
        RefreshError::Source(AskError::Format).into(),
        of_log(SourceError::WalLevel).into(),
        of_log(SourceError::Malformed("tuple")).into(),
        DaemonError::ConnectSource(
            ConnectError::NoTls {
                hosts: "one:5432".into(),
            }
            .into(),
        ),
    ] {
        assert_eq!(error.fault(), Fault::Stop, "{error}");
    }
    for error in [
        DaemonError::from(ReaderError::SourceGone),
        RefreshError::ReaderGone.into(),
        of_log(SourceError::Lost {
            cause: "reset".into(),
        })
        .into(),
        DaemonError::ConnectTarget(
            ConnectError::Standby {
                hosts: "one:5432".into(),
            }
            .into(),
        ),
    ] {
        assert_eq!(error.fault(), Fault::Retry, "{error}");
    }
}

/// What waits says for what, and whom it concerns.
#[tokio::test]
async fn the_operator_is_told_what_mends_it() {
    let cluster = Cluster::start(Options::default()).await.unwrap();
    let client = cluster.client("postgres").await.unwrap();
    for (code, told) in [
        (
            "53100",
            "target: that is: That server's disk is full; free some space on it",
        ),
        (
            "53300",
            "target: that is: That server has no connection left for us; end sessions that nobody \
             needs, or raise the limit",
        ),
        (
            "57P03",
            "target: that is: The server is starting, stopping or recovering",
        ),
        // What stops is the server's own to say.
        ("42P01", "target: that is"),
    ] {
        let error = DaemonError::Target(raised(&client, code).await.into());
        assert_eq!(error.to_string(), told);
        let error = DaemonError::from(LaneError::Write(raised(&client, code).await.into()));
        assert_eq!(error.to_string(), told);
    }
}

async fn raised(client: &Client, code: &str) -> Error {
    let sql = format!("DO $$ BEGIN RAISE EXCEPTION 'that is' USING ERRCODE = '{code}'; END $$");
    let error = client.batch_execute(&sql).await.unwrap_err();
    assert_eq!(error.code().map(|c| c.code()), Some(code));
    error
}

async fn closed(cluster: &Cluster) -> Error {
    let client = cluster.client("postgres").await.unwrap();
    let _ = client
        .query("SELECT pg_terminate_backend(pg_backend_pid())", &[])
        .await;
    client.batch_execute("SELECT 1").await.unwrap_err()
}
