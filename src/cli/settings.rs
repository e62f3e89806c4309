//! Settings that a flag, the environment or `.signleak.toml` gives: the first of them that does, counts. A file of a repository
//! can make its own scan weaker, so what it does so is told.

use std::ffi::OsStr;
use std::path::Component;
use std::path::Path;

use anyhow::Context as _;
use anyhow::anyhow;
use anyhow::bail;
use clap::ValueEnum;
use signleak::report::Format;
use signleak::report::escape;
use toml::Spanned;
use toml::de::DeTable;
use toml::de::DeValue;

use super::args::ConfidenceArg;
use super::args::ScanArgs;
use super::args::SeverityArg;
use super::limits;
use super::repo_files::RepoFile;

/// Name of the file at the root of a repository.
pub(crate) const CONFIG_FILE: &str = ".signleak.toml";

/// A setting that there is.
pub(crate) struct Key {
    pub(crate) name: &'static str,
    /// The variable that gives it, too.
    variable: &'static str,
    default: &'static str,
    shape: Shape,
    check: fn(&str) -> anyhow::Result<()>,
    /// Whether such a value of a file finds less than the default would.
    weakens: fn(&str) -> bool,
}

/// The form of a value in the file.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Shape {
    Text,
    Number,
    Switch,
    /// Paths in the repository.
    Paths,
}

/// All of them.
pub(crate) const KEYS: [Key; 8] = [
    Key {
        name: "format",
        variable: "SIGNLEAK_FORMAT",
        default: "text",
        shape: Shape::Text,
        check: |text| text.parse::<Format>().map(drop).map_err(anyhow::Error::msg),
        weakens: |_| false,
    },
    Key {
        name: "min-confidence",
        variable: "SIGNLEAK_MIN_CONFIDENCE",
        default: "medium",
        shape: Shape::Text,
        check: |text| word::<ConfidenceArg>(text).map(drop),
        weakens: |text| text == "high",
    },
    Key {
        name: "fail-on",
        variable: "SIGNLEAK_FAIL_ON",
        default: "low",
        shape: Shape::Text,
        check: |text| word::<SeverityArg>(text).map(drop),
        weakens: |text| text != "low",
    },
    Key {
        name: "max-blob-size",
        variable: "SIGNLEAK_MAX_BLOB_SIZE",
        default: "",
        shape: Shape::Text,
        check: |text| limits::size(text).map(drop),
        weakens: |_| true,
    },
    Key {
        name: "threads",
        variable: "SIGNLEAK_THREADS",
        default: "",
        shape: Shape::Number,
        check: |text| match text.parse::<usize>() {
            Ok(1..) => Ok(()),
            _ => bail!("give at least 1, or leave it out for one per core"),
        },
        weakens: |_| false,
    },
    Key {
        name: "inline-allow",
        variable: "SIGNLEAK_INLINE_ALLOW",
        default: "true",
        shape: Shape::Switch,
        check: |text| match text {
            "true" | "false" => Ok(()),
            _ => bail!("`{text}` is neither true nor false"),
        },
        weakens: |_| false,
    },
    Key {
        name: "baseline",
        variable: "SIGNLEAK_BASELINE",
        default: "",
        shape: Shape::Paths,
        check: |_| Ok(()),
        weakens: |_| true,
    },
    Key {
        name: "rules",
        variable: "SIGNLEAK_RULES",
        default: "",
        shape: Shape::Paths,
        check: |_| Ok(()),
        weakens: |_| true,
    },
];

/// Where a value comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Origin {
    /// The command line.
    Flag(String),
    /// An environment variable.
    Variable(&'static str),
    /// A file's name and the line in it.
    File(String, usize),
    Default,
}

/// One setting as it counts.
#[derive(Debug)]
pub(crate) struct Setting {
    key: &'static str,
    /// One value; of paths any number.
    pub(crate) values: Vec<String>,
    pub(crate) origin: Origin,
    /// Whether a file of the repository makes the scan weaker by it.
    pub(crate) weakens: bool,
}

/// All settings as they count.
#[derive(Debug)]
pub(crate) struct Settings(Vec<Setting>);

