//! `cartage init`: a first mapping, proposed from both live schemas.

use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use super::CommandError;
use crate::catalog::Catalog;
use crate::config::{Endpoint, Kind, Secret, Tls, TlsMode};
use crate::init::{self, End, Ends, settle};
use crate::source::Source;
use crate::target::session::Target;

/// Read both live schemas and write a commented first mapping. Changes nothing on either side.
#[derive(Debug, Default, clap::Args)]
#[command(
    after_help = "Example: cartage init --source mysql://cartage@old-db/magento \
                        --target postgres://cartage@new-db/medusa --out shop.toml\n\n\
                        Both URLs may hold a password, which is not written to the file, and ?sslmode= \
                        (disable, prefer, require, verify-ca, verify-full) with sslrootcert=, sslcert= \
                        and sslkey=."
)]
pub struct InitArgs {
    /// The old shop's database: postgres://… or mysql://…
    #[arg(
        long,
        value_name = "URL",
        env = "CARTAGE_SOURCE",
        hide_env_values = true
    )]
    pub source: String,
    /// The new shop's database
    #[arg(
        long,
        value_name = "URL",
        env = "CARTAGE_TARGET",
        hide_env_values = true
    )]
    pub target: String,
    /// The pipeline's name, which names the slot and the publication
    #[arg(long, default_value = "old-to-new")]
    pub name: String,
    /// Write to this file, which must not exist yet, instead of stdout
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
    /// Print one JSON document with each proposal, and the file's text in it
    #[arg(long)]
    pub json: bool,
}

pub async fn run(args: InitArgs) -> Result<ExitCode, CommandError> {
    check_name(&args.name)?;
    if let Some(path) = args.out.as_ref().filter(|path| path.exists()) {
        let path = path.display();
        return Err(CommandError::usage(format!(
            "{path} exists already, and init writes over nothing; name another file"
        )));
    }
    let source = endpoint("source", &args.source)?;
    let target = endpoint("target", &args.target)?;
    let (old, new) = tokio::try_join!(old_schema(&source.0), new_schema(&target.0))?;
    let ends = Ends {
        name: args.name.clone(),
        source: source.1,
        target: target.1,
    };
    let settled = settle(init::propose(&old, &new), &ends, &old, &new);
    if let Some(path) = &args.out {
        write_new(path, &settled.text)?;
    }
    if args.json {
        let mut document = settled.draft.json(&settled.text);
        document["compiles"] = settled.compiles.into();
        println!("{document}");
    } else if args.out.is_none() {
        print!("{}", settled.text);
    }
    let draft = &settled.draft;
    let name = |name: &Option<String>| name.clone().unwrap_or_else(|| "not known".into());
    eprintln!(
        "source: {}, {} tables; target: {}, {} tables",
        name(&draft.shops.old),
        old.tables.len(),
        name(&draft.shops.new),
        new.tables.len()
    );
    eprintln!(
        "{} columns proposed, {} pieces taken out because they do not fit, {} columns need an answer",
        draft.columns(),
        draft.taken_out(),
        draft.answers()
    );
    if !settled.compiles {
        eprintln!("it is not complete: `cartage check` says what is missing");
    }
    Ok(ExitCode::SUCCESS)
}

/// As the loader has it, said before anything is connected to.
fn check_name(name: &str) -> Result<(), CommandError> {
    let good = name.starts_with(|c: char| c.is_ascii_lowercase())
        && name.len() <= 40
        && name
            .chars()
            .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-');
    match good {
        true => Ok(()),
        false => Err(CommandError::usage(format!(
            "`{name}` cannot name a pipeline; expected a lower-case letter, then at most 39 lower-case \
             letters, digits and hyphens"
        ))),
    }
}

/// Another process may have made the file since.
fn write_new(path: &PathBuf, text: &str) -> Result<(), CommandError> {
    let new = std::fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .open(path);
    let written = new.and_then(|mut file| file.write_all(text.as_bytes()));
    written
        .map_err(|why| CommandError::failed(format!("{} cannot be written: {why}", path.display())))
}

async fn old_schema(endpoint: &Endpoint) -> Result<Catalog, CommandError> {
    let failed = |why: String| CommandError::failed(format!("source: {why}"));
    let source = Source::connect(endpoint, "init").await;
    let source = source.map_err(|why| failed(why.to_string()))?;
    let names = init::of_source(&source).await?;
    Ok(source.catalog(&names).await?)
}

async fn new_schema(endpoint: &Endpoint) -> Result<Catalog, CommandError> {
    let failed = |why: String| CommandError::failed(format!("target: {why}"));
    let target = Target::connect(endpoint, "init").await;
    let target = target.map_err(|why| failed(why.to_string()))?;
    let names = init::of_target(&target).await?;
    Ok(target.catalog(&names).await?)
}

