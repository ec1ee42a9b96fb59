//! A MySQL endpoint's URL: `mysql://user@host:3306/database`, several hosts with commas.

use percent_encoding::percent_decode_str;

use crate::config::Secret;

pub const USUAL_PORT: u16 = 3306;

/// The URL cannot be used. The text never holds the URL itself: it may contain a password.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum UrlError {
    #[error("the database URL cannot be read")]
    Unreadable,
    #[error("the database URL names no {0}")]
    Without(&'static str),
    #[error("the database URL has a port that is no number from 1 to 65535")]
    Port,
    #[error(
        "the database URL has options after `?`, and there are none for MySQL; encryption is set \
         with `tls`"
    )]
    Options,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Url {
    pub hosts: Vec<Host>,
    pub user: String,
    pub password: Option<Secret>,
    pub database: String,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Host {
    /// A name or an address, an IPv6 one without its brackets.
    pub name: String,
    pub port: u16,
}

impl std::fmt::Display for Host {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}", self.name, self.port)
    }
}

pub fn read(text: &str) -> Result<Url, UrlError> {
    let rest = text.strip_prefix("mysql://").ok_or(UrlError::Unreadable)?;
    if rest.contains(['?', '#']) {
        return Err(UrlError::Options);
    }
    // A password may hold a slash or an `@` that nobody has encoded; neither a host nor a name of a
    // database is written with an `@`.
    let (login, place) = rest.rsplit_once('@').ok_or(UrlError::Without("user"))?;
    let (hosts, database) = place.split_once('/').ok_or(UrlError::Without("database"))?;
    let (user, password) = match login.split_once(':') {
        Some((user, password)) => (user, Some(Secret(decoded(password)?))),
        None => (login, None),
    };
    let url = Url {
        hosts: hosts.split(',').map(host).collect::<Result<_, _>>()?,
        user: decoded(user)?,
        password,
        database: decoded(database)?,
    };
    if url.user.is_empty() {
        return Err(UrlError::Without("user"));
    }
    if url.database.is_empty() {
        return Err(UrlError::Without("database"));
    }
    Ok(url)
}

fn host(text: &str) -> Result<Host, UrlError> {
    let (name, port) = match text.strip_prefix('[') {
        Some(rest) => rest.split_once(']').ok_or(UrlError::Unreadable)?,
        None => text.split_at(text.find(':').unwrap_or(text.len())),
    };
    let port = match port.strip_prefix(':') {
        Some(number) => match number.parse() {
            Ok(number) if number > 0 => number,
            _ => return Err(UrlError::Port),
        },
        None if port.is_empty() => USUAL_PORT,
        None => return Err(UrlError::Unreadable),
    };
    if name.is_empty() {
        return Err(UrlError::Without("host"));
    }
    Ok(Host {
        name: name.to_owned(),
        port,
    })
}

fn decoded(text: &str) -> Result<String, UrlError> {
    let text = percent_decode_str(text).decode_utf8();
    Ok(text.map_err(|_| UrlError::Unreadable)?.into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_part_is_found() {
        let url = read("mysql://shop%40x:p@ss/w%6frd@one,two:3307,[::1]:3308/sh%6fp");
        let url = url.expect("a good URL");
        assert_eq!(url.user, "shop@x");
        assert_eq!(url.password, Some(Secret("p@ss/word".into())));
        assert_eq!(url.database, "shop");
        let hosts: Vec<String> = url.hosts.iter().map(ToString::to_string).collect();
        assert_eq!(hosts, ["one:3306", "two:3307", "::1:3308"]);
    }

    #[test]
    fn what_is_missing_is_said_without_the_password() {
        for (url, error) in [
            ("postgres://u@h/d", UrlError::Unreadable),
            ("mysql://h/d", UrlError::Without("user")),
            ("mysql://:sesame@h/d", UrlError::Without("user")),
            ("mysql://u:sesame@/d", UrlError::Without("host")),
            ("mysql://u:sesame@a,,b/d", UrlError::Without("host")),
            ("mysql://u:sesame@h", UrlError::Without("database")),
            ("mysql://u:sesame@h/", UrlError::Without("database")),
            ("mysql://u:sesame@h:0/d", UrlError::Port),
            ("mysql://u:sesame@h:x/d", UrlError::Port),
            ("mysql://u:sesame@[::1/d", UrlError::Unreadable),
            ("mysql://u:%ff@h/d", UrlError::Unreadable),
            ("mysql://u@h/d?ssl-mode=REQUIRED", UrlError::Options),
        ] {
            let found = read(url).expect_err(url);
            assert_eq!(found, error, "{url}");
            assert!(!found.to_string().contains("sesame"));
        }
    }
}
