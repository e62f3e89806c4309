//! The formats for other programs: each is read by somebody else's parser, with a repository full of hostile names.

use serde_json::Value;
use serde_json::json;

use crate::support::{Sandbox, fixtures, key, stderr};

/// Names that try to leave the place where a format puts them.
const HOSTILE: &[&str] = &[
    "=HYPERLINK(\"x\").ini",
    "@SUM(1).ini",
    "a\n::error file=x::injected.ini",
    "a\r\n::set-output name=x::y.ini",
    "100%25 a,b:c.ini",
    "pipe | `tick` <b>bold<!-- .ini",
    "[x](javascript:alert) **b** @team.ini",
    "]]>&amp;<failure/>\u{1}\u{fffe}.ini",
    "bidi\u{202e}vne.ini",
];

/// A sandbox with a key in each hostile file, and a commit by a hostile author.
fn hostile() -> Sandbox {
    let sandbox = Sandbox::new();
    for name in HOSTILE {
        sandbox.write(name, format!("YOUSIGN_API_KEY={}\n", key()));
    }
    sandbox.write("allowed.ini", format!("YOUSIGN_API_KEY={} # signleak:allow\n", key()));
    sandbox.git(&["init", "-q"]);
    sandbox.git(&["add", "."]);
    let author = "--author==1+1 | `x` **b** <a@b.invalid>";
    sandbox.git(&["commit", "-qm", "add", author]);
    sandbox
}

fn report(sandbox: &Sandbox, format: &str) -> String {
    let output = sandbox.run(&["scan", "--format", format]);
    assert!(matches!(output.status.code(), Some(0 | 1)), "{}", stderr(&output));
    String::from_utf8(output.stdout).expect("UTF-8")
}

#[test]
fn annotations_are_one_command_a_finding_and_nothing_else() {
    let sandbox = hostile();
    let text = report(&sandbox, "github");
    let (last, commands) = text
        .lines()
        .collect::<Vec<_>>()
        .split_last()
        .map_or(("", vec![]), |(last, rest)| (last, rest.to_vec()));
    assert!(last.starts_with("signleak: 9 leaks, 1 suppressed"), "{last}");
    assert_eq!(commands.len(), HOSTILE.len());
    let mut files = vec![];
    for command in commands {
        let (properties, message) = command
            .strip_prefix("::error ")
            .and_then(|rest| rest.split_once("::"))
            .unwrap_or_else(|| panic!("no command: {command}"));
        assert!(!message.contains("::") || message.contains("sha256"), "{message}");
        let names: Vec<&str> = properties
            .split(',')
            .filter_map(|property| Some(property.split_once('=')?.0))
            .collect();
        assert_eq!(names, ["file", "line", "endLine", "col", "endColumn", "title"], "{properties}");
        let file = properties.split(',').next().and_then(|file| file.strip_prefix("file="));
        // As the runner does it.
        let unescape = |text: &str| {
            text.replace("%2C", ",")
                .replace("%3A", ":")
                .replace("%0A", "\n")
                .replace("%0D", "\r")
                .replace("%25", "%")
        };
        files.push(unescape(file.expect("a file")));
    }
    assert!(files.contains(&"100%25 a,b:c.ini".to_owned()), "{files:?}");
    assert!(files.iter().all(|file| !file.contains(['\n', '\r', '\u{202e}'])), "{files:?}");
}

/// What GitLab's schema (15.0.4) asks of the parts that we write.
fn gitlab_schema() -> Value {
    let text = json!({ "type": "string", "minLength": 1 });
    let time = json!({ "type": "string", "pattern": r"^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}$" });
    let link = json!({ "type": "string", "pattern": "^https?://.+" });
    let tool = json!({
        "type": "object",
        "required": ["id", "name", "version", "vendor"],
        "properties": {
            "id": text, "name": text, "version": text, "url": link,
            "vendor": { "type": "object", "required": ["name"], "properties": { "name": text } },
        },
    });
    let place = json!({
        "type": "object",
        "required": ["type", "file_name", "line_start"],
        "properties": {
            "type": { "const": "file-location" }, "file_name": text,
            "line_start": { "type": "integer" }, "line_end": { "type": "integer" },
        },
    });
    let commit = json!({
        "type": "object",
        "required": ["sha"],
        "properties": { "sha": text, "author": { "type": "string" }, "date": { "type": "string" } },
    });
    let vulnerability = json!({
        "type": "object",
        "required": ["id", "identifiers", "location"],
        "properties": {
            "id": text,
            "name": { "type": "string", "maxLength": 255 },
            "description": { "type": "string", "maxLength": 1_048_576 },
            "severity": { "enum": ["Info", "Unknown", "Low", "Medium", "High", "Critical"] },
            "solution": { "type": "string", "maxLength": 7_000 },
            "identifiers": {
                "type": "array",
                "minItems": 1,
                "items": {
                    "type": "object",
                    "required": ["type", "name", "value"],
                    "properties": { "type": text, "name": text, "value": text, "url": link },
                },
            },
            "location": {
                "type": "object",
                "required": ["commit"],
                "properties": {
                    "file": { "type": "string" }, "commit": commit,
                    "start_line": { "type": "number" }, "end_line": { "type": "number" },
                },
            },
            "details": { "type": "object", "additionalProperties": {
                "type": "object",
                "required": ["name", "type", "items"],
                "properties": { "name": text, "type": { "const": "list" }, "items": { "type": "array", "items": place } },
            }},
            "raw_source_code_extract": { "type": "string" },
        },
    });
    json!({
        "type": "object",
        "required": ["scan", "version", "vulnerabilities"],
        "properties": {
            "version": { "type": "string", "pattern": r"^[0-9]+\.[0-9]+\.[0-9]+$" },
            "scan": {
                "type": "object",
                "required": ["analyzer", "end_time", "scanner", "start_time", "status", "type"],
                "properties": {
                    "analyzer": tool, "scanner": tool, "start_time": time, "end_time": time,
                    "status": { "enum": ["success", "failure"] },
                    "type": { "enum": ["secret_detection"] },
                    "messages": { "type": "array", "items": {
                        "type": "object",
                        "required": ["level", "value"],
                        "properties": { "level": { "enum": ["info", "warn", "fatal"] }, "value": text },
                    }},
                },
            },
            "vulnerabilities": { "type": "array", "items": vulnerability },
        },
    })
}

