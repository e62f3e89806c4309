//! Databases and workbooks: what stands in a row with the provider's name is found, what stands in another row is not.

use std::collections::BTreeSet;
use std::io::Write as _;

use rusqlite::Connection;
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use crate::support::{Sandbox, key};

/// The SHA-256 of each key that was reported.
fn reported(report: &Value) -> BTreeSet<String> {
    let findings = report["findings"].as_array().expect("findings");
    findings.iter().map(|finding| finding["secret"]["sha256"].to_string()).collect()
}

fn hashes<'k>(keys: impl IntoIterator<Item = &'k String>) -> BTreeSet<String> {
    keys.into_iter().map(|key| format!("\"{}\"", digest(key))).collect()
}

fn digest(text: &str) -> String {
    Sha256::digest(text).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Writes a database whose keys of the provider stand in a row, in a table and in a text of several pages, among others.
fn database(sandbox: &Sandbox, name: &str, page_size: u32) -> Vec<String> {
    let (ours, others) = ([key(), key(), key()], [key(), key()]);
    sandbox.write(name, "");
    let path = sandbox.path().join(name);
    std::fs::remove_file(&path).expect("it was written");
    let database = Connection::open(path).expect("a database");
    let run = |statement: &str| database.execute_batch(statement).expect(statement);
    run(&format!("PRAGMA page_size = {page_size}; BEGIN"));
    run(
        "CREATE TABLE contract (id INTEGER PRIMARY KEY, ref TEXT, note TEXT, pdf_md5 TEXT, UNIQUE (ref))",
    );
    for number in 0..400 {
        let note = "it's a note; ".repeat(number % 7 * 40);
        let digest = digest(&number.to_string());
        database
            .execute(
                "INSERT INTO contract (ref, note, pdf_md5) VALUES (?1, ?2, ?3)",
                (format!("C-{number}"), note, &digest[..32]),
            )
            .expect("a row");
    }
    run("CREATE VIEW latest AS SELECT ref FROM contract; CREATE INDEX by_note ON contract (note)");
    run(
        "CREATE TABLE [integration] (provider VARCHAR(20) NOT NULL, `base url` TEXT, \"api_key\" TEXT, rate NUMERIC(3, 2), PRIMARY KEY (provider))",
    );
    run(&format!(
        "INSERT INTO integration VALUES ('geocoder', 'https://api.geo.example.org', '{}', 1.5), ('yousign', 'https://api.yousign.app/v3', '{}', 2), ('mailer', NULL, '{}', NULL)",
        others[0], ours[0], others[1]
    ));
    run("CREATE TABLE yousign_settings (name TEXT, value TEXT, doc TEXT)");
    run(&format!(
        "INSERT INTO yousign_settings VALUES ('token', '{}', '{}')",
        ours[1],
        "long ".repeat(3_000)
    ));
    let call =
        format!("curl https://api.yousign.app/v3/users -H \"Authorization: Bearer {}\"", ours[2]);
    run(&format!(
        "INSERT INTO yousign_settings VALUES ('example', NULL, '{} {call} {}')",
        "zz ".repeat(1_500),
        "zz ".repeat(900)
    ));
    run("COMMIT");
    ours.to_vec()
}

#[test]
fn rows_of_a_database_are_told_apart() {
    for page_size in [512, 1024, 4096, 65_536] {
        let sandbox = Sandbox::new();
        let ours = database(&sandbox, "d/app.sqlite", page_size);
        let (report, _) = sandbox.json(&["scan", "--no-history", "--min-confidence", "low", "d"]);
        // A text that is cut by the end of a page stands nowhere in one piece.
        assert_eq!(reported(&report), hashes(&ours), "pages of {page_size}: {report}");
        let bytes = sandbox.read("d/app.sqlite");
        for finding in report["findings"].as_array().expect("findings") {
            let place = &finding["occurrences"][0];
            let start = offset(&bytes, &place["line"], &place["column"]);
            let end = offset(&bytes, &place["end_line"], &place["end_column"]);
            let text = String::from_utf8_lossy(&bytes[start..end]);
            let is_cut = text.len() > 32;
            assert!(is_cut || hashes([&text.to_string()]).is_subset(&reported(&report)), "{place}");
        }
    }
}

/// The offset of a line and column, of which each character and each byte that is none counts.
fn offset(bytes: &[u8], line: &Value, column: &Value) -> usize {
    let [line, column] = [line, column].map(|number| number.as_u64().expect("a number") as usize);
    let mut at = 0;
    for _ in 1..line {
        at += bytes[at..].iter().position(|byte| b"\r\n".contains(byte)).expect("a line end") + 1;
        at += usize::from(bytes[at - 1] == b'\r' && bytes.get(at) == Some(&b'\n'));
    }
    let characters = bytes[at..].utf8_chunks().flat_map(|chunk| {
        let valid = chunk.valid().chars().map(char::len_utf8);
        valid.chain(chunk.invalid().iter().map(|_| 1)).collect::<Vec<_>>()
    });
    at + characters.take(column - 1).sum::<usize>()
}

/// Each page of a database damaged in many ways: no panic, no endless walk.
#[test]
fn damaged_databases_end() {
    let sandbox = Sandbox::new();
    database(&sandbox, "d/app.sqlite", 512);
    let bytes = sandbox.read("d/app.sqlite");
    let mut random = 7_u64;
    let mut next = |below: usize| {
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (random >> 33) as usize % below
    };
    for number in 0..60 {
        let mut damaged = bytes.clone();
        for _ in 0..1 + number * 4 {
            let at = 16 + next(damaged.len() - 16);
            damaged[at] = [0, 1, 5, 13, 0x7f, 0x80, 0xff][next(7)];
        }
        damaged.truncate(damaged.len() - next(damaged.len() / 2));
        sandbox.write(&format!("d/{number}.sqlite"), damaged);
    }
    let (_, code) = sandbox.json(&["scan", "--no-history", "d"]);
    assert_eq!(code, Some(1));
}

#[test]
fn rows_of_a_workbook_are_told_apart() {
    let sandbox = Sandbox::new();
    let (ours, other) = (key(), key());
    let strings = [
        "Tool",
        "Address",
        "Account",
        "Secret",
        "Mailer",
        "https://app.mailer.example.org",
        "prod",
        &other,
        "Yousign (API key)",
        "https://api.yousign.app/v3",
        &ours,
    ];
    let list: String = strings.iter().map(|text| format!("<si><t>{text}</t></si>")).collect();
    let rows = [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9, 6, 10]];
    let cell = |number: &usize| format!("<c t=\"s\"><v>{number}</v></c>");
    let row = |row: &[usize; 4]| format!("<row>{}</row>", row.iter().map(cell).collect::<String>());
    let sheet: String = rows.iter().map(row).collect();
    let mut archive = zip::ZipWriter::new(std::io::Cursor::new(vec![]));
    for (name, content) in [
        ("xl/sharedStrings.xml", format!("<sst>{list}</sst>")),
        ("xl/worksheets/sheet1.xml", format!("<sheetData>{sheet}</sheetData>")),
    ] {
        archive.start_file(name, zip::write::SimpleFileOptions::default()).expect("a member");
        archive.write_all(content.as_bytes()).expect("a member");
    }
    sandbox.write("d/access.xlsx", archive.finish().expect("an archive").into_inner());
    let (report, _) = sandbox.json(&["scan", "--no-history", "--min-confidence", "low", "d"]);
    assert_eq!(reported(&report), hashes([&ours]), "{report}");
}