/// A value, the setting that it is for, and its place.
type Given = (&'static Key, Vec<String>, Origin);

impl Settings {
    /// Joins what was typed, the environment and the files.
    pub(crate) fn of(args: &ScanArgs, files: &[RepoFile]) -> anyhow::Result<Self> {
        let mut given = typed(args);
        given.extend(from_environment()?);
        for file in files {
            given.extend(from_file(file)?);
        }
        let settings = KEYS.iter().map(|key| {
            let found = given.iter().find(|(of, ..)| of.name == key.name);
            let default = || Some(key.default).filter(|text| !text.is_empty()).map(str::to_owned);
            let (values, origin) = match found {
                Some((_, values, origin)) => (values.clone(), origin.clone()),
                None => (default().into_iter().collect(), Origin::Default),
            };
            let weakens = matches!(origin, Origin::File(..))
                && values.iter().any(|value| (key.weakens)(value));
            Setting { key: key.name, values, origin, weakens }
        });
        Ok(Self(settings.collect()))
    }

    /// Each with its name, in a fixed order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&'static str, &Setting)> {
        self.0.iter().map(|setting| (setting.key, setting))
    }

    /// The setting with this name.
    pub(crate) fn setting(&self, name: &str) -> &Setting {
        let found = self.0.iter().find(|setting| setting.key == name);
        found.expect("every name that is asked for stands in KEYS")
    }

    /// Its value, if it has one.
    pub(crate) fn value(&self, name: &str) -> Option<&str> {
        self.setting(name).values.first().map(String::as_str)
    }

    /// What a file of the repository makes weaker: the place and the setting.
    pub(crate) fn weaker(&self) -> Vec<(String, String)> {
        let told = |(name, setting): (&str, &Setting)| {
            (setting.origin.to_string(), format!("{name} = {}", setting.values.join(", ")))
        };
        self.iter().filter(|(_, setting)| setting.weakens).map(told).collect()
    }

    /// Tells that.
    pub(crate) fn tell_weaker(&self) {
        for (place, setting) in self.weaker() {
            anstream::eprintln!(
                "note: {}: {} can hide findings; --no-repo-config leaves it out of account",
                escape::terminal(&place),
                escape::terminal(&setting),
            );
        }
    }
}

impl std::fmt::Display for Origin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Flag(name) => f.write_str(name),
            Self::Variable(name) => f.write_str(name),
            Self::File(name, line) => write!(f, "{name}:{line}"),
            Self::Default => f.write_str("default"),
        }
    }
}

/// Reads one of an option's words.
pub(crate) fn word<T: ValueEnum>(text: &str) -> anyhow::Result<T> {
    T::from_str(text, false).map_err(|_| {
        let words = T::value_variants().iter().filter_map(ValueEnum::to_possible_value);
        let words: Vec<String> = words.map(|word| word.get_name().to_owned()).collect();
        anyhow!("`{text}` is none of {}", words.join(", "))
    })
}

/// What the command line gives.
fn typed(args: &ScanArgs) -> Vec<Given> {
    let name = |value: Option<clap::builder::PossibleValue>| {
        value.map(|value| value.get_name().to_owned()).into_iter().collect::<Vec<_>>()
    };
    let paths = |paths: &[std::path::PathBuf]| {
        paths.iter().map(|path| path.to_string_lossy().into_owned()).collect::<Vec<_>>()
    };
    let output = &args.output;
    let values = |key: &Key| match key.name {
        "format" => output.reports.format.iter().cloned().collect(),
        "min-confidence" => name(output.min_confidence.and_then(|level| level.to_possible_value())),
        "fail-on" => name(output.fail_on.and_then(|level| level.to_possible_value())),
        "max-blob-size" => args.limits.max_blob_size.iter().cloned().collect(),
        "threads" => args.limits.threads.iter().map(ToString::to_string).collect(),
        "inline-allow" if args.trust.no_inline_allow => vec!["false".to_owned()],
        "baseline" => paths(&args.trust.baseline),
        "rules" => paths(&args.rules.files),
        _ => vec![],
    };
    let flag = |key: &Key| match key.name {
        "inline-allow" => "--no-inline-allow".to_owned(),
        name => format!("--{name}"),
    };
    KEYS.iter()
        .map(|key| (key, values(key), Origin::Flag(flag(key))))
        .filter(|(_, values, _)| !values.is_empty())
        .collect()
}

fn from_environment() -> anyhow::Result<Vec<Given>> {
    let mut given = vec![];
    for key in &KEYS {
        let Some(value) = std::env::var_os(key.variable).filter(|value| !value.is_empty()) else {
            continue;
        };
        let text = |value: &OsStr| {
            let text = value.to_str().with_context(|| format!("{} is not UTF-8", key.variable))?;
            (key.check)(text).context(key.variable)?;
            Ok::<_, anyhow::Error>(text.to_owned())
        };
        let values = match key.shape {
            Shape::Paths => std::env::split_paths(&value)
                .map(|path| text(path.as_os_str()))
                .collect::<anyhow::Result<_>>()?,
            _ => vec![text(&value)?],
        };
        given.push((key, values, Origin::Variable(key.variable)));
    }
    Ok(given)
}

