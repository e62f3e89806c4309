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
