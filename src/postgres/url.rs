//! A Postgres endpoint's URL, read once for both kinds of connection.

use std::time::Duration;

use tokio_postgres::Config;
use tokio_postgres::config::{Host, SslMode, SslNegotiation, TargetSessionAttrs};

use crate::config::{Endpoint, TlsMode};

/// The URL cannot be used. The text never holds the URL itself: it may contain a password.
#[derive(Debug, thiserror::Error)]
pub enum UrlError {
    #[error(
        "the database URL cannot be read: {0}; write it as postgresql://user@host:5432/database"
    )]
    Unreadable(String),
    #[error("the database URL names no {0}; write it as postgresql://user@host:5432/database")]
    Without(&'static str),
    #[error(
        "the database URL has `hostaddr`, which is not supported; write the address as the host"
    )]
    HostAddr,
}

/// The connection settings that the endpoint asks for. Several hosts may be named; each is tried by
/// itself (see [`each`]).
pub fn read(endpoint: &Endpoint, purpose: &str) -> Result<Config, UrlError> {
    let mut config: Config = endpoint
        .url
        .0
        .parse()
        .map_err(|e| UrlError::Unreadable(reason(&e)))?;
    if config.get_hosts().is_empty() {
        return Err(UrlError::Without("host"));
    }
    if !config.get_hostaddrs().is_empty() {
        return Err(UrlError::HostAddr);
    }
    if config.get_user().is_none() {
        return Err(UrlError::Without("user"));
    }
    if config.get_dbname().is_none() {
        return Err(UrlError::Without("database"));
    }
    if let Some(password) = &endpoint.password {
        config.password(&password.0);
    }
    if let Some(name) = &endpoint.application_name {
        config.application_name(name);
    } else if config.get_application_name().is_none() {
        config.application_name(format!("cartage {purpose}"));
    }
    notice_a_vanished_host(&mut config);
    config
        .connect_timeout(endpoint.connect_timeout)
        .target_session_attrs(TargetSessionAttrs::Any)
        .ssl_negotiation(SslNegotiation::Postgres)
        .ssl_mode(match endpoint.tls.mode {
            TlsMode::Disable => SslMode::Disable,
            TlsMode::Prefer => SslMode::Prefer,
            TlsMode::Require | TlsMode::VerifyCa | TlsMode::VerifyFull => SslMode::Require,
        });
    Ok(config)
}

/// A host that vanishes sends no reset. Probes find it out where nothing is under way, and a limit
/// on unacknowledged bytes where something is; else the kernel would try for hours (tcp(7)). What
/// the URL says of them stands.
fn notice_a_vanished_host(config: &mut Config) {
    const USUAL_IDLE: Duration = Duration::from_secs(2 * 60 * 60);
    if config.get_keepalives_idle() == USUAL_IDLE {
        config.keepalives_idle(Duration::from_secs(20));
    }
    if config.get_keepalives_interval().is_none() {
        config.keepalives_interval(Duration::from_secs(10));
    }
    if config.get_keepalives_retries().is_none() {
        config.keepalives_retries(4);
    }
    if config.get_tcp_user_timeout().is_none() {
        config.tcp_user_timeout(Duration::from_secs(60));
    }
}

/// The same settings for each host alone, in their order.
pub fn each(config: &Config) -> Vec<Config> {
    let ports = config.get_ports();
    let hosts = config.get_hosts().iter().enumerate();
    hosts
        .map(|(i, host)| {
            let mut one = without_hosts(config);
            match host {
                Host::Tcp(name) => one.host(name),
                Host::Unix(path) => one.host_path(path),
            };
            one.port(port(ports, i));
            one
        })
        .collect()
}

/// The driver can add hosts, and cannot take one away.
fn without_hosts(config: &Config) -> Config {
    let mut one = Config::new();
    one.ssl_mode(config.get_ssl_mode())
        .ssl_negotiation(config.get_ssl_negotiation())
        .channel_binding(config.get_channel_binding())
        .target_session_attrs(config.get_target_session_attrs())
        .keepalives(config.get_keepalives())
        .keepalives_idle(config.get_keepalives_idle());
    if let Some(user) = config.get_user() {
        one.user(user);
    }
    if let Some(password) = config.get_password() {
        one.password(password);
    }
    if let Some(database) = config.get_dbname() {
        one.dbname(database);
    }
    if let Some(options) = config.get_options() {
        one.options(options);
    }
    if let Some(name) = config.get_application_name() {
        one.application_name(name);
    }
    if let Some(limit) = config.get_connect_timeout() {
        one.connect_timeout(*limit);
    }
    if let Some(limit) = config.get_tcp_user_timeout() {
        one.tcp_user_timeout(*limit);
    }
    if let Some(interval) = config.get_keepalives_interval() {
        one.keepalives_interval(interval);
    }
    if let Some(retries) = config.get_keepalives_retries() {
        one.keepalives_retries(retries);
    }
    one
}