/// A URL with what it says of TLS taken out of it, as the file and as a session have it. No message
/// repeats the URL: it may hold a password.
fn endpoint(end: &str, url: &str) -> Result<(Endpoint, End), CommandError> {
    let refused = |why: &str| CommandError::usage(format!("--{end}: {why}"));
    let (scheme, _) = url.split_once("://").unwrap_or_default();
    let kind = match scheme {
        "postgres" | "postgresql" => Kind::Postgres,
        "mysql" | "mariadb" => Kind::Mysql,
        _ => {
            return Err(refused(
                "expected a URL that begins with postgres:// or mysql://",
            ));
        }
    };
    let url = match url.strip_prefix("mariadb://") {
        Some(rest) => format!("mysql://{rest}"),
        None => url.to_owned(),
    };
    let (url, tls) = take_tls(&url).map_err(|why| refused(&why))?;
    if kind == Kind::Mysql
        && let Err(why) = crate::mysql::url::read(&url)
    {
        return Err(refused(&why.to_string()));
    }
    let (shown, had_password) = without_password(&url);
    let endpoint = Endpoint {
        kind,
        url: Secret(url),
        password: None,
        tls: tls.clone(),
        connect_timeout: Duration::from_secs(10),
        application_name: None,
        time_zone: "UTC".into(),
        server_id: None,
    };
    let end = End {
        kind,
        url: shown,
        had_password,
        tls,
    };
    Ok((endpoint, end))
}

/// As libpq names them.
fn take_tls(url: &str) -> Result<(String, Tls), String> {
    let mut tls = Tls {
        mode: TlsMode::Prefer,
        ca: None,
        certificate: None,
        key: None,
    };
    // A password may hold a `?` that nobody has encoded.
    let place = url.rfind('@').map_or(0, |at| at + 1);
    let Some(query) = url[place..].find('?').map(|at| place + at) else {
        return Ok((url.to_owned(), tls));
    };
    let mut kept = Vec::new();
    for option in url[query + 1..].split('&') {
        let (name, value) = option.split_once('=').unwrap_or((option, ""));
        let file = || {
            let decoded = percent_encoding::percent_decode_str(value).decode_utf8();
            decoded.map(|path| PathBuf::from(path.into_owned())).ok()
        };
        match name {
            "sslmode" => {
                tls.mode = match value {
                    "disable" => TlsMode::Disable,
                    "allow" | "prefer" => TlsMode::Prefer,
                    "require" => TlsMode::Require,
                    "verify-ca" => TlsMode::VerifyCa,
                    "verify-full" => TlsMode::VerifyFull,
                    _ => {
                        return Err(
                            "sslmode is not one of disable, prefer, require, verify-ca and \
                                    verify-full"
                                .into(),
                        );
                    }
                }
            }
            "sslrootcert" => tls.ca = file(),
            "sslcert" => tls.certificate = file(),
            "sslkey" => tls.key = file(),
            _ => kept.push(option),
        }
    }
    let rest = match kept.is_empty() {
        true => String::new(),
        false => format!("?{}", kept.join("&")),
    };
    Ok((format!("{}{rest}", &url[..query]), tls))
}

/// The URL as the file may have it, and whether anything was left out.
fn without_password(url: &str) -> (String, bool) {
    let Some((scheme, rest)) = url.split_once("://") else {
        return (url.to_owned(), false);
    };
    let (login, place) = match rest.rsplit_once('@') {
        Some((login, place)) => (login, place),
        None => ("", rest),
    };
    let (user, mut had) = match login.split_once(':') {
        Some((user, _)) => (user, true),
        None => (login, false),
    };
    let place = match place.split_once('?') {
        Some((place, query)) => {
            let options = query.split('&');
            let safe: Vec<&str> = options.filter(|o| !o.starts_with("password=")).collect();
            had |= safe.len() != query.split('&').count();
            match safe.is_empty() {
                true => place.to_owned(),
                false => format!("{place}?{}", safe.join("&")),
            }
        }
        None => place.to_owned(),
    };
    match user {
        "" => (format!("{scheme}://{place}"), had),
        user => (format!("{scheme}://{user}@{place}"), had),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neither_the_file_nor_a_message_holds_the_password() {
        for (url, shown) in [
            ("mysql://u:se@sa:me@h:1/d", "mysql://u@h:1/d"),
            ("mariadb://u:sesame@h/d?sslmode=require", "mysql://u@h/d"),
            (
                "postgres://u:sesame@h/d?application_name=x&password=sesame",
                "postgres://u@h/d?application_name=x",
            ),
            ("postgres://u@h/d", "postgres://u@h/d"),
        ] {
            let (_, end) = endpoint("source", url).expect(url);
            assert_eq!(end.url, shown);
            assert_eq!(
                end.had_password,
                url.contains("sesame") || url.contains("sa:me"),
                "{url}"
            );
        }
        for url in [
            "redis://u:sesame@h/0",
            "mysql://u:sesame@h",
            "postgres://u:sesame@h/d?sslmode=maybe",
        ] {
            let error = endpoint("source", url).expect_err(url);
            assert_eq!(error.exit, crate::cli::USAGE);
            assert!(!error.message.contains("sesame"), "{}", error.message);
        }
    }

    #[test]
    fn tls_is_taken_from_the_url() {
        let (endpoint, end) = endpoint(
            "target",
            "mysql://u@h/d?sslmode=verify-ca&sslrootcert=%2Fetc%2Fca.pem",
        )
        .expect("a good URL");
        assert_eq!(endpoint.tls.mode, TlsMode::VerifyCa);
        assert_eq!(end.tls.ca, Some(PathBuf::from("/etc/ca.pem")));
        assert_eq!(endpoint.url.0, "mysql://u@h/d");
    }
}