/// Reads the file. Every mistake is an error with its place: a setting that does not count would be believed to.
fn from_file(file: &RepoFile) -> anyhow::Result<Vec<Given>> {
    let place = |at: usize| {
        let before = &file.text[..at.min(file.text.len())];
        let column = before.rsplit('\n').next().unwrap_or("").chars().count() + 1;
        (before.matches('\n').count() + 1, column)
    };
    let error = |at: usize, message: &str| {
        let (line, column) = place(at);
        anyhow!("{}:{line}:{column}: {message}", file.name)
    };
    let table = DeTable::parse(&file.text).map_err(|parse| {
        error(parse.span().map_or(0, |span| span.start), parse.message().trim_end())
    })?;
    let mut given = vec![];
    for (name, value) in table.get_ref() {
        let at = name.span().start;
        let Some(key) = KEYS.iter().find(|key| key.name == name.get_ref().as_ref()) else {
            return Err(error(at, &unknown(name.get_ref())));
        };
        let values = read(key, value)
            .map_err(|(at, message)| error(at, &format!("{}: {message}", key.name)))?;
        given.push((key, values, Origin::File(file.name.clone(), place(at).0)));
    }
    Ok(given)
}

/// Reads a value; or says what is wrong with it, and where.
fn read(key: &Key, value: &Spanned<DeValue<'_>>) -> Result<Vec<String>, (usize, String)> {
    let at = value.span().start;
    let wrong = || {
        let (takes, example) = match key.shape {
            Shape::Text => (
                "a text",
                format!("\"{}\"", if key.default.is_empty() { "10M" } else { key.default }),
            ),
            Shape::Number => ("a number", "2".to_owned()),
            Shape::Switch => ("true or false", key.default.to_owned()),
            Shape::Paths => ("a list of paths", "[\"folder/file\"]".to_owned()),
        };
        (at, format!("takes {takes}, as in `{} = {example}`", key.name))
    };
    let text = match (key.shape, value.get_ref()) {
        (Shape::Text, DeValue::String(text)) => text.to_string(),
        (Shape::Number, DeValue::Integer(number)) => number.to_string(),
        (Shape::Switch, DeValue::Boolean(switch)) => switch.to_string(),
        (Shape::Paths, DeValue::Array(paths)) => {
            let path = |path: &Spanned<DeValue<'_>>| {
                let text = path.get_ref().as_str().ok_or_else(wrong)?;
                let is_inside =
                    Path::new(text).components().all(|part| matches!(part, Component::Normal(_)));
                if text.is_empty() || !is_inside {
                    let message = format!(
                        "`{text}` leaves the repository; name a file in it by its path from the root"
                    );
                    return Err((path.span().start, message));
                }
                Ok(text.to_owned())
            };
            return paths.iter().map(path).collect();
        }
        _ => return Err(wrong()),
    };
    (key.check)(&text).map_err(|error| (at, format!("{error:#}")))?;
    Ok(vec![text])
}

/// What is said of a name that is none, with the one that is most like it.
fn unknown(name: &str) -> String {
    let likeness =
        |key: &&Key| strsim::normalized_damerau_levenshtein(key.name, &name.replace('_', "-"));
    let nearest = KEYS.iter().max_by(|a, b| likeness(a).total_cmp(&likeness(b)));
    match nearest.filter(|key| likeness(key) >= 0.5) {
        Some(key) => format!("there is no setting `{name}`; did you mean `{}`?", key.name),
        None => {
            let names: Vec<&str> = KEYS.iter().map(|key| key.name).collect();
            format!("there is no setting `{name}`; there are {}", names.join(", "))
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const PIECES: [&str; 24] = [
        "format",
        "threads",
        "rules",
        "inline-allow",
        "max-blob-size",
        "baseline",
        "fail-on",
        "formt",
        "é",
        "\u{2028}",
        " = ",
        "\"json\"",
        "'low'",
        "12",
        "-1",
        "1e9",
        "true",
        "[\"a/b\"]",
        "[\"../b\"]",
        "[",
        "\"\\u00",
        "\n",
        ".",
        "\"\"\"",
    ];

    proptest! {
        /// The binary has no fuzzer; this takes its place. `PROPTEST_CASES` makes more cases.
        #[test]
        fn any_file_is_settings_or_an_error_with_its_place(pieces in proptest::collection::vec(prop_oneof![prop::sample::select(PIECES.to_vec()).prop_map(str::to_owned), "\\PC{0,3}"], 0..12)) {
            let file = RepoFile { name: "file".to_owned(), text: pieces.concat() };
            if let Err(error) = from_file(&file) {
                let error = format!("{error:#}");
                let place: Vec<&str> = error.splitn(4, ':').collect();
                prop_assert!(place[0] == "file" && place[1].parse::<usize>().is_ok() && place[2].parse::<usize>().is_ok(), "{error}");
            }
        }
    }
}