#[test]
fn gitlab_reports_are_what_gitlab_asks_for() {
    let validator = jsonschema::validator_for(&gitlab_schema()).expect("a schema");
    let sandbox = hostile();
    for args in [&["scan"][..], &["scan", "--no-history", "--no-repo-config", &fixtures()]] {
        let output = sandbox.run(&[args, &["--format", "gitlab"]].concat());
        let report: Value = serde_json::from_slice(&output.stdout).expect("JSON");
        let errors: Vec<String> = validator
            .iter_errors(&report)
            .map(|error| format!("{}: {error}", error.instance_path()))
            .collect();
        assert!(errors.is_empty(), "{errors:#?}");
        let found = report["vulnerabilities"].as_array().expect("an array");
        assert!(found.len() >= HOSTILE.len());
        let ids: std::collections::BTreeSet<&str> =
            found.iter().filter_map(|one| one["id"].as_str()).collect();
        assert_eq!(ids.len(), found.len(), "an id for each finding");
    }
}

#[test]
fn junit_reports_are_xml_and_count_what_they_hold() {
    let sandbox = hostile();
    sandbox.write("large.bin", [b'x'; 200_000]);
    let output = sandbox.run(&["scan", "--format", "junit", "--max-blob-size", "100K"]);
    let text = String::from_utf8(output.stdout).expect("UTF-8");
    let document = roxmltree::Document::parse(&text).expect("well-formed");
    let suite =
        document.descendants().find(|node| node.has_tag_name("testsuite")).expect("a suite");
    let count =
        |name: &str| suite.descendants().filter(|node| node.has_tag_name(name)).count().to_string();
    let told = |name: &str| suite.attribute(name).map(str::to_owned);
    assert_eq!(told("tests"), Some(count("testcase")));
    assert_eq!(told("failures"), Some(count("failure")));
    assert_eq!(told("errors"), Some(count("error")));
    assert_eq!(told("skipped"), Some(count("skipped")));
    assert_eq!(
        (count("failure"), count("error"), count("skipped")),
        ("9".into(), "1".into(), "1".into())
    );
    sandbox.write("clean/readme", "x");
    let clean = sandbox.run(&["scan", "--format", "junit", "--no-history", "clean"]).stdout;
    let clean = String::from_utf8(clean).expect("UTF-8");
    assert!(clean.contains(r#"tests="1" failures="0""#), "{clean}");
}

#[test]
fn csv_has_a_row_for_each_place_and_no_formula() {
    let sandbox = hostile();
    let text = report(&sandbox, "csv");
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    let header = reader.headers().expect("a header").clone();
    let rows: Vec<csv::StringRecord> = reader.records().collect::<Result<_, _>>().expect("rows");
    let (json, _) = sandbox.json(&["scan"]);
    let places: usize = json["findings"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|finding| Some(finding["occurrences"].as_array()?.len()))
        .sum();
    assert_eq!(rows.len(), places);
    let cells = rows.iter().flatten();
    assert!(cells.clone().all(|cell| !cell.starts_with(['=', '+', '-', '@'])));
    assert!(cells.clone().all(|cell| !cell.contains(['\n', '\r', '\u{202e}'])));
    let path = header.iter().position(|name| name == "path").expect("a path");
    assert!(rows.iter().any(|row| &row[path] == "'=HYPERLINK(\"x\").ini"));
    assert!(text.contains("'=1+1"), "an author is no formula");
}

#[test]
fn markdown_shows_hostile_text_as_code_only() {
    use pulldown_cmark::{Event, Options, Parser, Tag};
    let sandbox = hostile();
    let text = report(&sandbox, "markdown");
    let mut cells = 0;
    let mut codes = vec![];
    for event in Parser::new_ext(&text, Options::ENABLE_TABLES) {
        match event {
            Event::Start(Tag::TableCell) => cells += 1,
            Event::Start(Tag::Link { .. } | Tag::Image { .. } | Tag::HtmlBlock) => {
                panic!("{event:?}")
            }
            Event::Html(html) | Event::InlineHtml(html) => {
                assert!(matches!(&*html, "<code>" | "</code>"), "{html}");
            }
            Event::Code(code) => codes.push(code.into_string()),
            Event::Text(text) => assert!(!text.contains("@team"), "{text}"),
            _ => {}
        }
    }
    assert_eq!(cells, (HOSTILE.len() + 1) * 5, "no name adds a cell:\n{text}");
    assert!(codes.contains(&"[x](javascript:alert) **b** @team.ini:1:17".to_owned()), "{codes:?}");
}
