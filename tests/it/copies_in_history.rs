//! Copies of a proven key are found in every place of a history, however its objects are packed.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::support::Sandbox;
use crate::support::key;

/// A document without any word about the provider, long enough that git makes deltas of its versions.
fn notes(version: usize, line: &str) -> String {
    let text = |number: usize| format!("line {number} says that nothing of note has happened\n");
    let mut lines: Vec<String> = (0..80).map(text).collect();
    lines[version % 80] = format!("version {version}\n");
    lines[(version * 7 + 3) % 80] = format!("{line}\n");
    lines.concat()
}

/// Commits a key with its context and copies of it without, each in a version of its own; returns the secret.
fn plant(repo: &Sandbox) -> String {
    let key = key();
    repo.git(&["init", "-q"]);
    repo.write("settings.env", format!("YOUSIGN_API_KEY={key}\n"));
    repo.git(&["add", "."]);
    repo.git(&["commit", "-qm", "settings"]);
    let hex: String = key.bytes().map(|byte| format!("{byte:02x}")).collect();
    let spellings =
        [key.clone(), STANDARD.encode(format!("user:{key}")), hex, format!("x{key}, in a row")];
    for version in 0_usize..60 {
        let spelling = version.checked_sub(20).filter(|at| at % 5 == 0).map(|at| at / 5);
        let spelling = spelling.and_then(|at| spellings.get(at)).map_or("nothing", String::as_str);
        repo.write("notes.txt", notes(version, &format!("cut here {spelling} and there")));
        let wide = notes(version, if version == 30 { &key } else { "nothing" });
        let wide: Vec<u8> = wide.encode_utf16().flat_map(u16::to_le_bytes).collect();
        repo.write("wide.txt", wide);
        repo.git(&["add", "."]);
        repo.git(&["commit", "-qm", &format!("version {version}")]);
    }
    repo.git(&["commit", "-q", "--allow-empty", "-m", &format!("use {key}")]);
    repo.git(&["tag", "-am", &format!("with {key}"), "marked"]);
    repo.git(&["branch", &format!("try-{key}")]);
    key
}

/// Where copies are found: origin, path and name of the commit's version.
fn places(repo: &Sandbox) -> Vec<String> {
    let (report, code) = repo.json(&["scan", "--history-only"]);
    assert_eq!(code, Some(1), "{report}");
    let findings = report["findings"].as_array().expect("a list");
    assert_eq!(findings.len(), 1, "{report}");
    let mut places: Vec<String> = findings[0]["occurrences"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|place| format!("{}:{}", place["origin"], place["region"]["start_line"]))
        .collect();
    places.sort();
    places
}

#[test]
fn copies_are_found_however_objects_are_packed() {
    let repo = Sandbox::new();
    plant(&repo);
    let loose = places(&repo);
    // The settings, 3 copies in notes (the fourth has a letter before it), one in UTF-16, message, tag, branch.
    assert!(loose.len() >= 8, "{loose:?}");
    repo.git(&["repack", "-adfq", "--depth=50", "--window=50"]);
    assert_eq!(places(&repo), loose, "one pack");
    // What wakes the memory of the first pass now stands in a small pack, what it must not forget in a large one.
    repo.write("more.env", "YOUSIGN_LABEL=none\n");
    repo.git(&["add", "."]);
    repo.git(&["commit", "-qm", "more"]);
    repo.git(&["repack", "-dq"]);
    assert_eq!(places(&repo), loose, "two packs");
    repo.git(&["gc", "-q", "--aggressive", "--prune=now"]);
    assert_eq!(places(&repo), loose, "collected");
}
