//! Reports that are read back, converted and merged, and several of them from one run.

use serde_json::Value;

use crate::support::{Sandbox, fixtures, key, stderr};

/// A run over the fixtures writes every format at once; converting its JSON gives the same bytes as the run itself.
#[test]
fn converting_a_json_report_equals_writing_the_format_directly() {
    let sandbox = Sandbox::new();
    let scan =
        ["scan", "--no-history", "--no-repo-config", &fixtures(), "-q", "--fail-on", "never"];
    let outputs = ["-o", "json=a.json", "-o", "jsonl=a.jsonl", "-o", "sarif=a.sarif"];
    let direct = sandbox.run(&[&scan[..], &outputs].concat());
    assert_eq!(direct.status.code(), Some(0), "{}", stderr(&direct));
    assert!(direct.stdout.len() > 1_000, "the text report still goes to standard output");
    for source in ["a.json", "a.jsonl"] {
        for (format, file) in [("json", "a.json"), ("jsonl", "a.jsonl"), ("sarif", "a.sarif")] {
            let converted = sandbox.run(&["report", source, "--format", format]);
            assert_eq!(converted.status.code(), Some(0), "{}", stderr(&converted));
            assert!(
                converted.stdout == sandbox.read(file),
                "{source} to {format} differs from the run"
            );
        }
        assert!(sandbox.run(&["report", source]).stdout == direct.stdout, "text differs");
    }
}

#[test]
fn merging_joins_a_secret_with_all_its_places_and_keeps_what_counts() {
    let sandbox = Sandbox::new();
    let (shared, other) = (key(), key());
    sandbox
        .write("a/.env", format!("YOUSIGN_API_KEY={shared} # signleak:allow\n"))
        .write("b/.env", format!("x\nYOUSIGN_API_KEY={shared}\n"))
        .write("b/other.env", format!("YOUSIGN_API_KEY={other}\n"))
        .write("b/big", [0; 2_000]);
    let scan = |target: &str, out: &str, extra: &[&str]| {
        let args = ["scan", target, "--fail-on", "never", "--format", "json", "-o", out];
        sandbox.run(&[&args[..], extra].concat()).status.code()
    };
    assert_eq!(scan("a", "a.json", &[]), Some(0));
    assert_eq!(scan("b", "b.json", &["--max-blob-size", "1K"]), Some(3));
    let (merged, status) = sandbox.json(&["report", "a.json", "b.json"]);
    assert_eq!(status, Some(0), "converting is no verdict");
    assert_eq!(merged["summary"]["findings"], 2, "what one report does not suppress counts");
    assert_eq!(merged["coverage"]["files"], 3, "the large one was not read");
    assert_eq!(merged["coverage"]["gap_counts"]["too_large"], 1);
    assert_eq!(merged["targets"], serde_json::json!(["a", "b"]));
    let places: Vec<(&Value, &Value)> = merged["findings"]
        .as_array()
        .into_iter()
        .flatten()
        .flat_map(|finding| finding["occurrences"].as_array().into_iter().flatten())
        .map(|place| (&place["target"], &place["line"]))
        .collect();
    assert_eq!(places.len(), 3, "{places:?}");
    assert_eq!(sandbox.run(&["report", "b.json", "--fail-on", "low"]).status.code(), Some(1));
    let (again, _) = sandbox.json(&["report", "a.json", "b.json", "b.json"]);
    assert_eq!(again["findings"], merged["findings"], "merging twice adds no place");
}

#[test]
fn what_is_no_report_is_refused_with_its_place_and_the_way_out() {
    let sandbox = Sandbox::new();
    sandbox.write("s/.env", format!("YOUSIGN_API_KEY={}\n", key()));
    let report =
        String::from_utf8(sandbox.run(&["scan", "s", "--format", "json"]).stdout).expect("UTF-8");
    let lines =
        String::from_utf8(sandbox.run(&["scan", "s", "--format", "jsonl"]).stdout).expect("UTF-8");
    let change = |from: &str, to: &str| {
        assert!(report.contains(from), "{from}");
        report.replacen(from, to, 1)
    };
    for (text, parts) in [
        (String::new(), ["x.json:1:", "may be missing"]),
        ("{\"findings\": []}".to_owned(), ["x.json:1:1:", "no report of signleak"]),
        (report[..report.len() / 2].to_owned(), ["x.json:", "no JSON"]),
        (
            lines.lines().next().map(str::to_owned).unwrap_or_default(),
            ["x.json:1:1:", "ends without"],
        ),
        (
            change("\"schema_version\": 1", "\"schema_version\": 99"),
            ["schema_version 99", "newer one"],
        ),
        (change("\"severity\": \"", "\"severity\": \"very "), ["unknown variant", "--format json"]),
        (change("\"line\": 1", "\"line\": 0"), ["is none in a target", "--format json"]),
        (change("\"complete\": true", "\"complete\": false"), ["contradicts", "--format json"]),
        (format!("{report}{report}"), ["something follows", "--format json"]),
    ] {
        sandbox.write("x.json", &text);
        let output = sandbox.run(&["report", "x.json"]);
        assert_eq!(output.status.code(), Some(2), "{parts:?}");
        for part in parts {
            assert!(stderr(&output).contains(part), "{part}: {}", stderr(&output));
        }
    }
}

#[test]
fn more_results_than_github_shows_are_split_into_runs_the_worst_first() {
    let sandbox = Sandbox::new();
    sandbox.write("one.env", format!("YOUSIGN_API_KEY={}\n", key()));
    let (mut report, _) = sandbox.json(&["scan"]);
    let one = report["findings"][0].clone();
    let findings: Vec<Value> = (0..10_001)
        .map(|number: u32| {
            let mut finding = one.clone();
            finding["secret"]["sha256"] = format!("{number:064x}").into();
            finding["severity"] =
                if number.is_multiple_of(100) { "critical" } else { "low" }.into();
            finding
        })
        .collect();
    report["findings"] = findings.into();
    sandbox.write("many.json", report.to_string());
    let output = sandbox.run(&["report", "many.json", "--format", "sarif"]);
    let log: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let runs = log["runs"].as_array().expect("runs");
    let results = |run: &Value| run["results"].as_array().cloned().unwrap_or_default();
    assert_eq!(runs.iter().map(|run| results(run).len()).collect::<Vec<_>>(), [5_000, 5_000, 1]);
    let names: Vec<&Value> = runs.iter().map(|run| &run["automationDetails"]["id"]).collect();
    assert_eq!(names, ["signleak/", "signleak-part-2/", "signleak-part-3/"]);
    assert!(results(&runs[0])[..101].iter().all(|result| result["level"] == "error"));
    assert!(results(&runs[0])[101..].iter().all(|result| result["level"] == "note"));
}
