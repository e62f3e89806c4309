//! Which version of which repository is checked out, as reports name it.

use super::files;
use super::names::{self, Head};
use super::repo::Repo;

/// A checked out version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Version {
    /// Where the repository comes from, without any credentials.
    pub repository_uri: String,
    /// The commit that `HEAD` names.
    pub revision: String,
    /// The branch that `HEAD` names.
    pub branch: Option<String>,
}

impl Repo {
    /// The version that is checked out; `None` without a commit or a remote that a URI can name.
    #[must_use]
    pub fn version(&self) -> Option<Version> {
        let Head::Commit(revision) = names::head(self)? else { return None };
        let repository_uri = without_credentials(self.config().get("remote.origin.url")?)?;
        let head = files::read(&self.git_dir.join("HEAD"), 4096).ok()?;
        let head = String::from_utf8_lossy(&head);
        let name = head.strip_prefix("ref:").map(str::trim);
        let branch = name.and_then(|name| name.strip_prefix("refs/heads/")).map(str::to_owned);
        Some(Version { repository_uri, revision: revision.to_string(), branch })
    }
}

/// The remote as a URI. Tokens stand in user names and passwords, and sometimes in queries: all go.
fn without_credentials(url: &str) -> Option<String> {
    let (scheme, rest) = match url.split_once("://") {
        Some(("http" | "https" | "ssh" | "git", _)) => url.split_once("://")?,
        Some(_) => return None,
        // `user@host:path`, as ssh is mostly written.
        None => {
            let (host, path) =
                url.split_once(':').filter(|(host, _)| host.len() > 1 && !host.contains('/'))?;
            return without_credentials(&format!("ssh://{host}/{}", path.trim_start_matches('/')));
        }
    };
    let rest = rest.split(['?', '#']).next()?;
    let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
    let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    let is_plain = |text: &str| {
        text.bytes().all(|byte| byte.is_ascii_graphic() && !b"\"<>\\^`{|}@".contains(&byte))
    };
    (!host.is_empty() && is_plain(host) && is_plain(path))
        .then(|| format!("{scheme}://{host}/{path}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_credential_of_a_remote_is_told() {
        for (url, told) in [
            ("https://me:token@host.example/a/b.git?key=x", Some("https://host.example/a/b.git")),
            ("https://a:b@c@host.example/x", Some("https://host.example/x")),
            ("git@host.example:a/b.git", Some("ssh://host.example/a/b.git")),
            ("ssh://git@host.example:22/a", Some("ssh://host.example:22/a")),
            ("/srv/git/a", None),
            ("file:///srv/git/a", None),
            ("C:/git/a", None),
        ] {
            assert_eq!(without_credentials(url).as_deref(), told, "{url}");
        }
    }
}
