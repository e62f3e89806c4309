//! A finding in a bundle names the file, line and column before the build, from the map beside it, in it, or from the map's
//! own content.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;
use serde_json::json;

use crate::support::{Sandbox, assert_schema, key};

/// A bundle of one line with a key that its source calls by a variable, and the map: from column 0 on the bundle comes from
/// line 2 of the source.
fn built(key: &str) -> (String, Value) {
    let script = format!("const c={{url:\"https://api.yousign.app/v3\",apiKey:\"{key}\"}};\n");
    let source = "// made by hand\nconst apiKey = import.meta.env.VITE_YOUSIGN_API_KEY;\n";
    let map = json!({ "version": 3, "sources": ["../src/sign.ts"], "sourcesContent": [source], "mappings": "AACA" });
    (script, map)
}

/// The only finding, and the places before the build of its occurrences by their paths.
fn originals(sandbox: &Sandbox) -> (Value, Vec<(String, Value)>) {
    let (report, _) = sandbox.json(&["scan", "--no-history"]);
    assert_schema(&report);
    let leaks = report["findings"].as_array().expect("findings").iter();
    let leaks: Vec<&Value> = leaks.filter(|finding| finding["kind"] == "leak").collect();
    assert_eq!(leaks.len(), 1, "{report}");
    let occurrences = leaks[0]["occurrences"].as_array().expect("occurrences").iter();
    let places = occurrences.map(|occurrence| {
        let path = occurrence["path"].as_str().expect("a path").to_owned();
        (path, occurrence["original"].clone())
    });
    (leaks[0].clone(), places.collect())
}

#[test]
fn a_map_beside_the_bundle_tells_where_the_key_came_from_and_by_which_variable() {
    let (script, map) = built(&key());
    for name in ["", "//# sourceMappingURL=maps/app.json\n"] {
        let sandbox = Sandbox::new();
        let file = if name.is_empty() { "dist/app.js.map" } else { "dist/maps/app.json" };
        sandbox.write("dist/app.js", format!("{script}{name}")).write(file, map.to_string());
        let (finding, places) = originals(&sandbox);
        let original = json!({ "path": "../src/sign.ts", "line": 2, "column": 1 });
        assert_eq!(places, [("dist/app.js".to_owned(), original)]);
        let evidence = finding["evidence"].to_string();
        assert!(evidence.contains("`VITE_YOUSIGN_API_KEY` stands in its place"), "{evidence}");
    }
}

#[test]
fn a_map_inside_the_bundle_is_read() {
    let (script, map) = built(&key());
    let sandbox = Sandbox::new();
    let map = STANDARD.encode(map.to_string());
    let mark = "//# sourceMappingURL=data:application/json;base64,";
    sandbox.write("dist/app.js", format!("{script}{mark}{map}\n"));
    let (_, places) = originals(&sandbox);
    let original = json!({ "path": "../src/sign.ts", "line": 2, "column": 1 });
    assert_eq!(places, [("dist/app.js".to_owned(), original)]);
}

#[test]
fn a_key_in_the_content_of_a_map_has_the_place_in_its_source() {
    let source = format!("\n\nexport const YOUSIGN_API_KEY = \"{}\";\n", key());
    let map = json!({ "version": 3, "sources": ["a.ts", "b.ts"], "sourcesContent": ["x", source], "mappings": "" });
    let sandbox = Sandbox::new();
    sandbox.write("dist/app.js.map", map.to_string());
    let (_, places) = originals(&sandbox);
    let original = json!({ "path": "b.ts", "line": 3, "column": 33 });
    assert_eq!(places, [("dist/app.js.map".to_owned(), original)]);
}

#[test]
fn a_map_outside_of_the_target_is_not_read() {
    let (script, map) = built(&key());
    let sandbox = Sandbox::new();
    sandbox.write("secret.map", map.to_string());
    sandbox.write("web/dist/app.js", format!("{script}//# sourceMappingURL=../../secret.map\n"));
    let web = sandbox.path().join("web").to_string_lossy().into_owned();
    let (report, _) = sandbox.json(&["scan", "--no-history", &web]);
    assert_eq!(report["findings"][0]["occurrences"][0]["original"], Value::Null, "{report}");
}
