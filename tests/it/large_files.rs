//! Files that are read in pieces lose nothing, and what is found in them stands on the right line.

use std::fs::OpenOptions;
use std::io::{Seek as _, SeekFrom, Write as _};

use crate::support::{Sandbox, key};

#[test]
fn a_key_across_any_seam_of_a_long_file_is_found() {
    let sandbox = Sandbox::new();
    let seam = 128 << 10;
    let mut expected = vec![];
    for shift in [0, 1, 5, 20, 40, 200] {
        let key = key();
        let text =
            format!("{}\nYOUSIGN_API_KEY={key}\n{}", "x".repeat(seam - shift), "y\n".repeat(seam));
        sandbox.write(&format!("d/{shift:03}.txt"), text);
        expected.push(format!("{shift:03}.txt"));
    }
    sandbox.write("d/none.txt", "z".repeat(3 * seam));
    sandbox.write("d/yousign.txt", format!("{}\ntoken = {}\n", "z\n".repeat(seam), key()));
    expected.push("yousign.txt".to_owned());
    let (report, _) = sandbox.json(&["scan", "--no-history", "d"]);
    let findings = report["findings"].as_array().expect("findings").iter();
    let mut found: Vec<&str> = findings
        .map(|finding| finding["occurrences"][0]["path"].as_str().expect("a path"))
        .collect();
    found.sort_unstable();
    assert_eq!(found, expected);
    assert_eq!(report["coverage"]["files"], 8, "{}", report["coverage"]);
}

#[test]
fn the_lines_of_a_huge_file_are_counted_over_all_its_pieces() {
    let sandbox = Sandbox::new();
    sandbox.write("d/huge.txt", "1\n2\n3\n");
    let path = sandbox.path().join("d/huge.txt");
    let mut file = OpenOptions::new().write(true).open(path).expect("it opens");
    file.seek(SeekFrom::Start(257 << 20)).expect("it is a file");
    write!(file, "\n5\n  YOUSIGN_API_KEY={}\n", key()).expect("it is writable");
    let (report, _) = sandbox.json(&["scan", "--no-history", "d"]);
    let places = &report["findings"][0]["occurrences"];
    assert_eq!(places.as_array().map(Vec::len), Some(1), "{report}");
    assert_eq!((&places[0]["line"], &places[0]["column"]), (&6.into(), &19.into()), "{places}");
}

#[test]
fn a_mention_far_from_an_escaped_value_of_a_long_file_is_quoted_and_no_panic() {
    let sandbox = Sandbox::new();
    let line = format!("const c = \"{{\\\"api_key\\\":\\\"{}\\\"}}\";\n", key());
    let text = [
        "x();\n".repeat(120_000),
        "const sdk = \"yousign\";\n".to_owned(),
        "x();\n".repeat(20_000),
        line,
    ];
    sandbox.write("d/app.js", text.concat() + &"y();\n".repeat(100_000));
    let (report, _) = sandbox.json(&["scan", "--no-history", "--min-confidence", "low", "d"]);
    let finding = &report["findings"][0];
    assert_eq!(finding["occurrences"][0]["line"], 140_002, "{report}");
    let evidence = finding["evidence"].as_array().expect("evidence").iter();
    let texts: Vec<&str> = evidence.filter_map(|evidence| evidence["text"].as_str()).collect();
    assert!(texts.iter().any(|text| text.starts_with("`yousign` stands")), "{texts:?}");
}

#[test]
fn a_bundle_of_one_line_that_signs_something_else_still_leaks_an_api_key() {
    let sandbox = Sandbox::new();
    let filler = "function a(b){return b+1}".repeat(40);
    let key = key();
    let text = format!(
        "h=createHmac(\"sha256\",c.apiKey).update(d);{filler}e.yousign={{apiKey:\"{key}\",url:\"https://api.yousign.app/v3\"}}"
    );
    sandbox.write("d/app.min.js", text);
    let (report, _) = sandbox.json(&["scan", "--no-history", "d"]);
    let finding = &report["findings"][0];
    assert_eq!(finding["rule_id"], "yousign-api-key", "{report}");
    assert!(!finding["evidence"].to_string().contains("checks signatures"), "{finding}");
}