/// `host:port` of each host, for messages.
pub fn hosts(config: &Config) -> String {
    let ports = config.get_ports();
    let names: Vec<String> = config
        .get_hosts()
        .iter()
        .enumerate()
        .map(|(i, host)| format!("{}:{}", name(host), port(ports, i)))
        .collect();
    names.join(", ")
}

pub(super) fn name(host: &Host) -> String {
    match host {
        Host::Tcp(name) => name.clone(),
        Host::Unix(path) => path.display().to_string(),
    }
}

/// One port serves all hosts, none means the usual one (libpq, "Specifying Multiple Hosts").
pub(super) fn port(ports: &[u16], host: usize) -> u16 {
    ports.get(host).or(ports.first()).copied().unwrap_or(5432)
}

/// The innermost cause says which option is wrong, and none of them quotes a value but that of
/// `sslmode` and the like.
fn reason(error: &tokio_postgres::Error) -> String {
    let cause = std::error::Error::source(error).map(ToString::to_string);
    match cause {
        Some(cause) if cause.contains("sslmode") => {
            format!("{cause} (certificates are checked as `tls.mode` says, not the URL)")
        }
        Some(cause) => cause,
        None => error.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Kind, Secret, Tls};

    fn endpoint(url: &str) -> Endpoint {
        Endpoint {
            kind: Kind::Postgres,
            url: Secret(url.into()),
            password: Some(Secret("hush".into())),
            tls: Tls {
                mode: TlsMode::Prefer,
                ca: None,
                certificate: None,
                key: None,
            },
            connect_timeout: Duration::from_secs(3),
            application_name: None,
            time_zone: "UTC".into(),
            server_id: None,
        }
    }

    #[test]
    fn several_hosts_are_named() {
        let config = read(&endpoint("postgresql://shop@one:5433,two:5434/shop"), "log");
        let config = config.expect("a good URL");
        assert_eq!(hosts(&config), "one:5433, two:5434");
        assert_eq!(config.get_application_name(), Some("cartage log"));
        assert_eq!(config.get_password(), Some(&b"hush"[..]));
    }

    #[test]
    fn a_host_alone_has_all_the_settings() {
        let options = "?options=-cjit%3Doff&channel_binding=require&keepalives_idle=7\
                       &keepalives_interval=3&keepalives_retries=2&tcp_user_timeout=9";
        let of = |hosts: &str| {
            let url = format!("postgresql://shop@{hosts}/shop{options}");
            read(&endpoint(&url), "log").expect("a good URL")
        };
        let alone = each(&of("one:5433,two:5434"));
        assert!(alone == [of("one:5433"), of("two:5434")]);
    }

    #[test]
    fn a_vanished_host_is_noticed_in_a_minute() {
        let config = read(&endpoint("postgresql://shop@one/shop"), "log").expect("a good URL");
        let probes = config
            .get_keepalives_interval()
            .zip(config.get_keepalives_retries());
        let (interval, retries) = probes.expect("probes");
        let idle = config.get_keepalives_idle() + interval * retries;
        assert!(config.get_keepalives() && idle <= Duration::from_secs(60));
        let limit = Some(&Duration::from_secs(60));
        assert_eq!(config.get_tcp_user_timeout(), limit);

        let own = "postgresql://shop@one/shop?keepalives_idle=7&tcp_user_timeout=9";
        let config = read(&endpoint(own), "log").expect("a good URL");
        assert_eq!(config.get_keepalives_idle(), Duration::from_secs(7));
        let limit = Some(&Duration::from_secs(9));
        assert_eq!(config.get_tcp_user_timeout(), limit);
    }

    #[test]
    fn what_is_missing_is_said_without_the_password() {
        for url in [
            "postgresql://shop:sesame@one",
            "postgresql:///shop",
            "postgresql://one/shop",
            "postgresql://shop:sesame@one:notaport/shop",
            "postgresql://shop:sesame@one/shop?sslmode=verify-full",
            "postgresql://shop:sesame@one/shop?hostaddr=10.0.0.1",
        ] {
            let error = read(&endpoint(url), "log").expect_err(url).to_string();
            assert!(!error.contains("sesame"), "{error}");
        }
    }
}
