//! How much each reason counts, and from which sum on a value is a finding. Data of `rules/vocabulary.toml`; a rule
//! file of the user may change single numbers.

use serde::Deserialize;
use serde::Serialize;

/// Points of the reasons, by what they speak of. `rules/vocabulary.toml` groups and `docs/detection.md` explains them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "the file that fills them describes them")]
pub struct Weights {
    pub mixed_shape: i32,
    pub plain_shape: i32,
    pub random: i32,
    pub in_pieces: i32,
    pub not_random: i32,
    pub encrypted: i32,
    pub page_parameter: i32,
    pub piece_of_data: i32,
    pub own_credential: i32,
    pub own_name: i32,
    pub own_name_plain_shape: i32,
    pub credential: i32,
    pub password: i32,
    pub bearer: i32,
    pub signature_check: i32,
    pub carrier: i32,
    pub unknown_name: i32,
    pub foreign_credential: i32,
    pub other_purpose: i32,
    pub harmless_name: i32,
    pub rival_name: i32,
    pub nameless_parameter: i32,
    pub digest_nearby: i32,
    pub tied_by_name: i32,
    pub same_statement: i32,
    pub same_call: i32,
    pub enclosing_block: i32,
    pub path: i32,
    pub near_mention: i32,
    pub middle_mention: i32,
    pub far_mention: i32,
    pub host: i32,
    pub linked_callee: i32,
    pub linked_name: i32,
    pub linked_header: i32,
    pub rival_in_statement: i32,
    pub rival_block: i32,
    pub rival_nearer: i32,
    pub foreign_host: i32,
    pub strange_block: i32,
    pub other_item: i32,
}

/// Sums from which on a value is a finding, and the distances, in lines, that count as near.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Thresholds {
    /// Sum of high confidence.
    pub high: i32,
    /// Sum of medium confidence, the least that is reported by default.
    pub medium: i32,
    /// Sum of low confidence.
    pub low: i32,
    /// Lines up to which a mention of the provider is near.
    pub near_lines: usize,
    /// Lines up to which it is in the middle distance.
    pub middle_lines: usize,
    /// Lines within which another provider counts that is nearer.
    pub rival_lines: usize,
}

/// What a path, in lowercase, tells about the kind of place.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Places {
    /// Folders whose scripts are sent to browsers.
    pub client_folders: Vec<String>,
    /// Endings of scripts and pages.
    pub client_scripts: Vec<String>,
    /// Parts of names that only files for browsers have.
    pub client_names: Vec<String>,
    /// Endings of pages, in which scripts and tags are sent to browsers as programs.
    pub client_pages: Vec<String>,
    /// Parts of paths whose files are shipped inside of an app.
    pub client_resources: Vec<String>,
    /// Beginnings of the variables that build tools write into what browsers and phones get.
    pub public_prefixes: Vec<String>,
    /// Bytes of a line from which on a script is minified.
    pub minified_line: usize,
    /// Extensions of logs.
    pub log_extensions: Vec<String>,
    /// Parts of the names of logs.
    pub log_names: Vec<String>,
    /// Folders of logs.
    pub log_folders: Vec<String>,
    /// Extensions of configuration and data.
    pub config_extensions: Vec<String>,
    /// Parts of the names of configuration files.
    pub config_names: Vec<String>,
}

/// Replaces those values of `known` that `changes` names.
pub(super) fn overlay<T: Serialize + for<'de> Deserialize<'de>>(
    known: &mut T,
    changes: toml::Table,
) -> Result<(), String> {
    if changes.is_empty() {
        return Ok(());
    }
    let mut table = toml::Table::try_from(&*known).map_err(|error| error.to_string())?;
    table.extend(changes);
    *known = table.try_into().map_err(|error: toml::de::Error| error.message().to_owned())?;
    Ok(())
}
